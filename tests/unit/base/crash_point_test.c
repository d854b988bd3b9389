#include "base/crash_point.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct seen {
	unsigned hits;
	enum crash_point last;
};

static void note_hit(void *ctx, enum crash_point point)
{
	struct seen *s = ctx;

	s->hits++;
	s->last = point;
}

static void every_point_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (int i = 0; i < CRASH_POINT_COUNT; i++) {
		const char *name = crash_point_name((enum crash_point)i);

		assert_true(strlen(name) > 0);
		assert_string_not_equal(name, "unknown");
		for (int j = 0; j < i; j++)
			assert_string_not_equal(name, crash_point_name((enum crash_point)j));
	}
	assert_string_equal(crash_point_name(CRASH_TURN_BEGIN), "turn-begin");
	assert_string_equal(crash_point_name(CRASH_TURN_END), "turn-end");
	assert_string_equal(crash_point_name(CRASH_POINT_COUNT), "unknown");
}

static void the_handler_hears_which_point_was_reached(void **state)
{
	struct seen seen = {0};
	struct crash_points points = {.hit = note_hit, .ctx = &seen};

	(void)state;
	crash_point(&points, CRASH_PERSISTED);
	assert_int_equal(seen.hits, 1);
	assert_int_equal(seen.last, CRASH_PERSISTED);
}

static void without_a_handler_nothing_happens(void **state)
{
	struct crash_points none = {0};

	(void)state;
	crash_point(NULL, CRASH_PERSISTED);
	crash_point(&none, CRASH_PERSISTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_point_has_a_name_of_its_own),
		cmocka_unit_test(the_handler_hears_which_point_was_reached),
		cmocka_unit_test(without_a_handler_nothing_happens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
