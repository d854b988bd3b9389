/* The member as a server: storing, ending, sleeping, what others have of what was written. */

#include "base/error.h"
#include "command/host.h"

#include "support/solo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct ends {
	unsigned count;
	bool at_once;
};

static struct ends ends;
static struct session *other;

static void host_shutdown(void *owner, bool at_once)
{
	struct ends *e = owner;

	e->count++;
	e->at_once = at_once;
}

static void host_info(void *owner, struct info_process *out)
{
	(void)owner;
	*out = (struct info_process){
		.version = "1", .os = "os", .run_id = "id", .executable = "/x"};
}

static const struct command_host host = {
	.owner = &ends, .info_process = host_info, .shutdown = host_shutdown};

static int started(void **state)
{
	static struct solo s;

	ends = (struct ends){0};
	solo_init(&s);
	s.options.host = &host;
	s.options.debug = DEBUG_BY_ALL;
	*state = &s;
	if (solo_start(&s) != OK)
		return -1;
	other = session_open(s.member, &solo_session_events, &s);
	return 0;
}

static int stopped(void **state)
{
	solo_close(*state);
	return 0;
}

static uint64_t unsaved(struct solo *s)
{
	const char *at = strstr(solo_say_in(s, other, "INFO persistence"), "since_last_save:");

	assert_non_null(at);
	return strtoull(at + strlen("since_last_save:"), NULL, 10);
}

/* ---- storing --------------------------------------------------------------------------------- */

static void save_answers_when_all_is_in_the_engine(void **state)
{
	struct solo *s = *state;

	solo_say(s, "SET a 1");
	assert_int_not_equal(unsaved(s), 0);
	s->hold_pool = true;
	assert_string_equal(solo_say(s, "SAVE"), "");
	solo_send(s, s->session, "PING"); /* replies keep their order */
	assert_string_equal(solo_say(s, "PING"), "");
	assert_string_equal(solo_say_in(s, other, "PING"), "+PONG|");
	s->hold_pool = false;
	solo_work(s);
	assert_string_equal(solo_take(s, s->session), "+OK|+PONG|+PONG|");
	assert_int_equal(unsaved(s), 0);
	assert_string_equal(solo_say(s, "SAVE"), "+OK|");
}

/* The first of two commands of one entry is answered, and the second waits for a row. */
static void save_waits_for_the_entry_of_what_was_answered(void **state)
{
	struct solo *s = *state;

	solo_say(s, "SET a 1");
	solo_say(s, "SAVE");
	solo_stop(s, false); /* nothing is in memory any more */
	assert_int_equal(solo_start(s), OK);
	other = session_open(s->member, &solo_session_events, s);
	solo_say(s, "SELECT 3");
	assert_string_equal(solo_say(s, "SAVE"), "+OK|");
	s->hold_reads = true;
	solo_send(s, s->session, "FLUSHDB");
	assert_string_equal(solo_say_in(s, other, "INCR a"), "");
	assert_string_equal(solo_take(s, s->session), "+OK|");
	assert_string_equal(solo_say(s, "SAVE"), "");
	s->hold_reads = false;
	solo_work(s);
	assert_string_equal(solo_take(s, s->session), "+OK|");
	assert_string_equal(solo_take(s, other), ":2|");
	assert_int_equal(unsaved(s), 0);
}

static void bgsave_stores_too(void **state)
{
	struct solo *s = *state;

	solo_say(s, "SET a 1");
	s->hold_pool = true;
	assert_string_equal(solo_say(s, "BGSAVE"), "+Background saving started|");
	assert_non_null(
		strstr(solo_say_in(s, other, "INFO persistence"), "|rdb_bgsave_in_progress:1|"));
	s->hold_pool = false;
	solo_work(s);
	assert_int_equal(unsaved(s), 0);
	solo_say(s, "SET a 2");
	assert_string_equal(solo_say(s, "BGREWRITEAOF"),
			    "+Background append only file rewriting started|");
	assert_int_equal(unsaved(s), 0);
}

static void lastsave_is_when_it_was_stored(void **state)
{
	struct solo *s = *state;
	uint64_t before = strtoull(solo_say(s, "LASTSAVE") + 1, NULL, 10);

	s->now_ms += 50000;
	solo_say(s, "SET a 1");
	assert_int_equal(strtoull(solo_say(s, "LASTSAVE") + 1, NULL, 10), before);
	solo_say(s, "SAVE");
	assert_in_range(strtoull(solo_say(s, "LASTSAVE") + 1, NULL, 10), before + 50, before + 53);
}

/* ---- ending ---------------------------------------------------------------------------------- */

static void shutdown_ends_the_process(void **state)
{
	struct solo *s = *state;

	assert_string_equal(solo_say(s, "SHUTDOWN NOW SAVE x"), "-ERR syntax error|");
	assert_int_equal(ends.count, 0);
	assert_string_equal(solo_say(s, "SHUTDOWN"), "");
	assert_int_equal(ends.count, 1);
	assert_false(ends.at_once);
	assert_string_equal(solo_say(s, "SHUTDOWN NOW NOSAVE FORCE"), "");
	assert_int_equal(ends.count, 2);
	assert_true(ends.at_once);
}

static void it_is_saved_before_the_end(void **state)
{
	struct solo *s = *state;

	solo_say(s, "SET a 1");
	s->hold_pool = true;
	solo_say(s, "SHUTDOWN SAVE");
	assert_int_equal(ends.count, 0);
	s->hold_pool = false;
	solo_work(s);
	assert_int_equal(ends.count, 1);
}

static void without_a_process_nothing_ends(void **state)
{
	struct solo *s = *state;

	solo_stop(s, false);
	s->options.host = NULL;
	assert_int_equal(solo_start(s), OK);
	assert_string_equal(solo_say(s, "SHUTDOWN"), "-ERR This member cannot end its process|");
}

/* ---- copies ---------------------------------------------------------------------------------- */

/* A cluster of one: nobody else has anything, and nobody is waited for. */
static void wait_tells_how_many_others_have_it(void **state)
{
	struct solo *s = *state;

	solo_say(s, "SET a 1");
	assert_string_equal(solo_say(s, "WAIT 0 0"), ":0|");
	assert_string_equal(solo_say(s, "WAIT 1 0"), ":0|");
	assert_string_equal(solo_say(s, "WAITAOF 1 0 0"), "*2|:1|:0|");
	assert_string_equal(solo_say(s, "WAITAOF 2 0 0"),
			    "-ERR value is out of range, must be between 0 and 1|");
	assert_string_equal(solo_say(s, "WAITAOF 1 -1 0"),
			    "-ERR value is out of range, must be positive|");
	assert_string_equal(solo_say(s, "WAITAOF 1 1 -1"), "-ERR timeout is negative|");
}

/* Nobody has answered yet: who takes part is not even known. */
static void before_a_cluster_is_born_nobody_has_anything(void **state)
{
	static const struct slice names[] = {
		{(const uint8_t *)"n1", 2}, {(const uint8_t *)"n2", 2}, {(const uint8_t *)"n3", 2}};
	static struct solo s;

	(void)state;
	solo_init(&s);
	s.options.driver.names = names;
	s.options.driver.name_count = 3;
	assert_int_equal(solo_start(&s), OK);
	assert_string_equal(solo_say(&s, "WAIT 1 0"), ":0|");
	assert_non_null(strstr(solo_say(&s, "INFO raft"), "|raft_leader:|"));
	assert_non_null(strstr(solo_say(&s, "INFO raft"), "|raft_members:0|"));
	solo_says_with(&s, "FAILOVER", "-CLUSTERDOWN The cluster is not born yet");
	solo_close(&s);
}

static void it_waits_for_what_was_written_before(void **state)
{
	struct solo *s = *state;

	s->hold_pool = true;
	solo_send(s, s->session, "SET a 1");
	solo_send(s, s->session, "WAITAOF 1 0 0");
	solo_work(s);
	assert_string_equal(solo_take(s, s->session), "");
	assert_string_equal(solo_say_in(s, other, "WAIT 0 0"), ":0|");
	s->hold_pool = false;
	solo_work(s);
	assert_string_equal(solo_take(s, s->session), "+OK|*2|:1|:0|");
}

/* It has nothing to tell before the write is over: until then its deadline makes no turns. */
static void a_deadline_behind_a_write_waits_for_the_write(void **state)
{
	struct solo *s = *state;

	s->hold_pool = true;
	solo_send(s, s->session, "SET a 1");
	solo_send(s, s->session, "WAIT 1 50");
	solo_work(s);
	s->now_ms += 60;
	solo_work(s);
	assert_string_equal(solo_take(s, s->session), "");
	assert_true(member_deadline_ms(s->member) > s->now_ms);
	s->hold_pool = false;
	solo_work(s);
	assert_string_equal(solo_take(s, s->session), "+OK|:0|");
}

static void who_is_killed_waits_for_no_copies(void **state)
{
	struct solo *s = *state;

	s->hold_pool = true;
	solo_send(s, other, "SET a 1");
	solo_send(s, other, "WAIT 1 0");
	solo_work(s);
	assert_string_equal(solo_say(s, "CLIENT KILL ID 2"), ":1|");
	s->hold_pool = false;
	solo_work(s);
	assert_string_equal(solo_take(s, other), "+OK|-ERR This was not waited for|");
	assert_true(session_wants_close(other));
}

/* ---- sleeping -------------------------------------------------------------------------------- */

static void a_sleep_holds_every_session(void **state)
{
	struct solo *s = *state;

	assert_string_equal(solo_say(s, "DEBUG SLEEP 0"), "+OK|");
	assert_string_equal(solo_say(s, "DEBUG SLEEP 0.5"), "");
	assert_string_equal(solo_say_in(s, other, "PING"), "");
	assert_string_equal(solo_say_in(s, other, "CLIENT UNPAUSE"), "");
	s->now_ms += 450;
	solo_work(s);
	assert_string_equal(solo_take(s, other), "");
	s->now_ms += 60;
	solo_work(s);
	assert_string_equal(solo_take(s, s->session), "+OK|");
	assert_string_equal(solo_take(s, other), "+PONG|+OK|");
}

/* What was handed out before is applied, and what is due goes. */
static void a_sleep_holds_nothing_else(void **state)
{
	struct solo *s = *state;

	solo_say(s, "SET b 1 PX 100");
	s->hold_pool = true;
	solo_send(s, other, "SET a 1");
	solo_work(s);
	solo_say(s, "DEBUG SLEEP 10");
	s->hold_pool = false;
	solo_work(s);
	assert_string_equal(solo_take(s, other), "+OK|");
	for (int i = 0; i < 5; i++) {
		s->now_ms += 100;
		solo_work(s);
	}
	s->now_ms += 10000;
	solo_work(s);
	assert_string_equal(solo_say_in(s, other, "EXISTS b"), ":0|");
}

static void debug_is_for_those_it_is_for(void **state)
{
	struct solo *s = *state;

	assert_string_equal(solo_say(s, "DEBUG SLEEP"),
			    "-ERR unknown subcommand or wrong number of arguments for 'SLEEP'. Try "
			    "DEBUG HELP.|");
	solo_stop(s, false);
	s->options.debug = DEBUG_BY_LOCAL;
	assert_int_equal(solo_start(s), OK);
	session_set_address(s->session, SLICE_LITERAL("10.0.0.1:5"));
	assert_int_equal(strncmp(solo_say(s, "DEBUG SLEEP 0"), "-ERR DEBUG command not", 22), 0);
	session_set_address(s->session, SLICE_LITERAL("127.0.0.1:5"));
	assert_string_equal(solo_say(s, "DEBUG SLEEP 0"), "+OK|");
	session_set_address(s->session, SLICE_LITERAL("[::1]:5"));
	assert_string_equal(solo_say(s, "DEBUG SLEEP 0"), "+OK|");
}

static void debug_tells_of_a_key(void **state)
{
	struct solo *s = *state;

	solo_say(s, "SET a 12");
	solo_say(s, "HSET h f v g w");
	s->now_ms += 5000;
	solo_work(s);
	solo_says_with(s, "DEBUG OBJECT a",
		       "+Value at:0x0 refcount:1 encoding:int serializedlength:");
	solo_says_with(s, "DEBUG OBJECT a", " lru_seconds_idle:5|");
	solo_says_with(s, "debug object h", " encoding:hashtable serializedlength:");
	assert_string_equal(solo_say(s, "DEBUG OBJECT none"), "-ERR no such key|");
	assert_string_equal(solo_say(s, "DEBUG JMAP"),
			    "-ERR unknown subcommand or wrong number of arguments for 'JMAP'. Try "
			    "DEBUG HELP.|");
}

static void debug_tells_of_a_key_within_a_transaction(void **state)
{
	static const char *const writes[] = {"PING", "SET b 1"};
	struct solo *s = *state;
	char expected[256];

	solo_say(s, "SET a 12");
	for (size_t i = 0; i < ARRAY_LEN(writes); i++) {
		solo_say(s, "MULTI");
		solo_say(s, writes[i]);
		assert_string_equal(solo_say(s, "DEBUG OBJECT a"), "+QUEUED|");
		assert_string_equal(solo_say(s, "DEBUG OBJECT none"), "+QUEUED|");
		snprintf(expected, sizeof(expected),
			 "*3|+%s|+Value at:0x0 refcount:1 encoding:int ", i == 0 ? "PONG" : "OK");
		assert_memory_equal(solo_say(s, "EXEC"), expected, strlen(expected));
	}
	/* The key of a transaction's own is as the transaction has made it. */
	solo_say(s, "MULTI");
	solo_say(s, "SET a text");
	solo_say(s, "DEBUG OBJECT a");
	solo_says_with(s, "EXEC", " encoding:embstr ");
}

static void who_waits_can_be_killed(void **state)
{
	struct solo *s = *state;

	solo_say(s, "SET a 1");
	s->hold_pool = true;
	solo_say(s, "SAVE");
	assert_string_equal(solo_say_in(s, other, "CLIENT KILL ID 1"), ":1|");
	solo_work(s);
	assert_true(session_wants_close(s->session));
	s->hold_pool = false;
	solo_work(s);
	assert_int_equal(unsaved(s), 0);
}

static void who_waits_may_go(void **state)
{
	struct solo *s = *state;

	solo_say(s, "SET a 1");
	s->hold_pool = true;
	solo_say_in(s, other, "SAVE");
	session_close(other);
	s->hold_pool = false;
	solo_work(s);
	assert_string_equal(solo_say(s, "SAVE"), "+OK|");
}

static void they_have_no_place_in_a_transaction(void **state)
{
	struct solo *s = *state;
	static const char *const lines[] = {"SAVE", "SHUTDOWN"};

	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		solo_say(s, "MULTI");
		assert_string_equal(solo_say(s, lines[i]),
				    "-ERR Command not allowed inside a transaction|");
		solo_say(s, "DISCARD");
	}
}

static void what_would_wait_or_go_before_is_an_error_in_a_transaction(void **state)
{
	static const char *const lines[] = {"DEBUG SLEEP 0", "MONITOR", "CLIENT REPLY OFF",
					    "CLIENT REPLY SKIP"};
	struct solo *s = *state;

	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		solo_say(s, "MULTI");
		assert_string_equal(solo_say(s, lines[i]), "+QUEUED|");
		assert_memory_equal(solo_say(s, "EXEC"), "*1|-ERR ", 8);
	}
	assert_string_equal(solo_say(s, "GET a"), "$-1|");
}

static void wait_in_a_transaction_tells_what_is_known(void **state)
{
	struct solo *s = *state;

	solo_say(s, "SET a 1");
	solo_say(s, "MULTI");
	solo_say(s, "SET a 2");
	solo_say(s, "WAIT 5 0");
	solo_say(s, "WAITAOF 1 5 0");
	assert_string_equal(solo_say(s, "EXEC"), "*3|+OK|:0|*2|:1|:0|");
	s->hold_pool = true; /* nothing is acknowledged */
	solo_send(s, s->session, "SET a 3");
	solo_send(s, s->session, "MULTI");
	solo_send(s, s->session, "WAITAOF 1 5 0");
	solo_send(s, s->session, "EXEC");
	solo_work(s);
	s->hold_pool = false;
	solo_work(s);
	assert_string_equal(solo_take(s, s->session), "+OK|+OK|+QUEUED|*1|*2|:0|:0|");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, started, stopped)
	static const struct CMUnitTest tests[] = {
		TEST(save_answers_when_all_is_in_the_engine),
		TEST(save_waits_for_the_entry_of_what_was_answered),
		TEST(bgsave_stores_too),
		TEST(lastsave_is_when_it_was_stored),
		TEST(shutdown_ends_the_process),
		TEST(it_is_saved_before_the_end),
		TEST(without_a_process_nothing_ends),
		TEST(wait_tells_how_many_others_have_it),
		cmocka_unit_test(before_a_cluster_is_born_nobody_has_anything),
		TEST(it_waits_for_what_was_written_before),
		TEST(a_deadline_behind_a_write_waits_for_the_write),
		TEST(who_is_killed_waits_for_no_copies),
		TEST(a_sleep_holds_every_session),
		TEST(a_sleep_holds_nothing_else),
		TEST(debug_is_for_those_it_is_for),
		TEST(debug_tells_of_a_key),
		TEST(debug_tells_of_a_key_within_a_transaction),
		TEST(who_waits_can_be_killed),
		TEST(who_waits_may_go),
		TEST(they_have_no_place_in_a_transaction),
		TEST(what_would_wait_or_go_before_is_an_error_in_a_transaction),
		TEST(wait_in_a_transaction_tells_what_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
