#ifndef CONCLAVE_SIM_ROSTER_H
#define CONCLAVE_SIM_ROSTER_H

/*
 * All memberships there ever were, and what clients were told of them:
 *
 *  - a change that was acknowledged is committed when its client hears of it
 *  - an address that was refused is never anybody's, and no address is given twice
 *  - who lists the members sees a membership that there is; on the member that leads, behind a
 *    change of its own, none from before
 *  - what a leader makes of a command leaves a majority of voters that answer
 */

#include "sim/callers.h"

/* How addresses begin that clients give to members. Each is asked for once. */
#define ROSTER_ADDRESS "10.1.0."

void roster_hears_change(struct caller *c, const struct asked *a, enum heard heard,
			 struct slice plain);
void roster_hears_list(struct caller *c, const struct asked *a, enum heard heard,
		       struct slice plain);

/* The newest membership that is committed, as its place in the log; 0: none is known yet. */
uint64_t roster_newest(const struct world *w);

/* The place among all leaders there were of the first one that may think that it leads. */
size_t roster_first_leader(const struct world *w);

/* After a turn: what the host's log holds of memberships. */
void roster_watch(struct host *h);

struct roster *roster_new(void);
void roster_free(struct roster *r);

#endif
