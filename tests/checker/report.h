#ifndef CONCLAVE_CHECKER_REPORT_H
#define CONCLAVE_CHECKER_REPORT_H

/* What people get to read of a key that is not linearizable. */

#include "checker/search.h"

/* One key as it was searched: its prepared operations, by their time of call. */
struct report_key {
	const struct history *history;
	const struct model *model;
	const struct model_op *ops;
	size_t count;
	uint64_t key;
};

/* Appends why no order was found: where it ends, what was concurrent, how far the search came. */
void report_failure(struct buf *out, const struct report_key *k, const struct search_trace *trace,
		    enum search_verdict verdict);

/*
 * Looks for results on this key that show the unique value of a refused operation, appends a line
 * for each pair, and returns whether there was one.
 */
bool report_aborted_reads(struct buf *out, const struct history *h, uint64_t key);

#endif
