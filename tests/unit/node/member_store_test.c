/*
 * When a member stores its state: not so often while the engine is behind with merging, but it goes
 * on; and before what is not stored keeps too much log.
 */

#include "base/error.h"
#include "node/member_state.h"
#include "storage/log.h"

#include "support/solo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define LEVEL0_FILES_MAX 32

static void wait_ms(struct solo *s, uint64_t ms)
{
	for (; ms > 0; ms -= 10) {
		s->now_ms += 10;
		solo_work(s);
	}
}

static uint64_t flushes(const struct solo *s)
{
	struct store_stats stats;

	store_stats(s->member->store, &stats);
	return stats.flushes;
}

/* The overlay takes nothing, so every entry is stored at once. */
static void start(struct solo *s)
{
	solo_init(s);
	s->options.overlay_bytes = 1;
	s->options.request_timeout_ms = 10000000;
	s->options.history_retention_ms = UINT64_MAX;
	s->options.history_max_bytes = UINT64_MAX;
	assert_int_equal(solo_start(s), OK);
}

static void flushes_wait_while_the_engine_is_behind(void **state)
{
	struct solo s;
	uint64_t before;

	(void)state;
	start(&s);
	engine_memory_press(s.rows, UINT64_C(2) * LEVEL0_FILES_MAX, 0);
	assert_string_equal(solo_say(&s, "SET a 1"), "+OK|");
	assert_int_equal(store_pressure(s.member->store), 2);
	before = flushes(&s);
	assert_string_equal(solo_say(&s, "SET a 2"), "+OK|");
	wait_ms(&s, 900);
	assert_int_equal(flushes(&s), before);
	/* Somebody has to wake the member when the time has come. */
	assert_true(member_deadline_ms(s.member) <= s.now_ms + 100);
	wait_ms(&s, 110);
	assert_int_equal(flushes(&s), before + 1);
	/* When the engine has come along, nothing waits any more. */
	engine_memory_press(s.rows, LEVEL0_FILES_MAX - 1, 0);
	assert_string_equal(solo_say(&s, "SET a 3"), "+OK|");
	wait_ms(&s, 1100);
	before = flushes(&s);
	assert_string_equal(solo_say(&s, "SET a 4"), "+OK|");
	assert_int_equal(flushes(&s), before + 1);
	solo_close(&s);
}

/* So that a start has little to apply once more; but not for every little thing. */
static void changes_that_nothing_follows_are_stored(void **state)
{
	struct solo s;
	uint64_t before;

	(void)state;
	solo_init(&s);
	s.options.overlay_bytes = 1 << 20;
	s.options.history_retention_ms = UINT64_MAX;
	s.options.history_max_bytes = UINT64_MAX;
	assert_int_equal(solo_start(&s), OK);
	assert_string_equal(solo_say(&s, "SET a 1"), "+OK|");
	before = flushes(&s);
	wait_ms(&s, 2000);
	assert_int_equal(flushes(&s), before);
	for (unsigned i = 0; i < 10; i++) {
		assert_string_equal(solo_say(&s, i % 2 ? "SETRANGE b 9000 x" : "SETRANGE b 9000 y"),
				    ":9001|");
		wait_ms(&s, 400);
		assert_int_equal(flushes(&s), before);
	}
	assert_true(member_deadline_ms(s.member) <= s.now_ms + 100);
	wait_ms(&s, 110);
	assert_int_equal(flushes(&s), before + 1);
	/* Little again so soon waits longer. */
	for (unsigned i = 0; i < 5; i++)
		assert_string_equal(solo_say(&s, i % 2 ? "SETRANGE b 9000 x" : "SETRANGE b 9000 z"),
				    ":9001|");
	wait_ms(&s, 1500);
	assert_int_equal(flushes(&s), before + 1);
	wait_ms(&s, 9000);
	assert_int_equal(flushes(&s), before + 2);
	wait_ms(&s, 20000);
	assert_int_equal(flushes(&s), before + 2);
	solo_close(&s);
}

static void applying_waits_when_the_overlay_is_full_and_goes_on(void **state)
{
	char line[40000];
	struct solo s;
	unsigned answered = 0;

	(void)state;
	start(&s);
	engine_memory_press(s.rows, 0, (uint64_t)1000 << 40);
	assert_string_equal(solo_say(&s, "SET a 1"), "+OK|");
	assert_true(store_pressure(s.member->store) > 1000);
	memset(line, 'x', sizeof(line));
	memcpy(line, "SET a ", 6);
	line[sizeof(line) - 1] = 0;
	for (int i = 0; i < 20; i++) {
		solo_send(&s, s.session, line);
		solo_work(&s);
		answered += strcmp(solo_take(&s, s.session), "+OK|") == 0;
	}
	assert_true(answered > 3 && answered < 20);
	/* However far behind it is, some flush comes in the end. */
	for (int i = 0; i < 20 && answered < 20; i++) {
		wait_ms(&s, 10000);
		answered += (unsigned)strlen(solo_take(&s, s.session)) / 4;
	}
	assert_int_equal(answered, 20);
	assert_int_equal(s.failures, 0);
	solo_close(&s);
}

static struct log_stats log_of(const struct solo *s)
{
	return log_stats(driver_log(member_driver(s->member)));
}

/* A deletion of nothing is in the log, and the overlay does not grow. */
static void the_log_of_what_changes_nothing_is_bounded(void **state)
{
	struct solo s;

	(void)state;
	solo_init(&s);
	s.options.driver.segment_bytes = 64 << 10;
	s.options.driver.log_max_bytes = 1 << 20;
	assert_int_equal(solo_start(&s), OK);
	for (unsigned i = 0; i < 1000; i++) {
		assert_string_equal(solo_say(&s, "DEL nothing"), ":0|");
		assert_true(log_of(&s).bytes <= (3 << 19));
	}
	assert_true(log_of(&s).bytes_written > (3 << 20));
	assert_true(store_durable_index(s.member->store) > 900);
	solo_close(&s);
}

static void without_space_no_log_is_kept_for_others(void **state)
{
	struct solo s;

	(void)state;
	solo_init(&s);
	s.options.driver.segment_bytes = 64 << 10;
	s.options.driver.log_max_bytes = 1 << 20;
	s.options.compact_pace_ms = 1000000;
	assert_int_equal(solo_start(&s), OK);
	assert_string_equal(solo_say(&s, "SET a 1"), "+OK|");
	for (unsigned i = 0; i < 200; i++)
		assert_string_equal(solo_say(&s, "DEL nothing"), ":0|");
	assert_true(log_of(&s).bytes > (3 << 18));
	member_note_space(s.member, true);
	wait_ms(&s, 2000); /* the horizon moves, and is stored */
	assert_true(log_of(&s).bytes <= (1 << 18));
	member_note_space(s.member, false);
	solo_work(&s);
	for (unsigned i = 0; i < 200; i++)
		assert_string_equal(solo_say(&s, "DEL nothing"), ":0|");
	assert_true(log_of(&s).bytes > (3 << 18));
	assert_int_equal(s.failures, 0);
	solo_close(&s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(flushes_wait_while_the_engine_is_behind),
		cmocka_unit_test(changes_that_nothing_follows_are_stored),
		cmocka_unit_test(applying_waits_when_the_overlay_is_full_and_goes_on),
		cmocka_unit_test(the_log_of_what_changes_nothing_is_bounded),
		cmocka_unit_test(without_space_no_log_is_kept_for_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
