/* Counts of commands and errors. */

#include "command/stats.h"

#include "command/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void each_command_has_its_own(void **state)
{
	static struct command commands[500];
	struct command_stats s = {0};

	(void)state;
	assert_null(command_stats_of(&s, &commands[0]));
	command_stats_error(&s, SLICE_LITERAL("NOAUTH x"));
	for (size_t round = 0; round < 3; round++)
		for (size_t i = 0; i < ARRAY_LEN(commands); i++)
			command_stats_ran(&s, &commands[i], i, i % 2 == 0);
	command_stats_rejected(&s, &commands[7]);
	assert_int_equal(s.error_replies, 1); /* from before the others came */
	assert_int_equal(s.error_codes, 1);
	assert_int_equal(s.calls, 3 * ARRAY_LEN(commands));
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		const struct command_count *n = command_stats_of(&s, &commands[i]);

		assert_non_null(n);
		assert_int_equal(n->calls, 3);
		assert_int_equal(n->usec, 3 * i);
		assert_int_equal(n->failed, i % 2 == 0 ? 3 : 0);
		assert_int_equal(n->rejected, i == 7);
	}
	command_stats_error(&s, SLICE_LITERAL("ERR x"));
	command_stats_reset(&s);
	assert_int_equal(s.calls + s.error_replies + s.error_codes, 0);
	assert_null(command_stats_of(&s, &commands[7]));
	command_stats_free(&s);
}

static void times_go_to_the_bucket_that_holds_them(void **state)
{
	static struct command command;
	static const struct {
		uint64_t usec;
		size_t bucket;
	} cases[] = {{0, 0},	 {1, 0},       {2, 1},	     {3, 2},	    {4, 2},
		     {32, 5},	 {33, 5},      {34, 6},	     {1056, 10},    {1057, 11},
		     {2113, 11}, {541065, 19}, {541066, 20}, {1082130, 20}, {UINT64_MAX, 20}};
	struct command_stats s = {0};

	(void)state;
	assert_int_equal(command_bucket_usec(0), 1);
	assert_int_equal(command_bucket_usec(5), 33);
	assert_int_equal(command_bucket_usec(10), 1056);
	assert_int_equal(command_bucket_usec(13), 8454);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct command_count *n = command_stats_of(&s, &command);
		uint64_t before = n ? n->took[cases[i].bucket] : 0;

		command_stats_ran(&s, &command, cases[i].usec, false);
		n = command_stats_of(&s, &command);
		assert_int_equal(n->took[cases[i].bucket], before + 1);
	}
	command_stats_free(&s);
}

static void errors_stand_in_the_order_of_their_codes(void **state)
{
	struct command_stats s = {0};

	(void)state;
	command_stats_error(&s, SLICE_LITERAL("WRONGTYPE x"));
	command_stats_error(&s, SLICE_LITERAL("ERR a"));
	command_stats_error(&s, SLICE_LITERAL("NOAUTH"));
	command_stats_error(&s, SLICE_LITERAL("ERR b"));
	assert_int_equal(s.error_codes, 3);
	assert_string_equal(s.errors[0].code, "ERR");
	assert_int_equal(s.errors[0].count, 2);
	assert_string_equal(s.errors[1].code, "NOAUTH");
	assert_string_equal(s.errors[2].code, "WRONGTYPE");
	assert_int_equal(s.error_replies, 4);
}

static void there_are_only_so_many_codes(void **state)
{
	struct command_stats s = {0};
	char text[64];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "CODE-%040d x", 999 - i);
		command_stats_error(&s, slice_of_text(text));
		snprintf(text, sizeof(text), "C%d x", 999 - i);
		command_stats_error(&s, slice_of_text(text));
	}
	assert_int_equal(s.error_codes, ERROR_CODES_MAX);
	assert_int_equal(s.error_replies, 2000);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_command_has_its_own),
		cmocka_unit_test(times_go_to_the_bucket_that_holds_them),
		cmocka_unit_test(errors_stand_in_the_order_of_their_codes),
		cmocka_unit_test(there_are_only_so_many_codes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
