#ifndef CONCLAVE_SERVER_OPTIONS_LIMITS_H
#define CONCLAVE_SERVER_OPTIONS_LIMITS_H

/* The value of client-output-buffer-limit: `normal 256mb 0 0`, for one class or several. */

#include "server/options.h"

/*
 * Sets the classes that the words name; others stay. ERR_INVALID: nothing is set.
 */
MUST_USE int options_limits_set(struct options_limits *limits, const struct slice *words,
				size_t count);

/* All classes, as CONFIG GET has them. */
void options_limits_put(const struct options_limits *limits, struct buf *out);

/* What is wrong with words that were refused. */
void options_limits_complain(const struct slice *words, size_t count, struct buf *out);

#endif
