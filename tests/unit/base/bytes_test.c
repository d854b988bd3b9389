#include "base/bytes.h"

#include "base/mem.h"

#include "expect_abort.h"

static void commit_more_than_reserved(void)
{
	struct buf b = {0};

	buf_reserve(&b, 10);
	buf_commit(&b, b.cap + 1);
}

static void consume_more_than_used(void)
{
	struct buf b = {0};

	buf_append_byte(&b, 1);
	buf_consume(&b, 2);
}

static void reserve_too_much(void)
{
	struct buf b = {0};

	buf_append_byte(&b, 1);
	buf_reserve(&b, SIZE_MAX);
}

static void make_a_blob_too_long(void)
{
	blob_release(blob_new(SIZE_MAX - 3));
}

static void assert_text(const struct buf *b, const char *expected)
{
	assert_true(slice_equal(buf_slice(b), slice_of_text(expected)));
}

static void slices_are_equal_by_their_bytes(void **state)
{
	(void)state;
	assert_true(slice_equal(SLICE_LITERAL("abc"), slice_of_text("abc")));
	assert_true(slice_equal((struct slice){0}, SLICE_LITERAL("")));
	assert_true(slice_equal(SLICE_LITERAL("a\0b"), slice_of("a\0b", 3)));
	assert_false(slice_equal(SLICE_LITERAL("abc"), SLICE_LITERAL("abd")));
	assert_false(slice_equal(SLICE_LITERAL("abc"), SLICE_LITERAL("ab")));
	assert_false(slice_equal(SLICE_LITERAL("a\0b"), SLICE_LITERAL("a\0c")));
}

static void slices_are_ordered_as_unsigned_bytes_with_prefixes_first(void **state)
{
	static const struct slice sorted[] = {
		{0},
		{(const uint8_t *)"\0", 1},
		{(const uint8_t *)"a", 1},
		{(const uint8_t *)"a\0", 2},
		{(const uint8_t *)"ab", 2},
		{(const uint8_t *)"b", 1},
		{(const uint8_t *)"\x7f", 1},
		{(const uint8_t *)"\x80", 1},
		{(const uint8_t *)"\xff\xff", 2},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sorted); i++)
		for (size_t j = 0; j < ARRAY_LEN(sorted); j++) {
			int order = slice_compare(sorted[i], sorted[j]);

			assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
		}
}

static void a_buffer_grows_and_keeps_what_was_appended(void **state)
{
	struct buf b = {0};

	(void)state;
	for (unsigned i = 0; i < 5000; i++) {
		uint8_t pair[] = {(uint8_t)(i >> 8), (uint8_t)i};

		buf_append(&b, pair, i % 3);
		buf_append_byte(&b, (uint8_t)i);
		assert_true(b.len <= b.cap);
	}
	for (unsigned i = 0, at = 0; i < 5000; i++) {
		at += i % 3;
		assert_int_equal(b.data[at++], (uint8_t)i);
	}
	buf_free(&b);
	assert_null(b.data);
	assert_int_equal(b.len, 0);
	buf_append_slice(&b, SLICE_LITERAL("again"));
	assert_text(&b, "again");
	buf_free(&b);
}

static void nothing_appended_is_nothing_allocated(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_append(&b, NULL, 0);
	buf_append_slice(&b, (struct slice){0});
	buf_consume(&b, 0);
	buf_clear(&b);
	assert_null(b.data);
	assert_int_equal(buf_slice(&b).len, 0);
	buf_free(&b);
}

static void reserved_room_counts_when_committed(void **state)
{
	struct buf b = {0};
	uint8_t *room;

	(void)state;
	assert_non_null(buf_reserve(&b, 0));
	buf_append_slice(&b, SLICE_LITERAL("ab"));
	room = buf_reserve(&b, 1000);
	assert_ptr_equal(room, b.data + 2);
	assert_true(b.cap >= 1002);
	assert_int_equal(b.len, 2);
	memcpy(room, "cd", 2);
	buf_commit(&b, 2);
	buf_commit(&b, 0);
	assert_text(&b, "abcd");
	buf_free(&b);
}

static void clearing_keeps_the_memory(void **state)
{
	struct buf b = {0};
	uint8_t *data;

	(void)state;
	buf_append_slice(&b, SLICE_LITERAL("some text"));
	data = b.data;
	buf_clear(&b);
	assert_int_equal(b.len, 0);
	buf_append_byte(&b, 'x');
	assert_ptr_equal(b.data, data);
	assert_text(&b, "x");
	buf_free(&b);
}

static void printing_appends_text_of_any_length_without_an_end(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_printf(&b, "%s=%d", "x", 42);
	buf_printf(&b, "%s", "");
	assert_text(&b, "x=42");
	buf_printf(&b, "%*d", 5000, 7);
	assert_int_equal(b.len, 5004);
	assert_int_equal(b.data[5003], '7');
	buf_free(&b);
}

static void a_string_of_json_is_printable_ascii(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_append_json(&b, SLICE_LITERAL("a\"\\\n\xff"));
	assert_true(slice_equal(buf_slice(&b), SLICE_LITERAL("\"a\\u0022\\u005c\\u000a\\u00ff\"")));
	buf_free(&b);
}

static void consuming_moves_the_rest_to_the_front(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_append_slice(&b, SLICE_LITERAL("hello world"));
	buf_consume(&b, 6);
	assert_text(&b, "world");
	buf_consume(&b, 5);
	assert_int_equal(b.len, 0);
	buf_append_slice(&b, SLICE_LITERAL("more"));
	assert_text(&b, "more");
	buf_free(&b);
}

static void a_blob_lives_as_long_as_it_is_held(void **state)
{
	struct blob *b = blob_copy(SLICE_LITERAL("shared"));

	(void)state;
	assert_int_equal(b->len, 6);
	assert_memory_equal(b->data, "shared", 6);
	assert_int_equal(b->refs, 1);
	assert_ptr_equal(blob_hold(b), b);
	blob_release(b);
	assert_memory_equal(b->data, "shared", 6);
	blob_release(b);
	b = blob_copy((struct slice){0});
	assert_int_equal(b->len, 0);
	blob_release(b);
	assert_null(blob_hold(NULL));
	blob_release(NULL);
}

static void a_slice_becomes_text_of_its_own(void **state)
{
	char *text = slice_to_text(slice_of("abcd", 2)),
	     *nothing = slice_to_text((struct slice){0});

	(void)state;
	assert_string_equal(text, "ab");
	assert_string_equal(nothing, "");
	mem_free(text);
	mem_free(nothing);
}

static void what_goes_beyond_a_buffer_fails_a_check(void **state)
{
	(void)state;
	expect_abort(commit_more_than_reserved, "buf_commit: check failed");
	expect_abort(consume_more_than_used, "buf_consume: check failed");
	expect_abort(reserve_too_much, "buf_grow: check failed");
	expect_abort(make_a_blob_too_long, "blob_new: check failed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slices_are_equal_by_their_bytes),
		cmocka_unit_test(slices_are_ordered_as_unsigned_bytes_with_prefixes_first),
		cmocka_unit_test(a_buffer_grows_and_keeps_what_was_appended),
		cmocka_unit_test(nothing_appended_is_nothing_allocated),
		cmocka_unit_test(reserved_room_counts_when_committed),
		cmocka_unit_test(clearing_keeps_the_memory),
		cmocka_unit_test(printing_appends_text_of_any_length_without_an_end),
		cmocka_unit_test(a_string_of_json_is_printable_ascii),
		cmocka_unit_test(consuming_moves_the_rest_to_the_front),
		cmocka_unit_test(a_blob_lives_as_long_as_it_is_held),
		cmocka_unit_test(a_slice_becomes_text_of_its_own),
		cmocka_unit_test(what_goes_beyond_a_buffer_fails_a_check),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
