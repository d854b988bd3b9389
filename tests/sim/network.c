/* Frames between hosts: late, lost, twice, out of order, one way only. */

#include "base/check.h"
#include "base/mem.h"
#include "sim/mode.h"

#include <inttypes.h>

struct flying {
	struct event event;
	struct host *from;
	struct host *to;
	enum frame_kind kind;
	struct blob *body; /* NULL: no frame, but news of the connection */
	bool opened;	   /* it stands anew; else it ends, its process is gone */
	struct list all;
	struct list link; /* while the receiver is paused */
};

static void flying_free(struct flying *f)
{
	list_remove(&f->all);
	if (f->body)
		blob_release(f->body);
	mem_free(f);
}

static void flying_deliver(struct flying *f)
{
	if (f->body)
		host_deliver(f->to, f->from, f->kind, f->body);
	else if (f->opened)
		host_hears_connected(f->to, f->from);
	else
		host_hears_gone(f->to, f->from);
	flying_free(f);
}

static void flying_arrives(struct world *w, struct event *e)
{
	struct flying *f = CONTAINER_OF(e, struct flying, event);
	struct host *to = f->to;

	if (w->links[f->from->index][to->index].cut || to->state == HOST_DOWN) {
		flying_free(f);
		return;
	}
	if (to->state == HOST_PAUSED) {
		/* The kernel takes it; the process reads it when it goes on. */
		list_push_back(&to->held_frames, &f->link);
		return;
	}
	flying_deliver(f);
}

static struct flying *network_fly(struct world *w, struct host *from, struct host *to,
				  enum frame_kind kind, struct blob *body, uint64_t delay_us,
				  bool in_order)
{
	struct flying *f = MEM_NEW(struct flying);
	struct link *link = &w->links[from->index][to->index];
	uint64_t at_us = w->now_us + delay_us;

	if (in_order) {
		at_us = MAX(at_us, link->last_us);
		link->last_us = at_us;
	}
	f->from = from;
	f->to = to;
	f->kind = kind;
	f->body = body ? blob_hold(body) : NULL;
	list_push_back(&w->flying, &f->all);
	world_at(w, &f->event, at_us, flying_arrives);
	return f;
}

uint64_t network_delay_us(struct world *w, const struct host *from, const struct host *to)
{
	const struct link *link = &w->links[from->index][to->index];
	const struct profile *p = &w->profile;

	return p->delay_us / 2 + random_below(&w->random, p->delay_us + 1) +
	       (link->slow_us ? random_below(&w->random, link->slow_us) : 0);
}

static void network_carry(struct world *w, struct host *from, struct host *to, enum frame_kind kind,
			  struct blob *body)
{
	const struct profile *p = &w->profile;
	struct link *link = &w->links[from->index][to->index];
	bool in_order = p->ordered;

	if (link->cut)
		return;
	if (!w->calm && random_chance(&w->random, p->loss_ppm)) {
		COUNT(w, FAULT_LOSS);
		return;
	}
	if (!w->calm && random_chance(&w->random, p->reorder_ppm)) {
		COUNT(w, FAULT_REORDER);
		in_order = false;
		network_fly(w, from, to, kind, body,
			    network_delay_us(w, from, to) + random_below(&w->random, 200000),
			    in_order);
		return;
	}
	network_fly(w, from, to, kind, body, network_delay_us(w, from, to), in_order);
	if (!w->calm && random_chance(&w->random, p->duplicate_ppm)) {
		COUNT(w, FAULT_DUPLICATE);
		network_fly(w, from, to, kind, body,
			    network_delay_us(w, from, to) + random_below(&w->random, 2000000),
			    false);
	}
}

static void network_put(struct host *h, struct host *to, const struct frame *frame)
{
	struct buf bytes = {0};
	struct blob *body;

	if (!to || to == h)
		return;
	buf_append_slice(&bytes, frame->head);
	for (size_t i = 0; i < frame->count; i++)
		buf_append_slice(&bytes, entry_payload(&frame->entries[i]));
	body = blob_copy(buf_slice(&bytes));
	network_carry(h->world, h, to, frame->kind, body);
	blob_release(body);
	buf_free(&bytes);
}

/* Where a frame for this id goes: the address stays when a directory is lost. */
static struct host *host_by_any_id(struct world *w, uint64_t id)
{
	struct host *h = host_by_id(w, id);

	for (unsigned i = 0; !h && i < w->host_count; i++)
		if (w->hosts[i].lost_id == id && id)
			return &w->hosts[i];
	return h;
}

void network_send(struct host *h, uint64_t to, const struct frame *frame)
{
	network_put(h, host_by_any_id(h->world, to), frame);
}

void network_send_to_name(struct host *h, struct slice name, const struct frame *frame)
{
	network_put(h, host_by_name(h->world, name), frame);
}

void network_close(struct world *w, struct host *from, struct host *to)
{
	struct link *link = &w->links[from->index][to->index];

	if (!w->profile.streams && !link->cut && !w->links[to->index][from->index].cut)
		network_fly(w, from, to, 0, NULL, network_delay_us(w, from, to), true);
}

static void network_open(struct world *w, struct host *from, struct host *to)
{
	if (from->state != HOST_DOWN && to->state != HOST_DOWN)
		network_fly(w, from, to, 0, NULL, network_delay_us(w, from, to), true)->opened =
			true;
}

void network_connect(struct world *w, struct host *a, struct host *b)
{
	if (w->profile.streams || !w->mode->connected || w->links[a->index][b->index].cut ||
	    w->links[b->index][a->index].cut)
		return;
	network_open(w, a, b);
	network_open(w, b, a);
}

void network_hold_release(struct host *h)
{
	struct list *it;

	while ((it = list_pop_front(&h->held_frames)) != NULL) {
		struct flying *f = LIST_ITEM(it, struct flying, link);

		flying_deliver(f);
	}
}

void network_drop_all(struct world *w)
{
	list_for_each_safe (it, &w->flying) {
		struct flying *f = LIST_ITEM(it, struct flying, all);

		world_cancel(w, &f->event);
		flying_free(f);
	}
}
