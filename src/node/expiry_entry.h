#ifndef CONCLAVE_NODE_EXPIRY_ENTRY_H
#define CONCLAVE_NODE_EXPIRY_ENTRY_H

/*
 * The payload of an entry that the leader proposes when deadlines have come (ENTRY_EXPIRE): which
 * rows say so. Whether a key is gone is decided where the entry is applied.
 *
 *	fixed8   version, 1
 *	         items to the end
 *
 * An item: varint time of the deadline row in milliseconds, varint keyspace, the key as a string.
 */

#include "base/codec.h"

/* A row of deadlines. The key is borrowed. */
struct expiry_item {
	uint64_t at_ms;
	uint32_t keyspace;
	struct slice key;
};

/* Appends what stands before the items. */
void expiry_entry_begin(struct buf *out);

/* Appends one item. */
void expiry_item_encode(const struct expiry_item *item, struct buf *out);

/* The cursor stands at the first item then, or at the end. ERR_MALFORMED, ERR_VERSION. */
MUST_USE int expiry_entry_decode(struct cursor *c);

/* Reads the next item; there is one as long as the cursor has bytes left. ERR_MALFORMED. */
MUST_USE int expiry_item_decode(struct cursor *c, struct expiry_item *item);

#endif
