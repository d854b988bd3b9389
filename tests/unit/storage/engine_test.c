/* What every engine does; the same tests on each of them. */

#include "base/random.h"
#include "support/engine_tester.h"
#include "unit/base/expect_abort.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void init(struct engine_tester *t, void **state)
{
	engine_tester_init(t, *(const enum engine_kind *)*state);
}

static struct slice text(const char *s)
{
	return slice_of_text(s);
}

static void a_new_engine_is_empty(void **state)
{
	struct engine_tester t;
	struct engine_load load;

	init(&t, state);
	engine_tester_expect_rows(&t, FAMILY_HISTORY, "");
	engine_tester_expect_rows(&t, FAMILY_STATE, "");
	engine_load(t.engine, &load);
	assert_int_equal(load.live_bytes, 0);
	assert_int_equal(load.level0_files, 0);
	engine_tester_close(&t);
}

static void families_are_apart(void **state)
{
	struct engine_tester t;
	struct engine_load load;

	init(&t, state);
	engine_tester_set(&t, FAMILY_HISTORY, "a", "past");
	engine_tester_set(&t, FAMILY_STATE, "a", "present");
	engine_tester_expect_rows(&t, FAMILY_HISTORY, "a=past ");
	engine_tester_expect_rows(&t, FAMILY_STATE, "a=present ");
	engine_tester_expect_now(&t, FAMILY_STATE, "b", NULL);
	engine_load(t.engine, &load);
	assert_true(load.live_bytes > 0);
	engine_tester_close(&t);
}

static void a_later_file_overwrites_and_deletes(void **state)
{
	struct engine_tester t;
	struct engine_file *f;

	init(&t, state);
	f = engine_tester_begin(&t, FAMILY_STATE);
	engine_tester_put(f, "a", "1");
	engine_tester_put(f, "b", "1");
	engine_tester_put(f, "c", "");
	engine_tester_ingest(f);
	engine_tester_expect_rows(&t, FAMILY_STATE, "a=1 b=1 c= ");
	f = engine_tester_begin(&t, FAMILY_STATE);
	engine_tester_put(f, "a", "2");
	assert_int_equal(engine_file_delete(f, text("b")), OK);
	assert_int_equal(engine_file_delete(f, text("never")), OK);
	engine_tester_ingest(f);
	engine_tester_expect_rows(&t, FAMILY_STATE, "a=2 c= ");
	engine_tester_expect_now(&t, FAMILY_STATE, "b", NULL);
	engine_tester_set(&t, FAMILY_STATE, "b", "3");
	engine_tester_expect_rows(&t, FAMILY_STATE, "a=2 b=3 c= ");
	engine_tester_close(&t);
}

static void a_range_goes_but_for_rows_of_the_same_file(void **state)
{
	struct engine_tester t;
	struct engine_file *f;

	init(&t, state);
	f = engine_tester_begin(&t, FAMILY_STATE);
	for (const char *key = "abcdefgh"; *key; key++)
		assert_int_equal(engine_file_put(f, slice_of(key, 1), text("1")), OK);
	engine_tester_ingest(f);

	f = engine_tester_begin(&t, FAMILY_STATE);
	assert_int_equal(engine_file_delete_range(f, text("e"), text("g")), OK);
	engine_tester_put(f, "b", "2");
	engine_tester_put(f, "c", "2");
	assert_int_equal(engine_file_delete_range(f, text("b"), text("d")), OK);
	assert_int_equal(engine_file_delete_range(f, text("a"), text("a")), OK); /* empty */
	engine_tester_put(f, "e", "2");
	assert_int_equal(engine_file_delete_range(f, text("f"), text("f0")), OK);
	engine_tester_ingest(f);
	engine_tester_expect_rows(&t, FAMILY_STATE, "a=1 b=2 c=2 d=1 e=2 g=1 h=1 ");

	/* A file of nothing but a range, in either order of rows and range before. */
	f = engine_tester_begin(&t, FAMILY_STATE);
	assert_int_equal(engine_file_delete_range(f, text("a"), text("z")), OK);
	engine_tester_ingest(f);
	engine_tester_expect_rows(&t, FAMILY_STATE, "");
	engine_tester_expect_now(&t, FAMILY_STATE, "b", NULL);
	engine_tester_set(&t, FAMILY_STATE, "b", "3");
	engine_tester_reopen(&t);
	engine_tester_expect_rows(&t, FAMILY_STATE, "b=3 ");
	engine_tester_close(&t);
}

/* The file lies in no other's way, and so gets no number of its own: the harder case. */
static void the_first_file_may_have_a_range_over_its_own_rows(void **state)
{
	struct engine_tester t;
	struct engine_file *f;

	init(&t, state);
	f = engine_tester_begin(&t, FAMILY_STATE);
	assert_int_equal(engine_file_delete_range(f, text("a"), text("z")), OK);
	engine_tester_put(f, "m", "1");
	engine_tester_ingest(f);
	engine_tester_expect_rows(&t, FAMILY_STATE, "m=1 ");
	engine_tester_set(&t, FAMILY_STATE, "b", "2");
	engine_tester_expect_rows(&t, FAMILY_STATE, "b=2 m=1 ");
	engine_tester_reopen(&t);
	engine_tester_expect_rows(&t, FAMILY_STATE, "b=2 m=1 ");
	engine_tester_close(&t);
}

static void a_view_does_not_change(void **state)
{
	struct engine_tester t;
	struct engine_view *empty;
	struct engine_view *one;
	struct engine_cursor *c;
	struct engine_file *f;

	init(&t, state);
	empty = engine_view_open(t.engine);
	f = engine_tester_begin(&t, FAMILY_STATE);
	engine_tester_put(f, "a", "1");
	engine_tester_put(f, "b", "1");
	assert_int_equal(engine_file_finish(f), OK);
	engine_tester_expect_now(&t, FAMILY_STATE, "a", NULL); /* not before it is taken in */
	assert_int_equal(engine_file_ingest(f), OK);
	one = engine_view_open(t.engine);
	c = engine_cursor_open(one, FAMILY_STATE, (struct slice){0});
	engine_cursor_seek(c, text("a"));

	f = engine_tester_begin(&t, FAMILY_STATE);
	assert_int_equal(engine_file_delete_range(f, text("a"), text("c")), OK);
	engine_tester_put(f, "c", "2");
	engine_tester_ingest(f);
	engine_tester_expect(empty, FAMILY_STATE, "a", NULL);
	engine_tester_expect(one, FAMILY_STATE, "a", "1");
	engine_tester_expect(one, FAMILY_STATE, "c", NULL);
	engine_cursor_next(c);
	assert_true(slice_equal(engine_cursor_key(c), text("b")));
	engine_cursor_next(c);
	assert_false(engine_cursor_valid(c));
	assert_int_equal(engine_cursor_error(c), OK);
	engine_tester_expect_rows(&t, FAMILY_STATE, "c=2 ");
	engine_cursor_close(c);
	engine_view_close(empty);
	engine_view_close(one);
	engine_view_close(NULL);
	engine_cursor_close(NULL);
	engine_tester_close(&t);
}

/* Checks where the cursor stands; NULL: nowhere. */
static void expect_at(const struct engine_cursor *c, const char *key)
{
	assert_int_equal(engine_cursor_error(c), OK);
	assert_int_equal(engine_cursor_valid(c), key != NULL);
	if (key)
		assert_true(slice_equal(engine_cursor_key(c), text(key)));
}

static void a_cursor_goes_both_ways(void **state)
{
	struct engine_tester t;
	struct engine_cursor *c;
	struct engine_view *v;
	struct engine_file *f;

	init(&t, state);
	f = engine_tester_begin(&t, FAMILY_STATE);
	engine_tester_put(f, "b", "1");
	engine_tester_put(f, "ba", "2");
	engine_tester_put(f, "d", "3");
	engine_tester_ingest(f);
	engine_tester_set(&t, FAMILY_STATE, "f", "4");
	v = engine_view_open(t.engine);
	c = engine_cursor_open(v, FAMILY_STATE, (struct slice){0});
	assert_false(engine_cursor_valid(c));
	engine_cursor_seek(c, (struct slice){0});
	expect_at(c, "b");
	engine_cursor_next(c);
	expect_at(c, "ba");
	engine_cursor_prev(c);
	expect_at(c, "b");
	engine_cursor_prev(c);
	expect_at(c, NULL);
	engine_cursor_seek(c, text("c"));
	expect_at(c, "d");
	assert_true(slice_equal(engine_cursor_value(c), text("3")));
	engine_cursor_next(c);
	expect_at(c, "f");
	engine_cursor_next(c);
	expect_at(c, NULL);
	engine_cursor_seek(c, text("g"));
	expect_at(c, NULL);
	engine_cursor_seek_before(c, (struct slice){0});
	expect_at(c, "f");
	engine_cursor_seek_before(c, text("f"));
	expect_at(c, "d");
	engine_cursor_seek_before(c, text("z"));
	expect_at(c, "f");
	engine_cursor_seek_before(c, text("bb"));
	expect_at(c, "ba");
	engine_cursor_seek_before(c, text("b"));
	expect_at(c, NULL);
	engine_cursor_close(c);
	engine_view_close(v);
	engine_tester_close(&t);
}

static void a_cursor_ends_before_its_end(void **state)
{
	struct engine_tester t;
	struct engine_cursor *c;
	struct engine_view *v;
	struct engine_file *f;
	char end[] = "d";

	init(&t, state);
	f = engine_tester_begin(&t, FAMILY_HISTORY);
	for (const char *key = "abcdef"; *key; key++)
		assert_int_equal(engine_file_put(f, slice_of(key, 1), text("1")), OK);
	engine_tester_ingest(f);
	v = engine_view_open(t.engine);
	c = engine_cursor_open(v, FAMILY_HISTORY, text(end));
	end[0] = 'a'; /* the cursor has its own */
	engine_cursor_seek(c, text("c"));
	expect_at(c, "c");
	engine_cursor_next(c);
	expect_at(c, NULL);
	engine_cursor_seek(c, text("e"));
	expect_at(c, NULL);
	engine_cursor_seek_before(c, (struct slice){0});
	expect_at(c, "c");
	engine_cursor_seek_before(c, text("f"));
	expect_at(c, "c");
	engine_cursor_seek_before(c, text("d"));
	expect_at(c, "c");
	engine_cursor_prev(c);
	expect_at(c, "b");
	engine_cursor_close(c);
	engine_view_close(v);
	engine_tester_close(&t);
}

static void many_rows_are_got_at_once(void **state)
{
	struct engine_get gets[] = {
		{.family = FAMILY_STATE, .key = text("b")},
		{.family = FAMILY_HISTORY, .key = text("a")},
		{.family = FAMILY_STATE, .key = text("a")},
		{.family = FAMILY_STATE, .key = text("x")},
		{.family = FAMILY_STATE, .key = text("b")},
		{.family = FAMILY_HISTORY, .key = text("b")},
	};
	const char *values[] = {"2", "past", "1", NULL, "2", NULL};
	struct engine_tester t;
	struct engine_view *v;

	init(&t, state);
	engine_tester_set(&t, FAMILY_STATE, "a", "1");
	engine_tester_set(&t, FAMILY_STATE, "b", "2");
	engine_tester_set(&t, FAMILY_HISTORY, "a", "past");
	buf_append(&gets[0].value, "old", 3);
	v = engine_view_open(t.engine);
	engine_view_get_many(v, gets, 0);
	engine_view_get_many(v, gets, ARRAY_LEN(gets));
	for (size_t i = 0; i < ARRAY_LEN(gets); i++) {
		assert_int_equal(gets[i].result, values[i] ? OK : ERR_NOT_FOUND);
		if (values[i])
			assert_true(slice_equal(buf_slice(&gets[i].value), text(values[i])));
		buf_free(&gets[i].value);
	}
	engine_view_close(v);
	engine_tester_close(&t);
}

static void get_appends(void **state)
{
	struct engine_tester t;
	struct engine_view *v;
	struct buf out = {0};

	init(&t, state);
	engine_tester_set(&t, FAMILY_STATE, "a", "1");
	engine_tester_set(&t, FAMILY_STATE, "b", "2");
	v = engine_view_open(t.engine);
	assert_int_equal(engine_view_get(v, FAMILY_STATE, text("b"), &out), OK);
	assert_int_equal(engine_view_get(v, FAMILY_STATE, text("none"), &out), ERR_NOT_FOUND);
	assert_int_equal(engine_view_get(v, FAMILY_STATE, text("a"), &out), OK);
	assert_true(slice_equal(buf_slice(&out), text("21")));
	buf_free(&out);
	engine_view_close(v);
	engine_tester_close(&t);
}

static void an_empty_file_is_nothing(void **state)
{
	struct engine_tester t;

	init(&t, state);
	engine_tester_set(&t, FAMILY_STATE, "a", "1");
	engine_tester_ingest(engine_tester_begin(&t, FAMILY_STATE));
	engine_tester_expect_rows(&t, FAMILY_STATE, "a=1 ");
	engine_tester_close(&t);
}

static void what_was_not_taken_in_is_lost(void **state)
{
	struct engine_tester t;
	struct engine_file *f;

	init(&t, state);
	engine_tester_set(&t, FAMILY_STATE, "a", "1");
	f = engine_tester_begin(&t, FAMILY_STATE);
	engine_tester_put(f, "b", "2");
	engine_file_drop(f);
	f = engine_tester_begin(&t, FAMILY_STATE);
	engine_tester_put(f, "c", "2");
	assert_int_equal(engine_file_finish(f), OK);
	engine_file_drop(f);
	engine_file_drop(NULL);
	engine_tester_expect_rows(&t, FAMILY_STATE, "a=1 ");

	/* Nor does the engine need them dropped: it may be closed at any point. */
	f = engine_tester_begin(&t, FAMILY_STATE);
	engine_tester_put(f, "d", "2");
	f = engine_tester_begin(&t, FAMILY_STATE);
	engine_tester_put(f, "e", "2");
	assert_int_equal(engine_file_finish(f), OK);
	engine_tester_reopen(&t);
	engine_tester_expect_rows(&t, FAMILY_STATE, "a=1 ");
	engine_tester_close(&t);
}

static void big_values_come_back(void **state)
{
	size_t len = 1 << 20;
	uint8_t *data = malloc(len);
	struct buf out = {0};
	struct engine_tester t;
	struct engine_view *v;
	struct engine_file *f;
	struct random r;

	init(&t, state);
	random_seed(&r, 1);
	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)random_next(&r);
	f = engine_tester_begin(&t, FAMILY_HISTORY);
	engine_tester_put(f, "a", "small");
	assert_int_equal(engine_file_put(f, text("b"), slice_of(data, len)), OK);
	assert_int_equal(engine_file_put(f, text("c"), slice_of(data, len - 1)), OK);
	engine_tester_ingest(f);
	engine_tester_reopen(&t);
	v = engine_view_open(t.engine);
	assert_int_equal(engine_view_get(v, FAMILY_HISTORY, text("b"), &out), OK);
	assert_true(slice_equal(buf_slice(&out), slice_of(data, len)));
	buf_clear(&out);
	assert_int_equal(engine_view_get(v, FAMILY_HISTORY, text("c"), &out), OK);
	assert_true(slice_equal(buf_slice(&out), slice_of(data, len - 1)));
	engine_tester_expect(v, FAMILY_HISTORY, "a", "small");
	buf_free(&out);
	free(data);
	engine_view_close(v);
	engine_tester_close(&t);
}

static void two_files_made_at_once_count_one_by_one(void **state)
{
	struct engine_tester t;
	struct engine_file *history;
	struct engine_file *now;

	init(&t, state);
	engine_tester_set(&t, FAMILY_STATE, "position", "1");
	history = engine_tester_begin(&t, FAMILY_HISTORY);
	now = engine_tester_begin(&t, FAMILY_STATE);
	engine_tester_put(now, "position", "2");
	engine_tester_put(history, "2", "change");
	assert_int_equal(engine_file_finish(now), OK);
	assert_int_equal(engine_file_finish(history), OK);
	assert_int_equal(engine_file_ingest(history), OK);
	engine_tester_expect_now(&t, FAMILY_STATE, "position", "1");
	engine_tester_expect_now(&t, FAMILY_HISTORY, "2", "change");
	assert_int_equal(engine_file_ingest(now), OK);
	engine_tester_expect_now(&t, FAMILY_STATE, "position", "2");
	engine_tester_reopen(&t);
	engine_tester_expect_rows(&t, FAMILY_STATE, "position=2 ");
	engine_tester_expect_rows(&t, FAMILY_HISTORY, "2=change ");
	engine_tester_close(&t);
}

static struct engine_file *misused;

static void put_b_again(void)
{
	(void)!engine_file_put(misused, SLICE_LITERAL("b"), SLICE_LITERAL(""));
}

static void delete_a(void)
{
	(void)!engine_file_delete(misused, SLICE_LITERAL("a"));
}

static void delete_range_backwards(void)
{
	(void)!engine_file_delete_range(misused, SLICE_LITERAL("b"), SLICE_LITERAL("a"));
}

static void ingest_unfinished(void)
{
	(void)!engine_file_ingest(misused);
}

static void misuse_stops_the_process(void **state)
{
	struct engine_tester t;

	init(&t, state);
	misused = engine_tester_begin(&t, FAMILY_STATE);
	engine_tester_put(misused, "b", "1");
	expect_abort(put_b_again, "slice_compare");
	expect_abort(delete_a, "slice_compare");
	expect_abort(delete_range_backwards, "order <= 0");
	expect_abort(ingest_unfinished, "f->finished");
	engine_tester_put(misused, "c", "1");
	engine_tester_ingest(misused);
	engine_tester_expect_rows(&t, FAMILY_STATE, "b=1 c=1 ");
	engine_tester_close(&t);
}

#define ENGINE_TEST(f, kind) cmocka_unit_test_prestate(f, kind)
#define ENGINE_TESTS(kind)                                                                    \
	ENGINE_TEST(a_new_engine_is_empty, kind), ENGINE_TEST(families_are_apart, kind),      \
		ENGINE_TEST(a_later_file_overwrites_and_deletes, kind),                       \
		ENGINE_TEST(a_range_goes_but_for_rows_of_the_same_file, kind),                \
		ENGINE_TEST(the_first_file_may_have_a_range_over_its_own_rows, kind),         \
		ENGINE_TEST(a_view_does_not_change, kind),                                    \
		ENGINE_TEST(a_cursor_goes_both_ways, kind),                                   \
		ENGINE_TEST(a_cursor_ends_before_its_end, kind),                              \
		ENGINE_TEST(many_rows_are_got_at_once, kind), ENGINE_TEST(get_appends, kind), \
		ENGINE_TEST(an_empty_file_is_nothing, kind),                                  \
		ENGINE_TEST(what_was_not_taken_in_is_lost, kind),                             \
		ENGINE_TEST(big_values_come_back, kind),                                      \
		ENGINE_TEST(two_files_made_at_once_count_one_by_one, kind),                   \
		ENGINE_TEST(misuse_stops_the_process, kind)

int main(void)
{
	static enum engine_kind memory = ENGINE_MEMORY;
	static enum engine_kind rocks = ENGINE_ROCKS;
	const struct CMUnitTest in_memory[] = {ENGINE_TESTS(&memory)};
	const struct CMUnitTest in_rocks[] = {ENGINE_TESTS(&rocks)};
	int failed = cmocka_run_group_tests_name("memory", in_memory, NULL, NULL);

	if (!CONCLAVE_TEST_ROCKS) {
		print_message("[ LEFT OUT ] RocksDB: this build's sanitizer sees no library\n");
		return failed;
	}
	return failed + cmocka_run_group_tests_name("rocks", in_rocks, NULL, NULL);
}
