#ifndef CONCLAVE_SERVER_LOOP_H
#define CONCLAVE_SERVER_LOOP_H

/*
 * The shape of everything: sleep until something is ready, let every ready socket be read, then
 * one turn for all of it, right before the next sleep.
 *
 *	epoll_wait ─► watchers' callbacks: read, parse, hand over ─► turn ─► epoll_wait ...
 *
 * Batching comes from that and needs no timers: idle, a request is handled at once; busy, all that
 * came meanwhile is handled together. Before it sleeps a loop may look a few times more, if nobody
 * else wants the processor (server/linger.h).
 */

#include "base/clock.h"
#include "base/compiler.h"

#include <ev.h>
#include <stdbool.h>

struct loop;

struct loop_events {
	void *ctx;
	/*
	 * All that was ready is read. Returns when the next turn is due at the latest, in
	 * milliseconds of the monotonic clock; 0: at once, UINT64_MAX: when something comes.
	 */
	uint64_t (*turn)(void *ctx);
	/* loop_wake was called; before the turn. */
	void (*woken)(void *ctx);
};

/* `clock` and `events` outlive it. ERR_UNAVAILABLE: the system gives no epoll. */
MUST_USE int loop_new(struct loop **out, const struct clock *clock,
		      const struct loop_events *events);

/* All watchers of others are stopped. NULL is nothing. */
void loop_free(struct loop *l);

/* For watchers. */
struct ev_loop *loop_ev(struct loop *l);

/* When this turn began, in milliseconds of the monotonic clock. */
uint64_t loop_now_ms(const struct loop *l);

/* So long after something came the loop looks instead of sleeping; 0, as in the beginning: never.
 */
void loop_set_busy_poll(struct loop *l, uint64_t span_us);

/* Runs until loop_end was called. */
void loop_run(struct loop *l);

/* One turn, and what is ready behind it, without or with waiting for something. */
void loop_step(struct loop *l, bool wait);

/* From a callback or the turn: loop_run returns. */
void loop_end(struct loop *l);

/* From any thread: `woken` is called soon, once for any number of calls. */
void loop_wake(struct loop *l);

#endif
