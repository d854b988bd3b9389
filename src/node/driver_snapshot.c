/* Storing the state so that the log may be released, and taking over another member's state. */

#include "base/check.h"
#include "base/error.h"
#include "base/mutant.h"
#include "node/driver_state.h"

#include <inttypes.h>

/* The state is stored at the latest when this part of what the log may hold was written since. */
#define LOG_PART_STORED 4

static void snapshot_run(struct driver *d, struct job *job, void (*done)(struct job *))
{
	job->done = done;
	job->owner = d;
	d->io->run(d->io->ctx, LANE_SNAPSHOT, job);
}

/* ---- storing --------------------------------------------------------------------------------- */

uint64_t driver_releasable(const struct driver *d)
{
	struct raft_status s;

	raft_status(d->raft, &s);
	return MIN(MUTANT(release_before_stored) ? d->applied : d->stored, s.durable);
}

void driver_follow_log_base(struct driver *d, uint64_t upto)
{
	if (log_base_index(d->log) <= upto)
		raft_release(d->raft, log_base_index(d->log));
}

/* What is applied and stored need not be kept as entries any more. */
static void driver_release(struct driver *d)
{
	uint64_t upto = driver_releasable(d);

	driver_crash_point(d, CRASH_BEFORE_RELEASE);
	log_hold(d->log, MUTANT(hold_forgotten) ? UINT64_MAX : raft_held_index(d->raft));
	log_release(d->log, upto);
	driver_follow_log_base(d, upto);
}

void driver_limit_log(struct driver *d, uint64_t max_bytes)
{
	if (d->failed || d->options.log_max_bytes == max_bytes)
		return;
	d->options.log_max_bytes = max_bytes;
	log_set_max_bytes(d->log, max_bytes);
	if (d->install == INSTALL_NONE)
		driver_release(d);
}

static void driver_store_done(struct job *job)
{
	struct driver *d = job->owner;
	struct buf where = {0};
	int rc = d->machine->store_done(d->machine->ctx, &where);

	if (rc == OK) {
		d->storing.where = buf_slice(&where);
		if (d->storing.index >= d->stored)
			d->store_wanted = false;
		d->stored = MAX(d->stored, d->storing.index);
		raft_snapshot_taken(d->raft, &d->storing);
		driver_crash_point(d, CRASH_SNAPSHOT_STORED);
		driver_release(d);
		snapshot_free(&d->storing);
	} else {
		LOG(d->io->logger, LOG_WARNING, "the state was not stored: %s", error_text(rc));
		d->store_again_ms = driver_now_ms(d) + d->options.raft.election_ms;
	}
	buf_free(&where);
}

static void driver_store_run(struct driver *d)
{
	d->store_again_ms = 0;
	snapshot_run(d, d->machine->store(d->machine->ctx, &d->storing), driver_store_done);
}

/* A member that joined does not know who took part before it came. */
bool driver_can_store(const struct driver *d)
{
	return raft_membership_at(d->raft, d->applied)->count > 0;
}

/*
 * What is not stored keeps its log. A machine counts what its state has gained, and may gain
 * nothing from any number of entries: an answer that says no is one, too.
 */
static bool log_wants_store(const struct driver *d)
{
	uint64_t since = log_bytes_written(d->log) - d->stored_at;

	return since >= MAX(d->options.log_max_bytes / LOG_PART_STORED,
			    (uint64_t)2 * d->options.segment_bytes);
}

static bool driver_wants_store(const struct driver *d)
{
	if (d->store_wanted || d->applied >= d->stored + d->options.snapshot_entries)
		return true;
	return d->applied > d->stored &&
	       (log_wants_store(d) || d->machine->wants_store(d->machine->ctx));
}

void driver_store_turn(struct driver *d)
{
	if (d->install == INSTALL_SWAPPING)
		return;
	/* What failed is tried again even if the machine waits: it may wait for just that. */
	if (d->storing.index) {
		if (d->store_again_ms && driver_now_ms(d) >= d->store_again_ms)
			driver_store_run(d);
		return;
	}
	if (d->machine->is_within(d->machine->ctx))
		return;
	if (!driver_wants_store(d) || !driver_can_store(d))
		return;
	d->stored_at = log_bytes_written(d->log);
	d->storing.index = d->applied;
	d->storing.term = raft_term_at(d->raft, d->applied);
	membership_copy(&d->storing.membership, raft_membership_at(d->raft, d->applied));
	driver_crash_point(d, CRASH_BEFORE_SNAPSHOT);
	driver_store_run(d);
	/* A machine that waited for room has it now. */
	d->apply_behind = d->apply_behind || d->apply_waits;
}

/* ---- installing ------------------------------------------------------------------------------ */

static void install_end(struct driver *d, bool ok)
{
	d->install = INSTALL_NONE;
	raft_snapshot_installed(d->raft, driver_now_ms(d), d->install_index, ok);
}

static void install_swapped(struct job *job)
{
	struct driver *d = job->owner;
	int rc = d->machine->install_done(d->machine->ctx);

	if (rc != OK) {
		install_end(d, false);
		return;
	}
	driver_crash_point(d, CRASH_INSTALL_SWAPPED);
	if (d->store_again_ms) {
		d->store_again_ms = 0;
		snapshot_free(&d->storing);
	}
	d->apply_waits = false;
	d->applied = d->install_index;
	d->stored = d->install_index;
	d->store_wanted = true; /* what others could be given lies before the log now */
	install_end(d, true);
	raft_applied(d->raft, d->applied);
	driver_crash_point(d, CRASH_INSTALL_LOG_RESET);
}

void driver_install_fetched(struct driver *d)
{
	int rc = d->machine->install_fetched(d->machine->ctx);

	/* While it was on its way, entries may have brought this member further. */
	if (rc == OK &&
	    (d->applied >= d->install_index || !raft_snapshot_wanted(d->raft, d->install_index)) &&
	    !MUTANT(accept_stale_snapshot)) {
		d->machine->install_drop(d->machine->ctx);
		rc = ERR_EXISTS;
	}
	if (rc != OK) {
		LOG(d->io->logger, LOG_NOTICE, "the snapshot at %" PRIu64 " is not taken: %s",
		    d->install_index, error_text(rc));
		install_end(d, false);
		return;
	}
	driver_crash_point(d, CRASH_INSTALL_FETCHED);
	d->install = INSTALL_SWAPPING;
	snapshot_run(d, d->machine->install_swap(d->machine->ctx), install_swapped);
}

static void install_fetch_done(struct job *job)
{
	driver_install_fetched(job->owner);
}

void driver_install_begin(struct driver *d, const struct raft_install *install)
{
	struct job *job;

	CHECK(d->install == INSTALL_NONE);
	d->install = INSTALL_FETCHING;
	d->install_index = install->snapshot->index;
	job = d->machine->install_fetch(d->machine->ctx, install->from, install->snapshot);
	if (job)
		snapshot_run(d, job, install_fetch_done);
}
