#include "expect.h"

static void reads_see_the_write_before_them(void **state)
{
	struct history h = {0};

	(void)state;
	done_read(&h, 1, 2, HISTORY_NONE);
	done_write(&h, 3, 4, 10);
	done_read(&h, 5, 6, 10);
	done_write(&h, 7, 8, 11);
	done_read(&h, 9, 10, 11);
	done_delete(&h, 11, 12, 1);
	done_delete(&h, 13, 14, 0);
	done_read(&h, 15, 16, HISTORY_NONE);
	expect(&h, LINEARIZE_PASS);
}

static void a_stale_read_fails_and_the_report_names_it(void **state)
{
	struct history h = {0};

	(void)state;
	done_write(&h, 1, 2, 10);
	done_write(&h, 3, 4, 11);
	done_read(&h, 5, 9, 10);
	done_write(&h, 8, 12, 12);
	expect_report(
		&h, LINEARIZE_FAIL,
		(const char *const[]){"key 7 (register, 4 operations) is not linearizable",
				      "up to and with\n    #2 client 2 [5..9] read -> 10\n",
				      "concurrent with it:\n    #3 client 3 [8..12] write 12\n",
				      "#0 client 0 [1..2] write 10   then: 10\n",
				      "#1 client 1 [3..4] write 11   then: ", NULL});
}

static void a_read_concurrent_with_a_write_sees_either_value(void **state)
{
	struct history h = {0};

	(void)state;
	done_write(&h, 1, 2, 10);
	done_write(&h, 3, 9, 11);
	done_read(&h, 4, 5, 10);
	done_read(&h, 6, 7, 11);
	expect(&h, LINEARIZE_PASS);
}

static void a_new_value_seen_is_not_unseen_while_the_write_runs(void **state)
{
	struct history h = {0};

	(void)state;
	done_write(&h, 1, 2, 10);
	done_write(&h, 3, 9, 11);
	done_read(&h, 4, 5, 11);
	done_read(&h, 6, 7, 10);
	expect(&h, LINEARIZE_FAIL);
}

static void operations_that_touch_at_one_time_are_concurrent(void **state)
{
	struct history h = {0};

	(void)state;
	done_write(&h, 1, 2, 10);
	done_read(&h, 2, 3, HISTORY_NONE);
	expect(&h, LINEARIZE_PASS);
}

static void a_value_that_nobody_wrote_fails(void **state)
{
	struct history h = {0};

	(void)state;
	done_write(&h, 1, 2, 10);
	done_read(&h, 1, 5, 99);
	expect(&h, LINEARIZE_FAIL);
}

static void a_value_read_before_its_write_was_called_fails(void **state)
{
	struct history h = {0};

	(void)state;
	done_read(&h, 1, 2, 10);
	done_write(&h, 3, 4, 10);
	expect(&h, LINEARIZE_FAIL);
}

static void an_open_write_may_be_seen_late_or_never(void **state)
{
	struct history h = {0};

	(void)state;
	done_write(&h, 1, 2, 10);
	open_call(&h, 3, HISTORY_WRITE, 11);
	open_call(&h, 3, HISTORY_WRITE, 12);
	done_read(&h, 5, 6, 10);
	done_write(&h, 7, 8, 13);
	done_read(&h, 9, 10, 13);
	done_read(&h, 11, 12, 11);
	expect(&h, LINEARIZE_PASS);
}

static void an_open_write_once_seen_does_not_vanish(void **state)
{
	struct history h = {0};

	(void)state;
	done_write(&h, 1, 2, 10);
	open_call(&h, 3, HISTORY_WRITE, 11);
	done_read(&h, 5, 6, 11);
	done_read(&h, 7, 8, 10);
	expect(&h, LINEARIZE_FAIL);
}

static void an_open_write_takes_effect_once(void **state)
{
	struct history h = {0};

	(void)state;
	open_call(&h, 1, HISTORY_WRITE, 11);
	done_read(&h, 2, 3, 11);
	done_write(&h, 4, 5, 12);
	done_read(&h, 6, 7, 11);
	expect(&h, LINEARIZE_FAIL);
}

static void an_open_write_takes_no_effect_before_its_call(void **state)
{
	struct history h = {0};

	(void)state;
	done_read(&h, 1, 3, 11);
	open_call(&h, 4, HISTORY_WRITE, 11);
	expect_report(&h, LINEARIZE_FAIL, (const char *const[]){"[1..3] read -> 11", NULL});
}

/* Its value is in no result, yet it explains why the swap failed or what was deleted. */
static void an_open_write_that_no_read_shows_may_explain_others(void **state)
{
	struct history h = {0};

	(void)state;
	done_write(&h, 1, 2, 10);
	open_call(&h, 3, HISTORY_WRITE, 11);
	done_cas(&h, 4, 5, 10, 12, 0);
	done_delete(&h, 6, 7, 1);
	open_call(&h, 8, HISTORY_WRITE, 13);
	done_delete(&h, 9, 10, 1);
	expect(&h, LINEARIZE_PASS);
	done_write(&h, 1, 2, 10);
	done_cas(&h, 4, 5, 10, 12, 0);
	expect(&h, LINEARIZE_FAIL);
}

static void a_lost_update_fails(void **state)
{
	struct history h = {0};

	(void)state;
	done_write(&h, 1, 2, 10);
	done_cas(&h, 3, 4, 10, 11, 1);
	done_read(&h, 5, 6, 10);
	expect(&h, LINEARIZE_FAIL);
}

static void two_swaps_from_one_value_do_not_both_succeed(void **state)
{
	struct history h = {0};

	(void)state;
	done_write(&h, 1, 2, 10);
	done_cas(&h, 3, 6, 10, 11, 1);
	done_cas(&h, 4, 5, 10, 12, 1);
	expect(&h, LINEARIZE_FAIL);
	done_write(&h, 1, 2, 10);
	done_cas(&h, 3, 6, 10, 11, 1);
	done_cas(&h, 4, 5, 10, 12, 0);
	expect(&h, LINEARIZE_PASS);
}

static void a_swap_may_expect_no_value(void **state)
{
	struct history h = {0};

	(void)state;
	done_cas(&h, 1, 2, HISTORY_NONE, 10, 1);
	done_cas(&h, 3, 4, HISTORY_NONE, 11, 0);
	done_delete(&h, 5, 6, 1);
	done_cas(&h, 7, 8, HISTORY_NONE, 12, 1);
	done_read(&h, 9, 10, 12);
	expect(&h, LINEARIZE_PASS);
}

/* The last value proves that both open swaps took place, one behind the other. */
static void open_swaps_are_proved_through_each_other(void **state)
{
	struct history h = {0};

	(void)state;
	done_write(&h, 1, 2, 10);
	history_call_cas(&h, 3, 8, KEY, 10, 11);
	history_call_cas(&h, 3, 9, KEY, 11, 12);
	done_read(&h, 4, 5, 12);
	expect(&h, LINEARIZE_PASS);
	done_write(&h, 1, 2, 10);
	history_call_cas(&h, 3, 8, KEY, 10, 11);
	history_call_cas(&h, 3, 9, KEY, 11, 12);
	done_read(&h, 4, 5, 12);
	done_read(&h, 6, 7, 11);
	expect(&h, LINEARIZE_FAIL);
}

static void increments_never_answer_twice_the_same(void **state)
{
	struct history h = {0};

	(void)state;
	done_incr(&h, 1, 5, 1);
	done_incr(&h, 1, 5, 3);
	done_incr(&h, 1, 5, 2);
	done_read(&h, 6, 7, 3);
	expect(&h, LINEARIZE_PASS);
	done_incr(&h, 1, 5, 1);
	done_incr(&h, 1, 5, 2);
	done_incr(&h, 1, 5, 2);
	expect(&h, LINEARIZE_FAIL);
}

static void open_increments_fill_gaps_as_many_as_there_are(void **state)
{
	for (uint64_t seen = 1; seen <= 4; seen++) {
		struct history h = {0};

		(void)state;
		open_call(&h, 1, HISTORY_INCR, 0);
		open_call(&h, 1, HISTORY_INCR, 0);
		done_incr(&h, 2, 3, seen);
		open_call(&h, 4, HISTORY_INCR, 0);
		expect(&h, seen <= 3 ? LINEARIZE_PASS : LINEARIZE_FAIL);
	}
}

static void an_applied_operation_took_effect_before_it_returned(void **state)
{
	struct history h = {0};

	(void)state;
	history_return_applied(&h, 2, history_call(&h, 1, 0, KEY, HISTORY_INCR, 0));
	done_incr(&h, 3, 4, 2);
	expect(&h, LINEARIZE_PASS);
	history_return_applied(&h, 2, history_call(&h, 1, 0, KEY, HISTORY_INCR, 0));
	done_incr(&h, 3, 4, 1);
	expect(&h, LINEARIZE_FAIL);
}

static void the_effect_of_a_refused_write_is_an_aborted_read(void **state)
{
	struct history h = {0};

	(void)state;
	history_return_refused(&h, 2, history_call(&h, 1, 0, KEY, HISTORY_WRITE, 10));
	done_read(&h, 3, 4, 10);
	expect_report(&h, LINEARIZE_ABORTED_READ,
		      (const char *const[]){"key 7: aborted read: the effect of\n"
					    "    #0 client 0 [1..2] write 10: refused\n"
					    "  is seen by\n"
					    "    #1 client 1 [3..4] read -> 10\n",
					    NULL});
	history_return_refused(&h, 2, history_call_cas(&h, 1, 0, KEY, HISTORY_NONE, 10));
	done_cas(&h, 3, 4, 10, 11, 1);
	expect(&h, LINEARIZE_ABORTED_READ);
}

static void a_refused_write_without_effect_passes(void **state)
{
	struct history h = {0};

	(void)state;
	history_return_refused(&h, 2, history_call(&h, 1, 0, KEY, HISTORY_WRITE, 10));
	done_read(&h, 3, 4, HISTORY_NONE);
	done_write(&h, 5, 6, 10);
	done_read(&h, 7, 8, 10);
	expect(&h, LINEARIZE_PASS);
}

static void everything_at_once_passes_if_some_order_does(void **state)
{
	struct history h = {0};

	(void)state;
	done_write(&h, 1, 100, 10);
	done_write(&h, 1, 100, 11);
	done_write(&h, 1, 100, 12);
	done_read(&h, 1, 100, HISTORY_NONE);
	done_read(&h, 1, 100, 12);
	done_read(&h, 1, 100, 10);
	done_read(&h, 1, 100, 11);
	done_cas(&h, 1, 100, 11, 13, 1);
	done_cas(&h, 1, 100, 13, 14, 1);
	done_cas(&h, 1, 100, 14, 15, 0);
	done_delete(&h, 1, 100, 1);
	done_delete(&h, 1, 100, 0);
	done_read(&h, 101, 102, 14);
	expect(&h, LINEARIZE_PASS);
}

static void a_swap_may_leave_no_value(void **state)
{
	struct history h = {0};

	(void)state;
	done_write(&h, 1, 2, 10);
	done_cas(&h, 3, 4, 11, HISTORY_NONE, 0);
	done_cas(&h, 5, 6, 10, HISTORY_NONE, 1);
	done_delete(&h, 7, 8, 0);
	done_write(&h, 9, 10, 12);
	done_cas(&h, 11, 12, 12, HISTORY_NONE, 1);
	done_read(&h, 13, 14, HISTORY_NONE);
	expect(&h, LINEARIZE_PASS);
	done_read(&h, 15, 16, 12);
	expect(&h, LINEARIZE_FAIL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_see_the_write_before_them),
		cmocka_unit_test(a_stale_read_fails_and_the_report_names_it),
		cmocka_unit_test(a_read_concurrent_with_a_write_sees_either_value),
		cmocka_unit_test(a_new_value_seen_is_not_unseen_while_the_write_runs),
		cmocka_unit_test(operations_that_touch_at_one_time_are_concurrent),
		cmocka_unit_test(a_value_that_nobody_wrote_fails),
		cmocka_unit_test(a_value_read_before_its_write_was_called_fails),
		cmocka_unit_test(an_open_write_may_be_seen_late_or_never),
		cmocka_unit_test(an_open_write_once_seen_does_not_vanish),
		cmocka_unit_test(an_open_write_takes_effect_once),
		cmocka_unit_test(an_open_write_takes_no_effect_before_its_call),
		cmocka_unit_test(an_open_write_that_no_read_shows_may_explain_others),
		cmocka_unit_test(a_lost_update_fails),
		cmocka_unit_test(two_swaps_from_one_value_do_not_both_succeed),
		cmocka_unit_test(a_swap_may_expect_no_value),
		cmocka_unit_test(a_swap_may_leave_no_value),
		cmocka_unit_test(open_swaps_are_proved_through_each_other),
		cmocka_unit_test(increments_never_answer_twice_the_same),
		cmocka_unit_test(open_increments_fill_gaps_as_many_as_there_are),
		cmocka_unit_test(an_applied_operation_took_effect_before_it_returned),
		cmocka_unit_test(the_effect_of_a_refused_write_is_an_aborted_read),
		cmocka_unit_test(a_refused_write_without_effect_passes),
		cmocka_unit_test(everything_at_once_passes_if_some_order_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
