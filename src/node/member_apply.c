/*
 * Applying: the state machine takes committed entries, one command after the other. Each command is
 * whole or not at all; between two of them anything else may happen, so an entry that is
 * interrupted goes on where it stopped.
 */

#include "base/check.h"
#include "base/error.h"
#include "base/logging.h"
#include "base/mem.h"
#include "base/mutant.h"
#include "node/member_state.h"

#include <inttypes.h>

/* Times the work limit of a command, for a transaction as a whole. */
#define TRANSACTION_WORK 4u

/* ---- a step that misses a row ---------------------------------------------------------------- */

/* What is sent as one whole has more. */
static uint64_t work_limit(const struct member *m, const struct batch_command *b)
{
	uint64_t limit = store_position(m->store)->work_limit +
			 (MUTANT(work_limit_by_member) ? driver_id(m->driver) % 64 : 0);
	return b->flags & BATCH_TRANSACTION ? TRANSACTION_WORK * limit : limit;
}

/* The row for a command of the log; NULL: this member knows none. */
static const struct command *command_of(const struct batch_command *b)
{
	const struct command *parent;

	return b->flags & BATCH_TRANSACTION ? &transaction_command
					    : command_lookup(b->argv, b->argc, &parent);
}

/* With a reply, so that a transaction runs its reads, too: they may be what missed a row. */
static int dry_run_command(struct dry_run *d)
{
	struct resp_writer w = {.out = &d->reply, .protocol = 2};
	struct call c = {
		.command = command_of(&d->command),
		.argv = d->command.argv,
		.argc = d->command.argc,
		.database = (unsigned)d->command.database,
		.txn = &d->txn,
		.reply = &w,
	};

	return command_run(&c);
}

static int dry_run_item(struct dry_run *d)
{
	return txn_expire(&d->txn, d->item.at_ms, d->item.keyspace, d->item.key);
}

static enum job_progress dry_run_step(struct job *job)
{
	struct dry_run *d = CONTAINER_OF(job, struct dry_run, job);

	d->result = d->run(d);
	if (d->result == ERR_WORK)
		d->result = OK; /* it will be refused, by rows that are known now */
	return JOB_DONE;
}

void dry_run_free(struct dry_run *d)
{
	if (!d)
		return;
	fetched_free(d->note);
	txn_close(&d->txn);
	view_close(d->view);
	buf_free(&d->reply);
	blob_release(d->payload);
	mem_free(d->argv);
	mem_free(d);
}

/* What it touched is pinned until the step has run on the loop. */
static void dry_run_done(struct job *job)
{
	struct dry_run *d = CONTAINER_OF(job, struct dry_run, job);
	struct member *m = d->member;
	int rc = d->result;

	if (!d->stale) {
		fetched_free(m->pinned);
		m->pinned = d->note;
		d->note = NULL;
	}
	m->dry_run = NULL;
	dry_run_free(d);
	if (rc != OK)
		member_fail(m, rc);
}

static struct dry_run *dry_run_new(struct member *m, const struct entry *e, uint64_t author)
{
	struct dry_run *d = MEM_NEW(struct dry_run);

	d->member = m;
	d->view = view_open(m->store);
	d->note = fetched_new();
	d->payload = blob_hold(e->blob);
	txn_init_view(&d->txn, d->view, d->note);
	txn_begin(&d->txn, store_position(m->store)->stamp_ms, author);
	return d;
}

static void dry_run_start(struct dry_run *d, int (*run)(struct dry_run *d))
{
	struct member *m = d->member;

	d->run = run;
	d->job.step = dry_run_step;
	d->job.done = dry_run_done;
	d->job.owner = m;
	m->dry_run = d;
	m->io->run(m->io->ctx, LANE_READ, &d->job);
}

static void dry_run_start_command(struct member *m, const struct batch_command *command,
				  const struct entry *e)
{
	struct dry_run *d = dry_run_new(m, e, command->author);

	txn_limit(&d->txn, work_limit(m, command));
	d->command = *command;
	d->argv = mem_alloc(command->argc * sizeof(*d->argv));
	for (size_t i = 0; i < command->argc; i++)
		d->argv[i] = command->argv[i];
	d->command.argv = d->argv;
	dry_run_start(d, dry_run_command);
}

void member_dry_run_item(struct member *m, const struct expiry_item *item, const struct entry *e)
{
	struct dry_run *d = dry_run_new(m, e, 0);

	d->item = *item;
	dry_run_start(d, dry_run_item);
}

void member_unpin(struct member *m)
{
	if (!m->pinned)
		return;
	txn_pin(&m->txn, NULL);
	fetched_free(m->pinned);
	m->pinned = NULL;
}

/* Another state took the place of the one that rows were fetched from. */
void member_forget_dry_run(struct member *m)
{
	member_unpin(m);
	if (m->dry_run)
		m->dry_run->stale = true;
}

/* ---- commands -------------------------------------------------------------------------------- */

static int refuse_work(struct member *m, const struct batch_command *b, struct request *r,
		       struct resp_writer *reply)
{
	if (r && r->local)
		r->local->ran = false;
	resp_write_errorf(reply,
			  "ERR work limit: this would read or change more than %" PRIu64 " keys, "
			  "elements and KiB at once; nothing was done, split it",
			  work_limit(m, b));
	return OK;
}

/* Runs it and lets it take effect. ERR_MISSING: nothing has happened. */
static int run_command(struct member *m, uint64_t incarnation, const struct batch_command *b,
		       struct request *r, struct resp_writer *reply)
{
	size_t before = reply->out ? reply->out->len : 0;
	uint64_t began_us = r ? member_now_us(m) : 0;
	struct call c = {
		.command = command_of(b),
		.argv = b->argv,
		.argc = b->argc,
		.database = (unsigned)b->database,
		.txn = &m->txn,
		.reply = reply,
		.local = r ? r->local : NULL,
		.changed_at = r ? r->session->changed_at : 0,
		.no_space = member_has_alarm(m),
	};
	bool changed;
	int rc;

	/* Whoever proposed it has looked at both; a byte that says otherwise is no command. */
	if (b->flags & ~BATCH_FLAGS_KNOWN || !c.command || c.command->class != COMMAND_WRITE ||
	    !command_takes(c.command, c.argc) || c.database >= DATABASE_COUNT)
		return ERR_MALFORMED;
	txn_begin(&m->txn, store_position(m->store)->stamp_ms, b->author);
	txn_of_run(&m->txn, incarnation);
	txn_pin(&m->txn, m->pinned);
	txn_limit(&m->txn, work_limit(m, b));
	rc = command_run(&c);
	if (rc == OK && txn_is_overworked(&m->txn))
		rc = ERR_WORK;
	if (rc != OK) {
		txn_undo(&m->txn);
		if (reply->out)
			reply->out->len = before;
		return rc == ERR_WORK ? refuse_work(m, b, r, reply) : rc;
	}
	changed = txn_changed(&m->txn);
	txn_commit(&m->txn);
	if (changed)
		m->changes++;
	if (changed && r)
		r->session->changed_at = store_position(m->store)->revision;
	if (r)
		member_ran(r->session, &c, began_us);
	return OK;
}

/* An author that changes from now on may name, or none any more. */
static void apply_author(struct member *m, uint64_t incarnation, const struct batch_command *b)
{
	struct author a = {.incarnation = incarnation, .number = b->author};
	struct author_text text;

	txn_begin(&m->txn, store_position(m->store)->stamp_ms, 0);
	if (b->argc == 3) {
		text = (struct author_text){b->argv[0], b->argv[1], b->argv[2]};
		if (!MUTANT(author_not_kept))
			txn_put_author(&m->txn, a, &text);
	} else if (b->argc == 1) {
		txn_end_author(&m->txn, a);
	}
	txn_commit(&m->txn);
}

/* Whoever a run of a member spoke for speaks no more. */
static void end_authors_of(struct member *m, uint64_t incarnation)
{
	if (!incarnation)
		return;
	txn_begin(&m->txn, store_position(m->store)->stamp_ms, 0);
	txn_end_authors_of(&m->txn, incarnation);
	txn_commit(&m->txn);
}

/* The request that waits for this number, if it is one of this member's own. */
static struct request *request_of(struct member *m, const struct batch_header *h, uint64_t seq)
{
	if (h->member != m->origin.member || h->incarnation != m->origin.incarnation)
		return NULL;
	CHECK(seq == m->origin.first);
	return origin_pending(&m->origin, seq)->request;
}

static void resolve(struct member *m, const struct batch_header *h, struct request *r)
{
	if (h->member != m->origin.member || h->incarnation != m->origin.incarnation)
		return;
	origin_resolve_first(&m->origin);
	if (r)
		r->session->written = m->applying.index;
	member_write_resolved(m, r);
}

/*
 * Runs it, unless it is void. A member in quarantine does not know what is right to say: what it
 * runs is for its own state only.
 */
static int run_step(struct member *m, const struct batch_header *h, const struct batch_command *b,
		    struct request *r, struct resp_writer *w)
{
	struct resp_writer nobody = {.out = NULL, .protocol = 2};
	bool distrusted = r && member_is_quarantined(m);
	int rc;

	if (b->flags & BATCH_AUTHOR) {
		apply_author(m, h->incarnation, b);
		return OK;
	}
	if (b->flags & BATCH_CANCELLED)
		return OK;
	if (h->level > store_position(m->store)->level)
		return ERR_VERSION;
	rc = run_command(m, h->incarnation, b, distrusted ? NULL : r, distrusted ? &nobody : w);
	if (rc == OK && distrusted)
		resp_write_errorf(w, "UNCERTAIN applied, reply lost: the data of this member was "
				     "found to differ from that of the others");
	return rc;
}

/* One command of a batch. ERR_MISSING: a row is being fetched. */
static int apply_command(struct member *m, const struct batch_header *h, uint64_t seq,
			 const struct batch_command *b, const struct entry *e)
{
	struct request *r = request_of(m, h, seq);
	struct resp_writer w = {.out = NULL, .protocol = 2}; /* nobody waits */
	int rc;

	if (r) {
		session_before_write(r->session, r);
		w = session_writer(r);
	}
	rc = run_step(m, h, b, r, &w);
	if (rc == ERR_MISSING) {
		if (!member_prefetch_missing(m, e))
			dry_run_start_command(m, b, e);
		return rc;
	}
	member_unpin(m);
	if (rc == ERR_MALFORMED) {
		LOG(m->io->logger, LOG_ERROR, "entry holds a command that is none: skipped");
		resp_write_errorf(&w, "ERR this command is not known to all members");
		rc = OK;
	}
	if (rc == ERR_VERSION) {
		resp_write_errorf(&w,
				  "ERR this command needs feature level %" PRIu32
				  " and the cluster is at %" PRIu32
				  ": start all members with the newer version first",
				  h->level, store_position(m->store)->level);
		rc = OK;
	}
	if (rc == OK)
		resolve(m, h, r);
	return rc;
}

/* ---- entries --------------------------------------------------------------------------------- */

static void note_gap(struct member *m, const struct batch_header *h)
{
	if (h->member == m->origin.member && h->incarnation == m->origin.incarnation)
		origin_send_again(&m->origin);
}

/* True when the batch is behind; false when it has to go on later. */
static bool apply_batch(struct member *m, const struct entry *e)
{
	struct cursor c = cursor_of(entry_payload(e));
	struct batch_header h;
	int rc = batch_header_decode(&c, &h);

	if (rc != OK) {
		LOG(m->io->logger, LOG_ERROR, "entry %" PRIu64 " is no batch: skipped",
		    m->applying.index);
		return true;
	}
	if (m->applying.at)
		c.at = e->data + m->applying.at;
	for (; m->applying.done < h.count; m->applying.done++) {
		struct origin_row *row = position_origin(store_position(m->store), h.member);
		uint64_t seq = h.seq + m->applying.done;
		struct batch_command b;

		m->applying.at = (size_t)(c.at - e->data);
		if (!row || row->incarnation != h.incarnation)
			return true; /* of an earlier run, or of nobody */
		rc = batch_command_decode(&c, &b, &m->argv, &m->argv_cap);
		if (rc != OK)
			return true;
		member_prefetch_go_on(m);
		if (seq <= row->seq && !MUTANT(command_twice) &&
		    !(MUTANT(dedupe_by_batch) && h.seq + h.count - 1 > row->seq))
			continue;
		if (seq > row->seq + 1 && !MUTANT(gap_ignored)) {
			note_gap(m, &h);
			return true;
		}
		rc = apply_command(m, &h, seq, &b, e);
		if (rc == ERR_MISSING)
			return false;
		if (rc != OK) {
			member_fail(m, rc);
			return false;
		}
		position_origin(store_position(m->store), h.member)->seq = seq;
	}
	return true;
}

/*
 * A run of a member takes the place of the one that it names, if that is still the newest. Whether
 * the member takes part was looked at by the leader: who joined later and goes through the log from
 * its beginning does not know who took part then, and must come to the same state. A run that does
 * not support the level of the cluster has no place in it: it stops when it gets to that entry.
 */
static void apply_registration(struct member *m, uint64_t index, const struct entry *e)
{
	struct position *p = store_position(m->store);
	struct registration r;
	struct origin_row *row;
	bool ok;

	if (registration_decode(entry_payload(e), &r) != OK)
		return;
	row = position_origin_add(p, r.member);
	ok = (row->incarnation == r.replaces || MUTANT(old_registration_wins)) &&
	     r.level >= p->level;
	if (ok) {
		end_authors_of(m, row->incarnation);
		row->incarnation = index;
		row->level = r.level;
		row->seq = MUTANT(seq_survives_registration) ? row->seq : 0;
	}
	member_registered(m, index, &r, ok);
}

/* Who takes part no more writes no more, and says nothing of itself. */
static void apply_membership(struct member *m, const struct entry *e)
{
	struct position *p = store_position(m->store);
	struct membership now = {0};

	if (membership_decode(entry_payload(e), &now) != OK)
		return;
	for (size_t i = p->origin_count; i-- > 0;)
		if (!membership_find(&now, p->origins[i].member) ||
		    MUTANT(membership_forgets_origins)) {
			end_authors_of(m, p->origins[i].incarnation);
			position_origin_remove(p, p->origins[i].member);
		}
	for (size_t i = p->alarm_count; i-- > 0;)
		if (!membership_find(&now, p->alarms[i].member))
			position_alarm_clear(p, p->alarms[i].member, p->alarms[i].kind);
	for (size_t i = p->quarantine_count; i-- > 0;)
		if (!membership_find(&now, p->quarantines[i].member))
			position_quarantine_end(p, p->quarantines[i].member);
	member_note_removed(m, &now);
	membership_free(&now);
}

static bool apply_entry(struct member *m, uint64_t index, const struct entry *e)
{
	switch (e->kind) {
	case ENTRY_NOOP:
		return true;
	case ENTRY_MEMBERSHIP:
		apply_membership(m, e);
		return true;
	case ENTRY_BATCH:
		return apply_batch(m, e);
	case ENTRY_REGISTER:
		apply_registration(m, index, e);
		return true;
	case ENTRY_EXPIRE:
		return member_expiry_apply(m, e);
	case ENTRY_HORIZON:
		member_horizon_apply(m, e);
		return true;
	case ENTRY_LEVEL:
		return member_level_apply(m, e);
	case ENTRY_CHECK:
		member_check_apply(m, index, e);
		return true;
	case ENTRY_VERDICT:
		member_verdict_apply(m, e);
		return true;
	case ENTRY_ALARM:
		member_alarm_apply(m, e);
		return true;
	}
	LOG(m->io->logger, LOG_ERROR, "entry %" PRIu64 " is of unknown kind %u: skipped", index,
	    e->kind);
	return true;
}

/*
 * Between two entries the overlay can be frozen, so this is where its size is looked at; unless
 * nothing can be stored yet, and waiting would have no end.
 */
static bool waits_for_room(const struct member *m)
{
	return store_is_full(m->store) &&
	       (store_is_writing(m->store) || driver_can_store(m->driver));
}

bool member_apply(struct member *m, uint64_t index, const struct entry *e)
{
	struct position *p = store_position(m->store);

	if (m->failed || m->dry_run || member_prefetch_awaited(m))
		return false;
	if (m->applying.index != index) {
		if (waits_for_room(m))
			return false;
		m->applying = (struct applying){.index = index};
	}
	p->stamp_ms =
		MAX(p->stamp_ms, MUTANT(clock_in_apply) ? clock_wall_ms(&m->io->clock) : e->stamp);
	if (!apply_entry(m, index, e))
		return false;
	m->applying.index = 0;
	p->index = index;
	p->term = e->term;
	return true;
}
