#include "server/loop.h"

#include "base/error.h"
#include "base/mem.h"
#include "server/linger.h"

#include <sched.h>

struct loop {
	struct ev_loop *ev;
	const struct clock *clock;
	const struct loop_events *events;
	uint64_t now_ms;
	ev_prepare before_sleep;
	ev_check after_sleep;
	ev_timer due;
	ev_async wake;
	ev_idle look; /* as long as it is active, the loop does not sleep */
	struct linger linger;
	bool in_vain; /* the last look found nothing */
};

static uint64_t read_clock_ms(const struct loop *l)
{
	return clock_monotonic_us(l->clock) / 1000;
}

/* Something `came` since the last look, or nothing did. */
static void loop_linger(struct loop *l, bool came)
{
	uint64_t now_us = clock_monotonic_us(l->clock);

	if (came)
		linger_came(&l->linger, now_us, ev_is_active(&l->look));
	if (linger_wanted(&l->linger, now_us))
		ev_idle_start(l->ev, &l->look);
	else
		ev_idle_stop(l->ev, &l->look);
}

/*
 * libev counts from when it woke up, as `now_ms` does: a timer set for the time from then on does
 * not come too early however long the turn took.
 */
static void loop_set_timer(struct loop *l, uint64_t due_ms)
{
	ev_timer_stop(l->ev, &l->due);
	if (due_ms == UINT64_MAX)
		return;
	ev_timer_set(&l->due, due_ms > l->now_ms ? (double)(due_ms - l->now_ms) / 1e3 : 0., 0.);
	ev_timer_start(l->ev, &l->due);
}

static void loop_before_sleep(struct ev_loop *ev, ev_prepare *w, int revents)
{
	struct loop *l = w->data;

	(void)ev;
	(void)revents;
	if (!l->in_vain)
		loop_set_timer(l, l->events->turn(l->events->ctx));
	loop_linger(l, !l->in_vain);
}

static void loop_after_sleep(struct ev_loop *ev, ev_check *w, int revents)
{
	struct loop *l = w->data;

	(void)ev;
	(void)revents;
	l->now_ms = read_clock_ms(l);
	l->in_vain = false;
}

/* Called if nothing else was ready. */
static void loop_looked(struct ev_loop *ev, ev_idle *w, int revents)
{
	struct loop *l = w->data;
	uint64_t from_us = clock_monotonic_us(l->clock);

	(void)ev;
	(void)revents;
	l->in_vain = true;
	sched_yield();
	linger_yielded(&l->linger, from_us, clock_monotonic_us(l->clock));
}

/* That the loop wakes up is all the timer is for. */
static void loop_due(struct ev_loop *ev, ev_timer *w, int revents)
{
	(void)ev;
	(void)w;
	(void)revents;
}

static void loop_woken(struct ev_loop *ev, ev_async *w, int revents)
{
	struct loop *l = w->data;

	(void)ev;
	(void)revents;
	l->events->woken(l->events->ctx);
}

int loop_new(struct loop **out, const struct clock *clock, const struct loop_events *events)
{
	struct ev_loop *ev = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
	struct loop *l;

	if (!ev)
		return ERR_UNAVAILABLE;
	l = MEM_NEW(struct loop);
	l->ev = ev;
	l->clock = clock;
	l->events = events;
	l->now_ms = read_clock_ms(l);
	ev_prepare_init(&l->before_sleep, loop_before_sleep);
	ev_check_init(&l->after_sleep, loop_after_sleep);
	ev_timer_init(&l->due, loop_due, 0., 0.);
	ev_async_init(&l->wake, loop_woken);
	ev_idle_init(&l->look, loop_looked);
	linger_init(&l->linger, 0);
	l->before_sleep.data = l->after_sleep.data = l->wake.data = l->look.data = l;
	ev_set_priority(&l->after_sleep, EV_MAXPRI);
	ev_prepare_start(ev, &l->before_sleep);
	ev_check_start(ev, &l->after_sleep);
	ev_async_start(ev, &l->wake);
	*out = l;
	return OK;
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	ev_prepare_stop(l->ev, &l->before_sleep);
	ev_check_stop(l->ev, &l->after_sleep);
	ev_timer_stop(l->ev, &l->due);
	ev_async_stop(l->ev, &l->wake);
	ev_idle_stop(l->ev, &l->look);
	ev_loop_destroy(l->ev);
	mem_free(l);
}

struct ev_loop *loop_ev(struct loop *l)
{
	return l->ev;
}

uint64_t loop_now_ms(const struct loop *l)
{
	return l->now_ms;
}

void loop_set_busy_poll(struct loop *l, uint64_t span_us)
{
	linger_init(&l->linger, span_us);
}

void loop_run(struct loop *l)
{
	ev_run(l->ev, 0);
}

void loop_step(struct loop *l, bool wait)
{
	l->in_vain = false;
	do
		ev_run(l->ev, wait ? EVRUN_ONCE : EVRUN_NOWAIT);
	while (wait && l->in_vain);
}

void loop_end(struct loop *l)
{
	ev_break(l->ev, EVBREAK_ALL);
}

void loop_wake(struct loop *l)
{
	ev_async_send(l->ev, &l->wake);
}
