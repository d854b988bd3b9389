/* Giving a state to others: how fast, and what becomes of a question that is asked twice. */

#include "base/error.h"
#include "node/member_state.h"
#include "node/transfer.h"

#include "support/solo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define OTHER 77

/* A member with a stored state, and the answers that it gave. */
struct giver {
	struct solo solo; /* first: the functions of its io are given this one */
	unsigned answers;
	size_t bytes; /* of the last one */
	uint64_t request;
	unsigned kind; /* of rows */
};

static void note_answer(void *ctx, uint64_t to, const struct frame *frame)
{
	struct giver *g = CONTAINER_OF(ctx, struct giver, solo);
	struct rows rows;

	if (frame->kind != FRAME_ROWS)
		return;
	assert_int_equal(to, OTHER);
	assert_int_equal(rows_decode(frame->head, &rows), OK);
	g->request = rows.request;
	g->kind = rows.kind;
	g->bytes = frame->head.len;
	g->answers++;
}

static void giver_start(struct giver *g, uint64_t bytes_per_s)
{
	*g = (struct giver){0};
	solo_init(&g->solo);
	g->solo.io.send = note_answer;
	g->solo.options.share_bytes = 64;
	g->solo.options.share_bytes_per_s = bytes_per_s;
	assert_int_equal(solo_start(&g->solo), OK);
	for (int i = 0; i < 8; i++)
		solo_say(&g->solo, "SET key some-value-of-it");
	assert_string_equal(solo_say(&g->solo, "SAVE"), "+OK|");
}

static void ask(struct giver *g, uint64_t request)
{
	struct fetch f = {.from = OTHER,
			  .index = store_durable_index(g->solo.member->store),
			  .request = request,
			  .family = FAMILY_HISTORY};
	struct buf question = {0};
	struct blob *body;

	fetch_encode(&f, &question);
	body = blob_copy(buf_slice(&question));
	member_receive(g->solo.member, OTHER, FRAME_FETCH, body);
	blob_release(body);
	buf_free(&question);
}

static void answers_wait_for_the_line_to_be_free(void **state)
{
	struct giver g;
	uint64_t free_ms;

	(void)state;
	giver_start(&g, 100);
	ask(&g, 1);
	solo_work(&g.solo);
	assert_int_equal(g.answers, 1);
	free_ms = g.solo.now_ms + g.bytes * 1000 / 100;
	ask(&g, 2);
	solo_work(&g.solo);
	assert_int_equal(g.answers, 1);
	assert_true(member_deadline_ms(g.solo.member) <= free_ms);
	g.solo.now_ms = free_ms - 20; /* solo_work goes on a little */
	solo_work(&g.solo);
	assert_int_equal(g.answers, 1);
	g.solo.now_ms = free_ms;
	solo_work(&g.solo);
	assert_int_equal(g.answers, 2);
	assert_int_equal(g.request, 2);
	solo_close(&g.solo);
}

static void without_a_bound_nothing_waits(void **state)
{
	struct giver g;

	(void)state;
	giver_start(&g, 0);
	for (uint64_t i = 1; i <= 5; i++)
		ask(&g, i);
	solo_work(&g.solo);
	assert_int_equal(g.answers, 5);
	solo_close(&g.solo);
}

/* So that the next one who asks is answered before it gives up. */
static void at_a_low_rate_answers_are_short(void **state)
{
	size_t bytes[3] = {0};
	static const uint64_t rates[] = {1, 300, 0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rates); i++) {
		struct giver g;

		giver_start(&g, rates[i]);
		g.solo.member->options.driver.raft.election_ms = 1000;
		g.solo.member->options.share_bytes = 1 << 20;
		ask(&g, 1);
		solo_work(&g.solo);
		assert_int_equal(g.answers, 1);
		bytes[i] = g.bytes;
		solo_close(&g.solo);
	}
	/* One row at least; rows until a second is full; all. */
	assert_true(bytes[0] < bytes[1]);
	assert_true(bytes[1] < 300 + bytes[0]);
	assert_true(bytes[1] < bytes[2]);
}

static void at_another_rate_the_line_is_free(void **state)
{
	struct member_limits limits = {.request_timeout_ms = 1000, .share_bytes_per_s = 1000000};
	struct giver g;

	(void)state;
	giver_start(&g, 1);
	ask(&g, 1);
	ask(&g, 2);
	solo_work(&g.solo);
	assert_int_equal(g.answers, 1);
	member_set_limits(g.solo.member, &limits);
	ask(&g, 3);
	solo_work(&g.solo);
	assert_int_equal(g.answers, 2);
	assert_int_equal(g.request, 3);
	solo_close(&g.solo);
}

/* Whoever asks again before the answer went out gets one answer. */
static void a_question_asked_again_is_answered_once(void **state)
{
	struct giver g;

	(void)state;
	giver_start(&g, 100);
	ask(&g, 1);
	solo_work(&g.solo);
	for (int i = 0; i < 5; i++) {
		ask(&g, 2);
		solo_work(&g.solo);
	}
	g.solo.now_ms += 3600 * 1000;
	solo_work(&g.solo);
	assert_int_equal(g.answers, 2);
	ask(&g, 2);
	solo_work(&g.solo);
	assert_int_equal(g.answers, 3); /* that one was lost */
	solo_close(&g.solo);
}

/* The log says so, once; whoever asked is told that there is nothing, each time. */
static void rows_that_cannot_be_read_are_not_passed_over(void **state)
{
	const char *said;
	struct giver g;

	(void)state;
	giver_start(&g, 0);
	engine_memory_fail(g.solo.rows, ENGINE_MEMORY_READ, 1, ERR_CORRUPT);
	ask(&g, 1);
	solo_work(&g.solo);
	assert_int_equal(g.answers, 1);
	assert_int_equal(g.kind, ROWS_GONE);
	engine_memory_fail(g.solo.rows, ENGINE_MEMORY_READ, 1, ERR_CORRUPT);
	ask(&g, 2);
	solo_work(&g.solo);
	assert_int_equal(g.answers, 2);
	assert_int_equal(g.kind, ROWS_GONE);
	buf_append_byte(&g.solo.log_text, 0);
	said = strstr((char *)g.solo.log_text.data,
		      "the stored state cannot be given to member 000000000000004d: stored");
	assert_non_null(said);
	assert_null(strstr(said + 1, "the stored state cannot be given"));
	assert_int_equal(g.solo.failures, 0);
	solo_close(&g.solo);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_wait_for_the_line_to_be_free),
		cmocka_unit_test(without_a_bound_nothing_waits),
		cmocka_unit_test(at_a_low_rate_answers_are_short),
		cmocka_unit_test(at_another_rate_the_line_is_free),
		cmocka_unit_test(a_question_asked_again_is_answered_once),
		cmocka_unit_test(rows_that_cannot_be_read_are_not_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
