#include "expect.h"

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

static void the_effect_of_a_refused_append_is_an_aborted_read(void **state)
{
	struct history h = {0};

	(void)state;
	history_return_refused(&h, 2, history_call(&h, 1, 0, KEY, HISTORY_APPEND, 10));
	done_append(&h, 3, 4, 11, 2);
	done_list(&h, 5, 6, 10, 11);
	expect(&h, LINEARIZE_ABORTED_READ);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appends_stand_in_the_list_once_and_in_their_order),
		cmocka_unit_test(lists_read_twice_do_not_change_their_order),
		cmocka_unit_test(an_open_append_may_come_late_or_only_show_in_a_length),
		cmocka_unit_test(an_append_that_was_seen_does_not_vanish),
		cmocka_unit_test(a_deleted_list_begins_anew),
		cmocka_unit_test(the_effect_of_a_refused_append_is_an_aborted_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
