/* INFO: sections, and figures that are true of the member. */

#include "base/error.h"
#include "command/host.h"

#include "support/solo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int started(void **state)
{
	static struct solo s;

	solo_init(&s);
	*state = &s;
	return solo_start(&s) == OK ? 0 : -1;
}

static int stopped(void **state)
{
	solo_close(*state);
	return 0;
}

static void lacks(struct solo *s, const char *question, const char *text)
{
	assert_null(strstr(solo_say(s, question), text));
}

static uint64_t number(struct solo *s, const char *question, const char *field)
{
	const char *at = strstr(solo_say(s, question), field);

	assert_non_null(at);
	return strtoull(at + strlen(field), NULL, 10);
}

static void sections_are_told_as_asked(void **state)
{
	struct solo *s = *state;

	solo_says_with(s, "INFO", "|# Clients|");
	solo_says_with(s, "INFO", "||# Raft|raft_role:leader|");
	solo_says_with(s, "INFO", "|redis_version:7.2.4|redis_mode:standalone|");
	solo_says_with(s, "INFO", "|loading:0|");
	lacks(s, "INFO", "# Commandstats");
	lacks(s, "INFO default", "# Commandstats");
	solo_says_with(s, "INFO all", "|# Commandstats|");
	lacks(s, "INFO all", "# Modules");
	solo_says_with(s, "INFO everything", "|# Modules|");
	assert_string_equal(solo_say(s, "INFO cluster"), "$30|# Cluster|cluster_enabled:0||");
	assert_string_equal(solo_say(s, "INFO keyspace CLUSTER"),
			    "$44|# Cluster|cluster_enabled:0||# Keyspace||");
	assert_string_equal(solo_say(s, "INFO nope"), "$0||");
	assert_string_equal(solo_say(s, "HELLO 3") ? solo_say(s, "INFO cluster") : "",
			    "=34|txt:# Cluster|cluster_enabled:0||");
}

static void figures_follow_what_happens(void **state)
{
	struct solo *s = *state;
	uint64_t calls, applied;

	solo_says_with(s, "INFO clients", "|connected_clients:1|");
	calls = number(s, "INFO stats", "total_commands_processed:");
	applied = number(s, "INFO raft", "raft_applied_index:");
	solo_say(s, "SET a 1");
	solo_say(s, "SET b 1 EX 100");
	assert_string_equal(solo_say(s, "GET a"), "$1|1|");
	solo_say(s, "LPUSH");
	solo_say(s, "SET a b nope");
	assert_int_equal(number(s, "INFO stats", "total_commands_processed:"), calls + 6);
	assert_int_equal(number(s, "INFO raft", "raft_applied_index:"), applied + 3);
	solo_says_with(s, "INFO keyspace", "|db0:keys=2,expires=1,avg_ttl=0|");
	solo_says_with(s, "INFO raft", "|raft_members:1|member0:id=");
	solo_says_with(s, "INFO raft", "|raft_leader:n1|");
	solo_says_with(s, "INFO raft", "|raft_name:n1|");
	solo_says_with(
		s, "INFO commandstats",
		"cmdstat_set:calls=3,usec=0,usec_per_call=0.00,rejected_calls=0,failed_calls=1|");
	solo_says_with(s, "INFO commandstats", "cmdstat_get:calls=1,");
	lacks(s, "INFO commandstats", "cmdstat_append:");
}

static void what_was_refused_is_counted(void **state)
{
	struct solo *s = *state;

	solo_say(s, "GET");
	solo_says_with(
		s, "INFO commandstats",
		"cmdstat_get:calls=0,usec=0,usec_per_call=0.00,rejected_calls=1,failed_calls=0|");
	solo_say(s, "MULTI");
	solo_say(s, "SAVE");
	solo_say(s, "DISCARD");
	solo_says_with(s, "INFO commandstats",
		       "cmdstat_save:calls=0,usec=0,usec_per_call=0.00,rejected_calls=1");
	member_set_password(s->member, SLICE_LITERAL("hush"));
	solo_say(s, "RESET");
	solo_say(s, "GET a");
	solo_say(s, "AUTH hush");
	solo_says_with(
		s, "INFO commandstats",
		"cmdstat_get:calls=0,usec=0,usec_per_call=0.00,rejected_calls=2,failed_calls=0|");
}

static void errors_are_counted_by_their_code(void **state)
{
	struct solo *s = *state;

	lacks(s, "INFO", "errorstat_");
	solo_say(s, "GET");
	solo_say(s, "NOPE");
	solo_say(s, "SET a b nope");
	solo_say(s, "HSET h f v");
	solo_say(s, "GET h");
	solo_say(s, "APPEND h x");
	solo_say(s, "EXEC");
	assert_string_equal(solo_say(s, "INFO errorstats"),
			    "$66|# Errorstats|errorstat_ERR:count=4|errorstat_WRONGTYPE:count=2||");
	solo_says_with(s, "INFO stats", "|total_error_replies:6|");
}

/* A read in the pool, and what is given up because nobody answers. */
static void errors_that_come_late_are_counted(void **state)
{
	struct solo *s = *state;

	solo_say(s, "HSET h f v");
	solo_stop(s, false);
	s->options.header_cache_bytes = 0;
	assert_int_equal(solo_start(s), OK);
	solo_say(s, "SAVE");
	solo_say(s, "GET h");
	assert_int_not_equal(s->pool_jobs, 0);
	solo_says_with(s, "INFO errorstats", "|errorstat_WRONGTYPE:count=1|");
	s->hold_pool = true;
	solo_send(s, s->session, "SET a 1");
	solo_work(s);
	s->now_ms += 60000;
	solo_work(s);
	solo_says_with(s, "INFO errorstats", "|errorstat_UNCERTAIN:count=1|");
}

static void the_rate_is_of_the_second_before(void **state)
{
	struct solo *s = *state;

	s->now_ms = 60000;
	for (int i = 0; i < 7; i++)
		solo_say(s, "PING");
	s->now_ms = 61000;
	solo_says_with(s, "INFO stats", "|instantaneous_ops_per_sec:7|");
	s->now_ms = 65000;
	solo_says_with(s, "INFO stats", "|instantaneous_ops_per_sec:0|");
}

/* Without a quorum nothing is answered but this: here the disk hangs. */
static void it_answers_at_once(void **state)
{
	struct solo *s = *state;

	s->hold_pool = true;
	solo_send(s, s->session, "INFO replication");
	assert_non_null(strstr(solo_take(s, s->session), "|role:master|connected_slaves:0|"));
}

static void host_info(void *owner, struct info_process *out)
{
	*out = (struct info_process){.version = "9.9",
				     .os = "os",
				     .run_id = owner,
				     .executable = "/x",
				     .port = 6379,
				     .clients = 3,
				     .clients_max = 10,
				     .resident_bytes = 1536,
				     .cpu_user_us = 1500000};
}

static void a_process_is_told_of(void **state)
{
	struct solo *s = *state;
	char id[] = "0123";
	struct command_host host = {.owner = id, .info_process = host_info};

	lacks(s, "INFO", "run_id");
	solo_stop(s, false);
	s->options.host = &host;
	assert_int_equal(solo_start(s), OK);
	solo_says_with(s, "INFO", "|run_id:0123|tcp_port:6379|");
	solo_says_with(s, "INFO memory", "|used_memory:1536|used_memory_human:1.50K|");
	solo_says_with(s, "INFO clients",
		       "|connected_clients:3|cluster_connections:0|maxclients:10|");
	solo_says_with(s, "INFO cpu", "|used_cpu_user:1.500000|");
}

static void a_transaction_may_ask(void **state)
{
	struct solo *s = *state;

	solo_say(s, "MULTI");
	solo_say(s, "INFO cluster");
	assert_string_equal(solo_say(s, "EXEC"), "*1|$30|# Cluster|cluster_enabled:0||");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(sections_are_told_as_asked, started, stopped),
		cmocka_unit_test_setup_teardown(figures_follow_what_happens, started, stopped),
		cmocka_unit_test_setup_teardown(what_was_refused_is_counted, started, stopped),
		cmocka_unit_test_setup_teardown(errors_are_counted_by_their_code, started, stopped),
		cmocka_unit_test_setup_teardown(errors_that_come_late_are_counted, started,
						stopped),
		cmocka_unit_test_setup_teardown(the_rate_is_of_the_second_before, started, stopped),
		cmocka_unit_test_setup_teardown(it_answers_at_once, started, stopped),
		cmocka_unit_test_setup_teardown(a_process_is_told_of, started, stopped),
		cmocka_unit_test_setup_teardown(a_transaction_may_ask, started, stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
