/* What stands in no record: shown as MONITOR would show it. */

#include "command/monitor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define WORDS_MAX 12

static const char *shown(const char *name, const char *const *words)
{
	static struct buf line;
	struct command command = {.name = name};
	struct slice argv[WORDS_MAX];
	struct call c = {.command = &command, .argv = argv, .database = 3};

	for (; words[c.argc]; c.argc++)
		argv[c.argc] = slice_of_text(words[c.argc]);
	buf_clear(&line);
	monitor_line(&line, &c, 1339518083107, SLICE_LITERAL("1.2.3.4:5"));
	buf_append_byte(&line, '\0');
	return (const char *)line.data;
}

#define SHOWN(name, ...) shown(name, (const char *const[]){__VA_ARGS__, NULL})
#define HEAD		 "+1339518083.107000 [3 1.2.3.4:5] "

static void a_line_has_time_place_and_words(void **state)
{
	(void)state;
	assert_string_equal(SHOWN("SET", "set", "a\tb", "\"\\"),
			    HEAD "\"set\" \"a\\tb\" \"\\\"\\\\\"\r\n");
	assert_string_equal(SHOWN("PING", "PING", ""), HEAD "\"PING\" \"\"\r\n");
}

static void passwords_are_hidden(void **state)
{
	(void)state;
	assert_string_equal(SHOWN("AUTH", "AUTH", "p"), HEAD "\"AUTH\" \"(redacted)\"\r\n");
	assert_string_equal(SHOWN("AUTH", "AUTH", "u", "p"),
			    HEAD "\"AUTH\" \"(redacted)\" \"(redacted)\"\r\n");
	assert_string_equal(SHOWN("HELLO", "HELLO", "3", "SETNAME", "n", "AUTH", "u", "p"),
			    HEAD "\"HELLO\" \"3\" \"SETNAME\" \"n\" \"AUTH\" \"(redacted)\" "
				 "\"(redacted)\"\r\n");
	/* A client that is called AUTH, and one whose password is. */
	assert_string_equal(SHOWN("HELLO", "HELLO", "3", "SETNAME", "AUTH", "AUTH", "AUTH", "AUTH"),
			    HEAD "\"HELLO\" \"3\" \"SETNAME\" \"AUTH\" \"AUTH\" \"(redacted)\" "
				 "\"(redacted)\"\r\n");
	assert_string_equal(SHOWN("HELLO", "HELLO", "3", "AUTH", "u", "AUTH", "SETNAME", "n"),
			    HEAD "\"HELLO\" \"3\" \"AUTH\" \"(redacted)\" \"(redacted)\" "
				 "\"SETNAME\" \"n\"\r\n");
	/* Too few: what is there may be the secret. */
	assert_string_equal(SHOWN("HELLO", "HELLO", "3", "AUTH", "p"),
			    HEAD "\"HELLO\" \"3\" \"AUTH\" \"(redacted)\"\r\n");
	assert_string_equal(
		SHOWN("CONFIG|SET", "CONFIG", "SET", "maxclients", "5", "RequirePass", "p"),
		HEAD "\"CONFIG\" \"SET\" \"maxclients\" \"5\" \"RequirePass\" \"(redacted)\"\r\n");
	assert_string_equal(SHOWN("CONFIG|SET", "CONFIG", "SET", "save", "requirepass"),
			    HEAD "\"CONFIG\" \"SET\" \"save\" \"requirepass\"\r\n");
	assert_string_equal(SHOWN("ACL|SETUSER", "ACL", "SETUSER", "u", ">p"),
			    HEAD "\"ACL\" \"SETUSER\" \"(redacted)\" \"(redacted)\"\r\n");
	assert_string_equal(SHOWN("SET", "SET", "AUTH", "p"), HEAD "\"SET\" \"AUTH\" \"p\"\r\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_has_time_place_and_words),
		cmocka_unit_test(passwords_are_hidden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
