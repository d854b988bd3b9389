/*
 * The rules that hold between any two events. Debug builds and the simulator ask after each one.
 *
 * R1  The log obeys L1 to L4 (raft_log.h).
 * R2  base <= applied <= commit <= last.
 * R3  The term is at least that of the newest entry.
 * R4  Memberships ascend in index, lie within the log, obey M1 to M5 (membership.h).
 * R5  A leader knows itself as such, has voted for itself, and is born and undamaged.
 * R6  A candidate has voted for itself.
 * R7  Everybody who takes part has exactly one peer; others only while they are shown out.
 * R8  Peers obey P1 to P3 (peer.h); a leader never believes a match beyond its own log.
 * R9  A leader's own entries begin at term_start and end its log.
 * R10 Writes under way ascend, and none makes more durable than was handed out.
 * R11 Reads wait only with a leader.
 * R12 A damaged member neither leads nor stands for election.
 * R13 What a leader commits first is an entry of its own term.
 */

#include "consensus/raft_state.h"

static const char *log_broken(const struct raft *r)
{
	const char *broken = raft_log_broken(&r->log);

	if (broken)
		return broken;
	if (r->log.base > r->applied || r->applied > r->commit || r->commit > r->log.last)
		return "R2: base <= applied <= commit <= last";
	if (r->hard.term < raft_log_last_term(&r->log))
		return "R3: the term is at least that of the newest entry";
	for (size_t i = 1; i < r->writing_count; i++)
		if (r->writing[i].seq <= r->writing[i - 1].seq)
			return "R10: writes under way ascend";
	for (size_t i = 0; i < r->writing_count; i++)
		if (r->writing[i].last > r->log.handed)
			return "R10: no write makes more durable than was handed out";
	return NULL;
}

static const char *memberships_broken(const struct raft *r)
{
	for (size_t i = 0; i < r->membership_count; i++) {
		const struct membership_entry *e = r->memberships[i];
		const char *broken = e->membership.count ? membership_broken(&e->membership) : NULL;

		if (broken)
			return broken;
		if (i > 0 && (e->index <= r->memberships[i - 1]->index || e->index > r->log.last))
			return "R4: memberships ascend and lie within the log";
		if (i == 1 && e->index <= r->log.base)
			return "R4: only the first membership lies at or below base";
	}
	return NULL;
}

static const char *role_broken(const struct raft *r)
{
	if (r->role == RAFT_LEADER) {
		if (r->leader != r->id || r->hard.vote != r->id || !r->hard.born)
			return "R5: a leader has voted for itself and knows that it leads";
		if (r->log.last < r->term_start ||
		    raft_log_term(&r->log, r->log.last) != r->hard.term)
			return "R9: a leader's own entries end its log";
		if (r->commit != r->term_commit && r->commit < r->term_start)
			return "R13: what a leader commits first is an entry of its own term";
	} else if (r->waiting.count || r->flying.count) {
		return "R11: reads wait only with a leader";
	}
	if (r->role == RAFT_CANDIDATE && r->hard.vote != r->id)
		return "R6: a candidate has voted for itself";
	if (r->damaged && r->role != RAFT_FOLLOWER)
		return "R12: a damaged member does not stand for election";
	return NULL;
}

static const char *peers_broken(const struct raft *r)
{
	const struct membership *m = raft_latest(r);
	size_t taking_part = 0;

	for (size_t i = 0; i < r->peer_count; i++) {
		const struct peer *p = &r->peers[i];
		const char *broken = peer_broken(p);

		if (broken)
			return broken;
		if (r->role == RAFT_LEADER && (p->match > r->log.last || p->next > r->log.last + 1))
			return "R8: no peer is believed to have more than the leader";
		if (p->leaves_at && r->role != RAFT_LEADER)
			return "R7: only a leader shows members out";
		if (!p->leaves_at && !membership_find(m, p->id))
			return "R7: a peer that does not take part is being shown out";
		taking_part += !p->leaves_at;
	}
	if (taking_part + (membership_find(m, r->id) != NULL) != m->count)
		return "R7: everybody who takes part has a peer";
	return NULL;
}

const char *raft_broken(const struct raft *r)
{
	const char *broken = log_broken(r);

	if (!broken)
		broken = memberships_broken(r);
	if (!broken)
		broken = role_broken(r);
	if (!broken)
		broken = peers_broken(r);
	return broken;
}
