/* What goes to each follower: entries, snapshots, a commit index somebody waits for. */

#include "base/check.h"
#include "base/mem.h"
#include "base/mutant.h"
#include "consensus/raft_state.h"

#include <string.h>

/* As many of `n` entries as fit a message; at least one. */
static size_t entries_that_fit(const struct entry *e, size_t n, uint64_t bytes_max, uint64_t *bytes)
{
	size_t count = 0;

	*bytes = 0;
	while (count < n && (count == 0 || *bytes + e[count].len <= bytes_max))
		*bytes += e[count++].len;
	return count;
}

static void peer_send_append(struct raft *r, struct peer *p, const struct entry *e, size_t n)
{
	uint64_t prev = p->next - 1, bytes;
	struct raft_message *m = raft_message_now(r, RAFT_APPEND, p->id);

	n = entries_that_fit(e, n, r->options.append_bytes, &bytes);
	m->index = prev;
	m->log_term = raft_log_term(&r->log, prev);
	m->commit = r->commit;
	m->context = p->nonce;
	m->entries = n ? e : NULL;
	m->count = (uint32_t)n;
	p->sent_commit = r->commit;
	p->poke = false;
	if (p->state == PEER_PROBE)
		p->paused = true;
	else if (n)
		peer_sent(p, prev + n, bytes);
}

static void peer_send_snapshot(struct raft *r, struct peer *p)
{
	struct raft_message *m;

	/* Worth the work only for somebody who is there, and if the log goes on behind it. */
	if (!r->snapshot_bytes || r->snapshot_index < r->log.base ||
	    r->now_ms >= p->heard_ms + r->options.election_ms)
		return;
	m = raft_message_now(r, RAFT_SNAPSHOT, p->id);
	m->index = r->snapshot_index;
	m->log_term = raft_log_term(&r->log, r->snapshot_index);
	m->context = p->nonce;
	m->descriptor = slice_of(r->snapshot_bytes->data, r->snapshot_bytes->len);
	peer_become_snapshot(p, r->snapshot_index);
}

static void peer_load(struct raft *r, struct peer *p)
{
	if (p->loading)
		return;
	MEM_GROW(r->loads, r->load_cap, r->load_count + 1);
	r->loads[r->load_count++] = (struct raft_load){
		.peer = p->id,
		.first = p->next,
		.last = MIN(r->log.last, r->log.tail_first - 1),
		.max_bytes = r->options.append_bytes,
	};
	p->loading = true;
}

/* Sends what may go now; false when this peer has to wait for something. */
static bool peer_send_one(struct raft *r, struct peer *p)
{
	const struct entry *e = NULL;
	size_t n = 0;

	if (p->state == PEER_PROBE && p->paused)
		return false;
	if (p->state == PEER_REPLICATE && peer_full(p, r->options.inflight_bytes) && !p->poke)
		return false;
	if (p->next <= r->log.base) {
		peer_send_snapshot(r, p);
		return false;
	}
	if (p->next <= r->log.last && !p->poke) {
		e = raft_log_span(&r->log, p->next, r->log.last, &n);
		if (!e) {
			peer_load(r, p);
			return false;
		}
	} else if (p->state == PEER_REPLICATE && !p->poke) {
		return false;
	}
	peer_send_append(r, p, e, n);
	return p->state == PEER_REPLICATE;
}

/* A commit index that nobody waits for rides on the next append or heartbeat. */
static void peer_send_commit(struct raft *r, struct peer *p)
{
	struct raft_message *m;

	if (!p->waits_for || p->sent_commit >= r->commit)
		return;
	if (p->waits_for <= r->commit)
		p->waits_for = 0;
	m = raft_message_now(r, RAFT_COMMIT, p->id);
	m->commit = r->commit;
	p->sent_commit = r->commit;
}

void raft_send_entries(struct raft *r)
{
	for (size_t i = 0; i < r->peer_count; i++) {
		struct peer *p = &r->peers[i];

		if (p->state == PEER_SNAPSHOT)
			continue;
		while (peer_send_one(r, p))
			;
		if (p->state == PEER_REPLICATE)
			peer_send_commit(r, p);
	}
}

/* Keeps the loaded entries until the ready that sends them is done with. */
static const struct entry *raft_stage(struct raft *r, const struct entry *entries, size_t count)
{
	size_t at = r->staged_count;

	/* Messages of this ready point into the array: it must not move under them. */
	CHECK(at == 0 || at + count <= r->staged_cap);
	MEM_GROW(r->staged, r->staged_cap, at + count);
	memcpy(r->staged + at, entries, count * sizeof(*entries));
	for (size_t i = 0; i < count; i++)
		blob_hold(entries[i].blob);
	r->staged_count = at + count;
	return r->staged + at;
}

/* The terms of what was read are those that this log knows. */
static bool raft_loaded_fits(const struct raft *r, uint64_t first, const struct entry *entries,
			     size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!raft_log_matches(&r->log, first + i, entries[i].term))
			return false;
	return count > 0;
}

void raft_loaded(struct raft *r, uint64_t now_ms, uint64_t peer, uint64_t first,
		 const struct entry *entries, size_t count, int error)
{
	struct peer *p;

	raft_tick(r, now_ms);
	p = raft_peer(r, peer);
	if (!p || r->role != RAFT_LEADER || !p->loading)
		return;
	p->loading = false;
	if (error != 0 || p->next != first || p->state == PEER_SNAPSHOT ||
	    !raft_loaded_fits(r, first, entries, count))
		return; /* the next ready asks again, for what is wanted by then */
	if (r->staged_count && r->staged_count + count > r->staged_cap)
		return;
	peer_send_append(r, p, raft_stage(r, entries, count), count);
}
