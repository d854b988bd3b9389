#include "expect.h"

static void an_empty_history_passes(void **state)
{
	struct history h = {0};

	(void)state;
	expect(&h, LINEARIZE_PASS);
}

static void keys_do_not_mix_and_the_failing_one_is_named(void **state)
{
	struct history h = {0};
	struct buf report = {0};
	struct linearize_result result;

	(void)state;
	history_return(&h, 2, history_call(&h, 1, 0, 1, HISTORY_WRITE, 10), 0);
	history_return(&h, 4, history_call(&h, 3, 0, 2, HISTORY_INCR, 0), 1);
	history_return(&h, 6, history_call(&h, 5, 0, 3, HISTORY_READ, 0), 10);
	history_return(&h, 8, history_call(&h, 7, 0, 1, HISTORY_READ, 0), 10);
	result = linearize_check(&h, LINEARIZE_STEPS, &report);
	assert_int_equal(result.verdict, LINEARIZE_FAIL);
	assert_int_equal(result.key, 3);
	buf_free(&report);
	history_free(&h);
}

static void a_search_cut_short_is_no_verdict(void **state)
{
	struct history h = {0};
	struct buf report = {0};
	struct linearize_result result;

	(void)state;
	for (uint64_t i = 0; i < 12; i++)
		done_write(&h, 1, 100, 10 + i);
	for (uint64_t i = 0; i < 12; i++)
		done_read(&h, 101, 102, 10 + i);
	result = linearize_check(&h, 1000, &report);
	assert_int_equal(result.verdict, LINEARIZE_GAVE_UP);
	assert_true(result.steps >= 1000 && result.steps < 1100);
	assert_true(report.len > 0);
	buf_free(&report);
	history_free(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_history_passes),
		cmocka_unit_test(keys_do_not_mix_and_the_failing_one_is_named),
		cmocka_unit_test(a_search_cut_short_is_no_verdict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
