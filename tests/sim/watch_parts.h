#ifndef CONCLAVE_SIM_WATCH_PARTS_H
#define CONCLAVE_SIM_WATCH_PARTS_H

/* What the files of the watch share among themselves; everyone else uses sim/world.h. */

#include "consensus/raft_state.h"
#include "sim/host.h"

/* Whether those of a membership whose bits are set are a majority: of both, in a joint one. */
bool watch_decides(const struct membership *m, uint32_t holds);

/* What is known of the entry that was committed at `index`. */
struct committed *watch_committed_at(struct world *w, uint64_t index);

/* Whether a committed membership has removed it, also if its own host has not heard of that. */
bool watch_was_removed(const struct world *w, uint64_t id);

/* A membership that its leader has just appended, against the one before it. */
void watch_membership(struct host *h, const struct raft *r, uint64_t index);

/* Whether this turn made it a leader. */
bool watch_leads_anew(const struct host *h, const struct raft *r);

void watch_new_leader(struct host *h, const struct raft *r);

/* A leader hears a majority, and its own disk moves unless it is alone; else it no longer leads. */
void watch_office(struct host *h, const struct raft *r);

#endif
