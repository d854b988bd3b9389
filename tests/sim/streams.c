/* Connections of bytes: what is on its way from one end to the other. */

#include "sim/streams.h"

#include "base/check.h"
#include "base/mem.h"

#include <inttypes.h>
#include <string.h>

/* What did not get through is sent again after so long, then after twice as long, and so on. */
#define AGAIN_US     200000u
#define AGAIN_MAX_US 1600000u

/* The same for the question whether there may be a connection. */
#define DIAL_AGAIN_US 1000000u

/* Who only listens asks after so long whether the other one is still there. */
#define KEEPALIVE_US 12000000u

static bool is_cut(const struct world *w, const struct host *from, const struct host *to)
{
	return w->links[from->index][to->index].cut;
}

/* Whether what `from` says gets to a kernel at all. */
static bool gets_through(const struct world *w, const struct host *from, const struct host *to)
{
	return !is_cut(w, from, to) && !to->dark;
}

static uint64_t again_us(unsigned tries, uint64_t first_us)
{
	return MIN(first_us << MIN(tries, 10u), MAX(first_us, (uint64_t)AGAIN_MAX_US));
}

/* ---- ends ------------------------------------------------------------------------------------ */

static void segment_free(struct segment *g)
{
	list_remove(&g->link);
	mem_free(g);
}

static void end_drop_out(struct stream_end *e)
{
	list_for_each_safe (it, &e->out)
		segment_free(LIST_ITEM(it, struct segment, link));
	e->out_bytes = 0;
	world_cancel(e->stream->world, &e->arrives);
}

static void end_init(struct stream_end *e, struct stream *s, struct host *h)
{
	e->stream = s;
	e->host = h;
	list_init(&e->out);
	list_init(&e->backlog);
}

static void end_free(struct stream_end *e)
{
	end_drop_out(e);
	world_cancel(e->stream->world, &e->ready);
	list_remove(&e->backlog);
	buf_free(&e->in);
}

static void stream_free(struct stream *s)
{
	for (unsigned i = 0; i < 2; i++)
		end_free(&s->ends[i]);
	world_cancel(s->world, &s->opens);
	world_cancel(s->world, &s->forgets);
	list_remove(&s->link);
	mem_free(s);
}

void streams_close(struct world *w)
{
	list_for_each_safe (it, &w->streams)
		stream_free(LIST_ITEM(it, struct stream, link));
}

static bool end_is_over(const struct stream_end *e)
{
	return !e->wire && e->state != END_OPEN && list_empty(&e->out) && !e->arrives.node.place;
}

void stream_settle(struct stream *s)
{
	if (end_is_over(&s->ends[0]) && end_is_over(&s->ends[1]))
		stream_free(s);
}

static void end_fails(struct stream_end *e, const char *why);
static void stream_will_forget(struct stream *s);

/* The connection has failed at this end, and with it what is on its way from there. */
static void stream_fail(struct stream_end *e, const char *why)
{
	if (e->state > END_OPEN)
		return;
	end_drop_out(e);
	end_fails(e, why);
}

/* Whoever hears nothing finds out when it asks. */
static void stream_forgets(struct world *w, struct event *event)
{
	struct stream *s = CONTAINER_OF(event, struct stream, forgets);

	(void)w;
	for (unsigned i = 0; i < 2; i++) {
		struct stream_end *e = &s->ends[i];
		const struct stream_end *other = stream_other(e);

		if (e->state != END_OPEN || other->state < END_FAILED)
			continue;
		if (list_empty(&other->out))
			stream_fail(e, "connection timed out");
		else
			stream_will_forget(s);
	}
	stream_settle(s);
}

static void stream_will_forget(struct stream *s)
{
	if (!s->forgets.node.place)
		world_at(s->world, &s->forgets, s->world->now_us + KEEPALIVE_US, stream_forgets);
}

static void end_fails(struct stream_end *e, const char *why)
{
	TRACE(e->stream->world, e->host, "connection %" PRIu64 " fails: %s", e->stream->number,
	      why);
	e->state = END_FAILED;
	e->problem = why;
	list_remove(&e->backlog);
	stream_will_forget(e->stream);
	if (e->wire)
		stream_tell(e, 0);
}

void stream_lose(struct stream_end *e)
{
	e->wire = NULL;
	stream_fail(e, "its machine is gone");
	end_drop_out(e);
	e->state = END_LOST;
}

/* ---- on the way ------------------------------------------------------------------------------ */

static void segment_arrives(struct world *w, struct event *event);

size_t stream_room(struct stream_end *e)
{
	size_t taken = e->out_bytes + stream_other(e)->in.len - stream_other(e)->in_at;
	size_t window = e->stream->world->profile.window_bytes;

	return taken < window ? window - taken : 0;
}

static uint64_t arrival_us(struct stream_end *e, size_t len)
{
	struct world *w = e->stream->world;
	const struct profile *p = &w->profile;
	uint64_t at_us;

	e->busy_us = MAX(e->busy_us, w->now_us);
	if (p->bytes_per_s)
		e->busy_us += len * 1000000 / p->bytes_per_s;
	at_us = e->busy_us + network_delay_us(w, e->host, stream_other(e)->host);
	if (!w->calm && random_chance(&w->random, p->loss_ppm / 4)) {
		COUNT(w, FAULT_STREAM_LOSS);
		at_us += AGAIN_US;
	}
	e->last_us = MAX(e->last_us, at_us);
	return e->last_us;
}

void stream_put(struct stream_end *e, enum segment_kind kind, struct slice bytes)
{
	struct world *w = e->stream->world;
	struct segment *g = mem_alloc(sizeof(*g) + bytes.len);

	*g = (struct segment){.kind = kind, .len = bytes.len, .sent_us = w->now_us};
	if (bytes.len)
		memcpy(g->data, bytes.data, bytes.len);
	g->at_us = arrival_us(e, bytes.len);
	e->out_bytes += bytes.len;
	list_push_back(&e->out, &g->link);
	if (!e->arrives.node.place)
		world_at(w, &e->arrives, g->at_us, segment_arrives);
}

/* Sent again later; false: it was in vain for too long. */
static bool segment_waits(struct stream_end *e, const struct segment *g)
{
	struct world *w = e->stream->world;

	if (w->now_us - g->sent_us > STREAM_SILENCE_US)
		return false;
	world_at(w, &e->arrives, w->now_us + again_us(e->tries++, AGAIN_US), segment_arrives);
	return true;
}

static void segment_take(struct stream_end *to, struct segment *g)
{
	struct world *w = to->stream->world;

	if (g->kind == SEGMENT_RESET) {
		if (random_chance(&w->random, 500000))
			to->in_at = to->in.len;
		stream_fail(to, "connection reset by peer");
		return;
	}
	if (g->kind == SEGMENT_END) {
		to->in_over = true;
	} else {
		if (!w->calm && random_chance(&w->random, w->profile.corrupt_ppm)) {
			COUNT(w, FAULT_STREAM_CORRUPT);
			TRACE(w, to->host, "connection %" PRIu64 " brings a wrong byte",
			      to->stream->number);
			g->data[random_below(&w->random, g->len)] ^=
				(uint8_t)(1u << random_below(&w->random, 8));
		}
		buf_append(&to->in, g->data, g->len);
	}
	stream_tell(to, 0);
}

/* The first one has come through, or never will. */
static void segment_done(struct stream_end *e, struct segment *g)
{
	e->out_bytes -= g->len;
	e->tries = 0;
	segment_free(g);
	/* What was read before its arrival was known left no room yet. */
	if (e->wants_room)
		stream_tell(e, 0);
	if (!list_empty(&e->out)) {
		struct segment *next = LIST_ITEM(e->out.next, struct segment, link);

		world_at(e->stream->world, &e->arrives, next->at_us, segment_arrives);
	}
}

/* Nobody there knows of this connection: its kernel says so. */
static void segment_is_answered_by_nobody(struct stream_end *e)
{
	if (e->state <= END_OPEN)
		stream_fail(e, "connection reset by peer");
	else
		end_drop_out(e);
}

static void segment_arrives(struct world *w, struct event *event)
{
	struct stream_end *e = CONTAINER_OF(event, struct stream_end, arrives);
	struct stream_end *to = stream_other(e);
	struct stream *s = e->stream;
	struct segment *g = LIST_ITEM(e->out.next, struct segment, link);

	if (!g->arrived && gets_through(w, e->host, to->host)) {
		g->arrived = true;
		if (to->state == END_OPEN)
			segment_take(to, g);
		else if (!is_cut(w, to->host, e->host) && g->kind == SEGMENT_DATA) {
			segment_is_answered_by_nobody(e);
			stream_settle(s);
			return;
		}
	}
	if (g->arrived && !is_cut(w, to->host, e->host) && !to->host->dark) {
		segment_done(e, g);
	} else if (!segment_waits(e, g)) {
		if (e->state <= END_OPEN)
			stream_fail(e, "connection timed out");
		else
			end_drop_out(e);
	}
	stream_settle(s);
}

void stream_break(struct stream_end *e)
{
	stream_put(e, SEGMENT_RESET, (struct slice){0});
	end_fails(e, "connection reset by peer");
}

void stream_close(struct stream_end *e)
{
	bool unread = e->in_at < e->in.len;

	if (e->state <= END_OPEN && stream_other(e)->state <= END_OPEN) {
		if (e->state == END_OPENING || unread)
			end_drop_out(e);
		stream_put(e, e->state == END_OPENING || unread ? SEGMENT_RESET : SEGMENT_END,
			   (struct slice){0});
	}
	e->state = END_CLOSED;
	world_cancel(e->stream->world, &e->ready);
	list_remove(&e->backlog);
	stream_will_forget(e->stream);
	stream_settle(e->stream);
}

/* ---- dialling -------------------------------------------------------------------------------- */

static void stream_is_answered(struct world *w, struct event *event)
{
	struct stream *s = CONTAINER_OF(event, struct stream, opens);
	struct stream_end *e = &s->ends[0];

	if (!gets_through(w, s->ends[1].host, e->host) || e->state != END_OPENING)
		return;
	if (e->refused)
		stream_fail(e, "connection refused");
	else
		e->state = END_OPEN;
	if (e->wire)
		stream_tell(e, 0);
}

static void stream_is_asked(struct world *w, struct event *event)
{
	struct stream *s = CONTAINER_OF(event, struct stream, opens);
	struct host *from = s->ends[0].host, *to = s->ends[1].host;

	if (s->ends[0].state != END_OPENING)
		return;
	if (!gets_through(w, from, to) || is_cut(w, to, from)) {
		world_at(w, event, w->now_us + again_us(s->tries++, DIAL_AGAIN_US),
			 stream_is_asked);
		return;
	}
	s->ends[0].refused =
		to->state == HOST_DOWN || to->refuses_till_us > w->now_us || to->port != s->port;
	world_at(w, event, w->now_us + network_delay_us(w, to, from), stream_is_answered);
	if (s->ends[0].refused) {
		COUNT(w, STREAM_REFUSED);
	} else {
		s->ends[1].state = END_OPEN;
		stream_accept(&s->ends[1]);
	}
}

struct stream *stream_new(struct host *from, struct host *to, uint16_t port)
{
	struct world *w = from->world;
	struct stream *s = MEM_NEW(struct stream);

	s->world = w;
	s->number = ++w->stream_count;
	s->port = port;
	end_init(&s->ends[0], s, from);
	end_init(&s->ends[1], s, to);
	list_push_back(&w->streams, &s->link);
	world_at(w, &s->opens, w->now_us + network_delay_us(w, from, to), stream_is_asked);
	return s;
}
