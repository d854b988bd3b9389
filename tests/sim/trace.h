#ifndef CONCLAVE_SIM_TRACE_H
#define CONCLAVE_SIM_TRACE_H

/* The story of a run: every line, or only the last ones. */

#include "base/compiler.h"

#include <stdbool.h>

struct trace_ring;

/* Keeps the last `keep` lines; with `live`, prints each at once instead. */
struct trace_ring *trace_new(size_t keep, bool live);
void trace_free(struct trace_ring *t);
void trace_add(struct trace_ring *t, const char *line);

/* Prints what was kept. */
void trace_print(const struct trace_ring *t);

#endif
