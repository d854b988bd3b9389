/* A state that a member wrote, looked at as one that was fetched is: whole, and with each row
 * damaged or missing. */

#include "base/error.h"
#include "storage/position.h"
#include "storage/state_check.h"
#include "storage/store.h"

#include "support/solo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *const lines[] = {
	"SET inline 1",
	"SET gone 1",
	"SET timed 2 PX 100000",
	"HSET hash f1 v1 f2 v2 f3 v3",
	"HDEL hash f2",
	"SETRANGE chunks 70000 end",
	"SETBIT chunks 9 1",
	"DEL gone",
	"SELECT 1",
	"SET long 0123456789012345678901234567890123456789012345678901234567890123456789",
	"PEXPIRE long 50000",
	"HSET hash f1 other",
	"SELECT 2",
	"SET dead 1",
	"FLUSHDB",
};

/* All of it in the engine, and nobody at work on it. */
static struct engine *written(struct solo *s)
{
	solo_init(s);
	s->options.overlay_bytes = 1;
	s->options.history_retention_ms = UINT64_MAX;
	assert_int_equal(solo_start(s), OK);
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		assert_true(solo_say(s, lines[i])[0] != '-');
	for (int i = 0; i < 20; i++) {
		s->now_ms += 50;
		(void)solo_say(s, "SET inline 2");
	}
	solo_stop(s, false);
	return engine_memory_open(s->rows);
}

static int check(struct engine *e, const char **why)
{
	struct store_intake in = {0};
	struct state_check *c;
	int rc;

	*why = "";
	assert_int_equal(store_intake_read(&in, e), OK);
	assert_int_equal(state_check_open(&c, in.view, buf_slice(&in.position)), OK);
	while (state_check_step(c))
		;
	rc = state_check_close(c, why);
	store_intake_drop(&in);
	return rc;
}

static void a_state_that_was_written_is_whole(void **state)
{
	struct solo s;
	struct engine *e;
	const char *why;

	(void)state;
	e = written(&s);
	assert_int_equal(check(e, &why), OK);
	assert_null(why);
	engine_close(e);
	solo_close(&s);
}

/* Tombstones, what lies behind the position, and what is kept beside, count for nothing. */
static bool is_looked_at(const struct position *p, enum engine_family family, struct slice key,
			 struct slice value)
{
	struct revision at;
	struct slice name;
	uint32_t keyspace;
	struct record r;

	if (family == FAMILY_HISTORY)
		return history_key_decode(key, &at) == OK && at.main <= p->revision;
	if (key.data[0] == STATE_RECORD)
		return record_decode(value, &r) == OK && r.type != RECORD_NONE &&
		       record_key_decode(key, &keyspace, &name) == OK &&
		       position_keyspace(p, keyspace);
	return key.data[0] == STATE_ELEMENT || key.data[0] == STATE_DEADLINE;
}

/* The keys of the rows that count. */
static size_t collect(struct engine *e, enum engine_family family, struct buf *keys, size_t most)
{
	struct store_intake in = {0};
	struct position p = {0};
	struct slice snapshot;
	struct engine_cursor *c;
	size_t count = 0;

	assert_int_equal(store_intake_read(&in, e), OK);
	assert_int_equal(position_decode(buf_slice(&in.position), &p, &snapshot), OK);
	assert_int_equal(p.horizon, 0);
	c = engine_cursor_open(in.view, family, (struct slice){0});
	for (engine_cursor_seek(c, SLICE_LITERAL("\0")); engine_cursor_valid(c);
	     engine_cursor_next(c)) {
		if (!is_looked_at(&p, family, engine_cursor_key(c), engine_cursor_value(c)))
			continue;
		assert_true(count < most);
		buf_append_slice(&keys[count++], engine_cursor_key(c));
	}
	engine_cursor_close(c);
	position_free(&p);
	store_intake_drop(&in);
	return count;
}

#define ROWS_MOST 200

static void each_row(void (*damage)(struct engine *e, struct engine_memory *rows,
				    enum engine_family family, struct slice key))
{
	static const enum engine_family families[] = {FAMILY_HISTORY, FAMILY_STATE};
	size_t seen = 0;

	for (size_t f = 0; f < ARRAY_LEN(families); f++)
		for (size_t i = 0, count = 1; i < count; i++) {
			struct buf keys[ROWS_MOST] = {0};
			struct solo s;
			struct engine *e = written(&s);
			const char *why;

			count = collect(e, families[f], keys, ROWS_MOST);
			damage(e, s.rows, families[f], buf_slice(&keys[i]));
			assert_int_equal(check(e, &why), ERR_CORRUPT);
			assert_non_null(why);
			seen++;
			for (size_t k = 0; k < count; k++)
				buf_free(&keys[k]);
			engine_close(e);
			solo_close(&s);
		}
	assert_true(seen > 30);
}

static void drop(struct engine *e, struct engine_memory *rows, enum engine_family family,
		 struct slice key)
{
	struct engine_file *f;

	(void)rows;
	assert_int_equal(engine_file_begin(e, family, &f), OK);
	assert_int_equal(engine_file_delete(f, key), OK);
	assert_int_equal(engine_file_finish(f), OK);
	assert_int_equal(engine_file_ingest(f), OK);
}

/* A deadline's row has no value that could be damaged. */
static void flip(struct engine *e, struct engine_memory *rows, enum engine_family family,
		 struct slice key)
{
	if (engine_memory_flip(rows, family, key, 8 * key.data[key.len - 1] + 3))
		return;
	assert_int_equal(key.data[0], STATE_DEADLINE);
	drop(e, rows, family, key);
}

static void a_flipped_bit_in_any_row_is_found(void **state)
{
	(void)state;
	each_row(flip);
}

static void any_row_that_is_missing_is_found(void **state)
{
	(void)state;
	each_row(drop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_state_that_was_written_is_whole),
		cmocka_unit_test(a_flipped_bit_in_any_row_is_found),
		cmocka_unit_test(any_row_that_is_missing_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
