/* A session whose output is limited, on a whole member. */

#include "base/error.h"

#include "support/solo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define LIMIT 100

#define CUT "-ERR the replies that wait are beyond client-output-buffer-limit: this was not run|"

static int started(void **state)
{
	static struct solo s;

	solo_init(&s);
	*state = &s;
	if (solo_start(&s) != OK)
		return -1;
	/* 40 bytes, 47 as a reply. */
	solo_say(&s, "SET a 1234567890123456789012345678901234567890");
	return 0;
}

static int stopped(void **state)
{
	solo_close(*state);
	return 0;
}

#define A "$40|1234567890123456789012345678901234567890|"

static void reads_are_run_until_there_is_too_much(void **state)
{
	struct solo *s = *state;

	session_limit_output(s->session, LIMIT);
	for (int i = 0; i < 5; i++)
		solo_send(s, s->session, "GET a");
	solo_work(s);
	assert_string_equal(solo_take(s, s->session), A A A CUT CUT);
	assert_true(session_is_cut(s->session));
	assert_true(session_is_idle(s->session));
	assert_string_equal(solo_say(s, "SET a 2"), "");
	assert_string_equal(solo_say(s, "PING"), "");
}

static void what_is_at_the_limit_is_not_beyond(void **state)
{
	struct solo *s = *state;

	session_limit_output(s->session, 2 * (sizeof(A) + 1));
	assert_string_equal(solo_say(s, "GET a"), A);
	for (int i = 0; i < 2; i++)
		solo_send(s, s->session, "GET a");
	solo_work(s);
	assert_string_equal(solo_take(s, s->session), A A);
	assert_false(session_is_cut(s->session));
}

/* The write that was handed out is resolved and answered; that which was not is not applied. */
static void writes_that_are_under_way_are_answered(void **state)
{
	struct solo *s = *state;

	session_limit_output(s->session, LIMIT);
	s->hold_pool = true;
	solo_send(s, s->session, "INCR n");
	member_turn(s->member);
	solo_send(s, s->session, "ECHO 12345678901234567890123456789012345678901234567890");
	solo_send(s, s->session, "ECHO 12345678901234567890123456789012345678901234567890");
	solo_send(s, s->session, "INCR n");
	assert_false(session_is_idle(s->session));
	assert_true(session_is_cut(s->session));
	s->hold_pool = false;
	solo_work(s);
	assert_string_equal(solo_take(s, s->session),
			    ":1|$50|12345678901234567890123456789012345678901234567890|"
			    "$50|12345678901234567890123456789012345678901234567890|");
	assert_true(session_is_idle(s->session));
}

static void a_write_without_a_number_is_refused(void **state)
{
	struct solo *s = *state;
	struct session *other;

	session_limit_output(s->session, LIMIT);
	solo_send(s, s->session, "INCR n");
	solo_send(s, s->session, "ECHO 12345678901234567890123456789012345678901234567890");
	solo_send(s, s->session, "ECHO 12345678901234567890123456789012345678901234567890");
	solo_work(s);
	assert_string_equal(solo_take(s, s->session),
			    CUT "$50|12345678901234567890123456789012345678901234567890|"
				"$50|12345678901234567890123456789012345678901234567890|");
	other = session_open(s->member, &solo_session_events, s);
	solo_send(s, other, "EXISTS n");
	solo_work(s);
	assert_string_equal(solo_take(s, other), ":0|");
}

static void what_is_held_behind_a_transaction_is_in_vain(void **state)
{
	struct solo *s = *state;

	s->hold_pool = true;
	solo_send(s, s->session, "MULTI");
	solo_send(s, s->session, "PING");
	solo_send(s, s->session, "INCR n");
	solo_send(s, s->session, "EXEC");
	member_turn(s->member);
	solo_send(s, s->session, "SELECT 3");
	session_cut(s->session);
	s->hold_pool = false;
	solo_work(s);
	assert_string_equal(solo_take(s, s->session), "+OK|+QUEUED|+QUEUED|*2|+PONG|:1|");
	assert_true(session_is_idle(s->session));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reads_are_run_until_there_is_too_much, started,
						stopped),
		cmocka_unit_test_setup_teardown(what_is_at_the_limit_is_not_beyond, started,
						stopped),
		cmocka_unit_test_setup_teardown(writes_that_are_under_way_are_answered, started,
						stopped),
		cmocka_unit_test_setup_teardown(a_write_without_a_number_is_refused, started,
						stopped),
		cmocka_unit_test_setup_teardown(what_is_held_behind_a_transaction_is_in_vain,
						started, stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
