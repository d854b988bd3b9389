#ifndef CONCLAVE_SIM_CONTROL_H
#define CONCLAVE_SIM_CONTROL_H

/*
 * What happens to whole members as members of a cluster: versions that are replaced one after the
 * other, a state that is not what it should be, disks that get short of space; who mends it, and
 * what must come of it.
 */

#include "sim/nemesis.h"

/* How the digest of database 15, which no client uses, is wrong in a state that has drifted. */
#define DRIFT UINT64_C(0xd41f7d41f7)

/* A start: the version that the process has. */
uint32_t control_level(struct host *h);
/* It runs: its process tells what it sees of its disk. */
void control_started(struct host *h);

/* Whether its state is another one than it should be; it runs. */
bool control_drifted(const struct host *h);
/*
 * It holds a state that may be another's. Were that one wrong, two would be, and could outvote a
 * third: so the wrong of it is mended here.
 */
void control_took_over(struct host *h);
/* Where it is wrong: what the digest should be is 0. */
struct keyspace_row *control_drift_row(const struct host *h);

/* Versions, refills and disks, by the operator. */
void control_janitor(struct world *w);

/* A member has applied this entry, whole. */
void control_watch_applied(struct host *h, uint64_t index, const struct entry *e);
void control_watch_turn(struct host *h);
/* An answer from its data that is no error, to what was asked at this time. */
void control_watch_served(struct host *h, uint64_t asked_us);
/* Whether something is still to be found out, mended or raised. */
bool control_waits(struct world *w);
void control_watch_end(struct world *w);

#endif
