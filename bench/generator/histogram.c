#include "histogram.h"

#include "base/check.h"

#include <math.h>

#define EXACT ((uint64_t)2 << HISTOGRAM_BITS)

static unsigned bucket_of(uint64_t value)
{
	unsigned shift;

	if (value < EXACT)
		return (unsigned)value;
	shift = 63u - (unsigned)__builtin_clzll(value) - HISTOGRAM_BITS;
	return (shift << HISTOGRAM_BITS) + (unsigned)(value >> shift);
}

static uint64_t bucket_largest(unsigned bucket)
{
	unsigned shift;
	uint64_t place;

	if (bucket < EXACT)
		return bucket;
	shift = (bucket >> HISTOGRAM_BITS) - 1;
	place = bucket - (shift << HISTOGRAM_BITS);
	return ((place + 1) << shift) - 1;
}

void histogram_add(struct histogram *h, uint64_t value)
{
	unsigned bucket;

	value = MIN(value, ((uint64_t)1 << HISTOGRAM_TOP) - 1);
	bucket = bucket_of(value);
	CHECK(bucket < HISTOGRAM_BUCKETS);
	h->buckets[bucket]++;
	h->count++;
	h->sum += value;
	h->max = MAX(h->max, value);
}

void histogram_merge(struct histogram *h, const struct histogram *from)
{
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		h->buckets[i] += from->buckets[i];
	h->count += from->count;
	h->sum += from->sum;
	h->max = MAX(h->max, from->max);
}

uint64_t histogram_at(const struct histogram *h, double part)
{
	uint64_t wanted = (uint64_t)ceil(part * (double)h->count), seen = 0;

	wanted = MIN(MAX(wanted, (uint64_t)1), h->count);
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS && h->count; i++) {
		seen += h->buckets[i];
		if (seen >= wanted)
			return MIN(bucket_largest(i), h->max);
	}
	return 0;
}

double histogram_mean(const struct histogram *h)
{
	return h->count ? (double)h->sum / (double)h->count : 0;
}
