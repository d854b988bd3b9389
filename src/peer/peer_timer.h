#ifndef CONCLAVE_PEER_PEER_TIMER_H
#define CONCLAVE_PEER_PEER_TIMER_H

/* What is due at some time: the owner embeds a timer, and asks for all that are due at once. */

#include "base/clock.h"
#include "base/heap.h"

struct peer_timer {
	struct heap_node node;
	uint64_t due_ms;
	void (*fire)(struct peer_timer *t);
};

struct peer_timers {
	const struct clock *clock;
	struct heap heap;
};

void peer_timers_init(struct peer_timers *ts, const struct clock *clock);
void peer_timers_close(struct peer_timers *ts);

/* Milliseconds of the monotonic clock. */
uint64_t peer_timers_now_ms(const struct peer_timers *ts);

/* Due after so long from now, and not when it was due before. */
void peer_timer_set(struct peer_timers *ts, struct peer_timer *t, uint32_t after_ms);

/* Not due any more, if it was. */
void peer_timer_stop(struct peer_timers *ts, struct peer_timer *t);

/* When the first one is due; UINT64_MAX: none is set. */
uint64_t peer_timers_due_ms(const struct peer_timers *ts);

/* Stops and fires all that are due. */
void peer_timers_fire(struct peer_timers *ts);

#endif
