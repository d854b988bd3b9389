#ifndef CONCLAVE_SERVER_OPTIONS_VALUE_H
#define CONCLAVE_SERVER_OPTIONS_VALUE_H

/*
 * One value of a directive, from the words it was given as. Each kind has a form that
 * options_value_expects describes; a value that has not this form leaves the target as it was.
 */

#include "server/options.h"

enum options_kind {
	OPTION_TEXT,	/* char *: one word */
	OPTION_WORDS,	/* struct options_words: one or more */
	OPTION_NUMBER,	/* uint64_t */
	OPTION_SIZE,	/* uint64_t: bytes; 16mb, 64k */
	OPTION_MS,	/* uint64_t: milliseconds */
	OPTION_FLAG,	/* uint64_t: yes or no */
	OPTION_LEVEL,	/* uint64_t: enum log_level by its name */
	OPTION_ACCESS,	/* uint64_t: no, local or yes as 0, 1, 2 */
	OPTION_MEMBERS, /* struct options_members: n1=host:port,n2=... */
};

struct options_bounds {
	uint64_t min;
	uint64_t max;
};

/* Sets the field of this kind at `target` from the words; what it held is freed. ERR_INVALID. */
MUST_USE int options_value_set(enum options_kind kind, struct options_bounds bounds, void *target,
			       const struct slice *words, size_t count);

/* Gives the memory of a field of this kind back. */
void options_value_free(enum options_kind kind, void *target);

/* Appends what is expected, to stand behind "expected ". */
void options_value_expects(enum options_kind kind, struct options_bounds bounds, struct buf *out);

#endif
