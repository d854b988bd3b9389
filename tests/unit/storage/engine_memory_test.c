/* What is the memory engine's alone: faults, damage, and that threads may share it. */

#include "support/engine_tester.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static int set_a(struct engine_tester *t, const char *value)
{
	struct engine_file *f;
	int rc = engine_file_begin(t->engine, FAMILY_STATE, &f);

	if (rc != OK)
		return rc;
	rc = engine_file_put(f, SLICE_LITERAL("a"), slice_of_text(value));
	if (rc == OK)
		rc = engine_file_finish(f);
	if (rc == OK)
		return engine_file_ingest(f);
	engine_file_drop(f);
	return rc;
}

static void making_a_file_fails_once(void **state)
{
	static const enum engine_memory_call calls[] = {ENGINE_MEMORY_BEGIN, ENGINE_MEMORY_ROW,
							ENGINE_MEMORY_FINISH};
	struct engine_tester t;

	(void)state;
	engine_tester_init(&t, ENGINE_MEMORY);
	engine_tester_set(&t, FAMILY_STATE, "a", "1");
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		engine_memory_fail(t.memory, calls[i], 2, ERR_NO_SPACE);
		assert_int_equal(set_a(&t, "2"), OK); /* the first of the two */
		assert_int_equal(set_a(&t, "3"), ERR_NO_SPACE);
		engine_tester_expect_rows(&t, FAMILY_STATE, "a=2 ");
		assert_int_equal(set_a(&t, "4"), OK);
		engine_tester_expect_rows(&t, FAMILY_STATE, "a=4 ");
		engine_memory_fail(t.memory, calls[i], 1, ERR_IO);
		engine_memory_fail(t.memory, calls[i], 0, OK); /* taken back */
		assert_int_equal(set_a(&t, "5"), OK);
	}
	engine_tester_close(&t);
}

static void taking_in_fails_with_the_rows_in_or_not(void **state)
{
	struct engine_tester t;
	struct engine_file *f;

	(void)state;
	engine_tester_init(&t, ENGINE_MEMORY);
	engine_memory_fail(t.memory, ENGINE_MEMORY_INGEST, 1, ERR_IO);
	f = engine_tester_begin(&t, FAMILY_HISTORY); /* was begun before: is not taken in either */
	assert_int_equal(engine_file_finish(f), OK);
	assert_int_equal(set_a(&t, "1"), ERR_IO);
	assert_int_equal(set_a(&t, "1"), ERR_STOPPED);
	assert_int_equal(engine_file_ingest(f), ERR_STOPPED);
	engine_tester_expect_rows(&t, FAMILY_STATE, "");
	engine_tester_reopen(&t);
	engine_tester_expect_rows(&t, FAMILY_STATE, "");
	engine_memory_fail(t.memory, ENGINE_MEMORY_INGESTED, 1, ERR_IO);
	assert_int_equal(set_a(&t, "2"), ERR_IO);
	assert_int_equal(set_a(&t, "3"), ERR_STOPPED);
	engine_tester_reopen(&t);
	engine_tester_expect_rows(&t, FAMILY_STATE, "a=2 ");
	assert_int_equal(set_a(&t, "3"), OK);
	engine_tester_close(&t);
}

static void reads_fail_once(void **state)
{
	struct engine_get gets[] = {
		{.family = FAMILY_STATE, .key = SLICE_LITERAL("a")},
		{.family = FAMILY_STATE, .key = SLICE_LITERAL("a")},
	};
	struct engine_tester t;
	struct engine_cursor *c;
	struct engine_view *v;
	struct buf out = {0};

	(void)state;
	engine_tester_init(&t, ENGINE_MEMORY);
	engine_tester_set(&t, FAMILY_STATE, "a", "1");
	v = engine_view_open(t.engine);
	engine_memory_fail(t.memory, ENGINE_MEMORY_READ, 1, ERR_CORRUPT);
	assert_int_equal(engine_view_get(v, FAMILY_STATE, SLICE_LITERAL("a"), &out), ERR_CORRUPT);
	assert_int_equal(out.len, 0);
	engine_tester_expect(v, FAMILY_STATE, "a", "1");
	engine_memory_fail(t.memory, ENGINE_MEMORY_READ, 2, ERR_IO);
	engine_view_get_many(v, gets, 2);
	assert_int_equal(gets[0].result, OK);
	assert_int_equal(gets[1].result, ERR_IO);
	engine_memory_fail(t.memory, ENGINE_MEMORY_READ, 2, ERR_IO);
	c = engine_cursor_open(v, FAMILY_STATE, (struct slice){0});
	engine_cursor_seek(c, SLICE_LITERAL("a"));
	assert_true(engine_cursor_valid(c));
	engine_cursor_next(c);
	assert_false(engine_cursor_valid(c));
	assert_int_equal(engine_cursor_error(c), ERR_IO);
	engine_cursor_seek(c, SLICE_LITERAL("a"));
	assert_true(engine_cursor_valid(c));
	assert_int_equal(engine_cursor_error(c), OK);
	engine_cursor_close(c);
	engine_view_close(v);
	buf_free(&gets[0].value);
	buf_free(&gets[1].value);
	buf_free(&out);
	engine_tester_close(&t);
}

static void a_damaged_row_is_damaged_until_it_is_written_anew(void **state)
{
	struct engine_tester t;
	struct engine_cursor *c;
	struct engine_view *before;
	struct engine_view *v;
	struct buf out = {0};

	(void)state;
	engine_tester_init(&t, ENGINE_MEMORY);
	engine_tester_set(&t, FAMILY_STATE, "a", "1");
	engine_tester_set(&t, FAMILY_STATE, "b", "1");
	before = engine_view_open(t.engine);
	assert_false(engine_memory_damage(t.memory, FAMILY_STATE, SLICE_LITERAL("c")));
	assert_false(engine_memory_damage(t.memory, FAMILY_HISTORY, SLICE_LITERAL("b")));
	assert_true(engine_memory_damage(t.memory, FAMILY_STATE, SLICE_LITERAL("b")));
	engine_tester_expect(before, FAMILY_STATE, "b", "1");
	engine_view_close(before);
	engine_tester_reopen(&t);
	v = engine_view_open(t.engine);
	engine_tester_expect(v, FAMILY_STATE, "a", "1");
	assert_int_equal(engine_view_get(v, FAMILY_STATE, SLICE_LITERAL("b"), &out), ERR_CORRUPT);
	c = engine_cursor_open(v, FAMILY_STATE, (struct slice){0});
	engine_cursor_seek(c, SLICE_LITERAL("a"));
	assert_true(engine_cursor_valid(c));
	engine_cursor_next(c);
	assert_false(engine_cursor_valid(c));
	assert_int_equal(engine_cursor_error(c), ERR_CORRUPT);
	engine_cursor_close(c);
	engine_view_close(v);
	engine_tester_set(&t, FAMILY_STATE, "b", "2");
	engine_tester_expect_rows(&t, FAMILY_STATE, "a=1 b=2 ");
	buf_free(&out);
	engine_tester_close(&t);
}

/* ---- threads */

struct reader {
	struct engine *engine;
	atomic_bool *stop;
	pthread_t thread;
	bool torn;
};

/* In every view both rows have the same value. */
static void *read_views(void *reader_)
{
	struct reader *r = reader_;
	struct buf a = {0};
	struct buf b = {0};

	while (!atomic_load(r->stop)) {
		struct engine_view *v = engine_view_open(r->engine);
		int rc;

		buf_clear(&a);
		buf_clear(&b);
		rc = engine_view_get(v, FAMILY_STATE, SLICE_LITERAL("a"), &a);
		if (rc != engine_view_get(v, FAMILY_STATE, SLICE_LITERAL("b"), &b) ||
		    !slice_equal(buf_slice(&a), buf_slice(&b)))
			r->torn = true;
		engine_view_close(v);
	}
	buf_free(&a);
	buf_free(&b);
	return NULL;
}

static void threads_read_while_one_takes_files_in(void **state)
{
	struct reader readers[3];
	struct engine_tester t;
	atomic_bool stop = false;

	(void)state;
	engine_tester_init(&t, ENGINE_MEMORY);
	for (size_t i = 0; i < ARRAY_LEN(readers); i++) {
		readers[i] = (struct reader){.engine = t.engine, .stop = &stop};
		assert_int_equal(pthread_create(&readers[i].thread, NULL, read_views, &readers[i]),
				 0);
	}
	for (unsigned n = 0; n < 2000; n++) {
		struct engine_file *f = engine_tester_begin(&t, FAMILY_STATE);
		struct engine_load load;
		char value[16];

		snprintf(value, sizeof(value), "%u", n);
		engine_tester_put(f, "a", value);
		engine_tester_put(f, "b", value);
		engine_tester_ingest(f);
		engine_load(t.engine, &load);
		assert_true(load.live_bytes > 0);
	}
	atomic_store(&stop, true);
	for (size_t i = 0; i < ARRAY_LEN(readers); i++) {
		assert_int_equal(pthread_join(readers[i].thread, NULL), 0);
		assert_false(readers[i].torn);
	}
	engine_tester_expect_rows(&t, FAMILY_STATE, "a=1999 b=1999 ");
	engine_tester_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(making_a_file_fails_once),
		cmocka_unit_test(taking_in_fails_with_the_rows_in_or_not),
		cmocka_unit_test(reads_fail_once),
		cmocka_unit_test(a_damaged_row_is_damaged_until_it_is_written_anew),
		cmocka_unit_test(threads_read_while_one_takes_files_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
