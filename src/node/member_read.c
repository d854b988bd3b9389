/*
 * Reads. Those of one turn share a barrier: a read index that a majority has confirmed after they
 * came. One barrier is under way at a time, the next one collects meanwhile. When it is met, a read
 * runs on the loop over what is in memory; one that misses a row is run again in the pool, over a
 * view of the very same state.
 */

#include "base/check.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/logging.h"
#include "base/mem.h"
#include "base/mutant.h"
#include "node/member_state.h"

#include <inttypes.h>

/* Where a batch of reads gets more than this from the engine, nothing of it is learned. */
#define LEARN_MAX ((size_t)4 << 20)

static struct call read_call(struct request *r, struct txn *t, struct resp_writer *w)
{
	return (struct call){
		.command = r->command,
		.argv = r->argv,
		.argc = r->argc,
		.database = r->database,
		.txn = t,
		.reply = w,
		.watches = &r->watches,
		.page = &r->page,
		.local = r->local,
		.changed_at = r->changed_at,
	};
}

static void read_failed(struct resp_writer *w, int error)
{
	resp_write_errorf(w, "ERR This member cannot read its data: %s", error_text(error));
}

static void read_ran_in_pool(struct request *r)
{
	struct resp_writer w = request_writer(r);
	struct call c = {.command = r->command,
			 .argv = r->argv,
			 .argc = r->argc,
			 .reply = &w,
			 .refused = r->failed};

	member_tally(r->session, &c, r->usec, member_now_us(r->session->member));
}

/* Its reply is written. What a SCAN leaves behind is known from now on. */
static void read_done(struct member *m, struct request *r)
{
	if (r->page.cursor)
		scan_names_note(&m->scan_names, r->page.cursor, buf_slice(&r->page.name));
	session_done(r);
}

/* ---- the pool -------------------------------------------------------------------------------- */

static void read_in_pool(struct read_batch *b, struct request *r)
{
	struct resp_writer w = request_writer(r);
	struct call c = read_call(r, &b->txn, &w);
	uint64_t began_us = clock_monotonic_us(&b->clock);
	int rc;

	txn_begin(&b->txn, b->txn.time_ms, 0); /* the same state, without what others read of it */
	rc = command_run(&c);
	CHECK(rc != ERR_MISSING);
	r->failed = c.refused || rc != OK;
	b->damaged = b->damaged || rc == ERR_CORRUPT;
	r->usec = clock_monotonic_us(&b->clock) - began_us;
	if (rc == OK)
		return;
	buf_clear(&r->reply);
	read_failed(&w, rc);
}

static enum job_progress read_batch_step(struct job *job)
{
	struct read_batch *b = CONTAINER_OF(job, struct read_batch, job);

	read_in_pool(b, LIST_ITEM(b->at, struct request, waiting));
	b->at = b->at->next;
	return b->at == &b->requests ? JOB_DONE : JOB_MORE;
}

void read_batch_free(struct read_batch *b)
{
	struct list *it;

	if (!b)
		return;
	while ((it = list_pop_front(&b->requests)) != NULL)
		request_free(LIST_ITEM(it, struct request, waiting));
	list_remove(&b->link);
	txn_close(&b->txn);
	fetched_free(b->note);
	view_close(b->view);
	mem_free(b);
}

/* What the pool read is not to be relied on. */
static void read_was_in_quarantine(struct request *r)
{
	struct resp_writer w = request_writer(r);

	buf_clear(&r->reply);
	buf_clear(&r->watches);
	resp_write_error(&w, SLICE_LITERAL(QUARANTINE_TEXT));
}

/* Once: the engine says each time where it is. */
static void say_damaged(struct member *m)
{
	if (m->check.damage_told)
		return;
	m->check.damage_told = true;
	LOG(m->io->logger, LOG_ERROR,
	    "the stored state is damaged, a line before says where, and reads that come to it are "
	    "refused. In a cluster of several: stop this member, remove ENGINE and engine-*, but "
	    "not the log, and start it again: it gets its state from the others. A member that is "
	    "alone needs a copy of dir and log-dir");
}

static void read_batch_done(struct job *job)
{
	struct read_batch *b = CONTAINER_OF(job, struct read_batch, job);
	struct member *m = b->member;
	struct list *it;

	if (b->damaged)
		say_damaged(m);
	if (!fetched_is_full(b->note))
		store_learn(m->store, b->view, b->note);
	while ((it = list_pop_front(&b->requests)) != NULL) {
		struct request *r = LIST_ITEM(it, struct request, waiting);
		struct session *s = r->session;

		if (!s) {
			request_free(r);
			continue;
		}
		if (member_is_quarantined(m))
			read_was_in_quarantine(r);
		read_ran_in_pool(r);
		read_done(m, r);
		session_advance(s);
	}
	read_batch_free(b);
}

static struct read_batch *read_batch_new(struct member *m)
{
	struct read_batch *b = MEM_NEW(struct read_batch);

	b->member = m;
	b->clock = m->io->clock;
	b->view = view_open(m->store);
	b->note = fetched_new();
	b->note->limit = LEARN_MAX;
	b->changes = m->changes;
	list_init(&b->requests);
	list_init(&b->link);
	list_push_back(&m->batches, &b->link);
	txn_init_view(&b->txn, b->view, b->note);
	txn_begin(&b->txn, member_time_now(m), 0);
	return b;
}

void member_read_launch(struct member *m)
{
	struct read_batch *b = m->batch;

	if (!b)
		return;
	m->batch = NULL;
	b->at = b->requests.next;
	b->job.step = read_batch_step;
	b->job.done = read_batch_done;
	b->job.owner = m;
	m->io->run(m->io->ctx, LANE_READ, &b->job);
}

/* Its state is the one of this moment, whatever is applied before the pool comes to it. */
static void read_send_to_pool(struct member *m, struct request *r)
{
	if (m->batch && m->batch->changes != m->changes)
		member_read_launch(m);
	if (!m->batch)
		m->batch = read_batch_new(m);
	r->state = REQUEST_RUNNING;
	list_remove(&r->waiting);
	list_push_back(&m->batch->requests, &r->waiting);
}

/* ---- the loop -------------------------------------------------------------------------------- */

void member_read_now(struct member *m, struct request *r)
{
	struct resp_writer w = session_writer(r);
	uint64_t began_us = member_begins(m);
	struct call c;
	size_t before = w.out->len;
	int rc;

	if (member_is_quarantined(m)) {
		resp_write_error(&w, SLICE_LITERAL(QUARANTINE_TEXT));
		session_done(r);
		return;
	}
	txn_begin(&m->read_txn, m->lap_us ? m->lap_ms : member_time_now(m), 0);
	r->page.known = &m->scan_names;
	r->page.number = ++m->reads_run;
	r->changed_at = r->session->changed_at;
	c = read_call(r, &m->read_txn, &w);
	rc = command_run(&c);
	r->page.known = NULL;
	if (rc != OK)
		w.out->len = before;
	if (rc == ERR_MISSING) {
		read_send_to_pool(m, r);
		return;
	}
	if (rc != OK)
		read_failed(&w, rc);
	member_ran(r->session, &c, began_us);
	read_done(m, r);
}

/* The record of its first key will be looked for when the barrier is met, or with this turn. */
static void read_expect(struct member *m, struct request *r)
{
	size_t at = command_next_key(r->command, r->argc, 0);
	struct buf *row = &m->read_row;

	if (at == 0)
		return;
	buf_clear(row);
	record_key(row, store_position(m->store)->databases[r->database], r->argv[at]);
	r->row_hash = hash64(buf_slice(row));
	row_cache_expect_bucket(store_rows(m->store), r->row_hash);
}

void member_read(struct member *m, struct request *r)
{
	bool at_once = r->session->client.readonly;

	read_expect(m, r);

	r->state = REQUEST_WAITS;
	list_push_back(at_once ? &m->reads_at_once : &m->reads_waiting, &r->waiting);
}

/* All of one list behind another, in order. */
static void list_move_all(struct list *to, struct list *from)
{
	struct list *it;

	while ((it = list_pop_front(from)) != NULL)
		list_push_back(to, it);
}

void member_barrier_void(struct member *m)
{
	struct list all;

	/* What waits longest stays in front. */
	list_init(&all);
	list_move_all(&all, &m->reads_flying);
	list_move_all(&all, &m->reads_waiting);
	list_move_all(&m->reads_waiting, &all);
	m->barrier_due_ms = 0;
}

/*
 * All of these may run. A session that advances runs all its own and takes them out of the list, so
 * a long pipeline is walked through once. What many of them wait for is memory: they call for it
 * before the first one runs.
 */
static void reads_due(struct member *m, struct list *reads)
{
	const struct row_cache *rows = store_rows(m->store);
	struct list *next;

	if (list_empty(reads))
		return;
	list_for_each (it, reads) {
		struct request *r = LIST_ITEM(it, struct request, waiting);

		r->state = REQUEST_DUE;
		row_cache_expect_row(rows, r->row_hash);
	}
	list_for_each (it, reads)
		row_cache_expect_value(rows, LIST_ITEM(it, struct request, waiting)->row_hash);
	m->lap_us = member_now_us(m);
	m->lap_ms = member_time_now(m);
	while ((next = list_pop_front(reads)) != NULL)
		session_advance(LIST_ITEM(next, struct request, waiting)->session);
	m->lap_us = 0;
}

void member_read_turn(struct member *m)
{
	uint64_t now = member_now_ms(m);

	/*
	 * READONLY: this member's state will do. It is never older than what the session has seen
	 * or written here: what is applied only grows, and a read waits for the writes before it.
	 */
	reads_due(m, &m->reads_at_once);
	if (m->barrier_due_ms && now >= m->barrier_due_ms)
		member_barrier_void(m);
	if (m->barrier_due_ms || list_empty(&m->reads_waiting))
		return;
	m->barrier++;
	if (MUTANT(read_without_barrier)) {
		list_move_all(&m->reads_flying, &m->reads_waiting);
		m->barrier_due_ms = now;
		member_barrier_met(m, m->barrier);
		return;
	}
	if (driver_read(m->driver, m->barrier) != OK)
		return;
	list_move_all(&m->reads_flying, &m->reads_waiting);
	m->barrier_due_ms = now + 2 * (uint64_t)m->options.driver.raft.heartbeat_ms;
}

void member_barrier_met(struct member *m, uint64_t request)
{
	if ((request != m->barrier && !MUTANT(any_barrier_counts)) || !m->barrier_due_ms)
		return; /* asked for again since, under another number */
	m->barrier_due_ms = 0;
	reads_due(m, &m->reads_flying);
}
