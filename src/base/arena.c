#include "base/arena.h"

#include "base/check.h"
#include "base/mem.h"

#include <stdalign.h>
#include <string.h>
#include <sys/mman.h>

/*
 * Chunks grow with the arena, so that a small one costs little and a large one few calls. The
 * largest are huge pages, but for what the allocator itself puts between them: what is scattered
 * over megabytes is found in half the time when few pages hold it.
 */
#define HUGE_PAGE ((size_t)2 << 20)
/*
 * Where a chunk begins decides how much of it is left empty. It must not depend on the allocator: a
 * simulation that is run again has to come to the same sizes.
 */
#define CHUNK_ALIGNMENT ((size_t)64)

#define CHUNK_MIN ((size_t)16 << 10)
#define CHUNK_MAX (HUGE_PAGE - 64 - sizeof(struct arena_chunk))

struct arena_chunk {
	struct arena_chunk *next; /* older */
	size_t size;		  /* of `data` */
	alignas(max_align_t) uint8_t data[];
};

static struct arena_chunk *chunk_new(struct arena *a, size_t size)
{
	struct arena_chunk *c;

	if (size == CHUNK_MAX) {
		c = mem_alloc_aligned(HUGE_PAGE, sizeof(*c) + size);
		/* A wish: without it all is the same, only slower. */
		(void)madvise(c, sizeof(*c) + size, MADV_HUGEPAGE);
	} else {
		c = mem_alloc_aligned(CHUNK_ALIGNMENT, sizeof(*c) + size);
	}
	c->size = size;
	a->bytes += sizeof(*c) + size;
	return c;
}

/* Free room is all of the newest chunk's. */
static void chunk_open(struct arena *a)
{
	a->at = a->chunks->data;
	a->end = a->chunks->data + a->chunks->size;
}

static uint8_t *align_up(uint8_t *at, size_t alignment)
{
	return at + (-(uintptr_t)at & (alignment - 1));
}

/*
 * What is large gets a chunk of its own, second in the list: the rest of the newest is still used
 * then, and at most a quarter of a chunk is ever left empty.
 */
static void *alloc_alone(struct arena *a, size_t alignment, size_t size)
{
	struct arena_chunk *c = chunk_new(a, size + alignment);
	struct arena_chunk **place = a->chunks ? &a->chunks->next : &a->chunks;

	c->next = *place;
	*place = c;
	return align_up(c->data, alignment);
}

static void *alloc_slow(struct arena *a, size_t alignment, size_t size)
{
	size_t chunk = MIN(MAX(a->bytes, CHUNK_MIN), CHUNK_MAX);
	struct arena_chunk *c;
	uint8_t *ptr;

	CHECK(alignment > 0 && (alignment & (alignment - 1)) == 0);
	CHECK(size <= SIZE_MAX / 2 && alignment <= SIZE_MAX / 4);
	if (size + alignment > chunk / 4)
		return alloc_alone(a, alignment, size);
	c = chunk_new(a, chunk);
	c->next = a->chunks;
	a->chunks = c;
	chunk_open(a);
	ptr = align_up(a->at, alignment);
	a->at = ptr + size;
	return ptr;
}

void *arena_alloc_aligned(struct arena *a, size_t alignment, size_t size)
{
	size_t skip = -(uintptr_t)a->at & (alignment - 1);
	size_t room = (size_t)(a->end - a->at);
	uint8_t *ptr;

	if (UNLIKELY(room < skip || room - skip < size || !a->at))
		return alloc_slow(a, alignment, size);
	ptr = a->at + skip;
	a->at = ptr + size;
	return ptr;
}

void *arena_alloc(struct arena *a, size_t size)
{
	return arena_alloc_aligned(a, alignof(max_align_t), size);
}

struct slice arena_copy(struct arena *a, struct slice s)
{
	uint8_t *copy = arena_alloc_aligned(a, 1, s.len);

	if (s.len)
		memcpy(copy, s.data, s.len);
	return slice_of(copy, s.len);
}

static void chunks_free(struct arena_chunk *c)
{
	while (c) {
		struct arena_chunk *next = c->next;

		mem_free(c);
		c = next;
	}
}

void arena_clear(struct arena *a)
{
	struct arena_chunk *kept = a->chunks;

	/* The newest is of ordinary size unless all there ever was came alone. */
	if (!kept || kept->size > CHUNK_MAX) {
		arena_free(a);
		return;
	}
	chunks_free(kept->next);
	kept->next = NULL;
	a->bytes = sizeof(*kept) + kept->size;
	chunk_open(a);
}

void arena_free(struct arena *a)
{
	chunks_free(a->chunks);
	*a = (struct arena){0};
}
