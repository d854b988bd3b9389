#ifndef CONCLAVE_NODE_TRANSFER_H
#define CONCLAVE_NODE_TRANSFER_H

/*
 * A state on its way from one member to another, as rows in order: whoever wants it asks for some
 * behind the last it has, again and again; whoever has it keeps the one state open meanwhile. So it
 * can be taken up at any row, whatever was lost on the way, and the two need not have the same
 * engine beneath, nor the same version of it.
 *
 *	FETCH	fixed64 who asks, fixed64 index of the state, fixed64 request, fixed8 family,
 *		string key behind which to begin
 *	ROWS	fixed64 hash of all that follows, fixed64 request, fixed8 what, fixed32 count,
 *		then `count` times string key, string value
 */

#include "base/codec.h"
#include "storage/engine.h"

struct fetch {
	uint64_t from;
	uint64_t index;
	uint64_t request; /* the answer repeats it; an answer to an older one is not wanted */
	enum engine_family family;
	struct slice after; /* empty: from the first row on */
};

enum rows_kind {
	ROWS_MORE = 1, /* there are more behind these */
	ROWS_LAST = 2, /* the family ends with these */
	ROWS_GONE = 3, /* that state is not to be had (any more) */
};

struct rows {
	uint64_t request;
	enum rows_kind kind;
	uint64_t count;
	struct cursor at; /* decoded: stands at the first row */
};

void fetch_encode(const struct fetch *f, struct buf *out);
MUST_USE int fetch_decode(struct slice bytes, struct fetch *f);

/* `out` takes the head with room for a count; rows follow, then rows_end. */
void rows_begin(uint64_t request, struct buf *out);
void rows_put(struct slice key, struct slice value, struct buf *out);
void rows_end(struct buf *out, enum rows_kind kind, uint32_t count);

/* ERR_MALFORMED: also when the hash does not fit. */
MUST_USE int rows_decode(struct slice bytes, struct rows *r);

/* The next of r->count rows. ERR_MALFORMED. */
MUST_USE int rows_next(struct rows *r, struct slice *key, struct slice *value);

#endif
