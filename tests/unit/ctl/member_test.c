#include "ctl/member.h"

#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* A newer member may say more of each, in another order. */
static const char reply[] =
	"*2\r\n"
	"*12\r\n$2\r\nid\r\n$2\r\naa\r\n$4\r\nname\r\n$2\r\nn1\r\n$7\r\naddress\r\n$3\r\na:1\r\n"
	"$4\r\nrole\r\n$5\r\nvoter\r\n$5\r\nleads\r\n:1\r\n$12\r\nauto-promote\r\n:0\r\n"
	"*14\r\n$3\r\nnew\r\n$1\r\nx\r\n$4\r\nname\r\n$2\r\nn\"\r\n$2\r\nid\r\n$2\r\nbb\r\n"
	"$7\r\naddress\r\n$0\r\n\r\n$4\r\nrole\r\n$7\r\nlearner\r\n$5\r\nleads\r\n:0\r\n"
	"$12\r\nauto-promote\r\n:1\r\n";

static void expect(bool json, const char *wanted)
{
	struct buf out = {0};

	assert_int_equal(member_list_put(slice_of_text(reply), json, &out), OK);
	buf_append_byte(&out, '\0');
	assert_string_equal((const char *)out.data, wanted);
	buf_free(&out);
}

static void a_list_is_a_table_or_json(void **state)
{
	(void)state;
	expect(false, "NAME             ID               ADDRESS                  ROLE\n"
		      "n1               aa               a:1                      voter, leads\n"
		      "n\"               bb               not known yet            learner, to be "
		      "promoted\n");
	expect(true, "[{\"id\":\"aa\",\"name\":\"n1\",\"address\":\"a:1\",\"role\":\"voter\","
		     "\"leads\":true,"
		     "\"auto_promote\":false},"
		     "{\"id\":\"bb\",\"name\":\"n\\u0022\",\"address\":\"\",\"role\":\"learner\","
		     "\"leads\":false,"
		     "\"auto_promote\":true}]");
}

static void what_is_no_list_is_refused(void **state)
{
	static const char *const bad[] = {"*1\r\n", "*1\r\n*2\r\n$2\r\nid\r\n",
					  "*1\r\n*2\r\n$2\r\nid\r\n*1\r\n:1\r\n"};
	struct buf out = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(member_list_put(slice_of_text(bad[i]), true, &out), ERR_MALFORMED);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_is_a_table_or_json),
		cmocka_unit_test(what_is_no_list_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
