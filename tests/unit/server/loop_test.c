#include "server/loop.h"

#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* How long the loop looks, and by how much the clock goes on whenever it is read. */
#define SPAN_US 1000
#define TICK_US 2

/* Longer than any look: somebody else had the processor. */
#define KEPT_US 5000

#define READINGS 4 /* of the clock, for a look, at most */

struct world {
	struct loop *loop;
	struct clock clock;
	struct loop_events events;
	uint64_t now_us;
	uint64_t tick_us;
	unsigned turns;
	unsigned woken;
};

static uint64_t world_now_us(void *ctx)
{
	struct world *w = ctx;

	return w->now_us += w->tick_us;
}

static uint64_t world_turn(void *ctx)
{
	struct world *w = ctx;

	w->turns++;
	return UINT64_MAX;
}

static void world_woken(void *ctx)
{
	struct world *w = ctx;

	w->woken++;
}

static int world_open(void **state)
{
	static struct world world;
	struct world *w = &world;

	*w = (struct world){.now_us = 1000000, .tick_us = TICK_US};
	w->clock = (struct clock){.monotonic_us = world_now_us, .ctx = w};
	w->events = (struct loop_events){.ctx = w, .turn = world_turn, .woken = world_woken};
	assert_int_equal(loop_new(&w->loop, &w->clock, &w->events), OK);
	*state = w;
	return 0;
}

static int world_close(void **state)
{
	struct world *w = *state;

	loop_free(w->loop);
	return 0;
}

/*
 * How often it looks in vain behind the turn for something that came. Where it would sleep it is
 * not let, but awake: that is a turn again.
 */
static unsigned looks(struct world *w)
{
	unsigned turns, count = 0;

	loop_wake(w->loop);
	loop_step(w->loop, true);
	assert_int_equal(w->woken, 1);
	for (turns = w->turns; w->turns == turns;)
		ev_run(loop_ev(w->loop), EVRUN_NOWAIT);
	for (turns = w->turns; w->turns == turns; count++) {
		assert_in_range(count, 0, SPAN_US);
		ev_run(loop_ev(w->loop), EVRUN_NOWAIT);
	}
	return count - 1;
}

static void who_is_not_told_to_look_sleeps_at_once(void **state)
{
	assert_int_equal(looks(*state), 0);
}

static void it_looks_for_a_while_and_turns_for_nothing(void **state)
{
	struct world *w = *state;

	loop_set_busy_poll(w->loop, SPAN_US);
	assert_in_range(looks(w), SPAN_US / TICK_US / READINGS - 2, SPAN_US / TICK_US);
}

static void it_sleeps_when_the_processor_was_kept_from_it(void **state)
{
	struct world *w = *state;

	loop_set_busy_poll(w->loop, 1000 * KEPT_US);
	w->tick_us = KEPT_US;
	/* The first rests are shorter than a tick. */
	assert_in_range(looks(w), 1, 10);
}

static void a_step_that_waits_ends_with_something(void **state)
{
	struct world *w = *state;

	loop_set_busy_poll(w->loop, SPAN_US);
	loop_step(w->loop, false);
	assert_int_equal(w->turns, 1);
	loop_wake(w->loop);
	loop_step(w->loop, true);
	assert_int_equal(w->woken, 1);
	assert_int_equal(w->turns, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(who_is_not_told_to_look_sleeps_at_once, world_open,
						world_close),
		cmocka_unit_test_setup_teardown(it_looks_for_a_while_and_turns_for_nothing,
						world_open, world_close),
		cmocka_unit_test_setup_teardown(it_sleeps_when_the_processor_was_kept_from_it,
						world_open, world_close),
		cmocka_unit_test_setup_teardown(a_step_that_waits_ends_with_something, world_open,
						world_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
