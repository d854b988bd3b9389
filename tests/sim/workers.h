#ifndef CONCLAVE_SIM_WORKERS_H
#define CONCLAVE_SIM_WORKERS_H

/* Seeds spread over processes: one that aborts is a finding, not the end of the run. */

#include "sim/world.h"

#define RUN_FAILURE_MAX 2048

struct worker_result {
	uint64_t seed;
	bool ok;
	char failure[RUN_FAILURE_MAX];
	struct sim_counts counts;
};

/*
 * Runs seeds first .. first + count - 1, with this mutant unless NULL, and adds up what they
 * counted. `each` is told of every result as it comes; it may be NULL. Returns how many failed.
 */
uint64_t workers_run(const struct sim_mode *mode, uint64_t first, uint64_t count, unsigned jobs,
		     const char *mutant, struct sim_counts *counts,
		     void (*each)(void *ctx, const struct worker_result *r, uint64_t done,
				  uint64_t total),
		     void *ctx);

/* Runs seeds in order until one fails; 0: none of `count` did. The failure's text is copied. */
uint64_t workers_first_failure(const struct sim_mode *mode, uint64_t first, uint64_t count,
			       unsigned jobs, const char *mutant, char *failure);

#endif
