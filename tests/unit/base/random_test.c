#include "base/random.h"

#include "base/compiler.h"
#include "expect_abort.h"

/* From an implementation of splitmix64 and xoshiro256** of its own. */
static void a_seed_gives_the_same_numbers_everywhere(void **state)
{
	static const struct {
		uint64_t seed;
		uint64_t first[4];
	} known[] = {
		{0,
		 {0x99ec5f36cb75f2b4, 0xbf6e1f784956452a, 0x1a5f849d4933e6e0, 0x6aa594f1262d2d2c}},
		{1,
		 {0xb3f2af6d0fc710c5, 0x853b559647364cea, 0x92f89756082a4514, 0x642e1c7bc266a3a7}},
		{12345,
		 {0xbe6a36374160d49b, 0x214aaa0637a688c6, 0xf69d16de9954d388, 0x0c60048c4e96e033}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		struct random r;

		random_seed(&r, known[i].seed);
		for (size_t j = 0; j < ARRAY_LEN(known[i].first); j++)
			assert_true(random_next(&r) == known[i].first[j]);
	}
}

static void numbers_stay_in_their_range_and_reach_its_ends(void **state)
{
	struct random r;
	bool low = false, high = false;

	(void)state;
	random_seed(&r, 3);
	for (uint64_t limit = 1; limit < 50; limit++)
		for (int i = 0; i < 100; i++)
			assert_true(random_below(&r, limit) < limit);
	for (int i = 0; i < 1000; i++) {
		uint64_t v = random_between(&r, 10, 15);

		assert_true(v >= 10 && v <= 15);
		low |= v == 10;
		high |= v == 15;
	}
	assert_true(low && high);
	assert_true(random_between(&r, 7, 7) == 7);
	assert_true(random_between(&r, UINT64_MAX, UINT64_MAX) == UINT64_MAX);
	assert_true(random_between(&r, UINT64_MAX - 1, UINT64_MAX) >= UINT64_MAX - 1);
	for (int i = 0; i < 100; i++)
		assert_true(random_below(&r, (UINT64_MAX >> 1) + 2) <= (UINT64_MAX >> 1) + 1);
}

static void the_whole_range_is_the_plain_numbers(void **state)
{
	struct random a, b;

	(void)state;
	random_seed(&a, 4);
	random_seed(&b, 4);
	for (int i = 0; i < 10; i++)
		assert_true(random_between(&a, 0, UINT64_MAX) == random_next(&b));
}

static void numbers_are_spread_evenly(void **state)
{
	unsigned counts[10] = {0};
	struct random r;

	(void)state;
	random_seed(&r, 5);
	for (int i = 0; i < 100000; i++)
		counts[random_below(&r, 10)]++;
	for (size_t i = 0; i < ARRAY_LEN(counts); i++)
		assert_in_range(counts[i], 9500, 10500);
}

static void chances_are_what_they_say(void **state)
{
	struct random r;
	int hits = 0;

	(void)state;
	random_seed(&r, 6);
	for (int i = 0; i < 10000; i++) {
		assert_false(random_chance(&r, 0));
		assert_true(random_chance(&r, 1000000));
		hits += random_chance(&r, 250000);
	}
	assert_in_range(hits, 2300, 2700);
}

static void draw_below_nothing(void)
{
	struct random r;

	random_seed(&r, 1);
	random_below(&r, 0);
}

static void draw_from_an_empty_range(void)
{
	struct random r;

	random_seed(&r, 1);
	random_between(&r, 2, 1);
}

static void an_empty_range_fails_a_check(void **state)
{
	(void)state;
	expect_abort(draw_below_nothing, "random_below: check failed");
	expect_abort(draw_from_an_empty_range, "random_between: check failed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_seed_gives_the_same_numbers_everywhere),
		cmocka_unit_test(numbers_stay_in_their_range_and_reach_its_ends),
		cmocka_unit_test(the_whole_range_is_the_plain_numbers),
		cmocka_unit_test(numbers_are_spread_evenly),
		cmocka_unit_test(chances_are_what_they_say),
		cmocka_unit_test(an_empty_range_fails_a_check),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
