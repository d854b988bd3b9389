#include "sim/watch_company.h"

#include "base/check.h"
#include "base/error.h"
#include "base/mem.h"
#include "consensus/label.h"
#include "peer/company.h"
#include "peer/peers_internal.h"
#include "sim/mode.h"
#include "sim/streams.h"

#include <inttypes.h>

/* Until then a connection that failed last with the faults has been found dead, and made anew. */
#define STANDS_AFTER_US 8000000u

/* What is prompt takes no longer, also where a big value takes some time. */
#define PROMPT_US 80000u

/* ---- what was said --------------------------------------------------------------------------- */

static struct frame_said *frames_slot(const struct frames_said *f, uint64_t hash)
{
	size_t at = (size_t)hash & (f->cap - 1);

	while (f->frames[at].hash && f->frames[at].hash != hash)
		at = (at + 1) & (f->cap - 1);
	return &f->frames[at];
}

static void frames_grow(struct frames_said *f)
{
	struct frames_said old = *f;

	f->cap = MAX(old.cap * 2, (size_t)4096);
	f->frames = mem_zalloc(f->cap, sizeof(*f->frames));
	for (size_t i = 0; i < old.cap; i++)
		if (old.frames[i].hash)
			*frames_slot(f, old.frames[i].hash) = old.frames[i];
	mem_free(old.frames);
}

static void frames_add(struct frames_said *f, struct frame_said said)
{
	struct frame_said *slot;

	if (f->count >= f->cap / 2)
		frames_grow(f);
	slot = frames_slot(f, said.hash);
	f->count += slot->hash == 0;
	*slot = said;
}

static const struct frame_said *frames_find(const struct frames_said *f, uint64_t hash)
{
	const struct frame_said *slot = f->cap ? frames_slot(f, hash) : NULL;

	return slot && slot->hash ? slot : NULL;
}

static uint64_t frame_salt(uint64_t from, uint64_t to, unsigned kind)
{
	return hash64_pair(hash64_pair(from, to), kind);
}

void watch_company_says(struct host *h, uint64_t to, const struct frame *frame)
{
	struct world *w = h->world;
	struct hash_stream *hash = company_peers(h->company)->hash;
	bool prompt = frame->kind == FRAME_RAFT && frame->count == 0;
	struct frame_said said = {.prompt_us = prompt ? w->now_us : 0};
	size_t len = frame->head.len;

	hash_stream_begin(hash, frame_salt(h->id, to, frame->kind));
	hash_stream_add(hash, frame->head);
	for (size_t i = 0; i < frame->count; i++) {
		hash_stream_add(hash, entry_payload(&frame->entries[i]));
		len += frame->entries[i].len;
	}
	h->seen.largest_frame = MAX(h->seen.largest_frame, len);
	said.hash = hash_stream_end(hash) | 1;
	frames_add(&w->frames_said, said);
}

/* Whether this host is there, and was for so long that its connections stand. */
static bool has_stood(const struct host *h)
{
	const struct world *w = h->world;

	return h->state == HOST_UP && !h->dying && w->calm &&
	       w->now_us > w->profile.calm_at_us + STANDS_AFTER_US &&
	       w->now_us > h->seen.started_us + STANDS_AFTER_US;
}

static void watch_prompt(struct host *h, uint64_t from, const struct frame_said *said)
{
	struct world *w = h->world;
	const struct host *other = host_by_id(w, from);

	if (!said->prompt_us || !other || !has_stood(h) || !has_stood(other))
		return;
	COUNT(w, CHECK_PROMPT);
	if (w->now_us - said->prompt_us > PROMPT_US)
		world_fail(w, "%s hears after %" PRIu64 " ms what %s said to be prompt", h->name,
			   (w->now_us - said->prompt_us) / 1000, other->name);
}

static void watch_said(struct host *h, uint64_t from, unsigned kind, const struct blob *body)
{
	struct world *w = h->world;
	struct slice bytes = slice_of(body->data, body->len);
	uint64_t to_id = hash64_salted(bytes, frame_salt(from, h->id, kind)) | 1;
	uint64_t to_name = hash64_salted(bytes, frame_salt(from, 0, kind)) | 1;
	const struct frame_said *said = frames_find(&w->frames_said, to_id);

	COUNT(w, CHECK_SAID);
	if (!said)
		said = frames_find(&w->frames_said, to_name);
	if (said)
		watch_prompt(h, from, said);
	else
		world_fail(w, "%s hears from %016" PRIx64 " what that one never said to it",
			   h->name, from);
}

/* ---- connections ----------------------------------------------------------------------------- */

static struct newest_heard *newest_of(struct host *h, const struct stream *s)
{
	struct newest_heard *free = NULL;

	for (size_t i = 0; i < ARRAY_LEN(h->seen.newest); i++) {
		struct newest_heard *n = &h->seen.newest[i];

		if (n->id == s->id && n->channel == s->channel)
			return n;
		if (!free || n->stream < free->stream)
			free = n;
	}
	/* Who was heard longest ago has gone. */
	*free = (struct newest_heard){.id = s->id, .channel = s->channel};
	return free;
}

static void watch_newest(struct host *h)
{
	const struct stream *s = h->heard;
	struct newest_heard *n;

	if (!s)
		return;
	COUNT(h->world, CHECK_NEWEST);
	n = newest_of(h, s);
	if (s->number < n->stream)
		world_fail(h->world,
			   "%s still hears connection %" PRIu64 " although %" PRIu64 " stands",
			   h->name, s->number, n->stream);
	n->stream = s->number;
}

static void company_receive(void *ctx, uint64_t from, unsigned kind, struct blob *body)
{
	struct host *h = ctx;
	const struct host *asks = host_by_id(h->world, from);

	watch_said(h, from, kind, body);
	watch_newest(h);
	if (kind == FRAME_FETCH && asks)
		watch_question(h, asks, body);
	h->seen.to->receive(h->seen.to->ctx, from, kind, body);
}

static void company_connected(void *ctx, uint64_t id)
{
	struct host *h = ctx;

	COUNT(h->world, HINT_CONNECTED);
	h->seen.to->connected(h->seen.to->ctx, id);
}

static void company_gone(void *ctx, uint64_t id)
{
	struct host *h = ctx;

	COUNT(h->world, HINT_GONE);
	if (!h->refused_by)
		world_fail(h->world, "%s takes %016" PRIx64 " for gone, and nobody refused it",
			   h->name, id);
	h->seen.to->gone(h->seen.to->ctx, id);
}

/* Who asks who takes part hears where they are, and not where they were. */
static void watch_joined(struct host *h, struct slice answer)
{
	const struct peers *p = company_peers(h->company);
	struct membership m = {0};
	struct peer_joined joined;
	struct buf place = {0};

	answer = slice_of(answer.data + PEER_FRAME_HEAD, answer.len - PEER_FRAME_HEAD);
	CHECK(peer_joined_decode(answer, &joined) == OK);
	CHECK(membership_decode(joined.membership, &m) == OK);
	for (size_t i = 0; i < p->count; i++) {
		const struct peer *peer = p->list[i];
		const struct participant *found = membership_find(&m, peer->id);

		if (!found || !peer_stays(peer) || peer->links[PEER_PROMPT].state != LINK_UP)
			continue;
		COUNT(h->world, CHECK_WHERE);
		buf_clear(&place);
		label_put_address(slice_of_text(peer->host), peer->port, &place);
		if (!slice_equal(label_place(label_of_member(found).address), buf_slice(&place)))
			world_fail(h->world, "%s is connected to %s at %s:%u and says otherwise",
				   h->name, peer->name, peer->host, peer->port);
	}
	membership_free(&m);
	buf_free(&place);
}

static bool company_join(void *ctx, const struct peer_join *join, struct buf *answer,
			 struct buf *why)
{
	struct host *h = ctx;
	bool may = h->seen.to->join(h->seen.to->ctx, join, answer, why);

	if (may)
		watch_joined(h, buf_slice(answer));
	return may;
}

void watch_company_started(struct host *h)
{
	struct peers *p = company_peers(h->company);

	h->seen = (struct company_seen){.to = p->events};
	h->seen.events = (struct peers_events){
		.ctx = h,
		.receive = company_receive,
		.connected = company_connected,
		.gone = company_gone,
		.join = company_join,
	};
	p->events = &h->seen.events;
	h->seen.started_us = h->world->now_us;
	h->seen.removed_count = driver_settled_membership(h->driver)->removed_count;
	h->seen.removed_us = h->world->now_us;
}

/* ---- turns ----------------------------------------------------------------------------------- */

static void watch_queue(struct host *h, const struct peer_link *l)
{
	size_t queued = l->out.queued, most = h->world->profile.queued_bytes;

	/* One that is too large goes when nothing else waits. */
	if (queued > most && queued > h->seen.largest_frame + PEER_FRAME_HEAD)
		world_fail(h->world, "%zu bytes wait at %s for %s, and %zu may", queued, h->name,
			   l->peer->name, most);
}

void watch_company_turn(struct host *h)
{
	size_t removed = driver_settled_membership(h->driver)->removed_count;
	struct peers *p = company_peers(h->company);

	if (removed != h->seen.removed_count) {
		h->seen.removed_count = removed;
		h->seen.removed_us = h->world->now_us;
	}
	COUNT(h->world, CHECK_QUEUE);
	for (size_t i = 0; i < p->count; i++)
		for (unsigned channel = 0; channel < PEER_CHANNELS; channel++)
			watch_queue(h, &p->list[i]->links[channel]);
}

/* ---- leaders --------------------------------------------------------------------------------- */

static bool leads(const struct host *h, uint64_t term)
{
	struct raft_status s;

	driver_status(h->driver, &s);
	return s.role == RAFT_LEADER && s.term == term && !s.transferring;
}

static void watch_leader(struct host *h, const struct raft_status *status)
{
	struct world *w = h->world;
	struct host *leader = host_by_id(w, h->seen.leader);

	if (status->role != RAFT_PRE_CANDIDATE || status->term != h->seen.term || !leader ||
	    leader == h)
		return;
	if (!has_stood(h) || !has_stood(leader) || !leads(leader, status->term) ||
	    !membership_votes(driver_membership(leader->driver), h->id))
		return;
	world_fail(w, "%s misses its leader %s, which is there", h->name, leader->name);
}

void watch_company_changed(struct host *h, const struct raft_status *status)
{
	COUNT(h->world, CHECK_LEADER_HEARD);
	watch_leader(h, status);
	if (status->leader) {
		h->seen.leader = status->leader;
		h->seen.term = status->term;
	}
}

/* ---- the end --------------------------------------------------------------------------------- */

/* A connection that has to stand by now and does not, or NULL. */
static const struct peer_link *link_missing(struct host *h)
{
	struct peers *p = company_peers(h->company);

	for (size_t i = 0; i < p->count; i++) {
		const struct peer *peer = p->list[i];
		struct host *other = host_by_id(h->world, peer->id);

		if (!peer_stays(peer) || !other || !has_stood(other) || !host_takes_part(other))
			continue;
		for (unsigned channel = 0; channel < PEER_CHANNELS; channel++)
			if (peer->links[channel].state != LINK_UP)
				return &peer->links[channel];
	}
	return NULL;
}

static void watch_links(struct host *h)
{
	struct world *w = h->world;
	struct peers *p = company_peers(h->company);
	const struct peer_link *missing = link_missing(h);

	COUNT(w, CHECK_LINKS);
	if (missing)
		world_fail(w, "%s has no connection %u to %s although the faults are over", h->name,
			   (unsigned)missing->channel, missing->peer->name);
	list_for_each (it, &p->strangers) {
		const struct peer_inlet *in = LIST_ITEM(it, struct peer_inlet, link);

		if (peer_timers_now_ms(&p->timers) > in->patience.due_ms + 1000)
			world_fail(w, "%s keeps a connection on which nobody says anything",
				   h->name);
	}
}

void watch_company_describe(struct host *h)
{
	struct peers *p = h->company ? company_peers(h->company) : NULL;
	struct buf text = {0};

	if (!p)
		return;
	for (size_t i = 0; i < p->count; i++) {
		const struct peer *peer = p->list[i];

		buf_printf(&text, " %s(%016" PRIx64 ")@%s:%d%d%d%s", peer->name, peer->id,
			   peer->host, (int)peer->links[0].state, (int)peer->links[1].state,
			   (int)peer->links[2].state, peer_stays(peer) ? "" : "-");
	}
	TRACE(h->world, h, "connections%.*s", (int)text.len, (const char *)text.data);
	buf_free(&text);
}

/* One of which nobody knew that it had ended may have been found out just now. */
bool watch_company_waits(struct world *w)
{
	for (unsigned i = 0; i < w->host_count; i++) {
		struct host *h = &w->hosts[i];

		if (h->company && has_stood(h) && host_takes_part(h) && link_missing(h))
			return true;
	}
	return false;
}

void watch_company_end(struct world *w)
{
	for (unsigned i = 0; i < w->host_count; i++) {
		struct host *h = &w->hosts[i];

		if (h->company && has_stood(h) && host_takes_part(h))
			watch_links(h);
	}
}

void watch_company_close(struct world *w)
{
	mem_free(w->frames_said.frames);
}
