/* The work limit: what one command may do, and that it is refused whole. */

#include "node/member_state.h"

#include "base/error.h"
#include "storage/store.h"

#include "support/solo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void start(struct solo *s, uint64_t limit)
{
	solo_init(s);
	assert_int_equal(solo_start(s), OK);
	store_position(s->member->store)->work_limit = limit;
}

static void expect_refusal(struct solo *s, const char *line)
{
	const char *said = solo_say(s, line);

	if (strncmp(said, "-ERR work limit: ", 17) != 0)
		fail_msg("%s: %s", line, said);
}

static void what_is_too_much_is_refused_whole(void **state)
{
	struct solo s;

	(void)state;
	start(&s, 8);
	assert_string_equal(solo_say(&s, "MSET a 1 b 1 c 1 d 1"), "+OK|");
	expect_refusal(&s, "MSET a 2 b 2 c 2 d 2 e 2");
	assert_string_equal(solo_say(&s, "MGET a e"), "*2|$1|1|$-1|");
	assert_string_equal(solo_say(&s, "REVISION"), ":1|");
	/* Reading alone has no limit. */
	assert_string_equal(solo_say(&s, "EXISTS a b c d a b c d a b c d"), ":12|");
	assert_string_equal(solo_say(&s, "DEL a b"), ":2|");
	expect_refusal(&s, "DEL c d x1 x2 x3 x4 x5 x6 x7 x8");
	assert_string_equal(solo_say(&s, "EXISTS c d"), ":2|");
	solo_close(&s);
}

static void ranges_and_collections_count(void **state)
{
	struct solo s;

	(void)state;
	start(&s, 8);
	assert_string_equal(solo_say(&s, "MSET k1 1 k2 1 k3 1"), "+OK|");
	assert_string_equal(solo_say(&s, "MSET k4 1 k5 1 k6 1"), "+OK|");
	expect_refusal(&s, "DELPREFIX k");
	assert_string_equal(solo_say(&s, "EXISTS k1 k2 k3 k4 k5 k6"), ":6|");
	assert_string_equal(solo_say(&s, "DELRANGE [k1 (k3"), ":2|");
	assert_string_equal(solo_say(&s, "HSET h a 1 b 1 c 1"), ":3|");
	expect_refusal(&s, "HSET h d 1 e 1 f 1 g 1 h 1");
	assert_string_equal(solo_say(&s, "HLEN h"), ":3|");
	solo_close(&s);
}

static void bytes_count_by_the_kib(void **state)
{
	struct solo s;
	char line[12000];

	(void)state;
	start(&s, 8);
	snprintf(line, sizeof(line), "SET a %05000d", 1);
	assert_string_equal(solo_say(&s, line), "+OK|");
	snprintf(line, sizeof(line), "SET a %010000d", 1);
	expect_refusal(&s, line);
	assert_string_equal(solo_say(&s, "STRLEN a"), ":5000|");
	solo_close(&s);
}

/* Four times as much, and what only reads is not counted: not every member runs it. */
static void a_transaction_has_more(void **state)
{
	struct solo s;

	(void)state;
	start(&s, 2);
	assert_string_equal(solo_say(&s, "MULTI"), "+OK|");
	for (int i = 0; i < 4; i++)
		assert_string_equal(solo_say(&s, "SET a 1"), "+QUEUED|");
	for (int i = 0; i < 20; i++)
		assert_string_equal(solo_say(&s, "GET a"), "+QUEUED|");
	assert_non_null(strstr(solo_say(&s, "EXEC"), "*24|+OK|"));
	assert_string_equal(solo_say(&s, "MULTI"), "+OK|");
	assert_string_equal(solo_say(&s, "SELECT 3"), "+QUEUED|");
	for (int i = 0; i < 5; i++)
		assert_string_equal(solo_say(&s, "SET a 2"), "+QUEUED|");
	expect_refusal(&s, "EXEC");
	/* It did not run, so the connection is where it was. */
	assert_string_equal(solo_say(&s, "GET a"), "$1|1|");
	solo_close(&s);
}

/* Rows that have to be fetched make no difference. */
static void the_limit_is_the_same_when_nothing_is_in_memory(void **state)
{
	struct solo s;

	(void)state;
	solo_init(&s);
	s.options.overlay_bytes = 1;
	s.options.header_cache_bytes = 0;
	s.options.value_cache_bytes = 0;
	assert_int_equal(solo_start(&s), OK);
	store_position(s.member->store)->work_limit = 8;
	assert_string_equal(solo_say(&s, "MSET k1 1 k2 1 k3 1 k4 1"), "+OK|");
	assert_string_equal(solo_say(&s, "SET x 1"), "+OK|");
	expect_refusal(&s, "DEL k1 k2 k3 k4 x");
	assert_string_equal(solo_say(&s, "DEL k1 k2 k3 k4"), ":4|");
	solo_close(&s);
}

/* It is part of the state. */
static void the_limit_outlives_a_restart(void **state)
{
	struct solo s;

	(void)state;
	start(&s, 2);
	s.options.driver.snapshot_entries = 1;
	solo_stop(&s, false);
	assert_int_equal(solo_start(&s), OK);
	assert_int_equal(store_position(s.member->store)->work_limit, WORK_LIMIT_DEFAULT);
	store_position(s.member->store)->work_limit = 4;
	assert_string_equal(solo_say(&s, "SET x 1"), "+OK|");
	solo_stop(&s, true);
	assert_int_equal(solo_start(&s), OK);
	assert_int_equal(store_position(s.member->store)->work_limit, 4);
	expect_refusal(&s, "MSET a 1 b 1 c 1");
	solo_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_too_much_is_refused_whole),
		cmocka_unit_test(ranges_and_collections_count),
		cmocka_unit_test(bytes_count_by_the_kib),
		cmocka_unit_test(a_transaction_has_more),
		cmocka_unit_test(the_limit_is_the_same_when_nothing_is_in_memory),
		cmocka_unit_test(the_limit_outlives_a_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
