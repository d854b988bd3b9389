#ifndef CONCLAVE_BENCH_GENERATOR_REPORT_H
#define CONCLAVE_BENCH_GENERATOR_REPORT_H

/* What came of a run, in words or as one object of JSON. */

#include "load.h"

struct report {
	const struct load *load;
	const struct tally *tally;
	double seconds;
};

/* A table: a row a command, then what went wrong. */
void report_put_text(const struct report *r, struct buf *out);

/* The same and all of it, on one line. */
void report_put_json(const struct report *r, struct buf *out);

#endif
