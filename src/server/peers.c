#include "server/peers.h"

#include "base/mem.h"
#include "server/peers_internal.h"

#include <string.h>
#include <sys/uio.h>

struct peer *peers_find(struct peers *p, struct slice name)
{
	for (size_t i = 0; i < p->count; i++)
		if (slice_equal(name, slice_of_text(p->list[i].member->name)))
			return &p->list[i];
	return NULL;
}

static struct peer *peers_find_id(const struct peers *p, uint64_t id)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->list[i].id == id)
			return &p->list[i];
	return NULL;
}

struct peers *peers_new(const struct peers_options *options, const struct peers_events *events)
{
	struct peers *p = MEM_NEW(struct peers);

	p->options = *options;
	p->events = events;
	p->token = peer_token(slice_of_text(options->token));
	p->hash = hash_stream_new();
	list_init(&p->dirty);
	list_init(&p->inlets);
	list_init(&p->strangers);
	p->list = mem_zalloc(options->members->count + 1, sizeof(*p->list));
	for (size_t i = 0; i < options->members->count; i++) {
		const struct options_member *m = &options->members->list[i];
		struct peer *peer = &p->list[p->count];

		if (strcmp(m->name, options->name) == 0)
			continue;
		peer->owner = p;
		peer->member = m;
		for (unsigned channel = 0; channel < PEER_CHANNELS; channel++)
			peer_link_init(&peer->links[channel], peer, (enum peer_channel)channel);
		p->count++;
	}
	return p;
}

void peers_free(struct peers *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->count; i++)
		for (unsigned channel = 0; channel < PEER_CHANNELS; channel++)
			peer_link_close(&p->list[i].links[channel]);
	list_for_each_safe (it, &p->inlets)
		peer_inlet_free(LIST_ITEM(it, struct peer_inlet, link));
	list_for_each_safe (it, &p->strangers)
		peer_inlet_free(LIST_ITEM(it, struct peer_inlet, link));
	hash_stream_free(p->hash);
	mem_free(p->list);
	mem_free(p);
}

void peers_accept(struct peers *p, int fd)
{
	/* Whoever says nothing makes room for whoever may have something to say. */
	if (p->stranger_count == PEER_STRANGERS_MAX)
		peer_inlet_free(LIST_ITEM(p->strangers.next, struct peer_inlet, link));
	peer_inlet_new(p, fd);
}

/*
 * What consensus says without entries is small and prompt. All else goes one way, in order: were
 * small appends to overtake large ones, the receiver would refuse them and they would be sent once
 * more.
 */
static void peer_send(struct peer *peer, const struct frame *frame)
{
	bool prompt = frame->kind == FRAME_RAFT && frame->count == 0;

	peer_link_send(&peer->links[prompt ? PEER_PROMPT : PEER_BULK], frame);
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

void peers_flush(struct peers *p)
{
	struct list *node;

	while ((node = list_pop_front(&p->dirty)) != NULL)
		peer_link_flush(LIST_ITEM(node, struct peer_link, dirty));
}

const char *peers_name_of(const struct peers *p, uint64_t id)
{
	const struct peer *peer = id ? peers_find_id(p, id) : NULL;

	return peer ? peer->member->name : NULL;
}

size_t peers_count(const struct peers *p)
{
	return p->count;
}

ssize_t peer_read(struct peers *p, struct peer_reader *r, int fd, struct slice *rest)
{
	struct iovec vector[2];
	size_t room;
	ssize_t n;

	vector[0].iov_base = peer_reader_room(r, &room);
	vector[0].iov_len = room;
	vector[1].iov_base = p->scratch;
	vector[1].iov_len = sizeof(p->scratch);
	n = room ? readv(fd, vector, 2) : readv(fd, vector + 1, 1);
	if (n <= 0)
		return n;
	room = MIN(room, (size_t)n);
	if (room)
		peer_reader_filled(r, room);
	*rest = slice_of(p->scratch, (size_t)n - room);
	return n;
}
