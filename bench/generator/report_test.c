#include "report.h"

#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char names[][4] = {"a:1", "b:2"};
static const struct target targets[] = {{.name = names[0]}, {.name = names[1]}};

static void write_report(struct buf *out, void (*put)(const struct report *, struct buf *))
{
	struct buf problem = {0};
	struct mix mix;
	struct tally tally;
	struct load load = {.targets = targets,
			    .target_count = 2,
			    .mix = &mix,
			    .keys = 10,
			    .connections = 4,
			    .pipeline = 16,
			    .threads = 2};
	struct report report = {.load = &load, .tally = &tally, .seconds = 2};

	mix_init(&mix, 256);
	assert_int_equal(mix_add_named(&mix, "get", &problem), OK);
	assert_int_equal(mix_add_line(&mix, "ECHO \"a\"", &problem), OK);
	tally_init(&tally, 2);
	for (int i = 1; i <= 100; i++)
		tally_answer(&tally, 0, (uint64_t)i * 1000000, i == 1);
	tally_error(&tally, 1, SLICE_LITERAL("ERR"));
	tally.lost = 1;
	put(&report, out);
	buf_append_byte(out, '\0');
	tally_free(&tally);
	mix_free(&mix);
}

static void expect_in(const struct buf *text, const char *what)
{
	if (!strstr((const char *)text->data, what))
		fail_msg("no '%s' in: %s", what, (const char *)text->data);
}

static void the_text_has_a_row_for_each_command(void **state)
{
	struct buf text = {0};

	(void)state;
	write_report(&text, report_put_text);
	expect_in(&text, "4 connections, pipelines of 16, 10 keys, values of 256 bytes, 2.0 s\n");
	expect_in(&text, "\nget                               100           50        0    50.");
	expect_in(&text, "\nECHO \"a\"                            1            0        1");
	expect_in(&text, "   100.000\nECHO");
	expect_in(&text, "\nall                               101           50        1");
	expect_in(&text, "\n1 found nothing\n1 errors: ERR\n");
	expect_in(&text, "connections: 0 made, 1 lost, 0 attempts failed\n");
	buf_free(&text);
}

static void the_object_has_all_of_it(void **state)
{
	struct buf text = {0};

	(void)state;
	write_report(&text, report_put_json);
	expect_in(&text, "\"targets\":[\"a:1\",\"b:2\"],\"seconds\":2.000000,\"commands\":[{"
			 "\"name\":\"get\","
			 "\"requests\":100,\"requests_per_s\":50.00,\"errors\":0,\"nulls\":1,");
	expect_in(&text, "{\"name\":\"ECHO \\u0022a\\u0022\",\"requests\":1,");
	expect_in(&text, "\"max_ms\":100.000000},{");
	expect_in(&text, "\"all\":{\"name\":\"all\",\"requests\":101,");
	expect_in(&text, "\"errors\":{\"ERR\":1},\"unsent\":0,\"connections_made\":0,"
			 "\"connections_lost\":1,\"connections_failed\":0}\n");
	buf_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_text_has_a_row_for_each_command),
		cmocka_unit_test(the_object_has_all_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
