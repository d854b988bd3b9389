#ifndef CONCLAVE_BASE_RANDOM_H
#define CONCLAVE_BASE_RANDOM_H

/*
 * A seeded generator (xoshiro256**): the same seed gives the same numbers on every machine, which
 * is what makes a simulated run repeatable. Not for secrets.
 */

#include <stdbool.h>
#include <stdint.h>

struct random {
	uint64_t state[4];
};

/* Any seed will do, also 0. */
void random_seed(struct random *r, uint64_t seed);

uint64_t random_next(struct random *r);

/* Evenly from 0 to `limit` - 1; `limit` is at least 1. */
uint64_t random_below(struct random *r, uint64_t limit);

/* Evenly from `low` to `high`, both included. */
uint64_t random_between(struct random *r, uint64_t low, uint64_t high);

/* True in `per_million` of a million cases. */
bool random_chance(struct random *r, uint32_t per_million);

#endif
