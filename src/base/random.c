#include "base/random.h"

#include "base/check.h"

/* splitmix64: spreads a seed of any quality over the generator's state. */
static uint64_t random_split(uint64_t *seed)
{
	uint64_t z = (*seed += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static uint64_t rotate_left(uint64_t v, int bits)
{
	return v << bits | v >> (64 - bits);
}

void random_seed(struct random *r, uint64_t seed)
{
	for (int i = 0; i < 4; i++)
		r->state[i] = random_split(&seed);
}

uint64_t random_next(struct random *r)
{
	uint64_t *s = r->state;
	uint64_t result = rotate_left(s[1] * 5, 7) * 9;
	uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate_left(s[3], 45);
	return result;
}

uint64_t random_below(struct random *r, uint64_t limit)
{
	uint64_t threshold, v;

	CHECK(limit > 0);
	threshold = -limit % limit; /* numbers below it would make the low results more likely */
	do
		v = random_next(r);
	while (v < threshold);
	return v % limit;
}

uint64_t random_between(struct random *r, uint64_t low, uint64_t high)
{
	CHECK(low <= high);
	if (high - low == UINT64_MAX)
		return random_next(r);
	return low + random_below(r, high - low + 1);
}

bool random_chance(struct random *r, uint32_t per_million)
{
	return random_below(r, 1000000) < per_million;
}
