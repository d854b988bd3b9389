/* Cluster time on its way through the member: notes in and out, stamps, who makes it. */

#include "base/error.h"
#include "base/logging.h"
#include "base/mutant.h"
#include "node/member_state.h"

#include <inttypes.h>

static uint64_t mono_us(const struct member *m)
{
	return clock_monotonic_us(&m->io->clock);
}

static void tell_consensus(struct member *m)
{
	driver_set_stamp(m->driver, cluster_time_quiet_stamp(&m->time));
}

void member_time_init(struct member *m)
{
	const struct position *p = store_position(m->store);
	uint64_t term = driver_start_term(m->driver), stamp = driver_start_stamp(m->driver);

	cluster_time_init(&m->time, MAX(term, p->term), MAX(stamp, p->stamp_ms));
	tell_consensus(m);
}

void member_time_note(struct member *m, const struct raft_note *note)
{
	struct slice bytes = slice_of(note->bytes, note->len);
	int rc;

	if (note->type == RAFT_HEARTBEAT)
		rc = cluster_time_heard(&m->time, mono_us(m), bytes);
	else
		rc = cluster_time_voter(&m->time, mono_us(m), bytes);
	if (rc != OK)
		LOG(m->io->logger, LOG_DEBUG, "a note of %016" PRIx64 " tells no time", note->from);
}

void member_time_changed(struct member *m, const struct raft_status *status)
{
	uint64_t wall_ms = clock_wall_ms(&m->io->clock);

	if (status->role == RAFT_PRE_CANDIDATE || status->role == RAFT_CANDIDATE)
		cluster_time_campaign(&m->time);
	if (status->role != RAFT_LEADER)
		cluster_time_follow(&m->time);
	else if (!m->time.leading || m->time.term != status->term)
		cluster_time_lead(&m->time, status->term, mono_us(m), wall_ms);
	tell_consensus(m);
}

void member_time_appended(struct member *m, const struct entry *newest)
{
	cluster_time_appended(&m->time, mono_us(m), newest);
	tell_consensus(m);
}

uint64_t member_time_stamp(struct member *m)
{
	uint64_t stamp = cluster_time_stamp(&m->time, mono_us(m), clock_wall_ms(&m->io->clock));

	tell_consensus(m);
	return MUTANT(stamp_of_wall_clock) ? clock_wall_ms(&m->io->clock) : stamp;
}

uint64_t member_time_now(struct member *m)
{
	uint64_t applied = store_position(m->store)->stamp_ms, now;

	if (!cluster_time_estimate(&m->time, mono_us(m), &now))
		return applied;
	return MAX(now, applied);
}

void member_time_turn(struct member *m)
{
	uint8_t note[CLUSTER_TIME_NOTE_SIZE];

	cluster_time_note(&m->time, mono_us(m), clock_wall_ms(&m->io->clock), note);
	driver_set_note(m->driver, slice_of(note, sizeof(note)));
	tell_consensus(m);
}
