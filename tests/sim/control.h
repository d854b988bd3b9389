#ifndef CONCLAVE_SIM_CONTROL_H
#define CONCLAVE_SIM_CONTROL_H

/*
 * What happens to whole members as members of a cluster: versions that are replaced one after the
 * other, a state that is not what it should be, disks that get short of space; who mends it, and
 * what must come of it.
 */

#include "sim/nemesis.h"

/* A start: the version that the process has. */
uint32_t control_level(struct host *h);
/* It runs: its process tells what it sees of its disk. */
void control_started(struct host *h);

/* Whether its state is another one than it should be; it runs. */
bool control_drifted(const struct host *h);

/*
 * Or did, and was not released yet by who leads, or would be in quarantine again if it was started
 * again.
 */
bool control_distrusted(const struct host *h);
/* Its state, as it is now, is going to be stored, and is. */
void control_stores(struct host *h);
void control_stored(struct host *h);
/* Its directory is empty. */
void control_wiped(struct host *h);
/*
 * It holds another's state. Were that one wrong, two would be, and could outvote a third: so what
 * drifts does not go along.
 */
void control_took_over(struct host *h);
/* Around the moment when it notes its digest for a CHECK: what has drifted shows. */
void control_checks(struct host *h, bool begins);

/* Versions, refills and disks, by the operator. */
void control_janitor(struct world *w);

/* As anybody knows: one that was refilled may have its quarantine still to come. */
bool anybody_drifted(const struct world *w);

/* A member has applied this entry, whole. */
void control_watch_applied(struct host *h, uint64_t index, const struct entry *e);
void control_watch_turn(struct host *h);
/* An answer from its data that is no error, to what was asked at this time. */
void control_watch_served(struct host *h, uint64_t asked_us);
/* Whether something is still to be found out, mended or raised. */
bool control_waits(struct world *w);
void control_watch_end(struct world *w);

#endif
