#ifndef CONCLAVE_SIM_COMMANDS_H
#define CONCLAVE_SIM_COMMANDS_H

/* What conclave-sim can be asked to do; each returns the program's exit status. */

#include <stdbool.h>
#include <stdint.h>

struct sim_mode;

struct command_options {
	const struct sim_mode *mode;
	bool one; /* a single seed: first_seed */
	bool trace;
	uint64_t first_seed;
	uint64_t seeds;
	uint64_t jobs;
	const char *only; /* mutants: this one; NULL: all */
};

int command_run_one(const struct command_options *o);
int command_run_many(const struct command_options *o);
int command_mutants(const struct command_options *o);
int command_demo(void);

#endif
