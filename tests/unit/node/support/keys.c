#include "keys.h"

#include "base/check.h"
#include "base/error.h"
#include "node/member_state.h"

/* A record read the way the pool does, which misses nothing, and a txn to change it with. */
struct edit {
	struct view *view;
	struct fetched *note;
	struct txn read;
	struct txn txn;
	struct record old;
};

static void edit_open(struct edit *e, struct solo *s, unsigned database, const char *key)
{
	int rc;

	*e = (struct edit){0};
	e->view = view_open(s->member->store);
	e->note = fetched_new();
	txn_init_view(&e->read, e->view, e->note);
	txn_begin(&e->read, 0, 0);
	rc = txn_record(&e->read, database, slice_of_text(key), &e->old);
	CHECK(rc == OK || rc == ERR_NOT_FOUND);
	txn_init(&e->txn, s->member->store);
	txn_begin(&e->txn, keys_time_ms(s), 0);
}

static void edit_close(struct edit *e)
{
	txn_commit(&e->txn);
	txn_close(&e->txn);
	txn_close(&e->read);
	fetched_free(e->note);
	view_close(e->view);
}

uint64_t keys_time_ms(const struct solo *s)
{
	uint64_t now_ms = 0;

	CHECK(cluster_time_estimate(&s->member->time, s->now_ms * 1000, &now_ms));
	return now_ms;
}

void keys_set(struct solo *s, unsigned database, const char *key, uint64_t deadline_ms)
{
	struct record_terms terms = {.deadline_ms = deadline_ms};
	struct edit e;

	edit_open(&e, s, database, key);
	txn_set_string(&e.txn, database, slice_of_text(key), &e.old, SLICE_LITERAL("v"), &terms);
	edit_close(&e);
}

void keys_put_off(struct solo *s, unsigned database, const char *key, uint64_t deadline_ms)
{
	struct edit e;

	edit_open(&e, s, database, key);
	txn_set_deadline(&e.txn, database, slice_of_text(key), &e.old, deadline_ms);
	edit_close(&e);
}

void keys_delete(struct solo *s, unsigned database, const char *key)
{
	struct edit e;

	edit_open(&e, s, database, key);
	txn_delete(&e.txn, database, slice_of_text(key), &e.old, CHANGE_DELETE);
	edit_close(&e);
}

void keys_flush(struct solo *s, unsigned database)
{
	struct edit e;

	edit_open(&e, s, database, "");
	txn_flush_database(&e.txn, database);
	edit_close(&e);
}

bool keys_exist(struct solo *s, unsigned database, const char *key)
{
	struct edit e;
	bool there;

	edit_open(&e, s, database, key);
	there = e.old.type != RECORD_NONE;
	edit_close(&e);
	return there;
}

uint64_t keys_expired_ms(struct solo *s, unsigned database, const char *key)
{
	uint64_t at_ms = 0;
	struct change c;
	struct edit e;
	int rc;

	edit_open(&e, s, database, key);
	if (e.old.type == RECORD_NONE && e.old.mod.main) {
		rc = txn_change_at(&e.read, e.old.mod, &c);
		CHECK(rc == OK && slice_equal(c.key, slice_of_text(key)));
		at_ms = c.kind == CHANGE_EXPIRE ? c.time_ms : 0;
	}
	edit_close(&e);
	return at_ms;
}

/* ---- all rows -------------------------------------------------------------------------------- */

struct audit {
	const struct position *position;
	struct reader walk;
	struct reader look;
	size_t rows;	  /* deadline rows of mapped keyspaces */
	size_t indexed;	  /* records that say they have one */
	size_t deadlines; /* records with a deadline */
	const char *broken;
};

static void audit_record(struct audit *a, uint32_t keyspace, struct slice key, struct slice value)
{
	struct buf row = {0};
	struct record r;
	int rc = record_decode(value, &r);

	CHECK(rc == OK);
	a->deadlines += r.deadline_ms != 0;
	if (!r.indexed_ms) {
		if (r.deadline_ms)
			a->broken = "a deadline without a row";
		return;
	}
	a->indexed++;
	deadline_key(&row, r.indexed_ms, keyspace, key);
	rc = reader_get(&a->look, FAMILY_STATE, buf_slice(&row), &value);
	buf_free(&row);
	if (rc != OK)
		a->broken = "a record says that it has a row, which is not there";
}

static void audit_rows(struct audit *a, enum state_tag tag)
{
	uint8_t from = (uint8_t)tag, to = (uint8_t)(tag + 1);
	struct slice row, key, value;
	uint32_t keyspace;
	uint64_t at_ms;
	struct scan scan;
	int rc = scan_open(&scan, &a->walk, FAMILY_STATE, slice_of(&from, 1), slice_of(&to, 1),
			   false);

	CHECK(rc == OK);
	while (!a->broken && scan_next(&scan, &row, &value)) {
		if (tag == STATE_RECORD)
			rc = record_key_decode(row, &keyspace, &key);
		else
			rc = deadline_key_decode(row, &at_ms, &keyspace, &key);
		CHECK(rc == OK);
		if (!position_keyspace(a->position, keyspace))
			continue;
		if (tag == STATE_RECORD)
			audit_record(a, keyspace, key, value);
		else
			a->rows++;
	}
	rc = scan_close(&scan);
	CHECK(rc == OK);
}

const char *keys_broken(struct solo *s, size_t *rows)
{
	struct audit a = {.position = store_position(s->member->store)};
	struct view *view = view_open(s->member->store);
	size_t counted = 0;

	view_reader(view, &a.walk);
	view_reader(view, &a.look);
	audit_rows(&a, STATE_RECORD);
	audit_rows(&a, STATE_DEADLINE);
	reader_close(&a.walk);
	reader_close(&a.look);
	view_close(view);
	for (size_t i = 0; i < a.position->keyspace_count; i++)
		counted += a.position->keyspaces[i].deadlines;
	if (!a.broken && a.rows != a.indexed)
		a.broken = "a row that no record has";
	if (!a.broken && counted != a.deadlines)
		a.broken = "deadlines are not counted right";
	*rows = a.rows;
	return a.broken;
}

/* ---- time ------------------------------------------------------------------------------------ */

void keys_store(struct solo *s)
{
	const char *said = solo_say(s, "SET log moves");

	CHECK(slice_equal(slice_of_text(said), SLICE_LITERAL("+OK|")));
}

void keys_wait(struct solo *s, uint64_t ms)
{
	for (uint64_t end = s->now_ms + ms; s->now_ms < end;) {
		s->now_ms++;
		solo_work(s);
	}
}
