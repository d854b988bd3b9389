/* What entries will ask for, noted ahead. */

#include "node/lookahead.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static uint64_t ahead(const struct lookahead *x, size_t by)
{
	uint64_t hash = 0;

	assert_true(lookahead_get(x, by, &hash));
	return hash;
}

static bool is_empty(const struct lookahead *x)
{
	uint64_t hash;

	return !lookahead_get(x, 0, &hash);
}

static void test_rows_come_in_order(void **state)
{
	static struct lookahead x;

	(void)state;
	assert_true(is_empty(&x));
	lookahead_note(&x, 5, 50);
	lookahead_note(&x, 5, 51);
	lookahead_note(&x, 6, 60);
	assert_int_equal(ahead(&x, 0), 50);
	assert_int_equal(ahead(&x, 2), 60);
	lookahead_go_on(&x, 5);
	assert_int_equal(ahead(&x, 0), 51);
	lookahead_go_on(&x, 5);
	lookahead_go_on(&x, 6);
	assert_true(is_empty(&x));
}

static void test_each_entry_begins_anew(void **state)
{
	static struct lookahead x;

	(void)state;
	lookahead_note(&x, 5, 50);
	lookahead_note(&x, 5, 51);
	lookahead_note(&x, 7, 70);
	lookahead_note(&x, 7, 71);
	lookahead_go_on(&x, 6); /* it has none */
	assert_int_equal(ahead(&x, 0), 70);
	lookahead_go_on(&x, 7);
	assert_int_equal(ahead(&x, 0), 71);
	/* An entry that goes on for longer than was known takes nothing of the next one. */
	lookahead_note(&x, 8, 80);
	lookahead_go_on(&x, 7);
	lookahead_go_on(&x, 7);
	assert_int_equal(ahead(&x, 0), 80);
}

static void test_the_newest_stay(void **state)
{
	static struct lookahead x;

	(void)state;
	for (uint64_t i = 0; i < LOOKAHEAD_MAX + 3; i++)
		lookahead_note(&x, i, 1000 + i);
	assert_int_equal(ahead(&x, 0), 1003);
	assert_int_equal(ahead(&x, LOOKAHEAD_MAX - 1), 1000 + LOOKAHEAD_MAX + 2);
	lookahead_go_on(&x, LOOKAHEAD_MAX + 3);
	assert_true(is_empty(&x));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_come_in_order),
		cmocka_unit_test(test_each_entry_begins_anew),
		cmocka_unit_test(test_the_newest_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
