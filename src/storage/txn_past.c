/*
 * Reading as of an older revision. What is newest leads back: a record names its newest change,
 * each change the one before it, a change of the past is a record of the past.
 *
 * Elements have no versions of their own. As they were, they are what they are, with what changed
 * since undone: the oldest change of an element after the revision says what it was before. These
 * lie as rows above all layers, so that gets and scans see them without knowing.
 *
 * Everything that is read here is above the horizon, or the one change at or below it that was in
 * force then; so it is there, unless it is a tombstone.
 */

#include "base/check.h"
#include "base/mem.h"
#include "base/mutant.h"
#include "storage/txn_element.h"
#include "storage/txn_internal.h"

void past_clear(struct past *p)
{
	p->on = false;
	p->count = 0;
	tree_init(&p->rows, &p->arena);
	arena_clear(&p->arena);
}

void past_free(struct past *p)
{
	arena_free(&p->arena);
	mem_free(p->collections);
	*p = (struct past){0};
}

int txn_as_of(struct txn *t, uint64_t revision)
{
	CHECK(!t->past.on);
	if (revision > t->position.revision)
		return ERR_INVALID;
	if (revision < t->position.horizon)
		return ERR_COMPACTED;
	t->past.on = true;
	t->past.revision = revision;
	return OK;
}

void txn_now(struct txn *t)
{
	if (!t->past.on)
		return;
	past_clear(&t->past);
	t->reader.past = (struct tree_snapshot){0};
}

/* The way back may be long: what is read on it is not kept. Borrowed until the next read. */
static int past_peek(struct txn *t, struct revision at, struct change *c)
{
	uint8_t key[HISTORY_KEY_BYTES];
	struct slice row;
	int rc;

	history_key_put(key, at);
	rc = reader_peek(txn_reader(t), FAMILY_HISTORY, slice_of(key, sizeof(key)), &row);
	return rc == OK ? row_decoded(change_decode_at(row, at, c)) : rc;
}

/* A change that is not at or below the horizon: it is there. Borrowed as above. */
static int past_change(struct txn *t, struct revision at, struct change *c)
{
	int rc = past_peek(t, at, c);

	return rc == ERR_NOT_FOUND ? ERR_CORRUPT : rc;
}

/* Whether a change above the horizon was made by then. */
static int past_made_by(struct txn *t, uint64_t revision, uint64_t time_ms, bool *made)
{
	struct change c = {0};
	int rc = past_change(t, (struct revision){revision, 0}, &c);

	*made = c.time_ms <= time_ms;
	return rc;
}

int txn_revision_at(struct txn *t, uint64_t time_ms, uint64_t *revision)
{
	uint64_t low = t->position.horizon, high = t->position.revision;
	bool made = true;
	int rc = OK;

	if (time_ms > t->time_ms)
		return ERR_INVALID;
	while (low < high && rc == OK) {
		uint64_t middle = low + (high - low + 1) / 2;

		rc = past_made_by(t, middle, time_ms, &made);
		if (made)
			low = middle;
		else
			high = middle - 1;
	}
	*revision = low;
	if (rc == OK && low == t->position.horizon && time_ms < t->position.horizon_ms)
		return ERR_COMPACTED;
	return rc;
}

int txn_move_horizon(struct txn *t, uint64_t revision)
{
	struct change c;
	int rc;

	CHECK(revision <= t->base->revision && revision >= t->position.horizon && !t->past.on);
	if (revision == t->position.horizon)
		return OK;
	rc = past_change(t, (struct revision){revision, 0}, &c);
	if (rc == OK)
		position_move_horizon(&t->position, revision, c.time_ms);
	return rc;
}

int past_keyspace(struct txn *t, unsigned database, uint32_t *keyspace)
{
	const struct position *p = &t->position;
	struct revision at = {p->database_at[database], p->database_sub[database]};

	*keyspace = p->databases[database];
	while (at.main > t->past.revision && !MUTANT(past_in_todays_databases)) {
		struct change c;
		int rc = past_change(t, at, &c);

		if (rc != OK)
			return rc;
		*keyspace = c.other_keyspace;
		at = c.previous;
	}
	return OK;
}

/* ---- records --------------------------------------------------------------------------------- */

/* The value of a string stands in this change or in the one that it names. */
static int past_value(struct txn *t, const struct change *c, struct record *r)
{
	struct change holder = *c;
	int rc = OK;

	if (c->value_at.main) {
		r->value_at = c->value_at;
		rc = past_change(t, c->value_at, &holder);
	}
	r->size = holder.value.len;
	r->inlined = r->size <= RECORD_INLINE_MAX;
	if (rc == OK && r->inlined)
		r->value = arena_copy(&t->values, holder.value);
	return rc;
}

/* The record as this change left it. */
static int past_record_of(struct txn *t, struct revision at, const struct change *c,
			  struct record *r)
{
	*r = (struct record){.mod = at};
	if (change_ends_record(c))
		return OK;
	*r = (struct record){
		.type = c->type,
		.mod = at,
		.create = c->create,
		.version = c->version,
		.incarnation = c->incarnation,
		.deadline_ms = MUTANT(past_without_deadline) ? 0 : c->deadline_ms,
		.indexed_ms = c->deadline_ms,
		.lease = c->lease,
		.size = c->size,
		.keep = c->keep,
	};
	if (c->type != RECORD_STRING)
		return OK;
	r->value_at = at;
	return past_value(t, c, r);
}

/* Where the elements of a collection stood then, for when they are asked for. */
static void past_note(struct past *p, uint32_t keyspace, struct slice key, uint64_t incarnation)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->collections[i].incarnation == incarnation)
			return;
	MEM_GROW(p->collections, p->cap, p->count + 1);
	p->collections[p->count++] = (struct past_collection){
		.incarnation = incarnation,
		.keyspace = keyspace,
		.key = arena_copy(&p->arena, key),
	};
}

int past_record(struct txn *t, uint32_t keyspace, struct slice key, struct record *r)
{
	struct revision at = r->mod;
	struct change c;
	int rc;

	if (at.main <= t->past.revision)
		return OK;
	while (at.main > t->past.revision) {
		rc = past_change(t, at, &c);
		if (rc != OK)
			return rc;
		at = c.previous;
	}
	*r = (struct record){.mod = at};
	if (!at.main)
		return OK;
	rc = past_peek(t, at, &c);
	if (rc == ERR_NOT_FOUND && at.main <= t->position.horizon)
		return OK; /* only a tombstone is dropped while there is something newer */
	if (rc == OK)
		rc = past_record_of(t, at, &c, r);
	if (rc == OK && r->incarnation)
		past_note(&t->past, keyspace, key, r->incarnation);
	return rc;
}

/* ---- elements -------------------------------------------------------------------------------- */

/*
 * The newest change that is this incarnation's and newer than the revision, wherever its key has
 * gone since; 0-0 if there is none.
 */
static int past_newest(struct txn *t, const struct past_collection *p, struct revision *newest)
{
	uint32_t keyspace = p->keyspace;
	struct slice key = p->key;

	*newest = (struct revision){0};
	for (;;) {
		struct change c = {0};
		struct record r;
		struct revision at;
		int rc = txn_newest_record(t, keyspace, key, &r);

		for (at = r.mod; rc == OK && at.main > t->past.revision; at = c.previous) {
			rc = past_change(t, at, &c);
			if (rc == OK && c.incarnation == p->incarnation)
				break;
		}
		if (rc != OK || at.main <= t->past.revision)
			return rc;
		*newest = at;
		if (c.kind != CHANGE_MOVED_AWAY || MUTANT(past_forgets_moves))
			return OK;
		/* What came of it there is newer than this. */
		keyspace = c.other_keyspace;
		key = arena_copy(&t->past.arena, c.other_key);
	}
}

static void past_undo(struct txn *t, const struct change *c)
{
	uint8_t order[ELEMENT_ORDER_MAX];
	size_t len = element_order_put(c->type, c->element, order);

	buf_clear(&t->key);
	element_key(&t->key, c->incarnation, slice_of(order, len), c->element);
	if (!MUTANT(past_undoes_once) || !tree_find(&t->past.rows, buf_slice(&t->key)))
		tree_put(&t->past.rows, buf_slice(&t->key), c->before, !c->has_before);
}

/* From the newest change back: so what an older one says of an element comes last. */
static int past_lay(struct txn *t, struct past_collection *p)
{
	struct revision at;
	int rc = past_newest(t, p, &at);

	while (rc == OK && at.main > t->past.revision) {
		struct change c;

		rc = past_change(t, at, &c);
		if (rc != OK)
			return rc;
		if (c.kind == CHANGE_ELEMENT_SET || c.kind == CHANGE_ELEMENT_DELETE)
			past_undo(t, &c);
		/* What was moved here is one revision older where it came from. */
		at = c.kind == CHANGE_MOVED_HERE ? (struct revision){at.main, at.sub - 1}
						 : c.previous;
	}
	p->laid = rc == OK;
	t->reader.past = (struct tree_snapshot){t->past.rows.root, t->past.rows.height};
	return rc;
}

int past_elements(struct txn *t, uint64_t incarnation)
{
	for (size_t i = 0; i < t->past.count; i++) {
		struct past_collection *p = &t->past.collections[i];

		if (p->incarnation == incarnation && !p->laid)
			return past_lay(t, p);
	}
	return OK;
}
