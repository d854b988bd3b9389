/*
 * How far applying is behind the log, in bytes. A leader whose own applying falls behind takes in
 * no more than that until it has caught up: what others forward waits here, what its own clients
 * want waits with its origin. Otherwise a log that must be kept would grow without end.
 *
 * What waits for a member is what that one has not sent again: a batch that begins at or before
 * one that waits takes its place. So no member has more waiting here than it may have unresolved.
 */

#include "base/error.h"
#include "base/logging.h"
#include "base/mem.h"
#include "node/member_state.h"

#include <inttypes.h>

/* A batch that another member forwarded. */
struct held_batch {
	struct list link;
	uint64_t member;
	uint64_t seq; /* of its first command */
	uint64_t term;
	struct blob *body;
};

void member_lag_init(struct member *m)
{
	list_init(&m->lag.held);
}

static void held_batch_free(struct lag *l, struct held_batch *b)
{
	l->held_bytes -= b->body->len;
	list_remove(&b->link);
	blob_release(b->body);
	mem_free(b);
}

void member_lag_close(struct member *m)
{
	list_for_each_safe (it, &m->lag.held)
		held_batch_free(&m->lag, LIST_ITEM(it, struct held_batch, link));
	mem_free(m->lag.ring);
}

/* ---- what is appended and not applied -------------------------------------------------------- */

static struct lag_entry *lag_at(const struct lag *l, size_t i)
{
	return &l->ring[(l->first + i) & (l->cap - 1)];
}

static void lag_make_room(struct lag *l)
{
	size_t cap = MAX(2 * l->cap, (size_t)64);
	struct lag_entry *ring;

	if (l->count < l->cap)
		return;
	ring = mem_alloc(cap * sizeof(*ring));
	for (size_t i = 0; i < l->count; i++)
		ring[i] = *lag_at(l, i);
	mem_free(l->ring);
	l->ring = ring;
	l->cap = cap;
	l->first = 0;
}

/* The last ones were cut off. */
static void lag_cut(struct lag *l, uint64_t first)
{
	while (l->count && lag_at(l, l->count - 1)->index >= first)
		l->bytes -= lag_at(l, --l->count)->len;
}

void member_lag_appended(struct member *m, uint64_t first, const struct entry *entries,
			 size_t count)
{
	struct lag *l = &m->lag;

	lag_cut(l, first);
	for (size_t i = 0; i < count; i++) {
		lag_make_room(l);
		*lag_at(l, l->count++) = (struct lag_entry){first + i, entries[i].len};
		l->bytes += entries[i].len;
	}
}

static void lag_applied(struct lag *l, uint64_t index)
{
	while (l->count && lag_at(l, 0)->index <= index) {
		l->bytes -= lag_at(l, 0)->len;
		l->first = (l->first + 1) & (l->cap - 1);
		l->count--;
	}
}

bool member_lags(const struct member *m)
{
	return m->lag.bytes > m->options.lag_bytes;
}

/* ---- what waits ------------------------------------------------------------------------------ */

static void lag_propose(struct member *m, struct blob *body, uint64_t member)
{
	uint64_t index;

	if (member_propose(m, ENTRY_BATCH, body, member, &index) != OK)
		LOG(m->io->logger, LOG_DEBUG, "a batch of %016" PRIx64 " finds no room", member);
}

static void lag_hold(struct member *m, const struct batch_header *h, struct blob *body)
{
	struct held_batch *b = MEM_NEW(struct held_batch);

	list_for_each_safe (it, &m->lag.held) {
		struct held_batch *other = LIST_ITEM(it, struct held_batch, link);

		if (other->member == h->member && other->seq >= h->seq)
			held_batch_free(&m->lag, other);
	}
	b->member = h->member;
	b->seq = h->seq;
	b->term = h->term;
	b->body = blob_hold(body);
	list_push_back(&m->lag.held, &b->link);
	m->lag.held_bytes += body->len;
}

void member_lag_admit(struct member *m, const struct batch_header *h, struct blob *body)
{
	if (member_lags(m) || !list_empty(&m->lag.held))
		lag_hold(m, h, body);
	else
		lag_propose(m, body, h->member);
}

void member_lag_turn(struct member *m)
{
	lag_applied(&m->lag, driver_applied(m->driver));
	list_for_each_safe (it, &m->lag.held) {
		struct held_batch *b = LIST_ITEM(it, struct held_batch, link);

		/* What was meant for another leader, or for this one when it led before. */
		if (m->status.role == RAFT_LEADER && b->term == m->status.term) {
			if (member_lags(m))
				return;
			lag_propose(m, b->body, b->member);
		}
		held_batch_free(&m->lag, b);
	}
}
