#include "ctl/arguments.h"

#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static char other[] = "CONCLAVE_PASSWORDS=no", password[] = "CONCLAVE_PASSWORD=hush",
	    empty[] = "EMPTY=";
static char *environment[] = {other, password, empty, NULL};

#define READ(a, ...)                                             \
	read_arguments((a), (const char *[]){__VA_ARGS__, NULL}, \
		       (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)))

static int read_arguments(struct arguments *a, const char *const *argv, int argc)
{
	struct buf problem = {0};
	int rc = arguments_read(a, argc, argv, environment, &problem);

	assert_int_equal(rc, problem.len ? ERR_INVALID : OK);
	buf_free(&problem);
	return rc;
}

static void options_stand_anywhere(void **state)
{
	struct arguments a;

	(void)state;
	assert_int_equal(
		READ(&a, "--host", "h", "member", "--port", "7", "promote", "n1", "--json"), OK);
	assert_int_equal(a.word_count, 3);
	assert_string_equal(a.words[0], "member");
	assert_string_equal(a.words[2], "n1");
	assert_string_equal(a.host, "h");
	assert_int_equal(a.port, 7);
	assert_int_equal(a.given, ARGUMENT_HOST | ARGUMENT_PORT | ARGUMENT_JSON);
	assert_string_equal(a.password, "hush"); /* of the environment */
	assert_int_equal(READ(&a, "--password", "other"), OK);
	assert_string_equal(a.password, "other");
	assert_string_equal(a.host, "127.0.0.1");
	assert_int_equal(a.port, 0);
	assert_int_equal(a.nodes, 3);
}

static void what_makes_no_sense_is_refused(void **state)
{
	struct arguments a;

	(void)state;
	assert_int_equal(READ(&a, "--colour", "1"), ERR_INVALID);
	assert_int_equal(READ(&a, "--"), ERR_INVALID);
	assert_int_equal(READ(&a, "status", "--host"), ERR_INVALID);
	assert_int_equal(READ(&a, "--port", "0"), ERR_INVALID);
	assert_int_equal(READ(&a, "--port", "65536"), ERR_INVALID);
	assert_int_equal(READ(&a, "--port", "+7"), ERR_INVALID);
	assert_int_equal(READ(&a, "--port", "7x"), ERR_INVALID);
	assert_int_equal(READ(&a, "--port", "65535"), OK);
	assert_int_equal(READ(&a, "--nodes", "10"), ERR_INVALID);
	assert_int_equal(READ(&a, "1", "2", "3", "4", "5", "6", "7", "8"), OK);
	assert_int_equal(READ(&a, "1", "2", "3", "4", "5", "6", "7", "8", "9"), ERR_INVALID);
}

static void the_environment_is_asked_by_whole_names(void **state)
{
	struct arguments a = {.environment = environment};

	(void)state;
	assert_string_equal(arguments_environment(&a, "CONCLAVE_PASSWORD"), "hush");
	assert_string_equal(arguments_environment(&a, "EMPTY"), "");
	assert_null(arguments_environment(&a, "CONCLAVE"));
	assert_string_equal(argument_name(ARGUMENT_NODES | ARGUMENT_HELP), "nodes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_stand_anywhere),
		cmocka_unit_test(what_makes_no_sense_is_refused),
		cmocka_unit_test(the_environment_is_asked_by_whole_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
