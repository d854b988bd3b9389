/* A whole member alone: commands through log and store, restarts, rows that have to be fetched. */

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

static void a_value_is_set_and_read(void **state)
{
	struct solo s;

	(void)state;
	solo_init(&s);
	assert_int_equal(solo_start(&s), OK);
	assert_string_equal(solo_say(&s, "PING"), "+PONG|");
	assert_string_equal(solo_say(&s, "GET a"), "$-1|");
	assert_string_equal(solo_say(&s, "SET a hello"), "+OK|");
	assert_string_equal(solo_say(&s, "GET a"), "$5|hello|");
	assert_string_equal(solo_say(&s, "INCR n"), ":1|");
	assert_string_equal(solo_say(&s, "INCR n"), ":2|");
	assert_string_equal(solo_say(&s, "INCR a"),
			    "-ERR value is not an integer or out of range|");
	assert_string_equal(solo_say(&s, "GET"),
			    "-ERR wrong number of arguments for 'get' command|");
	assert_string_equal(solo_say(&s, "NOPE 1 2"),
			    "-ERR unknown command 'NOPE', with args beginning with: '1' '2' |");
	solo_close(&s);
}

static void what_was_acknowledged_is_there_after_a_power_loss(void **state)
{
	struct solo s;

	(void)state;
	solo_init(&s);
	for (int i = 1; i <= 5; i++) {
		char expected[16];

		assert_int_equal(solo_start(&s), OK);
		snprintf(expected, sizeof(expected), ":%d|", i);
		assert_string_equal(solo_say(&s, "INCR n"), expected);
		solo_stop(&s, i % 2);
	}
	solo_close(&s);
}

/* Everything goes to the engine soon, and the caches hold nothing. */
static void rows_that_are_not_in_memory_are_fetched(void **state)
{
	struct solo s;
	char line[128];

	(void)state;
	solo_init(&s);
	s.options.overlay_bytes = 1;
	s.options.header_cache_bytes = 0;
	s.options.value_cache_bytes = 0;
	assert_int_equal(solo_start(&s), OK);
	for (int i = 0; i < 50; i++) {
		snprintf(line, sizeof(line), "SET key:%d %0100d", i, i);
		assert_string_equal(solo_say(&s, line), "+OK|");
		assert_string_equal(solo_say(&s, "INCR n"),
				    (snprintf(line, 128, ":%d|", i + 1), line));
	}
	for (int i = 0; i < 50; i++) {
		char expected[128];

		snprintf(line, sizeof(line), "GET key:%d", i);
		snprintf(expected, sizeof(expected), "$100|%0100d|", i);
		assert_string_equal(solo_say(&s, line), expected);
	}
	assert_string_equal(solo_say(&s, "GET nothing"), "$-1|");
	solo_stop(&s, true);
	assert_int_equal(solo_start(&s), OK);
	assert_string_equal(solo_say(&s, "GET n"), "$2|50|");
	solo_close(&s);
}

/* Applied, it would be taken for an answer to what this member never asked. */
static unsigned times_said(struct solo *s, const char *text)
{
	unsigned times = 0;
	const char *at;

	buf_append_byte(&s->log_text, 0);
	for (at = (const char *)s->log_text.data; (at = strstr(at, text)) != NULL; at++)
		times++;
	s->log_text.len--;
	return times;
}

/* One line says what to do; whatever does not come to it is answered. */
static void reads_of_damaged_rows_are_refused(void **state)
{
	static const char refusal[] = "-ERR This member cannot read its data: stored data is "
				      "damaged|";
	struct buf row = {0};
	struct solo s;

	(void)state;
	solo_init(&s);
	assert_int_equal(solo_start(&s), OK);
	assert_string_equal(solo_say(&s, "MSET a 1 b 2 c 3"), "+OK|");
	assert_string_equal(solo_say(&s, "SAVE"), "+OK|");
	record_key(&row, store_position(s.member->store)->databases[0], SLICE_LITERAL("b"));
	assert_true(engine_memory_damage(s.rows, FAMILY_STATE, buf_slice(&row)));
	solo_stop(&s, false);
	assert_int_equal(solo_start(&s), OK);
	assert_string_equal(solo_say(&s, "GET a"), "$1|1|");
	assert_string_equal(solo_say(&s, "GET b"), refusal);
	assert_string_equal(solo_say(&s, "KEYS *"), refusal);
	assert_string_equal(solo_say(&s, "RANGE - +"), refusal);
	assert_string_equal(solo_say(&s, "SCAN 0"), refusal);
	assert_string_equal(solo_say(&s, "RANGE (b +"), "*1|*2|$1|c|$1|3|");
	assert_int_equal(times_said(&s, "the stored state is damaged, a line before"), 1);
	assert_int_equal(s.failures, 0);
	buf_free(&row);
	solo_close(&s);
}

static void a_batch_in_the_name_of_another_member_is_ignored(void **state)
{
	struct slice argv[] = {SLICE_LITERAL("SET"), SLICE_LITERAL("a"), SLICE_LITERAL("b")};
	struct batch_command command = {.argc = ARRAY_LEN(argv), .argv = argv};
	struct batch_header h = {.incarnation = 2, .seq = 1, .count = 1};
	struct raft_status status;
	struct buf bytes = {0};
	struct blob *body;
	struct solo s;

	(void)state;
	solo_init(&s);
	assert_int_equal(solo_start(&s), OK);
	driver_status(member_driver(s.member), &status);
	h.member = status.id;
	h.term = status.term;
	batch_header_put(buf_reserve(&bytes, BATCH_HEADER_BYTES), &h);
	buf_commit(&bytes, BATCH_HEADER_BYTES);
	batch_command_encode(&command, &bytes);
	body = blob_copy(buf_slice(&bytes));
	member_receive(s.member, 77, FRAME_FORWARD, body);
	blob_release(body);
	buf_free(&bytes);
	assert_string_equal(solo_say(&s, "GET a"), "$-1|");
	assert_string_equal(solo_say(&s, "SET a c"), "+OK|");
	solo_close(&s);
}

/* Each value is another read, of more memory, in the middle of the scan that gives the keys. */
static void a_range_of_long_values_is_read_from_the_engine(void **state)
{
	struct buf expected = {0};
	struct solo s;
	char line[4096];

	(void)state;
	solo_init(&s);
	s.options.overlay_bytes = 1;
	s.options.header_cache_bytes = 0;
	s.options.value_cache_bytes = 0;
	assert_int_equal(solo_start(&s), OK);
	buf_printf(&expected, "*5|");
	for (int i = 1; i <= 5; i++) {
		snprintf(line, sizeof(line), "SET key:%d %0*d", i, 100 << i, i);
		assert_string_equal(solo_say(&s, line), "+OK|");
		buf_printf(&expected, "*2|$5|key:%d|$%d|%0*d|", i, 100 << i, 100 << i, i);
	}
	buf_append_byte(&expected, 0);
	assert_string_equal(solo_say(&s, "RANGE - +"), (const char *)expected.data);
	buf_free(&expected);
	solo_close(&s);
}

static void replies_come_in_the_order_of_requests(void **state)
{
	struct solo s;

	(void)state;
	solo_init(&s);
	assert_int_equal(solo_start(&s), OK);
	solo_send(&s, s.session, "GET n");
	solo_send(&s, s.session, "INCR n");
	solo_send(&s, s.session, "GET n");
	solo_send(&s, s.session, "PING");
	solo_send(&s, s.session, "INCR n");
	solo_send(&s, s.session, "GET n");
	assert_string_equal(solo_take(&s, s.session), "");
	solo_work(&s);
	assert_string_equal(solo_take(&s, s.session), "$-1|:1|$1|1|+PONG|:2|$1|2|");
	assert_true(session_is_idle(s.session));
	solo_close(&s);
}

/* The state that a read sees is the one of its moment, however long the pool takes. */
/* Else an answer to a run that was killed would pass for one to the next, and rows be skipped. */
static void each_run_numbers_its_questions_from_another_place(void **state)
{
	uint64_t rows, changes;
	struct solo s;

	(void)state;
	solo_init(&s);
	assert_int_equal(solo_start(&s), OK);
	rows = s.member->install.request;
	changes = s.member->changing.number;
	solo_stop(&s, false);
	assert_int_equal(solo_start(&s), OK);
	assert_int_not_equal(s.member->install.request, rows);
	assert_int_not_equal(s.member->changing.number, changes);
	solo_close(&s);
}

/* What waits behind a transaction with commands of the session's own is held in memory. */
static void a_session_is_full_when_what_waits_is_large(void **state)
{
	struct solo s;

	(void)state;
	solo_init(&s);
	s.options.session_bytes = 100;
	assert_int_equal(solo_start(&s), OK);
	s.hold_pool = true;
	solo_send(&s, s.session, "MULTI");
	solo_send(&s, s.session, "SELECT 1");
	solo_send(&s, s.session, "SET a 1");
	solo_send(&s, s.session, "EXEC");
	assert_false(session_is_full(s.session));
	solo_send(&s, s.session,
		  "SET b 0123456789012345678901234567890123456789012345678901234567890123456789");
	assert_false(session_is_full(s.session));
	solo_send(&s, s.session,
		  "SET b 0123456789012345678901234567890123456789012345678901234567890123456789");
	assert_true(session_is_full(s.session));
	s.hold_pool = false;
	solo_work(&s);
	assert_false(session_is_full(s.session));
	assert_string_equal(solo_take(&s, s.session), "+OK|+QUEUED|+QUEUED|*2|+OK|+OK|+OK|+OK|");
	solo_close(&s);
}

static void a_read_in_the_pool_sees_the_state_of_its_turn(void **state)
{
	struct solo s;
	struct session *other;

	(void)state;
	solo_init(&s);
	s.options.overlay_bytes = 1;
	s.options.header_cache_bytes = 0;
	assert_int_equal(solo_start(&s), OK);
	assert_string_equal(solo_say(&s, "SET a old"), "+OK|");
	assert_string_equal(solo_say(&s, "SET b x"), "+OK|");
	solo_stop(&s, false);
	assert_int_equal(solo_start(&s), OK);
	other = session_open(s.member, &solo_session_events, &s);

	s.hold_pool = true;
	solo_send(&s, other, "GET a");
	solo_work(&s);
	assert_string_equal(solo_take(&s, other), "");
	session_close(other);
	s.hold_pool = false;
	assert_string_equal(solo_say(&s, "GET a"), "$3|old|");
	solo_close(&s);
}

/* As long as there may be one soon, what is asked waits, and is told in the end that none came. */
static void what_has_waited_for_a_leader_in_vain_was_not_done(void **state)
{
	struct solo s;

	(void)state;
	solo_init(&s);
	assert_int_equal(solo_start(&s), OK);
	assert_string_equal(solo_say(&s, "SET a old"), "+OK|");
	solo_stop(&s, false);
	s.options.driver.raft.election_ms = 20 * s.options.request_timeout_ms;
	s.hold_pool = true; /* its vote for itself is never on disk */
	assert_int_equal(solo_start(&s), OK);
	solo_send(&s, s.session, "SET a new");
	solo_work(&s);
	assert_string_equal(solo_take(&s, s.session), "");
	s.now_ms += s.options.request_timeout_ms;
	solo_work(&s);
	assert_string_equal(solo_take(&s, s.session),
			    "-CLUSTERDOWN No leader with a majority has answered in time: nothing "
			    "was done|");
	s.hold_pool = false;
	assert_string_equal(solo_say(&s, "GET a"), "$3|old|");
	solo_close(&s);
}

/* Whoever waits for a leader that may never come is told soon; what needs none is answered. */
static void without_a_leader_for_long_nothing_is_waited_for(void **state)
{
	static const struct slice names[] = {{(const uint8_t *)"n1", 2},
					     {(const uint8_t *)"n2", 2}};
	struct solo s;
	uint32_t election_ms;

	(void)state;
	solo_init(&s);
	s.options.driver.names = names;
	s.options.driver.name_count = 2;
	election_ms = s.options.driver.raft.election_ms;
	s.now_ms = 1000;
	assert_int_equal(solo_start(&s), OK);
	s.now_ms = 1000 + 2 * election_ms - 1;
	solo_send(&s, s.session, "GET a");
	assert_string_equal(solo_take(&s, s.session), "");
	s.now_ms += s.options.request_timeout_ms;
	solo_work(&s);
	assert_memory_equal(solo_take(&s, s.session), "-CLUSTERDOWN The cluster is not born", 36);
	solo_says_with(&s, "SET a 1", "-CLUSTERDOWN The cluster is not born yet");
	solo_says_with(&s, "GET a", "-CLUSTERDOWN The cluster is not born yet");
	assert_string_equal(solo_say(&s, "PING"), "+PONG|");
	assert_string_equal(solo_say(&s, "MULTI"), "+OK|");
	solo_says_with(&s, "SET a 1", "-CLUSTERDOWN");
	solo_says_with(&s, "EXEC", "-EXECABORT");
	solo_close(&s);
}

/* Its own state is there all the same. */
static void readonly_needs_no_leader(void **state)
{
	struct session *other;
	struct solo s;

	(void)state;
	solo_init(&s);
	assert_int_equal(solo_start(&s), OK);
	other = session_open(s.member, &solo_session_events, &s);
	solo_lose_office(&s);
	solo_send(&s, s.session, "SET a 1");
	for (int i = 0; i < 600; i++) {
		s.now_ms += 50;
		solo_work(&s);
	}
	assert_memory_equal(solo_say_in(&s, other, "DBSIZE"), "-CLUSTERDOWN There is no leader",
			    31);
	assert_string_equal(solo_say_in(&s, other, "READONLY"), "+OK|");
	assert_string_equal(solo_say_in(&s, other, "DBSIZE"), ":0|");
	s.hold_pool = false;
	solo_close(&s);
}

/* What it would do with others is no news to whoever runs one server. */
static void a_member_that_is_alone_says_nothing_of_others(void **state)
{
	struct solo s;

	(void)state;
	solo_init(&s);
	assert_int_equal(solo_start(&s), OK);
	member_hand_over(s.member);
	solo_work(&s);
	buf_append_byte(&s.log_text, 0);
	assert_non_null(strstr((char *)s.log_text.data, "the cluster is born with 1 member"));
	assert_null(strstr((char *)s.log_text.data, "waits for"));
	assert_null(strstr((char *)s.log_text.data, "handed over"));
	solo_close(&s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_is_set_and_read),
		cmocka_unit_test(what_was_acknowledged_is_there_after_a_power_loss),
		cmocka_unit_test(rows_that_are_not_in_memory_are_fetched),
		cmocka_unit_test(reads_of_damaged_rows_are_refused),
		cmocka_unit_test(a_batch_in_the_name_of_another_member_is_ignored),
		cmocka_unit_test(a_range_of_long_values_is_read_from_the_engine),
		cmocka_unit_test(replies_come_in_the_order_of_requests),
		cmocka_unit_test(each_run_numbers_its_questions_from_another_place),
		cmocka_unit_test(a_session_is_full_when_what_waits_is_large),
		cmocka_unit_test(a_read_in_the_pool_sees_the_state_of_its_turn),
		cmocka_unit_test(a_member_that_is_alone_says_nothing_of_others),
		cmocka_unit_test(what_has_waited_for_a_leader_in_vain_was_not_done),
		cmocka_unit_test(without_a_leader_for_long_nothing_is_waited_for),
		cmocka_unit_test(readonly_needs_no_leader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
