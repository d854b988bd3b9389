/* Whole databases, and keys that go from one place to another. */

#include "base/check.h"
#include "base/codec.h"
#include "base/mem.h"
#include "base/mutant.h"
#include "storage/txn_internal.h"

/* ---- databases ------------------------------------------------------------------------------- */

static void txn_map(struct txn *t, unsigned database, unsigned other)
{
	MEM_GROW(t->mappings, t->mapping_cap, t->mapping_count + 1);
	t->mappings[t->mapping_count++] = (struct mapping){database, other, t->sub};
}

/* A database has another keyspace: a change, so that every feed hears of it. */
static void txn_put_mapping(struct txn *t, unsigned database, uint32_t keyspace)
{
	struct position *p = &t->position;
	struct revision at = txn_next_revision(t);
	uint8_t number[4];
	struct change c = {
		.kind = CHANGE_KEYSPACE,
		.keyspace = keyspace,
		.previous = {p->database_at[database], p->database_sub[database]},
		.time_ms = t->time_ms,
		.author = t->author,
		.keep = 1,
		.value = {number, sizeof(number)},
		.other_keyspace =
			MUTANT(mapping_forgets_keyspace) ? keyspace : p->databases[database],
	};

	fixed32_put(number, database);
	txn_put_change(t, at, &c);
	p->databases[database] = keyspace;
	p->database_at[database] = at.main;
	p->database_sub[database] = at.sub;
}

void txn_flush_database(struct txn *t, unsigned database)
{
	txn_put_garbage(t, GARBAGE_KEYSPACE, txn_keyspace(t, database));
	txn_map(t, database, database);
	txn_put_mapping(t, database, t->position.next_keyspace++);
}

void txn_swap_databases(struct txn *t, unsigned a, unsigned b)
{
	uint32_t keyspace = txn_keyspace(t, a);

	CHECK(a != b);
	txn_map(t, a, b);
	txn_put_mapping(t, a, txn_keyspace(t, b));
	txn_put_mapping(t, b, keyspace);
}

static int txn_key_count_past(struct txn *t, unsigned database, uint64_t *count)
{
	struct record_scan s;
	struct record r;
	struct slice key;
	int rc = record_scan_open(&s, t, database, (struct slice){NULL, 0}, NULL, false);

	if (rc != OK)
		return rc;
	while (record_scan_next(&s, &key, &r))
		++*count;
	return record_scan_close(&s);
}

int txn_key_count(struct txn *t, unsigned database, uint64_t *count)
{
	uint32_t keyspace = txn_keyspace(t, database);
	const struct keyspace_row *row = position_keyspace(t->base, keyspace);

	*count = 0;
	if (t->past.on && !MUTANT(past_counts_today))
		return txn_key_count_past(t, database, count);
	if (row)
		*count = row->keys;
	for (size_t i = 0; i < t->delta_count; i++)
		if (t->deltas[i].id == keyspace)
			*count += (uint64_t)t->deltas[i].keys;
	return OK;
}

/* ---- keys ------------------------------------------------------------------------------------ */

/* The source says where it went, ... */
static void txn_move_away(struct txn *t, uint32_t keyspace, struct slice key,
			  const struct record *old, uint32_t to_keyspace, struct slice to_key)
{
	struct record new = {.type = RECORD_NONE, .mod = txn_next_revision(t)};
	struct change c = txn_change_of(t, CHANGE_MOVED_AWAY, keyspace, key, old, &new);

	c.other_keyspace = to_keyspace;
	c.other_key = to_key;
	txn_put_change(t, new.mod, &c);
	txn_put_record(t, keyspace, key, old, &new);
}

/* ... and the target, right behind it, where from. */
static void txn_move_here(struct txn *t, uint32_t keyspace, struct slice key, struct record *new,
			  const struct record *other, uint32_t from_keyspace, struct slice from_key)
{
	struct change c;

	new->mod = new->create = txn_next_revision(t);
	new->version = 1;
	c = txn_change_of(t, CHANGE_MOVED_HERE, keyspace, key, other, new);
	c.other_keyspace = from_keyspace;
	c.other_key = from_key;
	txn_put_change(t, new->mod, &c);
	txn_put_record(t, keyspace, key, other, new);
}

void txn_move(struct txn *t, unsigned database, struct slice key, const struct record *old,
	      unsigned to_database, struct slice to_key, const struct record *other)
{
	uint32_t from = txn_keyspace(t, database), to = txn_keyspace(t, to_database);
	struct record moved = *old;

	CHECK(old->type != RECORD_NONE);
	CHECK(from != to || !slice_equal(key, to_key));
	/* What the record borrows may change with its row. */
	moved.value = arena_copy(&t->rows.arena, old->value);
	moved.extra = arena_copy(&t->rows.arena, old->extra);
	if (MUTANT(move_loses_deadline))
		moved.deadline_ms = 0;
	txn_bury(t, other);
	if (!MUTANT(rename_keeps_source))
		txn_move_away(t, from, key, old, to, to_key);
	txn_move_here(t, to, to_key, &moved, other, from, key);
}

/* ---- all records of a database --------------------------------------------------------------- */

static void record_scan_free(struct record_scan *s)
{
	buf_free(&s->from);
	buf_free(&s->to);
	buf_free(&s->row);
}

int record_scan_open(struct record_scan *s, struct txn *t, unsigned database, struct slice from,
		     const struct slice *to, bool backward)
{
	int rc = OK;

	*s = (struct record_scan){.txn = t, .keyspace = txn_keyspace(t, database)};
	if (t->past.on)
		rc = past_keyspace(t, database, &s->keyspace);
	if (rc != OK)
		return rc;
	record_key(&s->from, s->keyspace, from);
	if (to)
		record_key(&s->to, s->keyspace, *to);
	else
		record_key(&s->to, s->keyspace + 1, (struct slice){NULL, 0});
	rc = scan_open(&s->scan, txn_reader(t), FAMILY_STATE, buf_slice(&s->from),
		       buf_slice(&s->to), backward);
	if (rc != OK)
		record_scan_free(s);
	return rc;
}

/* The row that the scan gave is kept: other reads may use the scan's memory. */
static int record_scan_take(struct record_scan *s, struct slice row_key, struct slice value,
			    struct slice *key, struct record *r)
{
	uint32_t keyspace;
	int rc;

	r->type = RECORD_NONE;
	buf_clear(&s->row);
	buf_append_slice(&s->row, row_key);
	buf_append_slice(&s->row, value);
	rc = record_key_decode(slice_of(s->row.data, row_key.len), &keyspace, key);
	if (rc == OK)
		rc = record_decode(slice_of(s->row.data + row_key.len, value.len), r);
	rc = row_decoded(rc);
	if (rc == OK && s->txn->past.on)
		rc = past_record(s->txn, keyspace, *key, r);
	return rc;
}

bool record_scan_next_any(struct record_scan *s, struct slice *key, struct record *r)
{
	struct slice row_key, value;

	if (s->error != OK || !scan_next(&s->scan, &row_key, &value))
		return false;
	s->error = record_scan_take(s, row_key, value, key, r);
	return s->error == OK;
}

/* Tombstones are no work: whether those below the horizon are there is each member's own affair. */
bool record_scan_next(struct record_scan *s, struct slice *key, struct record *r)
{
	while (record_scan_next_any(s, key, r)) {
		if (r->type == RECORD_NONE)
			continue;
		s->error = txn_work(s->txn, 1);
		return s->error == OK;
	}
	return false;
}

int record_scan_close(struct record_scan *s)
{
	int rc = scan_close(&s->scan);

	record_scan_free(s);
	return s->error != OK ? s->error : rc;
}
