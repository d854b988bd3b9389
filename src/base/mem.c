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

void *mem_alloc(size_t size)
{
	void *ptr = malloc(size ? size : 1);

	if (UNLIKELY(!ptr))
		mem_exhausted(size);
	return ptr;
}

void *mem_zalloc(size_t count, size_t size)
{
	void *ptr = calloc(count ? count : 1, size ? size : 1);

	if (UNLIKELY(!ptr))
		mem_exhausted(count * size);
	return ptr;
}

void *mem_resize(void *ptr, size_t count, size_t size)
{
	void *moved;

	CHECK(size == 0 || count <= SIZE_MAX / size);
	moved = realloc(ptr, MAX(count * size, (size_t)1));
	if (UNLIKELY(!moved))
		mem_exhausted(count * size);
	return moved;
}

void *mem_alloc_aligned(size_t alignment, size_t size)
{
	void *ptr = NULL;

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
