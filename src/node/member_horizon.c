/*
 * The horizon. The past is kept for a time and up to a size; what is beyond either is given up by
 * an entry, so that all members give up the same. The leader looks now and then how far that would
 * be: a job of the pool searches for the revision. One round is under way at a time: search, entry,
 * applied; where nothing is behind the horizon there is none.
 */

#include "base/error.h"
#include "base/logging.h"
#include "base/mem.h"
#include "base/mutant.h"
#include "node/horizon_entry.h"
#include "node/member_state.h"

#include <inttypes.h>

/*
 * So often within the time for which the past is kept, and when the engine took more history in;
 * no more often than once in a second.
 */
#define ROUNDS_PER_RETENTION 32
#define ROUND_PACE_MIN_MS    1000

struct horizon_search {
	struct job job;
	struct member *member;
	struct view *view;
	struct txn txn;
	uint64_t oldest_ms; /* what was replaced before this is too old */
	uint64_t max_bytes;
	struct horizon_entry found;
	int error;
	bool is_void; /* this member leads no more, or once more */
};

/* ---- the search ------------------------------------------------------------------------------ */

/* The lowest revision above which history takes no more than it may. */
static uint64_t revision_by_bytes(const struct horizon_search *s)
{
	const struct position *p = view_position(s->view);
	uint64_t low = p->horizon, high = p->revision;

	if (view_history_bytes(s->view, low) <= s->max_bytes)
		return low;
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (view_history_bytes(s->view, middle) <= s->max_bytes)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static int horizon_search(struct horizon_search *s)
{
	uint64_t horizon = view_position(s->view)->horizon, by_age = horizon;
	int rc = txn_revision_at(&s->txn, s->oldest_ms, &by_age);

	if (rc == ERR_COMPACTED)
		rc = OK;
	if (rc != OK)
		return rc;
	horizon = MAX(horizon, MAX(by_age, revision_by_bytes(s)));
	/* The txn knows the revision's time then; nobody sees what it changes. */
	rc = txn_move_horizon(&s->txn, horizon);
	s->found = (struct horizon_entry){horizon, s->txn.position.horizon_ms};
	return rc;
}

static enum job_progress horizon_search_step(struct job *job)
{
	struct horizon_search *s = CONTAINER_OF(job, struct horizon_search, job);

	s->error = horizon_search(s);
	return JOB_DONE;
}

static void horizon_search_free(struct horizon_search *s)
{
	if (!s)
		return;
	txn_close(&s->txn);
	view_close(s->view);
	mem_free(s);
}

static void horizon_propose(struct member *m, const struct horizon_entry *found)
{
	struct buf bytes = {0};
	struct blob *payload;
	int rc;

	if (MUTANT(horizon_without_entry)) {
		position_move_horizon(store_position(m->store), found->revision, found->at_ms);
		return;
	}
	horizon_entry_encode(found, &bytes);
	payload = blob_copy(buf_slice(&bytes));
	rc = member_propose(m, ENTRY_HORIZON, payload, 0, &m->horizon.proposed);
	if (rc != OK) /* the next round finds the same */
		m->horizon.proposed = 0;
	blob_release(payload);
	buf_free(&bytes);
}

static void horizon_search_done(struct job *job)
{
	struct horizon_search *s = CONTAINER_OF(job, struct horizon_search, job);
	struct member *m = s->member;

	m->horizon.search = NULL;
	if (s->error != OK) {
		LOG(m->io->logger, LOG_ERROR, "history cannot be read: %s", error_text(s->error));
		member_fail(m, s->error);
	} else if (!s->is_void && s->found.revision > store_position(m->store)->horizon) {
		horizon_propose(m, &s->found);
	}
	horizon_search_free(s);
}

/* Without space no past is kept: what is dead has to make room. */
static uint64_t history_kept_ms(const struct member *m)
{
	return member_has_alarm(m) ? 0 : m->options.history_retention_ms;
}

static void horizon_search_start(struct member *m)
{
	struct horizon_search *s = MEM_NEW(struct horizon_search);
	uint64_t now_ms = member_time_stamp(m), kept_ms = history_kept_ms(m);

	s->member = m;
	s->oldest_ms = now_ms > kept_ms ? now_ms - kept_ms : 0;
	s->max_bytes = m->options.history_max_bytes;
	s->view = view_open(m->store);
	txn_init_view(&s->txn, s->view, NULL);
	txn_begin(&s->txn, now_ms, 0);
	s->job.step = horizon_search_step;
	s->job.done = horizon_search_done;
	s->job.owner = m;
	m->horizon.search = s;
	m->io->run(m->io->ctx, LANE_READ, &s->job);
}

/* ---- the leader ------------------------------------------------------------------------------ */

void member_horizon_reset(struct member *m)
{
	struct horizon *h = &m->horizon;

	if (h->search)
		h->search->is_void = true;
	h->proposed = 0;
	h->due_ms = 0;
	h->pace_ms = 0;
}

uint64_t member_horizon_due_ms(const struct member *m)
{
	const struct position *p = store_position(m->store);
	const struct horizon *h = &m->horizon;

	if (m->status.role != RAFT_LEADER || !m->time.leading || h->search ||
	    driver_applied(m->driver) < h->proposed || p->horizon == p->revision)
		return UINT64_MAX;
	return store_durable_index(m->store) == h->stored && !member_has_alarm(m) ? h->due_ms
										  : h->pace_ms;
}

void member_horizon_turn(struct member *m)
{
	uint64_t now_ms = member_now_ms(m);

	if (member_horizon_due_ms(m) > now_ms)
		return;
	m->horizon.stored = store_durable_index(m->store);
	m->horizon.pace_ms = now_ms + ROUND_PACE_MIN_MS;
	m->horizon.due_ms =
		MAX(m->horizon.pace_ms, now_ms + history_kept_ms(m) / ROUNDS_PER_RETENTION);
	horizon_search_start(m);
}

void member_horizon_close(struct member *m)
{
	horizon_search_free(m->horizon.search);
}

/* ---- applied --------------------------------------------------------------------------------- */

void member_horizon_apply(struct member *m, const struct entry *e)
{
	struct position *p = store_position(m->store);
	struct horizon_entry h;
	int rc = horizon_entry_decode(entry_payload(e), &h);

	if (rc == OK && h.revision > p->revision)
		rc = ERR_INVALID;
	if (rc != OK) {
		LOG(m->io->logger, LOG_ERROR, "entry %" PRIu64 " names no horizon: skipped",
		    m->applying.index);
		return;
	}
	position_move_horizon(p, h.revision, h.at_ms);
	m->changes++;
}
