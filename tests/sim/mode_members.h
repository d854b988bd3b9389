#ifndef CONCLAVE_SIM_MODE_MEMBERS_H
#define CONCLAVE_SIM_MODE_MEMBERS_H

/* Inside the mode of whole members: what is looked at beside consensus. */

#include "node/member_state.h"
#include "sim/mode.h"

/* watch_memory.c: what it keeps in memory */
void members_watch_memory(struct host *h);
/* A batch whose last command begins so far behind its beginning is applied. */
void members_watch_batch(struct host *h, size_t last);

/* watch_members.c */
void members_watch_applied(struct host *h, uint64_t index, const struct entry *e);
/* All rows of the state as it is now, against those of others at the same index. */
void members_watch_rows(struct host *h);
void members_watch_turn(struct host *h);
void members_watch_end(struct world *w);

#endif
