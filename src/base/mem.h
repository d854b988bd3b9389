#ifndef CONCLAVE_BASE_MEM_H
#define CONCLAVE_BASE_MEM_H

/*
 * Memory. No function here returns NULL: when the system has none left the process stops in
 * mem.c, the one place that decides it, and comes back from its log. Nobody else tests for NULL.
 */

#include "base/compiler.h"

/* `size` bytes, contents undefined. The caller frees with mem_free. */
void *mem_alloc(size_t size) __attribute__((malloc, returns_nonnull));

/* `count` times `size` bytes, all zero; stops when the product overflows. */
void *mem_zalloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull));

/*
 * Makes the block `count` times `size` bytes long, moving it if needed; `ptr` may be NULL. Stops
 * when the product overflows.
 */
void *mem_resize(void *ptr, size_t count, size_t size) __attribute__((returns_nonnull));

/* `size` bytes that begin at a multiple of `alignment`, a power of two of any size. */
void *mem_alloc_aligned(size_t alignment, size_t size) __attribute__((malloc, returns_nonnull));

/* Gives back what any of the above returned; NULL is nothing. */
void mem_free(void *ptr);

#define MEM_NEW(type) ((type *)mem_zalloc(1, sizeof(type)))

/*
 * Room for at least `need` elements in a growing array: doubles `*cap` until it fits and moves
 * the array. `array` is an lvalue of pointer type.
 */
#define MEM_GROW(array, cap, need)                                              \
	do {                                                                    \
		size_t need_ = (need);                                          \
		if (need_ > (cap)) {                                            \
			(cap) = mem_grown_capacity((cap), need_);               \
			(array) = mem_resize((array), (cap), sizeof(*(array))); \
		}                                                               \
	} while (0)

/* The capacity after growth: at least `need`, at least twice `cap`, at least 8. */
size_t mem_grown_capacity(size_t cap, size_t need);

#endif
