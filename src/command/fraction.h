#ifndef CONCLAVE_COMMAND_FRACTION_H
#define CONCLAVE_COMMAND_FRACTION_H

/*
 * Inside command only: numbers with a fraction, as INCRBYFLOAT and its like read and keep them.
 * Redis takes what its machine calls a long double. Here it is the one of x86 on every machine, 64
 * bits of mantissa, in integers: members of different kinds have to come to the same sum.
 */

#include "base/bytes.h"
#include "base/compiler.h"

/* The largest number has 4,933 digits before its point; 17 are written behind it. */
#define FRACTION_TEXT_MAX 5120

/* mantissa * 2^exponent, all zero is 0. Bit 63 is set, unless the exponent is the smallest one. */
struct fraction {
	uint64_t mantissa;
	int exponent;
	bool negative;
	bool infinite; /* then the rest but the sign means nothing */
};

/*
 * As Redis reads one: all that strtold reads, no blank before it, no NaN, nothing that is too
 * large, or too small to be told from 0.
 */
MUST_USE bool fraction_parse(struct slice s, struct fraction *value);

/* The sum, rounded to the nearest; false: it is none, or infinite. It may take the place of one. */
MUST_USE bool fraction_add(const struct fraction *a, const struct fraction *b,
			   struct fraction *sum);

/*
 * With up to 17 digits behind the point and no zeroes at the end; never with an exponent. How many
 * bytes. It is not infinite.
 */
size_t fraction_format(char text[static FRACTION_TEXT_MAX], const struct fraction *value);

#endif
