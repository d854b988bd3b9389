#include "base/check.h"

#include "expect_abort.h"

#include <stdbool.h>

static int calls;

static bool count_call(bool answer)
{
	calls++;
	return answer;
}

static void fail_a_check(void)
{
	CHECK(1 + 1 == 3);
}

static void fail_a_validator(void)
{
	CHECK_VALID("the sky is below the ground");
}

static void a_check_that_holds_is_evaluated_once_and_does_nothing(void **state)
{
	(void)state;
	calls = 0;
	CHECK(count_call(true));
	assert_int_equal(calls, 1);
	CHECK_VALID(NULL);
}

static void a_failed_check_aborts_and_says_where_and_what(void **state)
{
	(void)state;
	expect_abort(fail_a_check, "check_test.c:");
	expect_abort(fail_a_check, ": fail_a_check: check failed: 1 + 1 == 3\n");
}

static void a_failed_validator_aborts_with_the_rule_that_is_broken(void **state)
{
	(void)state;
	expect_abort(fail_a_validator, ": the sky is below the ground\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_check_that_holds_is_evaluated_once_and_does_nothing),
		cmocka_unit_test(a_failed_check_aborts_and_says_where_and_what),
		cmocka_unit_test(a_failed_validator_aborts_with_the_rule_that_is_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
