#include "histogram.h"

#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* 40 KiB: one on the heap for each test. */
static struct histogram *empty(void)
{
	return calloc(1, sizeof(struct histogram));
}

static void nothing_was_counted(void **state)
{
	struct histogram *h = empty();

	(void)state;
	assert_int_equal(histogram_at(h, 0.5), 0);
	assert_true(histogram_mean(h) == 0);
	free(h);
}

static void small_values_are_exact(void **state)
{
	struct histogram *h = empty();

	(void)state;
	for (uint64_t i = 1; i <= 200; i++)
		histogram_add(h, i);
	assert_int_equal(histogram_at(h, 0), 1);
	assert_int_equal(histogram_at(h, 0.005), 1);
	assert_int_equal(histogram_at(h, 0.5), 100);
	assert_int_equal(histogram_at(h, 0.99), 198);
	assert_int_equal(histogram_at(h, 1), 200);
	assert_true(histogram_mean(h) == 100.5);
	free(h);
}

/* Each value by itself, from one end of the range to the other, and next to each power of two. */
static void no_answer_is_a_hundredth_too_large(void **state)
{
	struct histogram *h = empty();

	(void)state;
	for (unsigned bit = 0; bit < HISTOGRAM_TOP; bit++) {
		for (int64_t near = -3; near <= 3; near++) {
			uint64_t value = ((uint64_t)1 << bit) + (uint64_t)near;
			uint64_t said;

			if (value >= (uint64_t)1 << HISTOGRAM_TOP)
				continue;
			memset(h, 0, sizeof(*h));
			histogram_add(h, value);
			histogram_add(h, ((uint64_t)1 << HISTOGRAM_TOP) - 1);
			said = histogram_at(h, 0.5);
			assert_true(said >= value && said - value <= value / 128);
			assert_int_equal(histogram_at(h, 1), ((uint64_t)1 << HISTOGRAM_TOP) - 1);
		}
	}
	free(h);
}

static void what_is_too_large_counts_as_the_largest(void **state)
{
	struct histogram *h = empty();

	(void)state;
	histogram_add(h, UINT64_MAX);
	assert_int_equal(h->max, ((uint64_t)1 << HISTOGRAM_TOP) - 1);
	assert_int_equal(histogram_at(h, 0.5), h->max);
	free(h);
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Against all values in a row, and in two halves that are merged. */
static void quantiles_are_those_of_the_values(void **state)
{
	enum { VALUES = 10000 };
	static uint64_t values[VALUES];
	struct histogram *h = empty(), *other = empty();
	struct random random;

	(void)state;
	random_seed(&random, 1);
	for (int i = 0; i < VALUES; i++) {
		values[i] = random_next(&random) >> (random_next(&random) % 40 + 24);
		histogram_add(i % 2 ? h : other, values[i]);
	}
	histogram_merge(h, other);
	qsort(values, VALUES, sizeof(values[0]), compare);
	assert_int_equal(h->count, VALUES);
	assert_int_equal(h->max, values[VALUES - 1]);
	for (int i = 1; i <= VALUES; i++) {
		uint64_t value = values[i - 1], said = histogram_at(h, (i - 0.5) / VALUES);

		assert_true(said >= value && said - value <= value / 128);
	}
	free(h);
	free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_was_counted),
		cmocka_unit_test(small_values_are_exact),
		cmocka_unit_test(no_answer_is_a_hundredth_too_large),
		cmocka_unit_test(what_is_too_large_counts_as_the_largest),
		cmocka_unit_test(quantiles_are_those_of_the_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
