#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static uint64_t fake_us(void *ctx)
{
	return *(uint64_t *)ctx;
}

static uint64_t fake_ms(void *ctx)
{
	return *(uint64_t *)ctx / 1000 + 7;
}

static void a_clock_is_whatever_is_handed_in(void **state)
{
	uint64_t now = 5000;
	struct clock c = {.monotonic_us = fake_us, .wall_ms = fake_ms, .ctx = &now};

	(void)state;
	assert_true(clock_monotonic_us(&c) == 5000);
	assert_true(clock_wall_ms(&c) == 12);
	now = 9000;
	assert_true(clock_monotonic_us(&c) == 9000);
}

static void the_system_does_not_go_back_and_knows_the_century(void **state)
{
	struct clock c = clock_system();
	uint64_t last = clock_monotonic_us(&c);

	(void)state;
	for (int i = 0; i < 1000; i++) {
		uint64_t now = clock_monotonic_us(&c);

		assert_true(now >= last);
		last = now;
	}
	assert_true(clock_wall_ms(&c) > 946684800000u); /* the year 2000 */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clock_is_whatever_is_handed_in),
		cmocka_unit_test(the_system_does_not_go_back_and_knows_the_century),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
