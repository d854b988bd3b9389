#ifndef CONCLAVE_BENCH_GENERATOR_LOAD_H
#define CONCLAVE_BENCH_GENERATOR_LOAD_H

/* One run: its threads, and what came of all of them. */

#include "worker.h"

struct load_watch {
	unsigned every_s; /* a line on the standard error each so many seconds; 0: none */
	atomic_bool *stop;
	int stop_fd; /* readable when somebody wants an end; -1: nobody will */
};

/*
 * Runs the load to its end. `tally`, of the commands of its mix, takes what came of it, and
 * `seconds` how long requests were counted. The threads begin together, once they are connected.
 */
void load_run(const struct load *load, const struct load_watch *watch, struct tally *tally,
	      double *seconds);

#endif
