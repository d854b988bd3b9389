/*
 * What is left of a cluster that has lost its quorum goes on alone: a membership of this member
 * alone follows whatever its log holds, and all of that counts as committed. Nobody else has agreed
 * to it: who was forgotten must never run again with what it has.
 */

#include "base/error.h"
#include "base/logging.h"
#include "node/driver_state.h"

#include <inttypes.h>

/* Blocks until all that was added to the log is on disk. */
static int log_settle(struct log *log, uint64_t ticket)
{
	while (log_durable_ticket(log) < ticket) {
		struct job *job = log_start(log);
		int rc;

		while (job && job->step(job) == JOB_MORE)
			;
		rc = job ? log_complete(log) : ERR_STOPPED;
		if (rc != OK)
			return rc;
	}
	return OK;
}

static int alone_write(struct driver *d, const struct log_state *state, struct driver_alone *alone)
{
	struct log_state next = {.term = alone->term, .flags = state->flags | LOG_FLAG_BORN};
	struct entry e = {.term = alone->term, .stamp = alone->stamp, .kind = ENTRY_MEMBERSHIP};
	struct log_batch batch = {
		.state = &next, .first_index = alone->index, .entries = &e, .count = 1};
	int rc;

	e.blob = blob_copy(buf_slice(&alone->membership));
	e.data = e.blob->data;
	e.len = (uint32_t)e.blob->len;
	rc = log_settle(d->log, log_add(d->log, &batch));
	blob_release(e.blob);
	return rc;
}

int driver_go_alone(struct driver *d, const struct log_recovery *rec, const struct membership *now,
		    uint64_t stamp, struct driver_alone *alone)
{
	struct membership next = {0};
	int rc = OK;

	if (rec->marked) {
		LOG(d->io->logger, LOG_ERROR,
		    "force-new-cluster: this member's log is damaged, and what it has lost may "
		    "have been acknowledged: take another one of those that are left");
		return ERR_INVALID;
	}
	if (now->count == 1 && membership_votes(now, d->id)) {
		LOG(d->io->logger, LOG_NOTICE,
		    "force-new-cluster: this member is the only one already");
		return OK;
	}
	rc = membership_alone(now, d->id, &next);
	if (rc != OK) {
		LOG(d->io->logger, LOG_ERROR,
		    "force-new-cluster: this directory takes part in no cluster: there is nothing "
		    "to go on with");
	} else {
		alone->index = rec->last_index + 1;
		alone->term = rec->state.term + 1;
		alone->stamp = stamp;
		membership_encode(&next, &alone->membership);
		rc = alone_write(d, &rec->state, alone);
	}
	if (rc == OK)
		LOG(d->io->logger, LOG_WARNING,
		    "force-new-cluster: goes on alone from entry %" PRIu64
		    "; %u members are forgotten and must not be started again with their "
		    "directories",
		    alone->index, now->count - 1);
	membership_free(&next);
	return rc;
}
