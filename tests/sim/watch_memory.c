/*
 * What a member keeps in memory is bounded as it was told, however long its strings are: nothing
 * that is below grows with what there was, only with the limits and with the largest request and
 * string at hand.
 */

#include "consensus/raft_state.h"
#include "sim/callers.h"
#include "sim/mode_members.h"

/* Rows about who writes, which need no room of their own; there are some for each connection. */
#define AUTHORS_BYTES 4096

/* An arena grows by doubling, from some kilobytes on. */
#define ARENA_SLACK ((size_t)1 << 22)

/* Times that one command, at most, holds a whole string: before, after, in history, in a reply. */
#define STRING_TIMES 4

/* What an entry takes in memory beside its payload, at most. */
#define ENTRY_BYTES 256

static void watch_bound(struct host *h, const char *what, size_t bytes, size_t most)
{
	if (bytes > most)
		world_fail(h->world, "%s holds %zu %s, and %zu at most were allowed", h->name,
			   bytes, what, most);
}

/* Beyond what it may keep lie only entries that were not applied at the last turn. */
static void watch_tail(struct host *h, const struct raft *r)
{
	const struct raft_log *l = &r->log;
	size_t most = (size_t)r->options.tail_bytes;
	size_t first = (size_t)(MAX(h->seen_trim + 1, l->tail_first) - l->tail_first);

	if (l->tail_bytes > most) {
		for (uint64_t n = first; l->tail_first + n <= l->last; n++)
			most += l->tail[l->head + n].len + ENTRY_BYTES;
		watch_bound(h, "bytes of the log", l->tail_bytes, most);
	}
	h->seen_trim = MIN(r->applied, l->durable);
}

/* What is on its way to others: what may be, and a message more. */
static void watch_sent(struct host *h, const struct raft *r)
{
	size_t message = r->options.append_bytes + h->world->profile.batch_bytes +
			 h->world->callers->largest + AUTHORS_BYTES + ENTRY_BYTES;

	for (size_t i = 0; i < r->peer_count; i++)
		watch_bound(h, "bytes on their way to another", (size_t)r->peers[i].inflight_sum,
			    (size_t)r->options.inflight_bytes + message);
}

static void watch_txn(struct host *h, const struct txn *t, const char *what)
{
	size_t string = MAX(h->world->profile.large_bytes, h->world->profile.big_bytes);

	watch_bound(h, what,
		    t->rows.arena.bytes + t->values.bytes + t->past.arena.bytes + t->changed.cap,
		    STRING_TIMES * (string + h->world->callers->largest) + ARENA_SLACK);
}

static void watch_store(struct host *h)
{
	const struct profile *p = &h->world->profile;
	size_t changes = 4 * p->overlay_bytes + STRING_TIMES * p->large_bytes + ARENA_SLACK;
	struct store_stats s;

	store_stats(h->member->store, &s);
	if (s.dropped > h->seen_dropped)
		COUNT(h->world, DEAD_DROPPED);
	h->seen_dropped = s.dropped;
	watch_bound(h, "bytes of changes", s.live_bytes, changes);
	watch_bound(h, "bytes of changes being written", s.frozen_bytes, changes);
	watch_bound(h, "bytes of headers", s.header_bytes, p->header_cache_bytes);
	watch_bound(h, "bytes of values", s.value_bytes, p->value_cache_bytes);
}

void members_watch_batch(struct host *h, size_t last)
{
	watch_bound(h, "bytes of a batch before its last command", last,
		    BATCH_HEADER_BYTES + h->world->profile.batch_bytes);
}

void members_watch_memory(struct host *h)
{
	const struct profile *p = &h->world->profile;
	struct member *m = h->member;
	const struct raft *r = driver_raft(h->driver);
	size_t under_way = p->unresolved_bytes + h->world->callers->largest + AUTHORS_BYTES;
	size_t held = 0;

	COUNT(h->world, CHECK_BOUNDS);
	watch_store(h);
	watch_bound(h, "bytes of writes under way", m->origin.bytes + m->origin.collected.len,
		    under_way);
	list_for_each (it, &m->lag.held)
		held += BATCH_HEADER_BYTES;
	watch_bound(h, "bytes of batches held back", m->lag.held_bytes,
		    h->world->host_count * under_way + held);
	if (m->lag.held_bytes)
		COUNT(h->world, BATCH_HELD);
	list_for_each (it, &m->sessions)
		watch_bound(h, "requests of a session",
			    LIST_ITEM(it, const struct session, link)->count, p->session_requests);
	watch_tail(h, r);
	watch_sent(h, r);
	watch_txn(h, &m->txn, "bytes of a command");
	watch_txn(h, &m->read_txn, "bytes of a read");
}
