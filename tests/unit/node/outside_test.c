/* What a member says before it is one: its cluster is not born yet, or it has not joined. */

#include "base/error.h"

#include "support/solo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define UNBORN                                                                           \
	"-CLUSTERDOWN The cluster is not born yet: this member waits for all others of " \
	"initial-cluster, as its log says; nothing was done|"
#define NOT_JOINED                                                                             \
	"-CLUSTERDOWN This member has not joined the cluster yet: its log says whom it asks; " \
	"nothing was done|"

/* Whatever would be answered from what it does not know is refused. */
static void expect_refusals(struct solo *s, const char *text)
{
	static const char *const lines[] = {
		"GET a",
		"SET a 1",
		"KEYS *",
		"DBSIZE",
		"MEMBER LIST",
		"MEMBER TRANSFER n2",
		"MEMBER REMOVE n2",
		"FAILOVER",
		"REVISION LAST",
		"HISTORY INFO",
	};

	/* So long that nothing waits for a leader any more. */
	s->now_ms += 3 * (uint64_t)s->options.driver.raft.election_ms;
	solo_work(s);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_string_equal(solo_say(s, lines[i]), text);
	assert_string_equal(solo_say(s, "PING"), "+PONG|");
	assert_string_equal(solo_say(s, "READONLY"), "+OK|");
	assert_string_equal(solo_say(s, "GET a"), text);
	assert_string_equal(solo_say(s, "KEYS *"), text);
	assert_non_null(strstr(solo_say(s, "INFO raft"), "|raft_name:n1|"));
	assert_int_equal(s->failures, 0);
}

static void before_its_cluster_is_born(void **state)
{
	static const struct slice names[] = {{(const uint8_t *)"n1", 2},
					     {(const uint8_t *)"n2", 2}};
	struct solo s;

	(void)state;
	solo_init(&s);
	s.options.driver.names = names;
	s.options.driver.name_count = 2;
	assert_int_equal(solo_start(&s), OK);
	expect_refusals(&s, UNBORN);
	solo_close(&s);
}

static void before_it_has_joined(void **state)
{
	struct solo s;

	(void)state;
	solo_init(&s);
	s.options.driver.name_count = 0;
	assert_int_equal(solo_start(&s), OK);
	expect_refusals(&s, NOT_JOINED);
	solo_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(before_its_cluster_is_born),
		cmocka_unit_test(before_it_has_joined),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
