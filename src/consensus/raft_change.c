/* Memberships: which one is in force, how it changes, and whom it brings and takes away. */

#include "base/check.h"
#include "base/error.h"
#include "base/logging.h"
#include "base/mem.h"
#include "base/mutant.h"
#include "consensus/raft_state.h"

#include <inttypes.h>
#include <string.h>

/* A member that is out is still told so for this many election timeouts. */
#define LEAVE_TIMEOUTS 10

const struct membership *raft_latest(const struct raft *r)
{
	static const struct membership nobody;

	return r->membership_count ? &r->memberships[r->membership_count - 1]->membership : &nobody;
}

uint64_t raft_latest_index(const struct raft *r)
{
	return r->membership_count ? r->memberships[r->membership_count - 1]->index : 0;
}

const struct membership *raft_membership(const struct raft *r)
{
	return raft_latest(r);
}

const struct membership *raft_membership_at(const struct raft *r, uint64_t index)
{
	size_t i = r->membership_count;

	while (i > 1 && r->memberships[i - 1]->index > index)
		i--;
	return i ? &r->memberships[i - 1]->membership : raft_latest(r);
}

const struct membership *raft_settled_membership(const struct raft *r)
{
	return raft_membership_at(r, r->commit);
}

static void memberships_push(struct raft *r, uint64_t index, struct membership *m)
{
	struct membership_entry *entry = MEM_NEW(struct membership_entry);

	CHECK_VALID(m->count ? membership_broken(m) : NULL);
	entry->index = index;
	entry->membership = *m;
	MEM_GROW(r->memberships, r->membership_cap, r->membership_count + 1);
	r->memberships[r->membership_count++] = entry;
	r->memberships_seen++;
}

static void memberships_drop(struct raft *r, size_t at)
{
	membership_free(&r->memberships[at]->membership);
	mem_free(r->memberships[at]);
	r->membership_count--;
	r->memberships_seen++;
	memmove(&r->memberships[at], &r->memberships[at + 1],
		(r->membership_count - at) * sizeof(*r->memberships));
}

int raft_adopt(struct raft *r, uint64_t index, struct slice bytes)
{
	struct membership m = {0};

	if (membership_decode(bytes, &m) != OK)
		return ERR_MALFORMED;
	memberships_push(r, index, &m);
	raft_peers_sync(r);
	return OK;
}

void raft_memberships_cut(struct raft *r, uint64_t index)
{
	while (r->membership_count > 1 && raft_latest_index(r) > index &&
	       !MUTANT(membership_survives_truncation))
		memberships_drop(r, r->membership_count - 1);
	raft_peers_sync(r);
}

void raft_memberships_release(struct raft *r, uint64_t index)
{
	while (r->membership_count > 1 && r->memberships[1]->index <= index)
		memberships_drop(r, 0);
}

void raft_memberships_reset(struct raft *r, uint64_t index, const struct membership *m)
{
	struct membership copy = {0};

	while (r->membership_count)
		memberships_drop(r, r->membership_count - 1);
	if (m)
		membership_copy(&copy, m);
	memberships_push(r, index, &copy);
	raft_peers_sync(r);
}

static void raft_peer_remove(struct raft *r, size_t at)
{
	peer_close(&r->peers[at]);
	r->peers[at] = r->peers[--r->peer_count];
}

void raft_peers_leave(struct raft *r, bool all)
{
	for (size_t i = r->peer_count; i-- > 0;) {
		struct peer *p = &r->peers[i];
		bool told = p->match >= p->leaves_at && p->sent_commit >= p->leaves_at;

		if (p->leaves_at && (all || told || r->now_ms >= p->leaves_ms))
			raft_peer_remove(r, i);
	}
}

void raft_peers_sync(struct raft *r)
{
	const struct membership *m = raft_latest(r);

	r->quorum_due_ms = 0; /* others make the majority now */
	for (size_t i = r->peer_count; i-- > 0;) {
		struct peer *p = &r->peers[i];

		if (membership_find(m, p->id) || p->leaves_at)
			continue;
		if (r->role != RAFT_LEADER) {
			raft_peer_remove(r, i);
			continue;
		}
		/* It gets what removes it, so that it knows and stops by itself. */
		p->leaves_at = raft_latest_index(r);
		p->leaves_ms = r->now_ms + LEAVE_TIMEOUTS * (uint64_t)r->options.election_ms;
		p->waits_for = p->leaves_at;
	}
	for (uint32_t i = 0; i < m->count; i++) {
		if (m->members[i].id == r->id || raft_peer(r, m->members[i].id))
			continue;
		MEM_GROW(r->peers, r->peer_cap, r->peer_count + 1);
		peer_init(&r->peers[r->peer_count++], m->members[i].id, r->log.last + 1,
			  r->options.inflight_messages, r->now_ms);
	}
}

/* Appends a membership of the leader's own making and acts on it at once. */
static void raft_append_membership(struct raft *r, const struct membership *m)
{
	struct buf bytes = {0};
	struct entry e = {.kind = ENTRY_MEMBERSHIP, .stamp = r->stamp};

	membership_encode(m, &bytes);
	e.blob = blob_copy(buf_slice(&bytes));
	e.data = e.blob->data;
	e.len = (uint32_t)e.blob->len;
	raft_append_own(r, &e);
	CHECK(raft_adopt(r, r->log.last, buf_slice(&bytes)) == OK);
	blob_release(e.blob);
	buf_free(&bytes);
}

int raft_change(struct raft *r, uint64_t now_ms, const struct member_change *changes, size_t count)
{
	struct membership next = {0};
	int rc;

	raft_tick(r, now_ms);
	if (r->role != RAFT_LEADER)
		return ERR_NOT_LEADER;
	/*
	 * Without an entry of its own term committed, an earlier leader's change may be on a
	 * majority that this one has not heard of, and the two would not overlap.
	 */
	if (r->transfer_to || (r->commit < r->term_start && !MUTANT(change_before_own_commit)))
		return ERR_UNAVAILABLE;
	if (raft_latest_index(r) > r->commit && !MUTANT(change_while_pending))
		return ERR_BUSY;
	rc = membership_change(raft_latest(r), changes, count, &next);
	if (rc == OK)
		raft_append_membership(r, &next);
	membership_free(&next);
	return rc;
}

void raft_change_committed(struct raft *r)
{
	const struct participant *self;

	if (r->role != RAFT_LEADER || raft_latest_index(r) > r->commit)
		return;
	if (raft_latest(r)->joint) {
		struct membership next = {0};

		if (r->commit < r->term_start)
			return;
		membership_leave(raft_latest(r), &next);
		raft_append_membership(r, &next);
		membership_free(&next);
		return;
	}
	self = membership_find(raft_latest(r), r->id);
	if (self && self->roles & MEMBER_VOTER)
		return;
	LOG(r->logger, LOG_NOTICE, "hands over: not a voter since %" PRIu64, raft_latest_index(r));
	r->abdicate_pending = true; /* the last thing it says is what removes it */
}
