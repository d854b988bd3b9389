#include "base/codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void varints_come_back_and_use_the_size_they_say(void **state)
{
	(void)state;
	for (unsigned bit = 0; bit < 64; bit++) {
		for (int delta = -1; delta <= 1; delta++) {
			uint64_t v = ((uint64_t)1 << bit) + (uint64_t)(int64_t)delta;
			uint8_t bytes[VARINT_MAX];
			size_t n = varint_put(bytes, v);
			struct cursor c = cursor_of(slice_of(bytes, n));

			assert_int_equal(n, varint_size(v));
			assert_true(cursor_varint(&c) == v);
			assert_true(cursor_done(&c));
		}
	}
}

static void a_varint_cut_anywhere_fails(void **state)
{
	uint8_t bytes[VARINT_MAX];
	size_t n = varint_put(bytes, UINT64_MAX);

	(void)state;
	for (size_t cut = 0; cut < n; cut++) {
		struct cursor c = cursor_of(slice_of(bytes, cut));

		assert_int_equal(cursor_varint(&c), 0);
		assert_true(c.failed);
	}
}

static void a_varint_that_is_to_fit_in_32_bits_does_or_fails(void **state)
{
	static const uint64_t numbers[] = {0, 127, UINT32_MAX, (uint64_t)UINT32_MAX + 1,
					   UINT64_MAX};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		uint8_t bytes[VARINT_MAX];
		struct cursor c = cursor_of(slice_of(bytes, varint_put(bytes, numbers[i])));
		bool fits = numbers[i] <= UINT32_MAX;

		assert_int_equal(cursor_varint32(&c), fits ? numbers[i] : 0);
		assert_int_equal(c.failed, !fits);
	}
}

static void longer_forms_and_too_large_varints_fail(void **state)
{
	static const struct {
		uint8_t bytes[11];
		size_t len;
	} bad[] = {
		{{0x80, 0x00}, 2},
		{{0xff, 0x80, 0x00}, 3},
		{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02}, 10},
		{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x81, 0x01}, 11},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct cursor c = cursor_of(slice_of(bad[i].bytes, bad[i].len));

		assert_int_equal(cursor_varint(&c), 0);
		assert_true(c.failed);
	}
}

static void fixed_numbers_are_little_endian_and_come_back(void **state)
{
	static const uint8_t expected[] = {0x11, 0x34, 0x12, 0x78, 0x56, 0x34, 0x12, 0xef,
					   0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01};
	struct buf b = {0};
	struct cursor c;

	(void)state;
	buf_append_fixed8(&b, 0x11);
	buf_append_fixed16(&b, 0x1234);
	buf_append_fixed32(&b, 0x12345678);
	buf_append_fixed64(&b, 0x0123456789abcdef);
	assert_int_equal(b.len, sizeof(expected));
	assert_memory_equal(b.data, expected, sizeof(expected));
	c = cursor_of(buf_slice(&b));
	assert_int_equal(cursor_fixed8(&c), 0x11);
	assert_int_equal(cursor_fixed16(&c), 0x1234);
	assert_int_equal(cursor_fixed32(&c), 0x12345678);
	assert_true(cursor_fixed64(&c) == 0x0123456789abcdef);
	assert_true(cursor_done(&c));
	buf_free(&b);
}

static void a_failed_cursor_stays_failed_and_answers_nothing(void **state)
{
	static const uint8_t bytes[] = {1, 2, 3};
	struct cursor c = cursor_of(slice_of(bytes, sizeof(bytes)));

	(void)state;
	assert_int_equal(cursor_fixed32(&c), 0);
	assert_int_equal(cursor_fixed8(&c), 0);
	assert_int_equal(cursor_left(&c), 0);
	assert_int_equal(cursor_bytes(&c, 0).len, 0);
	assert_false(cursor_done(&c));
}

static void strings_are_bounded_by_what_is_there(void **state)
{
	struct buf b = {0};
	struct cursor c;

	(void)state;
	buf_append_string(&b, SLICE_LITERAL("hello"));
	buf_append_varint(&b, UINT64_MAX);
	c = cursor_of(buf_slice(&b));
	assert_true(slice_equal(cursor_string(&c), SLICE_LITERAL("hello")));
	assert_false(c.failed);
	assert_int_equal(cursor_string(&c).len, 0);
	assert_true(c.failed);
	buf_free(&b);
}

static void nothing_is_read_to_its_end_at_once(void **state)
{
	struct cursor c = cursor_of((struct slice){0});

	(void)state;
	assert_int_equal(cursor_left(&c), 0);
	assert_int_equal(cursor_bytes(&c, 0).len, 0);
	assert_true(cursor_done(&c));
	assert_int_equal(cursor_fixed8(&c), 0);
	assert_true(c.failed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(varints_come_back_and_use_the_size_they_say),
		cmocka_unit_test(a_varint_cut_anywhere_fails),
		cmocka_unit_test(a_varint_that_is_to_fit_in_32_bits_does_or_fails),
		cmocka_unit_test(longer_forms_and_too_large_varints_fail),
		cmocka_unit_test(fixed_numbers_are_little_endian_and_come_back),
		cmocka_unit_test(a_failed_cursor_stays_failed_and_answers_nothing),
		cmocka_unit_test(strings_are_bounded_by_what_is_there),
		cmocka_unit_test(nothing_is_read_to_its_end_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
