/* Handing over leadership: on request, because the disk hangs, or because of a removal. */

#include "base/check.h"
#include "base/error.h"
#include "base/logging.h"
#include "consensus/raft_state.h"

#include <inttypes.h>

static void raft_send_timeout_now(struct raft *r, uint64_t to)
{
	LOG(r->logger, LOG_NOTICE, "hands leadership to %016" PRIx64, to);
	raft_message_now(r, RAFT_TIMEOUT_NOW, to);
}

void raft_transfer_end(struct raft *r)
{
	r->transfer_to = 0;
}

void raft_transfer_progress(struct raft *r, struct peer *p)
{
	if (r->transfer_to != p->id || p->match != r->log.last)
		return;
	/* It has everything; proposals wait, so this stays so. Said again until a new term comes.
	 */
	raft_send_timeout_now(r, p->id);
}

static int raft_transfer_begin(struct raft *r, uint64_t to)
{
	struct peer *p;
	const struct participant *member;

	if (r->transfer_to)
		return r->transfer_to == to ? OK : ERR_BUSY;
	p = to ? raft_peer(r, to) : raft_furthest_voter(r);
	if (to == r->id)
		return OK;
	if (!p)
		return to ? ERR_NOT_FOUND : ERR_UNAVAILABLE;
	member = membership_find(raft_latest(r), p->id);
	if (!member || !(member->roles & MEMBER_VOTER))
		return ERR_INVALID;
	r->transfer_to = p->id;
	r->transfer_due_ms = r->now_ms + r->options.election_ms;
	raft_transfer_progress(r, p);
	return OK;
}

int raft_transfer(struct raft *r, uint64_t now_ms, uint64_t to)
{
	struct raft_message *m;

	raft_tick(r, now_ms);
	if (r->role == RAFT_LEADER)
		return raft_transfer_begin(r, to);
	if (!r->leader)
		return ERR_UNAVAILABLE;
	m = raft_message_now(r, RAFT_TRANSFER, r->leader);
	m->context = to;
	return OK;
}

void raft_step_transfer(struct raft *r, const struct raft_message *m)
{
	int rc;

	if (r->role != RAFT_LEADER)
		return;
	rc = raft_transfer_begin(r, m->context);
	if (rc != OK)
		LOG(r->logger, LOG_NOTICE, "transfer to %016" PRIx64 " not begun: %s", m->context,
		    error_text(rc));
}

void raft_abdicate(struct raft *r)
{
	struct peer *heir = raft_furthest_voter(r);

	CHECK(r->role == RAFT_LEADER);
	if (heir)
		raft_send_timeout_now(r, heir->id);
	raft_become_follower(r, r->hard.term, 0);
}

void raft_step_timeout_now(struct raft *r, const struct raft_message *m)
{
	if (r->role == RAFT_LEADER || (r->leader && m->from != r->leader))
		return;
	raft_campaign(r, RAFT_CANDIDATE, true);
}
