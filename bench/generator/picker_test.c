#include "picker.h"

#include "base/error.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void choices_are_read(void **state)
{
	static const char *const bad[] = {"",	     "zip",	"zipf:",   "zipf:x",   "zipf:0",
					  "zipf:-1", "zipf:11", "zipf:1x", "zipf:nan", "Uniform"};
	struct picker_choice c;

	(void)state;
	assert_int_equal(picker_choice_parse("uniform", &c), OK);
	assert_int_equal(c.kind, PICKER_UNIFORM);
	assert_int_equal(picker_choice_parse("sequential", &c), OK);
	assert_int_equal(c.kind, PICKER_SEQUENTIAL);
	assert_int_equal(picker_choice_parse("zipf", &c), OK);
	assert_true(c.kind == PICKER_ZIPF && c.skew == 0.99);
	assert_int_equal(picker_choice_parse("zipf:1.5", &c), OK);
	assert_true(c.kind == PICKER_ZIPF && c.skew == 1.5);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(picker_choice_parse(bad[i], &c), ERR_INVALID);
}

static void one_after_the_other_and_round(void **state)
{
	struct picker_choice c = {.kind = PICKER_SEQUENTIAL};
	struct random random;
	struct picker p;

	(void)state;
	random_seed(&random, 1);
	picker_init(&p, &c, 5, 3);
	for (uint64_t i = 0; i < 12; i++)
		assert_int_equal(picker_next(&p, &random), (3 + i) % 5);
}

enum { KEYS = 50, DRAWS = 200000 };

/* How often each key came. */
static void draw(const struct picker_choice *c, uint64_t counts[KEYS])
{
	struct random random;
	struct picker p;

	memset(counts, 0, KEYS * sizeof(counts[0]));
	random_seed(&random, 7);
	picker_init(&p, c, KEYS, 0);
	for (int i = 0; i < DRAWS; i++) {
		uint64_t key = picker_next(&p, &random);

		assert_true(key < KEYS);
		counts[key]++;
	}
}

static void each_as_often_as_any_other(void **state)
{
	struct picker_choice c = {.kind = PICKER_UNIFORM};
	uint64_t counts[KEYS];

	(void)state;
	draw(&c, counts);
	for (int i = 0; i < KEYS; i++)
		assert_in_range(counts[i], DRAWS / KEYS * 9 / 10, DRAWS / KEYS * 11 / 10);
}

static int downward(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x < *y) - (*x > *y);
}

/* The n-th key comes n^skew times less often than the first, below, at and above a skew of 1. */
static void some_far_more_often_by_the_law(void **state)
{
	static const double skews[] = {0.5, 0.99, 1, 1.5};

	(void)state;
	for (size_t s = 0; s < ARRAY_LEN(skews); s++) {
		struct picker_choice c = {.kind = PICKER_ZIPF, .skew = skews[s]};
		uint64_t counts[KEYS];
		double sum = 0;

		for (int n = 1; n <= KEYS; n++)
			sum += pow(n, -skews[s]);
		draw(&c, counts);
		qsort(counts, KEYS, sizeof(counts[0]), downward);
		for (int n = 1; n <= 10; n++) {
			double expected = DRAWS * pow(n, -skews[s]) / sum;

			assert_true(fabs((double)counts[n - 1] - expected) < 6 * sqrt(expected));
		}
	}
}

/* Ranks are spread over the names, each to one of its own. */
static void the_most_frequent_are_no_neighbours(void **state)
{
	struct picker_choice c = {.kind = PICKER_ZIPF, .skew = 0.01};
	uint64_t counts[KEYS];

	(void)state;
	draw(&c, counts);
	for (int i = 0; i < KEYS; i++)
		assert_true(counts[i] > 0);
	c.skew = 3;
	draw(&c, counts);
	assert_true(counts[0] > counts[1] + counts[2] + counts[KEYS - 1]);
}

static void a_single_key(void **state)
{
	struct picker_choice c = {.kind = PICKER_ZIPF, .skew = 0.99};
	struct random random;
	struct picker p;

	(void)state;
	random_seed(&random, 1);
	for (int kind = PICKER_UNIFORM; kind <= PICKER_ZIPF; kind++) {
		c.kind = (enum picker_kind)kind;
		picker_init(&p, &c, 1, 0);
		for (int i = 0; i < 100; i++)
			assert_int_equal(picker_next(&p, &random), 0);
	}
	c.kind = PICKER_ZIPF;
	picker_init(&p, &c, PICKER_KEYS_MAX, 0);
	for (int i = 0; i < 100; i++)
		assert_true(picker_next(&p, &random) < PICKER_KEYS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(choices_are_read),
		cmocka_unit_test(one_after_the_other_and_round),
		cmocka_unit_test(each_as_often_as_any_other),
		cmocka_unit_test(some_far_more_often_by_the_law),
		cmocka_unit_test(the_most_frequent_are_no_neighbours),
		cmocka_unit_test(a_single_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
