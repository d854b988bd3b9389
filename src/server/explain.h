#ifndef CONCLAVE_SERVER_EXPLAIN_H
#define CONCLAVE_SERVER_EXPLAIN_H

/* Why a member does not start, or cannot go on, in words for who runs it: what is wrong, where, and
 * what to do. */

#include "server/options.h"

struct driver;

/* What to do after the member stopped with this error. */
const char *explain_remedy(int error);

/* The state of the engine could not be opened. */
void explain_state(const struct options *o, int error, struct buf *problem);

/* member_new has failed. */
void explain_start(const struct options *o, int error, struct buf *problem);

/*
 * Whether a member that was started may go on with what it has. A damaged one fetches from the
 * others what it lost; without others it would answer nobody: ERR_CORRUPT.
 */
MUST_USE int explain_damage(const struct options *o, const struct driver *d, struct buf *problem);

#endif
