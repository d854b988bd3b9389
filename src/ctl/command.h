#ifndef CONCLAVE_CTL_COMMAND_H
#define CONCLAVE_CTL_COMMAND_H

/* A command of conclave-ctl; all of them stand in the table of main.c. */

#include "ctl/arguments.h"

struct ctl_command {
	const char *name;   /* its words */
	const char *syntax; /* of the words behind them */
	size_t min, max;    /* how many those are */
	unsigned options;   /* which it takes */
	const char *help;
	/*
	 * `words` are those behind the name. It prints what it found; what went wrong is said in
	 * `problem`. ERR_INVALID: the words make no sense.
	 */
	int (*run)(const struct arguments *a, const char *const *words, struct buf *problem);
};

#endif
