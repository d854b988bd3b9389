/*
 * The feature level of the cluster. Each run of a member registers with the highest level that it
 * supports; the leader proposes what all of them can. Applying asks the rows again: between the
 * proposal and here a member may have come back as an older version.
 */

#include "base/error.h"
#include "base/logging.h"
#include "base/mutant.h"
#include "node/member_state.h"

#include <inttypes.h>

/* ---- the leader ------------------------------------------------------------------------------ */

/* What the run of a member that takes part supports; 0: it has not registered yet. */
static uint32_t level_of(const struct position *p, uint64_t member)
{
	const struct origin_row *row = position_origin(p, member);

	return row && row->incarnation ? row->level : 0;
}

/* What all who take part support, learners too. */
static uint32_t level_of_all(const struct member *m)
{
	const struct position *p = store_position(m->store);
	const struct membership *all = driver_membership(m->driver);
	uint32_t level = m->options.level, can = 0;

	for (uint32_t i = 0; i < all->count; i++) {
		uint32_t own = level_of(p, all->members[i].id);

		can += own >= m->options.level;
		level = MIN(level, own);
	}
	return MUTANT(level_by_majority) && 2 * can > all->count ? m->options.level : level;
}

void member_level_turn(struct member *m)
{
	const struct position *p = store_position(m->store);
	struct buf bytes = {0};
	uint32_t level;

	if (m->status.role != RAFT_LEADER || p->level >= m->options.level ||
	    driver_applied(m->driver) < m->level_proposed)
		return;
	level = level_of_all(m);
	if (level <= p->level)
		return;
	level_entry_encode(level, &bytes);
	if (member_propose_bytes(m, ENTRY_LEVEL, &bytes, 0, &m->level_proposed) != OK)
		m->level_proposed = 0;
	buf_free(&bytes);
}

/* ---- applied --------------------------------------------------------------------------------- */

/* Whether a run that is registered would not understand the level. */
static bool anybody_cannot(const struct position *p, uint32_t level)
{
	for (size_t i = 0; i < p->origin_count; i++) {
		if (p->origins[i].incarnation && p->origins[i].level < level &&
		    !MUTANT(level_by_majority))
			return true;
	}
	return false;
}

bool member_level_apply(struct member *m, const struct entry *e)
{
	struct position *p = store_position(m->store);
	uint32_t level;

	if (level_entry_decode(entry_payload(e), &level) != OK) {
		LOG(m->io->logger, LOG_ERROR, "entry %" PRIu64 " names no level: skipped",
		    m->applying.index);
		return true;
	}
	if (level <= p->level || anybody_cannot(p, level))
		return true;
	if (member_level_fits(m, level) != OK) {
		member_fail(m, ERR_VERSION);
		return false;
	}
	p->level = level;
	LOG(m->io->logger, LOG_NOTICE, "the cluster is at feature level %" PRIu32, level);
	return true;
}

int member_level_fits(const struct member *m, uint32_t level)
{
	if (level <= m->options.level)
		return OK;
	LOG(m->io->logger, LOG_ERROR,
	    "the cluster is at feature level %" PRIu32 ", and this program supports %" PRIu32
	    " at most: start this member with the version that the others run, or a newer one",
	    level, m->options.level);
	return ERR_VERSION;
}
