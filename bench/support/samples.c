#include "samples.h"

#include "base/compiler.h"

#include <stdlib.h>
#include <string.h>

void samples_add(struct samples *s, double value)
{
	if (s->count < SAMPLES_MAX)
		s->values[s->count++] = value;
}

static int by_size(const void *a_, const void *b_)
{
	const double *a = a_, *b = b_;

	return (*a > *b) - (*a < *b);
}

double samples_median(const struct samples *s)
{
	double sorted[SAMPLES_MAX];

	if (s->count == 0)
		return 0;
	memcpy(sorted, s->values, s->count * sizeof(sorted[0]));
	qsort(sorted, s->count, sizeof(sorted[0]), by_size);
	return (sorted[(s->count - 1) / 2] + sorted[s->count / 2]) / 2;
}

double samples_mean(const struct samples *s)
{
	double sum = 0;

	for (size_t i = 0; i < s->count; i++)
		sum += s->values[i];
	return s->count ? sum / (double)s->count : 0;
}

double samples_spread(const struct samples *s)
{
	double median = samples_median(s), low = median, high = median;

	for (size_t i = 0; i < s->count; i++) {
		low = MIN(low, s->values[i]);
		high = MAX(high, s->values[i]);
	}
	return median > 0 ? (high - low) / median : 0;
}
