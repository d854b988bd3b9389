#ifndef CONCLAVE_BENCH_GENERATOR_HISTOGRAM_H
#define CONCLAVE_BENCH_GENERATOR_HISTOGRAM_H

/*
 * Times, counted in buckets whose width grows with the value: whatever is asked of it is at most a
 * 128th too large, over the whole range, in a fixed number of buckets.
 *
 *	0 ... 255          one value a bucket
 *	2^n ... 2^(n+1)    128 buckets of equal width
 */

#include <stdint.h>

#define HISTOGRAM_BITS 7
#define HISTOGRAM_TOP  40 /* what is not below 2^40 counts as the largest that is */

#define HISTOGRAM_BUCKETS ((HISTOGRAM_TOP - HISTOGRAM_BITS + 1) << HISTOGRAM_BITS)

/* All zero is empty. */
struct histogram {
	uint64_t count;
	uint64_t sum;
	uint64_t max; /* as it was, not its bucket's */
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *h, uint64_t value);

/* Adds all that `from` has. */
void histogram_merge(struct histogram *h, const struct histogram *from);

/*
 * The value that at least `part` (0 to 1) of all are not above: the largest of its bucket, and
 * never above `max`. 0 if it is empty.
 */
uint64_t histogram_at(const struct histogram *h, double part);

/* 0 if it is empty. */
double histogram_mean(const struct histogram *h);

#endif
