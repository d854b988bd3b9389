#include "checker/linearize.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define KEY 7

/* Each of these adds one operation by a client of its own. */

static void done(struct history *h, uint64_t call, uint64_t ret, enum history_kind kind,
		 uint64_t value, uint64_t result)
{
	uint32_t client = (uint32_t)h->len;

	history_return(h, ret, history_call(h, call, client, KEY, kind, value), result);
}

static void done_write(struct history *h, uint64_t call, uint64_t ret, uint64_t value)
{
	done(h, call, ret, HISTORY_WRITE, value, 0);
}

static void done_read(struct history *h, uint64_t call, uint64_t ret, uint64_t result)
{
	done(h, call, ret, HISTORY_READ, 0, result);
}

static void done_cas(struct history *h, uint64_t call, uint64_t ret, uint64_t expected,
		     uint64_t value, uint64_t result)
{
	size_t op = history_call_cas(h, call, (uint32_t)h->len, KEY, expected, value);

	history_return(h, ret, op, result);
}

static void done_incr(struct history *h, uint64_t call, uint64_t ret, uint64_t result)
{
	done(h, call, ret, HISTORY_INCR, 0, result);
}

static void done_delete(struct history *h, uint64_t call, uint64_t ret, uint64_t existed)
{
	done(h, call, ret, HISTORY_DELETE, 0, existed);
}

static void done_append(struct history *h, uint64_t call, uint64_t ret, uint64_t value,
			uint64_t length)
{
	done(h, call, ret, HISTORY_APPEND, value, length);
}

#define done_list(h, call, ret, ...)                           \
	list_of(h, call, ret, (const uint64_t[]){__VA_ARGS__}, \
		ARRAY_LEN(((const uint64_t[]){__VA_ARGS__})))

static void list_of(struct history *h, uint64_t call, uint64_t ret, const uint64_t *elements,
		    size_t count)
{
	size_t op = history_call(h, call, (uint32_t)h->len, KEY, HISTORY_READ_LIST, 0);

	history_return_list(h, ret, op, elements, count);
}

static void open_call(struct history *h, uint64_t call, enum history_kind kind, uint64_t value)
{
	history_call(h, call, (uint32_t)h->len, KEY, kind, value);
}

/* Checks and frees the history; `texts` ends with NULL and has to stand in the report. */
static void expect_report(struct history *h, enum linearize_verdict verdict,
			  const char *const *texts)
{
	struct buf report = {0};
	struct linearize_result result = linearize_check(h, LINEARIZE_STEPS, &report);

	assert_int_equal(result.verdict == LINEARIZE_PASS, report.len == 0);
	buf_append_byte(&report, 0);
	if (result.verdict != verdict)
		fail_msg("verdict %s\n%s", linearize_verdict_name(result.verdict),
			 (const char *)report.data);
	for (; *texts; texts++)
		if (!strstr((const char *)report.data, *texts))
			fail_msg("\"%s\" is not in\n%s", *texts, (const char *)report.data);
	buf_free(&report);
	history_free(h);
}

static void expect(struct history *h, enum linearize_verdict verdict)
{
	expect_report(h, verdict, (const char *const[]){NULL});
}

static void an_empty_history_passes(void **state)
{
	struct history h = {0};

	(void)state;
	expect(&h, LINEARIZE_PASS);
}

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
	history_return_refused(&h, 2, history_call(&h, 1, 0, KEY, HISTORY_APPEND, 10));
	done_append(&h, 3, 4, 11, 2);
	done_list(&h, 5, 6, 10, 11);
	expect(&h, LINEARIZE_ABORTED_READ);
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

static void appends_stand_in_the_list_once_and_in_their_order(void **state)
{
	struct history h = {0};

	(void)state;
	done_append(&h, 1, 5, 10, 2);
	done_append(&h, 1, 5, 11, 1);
	done_append(&h, 6, 7, 12, 3);
	done_list(&h, 8, 9, 11, 10, 12);
	expect(&h, LINEARIZE_PASS);
	done_append(&h, 1, 2, 10, 1);
	done_append(&h, 3, 4, 11, 2);
	done_list(&h, 5, 6, 11, 10);
	expect(&h, LINEARIZE_FAIL);
	done_append(&h, 1, 2, 10, 1);
	done_list(&h, 5, 6, 10, 10);
	expect(&h, LINEARIZE_FAIL);
	done_append(&h, 1, 2, 10, 1);
	done_append(&h, 3, 4, 11, 2);
	done_list(&h, 5, 6, 11);
	expect(&h, LINEARIZE_FAIL);
}

static void lists_read_twice_do_not_change_their_order(void **state)
{
	struct history h = {0};

	(void)state;
	open_call(&h, 1, HISTORY_APPEND, 10);
	open_call(&h, 1, HISTORY_APPEND, 11);
	done_list(&h, 2, 3, 10, 11);
	done_list(&h, 4, 5, 11, 10);
	expect(&h, LINEARIZE_FAIL);
}

static void an_open_append_may_come_late_or_only_show_in_a_length(void **state)
{
	struct history h = {0};

	(void)state;
	open_call(&h, 1, HISTORY_APPEND, 10);
	open_call(&h, 1, HISTORY_APPEND, 11);
	done_append(&h, 2, 3, 12, 1);
	done_list(&h, 4, 5, 12);
	done_append(&h, 6, 7, 13, 3);
	expect(&h, LINEARIZE_PASS);
	open_call(&h, 1, HISTORY_APPEND, 10);
	done_append(&h, 2, 3, 12, 2);
	done_list(&h, 4, 5, 12);
	expect(&h, LINEARIZE_FAIL);
}

static void an_append_that_was_seen_does_not_vanish(void **state)
{
	struct history h = {0};

	(void)state;
	open_call(&h, 1, HISTORY_APPEND, 10);
	done_list(&h, 2, 3, 10);
	done_append(&h, 4, 5, 11, 1);
	expect(&h, LINEARIZE_FAIL);
}

static void a_deleted_list_begins_anew(void **state)
{
	struct history h = {0};

	(void)state;
	done_append(&h, 1, 2, 10, 1);
	done_delete(&h, 3, 4, 1);
	done_append(&h, 5, 6, 11, 1);
	done_list(&h, 7, 8, 11);
	open_call(&h, 9, HISTORY_DELETE, 0);
	done_append(&h, 10, 11, 12, 1);
	list_of(&h, 12, 13, (const uint64_t[]){12}, 1);
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
		cmocka_unit_test(open_swaps_are_proved_through_each_other),
		cmocka_unit_test(increments_never_answer_twice_the_same),
		cmocka_unit_test(open_increments_fill_gaps_as_many_as_there_are),
		cmocka_unit_test(an_applied_operation_took_effect_before_it_returned),
		cmocka_unit_test(the_effect_of_a_refused_write_is_an_aborted_read),
		cmocka_unit_test(a_refused_write_without_effect_passes),
		cmocka_unit_test(appends_stand_in_the_list_once_and_in_their_order),
		cmocka_unit_test(lists_read_twice_do_not_change_their_order),
		cmocka_unit_test(an_open_append_may_come_late_or_only_show_in_a_length),
		cmocka_unit_test(an_append_that_was_seen_does_not_vanish),
		cmocka_unit_test(a_deleted_list_begins_anew),
		cmocka_unit_test(everything_at_once_passes_if_some_order_does),
		cmocka_unit_test(keys_do_not_mix_and_the_failing_one_is_named),
		cmocka_unit_test(a_search_cut_short_is_no_verdict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
