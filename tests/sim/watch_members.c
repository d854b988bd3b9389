/*
 * What must hold of whole members:
 *
 *  - equal index, equal position, byte for byte; and equal rows, as a reader would see them
 *  - what a member holds in caches, overlays and its engine is one state: the sum over its records
 *    is the digest that it keeps
 *  - in the end, every client is answered, and the store's history is what clients were told
 */

#include "base/check.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/mem.h"
#include "sim/callers.h"
#include "sim/control.h"
#include "sim/mode_members.h"
#include "sim/roster.h"
#include "sim/watch_parts.h"
#include "storage/txn_chunks.h"
#include "storage/txn_element.h"

#include <inttypes.h>

/* Every so many entries, all members look at all their rows. */
#define ROWS_EVERY 97

/* Of every so many changes the author is looked up. */
#define AUTHOR_EVERY 16

/* ---- the model --------------------------------------------------------------------------------
 */

static void differs(struct host *h, unsigned database, struct slice key, uint64_t revision)
{
	world_fail(h->world,
		   "%s holds something else under %.*s of db %u at revision %" PRIu64
		   " than the log says",
		   h->name, (int)key.len, (const char *)key.data, database, revision);
}

/* A hash of the member: as many fields as the model's, and all of them there. */
static int compare_fields(struct txn *t, const struct record *r, const struct model_value *v,
			  bool *same)
{
	*same = r->size == v->count;
	for (size_t i = 0; i < v->count && *same; i++) {
		struct slice text;
		int rc = txn_element(t, r, buf_slice(&v->fields[i].name), &text);

		if (rc != OK && rc != ERR_NOT_FOUND)
			return rc;
		*same = rc == OK && slice_equal(text, buf_slice(&v->fields[i].text));
	}
	return OK;
}

/* Of strings longer than that some parts are looked at, of so many bytes at most; in the end all.
 */
#define WHOLE_MAX  ((size_t)64 << 10)
#define PARTS	   4
#define PART_BYTES 4096

static int compare_part(struct txn *t, const struct record *r, const struct model_value *v,
			size_t from, size_t len, bool *same)
{
	struct slice part;
	int rc = txn_value_part(t, r, from, len, &part);

	*same = rc == OK && part.len == len && text_holds(v, from, part);
	return rc;
}

static int compare_text(struct host *h, struct txn *t, const struct record *r,
			const struct model_value *v, bool *same)
{
	size_t len = text_len(v);
	int rc = OK;

	*same = r->size == len;
	if (*same && (len <= WHOLE_MAX || h->world->quiet))
		return compare_part(t, r, v, 0, len, same);
	for (unsigned i = 0; i < PARTS && rc == OK && *same; i++) {
		size_t from = (size_t)random_below(&h->world->random, len);

		rc = compare_part(t, r, v, from, MIN(len - from, (size_t)PART_BYTES), same);
	}
	return rc;
}

static int compare_record(struct host *h, struct txn *t, const struct record *r,
			  const struct model_version *v, bool *same)
{

	*same = v->value && v->deadline_ms == r->deadline_ms && v->mod == r->mod.main &&
		(r->type == RECORD_HASH) == v->value->is_hash;
	if (!*same)
		return OK;
	if (v->value->is_hash)
		return compare_fields(t, r, v->value, same);
	return compare_text(h, t, r, v->value, same);
}

/* All keys of a database, as of now or of then. */
static int watch_database(struct host *h, struct txn *t, unsigned database, uint64_t revision)
{
	struct model *m = h->world->model;
	struct record_scan s;
	struct slice key;
	struct record r;
	size_t count = 0;
	bool same;
	int rc = record_scan_open(&s, t, database, (struct slice){0}, NULL, false), end;

	if (rc != OK)
		return rc;
	for (; rc == OK && record_scan_next(&s, &key, &r); count++) {
		const struct model_cell *c = model_cell(m, database, key);

		rc = compare_record(h, t, &r, cell_at(c, revision), &same);
		if (rc == OK && !same)
			differs(h, database, key, revision);
	}
	end = record_scan_close(&s);
	rc = rc == OK ? end : rc;
	if (rc == OK && count != model_key_count(m, database, revision))
		world_fail(
			h->world,
			"%s holds %zu keys in db %u at revision %" PRIu64 ", and the log says %zu",
			h->name, count, database, revision, model_key_count(m, database, revision));
	return rc;
}

/* The databases that clients use. */
#define DATABASES_USED 4

static void watch_model(struct host *h, const struct view *v, uint64_t revision, bool past)
{
	struct txn t = {0};
	int rc = OK;

	if (!h->world->model || h->world->done)
		return;
	txn_init_view(&t, v, NULL);
	txn_begin(&t, 0, 0);
	if (past)
		rc = txn_as_of(&t, revision);
	for (unsigned i = 0; i < DATABASES_USED && rc == OK; i++)
		rc = watch_database(h, &t, i, revision);
	txn_close(&t);
	if (rc != OK && !h->excuse)
		world_fail(h->world, "%s cannot read its records: %s", h->name, error_text(rc));
	if (past)
		COUNT(h->world, CHECK_PAST);
	else
		COUNT(h->world, CHECK_MODEL);
}

/* Some states that were, above the horizon. */
static void watch_past(struct host *h, const struct view *v)
{
	const struct position *p = view_position(v);

	for (unsigned i = 0; i < 4; i++)
		watch_model(h, v, random_between(&h->world->random, p->horizon, p->revision), true);
}

struct id_set {
	uint64_t *ids; /* owned */
	size_t count;
	size_t cap;
};

/*
 * Members drop what is dead each at its own time: so only what is not dead is compared. Keyspaces
 * and collections that ended above the horizon are not dead yet.
 */
struct rows_seen {
	struct host *host;
	const struct position *position;
	struct reader *reader;
	uint64_t hash;
	uint64_t living;	    /* sum over the records */
	struct id_set keyspaces;    /* that ended above the horizon */
	struct id_set incarnations; /* of records, and what ended above the horizon */
};

static void id_add(struct id_set *s, uint64_t id)
{
	MEM_GROW(s->ids, s->cap, s->count + 1);
	s->ids[s->count++] = id;
}

static bool id_is_in(const struct id_set *s, uint64_t id)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->ids[i] == id)
			return true;
	return false;
}

static bool keyspace_is_alive(const struct rows_seen *seen, uint32_t keyspace)
{
	return position_keyspace(seen->position, keyspace) || id_is_in(&seen->keyspaces, keyspace);
}

static void see_bytes(struct rows_seen *seen, struct slice key, struct slice row)
{
	seen->hash = hash64_pair(hash64_salted(key, seen->hash), hash64(row));
}

static bool is_meta(struct slice key, const char *name)
{
	struct buf row = {0};
	bool is;

	meta_key(&row, slice_of_text(name));
	is = slice_equal(buf_slice(&row), key);
	buf_free(&row);
	return is;
}

/* ---- history --------------------------------------------------------------------------------- */

/*
 * What something alive names, at or below the horizon: the change before, or the one that holds the
 * value. A tombstone there is dead, whether it was dropped or not.
 */
static int see_named(struct rows_seen *seen, struct revision at, bool needed)
{
	uint8_t key[HISTORY_KEY_BYTES];
	struct change c;
	struct slice row;
	int rc;

	if (!at.main || at.main > seen->position->horizon)
		return OK;
	history_key_put(key, at);
	rc = reader_get(seen->reader, FAMILY_HISTORY, slice_of(key, sizeof(key)), &row);
	if (rc == ERR_NOT_FOUND && needed)
		world_fail(seen->host->world, "%s has dropped the change %" PRIu64 "-%" PRIu32,
			   seen->host->name, at.main, at.sub);
	if (rc != OK)
		return rc == ERR_NOT_FOUND ? OK : rc;
	if (change_decode(row, &c) == OK && (needed || !change_ends_record(&c)))
		see_bytes(seen, slice_of(key, sizeof(key)), row);
	return OK;
}

/*
 * Whoever a change above the horizon names is known. Keys that begin with p are those of one
 * connection, whose address is its key's name.
 */
static void see_author(struct rows_seen *seen, const struct change *c)
{
	struct host *h = seen->host;
	struct buf key = {0}, owner = {0};
	struct author_text text;
	struct slice found;

	if (!c->author.number)
		return;
	COUNT(h->world, CHECK_AUTHOR);
	buf_append_slice(&owner, c->key);
	author_key(&key, c->author);
	if (reader_get(seen->reader, FAMILY_STATE, buf_slice(&key), &found) != OK ||
	    author_text_decode(found, &text) != OK)
		world_fail(h->world, "%s holds a change by somebody whom it does not know",
			   h->name);
	else if (owner.len && owner.data[0] == 'p' && !slice_equal(buf_slice(&owner), text.address))
		world_fail(h->world, "%s takes a change of %.*s for one of %.*s", h->name,
			   (int)owner.len, (const char *)owner.data, (int)text.address.len,
			   (const char *)text.address.data);
	buf_free(&owner);
	buf_free(&key);
}

/* A change above the horizon; of a new record nobody knows here what was before. */
static int see_change(struct rows_seen *seen, struct slice key, struct slice row)
{
	struct change c;
	bool went_on;
	int rc;

	see_bytes(seen, key, row);
	if (change_decode(row, &c) != OK)
		return ERR_CORRUPT;
	see_author(seen, &c);
	went_on = c.version > 1 || c.kind == CHANGE_KEYSPACE || change_ends_record(&c);
	rc = see_named(seen, c.previous, went_on);
	return rc == OK ? see_named(seen, c.value_at, true) : rc;
}

/* ---- state ----------------------------------------------------------------------------------- */

static int see_record(struct rows_seen *seen, struct slice key, struct slice row)
{
	struct slice name;
	struct record r;
	uint32_t keyspace;
	int rc;

	if (record_key_decode(key, &keyspace, &name) != OK || record_decode(row, &r) != OK)
		return ERR_CORRUPT;
	if (!keyspace_is_alive(seen, keyspace) ||
	    (r.type == RECORD_NONE && r.mod.main <= seen->position->horizon))
		return OK;
	see_bytes(seen, key, row);
	if (r.type == RECORD_NONE)
		return OK;
	if (position_keyspace(seen->position, keyspace))
		seen->living += hash64_salted(row, hash64(key));
	if (r.incarnation)
		id_add(&seen->incarnations, r.incarnation);
	rc = see_named(seen, r.mod, true);
	return rc == OK ? see_named(seen, r.value_at, true) : rc;
}

static int see_garbage(struct rows_seen *seen, struct slice key, struct slice row)
{
	enum garbage_kind kind;
	uint64_t ended, id;

	if (garbage_key_decode(key, &ended, &kind, &id) != OK)
		return ERR_CORRUPT;
	if (ended <= seen->position->horizon)
		return OK;
	see_bytes(seen, key, row);
	if (kind == GARBAGE_KEYSPACE)
		id_add(&seen->keyspaces, id);
	else if (kind == GARBAGE_INCARNATION)
		id_add(&seen->incarnations, id);
	return OK;
}

/* Garbage was looked at before; records stand before elements. */
static int see_state(struct rows_seen *seen, struct slice key, struct slice row)
{
	uint64_t incarnation, at_ms;
	struct slice name;
	uint32_t keyspace;

	switch (key.data[0]) {
	case STATE_META:
		/* The position says for itself what it is; it stands in the engine only. */
		if (!is_meta(key, "position") && !is_meta(key, "dropped"))
			see_bytes(seen, key, row);
		return OK;
	case STATE_RECORD:
		return see_record(seen, key, row);
	case STATE_ELEMENT:
		if (element_key_decode(key, RECORD_NONE, &incarnation, &name) != OK)
			return ERR_CORRUPT;
		if (id_is_in(&seen->incarnations, incarnation))
			see_bytes(seen, key, row);
		return OK;
	case STATE_DEADLINE:
		if (deadline_key_decode(key, &at_ms, &keyspace, &name) != OK)
			return ERR_CORRUPT;
		if (keyspace_is_alive(seen, keyspace))
			see_bytes(seen, key, row);
		return OK;
	case STATE_AUTHOR:  /* dropped by each member at its own time; changes say who is needed */
	case STATE_GARBAGE: /* was looked at */
		return OK;
	default:
		see_bytes(seen, key, row);
		return OK;
	}
}

/* ---- all rows -------------------------------------------------------------------------------- */

typedef int (*see_row)(struct rows_seen *seen, struct slice key, struct slice row);

static int see_rows(struct rows_seen *seen, enum engine_family family, struct slice from,
		    struct slice to, see_row see)
{
	struct slice key, row;
	struct scan s;
	int rc = scan_open(&s, seen->reader, family, from, to, false), end;

	if (rc != OK)
		return rc;
	while (rc == OK && scan_next(&s, &key, &row))
		rc = see(seen, key, row);
	end = scan_close(&s);
	return rc == OK ? end : rc;
}

static int see_all(struct rows_seen *seen)
{
	const struct position *p = seen->position;
	uint8_t from[HISTORY_KEY_BYTES], to[HISTORY_KEY_BYTES];
	static const uint8_t garbage[] = {STATE_GARBAGE}, behind_garbage[] = {STATE_GARBAGE + 1};
	int rc;

	rc = see_rows(seen, FAMILY_STATE, slice_of(garbage, sizeof(garbage)),
		      slice_of(behind_garbage, sizeof(behind_garbage)), see_garbage);
	if (rc == OK)
		rc = see_rows(seen, FAMILY_STATE, (struct slice){0}, (struct slice){0}, see_state);
	/* What was written beyond the position is written again by replaying. */
	history_key_put(from, (struct revision){p->horizon + 1, 0});
	history_key_put(to, (struct revision){p->revision + 1, 0});
	if (rc == OK)
		rc = see_rows(seen, FAMILY_HISTORY, slice_of(from, sizeof(from)),
			      slice_of(to, sizeof(to)), see_change);
	return rc;
}

void members_watch_rows(struct host *h)
{
	struct store *store = h->member->store;
	const struct position *p = store_position(store);
	struct view *v = view_open(store);
	struct reader r = {0};
	struct rows_seen seen = {.host = h, .position = p, .reader = &r};
	int rc;

	view_reader(v, &r);
	rc = see_all(&seen);
	reader_close(&r);
	if (rc == OK) {
		watch_model(h, v, p->revision, false);
		watch_past(h, v);
	}
	view_close(v);
	mem_free(seen.keyspaces.ids);
	mem_free(seen.incarnations.ids);
	if (rc != OK) {
		if (!h->excuse)
			world_fail(h->world, "%s cannot read its rows: %s", h->name,
				   error_text(rc));
		return;
	}
	COUNT(h->world, CHECK_DIGEST);
	if (seen.living != position_digest_living(p))
		world_fail(h->world, "%s holds records at %" PRIu64 " that its digest denies",
			   h->name, p->index);
	watch_rows(h, p->index, seen.hash);
}

void members_watch_applied(struct host *h, uint64_t index, const struct entry *e)
{
	const struct position *p = store_position(h->member->store);
	const char *broken = position_broken(p);

	if (broken)
		world_fail(h->world, "%s breaks a rule: %s", h->name, broken);
	watch_apply(h, index, e, h->world->mode->state(h).digest);
	if (p->revision != h->world->model->revisions[index])
		world_fail(h->world,
			   "%s is at revision %" PRIu64 " after entry %" PRIu64
			   ", and the log says %" PRIu64,
			   h->name, p->revision, index, h->world->model->revisions[index]);
	if (p->horizon != h->world->model->horizons[index])
		world_fail(h->world,
			   "%s has its horizon at %" PRIu64 " after entry %" PRIu64
			   ", and the log says %" PRIu64,
			   h->name, p->horizon, index, h->world->model->horizons[index]);
	model_learns_level(h->world->model, index, p->level);
	if (index % ROWS_EVERY == 0)
		members_watch_rows(h);
}

/* A leader's stamps follow its monotonic clock, wherever its wall clock goes. */
static void watch_time(struct host *h)
{
	const struct member *m = h->member;
	const struct position *p = store_position(m->store);
	uint64_t now_ms;

	if (m->status.role != RAFT_LEADER || !m->time.leading || p->term != m->status.term ||
	    !cluster_time_estimate(&m->time, host_clock_us(h), &now_ms))
		return;
	COUNT(h->world, CHECK_TIME);
	if (p->stamp_ms > now_ms + 1)
		world_fail(h->world, "%s has stamped an entry %" PRIu64 " ms ahead of its time",
			   h->name, p->stamp_ms - now_ms);
}

void members_watch_turn(struct host *h)
{
	struct member *m = h->member;

	control_watch_turn(h);
	members_watch_memory(h);
	roster_watch(h);
	if (m->removed && !watch_was_removed(h->world, h->id))
		world_fail(h->world, "%s takes itself for removed and is not", h->name);
	watch_time(h);
	if (m->origin.incarnation != h->seen_incarnation)
		COUNT(h->world, REGISTERED);
	h->seen_incarnation = m->origin.incarnation;
}

void members_watch_end(struct world *w)
{
	callers_watch_answered(w);
	control_watch_end(w);
	for (unsigned i = 0; i < w->host_count && !w->failure[0]; i++) {
		struct host *h = &w->hosts[i];

		if (!host_takes_part(h))
			continue;
		members_watch_rows(h);
		if (origin_unresolved(&h->member->origin))
			world_fail(w, "%s has writes under way in the end", h->name);
	}
}
