/*
 * Alarms. What a member says of itself becomes an entry, and what stands in the rows then holds for
 * all: whether a command is refused may not depend on what one of them sees of its own disk.
 */

#include "base/error.h"
#include "base/logging.h"
#include "base/mutant.h"
#include "node/member_state.h"

#include <inttypes.h>

void member_note_space(struct member *m, bool low)
{
	enum space_told told = low ? SPACE_LOW : SPACE_ENOUGH;

	if (m->space != told)
		m->alarm_due_ms = 0;
	m->space = told;
	/* What is kept for others they can also be given as a state. */
	driver_limit_log(m->driver, low ? 0 : m->options.driver.log_max_bytes);
}

/* The rows decide, on all members alike, and not what this one sees of its disk. */
bool member_has_alarm(const struct member *m)
{
	if (MUTANT(alarm_applied_locally))
		return m->space == SPACE_LOW;
	return position_alarm_stands(store_position(m->store), ALARM_NO_SPACE);
}

/* Whether the rows say something else than this member does. */
static bool alarm_differs(const struct member *m)
{
	bool stands =
		position_alarm(store_position(m->store), driver_id(m->driver), ALARM_NO_SPACE);

	return m->space != SPACE_UNTOLD && stands != (m->space == SPACE_LOW);
}

static void alarm_propose(struct member *m, const struct buf *bytes, uint64_t member)
{
	uint64_t index;

	if (!member_takes_part(m, member))
		return;
	if (member_propose_bytes(m, ENTRY_ALARM, bytes, member, &index) != OK)
		LOG(m->io->logger, LOG_DEBUG, "an alarm of %016" PRIx64 " finds no room", member);
}

/* Said again until it stands in the rows: an older word of it may have been overtaken. */
void member_alarm_turn(struct member *m)
{
	struct alarm_change a = {.member = driver_id(m->driver),
				 .kind = ALARM_NO_SPACE,
				 .raised = m->space == SPACE_LOW};
	uint64_t now = member_now_ms(m);
	struct buf bytes = {0};

	if (!m->status.leader || now < m->alarm_due_ms || !alarm_differs(m))
		return;
	m->alarm_due_ms = now + m->options.driver.raft.election_ms;
	alarm_encode(&a, &bytes);
	if (m->status.role == RAFT_LEADER) {
		alarm_propose(m, &bytes, a.member);
	} else {
		struct frame frame = {.kind = FRAME_ALARM, .head = buf_slice(&bytes)};

		m->io->send(m->io->ctx, m->status.leader, &frame);
	}
	buf_free(&bytes);
}

uint64_t member_alarm_due_ms(const struct member *m)
{
	return m->status.leader && alarm_differs(m) ? m->alarm_due_ms : UINT64_MAX;
}

/* Members speak for themselves. */
void member_hear_alarm(struct member *m, uint64_t from, struct slice body)
{
	struct alarm_change a;
	struct buf bytes = {0};

	if (alarm_decode(body, &a) != OK || a.member != from) {
		LOG(m->io->logger, LOG_WARNING, "a malformed alarm was ignored");
		return;
	}
	if (m->status.role != RAFT_LEADER)
		return;
	buf_append_slice(&bytes, body);
	alarm_propose(m, &bytes, from);
	buf_free(&bytes);
}

void member_alarm_apply(struct member *m, const struct entry *e)
{
	struct position *p = store_position(m->store);
	struct alarm_change a;

	if (alarm_decode(entry_payload(e), &a) != OK) {
		LOG(m->io->logger, LOG_ERROR, "entry %" PRIu64 " is no alarm: skipped",
		    m->applying.index);
		return;
	}
	m->compact_due_ms = 0; /* the pace is another one */
	if (a.raised)
		position_alarm_raise(p, a.member, a.kind);
	else
		position_alarm_clear(p, a.member, a.kind);
	LOG(m->io->logger, a.raised ? LOG_ERROR : LOG_NOTICE,
	    a.raised ? "member %016" PRIx64
		       " is short of disk space: what makes the data grow is refused"
		     : "member %016" PRIx64 " has room on its disk again",
	    a.member);
}
