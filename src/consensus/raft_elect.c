/* Elections: who asks for votes and when, who grants them, and the signs that shorten the wait. */

#include "base/check.h"
#include "base/error.h"
#include "base/logging.h"
#include "base/mutant.h"
#include "consensus/raft_state.h"

#include <inttypes.h>

static bool vote_granted(const struct peer *p, uint64_t unused)
{
	(void)unused;
	return p->vote == VOTE_GRANTED;
}

static bool vote_not_refused(const struct peer *p, uint64_t unused)
{
	(void)unused;
	return p->vote != VOTE_REFUSED;
}

bool raft_in_lease(const struct raft *r)
{
	if (!r->options.check_quorum)
		return false;
	if (r->role == RAFT_LEADER)
		return true;
	return r->leader && r->heard_leader_ms != TIME_NEVER &&
	       r->now_ms < r->heard_leader_ms + r->options.election_ms;
}

static void raft_ask_votes(struct raft *r, bool forced)
{
	const struct membership *m = raft_latest(r);
	bool pre = r->role == RAFT_PRE_CANDIDATE;

	for (uint32_t i = 0; i < m->count; i++) {
		struct raft_message *ask;

		if (m->members[i].id == r->id || !membership_votes(m, m->members[i].id))
			continue;
		/* A vote for oneself is a vote: nobody hears of it before it is on disk. */
		ask = pre ? raft_message_now(r, RAFT_PREVOTE, m->members[i].id)
			  : raft_message_after(r, RAFT_VOTE, m->members[i].id);
		ask->term = r->hard.term + pre;
		ask->index = r->log.last;
		ask->log_term = raft_log_last_term(&r->log);
		if (forced)
			ask->flags |= RAFT_FLAG_FORCE;
	}
}

/*
 * A vote for oneself counts when it is on disk, like any other. A member that votes alone and led
 * before that could crash, come back without the vote, and lead the same term again with other
 * entries than those its learners have got.
 */
static bool raft_own_vote_counts(const struct raft *r)
{
	if (r->role == RAFT_PRE_CANDIDATE)
		return true;
	return r->seq >= r->vote_seq && (r->writing_count == 0 || r->writing[0].seq > r->vote_seq);
}

/* Counts what is in; moves on when it decides. */
void raft_count_votes(struct raft *r)
{
	if (raft_majority(r, raft_own_vote_counts(r), vote_granted, 0)) {
		if (r->role == RAFT_PRE_CANDIDATE)
			raft_campaign(r, RAFT_CANDIDATE, false);
		else
			raft_become_leader(r);
		return;
	}
	if (!raft_majority(r, true, vote_not_refused, 0)) {
		r->role = RAFT_FOLLOWER;
		LOG(r->logger, LOG_DEBUG, "not elected in term %" PRIu64, r->hard.term);
	}
}

void raft_campaign(struct raft *r, enum raft_role role, bool forced)
{
	CHECK(r->role != RAFT_LEADER);
	/* A member whose disk hangs could not keep what it would promise. */
	if (!raft_may_stand(r) || r->damaged || raft_disk_stuck(r) || r->install_bytes) {
		r->role = RAFT_FOLLOWER;
		r->leader = 0; /* it has been silent too long to send others there */
		r->election_due_ms = r->now_ms + r->options.election_ms;
		return;
	}
	if (raft_is_alone(r))
		role = RAFT_CANDIDATE; /* nobody to ask first */
	r->role = role;
	raft_reset_election_timer(r);
	r->leader = 0;
	for (size_t i = 0; i < r->peer_count; i++)
		r->peers[i].vote = VOTE_NONE;
	if (role == RAFT_CANDIDATE) {
		raft_enter_term(r, r->hard.term + 1, r->id);
		r->vote_seq = r->seq + 1;
	}
	raft_ask_votes(r, forced);
}

static bool raft_log_is_older(const struct raft *r, const struct raft_message *m)
{
	uint64_t own = raft_log_last_term(&r->log);

	if (MUTANT(vote_for_shorter_log))
		return m->log_term < own;
	return m->log_term < own || (m->log_term == own && m->index < r->log.last);
}

static bool raft_may_vote(const struct raft *r, const struct raft_message *m)
{
	if (m->type == RAFT_PREVOTE && m->term > r->hard.term)
		return true;
	if (MUTANT(vote_twice))
		return true;
	return r->hard.vote == m->from || (r->hard.vote == 0 && r->leader == 0);
}

/* In haste the next attempt is so near that it would cut short the one just voted for. */
static void raft_wait_for_candidate(struct raft *r)
{
	uint64_t patience = (uint64_t)HASTY_VOTES_MAX * MAX(r->options.failover_ms, 1u);

	r->election_due_ms = MAX(r->election_due_ms, r->now_ms + patience);
}

int raft_step_vote(struct raft *r, const struct raft_message *m)
{
	bool pre = m->type == RAFT_PREVOTE;
	uint8_t type = pre ? RAFT_PREVOTE_RESP : RAFT_VOTE_RESP;
	bool damaged = r->damaged && !MUTANT(damaged_log_votes);
	bool older = raft_log_is_older(r, m);
	bool granted = raft_may_vote(r, m) && !older && !damaged;
	struct raft_message *reply;

	r->withheld = r->withheld || (older && !r->leader);
	if (!granted) {
		reply = raft_message_now(r, type, m->from);
		reply->flags |= RAFT_FLAG_REJECT;
	} else if (pre) {
		reply = raft_message_now(r, type, m->from);
		reply->term = m->term;
	} else {
		r->hard.vote = m->from;
		raft_reset_election_timer(r);
		raft_wait_for_candidate(r);
		reply = raft_message_after(r, type, m->from);
	}
	raft_attach_note(r, reply);
	return OK;
}

void raft_step_vote_resp(struct raft *r, const struct raft_message *m)
{
	struct peer *p = raft_peer(r, m->from);
	bool pre = m->type == RAFT_PREVOTE_RESP;
	bool granted = !(m->flags & RAFT_FLAG_REJECT);

	if (!p && MUTANT(count_outside_ids) && r->peer_count)
		p = &r->peers[0];
	if (!p || r->role != (pre ? RAFT_PRE_CANDIDATE : RAFT_CANDIDATE))
		return;
	/* A grant for another attempt than the one under way says nothing about this one. */
	if (granted && m->term != r->hard.term + pre)
		return;
	if (p->vote == VOTE_NONE)
		p->vote = granted ? VOTE_GRANTED : VOTE_REFUSED;
	raft_count_votes(r);
}

/* Nobody leads for sure: attempts follow each other after short delays for an election timeout. */
static void raft_hurry(struct raft *r)
{
	r->leader = 0;
	r->heard_leader_ms = TIME_NEVER;
	r->hasty_until_ms = r->now_ms + r->options.election_ms;
	raft_reset_election_timer(r);
}

void raft_peer_gone(struct raft *r, uint64_t now_ms, uint64_t peer)
{
	struct peer *p;

	raft_tick(r, now_ms);
	p = raft_peer(r, peer);
	if (r->role == RAFT_LEADER) {
		/* What was on its way is lost; probing finds out what arrived. */
		if (p && p->state == PEER_REPLICATE)
			peer_become_probe(p);
		if (p)
			p->gone = true;
		if (r->transfer_to == peer)
			raft_transfer_end(r);
		return;
	}
	if (r->role == RAFT_FOLLOWER && r->hard.born && r->leader == peer) {
		LOG(r->logger, LOG_NOTICE, "the leader's process is gone");
		raft_hurry(r);
	}
}

static bool peer_rests(const struct peer *p, uint64_t unused)
{
	(void)unused;
	return p->resting;
}

void raft_peer_resting(struct raft *r, uint64_t now_ms, uint64_t peer)
{
	struct peer *p;

	raft_tick(r, now_ms);
	p = raft_peer(r, peer);
	if (!p || !r->hard.born || r->role == RAFT_LEADER || r->leader)
		return;
	p->resting = true;
	if (!raft_majority(r, true, peer_rests, 0))
		return;
	for (size_t i = 0; i < r->peer_count; i++)
		r->peers[i].resting = false;
	raft_hurry(r);
}

void raft_born(struct raft *r, uint64_t now_ms)
{
	raft_tick(r, now_ms);
	if (r->hard.born)
		return;
	r->hard.born = true;
	r->hasty_until_ms = r->now_ms + r->options.election_ms;
	raft_reset_election_timer(r);
}
