#ifndef CONCLAVE_BASE_ENTRY_H
#define CONCLAVE_BASE_ENTRY_H

/*
 * A log entry: what consensus orders, storage keeps and the state machine applies. It stands on
 * the ground floor because those rooms do not know each other. Entries travel in arrays of
 * consecutive indexes, so an entry does not carry its own.
 */

#include "base/bytes.h"

/* On disk and on the wire; numbers never change meaning. */
enum entry_kind {
	ENTRY_NOOP = 0,	      /* begins a leader's term; no payload */
	ENTRY_MEMBERSHIP = 1, /* payload: the whole membership that holds from this index on */
	ENTRY_COMMAND = 16,   /* 16 and above belong to whoever proposes; consensus never looks */
};

struct entry {
	uint64_t term;
	uint64_t stamp;	     /* eight bytes given with the proposal (cluster time), opaque here */
	uint64_t waiter;     /* member that waits for the commit, 0: nobody; kept in memory only */
	const uint8_t *data; /* inside `blob` */
	struct blob *blob;   /* what keeps `data` alive; NULL when there is no payload */
	uint32_t len;
	uint8_t kind;
};

/* The payload, borrowed from the entry's blob. */
static inline struct slice entry_payload(const struct entry *e)
{
	return (struct slice){e->data, e->len};
}

#endif
