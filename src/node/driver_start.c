/* Opening: the log, the stored state, and what consensus is told of both. */

#include "base/check.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/mutant.h"
#include "node/driver_state.h"

#include <inttypes.h>
#include <string.h>

/* Of a member whose log has not begun, which mints it, or of whose log damage has left nothing. */
static uint64_t id_without_log(const struct driver *d)
{
	if (MUTANT(id_of_name))
		return hash64(d->options.name) | 1;
	return d->options.id ? d->options.id : d->io->random(d->io->ctx) | 1;
}

static int driver_open_log(struct driver *d, uint64_t stored, struct log_recovery *rec)
{
	struct log_options o = {
		.dir = d->options.dir,
		.segment_bytes = d->options.segment_bytes,
		.max_bytes = d->options.log_max_bytes,
		.needed_above = stored,
		.settled = stored,
		.read_bytes = d->options.log_read_bytes,
		.direct = d->options.direct,
		.logger = d->io->logger,
	};
	int rc;

	o.identity.member_id = id_without_log(d);
	/* Whoever joins knows that the cluster exists. */
	o.state.flags = d->options.name_count ? 0 : LOG_FLAG_BORN;
	rc = log_open(&d->log, d->io->disk, &o, rec);
	if (rc != OK)
		return rc;
	d->id = rec->identity.member_id;
	d->damage = rec->damage;
	if (rec->torn_bytes)
		LOG(d->io->logger, LOG_NOTICE, "cut %" PRIu64 " bytes of an unfinished append",
		    rec->torn_bytes);
	if (rec->marked)
		LOG(d->io->logger, LOG_ERROR,
		    "the log is damaged from entry %" PRIu64 " to %" PRIu64 " (segment %" PRIu64
		    ", offset %" PRIu64 "); %" PRIu64 " entries before it are held. This member "
		    "does not vote until it has got the rest from the others",
		    rec->damage.from_index, rec->damage.to_index, rec->damage.segment,
		    rec->damage.offset, rec->damage.held);
	return OK;
}

/* Before birth, and in a member that has yet to join, nobody takes part. */
static int membership_from(const struct log_membership *stored, struct membership *m)
{
	if (stored->len == 0)
		return OK;
	return membership_decode(slice_of(stored->data, stored->len), m) == OK ? OK : ERR_CORRUPT;
}

static int restore_raft(struct driver *d, const struct log_recovery *rec,
			const struct membership *base, const struct driver_alone *alone)
{
	struct raft_restore restore = {
		.hard = {.term = rec->state.term,
			 .vote = rec->state.vote,
			 .born = rec->state.flags & LOG_FLAG_BORN},
		.base = rec->base_index,
		.base_term = rec->base_term,
		.base_membership = base,
		.last = rec->last_index,
		.run_count = rec->run_count,
		.membership_count = rec->membership_count,
		.applied = d->applied,
		.damaged = rec->marked && !MUTANT(damage_mark_ignored),
	};
	struct term_run *runs = mem_zalloc(rec->run_count + 1, sizeof(*runs));
	struct raft_restored_membership *memberships =
		mem_zalloc(rec->membership_count + 1, sizeof(*memberships));
	int rc;

	for (size_t i = 0; i < rec->run_count; i++)
		runs[i] = (struct term_run){rec->runs[i].first_index, rec->runs[i].term};
	for (size_t i = 0; i < rec->membership_count; i++)
		memberships[i] = (struct raft_restored_membership){
			rec->memberships[i].index,
			slice_of(rec->memberships[i].data, rec->memberships[i].len)};
	if (alone->index) {
		restore.hard = (struct raft_hard_state){.term = alone->term, .born = true};
		restore.last = alone->index;
		runs[restore.run_count++] = (struct term_run){alone->index, alone->term};
		memberships[restore.membership_count++] = (struct raft_restored_membership){
			alone->index, buf_slice(&alone->membership)};
	}
	restore.runs = runs;
	restore.memberships = memberships;
	rc = raft_new(&d->raft, &d->options.raft, &restore, driver_now_ms(d));
	mem_free(runs);
	mem_free(memberships);
	return rc;
}

/*
 * A damaged log may have lost that this member knows its cluster to exist. It shows: where there is
 * a state, entries were committed; and whoever was started without initial members has nothing to
 * wait for. Before its membership comes from a leader it can elect nobody anyway.
 */
static bool known_born(const struct driver *d, const struct snapshot *stored,
		       const struct membership *base)
{
	return stored->index || (d->options.name_count == 0 && base->count == 0);
}

static uint64_t recovered_term(const struct log_recovery *rec, uint64_t index)
{
	uint64_t term = rec->base_term;

	for (size_t i = 0; i < rec->run_count && rec->runs[i].first_index <= index; i++)
		term = rec->runs[i].term;
	return term;
}

/* The log starts over behind (index, term): on disk, and in what consensus will be told. */
static void restart_log(struct driver *d, struct log_recovery *rec, uint64_t index, uint64_t term,
			const struct membership *m, const struct log_damage *mark)
{
	struct buf bytes = {0};
	struct log_reset reset = {.base_index = index, .base_term = term};
	struct log_batch batch = {.reset = &reset, .mark = mark};

	if (m->count)
		membership_encode(m, &bytes);
	reset.membership = buf_slice(&bytes);
	log_add(d->log, &batch);
	buf_free(&bytes);
	rec->base_index = index;
	rec->base_term = term;
	rec->last_index = index;
	rec->run_count = 0;
	rec->membership_count = 0;
	rec->marked = rec->marked || mark;
}

/*
 * The stored state and the log were written apart; a crash may have come between them.
 *
 *	state within the log          what follows it is applied again
 *	state beyond the log's end    a snapshot was put in place, the log had not started over yet;
 *	 or of another term           or entries were applied that only the others had on disk
 *	log begins behind the state   the state is lost: everything comes from the others, and until
 *	                              then this member does not count
 */
static int reconcile(struct driver *d, struct log_recovery *rec, const struct snapshot *stored,
		     struct membership *base)
{
	static const struct log_damage state_lost;
	int rc;

	if (stored->index >= rec->base_index) {
		if (stored->index <= rec->last_index &&
		    recovered_term(rec, stored->index) == stored->term)
			return OK;
		restart_log(d, rec, stored->index, stored->term, &stored->membership, NULL);
		membership_copy(base, &stored->membership);
		return OK;
	}
	LOG(d->io->logger, LOG_ERROR,
	    "the stored state ends at entry %" PRIu64 " and the log begins behind %" PRIu64
	    ": this member does not vote until it has got the state from the others",
	    stored->index, rec->base_index);
	if (rec->membership_count) {
		membership_free(base);
		rc = membership_from(&rec->memberships[rec->membership_count - 1], base);
		if (rc != OK)
			return rc;
	}
	restart_log(d, rec, 0, 0, base, &state_lost);
	return OK;
}

/* The newest membership that the log speaks of, committed or not. */
static int newest_membership(const struct log_recovery *rec, const struct membership *base,
			     struct membership *out)
{
	if (rec->membership_count)
		return membership_from(&rec->memberships[rec->membership_count - 1], out);
	membership_copy(out, base);
	return OK;
}

/* Time goes on from the newest entry, committed or not, so it is looked at before anything runs. */
static void driver_read_newest(struct driver *d, const struct log_recovery *rec)
{
	struct log_read read;

	if (rec->last_index == rec->base_index ||
	    log_read_start(d->log, &read, rec->last_index, 0) != OK)
		return;
	while (read.job.step(&read.job) == JOB_MORE)
		;
	if (log_read_complete(d->log, &read) == OK) {
		d->start_term = read.entries[0].term;
		d->start_stamp = read.entries[0].stamp;
	}
	log_read_free(&read);
}

static int driver_open_alone(struct driver *d, const struct log_recovery *rec,
			     const struct membership *base, struct driver_alone *alone)
{
	struct membership newest = {0};
	int rc;

	if (!d->options.alone)
		return OK;
	rc = newest_membership(rec, base, &newest);
	if (rc == OK)
		rc = driver_go_alone(d, rec, &newest, d->start_stamp, alone);
	membership_free(&newest);
	return rc;
}

static int driver_open(struct driver *d, struct log_recovery *rec, const struct snapshot *s)
{
	struct membership base = {0};
	struct driver_alone alone = {0};
	int rc = membership_from(&rec->base_membership, &base);

	if (rc == OK)
		rc = reconcile(d, rec, s, &base);
	d->applied = rec->last_index < s->index ? rec->last_index : s->index;
	d->stored = d->applied;
	if (known_born(d, s, &base))
		rec->state.flags |= LOG_FLAG_BORN;
	d->options.raft.id = d->id;
	d->options.raft.seed = d->io->random(d->io->ctx);
	d->options.raft.logger = d->io->logger;
	if (rc == OK)
		driver_read_newest(d, rec);
	if (rc == OK)
		rc = driver_open_alone(d, rec, &base, &alone);
	if (rc == OK)
		rc = restore_raft(d, rec, &base, &alone);
	if (rc == OK && s->index && d->applied == s->index)
		raft_snapshot_taken(d->raft, s);
	if (rc == OK)
		rc = driver_birth_begin(d, &base);
	buf_free(&alone.membership);
	membership_free(&base);
	return rc;
}

int driver_new(struct driver **out, const struct driver_options *options, const struct node_io *io,
	       const struct machine *machine, const struct driver_events *events,
	       const struct driver_stored *stored)
{
	struct driver *d = MEM_NEW(struct driver);
	struct snapshot s = {0};
	struct log_recovery rec;
	int rc = OK;

	CHECK(options->apply_slice > 0 && options->snapshot_entries > 0);
	d->options = *options;
	d->io = io;
	d->machine = machine;
	d->events = events;
	d->idle_due_ms = UINT64_MAX;
	d->ask_due_ms = UINT64_MAX;
	list_init(&d->loads);
	d->unread_due_ms = driver_now_ms(d) + UNREAD_AFTER_MS;
	if (stored->snapshot.len && snapshot_decode(stored->snapshot, &s) != OK)
		rc = ERR_CORRUPT;
	if (rc == OK)
		rc = driver_open_log(d, s.index, &rec);
	if (rc == OK) {
		rc = driver_open(d, &rec, &s);
		log_recovery_free(&rec);
	}
	snapshot_free(&s);
	if (rc != OK) {
		driver_free(d);
		return rc;
	}
	*out = d;
	return OK;
}

int driver_raft_restart(struct driver *d, const struct membership *first)
{
	struct raft_restore restore = {.base_membership = first};
	struct raft_status s;

	raft_status(d->raft, &s);
	CHECK(!s.born && s.last == 0);
	raft_free(d->raft);
	d->raft = NULL;
	return raft_new(&d->raft, &d->options.raft, &restore, driver_now_ms(d));
}

void driver_free(struct driver *d)
{
	if (!d)
		return;
	driver_loads_close(d);
	raft_free(d->raft);
	if (d->log)
		log_close(d->log);
	snapshot_free(&d->storing);
	buf_free(&d->frame);
	mem_free(d->entries);
	mem_free(d->writing);
	mem_free(d->held);
	mem_free(d->wanted);
	mem_free(d->reads);
	mem_free(d);
}
