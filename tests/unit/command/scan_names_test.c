/* What a member remembers of cursors, and how the beginning of a pattern is read. */

#include "command/glob.h"
#include "command/scan_names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static bool known(const struct scan_names *n, uint64_t cursor)
{
	struct slice name;

	return scan_names_find(n, cursor, &name);
}

static void names_are_found_by_their_cursors(void **state)
{
	struct scan_names n;
	struct slice name;

	(void)state;
	scan_names_init(&n);
	assert_false(known(&n, 1));
	scan_names_note(&n, 1, SLICE_LITERAL("one"));
	scan_names_note(&n, UINT64_MAX, SLICE_LITERAL(""));
	assert_true(scan_names_find(&n, 1, &name));
	assert_true(slice_equal(name, SLICE_LITERAL("one")));
	assert_true(scan_names_find(&n, UINT64_MAX, &name));
	assert_int_equal(name.len, 0);
	assert_false(known(&n, 2));
	scan_names_close(&n);
}

static void the_oldest_is_forgotten_first(void **state)
{
	struct scan_names n;

	(void)state;
	scan_names_init(&n);
	for (uint64_t i = 1; i <= SCAN_NAMES_MAX; i++)
		scan_names_note(&n, i, SLICE_LITERAL("name"));
	scan_names_note(&n, 1, SLICE_LITERAL("name"));
	assert_int_equal(n.count, SCAN_NAMES_MAX);
	scan_names_note(&n, SCAN_NAMES_MAX + 1, SLICE_LITERAL("name"));
	assert_int_equal(n.count, SCAN_NAMES_MAX);
	assert_true(known(&n, 1));
	assert_false(known(&n, 2));
	assert_true(known(&n, 3));
	scan_names_close(&n);
}

static void long_names_have_no_more_room_than_short_ones(void **state)
{
	static uint8_t bytes[SCAN_NAMES_BYTES_MAX + 1];
	struct scan_names n;

	(void)state;
	scan_names_init(&n);
	for (uint64_t i = 1; i <= 5; i++)
		scan_names_note(&n, i, slice_of(bytes, SCAN_NAMES_BYTES_MAX / 4));
	assert_false(known(&n, 1));
	assert_true(known(&n, 2));
	scan_names_note(&n, 6, slice_of(bytes, SCAN_NAMES_BYTES_MAX));
	assert_false(known(&n, 5));
	assert_true(known(&n, 6));
	scan_names_note(&n, 7, slice_of(bytes, SCAN_NAMES_BYTES_MAX + 1));
	assert_true(known(&n, 6));
	assert_false(known(&n, 7));
	scan_names_close(&n);
}

static void the_beginning_of_a_pattern_is_what_stands_before_a_sign(void **state)
{
	static const struct {
		const char *pattern;
		const char *prefix;
		bool whole;
	} cases[] = {
		{"", "", true},	      {"abc", "abc", true},   {"abc*", "abc", false},
		{"a?c", "a", false},  {"a[b]c", "a", false},  {"a\\*b", "a*b", true},
		{"a\\b", "ab", true}, {"a\\", "a\\", true},   {"\\\\*", "\\", false},
		{"*", "", false},     {"]a-^", "]a-^", true},
	};
	struct buf prefix = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_clear(&prefix);
		assert_int_equal(glob_prefix(slice_of_text(cases[i].pattern), &prefix),
				 cases[i].whole);
		assert_true(slice_equal(buf_slice(&prefix), slice_of_text(cases[i].prefix)));
		if (cases[i].whole && prefix.len > 0)
			assert_true(
				glob_matches(slice_of_text(cases[i].pattern), buf_slice(&prefix)));
	}
	buf_free(&prefix);
}

/* Stars upon stars cost the product of the lengths, not a power of it, and no stack. */
static void many_stars_are_matched_in_time(void **state)
{
	static char pattern[20001], text[20000];

	(void)state;
	for (size_t i = 0; i < sizeof(pattern) - 1; i += 2) {
		pattern[i] = '*';
		pattern[i + 1] = 'a';
	}
	pattern[sizeof(pattern) - 1] = 'b';
	memset(text, 'a', sizeof(text));
	assert_false(
		glob_matches(slice_of(pattern, sizeof(pattern)), slice_of(text, sizeof(text))));
	assert_true(
		glob_matches(slice_of(pattern, sizeof(pattern) - 1), slice_of(text, sizeof(text))));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_found_by_their_cursors),
		cmocka_unit_test(the_oldest_is_forgotten_first),
		cmocka_unit_test(long_names_have_no_more_room_than_short_ones),
		cmocka_unit_test(the_beginning_of_a_pattern_is_what_stands_before_a_sign),
		cmocka_unit_test(many_stars_are_matched_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
