/* Tidying: deleted rows give their room back, and small files become large ones. */

#include "base/random.h"
#include "support/engine_tester.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define ROWS	    30000
#define VALUE_BYTES 100

static struct slice key_of(uint32_t i, uint8_t room[static 4])
{
	for (int k = 0; k < 4; k++)
		room[k] = (uint8_t)(i >> (24 - 8 * k));
	return slice_of(room, 4);
}

/* Rows from `from` up to, not including, `to`, in a file of their own. */
static void put_rows(struct engine_tester *t, struct random *r, uint32_t from, uint32_t to)
{
	struct engine_file *f = engine_tester_begin(t, FAMILY_HISTORY);

	for (uint32_t i = from; i < to; i++) {
		uint8_t key[4], value[VALUE_BYTES];

		for (size_t k = 0; k < sizeof(value); k++)
			value[k] = (uint8_t)random_next(r);
		assert_int_equal(engine_file_put(f, key_of(i, key), slice_of(value, sizeof(value))),
				 OK);
	}
	engine_tester_ingest(f);
}

static uint64_t live_bytes(struct engine_tester *t)
{
	struct engine_load load;

	engine_load(t->engine, &load);
	return load.live_bytes;
}

static uint32_t count_rows(struct engine_tester *t)
{
	struct engine_view *v = engine_view_open(t->engine);
	struct engine_cursor *c = engine_cursor_open(v, FAMILY_HISTORY, (struct slice){0});
	uint32_t rows = 0;

	engine_cursor_seek(c, (struct slice){0});
	for (; engine_cursor_valid(c); engine_cursor_next(c))
		rows++;
	assert_int_equal(engine_cursor_error(c), OK);
	engine_cursor_close(c);
	engine_view_close(v);
	return rows;
}

/* What it only asks for is done in the background: so again and again until that is done. */
static void tidy(struct engine_tester *t)
{
	bool more = true;

	while (more)
		assert_int_equal(engine_tidy(t->engine, false, &more), OK);
}

static void deleted_rows_give_their_room_back(void **state)
{
	struct engine_tester t;
	struct engine_file *f;
	struct random r;
	uint64_t before;

	(void)state;
	random_seed(&r, 1);
	engine_tester_init(&t, ENGINE_ROCKS);
	for (uint32_t i = 0; i < ROWS; i += ROWS / 5)
		put_rows(&t, &r, i, i + ROWS / 5);
	before = live_bytes(&t);
	assert_true(before > (uint64_t)ROWS * VALUE_BYTES);
	f = engine_tester_begin(&t, FAMILY_HISTORY);
	for (uint32_t i = 0; i < ROWS; i++) {
		uint8_t key[4];

		if (i % 5)
			assert_int_equal(engine_file_delete(f, key_of(i, key)), OK);
	}
	engine_tester_ingest(f);
	assert_int_equal(count_rows(&t), ROWS / 5);
	tidy(&t);
	assert_int_equal(count_rows(&t), ROWS / 5);
	assert_true(live_bytes(&t) < before / 3);
	engine_tester_close(&t);
}

static void small_files_become_large_ones(void **state)
{
	struct engine_tester t;
	struct random r;
	size_t before;

	(void)state;
	random_seed(&r, 2);
	engine_tester_init(&t, ENGINE_ROCKS);
	for (uint32_t i = 0; i < 100; i++)
		put_rows(&t, &r, i * 10, i * 10 + 10);
	before = engine_tester_count_files(t.dir, ".");
	tidy(&t);
	assert_int_equal(count_rows(&t), 1000);
	/* Those that nobody reads any more are removed. */
	assert_true(engine_tester_count_files(t.dir, ".") + 80 < before);
	engine_tester_close(&t);
}

static void what_is_in_order_stays(void **state)
{
	struct engine_tester t;
	struct random r;
	bool more;

	(void)state;
	random_seed(&r, 3);
	engine_tester_init(&t, ENGINE_ROCKS);
	assert_int_equal(engine_tidy(t.engine, false, &more), OK);
	assert_false(more);
	for (uint32_t i = 0; i < 3; i++)
		put_rows(&t, &r, i * 10, i * 10 + 10);
	assert_int_equal(engine_tidy(t.engine, false, &more), OK);
	assert_false(more);
	engine_tester_close(&t);
}

/* A file of this family with ten rows, and then one that deletes one of them, or all as a range. */
static void delete_one(struct engine_tester *t, enum engine_family family, bool range)
{
	static uint8_t value[64 << 10];
	struct engine_file *f = engine_tester_begin(t, family);
	uint8_t key[4], end[4];

	for (uint32_t i = 0; i < 10; i++)
		assert_int_equal(engine_file_put(f, key_of(i, key), slice_of(value, sizeof(value))),
				 OK);
	engine_tester_ingest(f);
	f = engine_tester_begin(t, family);
	if (range)
		assert_int_equal(engine_file_delete_range(f, key_of(0, key), key_of(9, end)), OK);
	else
		assert_int_equal(engine_file_delete(f, key_of(5, key)), OK);
	engine_tester_ingest(f);
}

static void when_room_is_short_a_single_deletion_counts(void **state)
{
	struct engine_tester t;
	uint64_t before;
	bool more;

	(void)state;
	engine_tester_init(&t, ENGINE_ROCKS);
	delete_one(&t, FAMILY_HISTORY, false);
	delete_one(&t, FAMILY_STATE, true);
	before = live_bytes(&t);
	assert_int_equal(engine_tidy(t.engine, false, &more), OK);
	assert_false(more);
	do {
		assert_int_equal(engine_tidy(t.engine, true, &more), OK);
	} while (more);
	assert_true(live_bytes(&t) <= before - ((uint64_t)10 << 16));
	engine_tester_close(&t);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(deleted_rows_give_their_room_back),
		cmocka_unit_test(small_files_become_large_ones),
		cmocka_unit_test(what_is_in_order_stays),
		cmocka_unit_test(when_room_is_short_a_single_deletion_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
