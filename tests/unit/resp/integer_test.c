#include "resp/integer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void check_both_ways(int64_t value)
{
	uint8_t bytes[RESP_INTEGER_MAX];
	size_t len = resp_integer_format(bytes, value);
	int64_t back = 0;

	assert_true(len <= sizeof(bytes));
	assert_true(resp_integer_parse(slice_of(bytes, len), &back));
	assert_true(back == value);
}

static void numbers_come_back(void **state)
{
	(void)state;
	for (unsigned bit = 0; bit < 63; bit++) {
		for (int64_t delta = -1; delta <= 1; delta++) {
			check_both_ways(((int64_t)1 << bit) + delta);
			check_both_ways(-((int64_t)1 << bit) + delta);
		}
	}
	for (int64_t ten = 1; ten <= INT64_MAX / 10; ten *= 10) {
		check_both_ways(ten);
		check_both_ways(ten - 1);
		check_both_ways(-ten);
	}
	check_both_ways(INT64_MAX);
	check_both_ways(INT64_MIN);
}

static void only_the_one_spelling_is_a_number(void **state)
{
	static const char *const bad[] = {
		"",
		"-",
		"+1",
		"01",
		"-0",
		"00",
		"-01",
		" 1",
		"1 ",
		"1.0",
		"0x1",
		"1e3",
		"--1",
		"1-",
		"/",
		":",
		"9223372036854775808",
		"9223372036854775810",
		"-9223372036854775809",
		"18446744073709551616",
		"18446744073709551617",
		"99999999999999999999",
		"100000000000000000000000000000000000000000",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		int64_t value = 42;

		assert_false(resp_integer_parse(slice_of_text(bad[i]), &value));
		assert_int_equal(value, 42);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_come_back),
		cmocka_unit_test(only_the_one_spelling_is_a_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
