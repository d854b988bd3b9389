#include "server/linger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Of a processor that others want, and of one that nobody does. */
#define LONG_US	 200
#define SHORT_US 3

/* How long it rests when the processor was kept from it once more. */
static uint64_t rest_us(struct linger *l, uint64_t now_us)
{
	uint64_t until_us = now_us;

	linger_came(l, now_us, false);
	linger_yielded(l, now_us - LONG_US, now_us);
	while (!linger_wanted(l, until_us)) {
		until_us++;
		linger_came(l, until_us, false);
	}
	return until_us - now_us;
}

static void it_looks_for_so_long_behind_what_came(void **state)
{
	struct linger l;

	(void)state;
	linger_init(&l, 150);
	assert_false(linger_wanted(&l, 1000000));
	linger_came(&l, 1000000, false);
	assert_true(linger_wanted(&l, 1000000));
	linger_yielded(&l, 1000000, 1000000 + SHORT_US);
	assert_true(linger_wanted(&l, 1000149));
	assert_false(linger_wanted(&l, 1000150));
	linger_came(&l, 1000151, true);
	assert_true(linger_wanted(&l, 1000300));
}

static void a_span_of_none_is_never(void **state)
{
	struct linger l;

	(void)state;
	linger_init(&l, 0);
	linger_came(&l, 5000, false);
	assert_false(linger_wanted(&l, 5000));
}

static void it_rests_the_longer_the_more_often_others_want_the_processor(void **state)
{
	uint64_t now_us = 1000000, before;
	struct linger l;

	(void)state;
	linger_init(&l, 150);
	before = rest_us(&l, now_us);
	assert_in_range(before, 1, 1000);
	for (unsigned i = 0; i < 5; i++) {
		uint64_t rest = rest_us(&l, now_us += 1000000);

		assert_int_equal(rest, 2 * before);
		before = rest;
	}
	for (unsigned i = 0; i < 20; i++)
		before = rest_us(&l, now_us += 1000000);
	assert_int_equal(before, 100000);
}

static void what_comes_while_it_looks_shortens_the_rest(void **state)
{
	uint64_t now_us = 1000000, first, later;
	struct linger l;

	(void)state;
	linger_init(&l, 150);
	first = rest_us(&l, now_us);
	for (unsigned i = 0; i < 3; i++)
		later = rest_us(&l, now_us += 1000000);
	assert_int_equal(later, 8 * first);
	linger_came(&l, now_us += 1000000, false); /* it slept */
	assert_int_equal(rest_us(&l, now_us), 16 * first);
	linger_came(&l, now_us += 1000000, true);
	assert_int_equal(rest_us(&l, now_us), 8 * first);
	for (unsigned i = 0; i < 9; i++)
		linger_came(&l, now_us += 1000000, true);
	assert_int_equal(rest_us(&l, now_us), first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_looks_for_so_long_behind_what_came),
		cmocka_unit_test(a_span_of_none_is_never),
		cmocka_unit_test(it_rests_the_longer_the_more_often_others_want_the_processor),
		cmocka_unit_test(what_comes_while_it_looks_shortens_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
