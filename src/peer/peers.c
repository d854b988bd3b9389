#include "peer/peers.h"

#include "base/check.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/mutant.h"
#include "consensus/label.h"
#include "peer/peers_internal.h"

struct peer *peers_find(struct peers *p, struct slice name)
{
	for (size_t i = 0; i < p->count; i++)
		if (peer_stays(p->list[i]) && slice_equal(name, slice_of_text(p->list[i]->name)))
			return p->list[i];
	return NULL;
}

/* Who leaves is found as long as nobody else has its id. */
struct peer *peers_find_id(const struct peers *p, uint64_t id)
{
	struct peer *leaving = NULL;

	for (size_t i = 0; i < p->count; i++) {
		if (p->list[i]->id != id || p->list[i]->guess)
			continue;
		if (peer_stays(p->list[i]))
			return p->list[i];
		leaving = p->list[i];
	}
	return leaving;
}

struct peer *peer_add(struct peers *p, const struct peers_place *place)
{
	struct peer *peer = MEM_NEW(struct peer);

	peer->owner = p;
	peer->name = slice_to_text(place->name);
	peer->host = slice_to_text(place->host);
	peer->port = place->port;
	peer->id = place->id;
	peer->fixed = place->id != 0;
	MEM_GROW(p->list, p->cap, p->count + 1);
	p->list[p->count++] = peer;
	for (unsigned channel = 0; channel < PEER_CHANNELS; channel++)
		peer_link_init(&peer->links[channel], peer, (enum peer_channel)channel);
	return peer;
}

static void inlets_free(struct list *inlets, const struct peer *of)
{
	list_for_each_safe (it, inlets) {
		struct peer_inlet *in = LIST_ITEM(it, struct peer_inlet, link);

		if (!of || in->peer == of)
			peer_inlet_free(in);
	}
}

static void peer_free(struct peer *peer)
{
	for (unsigned channel = 0; channel < PEER_CHANNELS; channel++)
		peer_link_close(&peer->links[channel]);
	inlets_free(&peer->owner->inlets, peer);
	mem_free(peer->name);
	mem_free(peer->host);
	peer_place_forget(&peer->told);
	peer_place_forget(&peer->said);
	peer_place_forget(&peer->said_before);
	mem_free(peer);
}

struct peers *peers_new(const struct peers_options *options, const struct peers_events *events)
{
	struct peers *p = MEM_NEW(struct peers);

	p->options = *options;
	p->events = events;
	p->token = peer_token(slice_of_text(options->token));
	p->hash = hash_stream_new();
	peer_timers_init(&p->timers, options->clock);
	list_init(&p->dirty);
	list_init(&p->inlets);
	list_init(&p->strangers);
	for (size_t i = 0; i < options->place_count; i++)
		if (!slice_equal(options->places[i].name, slice_of_text(options->name)))
			peer_add(p, &options->places[i]);
	return p;
}

void peers_free(struct peers *p)
{
	if (!p)
		return;
	inlets_free(&p->inlets, NULL);
	inlets_free(&p->strangers, NULL);
	for (size_t i = 0; i < p->count; i++)
		peer_free(p->list[i]);
	peer_timers_close(&p->timers);
	hash_stream_free(p->hash);
	buf_free(&p->stranger);
	mem_free(p->list);
	mem_free(p);
}

/* Those whose time has come. */
static void peers_reap(struct peers *p)
{
	uint64_t now = peer_timers_now_ms(&p->timers);

	for (size_t i = p->count; i-- > 0;) {
		struct peer *peer = p->list[i];

		if (!peer->leaves_ms || now < peer->leaves_ms || MUTANT(removed_stays_known))
			continue;
		if (!peer->guess)
			LOG(p->options.logger, LOG_NOTICE, "%s at %s:%u is left", peer->name,
			    peer->host, peer->port);
		p->list[i] = p->list[--p->count];
		peer_free(peer);
	}
}

/* ---- frames ---------------------------------------------------------------------------------- */

void peers_accept(struct peers *p, struct wire *wire)
{
	/* Whoever says nothing makes room for whoever may have something to say. */
	if (p->stranger_count == PEER_STRANGERS_MAX)
		peer_inlet_free(LIST_ITEM(p->strangers.next, struct peer_inlet, link));
	peer_inlet_new(p, wire);
}

/*
 * What consensus says without entries is small and prompt, and rows of a state are as many as there
 * are. All else goes one way, in order: were small appends to overtake large ones, the receiver
 * would refuse them and they would be sent once more.
 */
static enum peer_channel channel_of(const struct frame *frame)
{
	if (frame->kind == FRAME_RAFT && frame->count == 0 && !MUTANT(prompt_behind_bulk))
		return PEER_PROMPT;
	return frame->kind == FRAME_ROWS ? PEER_STATE : PEER_BULK;
}

static void peer_send(struct peer *peer, const struct frame *frame)
{
	peer_link_send(&peer->links[channel_of(frame)], frame);
}

void peers_send(struct peers *p, uint64_t to, const struct frame *frame)
{
	struct peer *peer = to ? peers_find_id(p, to) : NULL;

	if (peer)
		peer_send(peer, frame);
}

void peers_send_to_name(struct peers *p, struct slice name, const struct frame *frame)
{
	struct peer *peer = peers_find(p, name);

	if (peer)
		peer_send(peer, frame);
}

void peers_turn(struct peers *p)
{
	peer_timers_fire(&p->timers);
}

uint64_t peers_deadline_ms(const struct peers *p)
{
	return peer_timers_due_ms(&p->timers);
}

void peers_flush(struct peers *p)
{
	struct list *node;

	while ((node = list_pop_front(&p->dirty)) != NULL)
		peer_link_flush(LIST_ITEM(node, struct peer_link, dirty));
	peers_reap(p);
}

void peers_set_leaderless(struct peers *p, bool leaderless)
{
	p->leaderless = leaderless;
}

void peers_set_newcomer(struct peers *p, bool newcomer)
{
	p->newcomer = newcomer;
}

void peers_set_queued_bytes(struct peers *p, size_t bytes)
{
	p->options.queued_bytes = bytes;
}

const char *peers_name_of(const struct peers *p, uint64_t id)
{
	const struct peer *peer = id ? peers_find_id(p, id) : NULL;

	return peer ? peer->name : NULL;
}

bool peers_draw(const struct peers *p, struct buf *address)
{
	size_t count = p->count + (p->stranger.len > 0);
	size_t first = count ? random_below(p->options.random, count) : 0;

	buf_clear(address);
	for (size_t i = 0; i < count && address->len == 0; i++) {
		size_t at = (first + i) % count;
		const struct peer *peer = at < p->count ? p->list[at] : NULL;

		if (!peer)
			buf_append_slice(address, buf_slice(&p->stranger));
		else if (peer_stays(peer) && *peer->host)
			label_put_address(slice_of_text(peer->host), peer->port, address);
	}
	return address->len > 0;
}

size_t peers_count(const struct peers *p)
{
	size_t staying = 0;

	for (size_t i = 0; i < p->count; i++)
		staying += peer_stays(p->list[i]);
	return staying;
}

ssize_t peer_read(struct peers *p, struct peer_reader *r, struct wire *wire, struct slice *rest)
{
	struct iovec vector[2];
	size_t room;
	ssize_t n;

	vector[0].iov_base = peer_reader_room(r, &room);
	vector[0].iov_len = room;
	vector[1].iov_base = p->scratch;
	vector[1].iov_len = sizeof(p->scratch);
	n = room ? wire_read(wire, vector, 2) : wire_read(wire, vector + 1, 1);
	if (n <= 0)
		return n;
	room = MIN(room, (size_t)n);
	if (room)
		peer_reader_filled(r, room);
	*rest = slice_of(p->scratch, (size_t)n - room);
	return n;
}
