/*
 * Expiry. A key is gone when an entry that says so is applied, like any other change. The leader
 * proposes it: it knows how early the next row of deadlines can be, and when that time has come, a
 * job of the pool collects what is due. One round is under way at a time: scan, entry, applied.
 *
 * A scan looks only a little beyond what is due for where the next one begins. The rows of keys
 * that are gone already lie there as deletions, perhaps many; a scan that ran on to the next living
 * row would walk over them in each round anew.
 */

#include "base/check.h"
#include "base/error.h"
#include "base/logging.h"
#include "base/mem.h"
#include "base/mutant.h"
#include "node/expiry_entry.h"
#include "node/member_state.h"

#include <inttypes.h>

/* Of one round. */
#define ROUND_ITEMS 1000
#define ROUND_BYTES ((size_t)256 << 10)

/* No two rounds begin within this time: what comes in between shares an entry. */
#define ROUND_PACE_MS 4

/* How far a scan looks ahead: more as long as it finds nothing. */
#define AHEAD_MIN_MS 100
#define AHEAD_MAX_MS (UINT64_C(3600) * 1000)

struct expiry_scan {
	struct job job;
	struct member *member;
	struct view *view;
	struct reader reader;
	uint64_t from_ms;
	struct buf from; /* the row it begins at, of that time */
	uint64_t now_ms;
	uint64_t until_ms; /* it looks no further */
	uint64_t next_ms;
	struct buf next; /* the row, of that time, where what it has not collected begins */
	struct buf entry;
	size_t count;
	int error;
	bool is_void; /* this member leads no more, or once more */
};

/* ---- the scan -------------------------------------------------------------------------------- */

static bool round_is_full(const struct expiry_scan *s)
{
	return s->count >= ROUND_ITEMS || s->entry.len >= ROUND_BYTES;
}

/* Where rows of this time begin. */
static void row_of_time(struct buf *out, uint64_t at_ms)
{
	buf_clear(out);
	deadline_key(out, at_ms, 0, (struct slice){NULL, 0});
}

static int expiry_collect(struct expiry_scan *s, struct slice until)
{
	struct slice key, value;
	struct expiry_item item;
	struct scan scan;
	int rc, end;

	rc = scan_open(&scan, &s->reader, FAMILY_STATE, buf_slice(&s->from), until, false);
	if (rc != OK)
		return rc;
	while (rc == OK && scan_next(&scan, &key, &value)) {
		rc = deadline_key_decode(key, &item.at_ms, &item.keyspace, &item.key);
		if (rc != OK) {
			rc = ERR_CORRUPT;
		} else if (item.at_ms > s->now_ms || round_is_full(s)) {
			s->next_ms = item.at_ms;
			buf_clear(&s->next);
			buf_append_slice(&s->next, key);
			break;
		} else {
			expiry_item_encode(&item, &s->entry);
			s->count++;
		}
	}
	end = scan_close(&scan);
	return rc == OK ? end : rc;
}

static enum job_progress expiry_scan_step(struct job *job)
{
	struct expiry_scan *s = CONTAINER_OF(job, struct expiry_scan, job);
	struct buf until = {0};

	row_of_time(&until, s->until_ms);
	row_of_time(&s->next, s->until_ms);
	s->next_ms = s->until_ms;
	s->error = expiry_collect(s, buf_slice(&until));
	buf_free(&until);
	return JOB_DONE;
}

static void expiry_scan_free(struct expiry_scan *s)
{
	if (!s)
		return;
	reader_close(&s->reader);
	view_close(s->view);
	buf_free(&s->from);
	buf_free(&s->next);
	buf_free(&s->entry);
	mem_free(s);
}

static void expiry_propose(struct member *m, const struct expiry_scan *s)
{
	struct expiry *x = &m->expiry;
	struct blob *payload = blob_copy(buf_slice(&s->entry));
	int rc = member_propose(m, ENTRY_EXPIRE, payload, 0, &x->proposed);

	blob_release(payload);
	if (rc == OK)
		return;
	x->proposed = 0;
	x->due_ms = member_now_ms(m) + m->options.driver.raft.heartbeat_ms;
	store_lower_deadline_ms(m->store, s->from_ms);
}

static void expiry_scan_done(struct job *job)
{
	struct expiry_scan *s = CONTAINER_OF(job, struct expiry_scan, job);
	struct member *m = s->member;
	struct expiry *x = &m->expiry;

	x->scan = NULL;
	if (s->error != OK) {
		LOG(m->io->logger, LOG_ERROR, "deadlines cannot be read: %s", error_text(s->error));
		member_fail(m, s->error);
	} else if (!s->is_void) {
		x->next_ms = s->next_ms;
		buf_clear(&x->next);
		buf_append_slice(&x->next, buf_slice(&s->next));
		if (s->count)
			x->ahead_ms = AHEAD_MIN_MS;
		else if (s->next_ms == s->until_ms)
			x->ahead_ms = MIN(2 * x->ahead_ms, AHEAD_MAX_MS);
		if (s->count)
			expiry_propose(m, s);
	}
	expiry_scan_free(s);
}

/*
 * Where the scan before ended, to the row: many may have the same time, and those it has passed are
 * deletions now. Unless earlier ones were put since, or others of that time.
 */
static void expiry_scan_from(struct member *m, struct expiry_scan *s)
{
	struct expiry *x = &m->expiry;

	s->from_ms = store_take_deadline_ms(m->store);
	if (s->from_ms <= x->next_ms && !MUTANT(expiry_forgets_new_rows)) {
		row_of_time(&s->from, s->from_ms);
		return;
	}
	s->from_ms = x->next_ms;
	buf_append_slice(&s->from, buf_slice(&x->next));
}

static void expiry_scan_start(struct member *m, uint64_t now_ms)
{
	struct expiry_scan *s = MEM_NEW(struct expiry_scan);

	s->member = m;
	expiry_scan_from(m, s);
	s->now_ms = now_ms;
	s->until_ms = now_ms + m->expiry.ahead_ms;
	s->view = view_open(m->store);
	view_reader(s->view, &s->reader);
	expiry_entry_begin(&s->entry);
	s->job.step = expiry_scan_step;
	s->job.done = expiry_scan_done;
	s->job.owner = m;
	m->expiry.scan = s;
	m->expiry.due_ms = member_now_ms(m) + ROUND_PACE_MS;
	m->io->run(m->io->ctx, LANE_READ, &s->job);
}

/* ---- the leader ------------------------------------------------------------------------------ */

static bool makes_time(const struct member *m)
{
	return m->status.role == RAFT_LEADER && m->time.leading;
}

/* No row that is not in an entry already is earlier. */
static uint64_t expiry_next_ms(const struct member *m)
{
	return MIN(m->expiry.next_ms, store_deadline_ms(m->store));
}

/* Whether a round may begin when its time has come. */
static bool expiry_rests(const struct member *m)
{
	const struct expiry *x = &m->expiry;

	return makes_time(m) && !x->scan && driver_applied(m->driver) >= x->proposed;
}

void member_expiry_reset(struct member *m)
{
	struct expiry *x = &m->expiry;

	if (MUTANT(expiry_of_old_leader))
		return;
	if (x->scan)
		x->scan->is_void = true;
	x->proposed = 0;
	x->due_ms = 0;
	x->ahead_ms = AHEAD_MIN_MS;
	x->next_ms = UINT64_MAX;
	store_lower_deadline_ms(m->store, 0);
}

void member_expiry_turn(struct member *m)
{
	uint64_t now_ms;

	if (member_expiry_due_ms(m) > member_now_ms(m))
		return;
	/* The entry's stamp will not be less than this; an estimate could be above it. */
	now_ms = member_time_stamp(m);
	if (now_ms >= expiry_next_ms(m))
		expiry_scan_start(m, now_ms);
}

uint64_t member_expiry_due_ms(const struct member *m)
{
	uint64_t next_ms = expiry_next_ms(m), due_ms = member_now_ms(m), now_ms;

	if (next_ms == UINT64_MAX || !expiry_rests(m) ||
	    !cluster_time_estimate(&m->time, clock_monotonic_us(&m->io->clock), &now_ms))
		return UINT64_MAX;
	if (next_ms > now_ms)
		due_ms += MIN(next_ms - now_ms, AHEAD_MAX_MS);
	return MAX(due_ms, m->expiry.due_ms);
}

void member_expiry_close(struct member *m)
{
	expiry_scan_free(m->expiry.scan);
	buf_free(&m->expiry.next);
}

/* ---- applied --------------------------------------------------------------------------------- */

/* Each item is a step of its own; ERR_MISSING: nothing has happened. */
static int expire(struct member *m, const struct expiry_item *item)
{
	int rc;

	txn_begin(&m->txn, store_position(m->store)->stamp_ms, 0);
	txn_pin(&m->txn, m->pinned);
	rc = txn_expire(&m->txn, item->at_ms, item->keyspace, item->key);
	if (rc != OK) {
		txn_undo(&m->txn);
		return rc;
	}
	if (txn_changed(&m->txn))
		m->changes++;
	txn_commit(&m->txn);
	member_unpin(m);
	return OK;
}

bool member_expiry_apply(struct member *m, const struct entry *e)
{
	struct cursor c = cursor_of(entry_payload(e));
	struct expiry_item item;
	int rc = expiry_entry_decode(&c);

	if (m->applying.at)
		c.at = e->data + m->applying.at;
	while (rc == OK && cursor_left(&c)) {
		m->applying.at = (size_t)(c.at - e->data);
		rc = expiry_item_decode(&c, &item);
		if (rc != OK)
			break;
		rc = expire(m, &item);
		if (rc == ERR_MISSING) {
			if (!member_prefetch_missing(m, e))
				member_dry_run_item(m, &item, e);
			return false;
		}
		if (rc != OK) {
			member_fail(m, rc);
			return false;
		}
		m->applying.done++;
	}
	if (rc != OK)
		LOG(m->io->logger, LOG_ERROR, "entry %" PRIu64 " names no deadlines: skipped",
		    m->applying.index);
	return true;
}
