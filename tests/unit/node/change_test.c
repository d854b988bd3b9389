/* MEMBER: a cluster of one is told who takes part, and says why it does not do what harms it. */

#include "node/change_frame.h"
#include "node/member_state.h"

#include "base/error.h"
#include "consensus/label.h"

#include "support/solo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ID "00000000000000aa"

static void start(struct solo *s)
{
	solo_init(s);
	assert_int_equal(solo_start(s), OK);
}

static void the_list_says_who_takes_part(void **state)
{
	struct solo s;
	char expected[512];
	uint64_t id;

	(void)state;
	start(&s);
	id = driver_id(member_driver(s.member));
	snprintf(expected, sizeof(expected),
		 "*1|*12|$2|id|$16|%016llx|$4|name|$2|n1|$7|address|$0||$4|role|$5|voter|"
		 "$5|leads|:1|$12|auto-promote|:0|",
		 (unsigned long long)id);
	assert_string_equal(solo_say(&s, "MEMBER LIST"), expected);
	solo_close(&s);
}

static void a_newcomer_is_a_learner_and_leaves_again_for_ever(void **state)
{
	struct solo s;

	(void)state;
	start(&s);
	assert_string_equal(solo_say(&s, "MEMBER ADD " ID " n2 10.0.0.2:16379"), "+OK|");
	assert_non_null(strstr(solo_say(&s, "MEMBER LIST"),
			       "$16|" ID "|$4|name|$2|n2|$7|address|$14|10.0.0.2:16379|$4|role|$7|"
			       "learner|$5|leads|:0|$12|auto-promote|:1|"));
	assert_non_null(strstr(solo_say(&s, "MEMBER ADD " ID " n3 10.0.0.3:1"),
			       "-ERR this member takes part already"));
	assert_non_null(strstr(solo_say(&s, "MEMBER ADD 00000000000000ab n2 10.0.0.3:1"),
			       "-ERR a member called n2 takes part already"));
	assert_string_equal(solo_say(&s, "MEMBER UPDATE n2 [::1]:7"), "+OK|");
	assert_non_null(strstr(solo_say(&s, "MEMBER LIST"), "|$7|[::1]:7|"));
	assert_string_equal(solo_say(&s, "MEMBER REMOVE n2"), "+OK|");
	assert_null(strstr(solo_say(&s, "MEMBER LIST"), "n2"));
	assert_non_null(strstr(solo_say(&s, "MEMBER ADD " ID " n2 10.0.0.2:16379"),
			       "-ERR this member was removed, and ids never come back"));
	assert_string_equal(solo_say(&s, "MEMBER ADD 00000000000000ab n2 10.0.0.2:16379 LEARNER"),
			    "+OK|");
	assert_non_null(strstr(solo_say(&s, "MEMBER LIST"), "auto-promote|:0|"));
	solo_close(&s);
}

static void what_would_lose_the_quorum_is_refused(void **state)
{
	struct solo s;

	(void)state;
	start(&s);
	assert_string_equal(solo_say(&s, "MEMBER ADD " ID " n2 10.0.0.2:16379"), "+OK|");
	assert_string_equal(solo_say(&s, "MEMBER PROMOTE n2"),
			    "-ERR n2 does not answer: a vote that is never given helps nobody|");
	assert_string_equal(solo_say(&s, "MEMBER REPLACE n1 n2"),
			    "-ERR n2 does not answer: a vote that is never given helps nobody|");
	assert_string_equal(solo_say(&s, "MEMBER REMOVE n1"),
			    "-ERR refused: it is the only voter; promote another one first|");
	assert_string_equal(solo_say(&s, "MEMBER DEMOTE n1"),
			    "-ERR refused: it is the only voter; promote another one first|");
	assert_string_equal(solo_say(&s, "MEMBER TRANSFER n2"),
			    "-ERR it does not vote, so it cannot lead; promote it first|");
	assert_string_equal(solo_say(&s, "MEMBER TRANSFER n1"), "+OK|");
	/* However long it takes: who was never heard does not rise. */
	for (int i = 0; i < 50; i++) {
		s.now_ms += 100;
		solo_work(&s);
	}
	assert_non_null(strstr(solo_say(&s, "MEMBER LIST"), "|learner|"));
	assert_string_equal(solo_say(&s, "SET a 1"), "+OK|");
	solo_close(&s);
}

static void what_makes_no_sense_is_refused(void **state)
{
	static const char *const wrong[][2] = {
		{"MEMBER PROMOTE nobody", "-ERR no member is called nobody; see MEMBER LIST|"},
		{"MEMBER PROMOTE n1", "-ERR n1 votes already|"},
		{"MEMBER ADD xx n2 a:1", "-ERR the id of a newcomer is 16 hexadecimal digits"},
		{"MEMBER ADD " ID " n2 a", "-ERR the address is no host:port for other members|"},
		{"MEMBER ADD " ID " n2 a:0", "-ERR the address is no host:port for other members|"},
		{"MEMBER ADD " ID " n=2 a:1", "-ERR a name has printable characters"},
		{"MEMBER ADD " ID " n2 a:1 WHAT", "-ERR syntax error|"},
		{"MEMBER UPDATE n1 nowhere", "-ERR the address is no host:port for other members|"},
		{"MEMBER NOPE", "-ERR unknown subcommand 'NOPE'"},
		{"MEMBER REPLACE n1 n9", "-ERR no member is called n9"},
	};
	struct solo s;

	(void)state;
	start(&s);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		const char *said = solo_say(&s, wrong[i][0]);

		if (strncmp(said, wrong[i][1], strlen(wrong[i][1])) != 0)
			fail_msg("%s: %s", wrong[i][0], said);
	}
	assert_string_equal(solo_say(&s, "MULTI"), "+OK|");
	assert_string_equal(solo_say(&s, "MEMBER REMOVE n2"),
			    "-ERR MEMBER is not allowed in transactions|");
	assert_non_null(strstr(solo_say(&s, "EXEC"), "-EXECABORT"));
	assert_string_equal(solo_say(&s, "MULTI"), "+OK|");
	assert_string_equal(solo_say(&s, "MEMBER LIST"), "+QUEUED|");
	assert_string_equal(solo_say(&s, "EXEC"), "*1|-ERR MEMBER is not allowed in transactions|");
	solo_close(&s);
}

/* The disk hangs: whether a change is made is not known, and the reply says so. */
static void a_change_that_is_not_decided_in_time_is_uncertain(void **state)
{
	struct solo s;

	(void)state;
	start(&s);
	s.hold_pool = true;
	solo_send(&s, s.session, "MEMBER ADD " ID " n2 10.0.0.2:16379");
	solo_work(&s);
	assert_string_equal(solo_take(&s, s.session), "");
	s.now_ms += s.options.request_timeout_ms;
	solo_work(&s);
	assert_string_equal(
		solo_take(&s, s.session),
		"-UNCERTAIN The leader has not answered in time: the change may be made, "
		"now or later, or never; see MEMBER LIST|");
	s.hold_pool = false;
	solo_work(&s);
	assert_non_null(strstr(solo_say(&s, "MEMBER LIST"), "|n2|"));
	solo_close(&s);
}

static void a_second_change_has_to_wait(void **state)
{
	struct solo s;

	(void)state;
	start(&s);
	s.hold_pool = true;
	solo_send(&s, s.session, "MEMBER ADD " ID " n2 10.0.0.2:1");
	solo_send(&s, s.session, "MEMBER ADD 00000000000000ab n3 10.0.0.3:1");
	solo_work(&s);
	s.hold_pool = false;
	solo_work(&s);
	assert_string_equal(
		solo_take(&s, s.session),
		"+OK|-TRYAGAIN another change of the membership is under way; try again "
		"when it is done|");
	solo_close(&s);
}

/* A member, and what it tells others of changes that they asked for. */
struct asked_solo {
	struct solo solo;
	unsigned frames;
	enum change_outcome outcome;
};

static void note_frame(void *ctx, uint64_t to, const struct frame *frame)
{
	struct asked_solo *t = CONTAINER_OF((struct solo *)ctx, struct asked_solo, solo);
	struct changed_frame f;

	(void)to;
	if (frame->kind != FRAME_CHANGED)
		return;
	assert_int_equal(changed_frame_decode(frame->head, &f), OK);
	t->frames++;
	t->outcome = f.outcome;
}

/* A frame of another member that asks the leader of this term for a newcomer. */
static struct blob *newcomer_asks(uint64_t term, uint64_t number, struct slice id,
				  struct slice name)
{
	struct change_frame f = {.from = 77, .number = number, .term = term};
	struct cluster_request c = {.change = CLUSTER_ADD,
				    .who = id,
				    .name = name,
				    .address = SLICE_LITERAL("10.0.0.2:1")};
	struct buf bytes = {0};
	struct blob *body;

	change_frame_put_head(&f, &bytes);
	change_request_encode(&c, &bytes);
	body = blob_copy(buf_slice(&bytes));
	buf_free(&bytes);
	return body;
}

static uint64_t term_of(const struct solo *s)
{
	struct raft_status status;

	driver_status(s->member->driver, &status);
	return status.term;
}

/* What the network brings twice is no second wish. */
static void a_change_that_comes_twice_is_answered_once(void **state)
{
	struct asked_solo asked = {0};
	struct solo *s = &asked.solo;
	struct blob *body;

	(void)state;
	start(s);
	s->io.send = note_frame;
	body = newcomer_asks(term_of(s), 5, SLICE_LITERAL(ID), SLICE_LITERAL("n2"));
	s->hold_pool = true;
	member_receive(s->member, 77, FRAME_CHANGE, body);
	member_receive(s->member, 77, FRAME_CHANGE, body);
	solo_work(s);
	assert_int_equal(asked.frames, 0);
	s->hold_pool = false;
	solo_work(s);
	assert_int_equal(asked.frames, 1);
	assert_int_equal(asked.outcome, CHANGE_MADE);
	blob_release(body);
	solo_close(s);
}

/* Whoever heard that nothing was done, or that it was, hears the truth, whatever comes once more.
 */
static void a_change_that_was_answered_is_not_made_again(void **state)
{
	struct asked_solo asked = {0};
	struct solo *s = &asked.solo;
	struct blob *first, *second;

	(void)state;
	start(s);
	s->io.send = note_frame;
	first = newcomer_asks(term_of(s), 5, SLICE_LITERAL(ID), SLICE_LITERAL("n2"));
	second = newcomer_asks(term_of(s), 6, SLICE_LITERAL("00000000000000ab"),
			       SLICE_LITERAL("n3"));
	s->hold_pool = true;
	member_receive(s->member, 77, FRAME_CHANGE, first);
	member_receive(s->member, 77, FRAME_CHANGE, second);
	assert_int_equal(asked.frames, 1);
	assert_int_equal(asked.outcome, CHANGE_REFUSED);
	s->hold_pool = false;
	solo_work(s);
	assert_int_equal(asked.frames, 2);
	assert_int_equal(asked.outcome, CHANGE_MADE);
	member_receive(s->member, 77, FRAME_CHANGE, second);
	member_receive(s->member, 77, FRAME_CHANGE, first);
	solo_work(s);
	assert_int_equal(asked.frames, 2);
	assert_null(strstr(solo_say(s, "MEMBER LIST"), "n3"));
	blob_release(first);
	blob_release(second);
	solo_close(s);
}

static enum change_outcome outcome_for_term(struct asked_solo *asked, uint64_t term,
					    uint64_t number)
{
	struct solo *s = &asked->solo;
	struct blob *body = newcomer_asks(term, number, SLICE_LITERAL(ID), SLICE_LITERAL("n2"));
	unsigned before = asked->frames;

	member_receive(s->member, 77, FRAME_CHANGE, body);
	solo_work(s);
	assert_int_equal(asked->frames, before + 1);
	assert_null(strstr(solo_say(s, "MEMBER LIST"), "n2"));
	blob_release(body);
	return asked->outcome;
}

/* It is somebody else's, whatever that one did. An earlier run of this one may have made it. */
static void a_change_for_the_leader_of_another_term_is_not_made(void **state)
{
	struct asked_solo asked = {0};
	struct solo *s = &asked.solo;
	uint64_t led;

	(void)state;
	start(s);
	s->io.send = note_frame;
	led = term_of(s);
	assert_int_equal(outcome_for_term(&asked, led + 1, 5), CHANGE_NOT_LED);
	solo_stop(s, false);
	assert_int_equal(solo_start(s), OK);
	assert_true(term_of(s) > led);
	assert_int_equal(outcome_for_term(&asked, led, 6), CHANGE_UNKNOWN);
	assert_int_equal(outcome_for_term(&asked, term_of(s) + 1, 7), CHANGE_NOT_LED);
	solo_close(s);
}

/* A member tells where it is reached, once it leads or somebody does. */
static void a_member_tells_its_address(void **state)
{
	struct solo s;

	(void)state;
	solo_init(&s);
	s.options.address = slice_of_text("127.0.0.1:16379");
	assert_int_equal(solo_start(&s), OK);
	assert_non_null(strstr(solo_say(&s, "MEMBER LIST"), "|$15|127.0.0.1:16379|"));
	solo_stop(&s, true);
	s.options.address = slice_of_text("127.0.0.1:16380");
	assert_int_equal(solo_start(&s), OK);
	assert_non_null(strstr(solo_say(&s, "MEMBER LIST"), "|$15|127.0.0.1:16380|"));
	solo_close(&s);
}

static struct label label_of_first(const struct solo *s)
{
	return label_of_member(&driver_membership(member_driver(s->member))->members[0]);
}

static void an_update_holds_against_what_a_member_said_of_itself(void **state)
{
	struct solo s;

	(void)state;
	solo_init(&s);
	s.options.address = SLICE_LITERAL("10.0.0.1:1/10.0.0.1:2");
	assert_int_equal(solo_start(&s), OK);
	solo_says_with(&s, "MEMBER LIST", "|$10|10.0.0.1:1|");
	assert_string_equal(solo_say(&s, "MEMBER UPDATE n1 10.0.0.9:1"), "+OK|");
	s.now_ms += 1000000;
	solo_work(&s);
	solo_says_with(&s, "MEMBER LIST", "|$10|10.0.0.9:1|");
	assert_true(slice_equal(label_of_first(&s).client, SLICE_LITERAL("10.0.0.1:2")));
	solo_stop(&s, false);
	assert_int_equal(solo_start(&s), OK);
	solo_says_with(&s, "MEMBER LIST", "|$10|10.0.0.1:1|");
	solo_close(&s);
}

/* Where nobody reaches it, it hears no leader. */
static void an_update_that_cuts_a_member_off_does_not_hold(void **state)
{
	struct solo s;

	(void)state;
	solo_init(&s);
	s.options.address = SLICE_LITERAL("10.0.0.1:1");
	assert_int_equal(solo_start(&s), OK);
	assert_string_equal(solo_say(&s, "MEMBER UPDATE n1 10.0.0.9:1"), "+OK|");
	s.member->status.leader = 0; /* as if it had heard of none, and were told so */
	s.member->leaderless_ms = s.now_ms;
	s.member->changing.announce_due_ms = 0;
	s.now_ms += s.options.driver.raft.election_ms;
	solo_work(&s);
	assert_true(slice_equal(label_of_first(&s).address, SLICE_LITERAL("10.0.0.9:1")));
	s.now_ms += 10 * (uint64_t)s.options.driver.raft.election_ms;
	solo_work(&s);
	assert_true(slice_equal(label_of_first(&s).address, SLICE_LITERAL("10.0.0.1:1")));
	solo_close(&s);
}

/* Frames that are cut or made up are refused, whatever their bytes. */
static void frames_are_read_back(void **state)
{
	struct cluster_request c = {.change = CLUSTER_REPLACE,
				    .who = SLICE_LITERAL("n1"),
				    .name = SLICE_LITERAL("n2"),
				    .rises = true};
	struct changed_frame answer = {
		.number = 7, .outcome = CHANGE_REFUSED, .error = SLICE_LITERAL("ERR no")};
	struct change_frame f = {.from = 3, .number = 4, .term = 5};
	struct changed_frame back;
	struct buf bytes = {0};

	(void)state;
	change_frame_put_head(&f, &bytes);
	change_request_encode(&c, &bytes);
	assert_int_equal(change_frame_decode(buf_slice(&bytes), &f), OK);
	assert_int_equal(f.from, 3);
	assert_int_equal(f.number, 4);
	assert_int_equal(f.term, 5);
	assert_int_equal(f.request.change, CLUSTER_REPLACE);
	assert_true(slice_equal(f.request.name, c.name));
	for (size_t len = 0; len < bytes.len; len++)
		assert_int_equal(change_frame_decode(slice_of(bytes.data, len), &f), ERR_MALFORMED);
	bytes.data[24] = CLUSTER_UPDATE + 1;
	assert_int_equal(change_frame_decode(buf_slice(&bytes), &f), ERR_MALFORMED);
	buf_clear(&bytes);
	changed_frame_encode(&answer, &bytes);
	assert_int_equal(changed_frame_decode(buf_slice(&bytes), &back), OK);
	assert_true(slice_equal(back.error, answer.error));
	for (size_t len = 0; len < bytes.len; len++)
		assert_int_equal(changed_frame_decode(slice_of(bytes.data, len), &back),
				 ERR_MALFORMED);
	bytes.data[8] = 0;
	assert_int_equal(changed_frame_decode(buf_slice(&bytes), &back), ERR_MALFORMED);
	buf_free(&bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_list_says_who_takes_part),
		cmocka_unit_test(a_newcomer_is_a_learner_and_leaves_again_for_ever),
		cmocka_unit_test(what_would_lose_the_quorum_is_refused),
		cmocka_unit_test(what_makes_no_sense_is_refused),
		cmocka_unit_test(a_change_that_is_not_decided_in_time_is_uncertain),
		cmocka_unit_test(a_second_change_has_to_wait),
		cmocka_unit_test(a_change_that_comes_twice_is_answered_once),
		cmocka_unit_test(a_change_that_was_answered_is_not_made_again),
		cmocka_unit_test(a_change_for_the_leader_of_another_term_is_not_made),
		cmocka_unit_test(a_member_tells_its_address),
		cmocka_unit_test(an_update_holds_against_what_a_member_said_of_itself),
		cmocka_unit_test(an_update_that_cuts_a_member_off_does_not_hold),
		cmocka_unit_test(frames_are_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
