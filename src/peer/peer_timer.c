#include "peer/peer_timer.h"

static struct peer_timer *timer_of(struct heap_node *node)
{
	return CONTAINER_OF(node, struct peer_timer, node);
}

static bool timer_before(const struct heap_node *a, const struct heap_node *b)
{
	return CONTAINER_OF(a, struct peer_timer, node)->due_ms <
	       CONTAINER_OF(b, struct peer_timer, node)->due_ms;
}

void peer_timers_init(struct peer_timers *ts, const struct clock *clock)
{
	ts->clock = clock;
	heap_init(&ts->heap, timer_before);
}

void peer_timers_close(struct peer_timers *ts)
{
	heap_close(&ts->heap);
}

uint64_t peer_timers_now_ms(const struct peer_timers *ts)
{
	return clock_monotonic_us(ts->clock) / 1000;
}

void peer_timer_set(struct peer_timers *ts, struct peer_timer *t, uint32_t after_ms)
{
	peer_timer_stop(ts, t);
	t->due_ms = peer_timers_now_ms(ts) + after_ms;
	heap_push(&ts->heap, &t->node);
}

void peer_timer_stop(struct peer_timers *ts, struct peer_timer *t)
{
	if (t->node.place)
		heap_remove(&ts->heap, &t->node);
}

uint64_t peer_timers_due_ms(const struct peer_timers *ts)
{
	struct heap_node *first = heap_top(&ts->heap);

	return first ? timer_of(first)->due_ms : UINT64_MAX;
}

void peer_timers_fire(struct peer_timers *ts)
{
	uint64_t now = peer_timers_now_ms(ts);

	while (peer_timers_due_ms(ts) <= now) {
		struct peer_timer *t = timer_of(heap_pop(&ts->heap));

		t->fire(t);
	}
}
