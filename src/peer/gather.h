#ifndef CONCLAVE_PEER_GATHER_H
#define CONCLAVE_PEER_GATHER_H

/*
 * What waits to be written to a wire: small pieces are copied together, large ones stay where
 * they are and are held. All that has come since the last time goes out in one gathered write.
 */

#include "peer/wire.h"

struct gather_piece {
	struct blob *blob;   /* holds `data`; NULL: the piece is a run of copied bytes */
	const uint8_t *data; /* of a held piece */
	size_t at;	     /* of a copied one, counted since the beginning of time */
	size_t len;
};

/* All zero is empty. */
struct gather {
	struct buf bytes;
	size_t bytes_begin; /* the count that the first of `bytes` has */
	struct gather_piece *pieces;
	size_t first; /* the pieces before it are written */
	size_t count;
	size_t cap;
	size_t queued; /* bytes in all */
};

void gather_add(struct gather *g, struct slice bytes);

/* The same without a copy if it is large; `bytes` lie in `blob`. */
void gather_add_held(struct gather *g, struct slice bytes, struct blob *blob);

/* Writes what the wire takes; the rest waits. False: it has ended. */
MUST_USE bool gather_write(struct gather *g, struct wire *wire);

/* Forgets everything and gives the memory back. */
void gather_free(struct gather *g);

#endif
