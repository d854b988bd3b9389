#ifndef CONCLAVE_BENCH_GENERATOR_PICKER_H
#define CONCLAVE_BENCH_GENERATOR_PICKER_H

/*
 * Which key is next: each as likely as any other, one after the other, or a few far more often than
 * the rest, as by Zipf's law, where the n-th of them is asked for n^skew times less than the first.
 */

#include "base/bytes.h"
#include "base/random.h"

#define PICKER_KEYS_MAX 1000000000u

enum picker_kind { PICKER_UNIFORM, PICKER_SEQUENTIAL, PICKER_ZIPF };

struct picker_choice {
	enum picker_kind kind;
	double skew; /* of PICKER_ZIPF, above 0 */
};

/* Reads "uniform", "sequential", "zipf" or "zipf:SKEW", with a skew up to 10. ERR_INVALID. */
MUST_USE int picker_choice_parse(const char *text, struct picker_choice *choice);

struct picker {
	struct picker_choice choice;
	uint64_t keys;
	uint64_t next; /* of PICKER_SEQUENTIAL */
	double first;  /* of PICKER_ZIPF: see picker.c */
	double last;
	double cut;
};

/* Of `keys` keys, 1 to PICKER_KEYS_MAX; the sequential one begins with `begin`. */
void picker_init(struct picker *p, const struct picker_choice *choice, uint64_t keys,
		 uint64_t begin);

/* From 0 to keys - 1. */
uint64_t picker_next(struct picker *p, struct random *random);

#endif
