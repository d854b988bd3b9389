#include "samples.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

static void test_none(void **state)
{
	struct samples s = {0};

	(void)state;
	assert_true(samples_median(&s) == 0);
	assert_true(samples_mean(&s) == 0);
	assert_true(samples_spread(&s) == 0);
}

static void test_median(void **state)
{
	struct samples s = {0};

	(void)state;
	samples_add(&s, 9);
	assert_true(samples_median(&s) == 9);
	assert_true(samples_spread(&s) == 0);
	samples_add(&s, 1);
	assert_true(samples_median(&s) == 5);
	samples_add(&s, 2);
	assert_true(samples_median(&s) == 2);
	assert_true(samples_mean(&s) == 4);
	assert_true(samples_spread(&s) == 4);
	assert_true(s.values[0] == 9); /* in the order in which they came */
}

static void test_full(void **state)
{
	struct samples s = {0};

	(void)state;
	for (int i = 0; i < SAMPLES_MAX; i++)
		samples_add(&s, 1);
	samples_add(&s, 100);
	assert_int_equal(s.count, SAMPLES_MAX);
	assert_true(samples_spread(&s) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_median),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
