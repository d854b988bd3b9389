#ifndef CONCLAVE_STORAGE_OVERLAY_H
#define CONCLAVE_STORAGE_OVERLAY_H

/*
 * The changes that the engine does not hold yet: for each family an ordered map of rows. One
 * overlay is alive and takes what is applied; when it is large enough it is frozen, written to the
 * engine and dropped. Holders are counted by the loop, which alone holds and releases.
 */

#include "storage/engine.h"
#include "storage/tree.h"

struct overlay {
	struct arena arena;
	struct tree trees[FAMILY_COUNT];
	unsigned holders;
};

/* An empty overlay, held once by the caller. */
struct overlay *overlay_new(void);

struct overlay *overlay_hold(struct overlay *o);

/* The last holder frees. NULL is nothing. */
void overlay_release(struct overlay *o);

/* Bytes of memory, rows and what orders them. */
size_t overlay_bytes(const struct overlay *o);

#endif
