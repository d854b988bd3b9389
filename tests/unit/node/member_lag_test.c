/* A leader whose applying is behind takes in no more until it has caught up. */

#include "base/error.h"
#include "node/member_state.h"

#include "support/solo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define OTHER 77

static uint64_t last_index(struct solo *s)
{
	struct raft_status status;

	driver_status(member_driver(s->member), &status);
	return status.last;
}

/* Another member forwards a batch of one command. */
static void forward(struct solo *s, uint64_t seq, uint64_t term)
{
	struct slice argv[] = {SLICE_LITERAL("SET"), SLICE_LITERAL("a"), SLICE_LITERAL("1")};
	struct batch_command c = {.argc = 3, .argv = argv};
	struct batch_header h = {
		.member = OTHER, .incarnation = 1, .seq = seq, .term = term, .count = 1};
	struct buf bytes = {0};
	struct blob *body;

	batch_header_put(buf_reserve(&bytes, BATCH_HEADER_BYTES), &h);
	bytes.len = BATCH_HEADER_BYTES;
	batch_command_encode(&c, &bytes);
	body = blob_copy(buf_slice(&bytes));
	member_receive(s->member, OTHER, FRAME_FORWARD, body);
	blob_release(body);
	buf_free(&bytes);
}

/* Nothing is written any more, so nothing is applied: the next entry is all that gets in. */
static void start_lagging(struct solo *s)
{
	solo_init(s);
	s->options.lag_bytes = 0;
	assert_int_equal(solo_start(s), OK);
	s->hold_pool = true;
	solo_send(s, s->session, "SET mine 1");
	solo_work(s);
	assert_true(member_lags(s->member));
}

static void what_comes_meanwhile_waits(void **state)
{
	struct solo s;
	uint64_t term, last;

	(void)state;
	start_lagging(&s);
	term = s.member->status.term;
	last = last_index(&s);
	forward(&s, 1, term);
	forward(&s, 2, term);
	solo_send(&s, s.session, "SET mine 2");
	solo_work(&s);
	assert_int_equal(last_index(&s), last);
	assert_true(s.member->lag.held_bytes > 0);
	s.hold_pool = false;
	solo_work(&s);
	assert_int_equal(last_index(&s), last + 3);
	assert_int_equal(s.member->lag.held_bytes, 0);
	assert_int_equal(s.member->lag.bytes, 0);
	assert_string_equal(solo_take(&s, s.session), "+OK|+OK|");
	solo_close(&s);
}

static void what_is_sent_again_takes_the_place_of_what_waits(void **state)
{
	struct solo s;
	size_t held;

	(void)state;
	start_lagging(&s);
	forward(&s, 1, s.member->status.term);
	forward(&s, 2, s.member->status.term);
	held = s.member->lag.held_bytes;
	for (int i = 0; i < 10; i++) {
		forward(&s, 1, s.member->status.term);
		forward(&s, 2, s.member->status.term);
	}
	assert_int_equal(s.member->lag.held_bytes, held);
	solo_close(&s);
}

static void what_was_meant_for_another_term_is_dropped(void **state)
{
	struct solo s;

	(void)state;
	start_lagging(&s);
	forward(&s, 1, s.member->status.term + 1);
	assert_int_equal(s.member->lag.held_bytes, 0);
	forward(&s, 1, s.member->status.term - 1);
	assert_int_equal(s.member->lag.held_bytes, 0);
	solo_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_comes_meanwhile_waits),
		cmocka_unit_test(what_is_sent_again_takes_the_place_of_what_waits),
		cmocka_unit_test(what_was_meant_for_another_term_is_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
