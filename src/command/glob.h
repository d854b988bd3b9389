#ifndef CONCLAVE_COMMAND_GLOB_H
#define CONCLAVE_COMMAND_GLOB_H

/*
 * Patterns as MATCH and KEYS take them, by bytes and exactly as Redis reads them: `*` any bytes,
 * `?` one, `[abc]`, `[a-z]`, `[^a]` one of these or none of these, `\` before what is meant as it
 * stands. Bytes above 127 lie below the others in a range.
 */

#include "base/bytes.h"

/* The whole of `text`. Takes time in proportion to the product of the lengths, at most. */
bool glob_matches(struct slice pattern, struct slice text);

/*
 * What every text begins with that the pattern matches; appends. True: the pattern matches this
 * text alone.
 */
bool glob_prefix(struct slice pattern, struct buf *out);

#endif
