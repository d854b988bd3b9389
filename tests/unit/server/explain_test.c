/* What is said of a member that does not start: each failure has words of its own, and what to do.
 */

#include "server/explain.h"

#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct options directories(void)
{
	static char dir[] = "the-dir", log_dir[] = "the-log";

	return (struct options){.dir = dir, .log_dir = log_dir};
}

static void expect_said(struct buf *problem, const char *what, const char *remedy)
{
	buf_append_byte(problem, '\0');
	assert_non_null(strstr((const char *)problem->data, what));
	assert_non_null(strstr((const char *)problem->data, remedy));
	buf_free(problem);
}

static void a_start_that_fails_says_what_to_do(void **state)
{
	static const struct {
		int error;
		const char *what;
		const char *remedy;
	} cases[] = {
		{ERR_LOCKED, "the-log: another process", "end it"},
		{ERR_VERSION, "the-dir: the data was written by a newer version",
		 "the version that the others run"},
		{ERR_CORRUPT, "the-dir: the state is damaged", "remove ENGINE and engine-*"},
		{ERR_NO_SPACE, "no space left on the disk", "free room there"},
		{ERR_IO, "input/output error", "see what the system says"},
		{ERR_INVALID, "invalid argument", "see the lines before"},
	};
	struct options o = directories();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf problem = {0};

		explain_start(&o, cases[i].error, &problem);
		expect_said(&problem, cases[i].what, cases[i].remedy);
	}
}

static void a_state_that_cannot_be_opened_says_so(void **state)
{
	struct options o = directories();
	struct buf problem = {0};

	(void)state;
	explain_state(&o, ERR_NO_SPACE, &problem);
	expect_said(&problem, "the-dir: the state cannot be opened: no space", "free room there");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_start_that_fails_says_what_to_do),
		cmocka_unit_test(a_state_that_cannot_be_opened_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
