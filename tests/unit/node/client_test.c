/* What a connection says of itself with words that Redis 7.0 does not have yet, and what it is
 * told. */

#include "base/error.h"

#include "support/solo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

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

static void a_library_gives_its_name(void **state)
{
	struct solo *s = *state;

	assert_string_equal(solo_say(s, "CLIENT SETINFO lib-name redis-py"), "+OK|");
	assert_string_equal(solo_say(s, "CLIENT SETINFO LIB-VER 5.0"), "+OK|");
	assert_string_equal(solo_say(s, "CLIENT SETINFO nope x"),
			    "-ERR Unrecognized option 'nope'|");
	assert_string_equal(
		solo_say(s, "CLIENT SETINFO lib-name 'a b'"),
		"-ERR lib-name cannot contain spaces, newlines or special characters.|");
	assert_string_equal(solo_say(s, "CLIENT SETINFO lib-name"),
			    "-ERR wrong number of arguments for 'client|setinfo' command|");
	assert_string_equal(solo_say(s, "CLIENT SETNAME me"), "+OK|");
	assert_string_equal(solo_say(s, "CLIENT NO-TOUCH on"), "+OK|");
	assert_string_equal(solo_say(s, "CLIENT NO-TOUCH x"), "-ERR syntax error|");
	assert_string_equal(solo_say(s, "SELECT 3"), "+OK|");
	assert_non_null(strstr(solo_say(s, "CLIENT INFO"), " name=me "));
	assert_non_null(strstr(solo_say(s, "CLIENT INFO"), " db=3 "));
	assert_non_null(
		strstr(solo_say(s, "CLIENT INFO"), " resp=2 lib-name=redis-py lib-ver=5.0|"));
}

static void a_reset_connection_is_like_a_new_one(void **state)
{
	struct solo *s = *state;
	const char *const lines[] = {"SELECT 3", "CLIENT SETNAME me", "HELLO 3",
				     "READONLY", "WATCH a",	      "MULTI",
				     "SET a 1"};

	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		solo_say(s, lines[i]);
	assert_string_equal(solo_say(s, "RESET"), "+RESET|");
	assert_non_null(strstr(solo_say(s, "CLIENT INFO"), " name= "));
	assert_non_null(strstr(solo_say(s, "CLIENT INFO"), " flags=N db=0 "));
	assert_non_null(strstr(solo_say(s, "CLIENT INFO"), " resp=2 lib-name= lib-ver=|"));
	assert_string_equal(solo_say(s, "EXEC"), "-ERR EXEC without MULTI|");
	assert_string_equal(solo_say(s, "SELECT 3"), "+OK|");
	assert_string_equal(solo_say(s, "GET a"), "$-1|");
}

static void the_table_is_told_to_clients(void **state)
{
	struct solo *s = *state;

	assert_string_equal(solo_say(s, "COMMAND INFO echo nope"),
			    "*2|*10|$4|echo|:2|*3|+loading|+stale|+fast|:0|:0|:0|*2|+@fast|"
			    "+@connection|*0|*0|*0|$-1|");
	assert_string_equal(solo_say(s, "COMMAND DOCS echo nope"),
			    "*2|$4|echo|*10|$7|summary|$23|Gives the argument back|$5|since|"
			    "$5|1.0.0|$5|group|$10|connection|$10|complexity|$4|O(1)|"
			    "$9|arguments|*1|*4|$4|name|$7|message|$4|type|$6|string|");
	assert_non_null(
		strstr(solo_say(s, "COMMAND"), "|$4|mset|:-3|*2|+write|+denyoom|:1|:-1|:2|"));
	assert_non_null(strstr(solo_say(s, "COMMAND INFO client"), "|$9|client|id|"));
}

/* Commands that Redis has not. */
static void keys_are_those_of_the_command_within(void **state)
{
	struct solo *s = *state;

	assert_string_equal(solo_say(s, "COMMAND GETKEYS AT 5 MGET a b"), "*2|$1|a|$1|b|");
	assert_string_equal(solo_say(s, "COMMAND GETKEYSANDFLAGS AT TIME 5 STRLEN a"),
			    "*1|*2|$1|a|*1|+RO|");
	assert_string_equal(solo_say(s, "COMMAND GETKEYS AT TIME 5"),
			    "-ERR Invalid arguments specified for command|");
	assert_string_equal(solo_say(s, "COMMAND GETKEYS AT 5 nope a"),
			    "-ERR Invalid command specified|");
	assert_string_equal(solo_say(s, "COMMAND GETKEYS AT 5 GET a b"),
			    "-ERR Invalid number of arguments specified for command|");
	assert_string_equal(solo_say(s, "COMMAND GETKEYS HISTORY GET a COUNT 1"), "*1|$1|a|");
	assert_string_equal(solo_say(s, "COMMAND GETKEYSANDFLAGS DELEX a IFREV 0"),
			    "*1|*2|$1|a|*3|+RW|+access|+delete|");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_library_gives_its_name, started, stopped),
		cmocka_unit_test_setup_teardown(a_reset_connection_is_like_a_new_one, started,
						stopped),
		cmocka_unit_test_setup_teardown(keys_are_those_of_the_command_within, started,
						stopped),
		cmocka_unit_test_setup_teardown(the_table_is_told_to_clients, started, stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
