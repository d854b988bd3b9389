#ifndef CONCLAVE_BENCH_GENERATOR_OPTIONS_H
#define CONCLAVE_BENCH_GENERATOR_OPTIONS_H

/* What the command line asks for. Each option stands once, in the table of options.c. */

#include "load.h"

struct words {
	const char **list; /* borrowed from the command line */
	size_t count;
	size_t cap;
};

struct bench_options {
	bool help;
	struct words hosts;
	uint64_t connections;
	uint64_t pipeline;
	uint64_t threads;
	double seconds;
	uint64_t requests; /* 0: for so many seconds */
	double warmup_s;
	const char *mix; /* NULL: none was given */
	struct words lines;
	uint64_t keys;
	struct picker_choice choice;
	uint64_t value_bytes;
	bool fill;
	uint64_t rate;
	double timeout_s;
	uint64_t protocol;
	const char *user;
	const char *password;
	struct words first;
	uint64_t seed;
	uint64_t every_s;
	bool json;
};

/*
 * Reads the command line, without the program's name; `password` of the environment may be NULL.
 * ERR_INVALID: `problem` says what and why. The caller frees in any case.
 */
MUST_USE int bench_options_read(struct bench_options *o, int argc, const char *const *argv,
				const char *password, struct buf *problem);

void bench_options_free(struct bench_options *o);

/* Appends the usage: a line for each option. */
void bench_options_put_help(struct buf *out);

#endif
