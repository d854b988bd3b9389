/* CLIENT on the clients of one member: who is there, whose end is asked for, who has to wait. */

#include "base/error.h"
#include "command/client_socket.h"

#include "support/solo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct session *other;

static int started(void **state)
{
	static struct solo s;

	solo_init(&s);
	*state = &s;
	if (solo_start(&s) != OK)
		return -1;
	session_set_address(s.session, SLICE_LITERAL("1.1.1.1:1"));
	other = session_open(s.member, &solo_session_events, &s);
	session_set_address(other, SLICE_LITERAL("2.2.2.2:2"));
	return 0;
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

/* ---- who is there ---------------------------------------------------------------------------- */

static void a_line_says_who_a_client_is(void **state)
{
	struct solo *s = *state;

	s->now_ms += 7000;
	solo_say_in(s, other, "CLIENT SETNAME you");
	solo_say_in(s, other, "CLIENT SETINFO lib-name lib");
	solo_say_in(s, other, "SELECT 3");
	solo_say_in(s, other, "HELLO 3");
	solo_say_in(s, other, "MULTI");
	solo_say_in(s, other, "SET a 1");
	solo_say_in(s, other, "SET a 2");
	s->now_ms += 5000;
	solo_says_with(
		s, "CLIENT LIST",
		"id=2 addr=2.2.2.2:2 laddr= fd=-1 name=you age=12 idle=5 flags=x db=3 sub=0 psub=0 "
		"ssub=0 multi=2 qbuf=0 qbuf-free=0 argv-mem=0 multi-mem=");
	solo_says_with(s, "CLIENT LIST",
		       " obl=0 oll=0 omem=0 events=r cmd=set user=default redir=-1 resp=3 "
		       "lib-name=lib lib-ver=|");
	solo_says_with(s, "CLIENT INFO",
		       "|id=1 addr=1.1.1.1:1 laddr= fd=-1 name= age=12 idle=0 flags=N ");
	solo_says_with(s, "CLIENT INFO", " multi=-1 ");
	solo_says_with(s, "CLIENT INFO", " cmd=client|info ");
	lacks(s, "CLIENT INFO", "2.2.2.2");
}

static void flags_say_what_is_special(void **state)
{
	struct solo *s = *state;

	solo_say_in(s, other, "READONLY");
	solo_say_in(s, other, "CLIENT NO-EVICT on");
	solo_say_in(s, other, "CLIENT NO-TOUCH on");
	solo_says_with(s, "CLIENT LIST", " flags=reT ");
	solo_say_in(s, other, "MULTI");
	solo_says_with(s, "CLIENT LIST", " flags=xreT ");
	solo_say_in(s, other, "RESET");
	lacks(s, "CLIENT LIST", "flags=x");
}

static void lists_are_of_those_asked_for(void **state)
{
	struct solo *s = *state;
	const char *said;

	lacks(s, "CLIENT LIST ID 2", "id=1 ");
	solo_says_with(s, "CLIENT LIST ID 2", "id=2 addr=2.2.2.2:2");
	said = solo_say(s, "CLIENT LIST ID 2 9 1");
	assert_true(strstr(said, "id=2 ") < strstr(said, "id=1 "));
	assert_string_equal(solo_say(s, "CLIENT LIST ID 9"), "$0||");
	assert_string_equal(solo_say(s, "CLIENT LIST TYPE replica"), "$0||");
	solo_says_with(s, "CLIENT LIST TYPE normal", "id=2 ");
}

static void describe(void *ctx, struct client_socket *out)
{
	(void)ctx;
	*out = (struct client_socket){
		.fd = 8, .input_used = 3, .input_free = 4, .local = "9.9.9.9:9"};
}

static void nothing(void *ctx)
{
	(void)ctx;
}

static void what_the_process_knows_is_told(void **state)
{
	static const struct session_events events = {nothing, nothing, describe};
	struct solo *s = *state;

	(void)session_open(s->member, &events, s);
	solo_says_with(s, "CLIENT LIST ID 3", " laddr=9.9.9.9:9 fd=8 ");
	solo_says_with(s, "CLIENT LIST ID 3", " qbuf=3 qbuf-free=4 ");
	assert_string_equal(solo_say(s, "CLIENT KILL LADDR 9.9.9.9:9"), ":1|");
}

/* ---- the end --------------------------------------------------------------------------------- */

static void who_is_killed_runs_nothing_more(void **state)
{
	struct solo *s = *state;

	assert_string_equal(solo_say(s, "CLIENT KILL ID 2"), ":1|");
	assert_true(session_is_killed(other));
	assert_true(session_wants_close(other));
	assert_string_equal(solo_say_in(s, other, "SET a 1"), "");
	assert_string_equal(solo_say(s, "GET a"), "$-1|");
	assert_string_equal(solo_say(s, "CLIENT KILL ID 2"), ":0|");
	assert_false(session_wants_close(s->session));
}

static void count(void *ctx)
{
	(*(unsigned *)ctx)++;
}

/* It has nothing to read, and is to be closed all the same. */
static void the_process_is_told_of_the_end(void **state)
{
	static const struct session_events events = {count, nothing, NULL};
	struct solo *s = *state;
	unsigned told = 0;

	(void)session_open(s->member, &events, &told);
	solo_work(s);
	assert_int_equal(told, 0);
	assert_string_equal(solo_say(s, "CLIENT KILL ID 3"), ":1|");
	assert_int_equal(told, 1);
}

static void a_write_is_resolved_before_the_end(void **state)
{
	struct solo *s = *state;

	s->hold_pool = true; /* the disk hangs: nothing is acknowledged */
	solo_send(s, other, "SET a 1");
	solo_work(s);
	assert_string_equal(solo_say(s, "CLIENT KILL ADDR 2.2.2.2:2"), ":1|");
	assert_true(session_is_killed(other));
	assert_false(session_wants_close(other));
	s->hold_pool = false;
	solo_work(s);
	assert_true(session_wants_close(other));
	assert_string_equal(solo_take(s, other), "+OK|");
}

static void a_transaction_does_not_bring_it_back(void **state)
{
	struct solo *s = *state;

	solo_say_in(s, other, "MULTI");
	solo_say_in(s, other, "CLIENT SETNAME x");
	solo_say_in(s, other, "SET a 1");
	s->hold_pool = true;
	solo_send(s, other, "EXEC");
	solo_work(s);
	solo_say(s, "CLIENT KILL ID 2");
	s->hold_pool = false;
	solo_work(s);
	assert_string_equal(solo_take(s, other), "*2|+OK|+OK|");
	assert_true(session_wants_close(other));
}

/* Both were held; the one that comes first ends the other. */
static void who_is_killed_while_it_is_held_runs_nothing(void **state)
{
	struct solo *s = *state;
	struct session *third = session_open(s->member, &solo_session_events, s);

	solo_say(s, "CLIENT PAUSE 100000");
	assert_string_equal(solo_say(s, "CLIENT KILL ID 2"), "");
	assert_string_equal(solo_say_in(s, other, "SET a 1"), "");
	assert_string_equal(solo_say_in(s, third, "CLIENT UNPAUSE"), "+OK|");
	assert_string_equal(solo_take(s, s->session), ":1|");
	assert_true(session_wants_close(other));
	assert_string_equal(solo_say_in(s, third, "GET a"), "$-1|");
}

/* ---- within a transaction -------------------------------------------------------------------- */

static void a_transaction_that_runs_kills_and_pauses(void **state)
{
	struct solo *s = *state;

	solo_say(s, "MULTI");
	solo_say(s, "CLIENT KILL ID 2");
	solo_say(s, "CLIENT PAUSE 100000");
	solo_say(s, "SET a 1");
	assert_false(session_is_killed(other));
	assert_string_equal(solo_say(s, "EXEC"), "*3|:1|+OK|+OK|");
	assert_true(session_is_killed(other));
	assert_string_equal(solo_say(s, "PING"), "");
	assert_string_equal(solo_say(s, "CLIENT UNPAUSE"), "");
}

static void one_that_does_not_run_does_nothing_to_others(void **state)
{
	struct solo *s = *state;

	solo_say(s, "WATCH a");
	solo_say_in(s, other, "SET a 1");
	solo_say(s, "MULTI");
	solo_say(s, "CLIENT KILL ID 2");
	solo_say(s, "CLIENT PAUSE 100000");
	solo_say(s, "GET a");
	assert_string_equal(solo_say(s, "EXEC"), "*-1|");
	assert_false(session_is_killed(other));
	assert_string_equal(solo_say_in(s, other, "PING"), "+PONG|");
	solo_say(s, "MULTI");
	solo_say(s, "CLIENT ID");
	assert_string_equal(solo_say(s, "EXEC"), "*1|:1|");
	assert_false(session_is_killed(other));
	assert_string_equal(solo_say_in(s, other, "PING"), "+PONG|");
}

static void one_may_end_its_own_client_and_a_pause(void **state)
{
	struct solo *s = *state;

	solo_say(s, "MULTI");
	solo_say(s, "CLIENT PAUSE 100000 WRITE");
	solo_say(s, "CLIENT UNPAUSE");
	solo_say(s, "CLIENT KILL 1.1.1.1:1");
	assert_string_equal(solo_say(s, "EXEC"), "*3|+OK|+OK|+OK|");
	assert_true(session_wants_close(s->session));
	assert_string_equal(solo_say_in(s, other, "SET a 1"), "+OK|");
}

static void filters_hold_together(void **state)
{
	struct solo *s = *state;

	assert_string_equal(solo_say(s, "CLIENT KILL ID 2 ADDR 1.1.1.1:1 SKIPME no"), ":0|");
	assert_string_equal(solo_say(s, "CLIENT KILL USER default TYPE pubsub"), ":0|");
	assert_string_equal(solo_say(s, "CLIENT KILL ADDR 1.1.1.1:1"), ":0|");
	assert_false(session_is_killed(other));
	assert_string_equal(solo_say(s, "CLIENT KILL USER default TYPE normal SKIPME yes"), ":1|");
	assert_true(session_is_killed(other));
}

static void who_kills_itself_is_told_so(void **state)
{
	struct solo *s = *state;

	assert_string_equal(solo_say(s, "CLIENT KILL 1.1.1.1:1"), "+OK|");
	assert_true(session_wants_close(s->session));
	assert_string_equal(solo_say_in(s, other, "CLIENT KILL ID 2 SKIPME no"), ":1|");
	assert_true(session_wants_close(other));
}

static void who_speaks_http_is_cut_off(void **state)
{
	struct solo *s = *state;
	struct session *third = session_open(s->member, &solo_session_events, s);

	assert_string_equal(solo_say_in(s, other, "GET / HTTP/1.1"),
			    "-ERR wrong number of arguments for 'get' command|");
	solo_send(s, other, "Host: 127.0.0.1:6379");
	solo_send(s, other, "SET a 1");
	solo_send(s, third, "MULTI");
	solo_send(s, third, "SET a 1");
	solo_send(s, third, "pOSt / HTTP/1.1");
	solo_send(s, third, "EXEC");
	solo_work(s);
	assert_true(session_is_killed(other));
	assert_true(session_wants_close(other));
	assert_true(session_is_killed(third));
	assert_string_equal(solo_say(s, "EXISTS a"), ":0|");
	session_close(third);
}

/* ---- replies --------------------------------------------------------------------------------- */

static void replies_are_left_out_as_asked(void **state)
{
	struct solo *s = *state;

	assert_string_equal(solo_say(s, "CLIENT REPLY SKIP"), "");
	assert_string_equal(solo_say(s, "SET a 1"), "");
	assert_string_equal(solo_say(s, "GET a"), "$1|1|");
	assert_string_equal(solo_say(s, "CLIENT REPLY OFF"), "");
	assert_string_equal(solo_say(s, "SET a 2"), "");
	assert_string_equal(solo_say(s, "NOPE"), "");
	assert_string_equal(solo_say(s, "GET a"), "");
	assert_string_equal(solo_say(s, "CLIENT REPLY SKIP"), "");
	assert_string_equal(solo_say(s, "PING"), "");
	assert_string_equal(solo_say(s, "CLIENT REPLY x"), "");
	assert_string_equal(solo_say(s, "CLIENT REPLY ON"), "+OK|");
	assert_string_equal(solo_say(s, "GET a"), "$1|2|");
}

static void a_pipeline_lacks_the_right_reply(void **state)
{
	struct solo *s = *state;

	solo_send(s, s->session, "SET a 1");
	solo_send(s, s->session, "CLIENT REPLY SKIP");
	solo_send(s, s->session, "SET a 2");
	solo_send(s, s->session, "GET a");
	solo_work(s);
	assert_string_equal(solo_take(s, s->session), "+OK|$1|2|");
}

/* ---- pauses ---------------------------------------------------------------------------------- */

static void a_pause_of_writes_holds_writes(void **state)
{
	struct solo *s = *state;

	assert_string_equal(solo_say(s, "CLIENT PAUSE 1000 WRITE"), "+OK|");
	assert_string_equal(solo_say_in(s, other, "GET a"), "$-1|");
	assert_string_equal(solo_say_in(s, other, "SET a 1"), "");
	/* In order: what comes behind it waits, too. */
	assert_string_equal(solo_say_in(s, other, "GET a"), "");
	assert_string_equal(solo_say(s, "GET a"), "$-1|");
	s->now_ms += 900;
	solo_work(s);
	assert_string_equal(solo_take(s, other), "");
	s->now_ms += 100;
	solo_work(s);
	assert_string_equal(solo_take(s, other), "+OK|$1|1|");
}

static void a_transaction_that_writes_is_held(void **state)
{
	struct solo *s = *state;

	solo_say_in(s, other, "MULTI");
	assert_string_equal(solo_say_in(s, other, "SET a 1"), "+QUEUED|");
	solo_say(s, "MULTI");
	solo_say(s, "GET a");
	assert_string_equal(solo_say(s, "EXEC"), "*1|$-1|");
	solo_say(s, "CLIENT PAUSE 1000 WRITE");
	assert_string_equal(solo_say_in(s, other, "EXEC"), "");
	assert_string_equal(solo_say(s, "CLIENT UNPAUSE"), "+OK|");
	assert_string_equal(solo_take(s, other), "*1|+OK|");
}

static void a_pause_of_all_holds_all_but_its_end(void **state)
{
	struct solo *s = *state;

	solo_say(s, "CLIENT PAUSE 100000");
	assert_string_equal(solo_say_in(s, other, "PING"), "");
	assert_string_equal(solo_say_in(s, other, "CLIENT UNPAUSE"),
			    ""); /* behind a PING that waits */
	assert_string_equal(solo_say(s, "CLIENT UNPAUSE"), "+OK|");
	assert_string_equal(solo_take(s, other), "+PONG|+OK|");
}

static void of_two_pauses_the_longer_and_the_stricter_counts(void **state)
{
	struct solo *s = *state;

	solo_say_in(s, other, "CLIENT PAUSE 5000 WRITE");
	solo_say(s, "CLIENT PAUSE 1000 ALL");
	s->now_ms += 4900;
	assert_string_equal(solo_say_in(s, other, "PING"), "");
	s->now_ms += 100;
	solo_work(s);
	assert_string_equal(solo_take(s, other), "+PONG|");
}

/* Deadlines go on: the key is gone when the pause is over. */
static void expiry_is_not_paused(void **state)
{
	struct solo *s = *state;

	solo_say(s, "SET a 1 PX 500");
	solo_say(s, "CLIENT PAUSE 1000 WRITE");
	for (int i = 0; i < 9; i++) {
		s->now_ms += 100;
		solo_work(s);
	}
	assert_string_equal(solo_say_in(s, other, "EXISTS a"), ":0|");
}

static void who_is_killed_while_it_waits_is_gone(void **state)
{
	struct solo *s = *state;

	solo_say(s, "CLIENT PAUSE 1000 WRITE");
	solo_say_in(s, other, "SET a 1");
	assert_string_equal(solo_say(s, "CLIENT KILL ID 2"), ":1|");
	assert_true(session_wants_close(other));
	s->now_ms += 1000;
	solo_work(s);
	assert_string_equal(solo_say(s, "GET a"), "$-1|");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, started, stopped)
	static const struct CMUnitTest tests[] = {
		TEST(a_line_says_who_a_client_is),
		TEST(flags_say_what_is_special),
		TEST(lists_are_of_those_asked_for),
		TEST(what_the_process_knows_is_told),
		TEST(who_is_killed_runs_nothing_more),
		TEST(the_process_is_told_of_the_end),
		TEST(a_write_is_resolved_before_the_end),
		TEST(a_transaction_does_not_bring_it_back),
		TEST(filters_hold_together),
		TEST(who_is_killed_while_it_is_held_runs_nothing),
		TEST(a_transaction_that_runs_kills_and_pauses),
		TEST(one_that_does_not_run_does_nothing_to_others),
		TEST(one_may_end_its_own_client_and_a_pause),
		TEST(who_kills_itself_is_told_so),
		TEST(who_speaks_http_is_cut_off),
		TEST(replies_are_left_out_as_asked),
		TEST(a_pipeline_lacks_the_right_reply),
		TEST(a_pause_of_writes_holds_writes),
		TEST(a_transaction_that_writes_is_held),
		TEST(a_pause_of_all_holds_all_but_its_end),
		TEST(of_two_pauses_the_longer_and_the_stricter_counts),
		TEST(expiry_is_not_paused),
		TEST(who_is_killed_while_it_waits_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
