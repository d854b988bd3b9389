#ifndef CONCLAVE_COMMAND_FRACTION_H
#define CONCLAVE_COMMAND_FRACTION_H

/*
 * Inside command only: numbers with a fraction, as INCRBYFLOAT and its like read and keep them.
 * They are what this machine calls a long double: members on machines that differ in that would
 * come to different sums.
 */

#include "base/bytes.h"
#include "base/compiler.h"

/* The largest number has 4,933 digits before its point; 17 are written behind it. */
#define FRACTION_TEXT_MAX 5120

/* As Redis reads one: all that strtold reads, no blank before it, no NaN. */
MUST_USE bool fraction_parse(struct slice s, long double *value);

/*
 * With up to 17 digits behind the point and no zeroes at the end; never with an exponent. How many
 * bytes.
 */
size_t fraction_format(char text[static FRACTION_TEXT_MAX], long double value);

#endif
