/* From state to work: what the driver is given, and what it reports back of the disk. */

#include "base/check.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/mutant.h"
#include "consensus/raft_state.h"

#include <string.h>

bool raft_must_sync(const struct raft_persist *p)
{
	return p->count > 0 || p->reset || p->hard_changed || p->clear_damage;
}

static bool hard_equal(const struct raft_hard_state *a, const struct raft_hard_state *b)
{
	return a->term == b->term && a->vote == b->vote && a->born == b->born;
}

static void raft_acknowledge(struct raft *r)
{
	struct raft_message *m;

	if (!r->ack_pending || r->role == RAFT_LEADER || !r->leader)
		return;
	/* One answer for all appends of this turn. */
	m = raft_message_after(r, RAFT_APPEND_RESP, r->leader);
	m->index = r->verified;
	m->context = r->ack_nonce;
	r->ack_pending = false;
}

static void writing_push(struct raft *r)
{
	MEM_GROW(r->writing, r->writing_cap, r->writing_count + 1);
	r->writing[r->writing_count++] = (struct writing){
		.seq = ++r->seq,
		.last = r->log.last,
		.started_ms = r->now_ms,
	};
}

static void raft_hand_out(struct raft *r, struct raft_persist *p)
{
	*p = (struct raft_persist){
		.reset = r->reset_pending,
		.base = r->log.base,
		.base_term = r->log.base_term,
		.membership = r->reset_pending ? &r->memberships[0]->membership : NULL,
		.first = r->log.handed + 1,
		.hard_changed = !hard_equal(&r->hard, &r->hard_handed),
		.hard = r->hard,
		.clear_damage = r->clear_damage_pending,
	};
	if (r->log.handed < r->log.last)
		p->entries = raft_log_span(&r->log, p->first, r->log.last, &p->count);
	CHECK(p->count == r->log.last - r->log.handed);
	if (!raft_must_sync(p))
		return;
	writing_push(r);
	p->seq = r->seq;
	r->log.handed = r->log.last;
	r->hard_handed = r->hard;
	r->reset_pending = false;
	r->clear_damage_pending = false;
}

void raft_ready(struct raft *r, struct raft_ready *rd)
{
	CHECK(!r->in_ready);
	if (r->role == RAFT_LEADER) {
		raft_send_entries(r);
		if (r->beat_now)
			raft_lead_heartbeats(r);
		if (r->abdicate_pending)
			raft_abdicate(r);
	}
	raft_acknowledge(r);
	*rd = (struct raft_ready){0};
	raft_hand_out(r, &rd->persist);
	rd->now = r->out_now.items;
	rd->now_count = r->out_now.count;
	rd->after = r->out_after.items;
	rd->after_count = r->out_after.count;
	rd->after_seq = r->writing_count ? r->seq : 0;
	rd->commit = r->commit;
	rd->reads = r->reads;
	rd->read_count = r->read_count;
	rd->notes = r->notes;
	rd->note_count = r->note_count;
	rd->loads = r->loads;
	rd->load_count = r->load_count;
	if (r->install_offered) {
		rd->install.wanted = true;
		rd->install.from = r->leader;
		rd->install.snapshot = &r->install;
	}
	r->in_ready = true;
}

void raft_advance(struct raft *r)
{
	CHECK(r->in_ready);
	r->in_ready = false;
	r->out_now.count = 0;
	r->out_after.count = 0;
	r->read_count = 0;
	r->note_count = 0;
	r->load_count = 0;
	r->install_offered = false;
	for (size_t i = 0; i < r->staged_count; i++)
		blob_release(r->staged[i].blob);
	r->staged_count = 0;
	raft_log_trim(&r->log, r->applied, r->options.tail_bytes);
}

void raft_persisted(struct raft *r, uint64_t now_ms, uint64_t seq)
{
	size_t done = 0;

	while (done < r->writing_count && r->writing[done].seq <= seq) {
		raft_log_persisted(&r->log, MAX(r->writing[done].last, r->log.base));
		done++;
	}
	r->writing_count -= done;
	memmove(r->writing, r->writing + done, r->writing_count * sizeof(*r->writing));
	raft_tick(r, now_ms);
	if (r->role == RAFT_CANDIDATE)
		raft_count_votes(r);
	if (r->role == RAFT_LEADER)
		raft_lead_commit(r);
	else
		raft_damage_progress(r);
}

void raft_applied(struct raft *r, uint64_t index)
{
	CHECK(index <= r->commit);
	r->applied = MAX(r->applied, index);
}

const struct entry *raft_committed(const struct raft *r, uint64_t first, size_t *count)
{
	*count = 0;
	if (first > r->commit)
		return NULL;
	return raft_log_span(&r->log, first, r->commit, count);
}

void raft_release(struct raft *r, uint64_t index)
{
	CHECK(!r->in_ready && index <= r->applied && index <= r->log.durable);
	raft_log_release(&r->log, index);
	raft_memberships_release(r, index);
}

uint64_t raft_held_index(const struct raft *r)
{
	uint64_t held = UINT64_MAX;

	for (size_t i = 0; r->role == RAFT_LEADER && i < r->peer_count; i++) {
		const struct peer *p = &r->peers[i];

		if (p->refilled && r->now_ms < p->heard_ms + r->options.election_ms)
			held = MIN(held, MAX(p->match, p->snapshot));
	}
	return held;
}

void raft_snapshot_taken(struct raft *r, const struct snapshot *s)
{
	struct buf bytes = {0};

	CHECK(s->index <= r->commit);
	if (s->index < r->snapshot_index)
		return;
	snapshot_encode(s, &bytes);
	blob_release(r->snapshot_bytes);
	r->snapshot_bytes = blob_copy(buf_slice(&bytes));
	r->snapshot_index = s->index;
	buf_free(&bytes);
}

uint64_t raft_term_at(const struct raft *r, uint64_t index)
{
	return raft_log_term(&r->log, index);
}

const char *raft_role_name(enum raft_role role)
{
	switch (role) {
	case RAFT_FOLLOWER:
		return "follower";
	case RAFT_PRE_CANDIDATE:
		return "pre-candidate";
	case RAFT_CANDIDATE:
		return "candidate";
	case RAFT_LEADER:
		return "leader";
	}
	return "unknown";
}

void raft_status(const struct raft *r, struct raft_status *out)
{
	*out = (struct raft_status){
		.id = r->id,
		.role = r->role,
		.term = r->hard.term,
		.vote = r->hard.vote,
		.leader = r->leader,
		.commit = r->commit,
		.base = r->log.base,
		.last = r->log.last,
		.durable = r->log.durable,
		.tail_bytes = r->log.tail_bytes,
		.born = r->hard.born,
		.damaged = r->damaged,
		.joint = raft_latest(r)->joint,
		.transferring = r->transfer_to != 0,
		.installing = r->install_bytes != NULL,
		.membership_pending = raft_latest_index(r) > r->commit,
		.memberships = r->memberships_seen,
	};
}

bool raft_peer_status(const struct raft *r, size_t i, struct raft_peer_status *out)
{
	const struct peer *p;

	if (i >= r->peer_count)
		return false;
	p = &r->peers[i];
	*out = (struct raft_peer_status){
		.id = p->id,
		.match = p->match,
		.next = p->next,
		.state = p->state,
		.heard_ms = p->heard_ms,
		.gone = p->gone,
	};
	return true;
}
