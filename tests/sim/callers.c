/* Connections: opened, used, left, cut. */

#include "sim/callers.h"

#include "base/check.h"
#include "base/error.h"
#include "base/mem.h"
#include "node/session.h"

#include <inttypes.h>

/* Whoever hears nothing for so long tries another member, as long as faults go on. */
#define PATIENCE_US 6000000

static void caller_acts(struct world *w, struct event *e);
static void caller_arrives(struct world *w, struct event *e);
static void caller_hears(struct world *w, struct event *e);

static uint64_t trip_us(struct world *w)
{
	return 50 + random_below(&w->random, 500);
}

/* ---- what was asked -------------------------------------------------------------------------- */

static void asked_free(struct caller *c, struct asked *a)
{
	list_remove(&a->link);
	c->asked_count--;
	buf_free(&a->bytes);
	mem_free(a);
}

static struct asked *asked_first(struct caller *c)
{
	return list_empty(&c->asked) ? NULL : LIST_ITEM(c->asked.next, struct asked, link);
}

/* Nobody will ever say what became of these. */
static void caller_forget(struct caller *c)
{
	struct asked *a;

	while ((a = asked_first(c)) != NULL) {
		COUNT(c->world, ANSWER_UNKNOWN);
		asked_free(c, a);
	}
	world_cancel(c->world, &c->arrives);
	world_cancel(c->world, &c->hears);
	buf_clear(&c->heard);
	c->host = NULL;
}

/* ---- the connection -------------------------------------------------------------------------- */

static void on_output(void *ctx)
{
	struct caller *c = ctx;
	struct buf *out = session_output(c->session);

	if (c->host->dying)
		return;
	buf_append_slice(&c->heard, buf_slice(out));
	buf_clear(out);
	if (!c->hears.node.place)
		world_at(c->world, &c->hears, c->world->now_us + trip_us(c->world), caller_hears);
}

static void on_resume(void *ctx)
{
	struct caller *c = ctx;

	if (!c->arrives.node.place)
		world_at(c->world, &c->arrives, c->world->now_us, caller_arrives);
}

static const struct session_events caller_session_events = {on_output, on_resume};

static void caller_connects(struct caller *c)
{
	struct world *w = c->world;
	struct host *leader = world_leader(w);
	struct host *h = &w->hosts[random_below(&w->random, w->host_count)];
	char address[24];

	if (leader && random_chance(&w->random, 300000))
		h = leader;
	if (h->state != HOST_UP || h->dying || (w->calm && !host_takes_part(h)))
		return;
	COUNT(w, CALLER_CONNECTED);
	c->host = h;
	c->session = session_open(h->member, &caller_session_events, c);
	c->own = (struct own_keys){.number = ++w->callers->connections};
	snprintf(address, sizeof(address), "p%" PRIu64, c->own.number);
	session_set_address(c->session, slice_of_text(address));
	TRACE(w, h, "client %u connects, its number %" PRIu64, c->number, c->own.number);
}

static void caller_leaves(struct caller *c)
{
	TRACE(c->world, c->host, "client %u leaves with %zu requests", c->number, c->asked_count);
	if (c->asked_count)
		COUNT(c->world, CALLER_LEFT);
	if (c->session)
		session_close(c->session);
	c->session = NULL;
	caller_forget(c);
}

/* The member's process is gone. What it had sent before still comes. */
void callers_cut(struct host *h)
{
	struct world *w = h->world;

	for (unsigned i = 0; w->callers && i < w->profile.clients; i++) {
		struct caller *c = &w->callers->all[i];

		if (c->host != h || !c->session)
			continue;
		c->session = NULL;
		if (c->asked_count)
			COUNT(w, CALLER_CUT);
		if (!c->hears.node.place)
			caller_forget(c);
	}
}

/* ---- requests -------------------------------------------------------------------------------- */

static void caller_asks(struct caller *c)
{
	struct world *w = c->world;
	struct asked *a = MEM_NEW(struct asked);

	list_init(&a->link);
	list_push_back(&c->asked, &a->link);
	c->asked_count++;
	a->work = work_draw(w);
	a->asked_us = w->now_us;
	w->counts.n[a->work->count]++;
	w->counts.client_ops++;
	a->work->ask(c, a);
	TRACE(w, c->host, "client %u asks: %s, key %" PRIu64 ", value %" PRIu64, c->number,
	      a->work->name, a->key, a->value);
	if (!c->arrives.node.place)
		world_at(w, &c->arrives, w->now_us + trip_us(w), caller_arrives);
}

static void asked_hand(struct caller *c, struct asked *a)
{
	struct slice argv[REQUEST_WORDS_MAX];
	size_t at = 0;

	for (size_t i = 0; i < a->argc; i++) {
		argv[i] = slice_of(a->bytes.data + at, a->ends[i] - at);
		at = a->ends[i];
	}
	a->handed = true;
	session_request(c->session, argv, a->argc);
}

static void caller_arrives(struct world *w, struct event *e)
{
	struct caller *c = CONTAINER_OF(e, struct caller, arrives);
	struct host *h = c->host;

	if (!c->session)
		return;
	if (h->state == HOST_PAUSED) {
		world_at(w, &c->arrives, w->now_us + 20000, caller_arrives);
		return;
	}
	list_for_each_safe (it, &c->asked) {
		struct asked *a = LIST_ITEM(it, struct asked, link);

		if (a->handed)
			continue;
		if (session_is_full(c->session)) {
			COUNT(w, CALLER_FULL);
			break;
		}
		asked_hand(c, a);
	}
	host_after(h);
}

static void caller_hears_one(struct caller *c, struct slice bytes)
{
	struct world *w = c->world;
	struct asked *a = asked_first(c);
	struct reply r = reply_take(&bytes);

	if (!a || !a->handed) {
		world_fail(w, "client %u gets an answer to nothing", c->number);
		return;
	}
	TRACE(w, c->host,
	      "client %u hears of %s, key %" PRIu64 ", value %" PRIu64 ": %c%.*s%" PRId64,
	      c->number, a->work->name, a->key, a->value, r.type, (int)MIN(r.text.len, 60u),
	      r.text.data ? (const char *)r.text.data : "", r.number);
	COUNT(w, CHECK_ORDER);
	a->work->hear(c, a, &r, bytes);
	asked_free(c, a);
}

static void caller_hears(struct world *w, struct event *e)
{
	struct caller *c = CONTAINER_OF(e, struct caller, hears);

	while (!w->done && c->heard.len > 0) {
		size_t size = reply_size(buf_slice(&c->heard));

		if (size == SIZE_MAX)
			world_fail(w, "client %u cannot read what it gets", c->number);
		if (size == 0 || size == SIZE_MAX)
			break;
		caller_hears_one(c, slice_of(c->heard.data, size));
		buf_consume(&c->heard, size);
	}
	if (!c->session)
		caller_forget(c);
}

/* ---- what it does next ----------------------------------------------------------------------- */

/* In the end all that take part must answer; with the others nobody stays. */
static bool caller_loses_patience(struct caller *c)
{
	const struct asked *a = asked_first(c);

	if (c->world->calm)
		return !host_takes_part(c->host);
	return a && a->asked_us + PATIENCE_US < c->world->now_us;
}

static void caller_acts(struct world *w, struct event *e)
{
	struct caller *c = CONTAINER_OF(e, struct caller, acts);
	const struct profile *p = &w->profile;

	world_at(w, e, w->now_us + random_below(&w->random, p->think_us), caller_acts);
	if (w->quiet && c->session && caller_loses_patience(c))
		caller_leaves(c);
	if (w->quiet)
		return;
	if (!c->host) {
		caller_connects(c);
		return;
	}
	if (!c->session)
		return; /* it has not noticed yet */
	if (caller_loses_patience(c) || random_chance(&w->random, p->leave_ppm)) {
		caller_leaves(c);
		return;
	}
	if (c->asked_count > 2 * (size_t)p->burst)
		return;
	for (uint64_t n = random_between(&w->random, 1, p->burst); n > 0; n--)
		caller_asks(c);
}

void callers_start(struct world *w)
{
	w->callers = MEM_NEW(struct callers);
	w->callers->all = mem_zalloc(w->profile.clients, sizeof(*w->callers->all));
	for (unsigned i = 0; i < w->profile.clients; i++) {
		struct caller *c = &w->callers->all[i];

		c->world = w;
		c->number = i;
		list_init(&c->asked);
		world_at(w, &c->acts, random_below(&w->random, w->profile.think_us), caller_acts);
	}
}

/* The sessions went with their members. */
void callers_close(struct world *w)
{
	for (unsigned i = 0; w->callers && i < w->profile.clients; i++) {
		struct caller *c = &w->callers->all[i];

		while (asked_first(c))
			asked_free(c, asked_first(c));
		buf_free(&c->heard);
	}
	if (w->callers) {
		buf_free(&w->callers->changes);
		mem_free(w->callers->written);
		mem_free(w->callers->all);
	}
	mem_free(w->callers);
}

bool callers_wait(struct world *w)
{
	for (unsigned i = 0; i < w->profile.clients; i++)
		if (w->callers->all[i].asked_count)
			return true;
	return false;
}

void callers_watch_answered(struct world *w)
{
	for (unsigned i = 0; i < w->profile.clients; i++) {
		struct caller *c = &w->callers->all[i];
		const struct asked *a = asked_first(c);

		if (a)
			world_fail(w,
				   "client %u has waited for its %s on %s for %" PRIu64
				   " ms although the faults are over",
				   c->number, a->work->name, c->host->name,
				   (w->now_us - a->asked_us) / 1000);
	}
}
