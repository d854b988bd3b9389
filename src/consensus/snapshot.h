#ifndef CONCLAVE_CONSENSUS_SNAPSHOT_H
#define CONCLAVE_CONSENSUS_SNAPSHOT_H

/*
 * What must be known of a snapshot to put a log behind it. The state itself travels elsewhere; how
 * to find it stands in `where`, opaque here.
 */

#include "consensus/membership.h"

struct snapshot {
	uint64_t index;		      /* the last entry it contains */
	uint64_t term;		      /* that entry's term */
	struct membership membership; /* in force at that entry */
	struct slice where;	      /* borrowed from the decoded bytes */
};

/* Frees the membership; `s` is all zero afterwards. */
void snapshot_free(struct snapshot *s);

void snapshot_encode(const struct snapshot *s, struct buf *out);

/* `s` is all zero before; ERR_MALFORMED leaves it so. */
MUST_USE int snapshot_decode(struct slice bytes, struct snapshot *s);

#endif
