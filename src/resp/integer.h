#ifndef CONCLAVE_RESP_INTEGER_H
#define CONCLAVE_RESP_INTEGER_H

/*
 * Numbers as the Redis protocol and Redis commands spell them. There is one spelling for each
 * number, so a number read and written again is the same bytes.
 */

#include "base/bytes.h"

/* The longest spelling: the smallest number, with its sign. */
#define RESP_INTEGER_MAX 20

/*
 * Reads the whole of `s` as a number into `*value`. False, with `*value` untouched, for anything
 * but the one spelling: no sign but a minus, no leading zero, no blank, no overflow.
 */
MUST_USE bool resp_integer_parse(struct slice s, int64_t *value);

/* Writes `value` at `at`, which has room for RESP_INTEGER_MAX bytes; returns how many were used. */
size_t resp_integer_format(uint8_t *at, int64_t value);

#endif
