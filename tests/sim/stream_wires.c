/* Wires of processes on hosts: what a kernel does for them, and when they are told. */

#include "sim/streams.h"

#include "base/check.h"
#include "base/mem.h"
#include "peer/company.h"
#include "peer/peer_frame.h"

#include <string.h>

static struct stream_wire *wire_of(struct wire *w)
{
	return CONTAINER_OF(w, struct stream_wire, wire);
}

/* ---- telling --------------------------------------------------------------------------------- */

static bool end_is_readable(const struct stream_end *e)
{
	return e->in_at < e->in.len || e->in_over || e->state == END_FAILED;
}

static bool end_has_news(struct stream_end *e)
{
	return e->wire &&
	       (!e->told_open || end_is_readable(e) || (e->wants_room && stream_room(e) > 0));
}

/* One thing at a time, as a loop does; the end may be gone afterwards. */
static void end_tell_one(struct stream_end *e)
{
	const struct wire_events *events = e->wire->wire.events;
	void *ctx = e->wire->wire.ctx;

	if (e->told_open && end_is_readable(e)) {
		events->readable(ctx);
	} else if (e->told_open) {
		e->wants_room = false;
		events->writable(ctx);
	} else if (e->state == END_OPEN) {
		e->told_open = true;
		events->opened(ctx);
	} else if (e->state == END_FAILED) {
		const char *why = e->problem;
		bool refused = e->refused;

		wire_close(&e->wire->wire);
		events->failed(ctx, why, refused);
	}
}

static void end_is_ready(struct world *w, struct event *event)
{
	struct stream_end *e = CONTAINER_OF(event, struct stream_end, ready);
	struct host *h = e->host;

	(void)w;
	if (h->state != HOST_UP || h->dying || !end_has_news(e))
		return;
	if (!e->told_open && e->state == END_OPENING)
		return;
	if (e->state != END_FAILED && end_is_readable(e) && (!e->told_open || e->wants_room))
		stream_tell(e, 1);
	h->heard = e->stream;
	h->refused_by = e->refused ? stream_other(e)->host : NULL;
	end_tell_one(e);
	h->heard = NULL;
	h->refused_by = NULL;
	host_after(h);
}

void stream_tell(struct stream_end *e, uint64_t after_us)
{
	struct world *w = e->stream->world;
	uint64_t at_us = w->now_us + after_us;

	if (e->ready.node.place && e->ready.at_us <= at_us)
		return;
	world_cancel(w, &e->ready);
	world_at(w, &e->ready, at_us, end_is_ready);
}

/* ---- bytes ----------------------------------------------------------------------------------- */

static ssize_t end_has_failed(struct stream_end *e)
{
	e->wire->wire.problem = e->problem;
	return -1;
}

static size_t vector_len(const struct iovec *v, int count)
{
	size_t len = 0;

	for (int i = 0; i < count; i++)
		len += v[i].iov_len;
	return len;
}

/* Mostly all, and sometimes as little as one byte. */
static size_t draw_len(struct world *w, size_t most)
{
	return random_chance(&w->random, 940000) ? most : 1 + random_below(&w->random, most);
}

static ssize_t stream_read(struct wire *wire, const struct iovec *to, int count)
{
	struct stream_end *e = wire_of(wire)->end;
	size_t len = MIN(vector_len(to, count), e->in.len - e->in_at), left;

	if (len == 0 && e->state == END_FAILED)
		return end_has_failed(e);
	if (len == 0 && e->in_over)
		wire->problem = "it closed the connection";
	if (len == 0)
		return e->in_over ? -1 : 0;
	left = len = draw_len(e->stream->world, len);
	for (int i = 0; left > 0; i++) {
		size_t part = MIN(to[i].iov_len, left);

		memcpy(to[i].iov_base, e->in.data + e->in_at, part);
		e->in_at += part;
		left -= part;
	}
	if (e->in_at == e->in.len) {
		buf_clear(&e->in);
		e->in_at = 0;
	}
	if (end_is_readable(e))
		stream_tell(e, random_below(&e->stream->world->random, 20));
	if (stream_other(e)->wants_room)
		stream_tell(stream_other(e), e->stream->world->profile.delay_us);
	return (ssize_t)len;
}

/* Who says what it is at the beginning; the greeting is written at once. */
static void stream_note_greeting(struct stream *s, struct slice bytes)
{
	struct peer_hello hello;
	uint16_t version;

	if (s->greeted || bytes.len < PEER_FRAME_HEAD)
		return;
	s->greeted = true;
	bytes = slice_of(bytes.data + PEER_FRAME_HEAD, bytes.len - PEER_FRAME_HEAD);
	if (peer_hello_decode(bytes, &hello, &version) != OK)
		return;
	s->id = hello.id;
	s->channel = hello.channel;
}

static ssize_t stream_write(struct wire *wire, const struct iovec *from, int count)
{
	struct stream_end *e = wire_of(wire)->end;
	struct world *w = e->stream->world;
	size_t wanted = vector_len(from, count), len = MIN(wanted, stream_room(e));
	struct buf bytes = {0};

	if (e->state == END_FAILED)
		return end_has_failed(e);
	/* The least that a connection takes at once when nothing is under way. */
	if (len > STREAM_WINDOW_MIN)
		len = MAX(draw_len(w, len), STREAM_WINDOW_MIN);
	for (int i = 0; bytes.len < len; i++)
		buf_append(&bytes, from[i].iov_base, MIN(from[i].iov_len, len - bytes.len));
	if (e == &e->stream->ends[0])
		stream_note_greeting(e->stream, buf_slice(&bytes));
	if (!w->calm && len && random_chance(&w->random, w->profile.reset_ppm)) {
		COUNT(w, FAULT_STREAM_RESET);
		bytes.len = 1 + random_below(&w->random, len);
		stream_put(e, SEGMENT_DATA, buf_slice(&bytes));
		stream_break(e);
	} else if (len) {
		stream_put(e, SEGMENT_DATA, buf_slice(&bytes));
	}
	buf_free(&bytes);
	e->wants_room = len < wanted;
	if (e->wants_room && stream_room(e))
		stream_tell(e, 1);
	return (ssize_t)len;
}

/* ---- connections ----------------------------------------------------------------------------- */

static void stream_dial(struct wire *wire)
{
	struct stream_wire *s = wire_of(wire);

	CHECK(!s->end && s->target);
	s->end = &stream_new(s->host, s->target, s->port)->ends[0];
	s->end->wire = s;
}

static void stream_move_on(struct wire *wire)
{
	(void)wire;
}

static void stream_wire_close(struct wire *wire)
{
	struct stream_wire *s = wire_of(wire);
	struct stream_end *e = s->end;

	if (!e)
		return;
	s->end = NULL;
	e->wire = NULL;
	stream_close(e);
}

static void stream_wire_free(struct wire *wire)
{
	stream_wire_close(wire);
	mem_free(wire_of(wire));
}

static void stream_describe(struct wire *wire, struct buf *out)
{
	buf_printf(out, "%s", stream_other(wire_of(wire)->end)->host->name);
}

static struct stream_wire *stream_wire_new(struct wires *wires)
{
	struct stream_wire *s = MEM_NEW(struct stream_wire);

	s->wire.wires = wires;
	s->host = CONTAINER_OF(wires, struct host, wires);
	return s;
}

static struct wire *stream_make(struct wires *wires, struct slice host, uint16_t port)
{
	struct stream_wire *s = stream_wire_new(wires);

	s->port = port;
	s->target = host_by_name(s->host->world, host);
	return &s->wire;
}

static const struct wires_ops stream_ops = {
	.make = stream_make,
	.dial = stream_dial,
	.move_on = stream_move_on,
	.read = stream_read,
	.write = stream_write,
	.close = stream_wire_close,
	.free = stream_wire_free,
	.describe = stream_describe,
};

void stream_wires_init(struct host *h)
{
	h->wires.ops = &stream_ops;
	list_init(&h->backlog);
}

/* ---- hosts ----------------------------------------------------------------------------------- */

/* The process takes what its kernel has accepted. */
static void end_is_accepted(struct stream_end *e)
{
	struct host *h = e->host;
	struct stream_wire *s = stream_wire_new(&h->wires);

	list_remove(&e->backlog);
	s->end = e;
	e->wire = s;
	e->told_open = true;
	peers_accept(company_peers(h->company), &s->wire);
	host_after(h);
}

void stream_accept(struct stream_end *e)
{
	list_push_back(&e->host->backlog, &e->backlog);
	if (e->host->state == HOST_UP && !e->host->dying)
		end_is_accepted(e);
}

void streams_resume(struct host *h)
{
	struct world *w = h->world;

	while (!list_empty(&h->backlog))
		end_is_accepted(LIST_ITEM(h->backlog.next, struct stream_end, backlog));
	list_for_each (it, &w->streams) {
		struct stream *s = LIST_ITEM(it, struct stream, link);

		for (unsigned i = 0; i < 2; i++)
			if (s->ends[i].host == h && end_has_news(&s->ends[i]))
				stream_tell(&s->ends[i], 0);
	}
}

void streams_drop(struct host *h, bool power)
{
	struct world *w = h->world;

	list_for_each_safe (it, &w->streams) {
		struct stream *s = LIST_ITEM(it, struct stream, link);

		for (unsigned i = 0; i < 2; i++) {
			struct stream_end *e = &s->ends[i];

			if (e->host == h && power && e->wire)
				e->wire->end = NULL;
			if (e->host == h && power)
				stream_lose(e);
		}
		if (power)
			stream_settle(s);
	}
	while (!list_empty(&h->backlog))
		stream_close(LIST_ITEM(h->backlog.next, struct stream_end, backlog));
}

void streams_break(struct host *h)
{
	list_for_each (it, &h->world->streams) {
		struct stream *s = LIST_ITEM(it, struct stream, link);

		if (s->ends[1].host != h || s->ends[0].state != END_OPEN)
			continue;
		stream_break(&s->ends[0]);
	}
}
