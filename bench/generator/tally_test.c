#include "tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t count_of(const struct tally *t, const char *kind)
{
	for (size_t i = 0; i < t->kind_count; i++)
		if (strcmp(t->kinds[i].name, kind) == 0)
			return t->kinds[i].count;
	return 0;
}

static void answers_and_errors_are_counted_and_merged(void **state)
{
	struct tally a, b;

	(void)state;
	tally_init(&a, 2);
	tally_init(&b, 2);
	tally_answer(&a, 0, 100, false);
	tally_answer(&a, 1, 200, true);
	tally_error(&a, 1, SLICE_LITERAL("ERR"));
	tally_error(&b, 0, SLICE_LITERAL("ERR"));
	tally_error(&b, 0, SLICE_LITERAL(TALLY_LOST));
	tally_error(&b, 0, SLICE_LITERAL("ER"));
	b.connected = 3;
	b.last_reply = 9;
	tally_merge(&a, &b);
	assert_int_equal(tally_requests(&a), 6);
	assert_int_equal(tally_errors(&a), 4);
	assert_int_equal(tally_command_requests(&a.commands[0]), 4);
	assert_int_equal(a.commands[1].nulls, 1);
	assert_int_equal(count_of(&a, "ERR"), 2);
	assert_int_equal(count_of(&a, "ER"), 1);
	assert_int_equal(count_of(&a, TALLY_LOST), 1);
	assert_int_equal(a.connected, 3);
	assert_int_equal(a.last_reply, 9);
	tally_free(&a);
	tally_free(&b);
}

/* A server may say what it likes: names are cut, and too many of them count as others. */
static void kinds_of_errors_are_bounded(void **state)
{
	struct tally t, sum;
	char name[3] = "aa", longest[100];
	uint64_t all = 0;

	(void)state;
	tally_init(&t, 1);
	tally_init(&sum, 1);
	memset(longest, 'x', sizeof(longest));
	tally_error(&t, 0, slice_of(longest, sizeof(longest)));
	for (int i = 0; i < 200; i++) {
		name[0] = (char)('a' + i % 20);
		name[1] = (char)('a' + i / 20);
		tally_error(&t, 0, slice_of_text(name));
	}
	tally_merge(&sum, &t);
	tally_merge(&sum, &t);
	assert_int_equal(sum.kind_count, TALLY_KINDS);
	for (size_t i = 0; i < sum.kind_count; i++)
		all += sum.kinds[i].count;
	assert_int_equal(all, 402);
	assert_int_equal(count_of(&sum, "(others)"), 2 * (201 - (TALLY_KINDS - 1)));
	assert_int_equal(strlen(sum.kinds[0].name), TALLY_KIND_NAME - 1);
	tally_free(&t);
	tally_free(&sum);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_and_errors_are_counted_and_merged),
		cmocka_unit_test(kinds_of_errors_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
