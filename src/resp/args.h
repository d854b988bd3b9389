#ifndef CONCLAVE_RESP_ARGS_H
#define CONCLAVE_RESP_ARGS_H

/*
 * The arguments of the request that is being read. While bytes are still missing the caller of the
 * parser may move its buffer, so an argument is known by its distance from the request's first
 * byte; when the request is whole the distances become slices.
 */

#include "base/bytes.h"

struct resp_span {
	size_t at;
	size_t len;
};

/* All zero is empty. Room is kept from request to request. */
struct resp_args {
	struct resp_span *spans;
	size_t len;
	size_t spans_cap;
	struct slice *slices;
	size_t slices_cap;
};

/* Empties; memory beyond what ordinary requests need is given back. */
void resp_args_clear(struct resp_args *a);

/* Gives all memory back; empty afterwards. */
void resp_args_free(struct resp_args *a);

/* Adds the `len` bytes that begin `at` bytes behind the request's first. */
void resp_args_add(struct resp_args *a, size_t at, size_t len);

/* The arguments of the request that begins at `base`; borrowed from `a` until it changes. */
const struct slice *resp_args_resolve(struct resp_args *a, const uint8_t *base);

#endif
