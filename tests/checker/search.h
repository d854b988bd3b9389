#ifndef CONCLAVE_CHECKER_SEARCH_H
#define CONCLAVE_CHECKER_SEARCH_H

/*
 * Looks for an order of one key's operations that explains all their results: Wing and Gong's
 * search in Lowe's form ("Testing for linearizability", 2017), with a memo of configurations.
 */

#include "checker/model.h"

enum search_verdict { SEARCH_FOUND, SEARCH_NONE, SEARCH_GAVE_UP };

/* How far a search came that found nothing: the order that passed the most returns. */
struct search_trace {
	size_t *order; /* places in the array of operations, as they took effect */
	size_t order_len;
	size_t stuck; /* the operation whose return was not passed */
	uint64_t steps;
};

/*
 * Searches for at most `max_steps` configurations. `ops` are prepared by the model. Fills in
 * `trace`, whose other fields but `steps` are of no meaning when an order was found; the caller
 * gives it to search_trace_free.
 */
enum search_verdict search_order(const struct model *model, const struct model_op *ops,
				 size_t count, uint64_t max_steps, struct search_trace *trace);

void search_trace_free(struct search_trace *trace);

#endif
