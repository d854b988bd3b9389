#ifndef CONCLAVE_NODE_HORIZON_ENTRY_H
#define CONCLAVE_NODE_HORIZON_ENTRY_H

/*
 * The payload of an entry that the leader proposes when the past has become too old or too large
 * (ENTRY_HORIZON): from where on it is kept. What is below goes when the entry is applied.
 *
 *	fixed8   version, 1
 *	varint   main revision
 *	varint   its cluster time, in milliseconds
 */

#include "base/codec.h"

struct horizon_entry {
	uint64_t revision;
	uint64_t at_ms;
};

/* Appends to `out`. */
void horizon_entry_encode(const struct horizon_entry *h, struct buf *out);

/* ERR_MALFORMED, ERR_VERSION. */
MUST_USE int horizon_entry_decode(struct slice bytes, struct horizon_entry *h);

#endif
