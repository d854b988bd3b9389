/* Giving this member's stored state to others, some rows at a time. */

#include "base/error.h"
#include "base/logging.h"
#include "base/mem.h"
#include "base/mutant.h"
#include "node/member_state.h"
#include "node/transfer.h"

#include <inttypes.h>

/* A state that nobody has asked for so long is not kept open any more, in election timeouts. */
#define SHARE_TIMEOUTS 10

/* A state that others are fetching. */
struct share {
	struct list link; /* in the member */
	struct published *published;
	uint64_t index;
	uint64_t due_ms;
	unsigned jobs; /* under way */
};

struct share_job {
	struct job job;
	struct list link; /* in the member */
	struct member *member;
	struct share *share;
	struct blob *question;
	struct fetch fetch;
	size_t most; /* no more rows when the answer has so many bytes */
	struct buf answer;
	uint64_t send_ms; /* when the answer goes out; 0: it is not there yet */
	int error;	  /* of reading the rows */
};

static void share_send(struct member *m, uint64_t to, const struct buf *answer)
{
	struct frame frame = {.kind = FRAME_ROWS, .head = buf_slice(answer)};

	m->io->send(m->io->ctx, to, &frame);
}

static void share_refuse(struct member *m, const struct fetch *f)
{
	struct buf answer = {0};

	rows_begin(f->request, &answer);
	rows_end(&answer, ROWS_GONE, 0);
	share_send(m, f->from, &answer);
	buf_free(&answer);
}

/* The state of this index, if it is still open or is the newest stored one. */
static struct share *share_find(struct member *m, uint64_t index)
{
	struct share *s;

	list_for_each (it, &m->shares) {
		s = LIST_ITEM(it, struct share, link);
		if (s->index == index)
			return s;
	}
	if (index == 0 || index != store_durable_index(m->store))
		return NULL;
	s = MEM_NEW(struct share);
	s->published = store_share(m->store);
	s->index = index;
	list_init(&s->link);
	list_push_back(&m->shares, &s->link);
	return s;
}

static void share_end(struct member *m, struct share *s)
{
	list_remove(&s->link);
	store_share_end(m->store, s->published);
	mem_free(s);
}

static void share_job_free(struct share_job *j)
{
	list_remove(&j->link);
	j->share->jobs--;
	blob_release(j->question);
	buf_free(&j->answer);
	mem_free(j);
}

/* In the pool: rows behind the one that the question names. */
static enum job_progress share_step(struct job *job)
{
	struct share_job *j = CONTAINER_OF(job, struct share_job, job);
	struct engine_cursor *c = engine_cursor_open(store_share_view(j->share->published),
						     j->fetch.family, (struct slice){NULL, 0});
	uint32_t count = 0;

	engine_cursor_seek(c, j->fetch.after);
	if (j->fetch.after.len && engine_cursor_valid(c) &&
	    slice_equal(engine_cursor_key(c), j->fetch.after))
		engine_cursor_next(c);
	if (MUTANT(transfer_skips_a_row) && j->fetch.after.len && engine_cursor_valid(c))
		engine_cursor_next(c);
	rows_begin(j->fetch.request, &j->answer);
	while (engine_cursor_valid(c) && (count == 0 || j->answer.len < j->most)) {
		rows_put(engine_cursor_key(c), engine_cursor_value(c), &j->answer);
		count++;
		engine_cursor_next(c);
	}
	j->error = engine_cursor_error(c);
	if (j->error != OK) {
		rows_begin(j->fetch.request, &j->answer);
		rows_end(&j->answer, ROWS_GONE, 0);
	} else {
		rows_end(&j->answer, engine_cursor_valid(c) ? ROWS_MORE : ROWS_LAST, count);
	}
	engine_cursor_close(c);
	return JOB_DONE;
}

/*
 * Whoever asked hears only that there is nothing, and asks again: better of another one. Said once,
 * since until then it asks this one.
 */
static void share_failed(struct member *m, const struct share_job *j)
{
	if (m->check.unreadable)
		return;
	m->check.unreadable = true;
	LOG(m->io->logger, LOG_ERROR,
	    "the stored state cannot be given to member %016" PRIx64
	    ": %s. Stop this member, remove its state (in its directory the file ENGINE and "
	    "engine-*, but not the log), and start it again: it gets its state from the others",
	    j->fetch.from, error_text(j->error));
}

/* The line is taken by what went out before, as long as that needs at the rate that is allowed. */
static void share_done(struct job *job)
{
	struct share_job *j = CONTAINER_OF(job, struct share_job, job);
	struct member *m = j->member;
	uint64_t now_us = member_now_us(m), rate = m->options.share_bytes_per_s;

	if (j->error != OK)
		share_failed(m, j);
	m->share_free_us = MAX(m->share_free_us, now_us);
	j->send_ms = m->share_free_us / 1000;
	if (rate && !MUTANT(share_unpaced))
		m->share_free_us += (uint64_t)j->answer.len * 1000000 / rate;
}

/* A question that is being answered was only asked once more. */
static bool share_is_under_way(const struct member *m, const struct fetch *f)
{
	list_for_each (it, &m->share_jobs) {
		const struct share_job *j = LIST_ITEM(it, const struct share_job, link);

		if (j->fetch.from == f->from && j->fetch.request == f->request)
			return true;
	}
	return false;
}

/* At a low rate less: the next one who asks is not to give up before the line is free again. */
static size_t share_most(const struct member *m)
{
	uint64_t rate = m->options.share_bytes_per_s;
	uint64_t most = rate * m->options.driver.raft.election_ms / 1000;

	return rate ? MIN(m->options.share_bytes, (size_t)most) : m->options.share_bytes;
}

void member_hear_fetch(struct member *m, struct blob *body)
{
	struct share_job *j;
	struct fetch f;
	struct share *s;

	if (fetch_decode(slice_of(body->data, body->len), &f) != OK) {
		LOG(m->io->logger, LOG_WARNING, "a malformed question for rows was ignored");
		return;
	}
	if (share_is_under_way(m, &f) && !MUTANT(question_answered_twice))
		return;
	s = member_is_quarantined(m) ? NULL : share_find(m, f.index);
	if (!s) {
		share_refuse(m, &f);
		return;
	}
	s->due_ms =
		member_now_ms(m) + SHARE_TIMEOUTS * (uint64_t)m->options.driver.raft.election_ms;
	j = MEM_NEW(struct share_job);
	j->member = m;
	j->share = s;
	s->jobs++;
	j->question = blob_hold(body);
	j->fetch = f;
	j->most = share_most(m);
	list_init(&j->link);
	list_push_back(&m->share_jobs, &j->link);
	j->job.step = share_step;
	j->job.done = share_done;
	j->job.owner = m;
	m->io->run(m->io->ctx, LANE_READ, &j->job);
}

void member_share_turn(struct member *m)
{
	uint64_t now = member_now_ms(m);

	list_for_each_safe (it, &m->share_jobs) {
		struct share_job *j = LIST_ITEM(it, struct share_job, link);

		if (j->send_ms == 0 || j->send_ms > now)
			continue;
		share_send(m, j->fetch.from, &j->answer);
		share_job_free(j);
	}
	list_for_each_safe (it, &m->shares) {
		struct share *s = LIST_ITEM(it, struct share, link);

		if (now >= s->due_ms && s->jobs == 0)
			share_end(m, s);
	}
}

uint64_t member_share_due_ms(const struct member *m)
{
	uint64_t due = UINT64_MAX;

	list_for_each (it, &m->share_jobs) {
		const struct share_job *j = LIST_ITEM(it, const struct share_job, link);

		if (j->send_ms)
			due = MIN(due, j->send_ms);
	}
	return due;
}

void member_share_close(struct member *m)
{
	list_for_each_safe (it, &m->share_jobs)
		share_job_free(LIST_ITEM(it, struct share_job, link));
	list_for_each_safe (it, &m->shares)
		share_end(m, LIST_ITEM(it, struct share, link));
}
