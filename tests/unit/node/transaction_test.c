/*
 * Transactions where time passes between the steps: reads in the pool, rows that are missing, a
 * member that starts again. What a client sees otherwise is compared in tests/compat.
 */

#include "base/error.h"
#include "node/member_state.h"

#include "support/solo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void start(struct solo *s, bool cold)
{
	solo_init(s);
	if (cold) {
		s->options.overlay_bytes = 1;
		s->options.header_cache_bytes = 0;
		s->options.value_cache_bytes = 0;
	}
	assert_int_equal(solo_start(s), OK);
}

static void say_all(struct solo *s, const char *const *lines)
{
	for (; *lines; lines++)
		solo_send(s, s->session, *lines);
}

static void a_transaction_is_one_revision(void **state)
{
	struct solo s;

	(void)state;
	start(&s, false);
	say_all(&s, (const char *const[]){"MULTI", "SET a 1", "INCR a", "SELECT 3", "SET b 1",
					  "GET b", "EXEC", "REVISION", "OBJECT REVISION b", NULL});
	solo_work(&s);
	assert_string_equal(solo_take(&s, s.session), "+OK|+QUEUED|+QUEUED|+QUEUED|+QUEUED|+QUEUED|"
						      "*5|+OK|:2|+OK|+OK|$1|1|:1|$3|1-2|");
	solo_stop(&s, true);
	assert_int_equal(solo_start(&s), OK);
	assert_string_equal(solo_say(&s, "GET a"), "$1|2|");
	assert_string_equal(solo_say(&s, "DBSIZE"), ":1|");
	solo_close(&s);
}

static void a_transaction_that_misses_rows_runs_once_they_are_there(void **state)
{
	struct solo s;
	char line[160], expected[200];

	(void)state;
	start(&s, true);
	for (int i = 0; i < 20; i++) {
		snprintf(line, sizeof(line), "SET key:%d %0100d", i, i);
		assert_string_equal(solo_say(&s, line), "+OK|");
	}
	assert_string_equal(solo_say(&s, "DBSIZE"), ":20|");
	for (int i = 0; i < 20; i++) {
		snprintf(line, sizeof(line), "WATCH key:%d missing:%d", i, i);
		solo_send(&s, s.session, line);
		solo_send(&s, s.session, "MULTI");
		snprintf(line, sizeof(line), "GET key:%d", (i + 1) % 20);
		solo_send(&s, s.session, line);
		snprintf(line, sizeof(line), "INCR n:%d", i % 3);
		solo_send(&s, s.session, line);
		solo_send(&s, s.session, "PING");
		solo_send(&s, s.session, "EXEC");
		solo_work(&s);
		snprintf(expected, sizeof(expected),
			 "+OK|+OK|+QUEUED|+QUEUED|+QUEUED|*3|$100|%0100d|:%d|+PONG|", (i + 1) % 20,
			 i / 3 + 1);
		assert_string_equal(solo_take(&s, s.session), expected);
	}
	solo_close(&s);
}

/* Each walk begins where the one before did, whose first key is gone by then, and gets further. */
static void a_transaction_walks_the_same_way_again_and_further(void **state)
{
	struct solo s;

	(void)state;
	start(&s, true);
	say_all(&s, (const char *const[]){"SET a 1", "SET b 2", "SET c 3", "SET d 4", NULL});
	solo_work(&s);
	assert_string_equal(solo_take(&s, s.session), "+OK|+OK|+OK|+OK|");
	solo_stop(&s, false);
	assert_int_equal(solo_start(&s), OK);
	say_all(&s, (const char *const[]){"MULTI", "RANGE - + LIMIT 0 1 KEYSONLY", "DEL a",
					  "RANGE - + LIMIT 0 1 KEYSONLY", "DEL b",
					  "RANGE - + REV LIMIT 0 1 KEYSONLY", "DEL d",
					  "RANGE - + REV LIMIT 0 1 KEYSONLY", "EXEC", NULL});
	solo_work(&s);
	assert_string_equal(solo_take(&s, s.session),
			    "+OK|+QUEUED|+QUEUED|+QUEUED|+QUEUED|+QUEUED|+QUEUED|+QUEUED|"
			    "*7|*1|$1|a|:1|*1|$1|b|:1|*1|$1|d|:1|*1|$1|c|");
	solo_close(&s);
}

/* The EXEC behind a WATCH has to know what it saw, and what is behind the EXEC waits in line. */
static void exec_waits_for_a_watch_in_the_pool(void **state)
{
	struct solo s;
	struct session *other;

	(void)state;
	start(&s, true);
	assert_string_equal(solo_say(&s, "SET a 1"), "+OK|");
	solo_stop(&s, false);
	assert_int_equal(solo_start(&s), OK);
	other = session_open(s.member, &solo_session_events, &s);
	s.hold_pool = true;
	say_all(&s, (const char *const[]){"WATCH a", "MULTI", "SET a 2", "EXEC", "PING", "GET a",
					  NULL});
	solo_work(&s);
	assert_string_equal(solo_take(&s, s.session), "");
	assert_false(session_is_idle(s.session));
	solo_send(&s, other, "PING");
	assert_string_equal(solo_take(&s, other), "+PONG|");
	s.hold_pool = false;
	solo_work(&s);
	assert_string_equal(solo_take(&s, s.session), "+OK|+OK|+QUEUED|*1|+OK|+PONG|$1|2|");
	assert_true(session_is_idle(s.session));
	solo_close(&s);
}

static void a_session_may_end_at_any_moment(void **state)
{
	static const char *const lines[] = {"WATCH a", "MULTI", "SELECT 1", "GET a",
					    "SET a 2", "EXEC",	"SET b 1",  "WATCH b",
					    "MULTI",   "PING",	"EXEC",	    "QUIT"};

	(void)state;
	for (size_t count = 0; count <= ARRAY_LEN(lines); count++) {
		struct solo s;
		struct session *session;

		start(&s, true);
		assert_string_equal(solo_say(&s, "SET a 1"), "+OK|");
		solo_stop(&s, false);
		assert_int_equal(solo_start(&s), OK);
		session = session_open(s.member, &solo_session_events, &s);
		s.hold_pool = true;
		for (size_t i = 0; i < count; i++)
			solo_send(&s, session, lines[i]);
		solo_work(&s);
		session_close(session);
		s.hold_pool = false;
		assert_string_equal(solo_say(&s, "PING"), "+PONG|");
		solo_close(&s);
	}
}

/* Whether it ran is known at the end: until then nobody knows which database is meant. */
static void what_follows_a_select_in_a_watched_transaction_is_held(void **state)
{
	struct solo s;
	struct session *other;

	(void)state;
	start(&s, false);
	other = session_open(s.member, &solo_session_events, &s);
	assert_string_equal(solo_say(&s, "WATCH a"), "+OK|");
	solo_send(&s, other, "SET a other");
	say_all(&s, (const char *const[]){"MULTI", "SELECT 1", "SET a mine", "EXEC", "SET b x",
					  "QUIT", "SET c x", NULL});
	assert_false(session_wants_close(s.session));
	solo_work(&s);
	assert_string_equal(solo_take(&s, s.session), "+OK|+QUEUED|+QUEUED|*-1|+OK|+OK|");
	assert_true(session_wants_close(s.session));
	assert_string_equal(solo_take(&s, other), "+OK|");
	solo_send(&s, other, "MGET a b c");
	solo_work(&s);
	assert_string_equal(solo_take(&s, other), "*3|$5|other|$1|x|$-1|");
	solo_close(&s);
}

static void an_absent_key_was_changed_if_it_may_have_been_there(void **state)
{
	static const char *const changes[][3] = {
		{"SET a 1", "DEL a", NULL},
		{"SET x 1", "FLUSHDB", NULL},
		{"SWAPDB 0 5", "SWAPDB 0 5", NULL},
	};
	struct solo s;

	(void)state;
	start(&s, false);
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		struct session *other = session_open(s.member, &solo_session_events, &s);

		assert_string_equal(solo_say(&s, "WATCH a"), "+OK|");
		for (const char *const *line = changes[i]; *line; line++)
			solo_send(&s, other, *line);
		solo_work(&s);
		solo_send(&s, s.session, "MULTI");
		assert_string_equal(solo_say(&s, "EXEC"), "+OK|*-1|");
		session_close(other);
	}
	assert_string_equal(solo_say(&s, "WATCH a"), "+OK|");
	solo_send(&s, s.session, "MULTI");
	assert_string_equal(solo_say(&s, "EXEC"), "+OK|*0|");
	solo_close(&s);
}

static void hello_changes_the_protocol_within_a_transaction(void **state)
{
	struct solo s;

	(void)state;
	start(&s, false);
	say_all(&s,
		(const char *const[]){"MULTI", "GET a", "HELLO 3", "GET a", "EXEC", "GET a", NULL});
	solo_work(&s);
	assert_string_equal(solo_take(&s, s.session),
			    "+OK|+QUEUED|+QUEUED|+QUEUED|*3|$-1|%7|$6|server|$5|redis|$7|version|"
			    "$5|7.2.4|$5|proto|:3|$2|id|:1|$4|mode|$10|standalone|$4|role|$6|"
			    "master|$7|modules|*0|_|_|");
	solo_close(&s);
}

static void a_readonly_session_sees_its_own_writes(void **state)
{
	struct solo s;

	(void)state;
	start(&s, true);
	assert_string_equal(solo_say(&s, "READONLY"), "+OK|");
	say_all(&s, (const char *const[]){"GET a", "SET a 1", "GET a", "INCR a", "GET a",
					  "READWRITE", "GET a", NULL});
	solo_work(&s);
	assert_string_equal(solo_take(&s, s.session), "$-1|+OK|$1|1|:2|$1|2|+OK|$1|2|");
	solo_close(&s);
}

static void a_transaction_is_not_larger_than_one_command_may_be(void **state)
{
	struct solo s;
	struct slice argv[3] = {SLICE_LITERAL("SET"), SLICE_LITERAL("a")};
	struct buf value = {0};

	(void)state;
	start(&s, false);
	buf_commit(&value, (buf_reserve(&value, 6 << 20), 6 << 20));
	argv[2] = buf_slice(&value);
	solo_send(&s, s.session, "MULTI");
	for (int i = 0; i < 3; i++)
		session_request(s.session, argv, 3);
	buf_free(&value);
	solo_send(&s, s.session, "EXEC");
	assert_string_equal(solo_take(&s, s.session),
			    "+OK|+QUEUED|+QUEUED|-ERR transaction exceeds maximum allowed size|"
			    "-EXECABORT Transaction discarded because of previous errors.|");
	solo_close(&s);
}

/* The outcome is not known, so neither is the database: the client hears so, and stays where it
 * was. */
static void a_transaction_of_unknown_outcome_changes_no_session(void **state)
{
	struct solo s;
	const char *said;

	(void)state;
	start(&s, false);
	s.hold_pool = true;
	say_all(&s, (const char *const[]){"MULTI", "SELECT 1", "SET a 1", "EXEC", NULL});
	solo_work(&s);
	solo_send(&s, s.session, "SET b 1");
	solo_take(&s, s.session);
	s.now_ms += s.options.request_timeout_ms + 1;
	solo_work(&s);
	said = solo_take(&s, s.session);
	assert_memory_equal(said, "-UNCERTAIN", 10);
	s.hold_pool = false;
	for (int i = 0; i < 40 && !session_is_idle(s.session); i++) {
		s.now_ms += 50;
		solo_work(&s);
	}
	assert_string_equal(solo_take(&s, s.session), "+OK|");
	assert_string_equal(solo_say(&s, "MGET a b"), "*2|$-1|$1|1|");
	solo_close(&s);
}

/* Pipelined behind a WATCH that could not be answered, EXEC would run unwatched. */
static void exec_refuses_when_its_watch_failed(void **state)
{
	struct solo s;
	const char *said;

	(void)state;
	start(&s, false);
	solo_lose_office(&s);
	say_all(&s, (const char *const[]){"WATCH a", "MULTI", "SET a 2", "EXEC", NULL});
	for (int i = 0; i < 60 && !session_is_idle(s.session); i++) {
		s.now_ms += 50;
		solo_work(&s);
	}
	said = solo_take(&s, s.session);
	assert_memory_equal(said, "-CLUSTERDOWN", 12);
	assert_non_null(strstr(said, "|+OK|+QUEUED|-EXECABORT"));
	solo_close(&s);
}

/* The same where WATCH is refused at once, and somebody leads again when the rest comes. */
static void exec_refuses_when_its_watch_was_refused(void **state)
{
	struct solo s;

	(void)state;
	start(&s, false);
	solo_lose_office(&s);
	solo_send(&s, s.session, "SET a 1");
	for (int i = 0; i < 600; i++) {
		s.now_ms += 50;
		solo_work(&s);
	}
	solo_take(&s, s.session);
	solo_send(&s, s.session, "WATCH a");
	assert_non_null(strstr(solo_take(&s, s.session), "-CLUSTERDOWN There is no leader"));
	s.hold_pool = false;
	for (int i = 0; i < 100; i++) {
		s.now_ms += 50;
		solo_work(&s);
	}
	assert_string_equal(solo_say(&s, "MULTI"), "+OK|");
	assert_string_equal(solo_say(&s, "SET a 2"), "+QUEUED|");
	assert_memory_equal(solo_say(&s, "EXEC"), "-EXECABORT", 10);
	solo_close(&s);
}

/* One turn, and then what it gave to other threads. */
static void turn(struct solo *s)
{
	struct list *it;

	member_turn(s->member);
	while ((it = list_pop_front(&s->jobs)) != NULL) {
		struct job *job = LIST_ITEM(it, struct job, link);

		while (job->step(job) == JOB_MORE)
			;
		job->done(job);
	}
}

/* It comes before what is new, it makes no more writes than others may, and waiting costs no turns.
 */
static void what_was_held_goes_on_as_far_as_writes_are_taken(void **state)
{
	enum { HELD = 40, BYTES = 500, ONE = 200 };
	struct solo s;
	struct session *other;
	bool waited = false;
	char line[160];

	(void)state;
	solo_init(&s);
	s.options.unresolved_bytes = BYTES;
	assert_int_equal(solo_start(&s), OK);
	other = session_open(s.member, &solo_session_events, &s);
	say_all(&s, (const char *const[]){"MULTI", "SELECT 1", "SET a 1", "EXEC", NULL});
	for (int i = 0; i < HELD; i++) {
		snprintf(line, sizeof(line), "SET key:%d %0100d", i, i);
		solo_send(&s, s.session, line);
	}
	for (int i = 0; i < 20 * HELD && !session_is_idle(s.session); i++) {
		const struct origin *o = &s.member->origin;

		turn(&s);
		assert_true(o->bytes + o->collected.len <= BYTES + ONE);
		if (list_empty(&s.member->released) || !member_writes_full(s.member))
			continue;
		waited = true;
		assert_true(member_deadline_ms(s.member) > s.now_ms);
		assert_true(session_is_full(other));
	}
	assert_true(waited);
	assert_true(session_is_idle(s.session));
	assert_false(session_is_full(other));
	assert_string_equal(solo_say(&s, "DBSIZE"), "+OK|+QUEUED|+QUEUED|*2|+OK|+OK|"
						    "+OK|+OK|+OK|+OK|+OK|+OK|+OK|+OK|+OK|+OK|"
						    "+OK|+OK|+OK|+OK|+OK|+OK|+OK|+OK|+OK|+OK|"
						    "+OK|+OK|+OK|+OK|+OK|+OK|+OK|+OK|+OK|+OK|"
						    "+OK|+OK|+OK|+OK|+OK|+OK|+OK|+OK|+OK|+OK|:41|");
	solo_close(&s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_transaction_is_one_revision),
		cmocka_unit_test(a_transaction_that_misses_rows_runs_once_they_are_there),
		cmocka_unit_test(a_transaction_walks_the_same_way_again_and_further),
		cmocka_unit_test(exec_waits_for_a_watch_in_the_pool),
		cmocka_unit_test(a_session_may_end_at_any_moment),
		cmocka_unit_test(what_follows_a_select_in_a_watched_transaction_is_held),
		cmocka_unit_test(an_absent_key_was_changed_if_it_may_have_been_there),
		cmocka_unit_test(hello_changes_the_protocol_within_a_transaction),
		cmocka_unit_test(a_readonly_session_sees_its_own_writes),
		cmocka_unit_test(a_transaction_is_not_larger_than_one_command_may_be),
		cmocka_unit_test(a_transaction_of_unknown_outcome_changes_no_session),
		cmocka_unit_test(exec_refuses_when_its_watch_failed),
		cmocka_unit_test(exec_refuses_when_its_watch_was_refused),
		cmocka_unit_test(what_was_held_goes_on_as_far_as_writes_are_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
