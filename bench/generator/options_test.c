#include "options.h"

#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define READ(o, ...)                                     \
	read_options((o), (const char *[]){__VA_ARGS__}, \
		     sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *))

/* NULL: they make sense; else what is wrong, which the caller frees. */
static char *read_options(struct bench_options *o, const char *const *argv, int argc)
{
	struct buf problem = {0};
	int rc = bench_options_read(o, argc, argv, NULL, &problem);

	assert_int_equal(rc, problem.len ? ERR_INVALID : OK);
	buf_append_byte(&problem, '\0');
	if (rc == OK)
		buf_free(&problem);
	return (char *)problem.data;
}

static void expect_refused(const char *option, const char *value, const char *why)
{
	struct bench_options o;
	char *problem = READ(&o, option, value);

	assert_non_null(problem);
	assert_non_null(strstr(problem, why));
	free(problem);
	bench_options_free(&o);
}

static void nothing_said_is_a_whole_load(void **state)
{
	struct bench_options o;
	struct buf problem = {0};

	(void)state;
	assert_int_equal(bench_options_read(&o, 0, NULL, "secret", &problem), OK);
	assert_int_equal(o.hosts.count, 1);
	assert_string_equal(o.hosts.list[0], "127.0.0.1:6379");
	assert_string_equal(o.mix, "get=1,set=1");
	assert_string_equal(o.password, "secret");
	assert_int_equal(o.requests, 0);
	bench_options_free(&o);
}

static void what_is_said_is_taken(void **state)
{
	struct bench_options o;

	(void)state;
	assert_null(READ(&o, "--host", "a:1", "--host", "b:2", "--requests", "500", "--json",
			 "--pick", "zipf:1.2", "--warmup", "0.5", "--command", "PING", "--password",
			 "x"));
	assert_int_equal(o.hosts.count, 2);
	assert_string_equal(o.hosts.list[1], "b:2");
	assert_int_equal(o.requests, 500);
	assert_true(o.json && !o.fill && !o.help);
	assert_int_equal(o.choice.kind, PICKER_ZIPF);
	assert_true(o.warmup_s == 0.5);
	assert_null(o.mix); /* the line alone */
	assert_int_equal(o.lines.count, 1);
	bench_options_free(&o);
}

static void what_makes_no_sense_is_refused(void **state)
{
	struct bench_options o;
	char *problem;

	(void)state;
	expect_refused("--conections", "5", "there is no option '--conections'");
	expect_refused("connections", "5", "there is no option 'connections'");
	expect_refused("--connections", "0", "--connections takes a number from 1 to 60000");
	expect_refused("--connections", "5x", "not '5x'");
	expect_refused("--connections", "-5", "not '-5'");
	expect_refused("--connections", "", "not ''");
	expect_refused("--keys", "99999999999999999999999", "--keys takes a number");
	expect_refused("--seconds", "soon", "--seconds takes seconds");
	expect_refused("--seconds", "0", "--seconds has to be above 0");
	expect_refused("--seconds", "1e99", "--seconds takes seconds");
	expect_refused("--protocol", "4", "from 2 to 3");
	expect_refused("--pick", "best", "not 'best'");
	expect_refused("--user", "somebody", "--user needs a password");
	expect_refused("--json", "--host", "--host needs a value: HOST:PORT");
	problem = READ(&o, "--requests", "5", "--seconds", "5");
	assert_string_equal(problem, "either --seconds or --requests");
	free(problem);
	bench_options_free(&o);
}

static void the_help_names_each_option_once(void **state)
{
	struct buf help = {0};
	const char *text;

	(void)state;
	bench_options_put_help(&help);
	buf_append_byte(&help, '\0');
	text = (const char *)help.data;
	assert_non_null(strstr(text, "\n  --host HOST:PORT"));
	assert_non_null(strstr(text, "\n  --help"));
	for (const char *line = text; *line; line = strchr(line, '\n') + 1)
		assert_true(strchr(line, '\n') - line <= 120);
	buf_free(&help);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_said_is_a_whole_load),
		cmocka_unit_test(what_is_said_is_taken),
		cmocka_unit_test(what_makes_no_sense_is_refused),
		cmocka_unit_test(the_help_names_each_option_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
