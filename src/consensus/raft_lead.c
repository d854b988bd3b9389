/* The leader: its own entries, what followers acknowledge, what is committed by that. */

#include "base/check.h"
#include "base/error.h"
#include "base/logging.h"
#include "base/mutant.h"
#include "consensus/raft_state.h"

#include <inttypes.h>

void raft_append_own(struct raft *r, struct entry *e)
{
	e->term = r->hard.term;
	raft_log_append(&r->log, e);
	r->uncommitted_bytes += e->len;
	if (e->waiter && e->waiter != r->id) {
		struct peer *p = raft_peer(r, e->waiter);

		if (p)
			p->waits_for = r->log.last;
	}
}

int raft_propose(struct raft *r, uint64_t now_ms, struct entry *entries, size_t count,
		 uint64_t *first)
{
	raft_tick(r, now_ms);
	if (r->role != RAFT_LEADER)
		return ERR_NOT_LEADER;
	if (r->transfer_to)
		return ERR_UNAVAILABLE;
	if (r->uncommitted_bytes > r->options.uncommitted_bytes)
		return ERR_BUSY;
	*first = r->log.last + 1;
	for (size_t i = 0; i < count; i++) {
		CHECK(entries[i].kind != ENTRY_MEMBERSHIP);
		raft_append_own(r, &entries[i]);
	}
	return OK;
}

/* How far each member's disk is, as far as it counts. */
static uint64_t raft_agreed_index(const struct raft *r)
{
	const struct membership *m = raft_latest(r);
	uint64_t match[MEMBERSHIP_MAX] = {0};

	for (uint32_t i = 0; i < m->count; i++) {
		if (m->members[i].id == r->id)
			match[i] =
				MUTANT(count_own_log_before_durable) ? r->log.last : r->log.durable;
		for (size_t j = 0; j < r->peer_count; j++)
			if (r->peers[j].id == m->members[i].id &&
			    (!r->peers[j].damaged || MUTANT(damaged_acks_kept)))
				match[i] = r->peers[j].match;
	}
	return membership_agreed(m, match);
}

/* Entries between the old and the new commit index no longer wait for a majority. */
static void raft_count_committed(struct raft *r, uint64_t commit)
{
	size_t n;
	const struct entry *e = raft_log_span(&r->log, r->commit + 1, commit, &n);

	for (size_t i = 0; e && i < n; i++)
		r->uncommitted_bytes -= MIN(r->uncommitted_bytes, (uint64_t)e[i].len);
}

void raft_lead_commit(struct raft *r)
{
	uint64_t agreed = raft_agreed_index(r);

	/*
	 * An entry of an earlier term may be on a majority and still be overwritten (dissertation,
	 * figure 3.7): only an entry of the own term commits what stands before it.
	 */
	if (agreed <= r->commit ||
	    (raft_log_term(&r->log, agreed) != r->hard.term && !MUTANT(commit_old_term)))
		return;
	raft_count_committed(r, agreed);
	r->commit = agreed;
	raft_reads_start(r);
	raft_change_committed(r);
}

static void raft_note_damage(struct raft *r, struct peer *p, const struct raft_message *m)
{
	if (!(m->flags & RAFT_FLAG_DAMAGED) || p->damaged)
		return;
	LOG(r->logger, LOG_WARNING, "member %016" PRIx64 " has a damaged log: it does not count",
	    p->id);
	/* An acknowledgement from before the damage may still be on its way: a new nonce. */
	peer_become_damaged(p, ++r->round, r->log.last + 1);
}

static void raft_append_refused(struct raft *r, struct peer *p, const struct raft_message *m)
{
	uint64_t next = m->hint + 1;

	if (p->state == PEER_SNAPSHOT || m->index <= p->match)
		return; /* an old answer: more is known by now */
	if (p->state == PEER_REPLICATE) {
		peer_become_probe(p);
		return;
	}
	if (m->index != p->next - 1)
		return; /* not about the probe under way */
	/* Of the run of terms that its hint is in, this log may hold less. */
	if (m->log_term)
		next = MIN(next, raft_log_last_at_most(&r->log, m->hint, m->log_term) + 1);
	p->next = MAX(MIN(m->index, next), p->match + 1);
	p->paused = false;
}

static int raft_append_accepted(struct raft *r, struct peer *p, const struct raft_message *m)
{
	bool healed = p->damaged && !(m->flags & RAFT_FLAG_DAMAGED);

	if (m->index > r->log.last)
		return ERR_MALFORMED;
	if (healed)
		p->damaged = false; /* what it has acknowledged counts from now on */
	if (!peer_acknowledged(p, m->index) && p->state == PEER_REPLICATE && !healed)
		return OK;
	if (p->state == PEER_PROBE || (p->state == PEER_SNAPSHOT && p->match >= r->log.base))
		peer_become_replicate(p);
	raft_lead_commit(r);
	if (p->match >= r->commit)
		p->refilled = false;
	if (r->role == RAFT_LEADER)
		raft_transfer_progress(r, p);
	return OK;
}

int raft_step_append_resp(struct raft *r, const struct raft_message *m)
{
	struct peer *p = raft_peer(r, m->from);

	if (!p && MUTANT(count_outside_ids) && r->peer_count)
		p = &r->peers[0];
	if (!p || r->role != RAFT_LEADER || (m->flags & RAFT_FLAG_STALE))
		return OK;
	peer_heard(p, r->now_ms);
	raft_note_damage(r, p, m);
	if (m->context != p->nonce)
		return OK;
	if (m->flags & RAFT_FLAG_REJECT) {
		raft_append_refused(r, p, m);
		return OK;
	}
	return raft_append_accepted(r, p, m);
}

void raft_step_heartbeat_resp(struct raft *r, const struct raft_message *m)
{
	struct peer *p = raft_peer(r, m->from);

	if (!p || r->role != RAFT_LEADER)
		return;
	peer_heard(p, r->now_ms);
	raft_note_damage(r, p, m);
	if (!(m->flags & RAFT_FLAG_DAMAGED) && m->context <= r->round)
		p->round = MAX(p->round, m->context);
	if (!(m->flags & RAFT_FLAG_DAMAGED) && p->damaged)
		p->poke = true; /* its acknowledgement says that it counts again; one was lost */
	if (p->state == PEER_PROBE)
		p->paused = false;
	if (p->state == PEER_REPLICATE && (m->flags & RAFT_FLAG_BEHIND))
		peer_become_probe(p);
	/* Nothing was acknowledged between two heartbeats: ask whether it arrived. */
	if (p->state == PEER_REPLICATE && p->match + 1 < p->next && p->match == p->match_seen)
		p->poke = true;
	p->match_seen = p->match;
	if (p->state == PEER_SNAPSHOT) {
		p->quiet = m->flags & RAFT_FLAG_INSTALLING ? 0 : p->quiet + 1;
		if (p->quiet >= 3)
			peer_become_probe(p);
	}
	raft_reads_confirm(r);
	raft_transfer_progress(r, p);
}

void raft_lead_heartbeats(struct raft *r)
{
	r->beat_now = false;
	r->heartbeat_due_ms = r->now_ms + r->options.heartbeat_ms;
	for (size_t i = 0; i < r->peer_count; i++) {
		struct peer *p = &r->peers[i];
		struct raft_message *m = raft_message_now(r, RAFT_HEARTBEAT, p->id);

		m->index = p->match;
		m->commit = r->commit; /* bounded by whoever hears it: only he knows what is his */
		m->context = r->round;
		p->sent_commit = MAX(p->sent_commit, m->commit);
		raft_attach_note(r, m);
	}
}

/* Answers only move the moment further away: it is looked for anew when the last one has come. */
static bool raft_quorum_is_silent(struct raft *r)
{
	if (r->now_ms < r->quorum_due_ms)
		return false;
	r->quorum_due_ms = raft_majority_heard_ms(r) + r->options.election_ms;
	return r->now_ms >= r->quorum_due_ms;
}

void raft_lead_tick(struct raft *r)
{
	if (r->options.check_quorum && raft_quorum_is_silent(r) &&
	    !MUTANT(leader_without_quorum_stays)) {
		LOG(r->logger, LOG_WARNING, "steps down: no majority has answered for %u ms",
		    r->options.election_ms);
		raft_become_follower(r, r->hard.term, 0);
		return;
	}
	if (r->now_ms >= raft_disk_patience_ms(r) && !MUTANT(leader_with_hung_disk_stays)) {
		LOG(r->logger, LOG_WARNING, "hands over: the log has not moved for %u ms",
		    r->options.election_ms);
		raft_abdicate(r);
		return;
	}
	if (r->transfer_to && r->now_ms >= r->transfer_due_ms)
		raft_transfer_end(r);
	raft_peers_leave(r, false);
	if (r->now_ms >= r->heartbeat_due_ms)
		raft_lead_heartbeats(r);
}

struct peer *raft_furthest_voter(struct raft *r)
{
	const struct membership *m = raft_latest(r);
	struct peer *best = NULL;

	for (size_t i = 0; i < r->peer_count; i++) {
		struct peer *p = &r->peers[i];
		const struct participant *member = membership_find(m, p->id);

		if (!member || !(member->roles & MEMBER_VOTER) || p->damaged || p->gone)
			continue;
		if (r->now_ms >= p->heard_ms + r->options.election_ms)
			continue;
		if (!best || p->match > best->match)
			best = p;
	}
	return best;
}
