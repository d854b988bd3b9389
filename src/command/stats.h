#ifndef CONCLAVE_COMMAND_STATS_H
#define CONCLAVE_COMMAND_STATS_H

/* How often each command ran on a member, and how long that took. */

#include "base/bytes.h"

#include <stdbool.h>

struct command;

/*
 * How many calls took so long, by powers of two: place i counts those of up to
 * command_bucket_usec(i), the last one those that took longer, too.
 */
#define LATENCY_BUCKETS 21

struct command_count {
	const struct command *command; /* NULL: a free place */
	uint64_t calls;
	uint64_t failed; /* of these: answered with an error */
	uint64_t usec;	 /* spent in all of them */
	uint64_t rejected;
	uint64_t took[LATENCY_BUCKETS];
};

/* Codes of errors that are told apart; those that come behind count in the total alone. */
#define ERROR_CODES_MAX	   32
#define ERROR_CODE_LEN_MAX 31

struct error_count {
	char code[ERROR_CODE_LEN_MAX + 1]; /* "ERR", "WRONGTYPE" */
	uint64_t count;
};

/* All zero is one that counted nothing. */
struct command_stats {
	struct command_count *counts; /* owned; by the row's place in memory */
	size_t cap;		      /* power of two */
	size_t len;
	uint64_t calls;				    /* of all */
	struct error_count errors[ERROR_CODES_MAX]; /* by code */
	size_t error_codes;
	uint64_t error_replies; /* of all codes */
};

void command_stats_free(struct command_stats *s);

/* It ran. */
void command_stats_ran(struct command_stats *s, const struct command *command, uint64_t usec,
		       bool failed);

/* It was refused before it ran. */
void command_stats_rejected(struct command_stats *s, const struct command *command);

/* An error was the reply: its text, from the code on. */
void command_stats_error(struct command_stats *s, struct slice text);

/* The counts of one; NULL: it never came. */
const struct command_count *command_stats_of(const struct command_stats *s,
					     const struct command *command);

/* The longest time of a bucket: 1, 2, 4, 8, 16, 33, 66 ... as Redis has them. */
uint64_t command_bucket_usec(size_t bucket);

/* As if nothing had run yet. */
void command_stats_reset(struct command_stats *s);

#endif
