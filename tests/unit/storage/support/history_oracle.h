#ifndef CONCLAVE_UNIT_STORAGE_SUPPORT_HISTORY_ORACLE_H
#define CONCLAVE_UNIT_STORAGE_SUPPORT_HISTORY_ORACLE_H

/*
 * Every change that a store ever made, kept aside, and what of it has to be there at a horizon:
 * found by the definition of what is dead, over all of them anew.
 */

#include "store_tester.h"

struct oracle_change {
	struct revision at;
	struct change change; /* borrows from `bytes` */
	struct buf bytes;
	bool needed;
};

struct history_oracle {
	struct oracle_change *changes;
	size_t count;
	size_t cap;
	struct revision seen; /* where the next one may stand */
};

void history_oracle_free(struct history_oracle *o);

/* Takes the changes that were made since the last call. */
void history_oracle_take(struct history_oracle *o, struct store_tester *s);

/*
 * NULL, or what is not as it should be in the engine, which holds all that was made and has been
 * rid of what is dead: it has the changes that are needed and no others, and of the state neither
 * tombstones, nor records of keyspaces, nor garbage from below the horizon. Borrowed until the next
 * call from anywhere.
 */
const char *history_oracle_broken(struct history_oracle *o, struct store_tester *s);

#endif
