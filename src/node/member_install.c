/*
 * Taking over another member's state: its rows are asked for one lot after the other and go to a
 * fresh engine beside the living one. When all are there, they are held against the position that
 * came with them; if that is what they are, the fresh engine is adopted, and the store goes on over
 * it.
 *
 *	IDLE -> BEGINNING -> ASKING <-> WRITING -> READING -> VERIFYING -> FETCHED -> ADOPTING ->
 *IDLE any of them may fail: DISCARDING, then install_fetched says why
 */

#include "base/check.h"
#include "base/error.h"
#include "base/logging.h"
#include "base/mem.h"
#include "base/mutant.h"
#include "node/member_state.h"
#include "node/transfer.h"

#include <inttypes.h>

/* A file of rows is taken in when it has got this long. */
#define INSTALL_FILE_BYTES ((uint64_t)64 << 20)
/* A question that nobody answers is given up after so many election timeouts (member_share.c). */
#define INSTALL_TIMEOUTS 10

static void install_work(struct member *m, enum member_install_phase phase);

/* ---- the engine's side: jobs ----------------------------------------------------------------- */

static int install_file_end(struct install *in)
{
	struct engine_file *file = in->file;
	int rc = engine_file_finish(file);

	in->file = NULL;
	in->file_bytes = 0;
	if (rc != OK) {
		engine_file_drop(file);
		return rc;
	}
	return engine_file_ingest(file);
}

/* The rows of one answer. */
static int install_put_rows(struct install *in)
{
	struct rows rows;
	struct slice key, value;
	int rc = rows_decode(slice_of(in->answer->data, in->answer->len), &rows);

	if (rc == OK && !in->file)
		rc = engine_file_begin(in->fresh, in->family, &in->file);
	for (uint64_t i = 0; rc == OK && i < rows.count; i++) {
		rc = rows_next(&rows, &key, &value);
		if (rc == OK && slice_compare(key, buf_slice(&in->last)) <= 0)
			rc = ERR_MALFORMED;
		if (rc != OK)
			break;
		rc = engine_file_put(in->file, key, value);
		buf_clear(&in->last);
		buf_append_slice(&in->last, key);
		in->file_bytes += key.len + value.len;
	}
	if (rc == OK && (in->file_bytes >= INSTALL_FILE_BYTES || rows.kind == ROWS_LAST))
		rc = install_file_end(in);
	return rc;
}

/* Some rows of what was fetched. */
static enum job_progress install_verify(struct install *in)
{
	if (MUTANT(install_unverified))
		return JOB_DONE;
	if (!in->check)
		in->error = state_check_open(&in->check, in->intake.view,
					     buf_slice(&in->intake.position));
	if (in->error == OK && state_check_step(in->check))
		return JOB_MORE;
	if (in->check)
		in->error = state_check_close(in->check, &in->wrong);
	in->check = NULL;
	return JOB_DONE;
}

static void install_discard(struct install *in)
{
	engine_file_drop(in->file);
	in->file = NULL;
	store_intake_drop(&in->intake);
	vault_discard(in->vault, in->fresh);
	in->fresh = NULL;
}

static enum job_progress install_step(struct job *job)
{
	struct install *in = CONTAINER_OF(job, struct install, job);

	switch (in->phase) {
	case INSTALL_BEGINNING:
		in->error = vault_begin(in->vault, &in->fresh);
		break;
	case INSTALL_WRITING:
		in->error = install_put_rows(in);
		break;
	case INSTALL_READING:
		in->error = store_intake_read(&in->intake, in->fresh);
		/* The log goes on behind the index that was asked for: the state must say the same.
		 */
		if (in->error == OK && in->intake.index != in->index)
			in->error = ERR_CORRUPT;
		in->level = in->error == OK ? in->intake.level : 0;
		break;
	case INSTALL_VERIFYING:
		return install_verify(in);
	case INSTALL_ADOPTING:
		in->error = vault_adopt(in->vault, in->fresh);
		if (in->error != OK)
			install_discard(in);
		break;
	case INSTALL_DISCARDING:
		install_discard(in);
		break;
	case INSTALL_IDLE:
	case INSTALL_ASKING:
	case INSTALL_FETCHED:
		CHECK(!"a phase without a job");
	}
	return JOB_DONE;
}

/* ---- the loop's side ------------------------------------------------------------------------- */

static void install_send(struct member *m)
{
	struct install *in = &m->install;
	struct fetch f = {.from = driver_id(m->driver),
			  .index = in->index,
			  .request = in->request,
			  .family = in->family,
			  .after = buf_slice(&in->last)};
	struct buf question = {0};
	struct frame frame = {.kind = FRAME_FETCH};

	fetch_encode(&f, &question);
	frame.head = buf_slice(&question);
	m->io->send(m->io->ctx, in->from, &frame);
	buf_free(&question);
	in->ask_again_ms = MIN(member_now_ms(m) + in->patience_ms, in->give_up_ms);
}

static void install_ask(struct member *m)
{
	struct install *in = &m->install;

	in->phase = INSTALL_ASKING;
	in->request++;
	in->patience_ms = 2 * (uint64_t)m->options.driver.raft.heartbeat_ms;
	in->give_up_ms =
		member_now_ms(m) + INSTALL_TIMEOUTS * (uint64_t)m->options.driver.raft.election_ms;
	install_send(m);
}

/*
 * It was lost, or its answer is slow to come: a lot of rows takes its time on a narrow line, and
 * each repetition takes the same again. So it keeps its number, under which the answer to any of
 * them is taken, and is repeated less and less often.
 */
static void install_ask_again(struct member *m)
{
	struct install *in = &m->install;

	in->patience_ms *= 2;
	install_send(m);
}

static void install_idle(struct install *in)
{
	in->phase = INSTALL_IDLE;
	buf_free(&in->last);
	blob_release(in->answer);
	in->answer = NULL;
}

static void install_fail(struct member *m, int error)
{
	m->install.failure = error;
	install_work(m, INSTALL_DISCARDING);
}

/* An answer was written down: more of this family, or the next one, or the end. */
static void install_written(struct member *m)
{
	struct install *in = &m->install;

	blob_release(in->answer);
	in->answer = NULL;
	if (!in->family_ends) {
		install_ask(m);
		return;
	}
	buf_clear(&in->last);
	if (in->family + 1 == FAMILY_COUNT) {
		install_work(m, INSTALL_READING);
		return;
	}
	in->family++;
	install_ask(m);
}

static void install_begin(struct member *m)
{
	struct install *in = &m->install;

	in->family = FAMILY_HISTORY;
	in->failure = OK;
	in->wrong = NULL;
	in->file_bytes = 0;
	in->wanted = false;
	/* Without a vault there is no room for it; with an old engine still open there is none yet.
	 */
	if (!m->options.vault || store_has_abandoned(m->store) || m->discarding)
		install_fail(m, ERR_BUSY);
	else
		install_work(m, INSTALL_BEGINNING);
}

static void install_discarded(struct member *m)
{
	struct install *in = &m->install;
	bool dropped = in->dropped;

	install_idle(in);
	in->dropped = false;
	if (in->wanted)
		install_begin(m);
	else if (!dropped)
		driver_install_fetched(m->driver);
}

static void install_job_done(struct job *job)
{
	struct install *in = CONTAINER_OF(job, struct install, job);
	struct member *m = job->owner;

	if (in->phase == INSTALL_DISCARDING) {
		install_discarded(m);
		return;
	}
	if (in->error != OK) {
		if (in->wrong)
			LOG(m->io->logger, LOG_ERROR,
			    "the state at %" PRIu64 " from %016" PRIx64
			    " is not what it says of itself and is thrown away: %s",
			    in->index, in->from, in->wrong);
		install_fail(m, in->error);
		return;
	}
	switch (in->phase) {
	case INSTALL_BEGINNING:
		install_ask(m);
		return;
	case INSTALL_WRITING:
		install_written(m);
		return;
	case INSTALL_READING:
		if (member_level_fits(m, in->level) != OK)
			member_fail(m, ERR_VERSION);
		else
			install_work(m, INSTALL_VERIFYING);
		return;
	default:
		in->phase = INSTALL_FETCHED;
		driver_install_fetched(m->driver);
	}
}

static void install_work(struct member *m, enum member_install_phase phase)
{
	struct install *in = &m->install;

	in->phase = phase;
	in->error = OK;
	in->job.step = install_step;
	in->job.done = install_job_done;
	in->job.owner = m;
	m->io->run(m->io->ctx, LANE_SNAPSHOT, &in->job);
}

void member_hear_rows(struct member *m, struct blob *body)
{
	struct install *in = &m->install;
	struct rows rows;

	if (rows_decode(slice_of(body->data, body->len), &rows) != OK) {
		LOG(m->io->logger, LOG_WARNING, "malformed rows were ignored");
		return;
	}
	if (in->phase != INSTALL_ASKING || rows.request != in->request)
		return;
	if (rows.kind == ROWS_GONE) {
		install_fail(m, ERR_COMPACTED);
		return;
	}
	in->answer = blob_hold(body);
	in->family_ends = rows.kind == ROWS_LAST;
	install_work(m, INSTALL_WRITING);
}

static enum job_progress discarding_step(struct job *job)
{
	struct discarding *d = CONTAINER_OF(job, struct discarding, job);

	vault_discard(d->vault, d->engine);
	return JOB_DONE;
}

static void discarding_done(struct job *job)
{
	struct discarding *d = CONTAINER_OF(job, struct discarding, job);
	struct member *m = job->owner;

	m->discarding = NULL;
	mem_free(d);
}

/* The engine that lived before an installation, when nobody looks at it any more. */
static void discard_abandoned(struct member *m)
{
	struct engine *old = store_take_abandoned(m->store);
	struct discarding *d;

	if (!old)
		return;
	d = MEM_NEW(struct discarding);
	d->vault = m->options.vault;
	d->engine = old;
	d->job.step = discarding_step;
	d->job.done = discarding_done;
	d->job.owner = m;
	m->discarding = d;
	m->io->run(m->io->ctx, LANE_SNAPSHOT, &d->job);
}

void member_install_turn(struct member *m)
{
	struct install *in = &m->install;

	if (in->phase == INSTALL_ASKING && member_now_ms(m) >= in->ask_again_ms) {
		if (member_now_ms(m) >= in->give_up_ms)
			install_fail(m, ERR_UNAVAILABLE);
		else
			install_ask_again(m);
	}
	discard_abandoned(m);
}

uint64_t member_install_due_ms(const struct member *m)
{
	return m->install.phase == INSTALL_ASKING ? m->install.ask_again_ms : UINT64_MAX;
}

/* The process ends: what was being built is the next start's to remove. */
void member_install_close(struct member *m)
{
	struct install *in = &m->install;

	engine_file_drop(in->file);
	if (in->check)
		(void)state_check_close(in->check, &in->wrong);
	store_intake_drop(&in->intake);
	install_idle(in);
	mem_free(m->discarding);
}

/* ---- as the driver wants it ------------------------------------------------------------------ */

struct job *member_install_fetch(struct member *m, uint64_t from, const struct snapshot *s)
{
	struct install *in = &m->install;

	LOG(m->io->logger, LOG_NOTICE, "fetches the state at %" PRIu64 " from %016" PRIx64,
	    s->index, from);
	in->vault = m->options.vault;
	in->from = from;
	in->index = s->index;
	in->wanted = true;
	/* An earlier one that was not wanted in the end may still be on its way out. */
	if (in->phase == INSTALL_IDLE)
		install_begin(m);
	return NULL;
}

int member_install_fetched(struct member *m)
{
	return m->install.phase == INSTALL_FETCHED ? OK : m->install.failure;
}

void member_install_drop(struct member *m)
{
	m->install.dropped = true;
	install_work(m, INSTALL_DISCARDING);
}

struct job *member_install_swap(struct member *m)
{
	struct install *in = &m->install;

	CHECK(in->phase == INSTALL_FETCHED);
	in->phase = INSTALL_ADOPTING;
	in->error = OK;
	in->job.step = install_step;
	return &in->job;
}

/*
 * Writes of this member's clients that are inside the state were applied, and what they answered is
 * not known here. Reads between them cannot be run at their moment any more.
 */
static void install_resolve(struct member *m)
{
	const struct origin_row *row = position_origin(store_position(m->store), m->origin.member);

	if (!row || row->incarnation != m->origin.incarnation)
		return;
	while (m->origin.first < m->origin.next && m->origin.first <= row->seq) {
		struct request *r = origin_pending(&m->origin, m->origin.first)->request;

		origin_resolve_first(&m->origin);
		if (r)
			session_answer_late(r);
	}
	list_for_each_safe (it, &m->sessions)
		session_advance(LIST_ITEM(it, struct session, link));
}

int member_install_done(struct member *m)
{
	struct install *in = &m->install;
	int rc = in->error;

	if (rc == OK) {
		store_replace(m->store, &in->intake);
		in->fresh = NULL;
		m->changes++;
		m->applying = (struct applying){0};
		member_forget_dry_run(m);
		member_check_forget(m);
		cluster_time_installed(&m->time, store_position(m->store)->term,
				       store_position(m->store)->stamp_ms);
		install_resolve(m);
		member_say_quarantined(m);
	}
	install_idle(in);
	return rc;
}
