#include "picker.h"

#include "base/check.h"
#include "base/error.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SKEW_DEFAULT 0.99
#define SKEW_MAX     10.

/* A prime above all numbers of keys: multiplying with it brings each key to a place of its own. */
#define SPREAD 2654435761u

int picker_choice_parse(const char *text, struct picker_choice *choice)
{
	char *end;

	*choice = (struct picker_choice){.kind = PICKER_UNIFORM};
	if (strcmp(text, "uniform") == 0)
		return OK;
	if (strcmp(text, "sequential") == 0) {
		choice->kind = PICKER_SEQUENTIAL;
		return OK;
	}
	*choice = (struct picker_choice){.kind = PICKER_ZIPF, .skew = SKEW_DEFAULT};
	if (strcmp(text, "zipf") == 0)
		return OK;
	if (strncmp(text, "zipf:", 5) != 0 || text[5] == '\0')
		return ERR_INVALID;
	choice->skew = strtod(text + 5, &end);
	return *end == '\0' && choice->skew > 0 && choice->skew <= SKEW_MAX ? OK : ERR_INVALID;
}

/*
 * Zipf's law by rejection-inversion (Hoermann and Derflinger, 1996): the area below x^-skew is
 * inverted, which gives a rank or, seldom, nothing, and then it is tried again. No table: a billion
 * keys begin as fast as ten.
 */

/* (exp(x) - 1) / x and log(1 + x) / x, also where x is next to 0. */
static double exp_part(double x)
{
	return fabs(x) > 1e-8 ? expm1(x) / x : 1 + x / 2;
}

static double log_part(double x)
{
	return fabs(x) > 1e-8 ? log1p(x) / x : 1 - x / 2;
}

static double height(const struct picker *p, double x)
{
	return exp(-p->choice.skew * log(x));
}

/* The area below the curve up to x, but for a constant. */
static double area(const struct picker *p, double x)
{
	return exp_part((1 - p->choice.skew) * log(x)) * log(x);
}

static double area_inverse(const struct picker *p, double y)
{
	double t = fmax(y * (1 - p->choice.skew), -1);

	return exp(log_part(t) * y);
}

void picker_init(struct picker *p, const struct picker_choice *choice, uint64_t keys,
		 uint64_t begin)
{
	CHECK(keys >= 1 && keys <= PICKER_KEYS_MAX);
	*p = (struct picker){.choice = *choice, .keys = keys, .next = begin % keys};
	if (choice->kind != PICKER_ZIPF)
		return;
	p->first = area(p, 1.5) - 1;
	p->last = area(p, (double)keys + 0.5);
	p->cut = 2 - area_inverse(p, area(p, 2.5) - height(p, 2));
}

/* From 1 to keys. */
static uint64_t zipf_rank(const struct picker *p, struct random *random)
{
	for (;;) {
		double part = (double)(random_next(random) >> 11) * 0x1p-53;
		double u = p->last + part * (p->first - p->last);
		double x = area_inverse(p, u);
		double rank = fmin(fmax(floor(x + 0.5), 1), (double)p->keys);

		if (rank - x <= p->cut || u >= area(p, rank + 0.5) - height(p, rank))
			return (uint64_t)rank;
	}
}

uint64_t picker_next(struct picker *p, struct random *random)
{
	uint64_t key = p->next;

	switch (p->choice.kind) {
	case PICKER_UNIFORM:
		return random_below(random, p->keys);
	case PICKER_SEQUENTIAL:
		p->next = key + 1 < p->keys ? key + 1 : 0;
		return key;
	case PICKER_ZIPF:
		/* Neighbours in rank are none in name: they would share blocks on the disk. */
		return (zipf_rank(p, random) - 1) * SPREAD % p->keys;
	}
	return 0;
}
