#ifndef CONCLAVE_BASE_ARENA_H
#define CONCLAVE_BASE_ARENA_H

/*
 * Memory that is given back all at once: allocation moves a pointer through chunks, nothing is
 * freed alone. All zero is an empty arena.
 */

#include "base/bytes.h"

struct arena_chunk;

struct arena {
	struct arena_chunk *chunks; /* newest first */
	uint8_t *at;		    /* free room in the newest */
	uint8_t *end;
	size_t bytes; /* taken from the system */
};

/* `size` bytes, contents undefined, aligned for any type. */
void *arena_alloc(struct arena *a, size_t size) __attribute__((malloc, returns_nonnull));

/* The same, beginning at a multiple of `alignment`, a power of two. */
void *arena_alloc_aligned(struct arena *a, size_t alignment, size_t size)
	__attribute__((malloc, returns_nonnull));

/* A copy of `s`, aligned for nothing. */
struct slice arena_copy(struct arena *a, struct slice s);

/* Empty, with one chunk of ordinary size kept for the next use. */
void arena_clear(struct arena *a);

/* Gives all memory back; empty afterwards. */
void arena_free(struct arena *a);

#endif
