#include "resp/args.h"

#include "base/mem.h"

/* A connection that once sent a huge request does not hold its memory for ever. */
#define ARGS_KEPT 1024

void resp_args_clear(struct resp_args *a)
{
	if (UNLIKELY(a->spans_cap > ARGS_KEPT))
		resp_args_free(a);
	a->len = 0;
}

void resp_args_free(struct resp_args *a)
{
	mem_free(a->spans);
	mem_free(a->slices);
	*a = (struct resp_args){0};
}

void resp_args_add(struct resp_args *a, size_t at, size_t len)
{
	MEM_GROW(a->spans, a->spans_cap, a->len + 1);
	a->spans[a->len++] = (struct resp_span){.at = at, .len = len};
}

const struct slice *resp_args_resolve(struct resp_args *a, const uint8_t *base)
{
	MEM_GROW(a->slices, a->slices_cap, a->len);
	for (size_t i = 0; i < a->len; i++)
		a->slices[i] = slice_of(base + a->spans[i].at, a->spans[i].len);
	return a->slices;
}
