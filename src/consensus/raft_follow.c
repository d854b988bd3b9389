/* The follower: taking entries, commit indexes and snapshots from the leader of the term. */

#include "base/check.h"
#include "base/error.h"
#include "base/logging.h"
#include "base/mutant.h"
#include "consensus/raft_state.h"

#include <inttypes.h>
#include <string.h>

void raft_follow_commit(struct raft *r, uint64_t commit)
{
	/* Only what is known to be the leader's log may be applied, whatever it says of its own. */
	if (MUTANT(commit_beyond_verified))
		commit = MIN(commit, r->log.last);
	else
		commit = MIN(commit, r->verified);
	if (commit > r->commit)
		r->commit = commit;
}

static void raft_refuse_append(struct raft *r, const struct raft_message *m)
{
	struct raft_message *reply = raft_message_now(r, RAFT_APPEND_RESP, m->from);

	/*
	 * The newest entry that can be the leader's: no later than what it asked about, and of no
	 * later term. So a whole run of foreign terms is skipped in one step.
	 */
	reply->flags |= RAFT_FLAG_REJECT;
	reply->index = m->index;
	reply->context = m->context;
	reply->hint = raft_log_last_at_most(&r->log, MIN(m->index, r->log.last), m->log_term);
	reply->log_term = raft_log_term(&r->log, reply->hint);
}

static bool membership_readable(struct slice bytes)
{
	struct membership m = {0};
	int rc = membership_decode(bytes, &m);

	membership_free(&m);
	return rc == OK;
}

/* Whether terms ascend from the entry before to the leader's own, and memberships can be read. */
static bool append_well_formed(const struct raft_message *m)
{
	uint64_t term = m->log_term;

	if (m->index > NUMBER_MAX - m->count)
		return false;
	for (uint32_t i = 0; i < m->count; i++) {
		const struct entry *e = &m->entries[i];

		if (e->term < term || e->term > m->term || e->term == 0)
			return false;
		term = e->term;
		if (e->kind == ENTRY_MEMBERSHIP && !membership_readable(entry_payload(e)))
			return false;
	}
	return true;
}

static void raft_cut_suffix(struct raft *r, uint64_t index)
{
	CHECK(index >= r->commit);
	raft_log_truncate(&r->log, index);
	raft_memberships_cut(r, index);
	/*
	 * A write under way may finish after the cut was decided and before it is on disk:
	 *
	 *	hand out 5..9    cut to 6, hand out 7'    "5..9 is on disk"    crash
	 *
	 * What it made durable of the old suffix is not in this log and must not be counted.
	 */
	for (size_t i = 0; i < r->writing_count && !MUTANT(cut_write_counts); i++)
		r->writing[i].last = MIN(r->writing[i].last, index);
}

/* Takes the entries from `skip` on that the log does not have yet; the log matches before them. */
static int raft_take_entries(struct raft *r, const struct raft_message *m, uint32_t skip)
{
	uint32_t i = skip;

	while (i < m->count && raft_log_matches(&r->log, m->index + 1 + i, m->entries[i].term))
		i++;
	if (i == m->count)
		return OK;
	if (m->index + 1 + i <= r->log.last) {
		if (m->index + i < r->commit)
			return ERR_MALFORMED; /* a leader that lacks what is committed is none */
		raft_cut_suffix(r, m->index + i);
	}
	for (; i < m->count; i++) {
		raft_log_append(&r->log, &m->entries[i]);
		if (m->entries[i].kind == ENTRY_MEMBERSHIP)
			CHECK(raft_adopt(r, r->log.last, entry_payload(&m->entries[i])) == OK);
	}
	return OK;
}

int raft_step_append(struct raft *r, const struct raft_message *m)
{
	uint32_t skip = 0;
	int rc;

	if (!append_well_formed(m))
		return ERR_MALFORMED;
	if (m->index < r->log.base) {
		/* A late repetition: the log begins later by now. What is before that is committed.
		 */
		skip = (uint32_t)MIN((uint64_t)m->count, r->log.base - m->index);
		if (skip && m->index + skip == r->log.base &&
		    m->entries[skip - 1].term != r->log.base_term)
			return ERR_MALFORMED;
	} else if (!raft_log_matches(&r->log, m->index, m->log_term)) {
		if (m->index <= r->commit)
			return ERR_MALFORMED;
		raft_refuse_append(r, m);
		return OK;
	}
	rc = raft_take_entries(r, m, skip);
	if (rc != OK)
		return rc;
	r->verified = MAX(r->verified, MAX(m->index + m->count, r->log.base));
	r->ack_pending = true;
	r->ack_nonce = m->context;
	raft_follow_commit(r, m->commit);
	return OK;
}

void raft_damage_progress(struct raft *r)
{
	if (!r->damaged || !r->damage_target || MIN(r->verified, r->log.durable) < r->damage_target)
		return;
	LOG(r->logger, LOG_NOTICE, "the damaged log is whole again up to %" PRIu64,
	    r->damage_target);
	r->damaged = false;
	r->damage_target = 0;
	r->clear_damage_pending = true;
	r->ack_pending = r->leader != 0;
}

void raft_step_heartbeat(struct raft *r, const struct raft_message *m)
{
	struct raft_message *reply = raft_message_now(r, RAFT_HEARTBEAT_RESP, m->from);

	reply->context = m->context;
	if (r->verified < m->index)
		reply->flags |= RAFT_FLAG_BEHIND;
	if (r->install_bytes)
		reply->flags |= RAFT_FLAG_INSTALLING;
	raft_follow_commit(r, m->commit);
	if (r->damaged && !r->damage_target)
		raft_ask_read(r, DAMAGE_REQUEST);
}

void raft_step_commit(struct raft *r, const struct raft_message *m)
{
	raft_follow_commit(r, m->commit);
}

void raft_forget_install(struct raft *r)
{
	snapshot_free(&r->install);
	blob_release(r->install_bytes);
	r->install_bytes = NULL;
	r->install_offered = false;
}

int raft_step_snapshot(struct raft *r, const struct raft_message *m)
{
	struct blob *bytes;
	struct snapshot s = {0};

	r->ack_nonce = m->context;
	if (m->index <= r->commit && !MUTANT(accept_stale_snapshot)) {
		r->ack_pending = true; /* says how far the log agrees */
		r->verified = MAX(r->verified, r->commit);
		return OK;
	}
	if (raft_log_matches(&r->log, m->index, m->log_term)) {
		r->verified = MAX(r->verified, m->index);
		r->ack_pending = true;
		raft_follow_commit(r, m->index);
		return OK;
	}
	if (r->install_bytes)
		return OK; /* one after the other; the leader asks again */
	bytes = blob_copy(m->descriptor);
	if (snapshot_decode(slice_of(bytes->data, bytes->len), &s) != OK || s.index != m->index ||
	    s.term != m->log_term) {
		snapshot_free(&s);
		blob_release(bytes);
		return ERR_MALFORMED;
	}
	r->install = s;
	r->install_bytes = bytes;
	r->install_offered = true;
	return OK;
}

bool raft_snapshot_wanted(const struct raft *r, uint64_t index)
{
	return r->install_bytes && r->install.index == index &&
	       ((index > r->commit && !raft_log_matches(&r->log, index, r->install.term)) ||
		MUTANT(accept_stale_snapshot));
}

/* The state machine holds the snapshot: the log follows it. */
static void raft_install(struct raft *r, uint64_t index)
{
	LOG(r->logger, LOG_NOTICE, "goes on behind a snapshot at %" PRIu64, index);
	/*
	 * While the state was on its way, a leader may have brought the entries: then the log goes
	 * on past the snapshot, what is there may be acknowledged, and it has to stay.
	 */
	if (raft_log_matches(&r->log, index, r->install.term)) {
		r->verified = MAX(r->verified, index);
	} else {
		raft_log_reset(&r->log, index, r->install.term);
		raft_memberships_reset(r, index, &r->install.membership);
		for (size_t i = 0; i < r->writing_count; i++)
			r->writing[i].last = 0;
		r->reset_pending = true;
		r->verified = index;
	}
	r->commit = index;
	r->applied = index;
	r->ack_pending = r->leader != 0;
}

void raft_snapshot_installed(struct raft *r, uint64_t now_ms, uint64_t index, bool ok)
{
	raft_tick(r, now_ms);
	if (!r->install_bytes || r->install.index != index)
		return;
	if (ok && (index > r->commit || MUTANT(accept_stale_snapshot)))
		raft_install(r, index);
	else if (ok)
		raft_applied(r, index); /* entries were committed while the state was swapped */
	raft_forget_install(r);
}
