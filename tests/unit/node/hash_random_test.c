/* HRANDFIELD: what is drawn, and how often. */

#include "node/member.h"
#include "support/solo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int started(void **state)
{
	static struct solo s;

	*state = &s;
	solo_init(&s);
	return solo_start(&s) == OK ? 0 : -1;
}

static int stopped(void **state)
{
	solo_close(*state);
	return 0;
}

/* The fields 0 to `count` - 1, each with the value "v" and its number. */
static void fill(struct solo *s, unsigned count)
{
	for (unsigned i = 0; i < count;) {
		struct buf line = {0};

		buf_printf(&line, "HSET h");
		for (unsigned end = MIN(i + 500, count); i < end; i++)
			buf_printf(&line, " %u v%u", i, i);
		buf_append_byte(&line, 0);
		assert_int_equal(solo_say(s, (const char *)line.data)[0], ':');
		buf_free(&line);
	}
}

/* The numbers in an array of bulk strings; how many. */
static size_t numbers(const char *reply, unsigned *out)
{
	size_t count = strtoul(reply + 1, NULL, 10), i = 0;

	assert_int_equal(reply[0], '*');
	for (const char *at = strchr(reply, '|') + 1; *at; i++) {
		assert_int_equal(*at, '$');
		at = strchr(at, '|') + 1;
		out[i] = (unsigned)strtoul(at, NULL, 10);
		at = strchr(at, '|') + 1;
	}
	assert_int_equal(i, count);
	return count;
}

/* How often each of `fields` came in what the line draws, `times` over. */
static void count_draws(struct solo *s, const char *line, unsigned times, unsigned fields,
			unsigned *counts)
{
	unsigned *drawn = calloc(20000, sizeof(*drawn));

	memset(counts, 0, fields * sizeof(*counts));
	while (times-- > 0) {
		size_t n = numbers(solo_say(s, line), drawn);

		for (size_t i = 0; i < n; i++) {
			assert_in_range(drawn[i], 0, fields - 1);
			counts[drawn[i]]++;
		}
	}
	free(drawn);
}

static void each_field_of_a_small_hash_is_as_likely(void **state)
{
	struct solo *s = *state;
	unsigned counts[4];

	fill(s, 4);
	count_draws(s, "HRANDFIELD h -8000", 1, 4, counts);
	for (size_t i = 0; i < 4; i++)
		assert_in_range(counts[i], 1700, 2300);
	count_draws(s, "HRANDFIELD h 1", 800, 4, counts);
	for (size_t i = 0; i < 4; i++)
		assert_in_range(counts[i], 130, 270);
}

static void without_repetition_each_comes_once(void **state)
{
	struct solo *s = *state;
	unsigned counts[100];

	fill(s, 100);
	count_draws(s, "HRANDFIELD h 100", 1, 100, counts);
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(counts[i], 1);
	count_draws(s, "HRANDFIELD h 1000", 1, 100, counts);
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(counts[i], 1);
	count_draws(s, "HRANDFIELD h 40", 1, 100, counts);
	for (size_t i = 0; i < 100; i++)
		assert_in_range(counts[i], 0, 1);
}

#define LARGE 6000

/* Fields of a large hash come from parts of it. */
static void a_large_hash_is_drawn_from_evenly(void **state)
{
	static unsigned counts[LARGE];
	struct solo *s = *state;
	unsigned seen = 0, most = 0;

	fill(s, LARGE);
	count_draws(s, "HRANDFIELD h 100", 1, LARGE, counts);
	for (size_t i = 0; i < LARGE; i++)
		assert_in_range(counts[i], 0, 1);
	/* 24000 draws with repetition: four for each on the average, one in 55 fields is missed. */
	count_draws(s, "HRANDFIELD h -120", 200, LARGE, counts);
	for (size_t i = 0; i < LARGE; i++) {
		seen += counts[i] > 0;
		most = MAX(most, counts[i]);
	}
	assert_in_range(seen, LARGE * 97 / 100, LARGE * 99 / 100);
	assert_in_range(most, 8, 20);
	count_draws(s, "HRANDFIELD h 5900", 1, LARGE, counts);
	for (size_t i = 0; i < LARGE; i++)
		assert_in_range(counts[i], 0, 1);
}

static void values_belong_to_their_fields(void **state)
{
	struct solo *s = *state;
	const char *said;

	fill(s, 10);
	said = solo_say(s, "HRANDFIELD h -50 WITHVALUES");
	assert_int_equal(strncmp(said, "*100|", 5), 0);
	for (const char *at = strchr(said, '|') + 1; *at;) {
		assert_int_equal(strncmp(at, "$1|", 3), 0);
		assert_int_equal(strncmp(at + 5, "$2|v", 4), 0);
		assert_int_equal(at[3], at[9]);
		at += 11;
	}
}

/* The clock stands still, and nothing changes. */
static void elements_of_a_transaction_draw_apart(void **state)
{
	struct solo *s = *state;
	const char *said, *first;
	size_t len;

	fill(s, 1000);
	solo_say(s, "MULTI");
	solo_say(s, "HRANDFIELD h 20");
	solo_say(s, "HRANDFIELD h 20");
	said = solo_say(s, "EXEC");
	first = strstr(said, "*20|");
	assert_non_null(first);
	len = (size_t)(strstr(first + 1, "*20|") - first);
	assert_int_not_equal(strncmp(first, first + len, len), 0);
}

static void a_large_hash_is_read_in_the_pool(void **state)
{
	struct solo *s = *state;
	unsigned before;

	fill(s, 1001);
	before = s->pool_jobs;
	assert_int_equal(strncmp(solo_say(s, "HGETALL h"), "*2002|", 6), 0);
	assert_int_equal(strncmp(solo_say(s, "HRANDFIELD h 3"), "*3|", 3), 0);
	assert_int_equal(s->pool_jobs, before + 2);
	assert_int_equal(strncmp(solo_say(s, "HDEL h 7"), ":1|", 3), 0);
	assert_int_equal(strncmp(solo_say(s, "HVALS h"), "*1000|", 6), 0);
	assert_int_equal(s->pool_jobs, before + 2);
}

static void a_reply_has_a_bound(void **state)
{
	struct solo *s = *state;

	fill(s, 1);
	assert_string_equal(solo_say(s, "HRANDFIELD h -1000001"), "-ERR value is out of range|");
	assert_int_equal(strncmp(solo_say(s, "HRANDFIELD h -1000000"), "*1000000|", 9), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_field_of_a_small_hash_is_as_likely, started,
						stopped),
		cmocka_unit_test_setup_teardown(without_repetition_each_comes_once, started,
						stopped),
		cmocka_unit_test_setup_teardown(a_large_hash_is_drawn_from_evenly, started,
						stopped),
		cmocka_unit_test_setup_teardown(elements_of_a_transaction_draw_apart, started,
						stopped),
		cmocka_unit_test_setup_teardown(a_large_hash_is_read_in_the_pool, started, stopped),
		cmocka_unit_test_setup_teardown(values_belong_to_their_fields, started, stopped),
		cmocka_unit_test_setup_teardown(a_reply_has_a_bound, started, stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
