/* What a member keeps and shows of what it was asked: SLOWLOG and MONITOR. */

#include "base/error.h"

#include "support/solo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct session *other;

static int started(void **state)
{
	static struct solo s;

	solo_init(&s);
	*state = &s;
	if (solo_start(&s) != OK)
		return -1;
	other = session_open(s.member, &solo_session_events, &s);
	session_set_address(other, SLICE_LITERAL("2.2.2.2:2"));
	return 0;
}

static int stopped(void **state)
{
	solo_close(*state);
	return 0;
}

/* ---- SLOWLOG --------------------------------------------------------------------------------- */

static void every_kind_of_command_is_noted(void **state)
{
	struct solo *s = *state;

	member_set_slowlog(s->member, 0, 100);
	solo_say_in(s, other, "CLIENT SETNAME me");
	solo_say_in(s, other, "SET a 1");
	solo_say_in(s, other, "GET a");
	member_set_slowlog(s->member, -1, 100);
	assert_string_equal(solo_say(s, "SLOWLOG LEN"), ":3|");
	/* Newest first; when, and how long. */
	solo_says_with(s, "SLOWLOG GET", "*3|*6|:2|:17000000");
	solo_says_with(s, "SLOWLOG GET", "|:0|*2|$3|GET|$1|a|$9|2.2.2.2:2|$2|me|*6|:1|");
	solo_says_with(s, "SLOWLOG GET", "|:0|*3|$3|SET|$1|a|$1|1|$9|2.2.2.2:2|$2|me|*6|:0|");
	solo_says_with(s, "SLOWLOG GET 1", "*1|*6|:2|");
	assert_string_equal(solo_say(s, "SLOWLOG GET 0"), "*0|");
	assert_string_equal(solo_say(s, "SLOWLOG RESET"), "+OK|");
	assert_string_equal(solo_say(s, "SLOWLOG GET -1"), "*0|");
}

static void reads_of_the_pool_are_noted(void **state)
{
	struct solo *s = *state;

	s->options.header_cache_bytes = 0;
	s->options.overlay_bytes = 1;
	solo_say_in(s, other, "SET a 1");
	solo_stop(s, false);
	assert_int_equal(solo_start(s), OK);
	member_set_slowlog(s->member, 0, 100);
	s->pool_jobs = 0;
	solo_say(s, "GET a");
	assert_int_not_equal(s->pool_jobs, 0);
	solo_says_with(s, "SLOWLOG GET", "*2|$3|GET|$1|a|");
}

static void what_is_fast_is_not_noted(void **state)
{
	struct solo *s = *state;

	member_set_slowlog(s->member, 1, 100);
	solo_say_in(s, other, "SET a 1");
	assert_string_equal(solo_say(s, "SLOWLOG LEN"), ":0|");
}

static void the_newest_are_kept(void **state)
{
	struct solo *s = *state;

	member_set_slowlog(s->member, 0, 2);
	for (int i = 0; i < 5; i++)
		solo_say_in(s, other, "PING");
	assert_string_equal(solo_say(s, "SLOWLOG LEN"), ":2|");
	member_set_slowlog(s->member, 0, 0);
	assert_string_equal(solo_say(s, "SLOWLOG LEN"), ":0|");
}

static void much_is_shortened(void **state)
{
	struct solo *s = *state;
	struct buf line = {0};

	member_set_slowlog(s->member, 0, 100);
	buf_printf(&line, "DEL %0200d", 7);
	for (int i = 0; i < 40; i++)
		buf_printf(&line, " k%d", i);
	buf_append_byte(&line, '\0');
	solo_say_in(s, other, (const char *)line.data);
	solo_says_with(s, "SLOWLOG GET", "|*32|$3|DEL|$147|000");
	solo_says_with(s, "SLOWLOG GET", "000... (72 more bytes)|");
	solo_says_with(s, "SLOWLOG GET", "|$3|k28|$23|... (11 more arguments)|");
	buf_free(&line);
}

static void secrets_are_nowhere(void **state)
{
	struct solo *s = *state;

	solo_say(s, "MONITOR");
	member_set_slowlog(s->member, 0, 100);
	solo_say_in(s, other, "AUTH default hush");
	solo_say_in(s, other, "HELLO 2 AUTH default hush SETNAME AUTH");
	solo_say_in(s, other, "MULTI");
	solo_say_in(s, other, "SET a hush");
	solo_say_in(s, other, "EXEC");
	assert_non_null(strstr(solo_say_in(s, other, "SLOWLOG GET 6"), "|*1|$4|EXEC|"));
	assert_null(strstr(solo_say_in(s, other, "SLOWLOG GET 100"), "hush"));
	assert_non_null(strstr(solo_say_in(s, other, "SLOWLOG GET 100"),
			       "|*3|$4|AUTH|$10|(redacted)|$10|(redacted)|"));
	assert_non_null(strstr(solo_say_in(s, other, "SLOWLOG GET 100"),
			       "|$4|AUTH|$10|(redacted)|$10|(redacted)|$7|SETNAME|$4|AUTH|"));
	solo_say_in(s, other, "AUTH hush");
	assert_non_null(strstr(solo_say(s, "PING"), "] \"AUTH\" \"(redacted)\"|"));
}

/* ---- MONITOR --------------------------------------------------------------------------------- */

static void what_comes_is_shown(void **state)
{
	struct solo *s = *state;
	const char *line;

	assert_string_equal(solo_say(s, "MONITOR"), "+OK|");
	solo_say_in(s, other, "SELECT 3");
	solo_take(s, s->session);
	solo_say_in(s, other, "set a \"x\\\"y\\\\\\n\\x01\\xff\"");
	line = solo_take(s, s->session);
	assert_int_equal(strncmp(line, "+17000000", 9), 0);
	assert_string_equal(line + 18, " [3 2.2.2.2:2] \"set\" \"a\" \"x\\\"y\\\\\\n\\x01\\xff\"|");
	solo_say_in(s, other, "MULTI");
	solo_take(s, s->session);
	solo_say_in(s, other, "GET a");
	assert_non_null(strstr(solo_take(s, s->session), " [3 2.2.2.2:2] \"GET\" \"a\"|"));
	/* What it asks itself, too. */
	assert_non_null(strstr(solo_say(s, "PING"), " [0 ] \"PING\"|+PONG|"));
}

static void what_is_not_run_is_not_shown(void **state)
{
	struct solo *s = *state;

	solo_say(s, "MONITOR");
	solo_say_in(s, other, "NOPE");
	solo_say_in(s, other, "GET");
	solo_say_in(s, other, "CLIENT LIST"); /* of administrators */
	assert_string_equal(solo_take(s, s->session), "");
}

static void reset_ends_it(void **state)
{
	struct solo *s = *state;

	solo_say(s, "MONITOR");
	assert_non_null(strstr(solo_say_in(s, other, "CLIENT LIST"), " flags=O "));
	solo_say(s, "RESET");
	solo_say_in(s, other, "PING");
	assert_string_equal(solo_take(s, s->session), "");
	solo_say(s, "MONITOR");
	session_close(s->session);
	s->session = session_open(s->member, &solo_session_events, s);
	assert_string_equal(solo_say_in(s, other, "PING"), "+PONG|");
}

/* Nobody takes what is shown: in the end the connection goes, not the memory. */
static void who_does_not_read_is_not_shown_for_ever(void **state)
{
	struct solo *s = *state;
	struct buf line = {0};

	buf_printf(&line, "ECHO %01000000d", 1);
	buf_append_byte(&line, '\0');
	solo_say(s, "MONITOR");
	for (int i = 0; i < 40 && !session_is_killed(s->session); i++)
		solo_say_in(s, other, (const char *)line.data);
	assert_true(session_is_killed(s->session));
	assert_in_range(session_output(s->session)->len, 32 << 20, 35 << 20);
	buf_free(&line);
}

/* ---- MEMORY ---------------------------------------------------------------------------------- */

static int64_t usage(struct solo *s, const char *question)
{
	const char *said = solo_say(s, question);

	assert_int_equal(said[0], ':');
	return strtoll(said + 1, NULL, 10);
}

static void usage_grows_with_what_is_there(void **state)
{
	struct solo *s = *state;
	struct buf line = {0};
	int64_t small, large;

	solo_say(s, "SET a 1");
	small = usage(s, "MEMORY USAGE a");
	assert_in_range(small, 2, 100);
	buf_printf(&line, "SET a %010000d%c", 1, '\0');
	solo_say(s, (const char *)line.data);
	assert_in_range(usage(s, "MEMORY USAGE a"), 10000, 10100);
	solo_say(s, "HSET h f 1");
	small = usage(s, "MEMORY USAGE h");
	solo_say(s, "HSET h g 1 i 1 j 1");
	large = usage(s, "MEMORY USAGE h");
	assert_in_range(large, small + 3, 4 * small);
	assert_in_range(usage(s, "MEMORY USAGE h SAMPLES 1"), large - 10, large + 10);
	assert_string_equal(solo_say(s, "MEMORY USAGE missing"), "$-1|");
	solo_says_with(s, "MEMORY STATS", "|$10|keys.count|:2|");
	buf_free(&line);
}

/* The clock of this member stands still while a command runs. */
static void it_is_counted_how_long_commands_took(void **state)
{
	struct solo *s = *state;

	solo_say(s, "SET a 1");
	solo_say(s, "GET a");
	solo_say(s, "GET a");
	solo_say(s, "CLIENT ID");
	assert_string_equal(solo_say(s, "LATENCY HISTOGRAM nope del get client get|x"),
			    "*4|$3|get|*4|$5|calls|:2|$14|histogram_usec|*2|:1|:2|"
			    "$9|client|id|*4|$5|calls|:1|$14|histogram_usec|*2|:1|:1|");
	solo_says_with(s, "LATENCY HISTOGRAM", "|$3|set|*4|$5|calls|:1|");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, started, stopped)
	static const struct CMUnitTest tests[] = {
		TEST(every_kind_of_command_is_noted),
		TEST(reads_of_the_pool_are_noted),
		TEST(what_is_fast_is_not_noted),
		TEST(the_newest_are_kept),
		TEST(much_is_shortened),
		TEST(secrets_are_nowhere),
		TEST(what_comes_is_shown),
		TEST(what_is_not_run_is_not_shown),
		TEST(reset_ends_it),
		TEST(who_does_not_read_is_not_shown_for_ever),
		TEST(it_is_counted_how_long_commands_took),
		TEST(usage_grows_with_what_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
