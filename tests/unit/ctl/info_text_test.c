#include "ctl/info_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char text[] = "# "
			   "Raft\r\nraft_role:leader\r\nraft_term:12\r\nraft_leader:\r\nrole:"
			   "master\r\nrevision:-3\r\nlast:9";

static void expect(const char *name, const char *value)
{
	assert_true(slice_equal(info_field(slice_of_text(text), name), slice_of_text(value)));
}

static void fields_are_found_by_their_whole_names(void **state)
{
	(void)state;
	expect("raft_role", "leader");
	expect("role", "master");
	expect("raft_leader", "");
	expect("raft", "");
	expect("# Raft", "");
	expect("last", "9");
	expect("nothing", "");
	assert_int_equal(info_number(slice_of_text(text), "raft_term"), 12);
	assert_int_equal(info_number(slice_of_text(text), "raft_role"), 0);
	assert_int_equal(info_number(slice_of_text(text), "revision"), 0);
	assert_int_equal(info_number(slice_of_text(""), "raft_term"), 0);
}

static void the_text_is_that_of_the_reply(void **state)
{
	(void)state;
	assert_true(slice_equal(info_text(slice_of_text("$5\r\na:1\r\n\r\n")),
				slice_of_text("a:1\r\n")));
	assert_int_equal(info_text(slice_of_text("$-1\r\n")).len, 0);
	assert_int_equal(info_text(slice_of_text("*0\r\n")).len, 0);
	assert_int_equal(info_text(slice_of_text("$5\r\na")).len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_found_by_their_whole_names),
		cmocka_unit_test(the_text_is_that_of_the_reply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
