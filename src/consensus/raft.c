/* Birth and death of the state, roles, time, and who handles which message. */

#include "consensus/raft.h"

#include "base/check.h"
#include "base/error.h"
#include "base/logging.h"
#include "base/mem.h"
#include "base/mutant.h"
#include "consensus/raft_state.h"

#include <inttypes.h>
#include <string.h>

struct raft_options raft_options_default(void)
{
	return (struct raft_options){
		.heartbeat_ms = 100,
		.election_ms = 1000,
		.failover_ms = 20,
		.append_bytes = 1 << 20,
		.inflight_messages = 256,
		.inflight_bytes = 16 << 20,
		.uncommitted_bytes = 256 << 20,
		.tail_bytes = 64 << 20,
		.prevote = true,
		.check_quorum = true,
	};
}

static int raft_load_memberships(struct raft *r, const struct raft_restore *restore)
{
	raft_memberships_reset(r, restore->base, restore->base_membership);
	for (size_t i = 0; i < restore->membership_count; i++) {
		const struct raft_restored_membership *m = &restore->memberships[i];

		if (m->index <= raft_latest_index(r) || m->index > restore->last)
			return ERR_CORRUPT;
		if (raft_adopt(r, m->index, m->bytes) != OK)
			return ERR_CORRUPT;
	}
	return OK;
}

static int raft_restore_log(struct raft *r, const struct raft_restore *restore)
{
	uint64_t term = restore->base_term;

	for (size_t i = 0; i < restore->run_count; i++) {
		const struct term_run *run = &restore->runs[i];

		if (run->term == 0 || run->term < term || run->first > restore->last ||
		    run->first != (i ? MAX(run->first, run[-1].first + 1) : restore->base + 1) ||
		    (i && run->term == run[-1].term))
			return ERR_CORRUPT;
		term = run->term;
	}
	if ((restore->run_count == 0) != (restore->last == restore->base) ||
	    (restore->base == 0) != (restore->base_term == 0) || restore->last < restore->base ||
	    restore->applied > restore->last)
		return ERR_CORRUPT;
	raft_log_restore(&r->log, restore->runs, restore->run_count, restore->last);
	return OK;
}

int raft_new(struct raft **out, const struct raft_options *options,
	     const struct raft_restore *restore, uint64_t now_ms)
{
	struct raft *r = MEM_NEW(struct raft);
	int rc;

	CHECK(options->id != 0 && options->heartbeat_ms > 0 &&
	      options->election_ms > options->heartbeat_ms && options->inflight_messages > 0);
	r->options = *options;
	r->id = options->id;
	r->logger = options->logger;
	r->now_ms = now_ms;
	random_seed(&r->random, options->seed);
	r->run = random_below(&r->random, NUMBER_MAX);
	r->hard = restore->hard;
	r->hard_handed = restore->hard;
	r->damaged = restore->damaged;
	raft_log_init(&r->log, restore->base, restore->base_term);
	rc = raft_restore_log(r, restore);
	if (rc == OK)
		rc = raft_load_memberships(r, restore);
	if (rc != OK) {
		raft_free(r);
		return rc;
	}
	r->commit = MAX(restore->base, restore->applied);
	r->applied = r->commit;
	/* A vote in a term, or entries of one, are never ahead of the term that was stored. */
	r->hard.term = MAX(r->hard.term, raft_log_last_term(&r->log));
	if (r->hard.term != restore->hard.term)
		r->hard.vote = 0;
	r->heard_leader_ms = TIME_NEVER;
	raft_reset_election_timer(r);
	*out = r;
	return OK;
}

void raft_free(struct raft *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->staged_count; i++)
		blob_release(r->staged[i].blob);
	for (size_t i = 0; i < r->peer_count; i++)
		peer_close(&r->peers[i]);
	for (size_t i = 0; i < r->membership_count; i++) {
		membership_free(&r->memberships[i]->membership);
		mem_free(r->memberships[i]);
	}
	raft_forget_install(r);
	blob_release(r->snapshot_bytes);
	raft_log_close(&r->log);
	mem_free(r->staged);
	mem_free(r->peers);
	mem_free(r->memberships);
	mem_free(r->writing);
	mem_free(r->waiting.items);
	mem_free(r->flying.items);
	mem_free(r->out_now.items);
	mem_free(r->out_after.items);
	mem_free(r->reads);
	mem_free(r->notes);
	mem_free(r->loads);
	mem_free(r);
}

static struct raft_message *message_add(struct message_list *list, const struct raft *r,
					uint8_t type, uint64_t to)
{
	struct raft_message *m;

	MEM_GROW(list->items, list->cap, list->count + 1);
	m = &list->items[list->count++];
	*m = (struct raft_message){.type = type, .from = r->id, .to = to, .term = r->hard.term};
	if (r->damaged)
		m->flags = RAFT_FLAG_DAMAGED;
	return m;
}

struct raft_message *raft_message_now(struct raft *r, uint8_t type, uint64_t to)
{
	return message_add(&r->out_now, r, type, to);
}

struct raft_message *raft_message_after(struct raft *r, uint8_t type, uint64_t to)
{
	return message_add(MUTANT(acknowledge_before_durable) ? &r->out_now : &r->out_after, r,
			   type, to);
}

void raft_attach_note(const struct raft *r, struct raft_message *m)
{
	m->note_len = r->note_len;
	memcpy(m->note, r->note, r->note_len);
}

void raft_set_note(struct raft *r, struct slice note)
{
	CHECK(note.len <= RAFT_NOTE_MAX);
	r->note_len = (uint8_t)note.len;
	if (note.len)
		memcpy(r->note, note.data, note.len);
}

void raft_set_stamp(struct raft *r, uint64_t stamp)
{
	r->stamp = stamp;
}

struct peer *raft_peer(struct raft *r, uint64_t id)
{
	for (size_t i = 0; i < r->peer_count; i++)
		if (r->peers[i].id == id)
			return &r->peers[i];
	return NULL;
}

/*
 * Whoever votes may stand for election. So may a member whose own removal is not committed: it may
 * be the only one that has the entry, and then nobody else can be elected without it
 * (dissertation, figure 4.6). So may a learner that was asked for its vote by one whose log is
 * older: by that log it votes, perhaps nobody is elected there without it, and by its own log the
 * voters can elect it. Its own vote does not count, and with its first commit it hands over.
 */
bool raft_may_stand(const struct raft *r)
{
	for (size_t i = r->membership_count; i-- > 0;) {
		if (membership_votes(&r->memberships[i]->membership, r->id))
			return true;
		if (r->memberships[i]->index <= r->commit)
			break;
	}
	return r->withheld && membership_find(raft_latest(r), r->id) &&
	       !MUTANT(learner_never_stands);
}

bool raft_majority(const struct raft *r, bool self, bool (*holds)(const struct peer *, uint64_t),
		   uint64_t arg)
{
	const struct membership *m = raft_latest(r);
	uint32_t mask = 0;

	for (uint32_t i = 0; i < m->count; i++) {
		if (m->members[i].id == r->id) {
			mask |= (uint32_t)self << i;
			continue;
		}
		for (size_t j = 0; j < r->peer_count; j++)
			if (r->peers[j].id == m->members[i].id && holds(&r->peers[j], arg))
				mask |= (uint32_t)1 << i;
	}
	return membership_majority(m, mask);
}

uint64_t raft_majority_heard_ms(const struct raft *r)
{
	const struct membership *m = raft_latest(r);
	uint64_t heard[MEMBERSHIP_MAX] = {0};

	for (uint32_t i = 0; i < m->count; i++) {
		if (m->members[i].id == r->id)
			heard[i] = r->now_ms;
		for (size_t j = 0; j < r->peer_count; j++)
			if (r->peers[j].id == m->members[i].id)
				heard[i] = r->peers[j].heard_ms;
	}
	return membership_agreed(m, heard);
}

bool raft_disk_stuck(const struct raft *r)
{
	return r->writing_count > 0 &&
	       r->now_ms >= r->writing[0].started_ms + r->options.election_ms;
}

uint64_t raft_disk_patience_ms(const struct raft *r)
{
	if (r->writing_count == 0 || raft_is_alone(r))
		return TIME_NEVER;
	return r->writing[0].started_ms + r->options.election_ms;
}

static bool peer_never(const struct peer *p, uint64_t unused)
{
	(void)p;
	(void)unused;
	return false;
}

bool raft_is_alone(const struct raft *r)
{
	return raft_majority(r, true, peer_never, 0);
}

void raft_reset_election_timer(struct raft *r)
{
	uint64_t hasty = MAX(r->options.failover_ms, 1u);
	uint64_t delay;

	if (r->role != RAFT_CANDIDATE && !r->leader && !r->damaged && raft_is_alone(r))
		delay = 0; /* nobody to wait for, but the disk that takes the vote */
	else if (r->now_ms < r->hasty_until_ms && r->role == RAFT_CANDIDATE)
		delay = random_between(&r->random, HASTY_VOTES_MIN * hasty,
				       HASTY_VOTES_MAX * hasty);
	else if (r->now_ms < r->hasty_until_ms)
		delay = random_between(&r->random, 1, hasty);
	else
		delay = r->options.election_ms +
			random_below(&r->random, r->options.election_ms / 2 + 1);
	r->election_due_ms = r->now_ms + delay;
}

void raft_enter_term(struct raft *r, uint64_t term, uint64_t vote)
{
	CHECK(term > r->hard.term);
	r->hard.term = term;
	r->hard.vote = vote;
	r->leader = 0;
	r->heard_leader_ms = TIME_NEVER;
	/* What the log has in common with a leader was said of an earlier one. */
	r->verified = 0;
	r->ack_pending = false;
	r->damage_target = 0;
}

static void raft_leave_office(struct raft *r)
{
	raft_reads_forget(r);
	raft_transfer_end(r);
	raft_peers_leave(r, true);
	r->uncommitted_bytes = 0;
	r->beat_now = false;
	r->abdicate_pending = false;
}

void raft_become_follower(struct raft *r, uint64_t term, uint64_t leader)
{
	if (r->role == RAFT_LEADER) {
		LOG(r->logger, LOG_NOTICE, "no longer leads term %" PRIu64, r->hard.term);
		raft_leave_office(r);
	}
	if (term != r->hard.term)
		raft_enter_term(r, term, 0);
	r->role = RAFT_FOLLOWER;
	r->leader = leader;
	if (leader)
		r->withheld = false;
	for (size_t i = 0; leader && i < r->peer_count; i++)
		r->peers[i].resting = false; /* that was before this leader */
	raft_reset_election_timer(r);
}

void raft_become_leader(struct raft *r)
{
	struct entry noop = {.kind = ENTRY_NOOP, .stamp = r->stamp};

	CHECK(r->role == RAFT_CANDIDATE && !r->damaged);
	LOG(r->logger, LOG_NOTICE, "leads term %" PRIu64, r->hard.term);
	r->role = RAFT_LEADER;
	r->leader = r->id;
	r->hasty_until_ms = 0;
	r->round = 0;
	r->flying_round = 0;
	r->uncommitted_bytes = 0;
	raft_forget_install(r);
	for (size_t i = 0; i < r->peer_count; i++)
		peer_reset(&r->peers[i], r->log.last + 1, r->now_ms);
	r->term_start = r->log.last + 1;
	r->term_commit = r->commit;
	if (!MUTANT(no_entry_at_term_start))
		raft_append_own(r, &noop);
	/* The entry goes to everybody with the next ready: that announces the leader well enough.
	 */
	r->beat_now = false;
	r->heartbeat_due_ms = r->now_ms + r->options.heartbeat_ms;
	r->quorum_due_ms = 0;
	raft_lead_commit(r);
}

void raft_tick(struct raft *r, uint64_t now_ms)
{
	CHECK(!r->in_ready);
	r->now_ms = MAX(r->now_ms, now_ms);
	if (!r->hard.born && !MUTANT(elect_before_birth))
		return;
	if (r->role == RAFT_LEADER)
		raft_lead_tick(r);
	else if (r->now_ms >= r->election_due_ms)
		raft_campaign(r, r->options.prevote ? RAFT_PRE_CANDIDATE : RAFT_CANDIDATE, false);
}

uint64_t raft_deadline(const struct raft *r)
{
	uint64_t due;

	if (!r->hard.born)
		return TIME_NEVER;
	if (r->role != RAFT_LEADER)
		return r->election_due_ms;
	due = r->heartbeat_due_ms;
	if (r->options.check_quorum)
		due = MIN(due, raft_majority_heard_ms(r) + r->options.election_ms);
	if (r->transfer_to)
		due = MIN(due, r->transfer_due_ms);
	return MIN(due, raft_disk_patience_ms(r));
}

static bool message_from_leader(uint8_t type)
{
	return type == RAFT_APPEND || type == RAFT_HEARTBEAT || type == RAFT_COMMIT ||
	       type == RAFT_SNAPSHOT;
}

/* Answers and wishes: what is said to a leader or a candidate. */
static bool message_needs_member(uint8_t type)
{
	return type == RAFT_PREVOTE_RESP || type == RAFT_VOTE_RESP || type == RAFT_APPEND_RESP ||
	       type == RAFT_HEARTBEAT_RESP || type == RAFT_READ || type == RAFT_TRANSFER;
}

static bool message_malformed(const struct raft *r, const struct raft_message *m)
{
	return m->type == 0 || m->type > RAFT_MESSAGE_TYPE_MAX || m->from == 0 ||
	       m->from == r->id || m->term == 0 || m->term > NUMBER_MAX || m->index > NUMBER_MAX ||
	       m->log_term > NUMBER_MAX || m->commit > NUMBER_MAX || m->hint > NUMBER_MAX ||
	       m->log_term > m->term || m->note_len > RAFT_NOTE_MAX;
}

/* A sender whose term is over learns it from the answer, and a stuck member gets out this way. */
static int raft_step_outdated(struct raft *r, const struct raft_message *m)
{
	struct raft_message *reply;

	if (m->type == RAFT_APPEND || m->type == RAFT_HEARTBEAT || m->type == RAFT_SNAPSHOT) {
		reply = raft_message_now(r, RAFT_APPEND_RESP, m->from);
		reply->flags |= RAFT_FLAG_STALE;
	} else if (m->type == RAFT_PREVOTE || m->type == RAFT_VOTE) {
		reply = raft_message_now(
			r, m->type == RAFT_VOTE ? RAFT_VOTE_RESP : RAFT_PREVOTE_RESP, m->from);
		reply->flags |= RAFT_FLAG_REJECT;
	}
	return OK;
}

/* A message of a newer term: returns false when it is not to be looked at any further. */
static bool raft_step_newer(struct raft *r, const struct raft_message *m)
{
	bool asks = m->type == RAFT_PREVOTE || m->type == RAFT_VOTE;
	bool waits = r->role == RAFT_FOLLOWER;
	uint64_t due_ms = r->election_due_ms;

	if (asks && !(m->flags & RAFT_FLAG_FORCE) && raft_in_lease(r))
		return false;
	/* A pre-vote asks about a term that need never come; its grant speaks of the same one. */
	if (m->type == RAFT_PREVOTE ||
	    (m->type == RAFT_PREVOTE_RESP && !(m->flags & RAFT_FLAG_REJECT)))
		return true;
	raft_become_follower(r, m->term, message_from_leader(m->type) ? m->from : 0);
	/*
	 * Who asks for a vote buys time only by getting it: a candidate that cannot win must not
	 * keep those who could from trying (dissertation, section 3.4).
	 */
	if (m->type == RAFT_VOTE && waits)
		r->election_due_ms = due_ms;
	return true;
}

static int raft_step_type(struct raft *r, const struct raft_message *m)
{
	switch (m->type) {
	case RAFT_PREVOTE:
	case RAFT_VOTE:
		return raft_step_vote(r, m);
	case RAFT_PREVOTE_RESP:
	case RAFT_VOTE_RESP:
		raft_step_vote_resp(r, m);
		return OK;
	case RAFT_APPEND:
		return raft_step_append(r, m);
	case RAFT_APPEND_RESP:
		return raft_step_append_resp(r, m);
	case RAFT_HEARTBEAT:
		raft_step_heartbeat(r, m);
		return OK;
	case RAFT_HEARTBEAT_RESP:
		raft_step_heartbeat_resp(r, m);
		return OK;
	case RAFT_COMMIT:
		raft_step_commit(r, m);
		return OK;
	case RAFT_SNAPSHOT:
		return raft_step_snapshot(r, m);
	case RAFT_READ:
		raft_step_read(r, m);
		return OK;
	case RAFT_READ_RESP:
		raft_step_read_resp(r, m);
		return OK;
	case RAFT_TIMEOUT_NOW:
		raft_step_timeout_now(r, m);
		return OK;
	default:
		raft_step_transfer(r, m);
		return OK;
	}
}

static void raft_take_note(struct raft *r, const struct raft_message *m)
{
	struct raft_note *note;

	if (m->note_len == 0)
		return;
	MEM_GROW(r->notes, r->note_cap, r->note_count + 1);
	note = &r->notes[r->note_count++];
	*note = (struct raft_note){.from = m->from, .type = m->type, .len = m->note_len};
	memcpy(note->bytes, m->note, m->note_len);
}

int raft_step(struct raft *r, uint64_t now_ms, const struct raft_message *m)
{
	raft_tick(r, now_ms);
	if (message_malformed(r, m))
		return ERR_MALFORMED;
	if (m->to != r->id && !MUTANT(count_outside_ids))
		return OK;
	if (!r->hard.born && !MUTANT(elect_before_birth))
		return OK;
	/* What somebody who does not take part says counts for nothing, its term included. */
	if (message_needs_member(m->type) && !raft_peer(r, m->from) && !MUTANT(count_outside_ids))
		return OK;
	if (m->term < r->hard.term)
		return raft_step_outdated(r, m);
	if (m->term > r->hard.term && !raft_step_newer(r, m))
		return OK;
	if (message_from_leader(m->type)) {
		if (r->role == RAFT_LEADER || (r->leader && r->leader != m->from))
			return ERR_MALFORMED; /* two leaders in one term */
		if (r->role != RAFT_FOLLOWER || r->leader != m->from)
			raft_become_follower(r, m->term, m->from);
		r->heard_leader_ms = r->now_ms;
		r->hasty_until_ms = 0;
		raft_reset_election_timer(r);
	}
	raft_take_note(r, m);
	return raft_step_type(r, m);
}
