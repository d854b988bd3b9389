#ifndef CONCLAVE_CHECKER_SEARCH_H
#define CONCLAVE_CHECKER_SEARCH_H

/*
 * Looks for an order of one key's operations that explains all their results: Wing and Gong's
 * search with Lowe's memo of configurations ("Testing for linearizability", 2017).
 */

#include "checker/model.h"

enum search_verdict { SEARCH_FOUND, SEARCH_NONE, SEARCH_GAVE_UP };

/* How far a search came: the order that passed the most returns, and of those the longest. */
struct search_trace {
	size_t *order; /* places in the array of operations, as they took effect */
	size_t order_len;
	size_t stuck; /* the operation whose return was not passed; none when an order was found */
	uint64_t steps;
};

/*
 * Searches at most `max_steps` configurations for an order of `ops`, which the model has prepared.
 * Fills in `trace`, which the caller gives to search_trace_free.
 */
enum search_verdict search_order(const struct model *model, const struct model_op *ops,
				 size_t count, uint64_t max_steps, struct search_trace *trace);

void search_trace_free(struct search_trace *trace);

#endif
