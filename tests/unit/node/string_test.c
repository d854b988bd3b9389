/* What strings can do here and not in Redis 7.0; the rest is compared in tests/compat. */

#include "base/error.h"

#include "support/solo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int started(void **state)
{
	static struct solo s;

	solo_init(&s);
	*state = &s;
	return solo_start(&s) == OK ? 0 : -1;
}

static int stopped(void **state)
{
	solo_close(*state);
	return 0;
}

static void set_compares_the_value(void **state)
{
	struct solo *s = *state;

	assert_string_equal(solo_say(s, "SET a new IFEQ old"), "$-1|");
	assert_string_equal(solo_say(s, "EXISTS a"), ":0|");
	assert_string_equal(solo_say(s, "SET a old"), "+OK|");
	assert_string_equal(solo_say(s, "SET a new IFEQ other"), "$-1|");
	assert_string_equal(solo_say(s, "SET a new IFEQ other GET"), "$3|old|");
	assert_string_equal(solo_say(s, "GET a"), "$3|old|");
	assert_string_equal(solo_say(s, "SET a new IFEQ old GET"), "$3|old|");
	assert_string_equal(solo_say(s, "GET a"), "$3|new|");
	assert_string_equal(solo_say(s, "SET a x IFEQ new EX 100"), "+OK|");
	assert_string_equal(solo_say(s, "TTL a"), ":100|");
	assert_string_equal(solo_say(s, "SET a x IFEQ x NX"), "-ERR syntax error|");
	assert_string_equal(solo_say(s, "SET a x IFEQ x IFREV 1"), "-ERR syntax error|");
	assert_string_equal(solo_say(s, "SET a x IFEQ"), "-ERR syntax error|");
}

static void set_compares_that_the_value_is_another(void **state)
{
	struct solo *s = *state;

	assert_string_equal(solo_say(s, "SET a new IFNE old"), "+OK|");
	assert_string_equal(solo_say(s, "SET a x IFNE new"), "$-1|");
	assert_string_equal(solo_say(s, "SET a x IFNE other GET"), "$3|new|");
	assert_string_equal(solo_say(s, "GET a"), "$1|x|");
	assert_string_equal(solo_say(s, "HSET h f v"), ":1|");
	assert_string_equal(solo_say(s, "SET h x IFNE y"),
			    "-WRONGTYPE Operation against a key holding the wrong kind of value|");
	assert_string_equal(solo_say(s, "SET a y IFNE z IFEQ x"), "-ERR syntax error|");
}

/* The digest is that of Redis 8.4: this one stands in its documentation. */
#define HELLO_DIGEST "b6acb9d84a38ff74"

static void a_digest_stands_for_a_value(void **state)
{
	struct solo *s = *state;

	assert_string_equal(solo_say(s, "DIGEST a"), "$-1|");
	assert_string_equal(solo_say(s, "SET a 'Hello world'"), "+OK|");
	assert_string_equal(solo_say(s, "DIGEST a"), "$16|" HELLO_DIGEST "|");
	assert_string_equal(solo_say(s, "SET a x IFDNE " HELLO_DIGEST), "$-1|");
	assert_string_equal(solo_say(s, "SET a x IFDEQ 0000000000000000"), "$-1|");
	assert_string_equal(solo_say(s, "SET a x IFDEQ B6ACB9D84A38FF74"), "+OK|");
	assert_string_equal(solo_say(s, "SET a y IFDNE " HELLO_DIGEST), "+OK|");
	assert_string_equal(solo_say(s, "SET b y IFDEQ " HELLO_DIGEST), "$-1|");
	assert_string_equal(solo_say(s, "SET b y IFDNE " HELLO_DIGEST), "+OK|");
	assert_string_equal(solo_say(s, "SET a y IFDEQ 12"),
			    "-ERR must be exactly 16 hexadecimal characters|");
	assert_string_equal(solo_say(s, "SET a y IFDNE"), "-ERR syntax error|");
	assert_string_equal(solo_say(s, "HSET h f v"), ":1|");
	assert_string_equal(solo_say(s, "DIGEST h"),
			    "-WRONGTYPE Operation against a key holding the wrong kind of value|");
}

static void set_compares_the_revision(void **state)
{
	struct solo *s = *state;

	assert_string_equal(solo_say(s, "REVISION"), ":0|");
	assert_string_equal(solo_say(s, "SET a 1 IFREV 7"), "$-1|");
	assert_string_equal(solo_say(s, "SET a 1 IFREV 0"), "+OK|");
	assert_string_equal(solo_say(s, "SET a 2 IFREV 0"), "$-1|");
	assert_string_equal(solo_say(s, "REVISION"), ":1|");
	assert_string_equal(solo_say(s, "OBJECT REVISION a"), "$3|1-0|");
	assert_string_equal(solo_say(s, "OBJECT REVISION b"), "$-1|");
	assert_string_equal(solo_say(s, "MSET b 1 a 2"), "+OK|");
	assert_string_equal(solo_say(s, "OBJECT REVISION a"), "$3|2-1|");
	assert_string_equal(solo_say(s, "SET a 3 IFREV 1"), "$-1|");
	assert_string_equal(solo_say(s, "SET a 3 IFREV 2-0"), "$-1|");
	assert_string_equal(solo_say(s, "SET a 3 IFREV 2-1"), "+OK|");
	assert_string_equal(solo_say(s, "SET a 4 IFREV 3"), "+OK|");
	for (const char *const *bad = (const char *const[]){"x", "-1", "1-", "-", "1-x", "1-2-3",
							    "1-4294967296", "", NULL};
	     *bad; bad++) {
		char line[64] = "SET a 5 IFREV '";
		size_t at = 15;

		for (const char *c = *bad; *c; c++)
			line[at++] = *c;
		line[at++] = '\'';
		line[at] = '\0';
		assert_string_equal(solo_say(s, line),
				    "-ERR revision is not of the form main or main-sub|");
	}
	assert_string_equal(solo_say(s, "GET a"), "$1|4|");
}

static void delex_deletes_on_a_condition(void **state)
{
	struct solo *s = *state;

	assert_string_equal(solo_say(s, "DELEX a"), ":0|");
	assert_string_equal(solo_say(s, "DELEX a IFREV 0"), ":0|");
	assert_string_equal(solo_say(s, "REVISION"), ":0|");
	assert_string_equal(solo_say(s, "SET a x"), "+OK|");
	assert_string_equal(solo_say(s, "DELEX a IFEQ y"), ":0|");
	assert_string_equal(solo_say(s, "DELEX a IFREV 2"), ":0|");
	assert_string_equal(solo_say(s, "DELEX a IFREV 0"), ":0|");
	assert_string_equal(solo_say(s, "DELEX a IFEQ x IFREV 1"), "-ERR syntax error|");
	assert_string_equal(solo_say(s, "DELEX a IFNE x"), ":0|");
	assert_string_equal(solo_say(s, "DELEX a IFDEQ " HELLO_DIGEST), ":0|");
	assert_string_equal(solo_say(s, "DELEX a IFEQ x"), ":1|");
	assert_string_equal(solo_say(s, "DELEX a IFNE y"), ":0|");
	assert_string_equal(solo_say(s, "DELEX a IFDNE " HELLO_DIGEST), ":0|");
	assert_string_equal(solo_say(s, "REVISION"), ":2|");
	assert_string_equal(solo_say(s, "SET a x"), "+OK|");
	assert_string_equal(solo_say(s, "DELEX a IFNE y"), ":1|");
	assert_string_equal(solo_say(s, "SET a x"), "+OK|");
	assert_string_equal(solo_say(s, "DELEX a IFDNE " HELLO_DIGEST), ":1|");
	assert_string_equal(solo_say(s, "SET a x"), "+OK|");
	assert_string_equal(solo_say(s, "DELEX a IFREV 7-0"), ":1|");
	assert_string_equal(solo_say(s, "SET a x"), "+OK|");
	assert_string_equal(solo_say(s, "DELEX a"), ":1|");
	assert_string_equal(solo_say(s, "DELEX a NX"), "-ERR syntax error|");
	assert_string_equal(solo_say(s, "EXISTS a"), ":0|");
}

/* What an error, a condition that does not hold or a read leaves behind is nothing. */
static void the_revision_grows_by_one_for_each_command_that_changes_something(void **state)
{
	static const struct {
		const char *line;
		const char *revision;
	} steps[] = {
		{"SET a 1", ":1|"},	    {"MSET a 1 b 2 c 3", ":2|"}, {"SET a 1 NX", ":2|"},
		{"INCRBY a x", ":2|"},	    {"INCR a", ":3|"},		 {"DEL a b", ":4|"},
		{"DEL a b", ":4|"},	    {"GETDEL a", ":4|"},	 {"GETEX c", ":4|"},
		{"GETEX c PERSIST", ":4|"}, {"PERSIST c", ":4|"},	 {"EXPIRE c 10", ":5|"},
		{"EXPIRE c 10 NX", ":5|"},  {"PERSIST c", ":6|"},	 {"SETRANGE c 0 ''", ":6|"},
		{"SET z 1 EXAT 1", ":6|"},  {"SET c 1 EXAT 1", ":7|"},	 {"FLUSHDB", ":7|"},
		{"SET c 1", ":8|"},	    {"FLUSHALL", ":9|"},	 {"FLUSHALL", ":9|"},
		{"SWAPDB 0 0", ":9|"},	    {"SWAPDB 0 1", ":10|"},
	};
	struct solo *s = *state;

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		solo_say(s, steps[i].line);
		assert_string_equal(solo_say(s, "REVISION"), steps[i].revision);
	}
}

static void a_connection_knows_the_revision_of_its_last_change(void **state)
{
	struct solo *s = *state;
	struct session *other = session_open(s->member, &solo_session_events, s);

	assert_string_equal(solo_say(s, "REVISION LAST"), "$-1|");
	assert_string_equal(solo_say(s, "SET a 1"), "+OK|");
	solo_send(s, other, "SET b 1");
	solo_work(s);
	assert_string_equal(solo_take(s, other), "+OK|");
	assert_string_equal(solo_say(s, "REVISION last"), ":1|");
	assert_string_equal(solo_say(s, "REVISION"), ":2|");
	assert_string_equal(solo_say(s, "DEL none"), ":0|");
	assert_string_equal(solo_say(s, "REVISION LAST"), ":1|");
	solo_say(s, "MULTI");
	solo_say(s, "SET a 2");
	solo_say(s, "REVISION LAST");
	assert_string_equal(solo_say(s, "EXEC"), "*2|+OK|:1|");
	solo_say(s, "MULTI");
	solo_say(s, "REVISION LAST");
	assert_string_equal(solo_say(s, "EXEC"), "*1|:3|");
	assert_string_equal(solo_say(s, "AT 1 REVISION LAST"), ":3|");
	assert_string_equal(solo_say(s, "REVISION nope"), "-ERR syntax error|");
	assert_string_equal(solo_say(s, "REVISION LAST x"), "-ERR syntax error|");
	session_close(other);
}

static void a_key_is_idle_since_its_last_change(void **state)
{
	struct solo *s = *state;

	assert_string_equal(solo_say(s, "OBJECT IDLETIME a"), "$-1|");
	assert_string_equal(solo_say(s, "SET a 1"), "+OK|");
	assert_string_equal(solo_say(s, "OBJECT IDLETIME a"), ":0|");
	s->now_ms += 60000;
	assert_string_equal(solo_say(s, "SET b 1"), "+OK|");
	assert_string_equal(solo_say(s, "GET a"), "$1|1|");
	assert_string_equal(solo_say(s, "OBJECT IDLETIME a"), ":60|");
	assert_string_equal(solo_say(s, "APPEND a x"), ":2|");
	assert_string_equal(solo_say(s, "OBJECT IDLETIME a"), ":0|");
}

static void what_is_left_of_a_life_shrinks_while_nothing_is_written(void **state)
{
	struct solo *s = *state;

	assert_string_equal(solo_say(s, "SET a 1 EX 100"), "+OK|");
	assert_string_equal(solo_say(s, "TTL a"), ":100|");
	s->now_ms += 60000;
	assert_string_equal(solo_say(s, "TTL a"), ":40|");
}

static void a_key_is_gone_when_its_deadline_has_passed(void **state)
{
	struct solo *s = *state;

	assert_string_equal(solo_say(s, "SET a 1 PX 50"), "+OK|");
	assert_string_equal(solo_say(s, "GET a"), "$1|1|");
	s->now_ms += 1000;
	assert_string_equal(solo_say(s, "SET b 1"), "+OK|");
	assert_string_equal(solo_say(s, "PTTL a"), ":-2|");
	assert_string_equal(solo_say(s, "TTL a"), ":-2|");
	assert_string_equal(solo_say(s, "GET a"), "$-1|");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(set_compares_the_value, started, stopped),
		cmocka_unit_test_setup_teardown(set_compares_that_the_value_is_another, started,
						stopped),
		cmocka_unit_test_setup_teardown(a_digest_stands_for_a_value, started, stopped),
		cmocka_unit_test_setup_teardown(a_connection_knows_the_revision_of_its_last_change,
						started, stopped),
		cmocka_unit_test_setup_teardown(a_key_is_idle_since_its_last_change, started,
						stopped),
		cmocka_unit_test_setup_teardown(set_compares_the_revision, started, stopped),
		cmocka_unit_test_setup_teardown(delex_deletes_on_a_condition, started, stopped),
		cmocka_unit_test_setup_teardown(
			the_revision_grows_by_one_for_each_command_that_changes_something, started,
			stopped),
		cmocka_unit_test_setup_teardown(
			what_is_left_of_a_life_shrinks_while_nothing_is_written, started, stopped),
		cmocka_unit_test_setup_teardown(a_key_is_gone_when_its_deadline_has_passed, started,
						stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
