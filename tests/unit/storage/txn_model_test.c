/*
 * Random commands against a simple model that keeps every state it was in: the newest state and any
 * state of the past are as the model's, digests and counts are those computed from all rows, and
 * the engine holds what is alive at the horizon and no row more, whenever it has been rid of the
 * rest, whatever crash came between.
 */

#include "storage/txn_chunks.h"

#include "support/history_oracle.h"
#include "support/store_tester.h"

#include "base/check.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/mutant.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DATABASES 3
#define KEYS	  5
#define FIELDS	  4

/* Of strings in this test: most that are changed in place come into chunks. */
#define CHUNK_BYTES 16
#define WHOLE_MAX   100
#define TEXT_MAX    400

struct model_key {
	enum record_type type;
	char text[TEXT_MAX]; /* of a string */
	size_t len;
	unsigned fields[FIELDS];
	uint64_t deadline_ms;
	uint64_t version;
	uint64_t create; /* main */
};

struct model_state {
	struct model_key keys[DATABASES][KEYS];
};

struct model {
	struct store_tester s;
	struct history_oracle oracle;
	struct model_state *states; /* after each main revision */
	size_t count;
	size_t cap;
	uint64_t horizon;
	unsigned next_value;
};

static struct slice key_name(unsigned key)
{
	static const char *const names[] = {"", "a", "a\0b", "key:1", "zz"};
	static const size_t lengths[] = {0, 1, 3, 5, 2};

	return slice_of(names[key], lengths[key]);
}

static struct slice field_name(unsigned field)
{
	static const char *const names[] = {"", "f", "field", "x"};

	return slice_of_text(names[field]);
}

/* Some are inlined, some are not, some empty. */
static struct slice value_text(unsigned value, char room[static 200])
{
	size_t len = value % 7 == 0 ? 0 : (size_t)snprintf(room, 20, "v%u", value);

	if (value % 5 == 0)
		for (; len < 190; len++)
			room[len] = (char)('a' + (value + len) % 26);
	return slice_of(room, len);
}

/* ---- commands -------------------------------------------------------------------------------- */

/* What a command does to the store and to the model: drawn once, run as often as needed. */
struct step {
	enum {
		STEP_STRING,
		STEP_PART, /* of a string is written */
		STEP_DEADLINE,
		STEP_FIELDS,
		STEP_DELETE,
		STEP_MOVE,
		STEP_FLUSH,
		STEP_SWAP,
		STEP_EMPTY,
		STEP_KINDS
	} kind;
	unsigned database, other_database;
	unsigned key, other_key;
	unsigned values[FIELDS]; /* of fields, 0: not touched, 1: removed */
	uint64_t deadline_ms;
	uint8_t keep;
	size_t offset; /* of a part; beyond TEXT_MAX / 2: it is appended */
};

#define STEPS_MAX 3

struct command {
	struct step steps[STEPS_MAX];
	unsigned count;
	bool fails; /* at its end */
};

static int run_fields(struct txn *t, const struct step *p, const struct record *r)
{
	char room[200];
	struct collection c;
	bool changed;
	int rc = OK;

	if (record_is_string(r))
		return OK;
	collection_open(&c, t, p->database, key_name(p->key), r, RECORD_HASH);
	for (unsigned f = 0; f < FIELDS && rc == OK; f++) {
		if (p->values[f] == 1)
			rc = collection_remove(&c, field_name(f), &changed);
		else if (p->values[f] > 1)
			rc = collection_set(&c, field_name(f), value_text(p->values[f], room),
					    &changed);
	}
	if (rc == OK)
		collection_close(&c);
	return rc;
}

static size_t part_offset(const struct step *p, size_t len)
{
	return p->offset <= TEXT_MAX / 2 ? p->offset : MIN(len, (size_t)TEXT_MAX / 2);
}

static int run_part(struct txn *t, const struct step *p, const struct record *r)
{
	char room[200];
	struct slice part = value_text(p->values[0], room);

	if ((r->type != RECORD_NONE && !record_is_string(r)) || part.len == 0)
		return OK;
	return txn_write_part(t, p->database, key_name(p->key), r, part_offset(p, r->size), part);
}

static int run_move(struct txn *t, const struct step *p, const struct record *r)
{
	struct record other;
	int rc;

	if (r->type == RECORD_NONE || (p->key == p->other_key && p->database == p->other_database))
		return OK;
	rc = txn_record(t, p->other_database, key_name(p->other_key), &other);
	if (rc != OK && rc != ERR_NOT_FOUND)
		return rc;
	txn_move(t, p->database, key_name(p->key), r, p->other_database, key_name(p->other_key),
		 &other);
	return OK;
}

/* All keys of a database are found by a scan, and deleted one by one. */
static int run_empty(struct txn *t, const struct step *p)
{
	bool found[KEYS] = {0};
	struct record_scan s;
	struct slice key;
	struct record r;
	int rc = record_scan_open(&s, t, p->database, (struct slice){NULL, 0}, NULL, false);

	if (rc != OK)
		return rc;
	while (record_scan_next(&s, &key, &r))
		for (unsigned k = 0; k < KEYS; k++)
			found[k] |= slice_equal(key, key_name(k));
	rc = record_scan_close(&s);
	for (unsigned k = 0; k < KEYS && rc == OK; k++) {
		if (!found[k])
			continue;
		rc = txn_record(t, p->database, key_name(k), &r);
		if (rc == OK)
			txn_delete(t, p->database, key_name(k), &r, CHANGE_DELETE);
	}
	return rc;
}

static int run_step(struct txn *t, const struct step *p)
{
	struct record_terms terms = {.deadline_ms = p->deadline_ms, .keep = p->keep};
	char room[200];
	struct record r;
	int rc = txn_record(t, p->database, key_name(p->key), &r);

	if (rc != OK && rc != ERR_NOT_FOUND)
		return rc;
	switch (p->kind) {
	case STEP_STRING:
		txn_set_string(t, p->database, key_name(p->key), &r, value_text(p->values[0], room),
			       &terms);
		return OK;
	case STEP_PART:
		return run_part(t, p, &r);
	case STEP_DEADLINE:
		if (r.type != RECORD_NONE)
			txn_set_deadline(t, p->database, key_name(p->key), &r, p->deadline_ms);
		return OK;
	case STEP_FIELDS:
		return run_fields(t, p, &r);
	case STEP_DELETE:
		if (r.type != RECORD_NONE)
			txn_delete(t, p->database, key_name(p->key), &r, CHANGE_DELETE);
		return OK;
	case STEP_MOVE:
		return run_move(t, p, &r);
	case STEP_FLUSH:
		txn_flush_database(t, p->database);
		return OK;
	case STEP_SWAP:
		if (p->database != p->other_database)
			txn_swap_databases(t, p->database, p->other_database);
		return OK;
	case STEP_EMPTY:
		return run_empty(t, p);
	case STEP_KINDS:
		break;
	}
	return ERR_INVALID;
}

static int run_command(struct txn *t, void *ctx)
{
	const struct command *c = ctx;

	for (unsigned i = 0; i < c->count; i++) {
		int rc = run_step(t, &c->steps[i]);

		if (rc != OK)
			return rc;
	}
	return c->fails ? ERR_INVALID : OK;
}

/* ---- the model ------------------------------------------------------------------------------- */

static bool model_fields(struct model_key *k, const struct step *p, uint64_t main)
{
	unsigned left = 0, changes = 0;

	if (k->type == RECORD_STRING || k->type == RECORD_CHUNKS)
		return false;
	if (k->type == RECORD_NONE)
		*k = (struct model_key){.create = main};
	for (unsigned f = 0; f < FIELDS; f++) {
		if (p->values[f] > 1 || (p->values[f] == 1 && k->fields[f])) {
			k->fields[f] = p->values[f] > 1 ? p->values[f] : 0;
			changes++;
		}
		left += k->fields[f] != 0;
	}
	k->version += changes;
	k->type = RECORD_HASH;
	if (left == 0)
		*k = (struct model_key){0};
	return changes > 0;
}

/* A change for each chunk that is touched, or one for the whole. */
static bool model_part(struct model_key *k, const struct step *p, uint64_t main)
{
	char room[200];
	struct slice part = value_text(p->values[0], room);
	size_t offset = part_offset(p, k->len), end = offset + part.len;

	if (k->type == RECORD_HASH || part.len == 0)
		return false;
	if (k->type == RECORD_NONE)
		*k = (struct model_key){.type = RECORD_STRING, .create = main};
	assert_true(end <= TEXT_MAX);
	memcpy(k->text + offset, part.data, part.len);
	k->len = MAX(k->len, end);
	if (k->len > WHOLE_MAX)
		k->type = RECORD_CHUNKS;
	if (k->type == RECORD_CHUNKS)
		k->version += (end - 1) / CHUNK_BYTES - offset / CHUNK_BYTES + 1;
	else
		k->version++;
	return true;
}

static void model_string(struct model_key *k, const struct step *p, uint64_t main)
{
	char room[200];
	struct slice value = value_text(p->values[0], room);

	*k = (struct model_key){
		.type = RECORD_STRING,
		.len = value.len,
		.deadline_ms = p->deadline_ms,
		.version = k->version + 1,
		.create = k->type == RECORD_NONE ? main : k->create,
	};
	memcpy(k->text, value.data, value.len);
}

static bool model_empty(struct model_key *keys)
{
	bool changed = false;

	for (unsigned k = 0; k < KEYS; k++)
		changed |= keys[k].type != RECORD_NONE;
	memset(keys, 0, KEYS * sizeof(*keys));
	return changed;
}

static bool model_step(struct model_state *m, const struct step *p, uint64_t main)
{
	struct model_key *k = &m->keys[p->database][p->key], *to;
	struct model_key swap[KEYS];

	switch (p->kind) {
	case STEP_STRING:
		model_string(k, p, main);
		return true;
	case STEP_PART:
		return model_part(k, p, main);
	case STEP_DEADLINE:
		if (k->type == RECORD_NONE)
			return false;
		k->deadline_ms = p->deadline_ms;
		k->version++;
		return true;
	case STEP_FIELDS:
		return model_fields(k, p, main);
	case STEP_DELETE:
		if (k->type == RECORD_NONE)
			return false;
		*k = (struct model_key){0};
		return true;
	case STEP_MOVE:
		to = &m->keys[p->other_database][p->other_key];
		if (k->type == RECORD_NONE || k == to)
			return false;
		*to = *k;
		to->version = 1;
		to->create = main;
		*k = (struct model_key){0};
		return true;
	case STEP_FLUSH:
		memset(m->keys[p->database], 0, sizeof(m->keys[p->database]));
		return true;
	case STEP_SWAP:
		if (p->database == p->other_database)
			return false;
		memcpy(swap, m->keys[p->database], sizeof(swap));
		memcpy(m->keys[p->database], m->keys[p->other_database], sizeof(swap));
		memcpy(m->keys[p->other_database], swap, sizeof(swap));
		return true;
	case STEP_EMPTY:
		return model_empty(m->keys[p->database]);
	case STEP_KINDS:
		break;
	}
	return false;
}

static struct command any_command(struct model *m)
{
	struct random *r = &m->s.random;
	struct command c = {.count = 1, .fails = random_chance(r, 30000)};

	if (random_chance(r, 200000))
		c.count = (unsigned)random_between(r, 1, STEPS_MAX);
	for (unsigned i = 0; i < c.count; i++) {
		struct step *p = &c.steps[i];

		p->kind = random_chance(r, 400000) ? STEP_FIELDS : random_below(r, STEP_KINDS);
		if (random_chance(r, 200000))
			p->kind = STEP_PART;
		if ((p->kind == STEP_FLUSH || p->kind == STEP_EMPTY) && random_chance(r, 600000))
			p->kind = STEP_STRING;
		p->database = (unsigned)random_below(r, DATABASES);
		p->other_database = (unsigned)random_below(r, DATABASES);
		p->key = (unsigned)random_below(r, KEYS);
		p->other_key = (unsigned)random_below(r, KEYS);
		p->offset = random_below(r, TEXT_MAX);
		if (random_chance(r, 300000))
			p->deadline_ms = random_between(r, 1, 5000);
		if (random_chance(r, 100000))
			p->keep = (uint8_t)random_between(r, 1, 4);
		for (unsigned f = 0; f < FIELDS; f++) {
			if (p->kind == STEP_STRING || p->kind == STEP_PART ||
			    random_chance(r, 300000))
				p->values[f] = ++m->next_value;
			else if (random_chance(r, 400000))
				p->values[f] = 1;
		}
	}
	return c;
}

static void model_run(struct model *m)
{
	struct command c = any_command(m);
	struct model_state next = m->states[m->count - 1];
	bool changed = false;
	int rc;

	rc = store_tester_run(&m->s, run_command, &c);
	assert_int_equal(rc, c.fails ? ERR_INVALID : OK);
	if (c.fails)
		return;
	for (unsigned i = 0; i < c.count; i++)
		changed |= model_step(&next, &c.steps[i], m->count);
	if (changed) {
		MEM_GROW(m->states, m->cap, m->count + 1);
		m->states[m->count++] = next;
	}
	assert_int_equal(store_position(m->s.store)->revision, m->count - 1);
	history_oracle_take(&m->oracle, &m->s);
}

/* ---- checks ---------------------------------------------------------------------------------- */

/* Reads give no failures but these: so a missing row is fetched, and anything else is found. */
struct look {
	struct model *m;
	uint64_t revision;
	bool newest;
};

static int look_at_hash(struct txn *t, const struct record *r, const struct model_key *k)
{
	bool seen[FIELDS] = {0};
	struct element_scan s;
	struct slice element, value;
	uint64_t size = 0;
	char room[200];
	int rc;

	for (unsigned f = 0; f < FIELDS; f++) {
		rc = txn_element(t, r, field_name(f), &value);
		if (rc != OK && rc != ERR_NOT_FOUND)
			return rc;
		assert_int_equal(rc == OK, k->fields[f] != 0);
		size += rc == OK;
		if (rc == OK)
			assert_true(slice_equal(value, value_text(k->fields[f], room)));
	}
	assert_int_equal(r->size, size);
	rc = element_scan_open(&s, t, r);
	if (rc != OK)
		return rc;
	while (element_scan_next(&s, &element, &value)) {
		unsigned f = 0;

		while (f < FIELDS && !slice_equal(element, field_name(f)))
			f++;
		assert_true(f < FIELDS && !seen[f] && k->fields[f]);
		seen[f] = true;
		assert_true(slice_equal(value, value_text(k->fields[f], room)));
		size--;
	}
	rc = element_scan_close(&s);
	if (rc == OK)
		assert_int_equal(size, 0);
	return rc;
}

static int look_at_string(struct txn *t, const struct record *r, const struct model_key *k)
{
	uint64_t from = k->len / 3, len = k->len / 4 + 1;
	struct slice value;
	int rc = txn_value(t, r, &value);

	if (rc != OK)
		return rc;
	assert_true(slice_equal(value, slice_of(k->text, k->len)));
	for (int i = 0; i < 3 && rc == OK; i++, from += len) {
		rc = txn_value_part(t, r, from, len, &value);
		if (rc != OK)
			return rc;
		from = MIN(from, k->len);
		assert_true(slice_equal(value, slice_of(k->text + from, MIN(len, k->len - from))));
	}
	return rc;
}

static int look_at_key(struct txn *t, unsigned database, unsigned key, const struct model_key *k)
{
	struct record r;
	int rc = txn_record(t, database, key_name(key), &r);

	if (rc != OK && rc != ERR_NOT_FOUND)
		return rc;
	assert_int_equal(r.type, k->type);
	if (rc == ERR_NOT_FOUND)
		return OK;
	assert_int_equal(r.version, k->version);
	assert_int_equal(r.create.main, k->create);
	assert_int_equal(r.deadline_ms, k->deadline_ms);
	if (r.type == RECORD_HASH)
		return look_at_hash(t, &r, k);
	assert_int_equal(r.size, k->len);
	return look_at_string(t, &r, k);
}

static int look_at_order(struct txn *t, unsigned database, const struct model_state *state)
{
	bool backward = (database & 1) != 0;
	struct record_scan s;
	struct slice key;
	struct record r;
	uint64_t count, expected = 0;
	int rc = record_scan_open(&s, t, database, (struct slice){NULL, 0}, NULL, backward);

	if (rc != OK)
		return rc;
	for (unsigned i = 0; i < KEYS; i++) {
		unsigned k = backward ? KEYS - 1 - i : i;

		if (state->keys[database][k].type == RECORD_NONE)
			continue;
		expected++;
		if (!record_scan_next(&s, &key, &r))
			break;
		assert_true(slice_equal(key, key_name(k)));
		assert_int_equal(r.type, state->keys[database][k].type);
	}
	assert_false(record_scan_next(&s, &key, &r));
	rc = record_scan_close(&s);
	if (rc == OK)
		rc = txn_key_count(t, database, &count);
	if (rc == OK)
		assert_int_equal(count, expected);
	return rc;
}

static int look(struct txn *t, void *ctx)
{
	struct look *l = ctx;
	const struct model_state *state = &l->m->states[l->revision];
	int rc = l->newest ? OK : txn_as_of(t, l->revision);

	for (unsigned d = 0; d < DATABASES && rc == OK; d++) {
		for (unsigned k = 0; k < KEYS && rc == OK; k++)
			rc = look_at_key(t, d, k, &state->keys[d][k]);
		if (rc == OK)
			rc = look_at_order(t, d, state);
	}
	txn_now(t);
	return rc;
}

static int look_beyond(struct txn *t, void *ctx)
{
	struct model *m = ctx;

	assert_int_equal(txn_as_of(t, m->count), ERR_INVALID);
	if (m->horizon > 0)
		assert_int_equal(txn_as_of(t, m->horizon - 1), ERR_COMPACTED);
	return OK;
}

static void check_revision(struct model *m, uint64_t revision, bool newest)
{
	struct look l = {m, revision, newest};

	assert_int_equal(store_tester_read(&m->s, look, &l), OK);
}

/* An engine that holds all that is applied, row by row. */
struct dump {
	uint64_t digest;
	uint64_t dead_records; /* of keyspaces that are none any more */
	uint64_t elements;
	uint64_t sizes;			    /* of living collections */
	uint64_t chunked[DATABASES * KEYS]; /* incarnations of living strings in chunks */
	size_t chunked_count;
	uint64_t garbage;
	uint64_t deadlines;
	uint64_t indexed; /* living records that have such a row */
	uint64_t shares;  /* of elements, all of them */
	uint64_t digests; /* of living collections */
};

static void dump_record(struct dump *d, const struct position *p, struct slice key,
			struct slice value)
{
	struct record r;
	uint32_t keyspace;
	struct slice name;

	assert_int_equal(record_key_decode(key, &keyspace, &name), OK);
	assert_int_equal(record_decode(value, &r), OK);
	if (!position_keyspace(p, keyspace)) {
		d->dead_records++;
		return;
	}
	if (r.type == RECORD_NONE)
		return;
	d->digest += hash64_salted(value, hash64(key));
	if (r.type == RECORD_CHUNKS)
		d->chunked[d->chunked_count++] = r.incarnation;
	else
		d->sizes += r.incarnation ? r.size : 0;
	d->digests += r.incarnation ? r.digest : 0;
	d->indexed += r.indexed_ms != 0;
}

/* How many chunks a string has is nobody's business: they count as what they should be. */
static void dump_element(struct dump *d, struct slice key, struct slice value)
{
	struct slice element;
	uint64_t incarnation;

	assert_int_equal(element_key_decode(key, RECORD_CHUNKS, &incarnation, &element), OK);
	d->elements++;
	d->shares += element_share(key, value);
	for (size_t i = 0; i < d->chunked_count; i++)
		d->sizes += d->chunked[i] == incarnation;
}

static void dump_engine(struct model *m, struct dump *d)
{
	struct engine_view *v = engine_view_open(m->s.engine);
	struct engine_cursor *c = engine_cursor_open(v, FAMILY_STATE, (struct slice){NULL, 0});

	*d = (struct dump){0};
	for (engine_cursor_seek(c, (struct slice){NULL, 0}); engine_cursor_valid(c);
	     engine_cursor_next(c)) {
		struct slice key = engine_cursor_key(c);

		d->garbage += key.data[0] == STATE_GARBAGE;
		d->deadlines += key.data[0] == STATE_DEADLINE;
		if (key.data[0] == STATE_ELEMENT)
			dump_element(d, key, engine_cursor_value(c));
		if (key.data[0] == STATE_RECORD)
			dump_record(d, store_position(m->s.store), key, engine_cursor_value(c));
	}
	engine_cursor_close(c);
	engine_view_close(v);
}

/* A crash may come while what is dead leaves; then the rest is left for the next time. */
static void drop_dead(struct model *m)
{
	struct random *r = &m->s.random;

	for (int crashes = 0; crashes < 3 && random_chance(r, 500000); crashes++)
		store_tester_compact_crash(&m->s, random_between(r, 1, 3),
					   random_chance(r, 500000));
	store_tester_compact(&m->s);
}

static void check_rows(struct model *m)
{
	const struct position *p;
	const char *broken;
	struct dump d;

	drop_dead(m);
	p = store_position(m->s.store);
	broken = history_oracle_broken(&m->oracle, &m->s);
	assert_string_equal(broken ? broken : "", "");
	dump_engine(m, &d);
	assert_true(d.digest == position_digest_living(p));
	if (m->horizon < p->revision)
		return;
	assert_int_equal(d.garbage, 0);
	assert_int_equal(d.dead_records, 0);
	assert_int_equal(d.elements, d.sizes);
	assert_int_equal(d.deadlines, d.indexed);
	assert_true(d.shares == d.digests);
}

static int run_horizon(struct txn *t, void *ctx)
{
	const struct model *m = ctx;

	return txn_move_horizon(t, m->horizon);
}

static void move_horizon(struct model *m, uint64_t horizon)
{
	m->horizon = horizon;
	assert_int_equal(store_tester_run(&m->s, run_horizon, m), OK);
	assert_int_equal(store_position(m->s.store)->horizon, horizon);
}

static void run_model(uint64_t seed, size_t overlay_bytes, size_t cache_bytes, int commands)
{
	struct model m = {0};

	store_tester_init(&m.s, seed, overlay_bytes, cache_bytes);
	m.s.chunk_bytes = CHUNK_BYTES;
	m.s.whole_max = WHOLE_MAX;
	MEM_GROW(m.states, m.cap, 1);
	memset(m.states, 0, sizeof(*m.states));
	m.count = 1;
	for (int i = 0; i < commands; i++) {
		struct random *r = &m.s.random;

		model_run(&m);
		check_revision(&m, m.count - 1, true);
		if (random_chance(r, 500000))
			check_revision(&m, random_between(r, m.horizon, m.count - 1), false);
		if (random_chance(r, 20000))
			move_horizon(&m, random_between(r, m.horizon, m.count - 1));
		if (random_chance(r, 30000)) {
			if (random_chance(r, 500000))
				move_horizon(&m, m.count - 1);
			check_rows(&m);
		}
		if (random_chance(r, 10000))
			store_tester_reopen(&m.s);
		assert_int_equal(store_tester_read(&m.s, look_beyond, &m), OK);
	}
	for (uint64_t at = m.horizon; at < m.count; at++)
		check_revision(&m, at, false);
	move_horizon(&m, m.count - 1);
	check_rows(&m);
	check_revision(&m, m.count - 1, true);
	assert_true(m.s.misses > 0 && m.s.flushes > 0 && m.s.compacts > 0);
	store_tester_close(&m.s);
	history_oracle_free(&m.oracle);
	mem_free(m.states);
}

static void without_caches(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 4; seed++)
		run_model(seed, 20000, 0, 1500);
}

static void with_small_caches(void **state)
{
	(void)state;
	for (uint64_t seed = 11; seed <= 14; seed++)
		run_model(seed, 50000, 4000, 1500);
}

static void with_large_caches(void **state)
{
	(void)state;
	for (uint64_t seed = 21; seed <= 23; seed++)
		run_model(seed, 300000, 1000000, 1500);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_caches),
		cmocka_unit_test(with_small_caches),
		cmocka_unit_test(with_large_caches),
	};

	/* Has an effect in the mutant build only: there these tests have to fail. */
	mutant_choose(getenv("MUTANT"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
