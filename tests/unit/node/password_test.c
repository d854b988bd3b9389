/* A password stands before everything else. */

#include "base/error.h"

#include "support/solo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define NOAUTH	  "-NOAUTH Authentication required.|"
#define WRONGPASS "-WRONGPASS invalid username-password pair or user is disabled.|"

static struct session *stranger;

/* The session of the member itself was there before the password was. */
static int started(void **state)
{
	static struct solo s;

	solo_init(&s);
	*state = &s;
	if (solo_start(&s) != OK)
		return -1;
	member_set_password(s.member, SLICE_LITERAL("pass word"));
	stranger = session_open(s.member, &solo_session_events, &s);
	return 0;
}

static int stopped(void **state)
{
	solo_close(*state);
	return 0;
}

static const char *says(struct solo *s, const char *line)
{
	solo_send(s, stranger, line);
	solo_work(s);
	return solo_take(s, stranger);
}

static void nothing_is_done_without_it(void **state)
{
	struct solo *s = *state;
	static const char *const lines[] = {"PING",    "GET a",	    "SET a 1",	   "MULTI",
					    "INFO",    "CLIENT ID", "MEMBER LIST", "COMMAND",
					    "WATCH a", "EXEC",	    "CLIENT LIST", "SELECT 1",
					    "DBSIZE"};

	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		assert_string_equal(says(s, lines[i]), NOAUTH);
	assert_false(session_is_authenticated(stranger));
	/* What is no command is said to be none, as Redis does. */
	assert_string_equal(says(s, "GET"), "-ERR wrong number of arguments for 'get' command|");
	assert_string_equal(solo_say(s, "GET a"), "$-1|");
}

static void only_the_right_one_fits(void **state)
{
	struct solo *s = *state;

	assert_string_equal(says(s, "AUTH pass"), WRONGPASS);
	assert_string_equal(says(s, "AUTH ''"), WRONGPASS);
	assert_string_equal(says(s, "AUTH 'pass wordpass word'"), WRONGPASS);
	assert_string_equal(says(s, "AUTH nobody 'pass word'"), WRONGPASS);
	assert_string_equal(says(s, "AUTH a b c"), "-ERR syntax error|");
	assert_string_equal(says(s, "GET a"), NOAUTH);
	assert_string_equal(says(s, "AUTH 'pass word'"), "+OK|");
	assert_string_equal(says(s, "GET a"), "$-1|");
	/* A wrong one later takes nothing away. */
	assert_string_equal(says(s, "AUTH x"), WRONGPASS);
	assert_string_equal(says(s, "GET a"), "$-1|");
	assert_true(session_is_authenticated(stranger));
}

static void hello_says_it_too(void **state)
{
	struct solo *s = *state;

	assert_string_equal(
		says(s, "HELLO 3"),
		"-NOAUTH HELLO must be called with the client already authenticated, otherwise the "
		"HELLO AUTH <user> <pass> option can be used to authenticate the client and select "
		"the RESP protocol version at the same time|");
	assert_string_equal(says(s, "HELLO 3 AUTH default x"), WRONGPASS);
	assert_string_equal(says(s, "HELLO 9"), "-NOPROTO unsupported protocol version|");
	assert_int_equal(says(s, "HELLO 3 AUTH default 'pass word' SETNAME me")[0], '%');
	assert_string_equal(says(s, "CLIENT GETNAME"), "$2|me|");
}

static void a_reset_connection_is_a_stranger_again(void **state)
{
	struct solo *s = *state;

	says(s, "AUTH default 'pass word'");
	assert_string_equal(says(s, "RESET"), "+RESET|");
	assert_string_equal(says(s, "GET a"), NOAUTH);
	assert_string_equal(says(s, "QUIT"), "+OK|");
}

static void without_one_nobody_is_asked(void **state)
{
	struct solo *s = *state;

	member_set_password(s->member, SLICE_LITERAL(""));
	assert_string_equal(solo_say(s, "RESET"), "+RESET|");
	assert_string_equal(solo_say(s, "GET a"), "$-1|");
	assert_string_equal(solo_say(s, "AUTH default anything"), "+OK|");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, started, stopped)
	static const struct CMUnitTest tests[] = {
		TEST(nothing_is_done_without_it),  TEST(only_the_right_one_fits),
		TEST(hello_says_it_too),	   TEST(a_reset_connection_is_a_stranger_again),
		TEST(without_one_nobody_is_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
