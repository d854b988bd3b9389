#ifndef CONCLAVE_BENCH_SUPPORT_SAMPLES_H
#define CONCLAVE_BENCH_SUPPORT_SAMPLES_H

/* The rounds of one figure: machines are shared, so one round says little. */

#include <stddef.h>

#define SAMPLES_MAX 64

/* All zero is empty. */
struct samples {
	double values[SAMPLES_MAX];
	size_t count;
};

/* One more; what is beyond SAMPLES_MAX is not kept. */
void samples_add(struct samples *s, double value);

/* The middle one, or the mean of the two in the middle; 0 if there are none. */
double samples_median(const struct samples *s);

/* 0 if there are none. */
double samples_mean(const struct samples *s);

/* From the lowest to the highest as a part of the median; 0 if that is 0. */
double samples_spread(const struct samples *s);

#endif
