#include "base/mem.h"

#include "base/check.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static _Noreturn void mem_exhausted(size_t size)
{
	fprintf(stderr, "out of memory: %zu bytes were refused\n", size);
	abort();
}

static size_t mem_product(size_t count, size_t size)
{
	CHECK(size == 0 || count <= SIZE_MAX / size);
	return count * size;
}

void *mem_alloc(size_t size)
{
	void *ptr = malloc(size ? size : 1);

	if (UNLIKELY(!ptr))
		mem_exhausted(size);
	return ptr;
}

void *mem_zalloc(size_t count, size_t size)
{
	size_t total = mem_product(count, size);
	void *ptr = calloc(MAX(total, (size_t)1), 1);

	if (UNLIKELY(!ptr))
		mem_exhausted(total);
	return ptr;
}

void *mem_resize(void *ptr, size_t count, size_t size)
{
	size_t total = mem_product(count, size);
	void *moved = realloc(ptr, MAX(total, (size_t)1));

	if (UNLIKELY(!moved))
		mem_exhausted(total);
	return moved;
}

void *mem_alloc_aligned(size_t alignment, size_t size)
{
	void *ptr = NULL;

	CHECK(alignment > 0 && (alignment & (alignment - 1)) == 0);
	alignment = MAX(alignment, sizeof(void *)); /* less is refused */
	if (UNLIKELY(posix_memalign(&ptr, alignment, size ? size : 1) != 0))
		mem_exhausted(size);
	return ptr;
}

void mem_free(void *ptr)
{
	free(ptr);
}

size_t mem_grown_capacity(size_t cap, size_t need)
{
	size_t grown = MAX(cap, (size_t)8);

	while (grown < need) {
		CHECK(grown <= SIZE_MAX / 2);
		grown *= 2;
	}
	return grown;
}
