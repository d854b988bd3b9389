/* The beginning: hellos by hand, and two members that find each other through their drivers. */

#include "node/driver.h"

#include "base/error.h"
#include "base/mutant.h"
#include "consensus/birth.h"
#include "storage/log.h"

#include "support/fake_node.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OTHER_ID 99

static const char *const both[] = {"n1", "n2"};

static void start_one_of_two(struct fake_node *n)
{
	fake_node_init(n, "n1", both, 2);
	assert_int_equal(fake_node_start(n), OK);
	fake_node_work(n);
}

/* What the member said last, and to whom; the name in it is borrowed from the frame. */
static struct birth_hello heard(const struct fake_node *n, const char *to)
{
	const struct fake_frame *f = fake_node_sent(n, FRAME_BIRTH);
	struct birth_hello hello = {0};

	assert_non_null(f);
	assert_string_equal(f->name, to);
	assert_int_equal(birth_hello_decode(slice_of(f->body->data, f->body->len), &hello), OK);
	return hello;
}

/* A hello of somebody whose clock is so much ahead. */
static void say_with_clock(struct fake_node *n, const char *name, uint64_t id, uint64_t digest,
			   bool born, int64_t ahead_ms)
{
	struct birth_hello hello = {
		.name = slice_of_text(name), .id = id, .digest = digest, .born = born};
	struct buf bytes = {0};

	hello.wall_ms = clock_wall_ms(&n->io.clock) + (uint64_t)ahead_ms;
	birth_hello_encode(&hello, &bytes);
	fake_node_receive(n, FRAME_BIRTH, buf_slice(&bytes));
	buf_free(&bytes);
}

static void say(struct fake_node *n, const char *name, uint64_t id, uint64_t digest, bool born)
{
	say_with_clock(n, name, id, digest, born, 0);
}

/* Until the member holds the first membership on disk; returns that one's digest. */
static uint64_t hold(struct fake_node *n)
{
	say(n, "n2", OTHER_ID, 0, false);
	fake_node_work(n);
	fake_node_pass(n, 200);
	assert_true(heard(n, "n2").digest != 0);
	return heard(n, "n2").digest;
}

static void two_are_born_when_both_hold_the_same_on_disk(void **state)
{
	struct fake_node n;
	struct birth_hello hello;
	uint64_t digest;

	(void)state;
	start_one_of_two(&n);
	hello = heard(&n, "n2");
	assert_true(slice_equal(hello.name, SLICE_LITERAL("n1")));
	assert_int_equal(hello.id, driver_id(n.driver));
	assert_int_equal(hello.digest, 0);
	assert_false(hello.born);
	assert_false(fake_node_status(&n).born);

	digest = hold(&n);
	assert_false(fake_node_status(&n).born);
	say(&n, "n2", OTHER_ID, digest, false);
	fake_node_work(&n);
	assert_true(fake_node_status(&n).born);
	assert_int_equal(driver_membership(n.driver)->count, 2);
	assert_true(membership_votes(driver_membership(n.driver), OTHER_ID));
	fake_node_close(&n);
}

static void a_hello_is_said_again_until_it_is_answered(void **state)
{
	struct fake_node n;

	(void)state;
	start_one_of_two(&n);
	for (int i = 0; i < 5; i++) {
		fake_node_drop_frames(&n);
		fake_node_pass(&n, 200);
		heard(&n, "n2");
	}
	assert_false(fake_node_status(&n).born);
	fake_node_close(&n);
}

static void who_holds_something_else_or_is_nobody_known_does_not_count(void **state)
{
	struct fake_node n;
	uint64_t digest;

	(void)state;
	start_one_of_two(&n);
	say(&n, "n3", 5, 0, false);
	say(&n, "n2", driver_id(n.driver), 0, false);
	fake_node_pass(&n, 200);
	assert_int_equal(heard(&n, "n2").digest, 0);

	digest = hold(&n);
	say(&n, "n2", OTHER_ID, digest + 1, true);
	say(&n, "n2", OTHER_ID + 1, digest, true); /* came back with another directory */
	say(&n, "n3", OTHER_ID, digest, true);
	fake_node_pass(&n, 200);
	assert_false(fake_node_status(&n).born);
	fake_node_close(&n);
}

static void an_unborn_member_takes_no_part(void **state)
{
	struct fake_node n;
	struct raft_message m = {.type = RAFT_PREVOTE, .from = OTHER_ID, .term = 3};
	uint64_t index;

	(void)state;
	start_one_of_two(&n);
	hold(&n);
	fake_node_drop_frames(&n);
	m.to = driver_id(n.driver);
	fake_node_receive_message(&n, &m);
	fake_node_pass(&n, 5000);
	assert_null(fake_node_sent(&n, FRAME_RAFT));
	assert_int_equal(fake_node_status(&n).term, 0);
	assert_int_equal(fake_node_propose(&n, "apple", &index), ERR_NOT_LEADER);
	fake_node_close(&n);
}

static void a_restart_between_holding_and_birth_goes_on_with_the_same_set(void **state)
{
	struct fake_node n;
	uint64_t digest, id;

	(void)state;
	start_one_of_two(&n);
	id = driver_id(n.driver);
	digest = hold(&n);
	fake_node_stop(&n, true);
	fake_node_drop_frames(&n);
	assert_int_equal(fake_node_start(&n), OK);
	fake_node_work(&n);
	assert_int_equal(driver_id(n.driver), id);
	assert_int_equal(heard(&n, "n2").digest, digest);
	say(&n, "n2", OTHER_ID, digest, true);
	fake_node_work(&n);
	assert_true(fake_node_status(&n).born);

	fake_node_stop(&n, true);
	assert_int_equal(fake_node_start(&n), OK);
	assert_true(fake_node_status(&n).born);
	assert_int_equal(driver_membership(n.driver)->count, 2);
	fake_node_close(&n);
}

static void a_wrong_list_of_initial_members_is_refused(void **state)
{
	static const char *const other_name[] = {"n1", "n3"};
	static const char *const too_many[] = {"n1", "n2", "n3"};
	static const char *const without_self[] = {"n2", "n3"};
	static const struct {
		const char *const *names;
		size_t count;
	} lists[] = {{other_name, 2}, {too_many, 3}, {without_self, 2}, {both, 1}};
	struct fake_node n;

	(void)state;
	start_one_of_two(&n);
	hold(&n);
	fake_node_stop(&n, false);
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		for (size_t j = 0; j < lists[i].count; j++)
			n.names[j] = slice_of_text(lists[i].names[j]);
		n.name_count = lists[i].count;
		assert_int_equal(fake_node_start(&n), ERR_INVALID);
		assert_null(n.driver);
		sim_disk_kill(n.disk);
	}
	for (size_t j = 0; j < 2; j++)
		n.names[j] = slice_of_text(both[j]);
	n.name_count = 2;
	assert_int_equal(fake_node_start(&n), OK);
	fake_node_close(&n);
}

static void who_was_born_tells_members_and_nobody_else(void **state)
{
	struct fake_node n;
	struct birth_hello echo;
	uint64_t digest;

	(void)state;
	start_one_of_two(&n);
	digest = hold(&n);
	say(&n, "n2", OTHER_ID, digest, false);
	fake_node_work(&n);
	fake_node_drop_frames(&n);
	say(&n, "n2", OTHER_ID + 1, 0, false); /* n2 has lost its directory */
	say(&n, "n2", OTHER_ID, digest, true); /* knows already */
	fake_node_work(&n);
	assert_null(fake_node_sent(&n, FRAME_BIRTH));
	say(&n, "n2", OTHER_ID, digest, false);
	fake_node_work(&n);
	echo = heard(&n, "n2");
	assert_true(echo.born);
	assert_int_equal(echo.digest, digest);
	fake_node_close(&n);
}

static bool logged(const struct fake_node *n, const char *text)
{
	struct buf all = {0};
	bool found;

	buf_append_slice(&all, buf_slice(&n->log_text));
	buf_append_byte(&all, 0);
	found = strstr((const char *)all.data, text) != NULL;
	buf_free(&all);
	return found;
}

static void clocks_far_apart_are_no_basis_for_a_cluster(void **state)
{
	static const int64_t ahead_ms[] = {-61000, 61000};
	static const char *const said[] = {"the clock of member n2 is 61 s behind this member's",
					   "the clock of member n2 is 61 s ahead of this member's"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ahead_ms); i++) {
		struct fake_node n;
		uint64_t digest;
		size_t len;

		start_one_of_two(&n);
		fake_node_pass(&n, 70000); /* below zero no clock can be */
		say_with_clock(&n, "n2", OTHER_ID, 0, false, ahead_ms[i]);
		fake_node_pass(&n, 200);
		assert_int_equal(heard(&n, "n2").digest, 0);
		assert_true(logged(&n, said[i]));
		len = n.log_text.len;
		say_with_clock(&n, "n2", OTHER_ID, 0, false, ahead_ms[i]);
		assert_int_equal(n.log_text.len, len);

		/* It was set; then it goes wrong once more, before all have confirmed. */
		digest = hold(&n);
		say_with_clock(&n, "n2", OTHER_ID, digest, false, ahead_ms[i]);
		fake_node_work(&n);
		assert_false(fake_node_status(&n).born);
		say_with_clock(&n, "n2", OTHER_ID, digest, false, ahead_ms[i] / 2);
		fake_node_work(&n);
		assert_true(fake_node_status(&n).born);
		fake_node_close(&n);
	}
}

static void a_cluster_that_exists_is_not_refused_for_a_clock(void **state)
{
	struct fake_node n;
	uint64_t digest;

	(void)state;
	start_one_of_two(&n);
	digest = hold(&n);
	say_with_clock(&n, "n2", OTHER_ID, digest, true, 600000);
	fake_node_work(&n);
	assert_true(fake_node_status(&n).born);
	fake_node_close(&n);
}

static void a_hello_tells_the_clock(void **state)
{
	struct fake_node n;

	(void)state;
	start_one_of_two(&n);
	fake_node_pass(&n, 200);
	assert_true(heard(&n, "n2").wall_ms + 200 >= clock_wall_ms(&n.io.clock));
	assert_true(heard(&n, "n2").wall_ms <= clock_wall_ms(&n.io.clock));
	fake_node_close(&n);
}

static void who_joins_waits_to_be_taken_in(void **state)
{
	struct fake_node n;

	(void)state;
	fake_node_init(&n, "n4", NULL, 0);
	assert_int_equal(fake_node_start(&n), OK);
	fake_node_pass(&n, 5000);
	assert_true(fake_node_status(&n).born);
	assert_int_equal(fake_node_status(&n).term, 0);
	assert_int_equal(driver_membership(n.driver)->count, 0);
	assert_int_equal(n.frame_count, 0);
	fake_node_close(&n);
}

/* ---- two drivers ----------------------------------------------------------------------------- */

/* Hands each what the other has sent. */
static void exchange(struct fake_node *a, struct fake_node *b)
{
	struct fake_node *nodes[] = {a, b};

	for (int i = 0; i < 2; i++) {
		struct fake_node *from = nodes[i], *to = nodes[1 - i];

		for (size_t j = 0; j < from->frame_count; j++) {
			const struct fake_frame *f = &from->frames[j];

			if (to->driver)
				driver_receive(to->driver, f->kind, f->body);
		}
		fake_node_drop_frames(from);
	}
}

static void pass_together(struct fake_node *a, struct fake_node *b, uint64_t ms)
{
	for (uint64_t i = 0; i < ms; i += 10) {
		if (a->driver)
			fake_node_pass(a, 10);
		if (b->driver)
			fake_node_pass(b, 10);
		exchange(a, b);
	}
}

static struct fake_node *leader_of(struct fake_node *a, struct fake_node *b)
{
	return fake_node_status(a).role == RAFT_LEADER ? a : b;
}

static void two_members_are_born_elect_and_replicate(void **state)
{
	struct fake_node a, b, *leader;
	uint64_t index;

	(void)state;
	fake_node_init(&a, "n1", both, 2);
	fake_node_init(&b, "n2", both, 2);
	assert_int_equal(fake_node_start(&a), OK);
	assert_int_equal(fake_node_start(&b), OK);
	pass_together(&a, &b, 1000);
	leader = leader_of(&a, &b);
	assert_int_equal(fake_node_status(leader).role, RAFT_LEADER);
	assert_int_equal(fake_node_propose(leader, "apple", &index), OK);
	pass_together(&a, &b, 300);
	assert_int_equal(fake_node_applied(&a, "apple"), 1);
	assert_int_equal(fake_node_applied(&b, "apple"), 1);
	assert_int_equal(driver_read(a.driver, 1), OK);
	assert_int_equal(driver_read(b.driver, 1), OK);
	pass_together(&a, &b, 300);
	assert_int_equal(a.read_ready, 1);
	assert_int_equal(b.read_ready, 1);
	fake_node_close(&a);
	fake_node_close(&b);
}

/* Each says that it knows no leader: nobody waits for the election timeout. */
static void after_a_start_from_rest_somebody_leads_at_once(void **state)
{
	struct fake_node a, b;

	(void)state;
	fake_node_init(&a, "n1", both, 2);
	fake_node_init(&b, "n2", both, 2);
	assert_int_equal(fake_node_start(&a), OK);
	assert_int_equal(fake_node_start(&b), OK);
	pass_together(&a, &b, 1000);
	fake_node_stop(&a, true);
	fake_node_stop(&b, true);
	fake_node_drop_frames(&a);
	fake_node_drop_frames(&b);
	assert_int_equal(fake_node_start(&a), OK);
	assert_int_equal(fake_node_start(&b), OK);
	pass_together(&a, &b, 300);
	assert_int_equal(fake_node_status(leader_of(&a, &b)).role, RAFT_LEADER);
	fake_node_close(&a);
	fake_node_close(&b);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_are_born_when_both_hold_the_same_on_disk),
		cmocka_unit_test(a_hello_is_said_again_until_it_is_answered),
		cmocka_unit_test(who_holds_something_else_or_is_nobody_known_does_not_count),
		cmocka_unit_test(an_unborn_member_takes_no_part),
		cmocka_unit_test(a_restart_between_holding_and_birth_goes_on_with_the_same_set),
		cmocka_unit_test(a_wrong_list_of_initial_members_is_refused),
		cmocka_unit_test(who_was_born_tells_members_and_nobody_else),
		cmocka_unit_test(clocks_far_apart_are_no_basis_for_a_cluster),
		cmocka_unit_test(a_cluster_that_exists_is_not_refused_for_a_clock),
		cmocka_unit_test(a_hello_tells_the_clock),
		cmocka_unit_test(who_joins_waits_to_be_taken_in),
		cmocka_unit_test(two_members_are_born_elect_and_replicate),
		cmocka_unit_test(after_a_start_from_rest_somebody_leads_at_once),
	};

	mutant_choose(getenv("MUTANT"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
