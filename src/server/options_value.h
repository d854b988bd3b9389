#ifndef CONCLAVE_SERVER_OPTIONS_VALUE_H
#define CONCLAVE_SERVER_OPTIONS_VALUE_H

/*
 * One value of a directive, from the words it was given as. Each kind has a form that
 * options_value_expects describes; a value that has not this form leaves the target as it was.
 */

#include "server/options.h"

enum options_kind {
	OPTION_TEXT,	/* char *: one word */
	OPTION_MAYBE,	/* char *: one word; NULL for "", which is none */
	OPTION_LATER,	/* int64_t: a number, or -1 for never */
	OPTION_WORDS,	/* struct options_words: one or more */
	OPTION_NUMBER,	/* uint64_t */
	OPTION_SIZE,	/* uint64_t: bytes; 16mb, 64k */
	OPTION_MS,	/* uint64_t: milliseconds */
	OPTION_FLAG,	/* uint64_t: yes or no */
	OPTION_LEVEL,	/* uint64_t: enum log_level by its name */
	OPTION_ACCESS,	/* uint64_t: no, local or yes as 0, 1, 2 */
	OPTION_FACE,	/* uint64_t: master or raft as 0, 1 */
	OPTION_MEMBERS, /* struct options_members: n1=host:port,n2=... */
	OPTION_OCTAL,	/* uint64_t: 750 */
	OPTION_LIMITS,	/* struct options_limits: normal 256mb 0 0 */
	OPTION_FACT,	/* nothing: a text that never changes */
};

struct options_bounds {
	uint64_t min;
	uint64_t max;
};

/* Sets the field of this kind at `target` from the words; what it held is freed. ERR_INVALID. */
MUST_USE int options_value_set(enum options_kind kind, struct options_bounds bounds, void *target,
			       const struct slice *words, size_t count);

/* Appends the value as CONFIG GET tells it: numbers without units, words with blanks between. */
void options_value_put(enum options_kind kind, const void *field, struct buf *out);

/* Whether the value is several words, which stand unquoted beside each other. */
bool options_value_is_list(enum options_kind kind);

/* Appends `text` as one word of a line: in quotes, with escapes, where it needs them. */
void options_value_quote(struct slice text, struct buf *out);

/* Whether a value says a part of the whole, so that a file may have several lines of it. */
bool options_value_adds_up(enum options_kind kind);

/* The word for a value of OPTION_ACCESS, and of OPTION_FACE. */
const char *options_access_name(uint64_t access);
const char *options_face_name(uint64_t face);

/* The size of a field of this kind. */
size_t options_value_size(enum options_kind kind);

/* `to` is all zero, and owns its copy. */
void options_value_copy(enum options_kind kind, void *to, const void *from);

/* Gives the memory of a field of this kind back. */
void options_value_free(enum options_kind kind, void *target);

/* Appends what is expected, to stand behind "expected ". */
void options_value_expects(enum options_kind kind, struct options_bounds bounds, struct buf *out);

/*
 * Appends what is wrong with words that options_value_set refused, as Redis says it to those who
 * ask for CONFIG SET.
 */
void options_value_complain(enum options_kind kind, struct options_bounds bounds,
			    const struct slice *words, size_t count, struct buf *out);

#endif
