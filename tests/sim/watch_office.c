/*
 * What must hold for offices, and for the memberships that give them:
 *
 *  - election safety: at most one leader in a term, with the votes of a majority
 *  - leader completeness: a leader's log has everything that was ever committed
 *  - a leader that hears no majority, or whose disk stands still while there are others, leads no
 *    longer
 *  - memberships change by one vote at a time, or through a joint one
 */

#include "base/mem.h"
#include "sim/mode.h"
#include "sim/watch_parts.h"

#include <inttypes.h>

/* ---- majorities, counted apart from the code under test -------------------------------------- */

static bool half_decides(const struct membership *m, uint8_t role, uint32_t holds)
{
	int margin = 0;

	for (uint32_t i = 0; i < m->count; i++)
		if (m->members[i].roles & role)
			margin += holds >> i & 1 ? 1 : -1;
	return margin > 0;
}

bool watch_decides(const struct membership *m, uint32_t holds)
{
	bool joint = false;

	for (uint32_t i = 0; i < m->count; i++)
		joint = joint || m->members[i].roles & MEMBER_VOTER_OLD;
	return half_decides(m, MEMBER_VOTER, holds) &&
	       (!joint || half_decides(m, MEMBER_VOTER_OLD, holds));
}

/* ---- memberships ----------------------------------------------------------------------------- */

static bool votes_in(const struct membership *m, uint64_t id, uint8_t role)
{
	for (uint32_t i = 0; i < m->count; i++)
		if (m->members[i].id == id)
			return m->members[i].roles & role;
	return false;
}

/* How many ids vote in `a` and not in `b`. */
static unsigned votes_missing(const struct membership *a, uint8_t role_a,
			      const struct membership *b, uint8_t role_b)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < a->count; i++)
		n += a->members[i].roles & role_a && !votes_in(b, a->members[i].id, role_b);
	return n;
}

/* A learner may lack so many entries and get a vote by itself all the same. */
#define RISE_ENTRIES 256

/* Who got a vote, and not because somebody asked for it. */
static void watch_risen(struct host *h, const struct raft *r, const struct membership *before,
			const struct membership *now)
{
	struct world *w = h->world;

	for (uint32_t i = 0; i < before->count; i++) {
		uint64_t id = before->members[i].id;
		struct host *other = host_by_id(w, id);

		if (!(before->members[i].roles & MEMBER_RISES) || id == w->promoted ||
		    !votes_in(now, id, MEMBER_VOTER))
			continue;
		COUNT(w, CHANGE_RISE);
		if (!other || other->state != HOST_UP || other->suspect)
			continue;
		if (driver_raft(other->driver)->log.last + RISE_ENTRIES < r->commit)
			world_fail(w, "%s gives a vote to %s, which is far behind", h->name,
				   other->name);
	}
}

void watch_membership(struct host *h, const struct raft *r, uint64_t index)
{
	struct world *w = h->world;
	const struct membership *now = raft_membership_at(r, index);
	const struct membership *before = raft_membership_at(r, index - 1);
	unsigned moved = votes_missing(now, MEMBER_VOTER, before, MEMBER_VOTER) +
			 votes_missing(before, MEMBER_VOTER, now, MEMBER_VOTER);

	COUNT(w, CHECK_MEMBERSHIP);
	if (now == before || before->count == 0)
		return;
	if (!now->joint && !before->joint && moved > 1)
		world_fail(w, "%s moves %u votes in one step", h->name, moved);
	watch_risen(h, r, before, now);
	if (now->joint &&
	    (before->joint || votes_missing(before, MEMBER_VOTER, now, MEMBER_VOTER_OLD) ||
	     votes_missing(now, MEMBER_VOTER_OLD, before, MEMBER_VOTER)))
		world_fail(w, "%s enters a joint membership that does not come from the one before",
			   h->name);
	if (before->joint && moved)
		world_fail(w, "%s leaves a joint membership for another one than it led to",
			   h->name);
	for (size_t i = 0; i < r->membership_count; i++)
		if (r->memberships[i]->index < index && r->memberships[i]->index > r->commit)
			world_fail(w, "%s changes the membership while a change is pending",
				   h->name);
	if (r->commit < r->term_start)
		world_fail(w, "%s changes the membership before a commit of its own term", h->name);
}

/* ---- leaders --------------------------------------------------------------------------------- */

/*
 * Whoever lost its directory may have voted before; unless its vote in this term, as far as it was
 * seen on its disk, was another one's.
 */
static bool lost_one_may_have_voted(const struct world *w, uint64_t id, const struct raft *r)
{
	for (unsigned i = 0; i < w->host_count; i++) {
		const struct host *h = &w->hosts[i];

		if (h->lost_id == id && h->lost_term <= r->hard.term)
			return h->lost_term < r->hard.term || h->lost_vote == r->id;
	}
	return false;
}

/* Who may have voted for this leader: it says so itself, or nobody can tell. */
static void watch_votes(struct host *h, const struct raft *r)
{
	struct world *w = h->world;
	const struct membership *m = raft_membership_at(r, r->term_start - 1);
	uint32_t mask = 0;

	for (uint32_t i = 0; i < m->count; i++) {
		struct host *voter = host_by_id(w, m->members[i].id);
		const struct raft *v = voter && voter->driver ? driver_raft(voter->driver) : NULL;

		if (!voter && !lost_one_may_have_voted(w, m->members[i].id, r))
			continue;
		if (!v || v->hard.term > r->hard.term ||
		    (v->hard.term == r->hard.term && v->hard.vote == r->id && !v->damaged))
			mask |= (uint32_t)1 << i;
	}
	COUNT(w, CHECK_VOTES);
	if (!watch_decides(m, mask))
		world_fail(w, "%s leads term %" PRIu64 " without the votes of a majority", h->name,
			   r->hard.term);
}

static void note_leader(struct host *h, const struct raft *r)
{
	struct world *w = h->world;

	COUNT(w, CHECK_ELECTION);
	for (size_t i = 0; i < w->leader_count; i++)
		if (w->leaders[i].term == r->hard.term && w->leaders[i].id != r->id)
			world_fail(w, "two leaders in term %" PRIu64 ": %s is the second",
				   r->hard.term, h->name);
	MEM_GROW(w->leaders, w->leader_cap, w->leader_count + 1);
	w->leaders[w->leader_count++] = (struct leader_seen){r->hard.term, r->id};
}

bool watch_leads_anew(const struct host *h, const struct raft *r)
{
	return r->role == RAFT_LEADER &&
	       (h->seen_role != RAFT_LEADER || h->seen_term != r->hard.term);
}

void watch_dying(struct host *h)
{
	const struct raft *r = h->driver ? driver_raft(h->driver) : NULL;

	if (r && watch_leads_anew(h, r))
		note_leader(h, r);
}

void watch_new_leader(struct host *h, const struct raft *r)
{
	struct world *w = h->world;

	watch_votes(h, r);
	COUNT(w, LEADER);
	note_leader(h, r);
	COUNT(w, CHECK_COMPLETE);
	for (uint64_t i = r->log.base + 1; i <= w->committed_last; i++) {
		const struct committed *c = watch_committed_at(w, i);

		if (c->term && c->in_term < r->hard.term && raft_term_at(r, i) != c->term)
			world_fail(w,
				   "%s leads term %" PRIu64 " without the committed entry %" PRIu64
				   " of term %" PRIu64,
				   h->name, r->hard.term, i, c->term);
	}
}

void watch_office(struct host *h, const struct raft *r)
{
	const struct membership *m = raft_membership(r);
	uint64_t now_ms = host_clock_us(h) / 1000;
	uint32_t mask = 0, self = 0;

	for (uint32_t i = 0; i < m->count; i++) {
		if (m->members[i].id == r->id)
			mask |= self = (uint32_t)1 << i;
		for (size_t j = 0; j < r->peer_count; j++)
			if (r->peers[j].id == m->members[i].id &&
			    r->peers[j].heard_ms + r->options.election_ms > r->now_ms)
				mask |= (uint32_t)1 << i;
	}
	COUNT(h->world, CHECK_OFFICE);
	if (r->options.check_quorum && !watch_decides(m, mask))
		world_fail(h->world, "%s leads and has not heard a majority", h->name);
	if (r->writing_count && !watch_decides(m, self) &&
	    r->writing[0].started_ms + 2 * (uint64_t)r->options.election_ms < now_ms)
		world_fail(h->world, "%s leads and its log does not move", h->name);
}
