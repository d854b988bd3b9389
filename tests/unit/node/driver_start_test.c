/*
 * Log and stored state were written apart, and a crash may have come between: what a start makes of
 * each combination. Snapshots from other members, since they are where such states come from.
 */

#include "node/driver.h"

#include "base/error.h"
#include "base/mutant.h"
#include "storage/log.h"

#include "support/fake_node.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OTHER 7

static const char *const alone[] = {"n1"};

/* A cluster of one that leads and has applied entries 1 (its own) to 1 + `count`. */
static void start_with_entries(struct fake_node *n, int count)
{
	fake_node_init(n, "n1", alone, 1);
	assert_int_equal(fake_node_start(n), OK);
	fake_node_work(n);
	for (int i = 1; i <= count; i++) {
		char text[16];
		uint64_t index;

		snprintf(text, sizeof(text), "e%d", i);
		assert_int_equal(fake_node_propose(n, text, &index), OK);
		assert_int_equal(index, 1 + i);
		fake_node_work(n);
	}
	assert_int_equal(driver_applied(n->driver), 1 + count);
}

/* The state as if the machine had stored it at (index, term), with the member as only voter. */
static void set_stored(struct fake_node *n, uint64_t id, uint64_t index, uint64_t term)
{
	struct snapshot s = {.index = index, .term = term, .where = SLICE_LITERAL("x")};

	assert_int_equal(membership_add_first(&s.membership, id, SLICE_LITERAL("n1")), OK);
	buf_clear(&n->stored);
	snapshot_encode(&s, &n->stored);
	s.where = SLICE_LITERAL("");
	snapshot_free(&s);
}

static void what_follows_the_stored_state_is_applied_again(void **state)
{
	struct fake_node n;
	uint64_t id;

	(void)state;
	start_with_entries(&n, 5);
	id = driver_id(n.driver);
	fake_node_stop(&n, true);
	set_stored(&n, id, 3, 1);
	assert_int_equal(fake_node_start(&n), OK);
	assert_int_equal(driver_applied(n.driver), 3);
	fake_node_work(&n);
	assert_int_equal(n.applied[0].index, 4);
	assert_int_equal(fake_node_applied(&n, "e2"), 0);
	assert_int_equal(fake_node_applied(&n, "e3"), 1);
	assert_int_equal(fake_node_applied(&n, "e5"), 1);
	assert_false(fake_node_status(&n).damaged);
	fake_node_close(&n);
}

/* The log goes on behind (index, term), and still does after another start. */
static void expect_log_behind(struct fake_node *n, uint64_t index, uint64_t term)
{
	for (int start = 0; start < 2; start++) {
		struct raft_status s;
		uint64_t proposed;

		assert_int_equal(fake_node_start(n), OK);
		s = fake_node_status(n);
		assert_int_equal(s.commit, index);
		assert_int_equal(raft_term_at(driver_raft(n->driver), index), term);
		assert_false(s.damaged);
		fake_node_work(n);
		assert_int_equal(fake_node_status(n).role, RAFT_LEADER);
		assert_true(fake_node_status(n).term > term);
		assert_int_equal(fake_node_status(n).base, index);
		assert_int_equal(n->applied[0].index, index + 1);
		assert_int_equal(fake_node_applied(n, "e1"), 0);
		assert_int_equal(fake_node_propose(n, "new", &proposed), OK);
		fake_node_work(n);
		assert_int_equal(fake_node_applied(n, "new"), start + 1);
		fake_node_stop(n, true);
	}
}

static void a_state_beyond_the_end_of_the_log_starts_it_over(void **state)
{
	struct fake_node n;
	uint64_t id;

	(void)state;
	start_with_entries(&n, 3);
	id = driver_id(n.driver);
	fake_node_stop(&n, true);
	set_stored(&n, id, 20, 5);
	expect_log_behind(&n, 20, 5);
	fake_node_close(&n);
}

/* The entry at that index is one that nobody committed: the state came from others. */
static void a_state_of_another_term_starts_the_log_over(void **state)
{
	struct fake_node n;
	uint64_t id;

	(void)state;
	start_with_entries(&n, 3);
	id = driver_id(n.driver);
	fake_node_stop(&n, true);
	set_stored(&n, id, 2, 5);
	expect_log_behind(&n, 2, 5);
	fake_node_close(&n);
}

/* The log was released on the strength of a state that is gone. */
static void a_log_that_begins_behind_the_lost_state_counts_as_damaged(void **state)
{
	struct fake_node n;
	struct raft_status s;

	(void)state;
	fake_node_init(&n, "n1", alone, 1);
	n.snapshot_entries = 50;
	assert_int_equal(fake_node_start(&n), OK);
	fake_node_work(&n);
	for (int i = 0; i < 400; i++) {
		uint64_t index;

		assert_int_equal(fake_node_propose(&n, "something", &index), OK);
		fake_node_work(&n);
	}
	assert_true(fake_node_status(&n).base > 0);
	fake_node_stop(&n, true);
	buf_clear(&n.stored);

	for (int start = 0; start < 2; start++) {
		assert_int_equal(fake_node_start(&n), OK);
		fake_node_pass(&n, 3000);
		s = fake_node_status(&n);
		assert_true(s.damaged);
		assert_int_equal(s.role, RAFT_FOLLOWER);
		assert_int_equal(s.last, 0);
		assert_int_equal(n.applied_count, 0);
		assert_int_equal(driver_membership(n.driver)->count, 1);
		assert_true(log_marked(driver_log(n.driver)));
		fake_node_stop(&n, true);
	}
	fake_node_close(&n);
}

static void a_state_that_cannot_be_read_is_refused(void **state)
{
	struct fake_node n;

	(void)state;
	start_with_entries(&n, 1);
	fake_node_stop(&n, true);
	buf_append(&n.stored, "nonsense", 8);
	assert_int_equal(fake_node_start(&n), ERR_CORRUPT);
	buf_clear(&n.stored);
	assert_int_equal(fake_node_start(&n), OK);
	fake_node_close(&n);
}

static void a_log_that_does_not_open_leaves_nothing_behind(void **state)
{
	struct fake_node n;

	(void)state;
	fake_node_init(&n, "n1", alone, 1);
	for (uint64_t calls = 0;; calls++) {
		int rc;

		sim_disk_cut_at(n.disk, calls);
		rc = fake_node_start(&n);
		if (rc == OK)
			break;
		assert_int_equal(rc, ERR_IO);
		assert_null(n.driver);
		sim_disk_crash(n.disk);
		assert_true(calls < 100);
	}
	fake_node_close(&n);
}

/* ---- snapshots ------------------------------------------------------------------------------- */

/* A member that joined, and the state that the leader OTHER offers it. */
static void start_joined(struct fake_node *n)
{
	fake_node_init(n, "n2", NULL, 0);
	assert_int_equal(fake_node_start(n), OK);
	fake_node_work(n);
	assert_true(fake_node_status(n).born);
}

static void offer_snapshot(struct fake_node *n, uint64_t index, uint64_t term)
{
	struct snapshot s = {.index = index, .term = term, .where = SLICE_LITERAL("there")};
	struct raft_message m = {.type = RAFT_SNAPSHOT,
				 .from = OTHER,
				 .to = driver_id(n->driver),
				 .term = 9,
				 .index = index,
				 .log_term = term};
	struct buf descriptor = {0};

	assert_int_equal(membership_add_first(&s.membership, OTHER, SLICE_LITERAL("n1")), OK);
	assert_int_equal(membership_add_first(&s.membership, m.to, SLICE_LITERAL("n2")), OK);
	snapshot_encode(&s, &descriptor);
	m.descriptor = buf_slice(&descriptor);
	fake_node_receive_message(n, &m);
	buf_free(&descriptor);
	s.where = SLICE_LITERAL("");
	snapshot_free(&s);
}

static void an_offered_state_is_put_in_place_and_the_log_follows_it(void **state)
{
	struct fake_node n;

	(void)state;
	start_joined(&n);
	offer_snapshot(&n, 12, 4);
	fake_node_work(&n);
	assert_int_equal(n.installed, 1);
	assert_int_equal(driver_applied(n.driver), 12);
	assert_int_equal(fake_node_status(&n).base, 12);
	assert_int_equal(log_base_index(driver_log(n.driver)), 12);
	assert_int_equal(driver_membership(n.driver)->count, 2);
	assert_non_null(fake_node_sent(&n, FRAME_RAFT)); /* the acknowledgement */

	fake_node_stop(&n, true);
	assert_int_equal(fake_node_start(&n), OK);
	assert_int_equal(driver_applied(n.driver), 12);
	assert_int_equal(driver_membership(n.driver)->count, 2);
	assert_false(fake_node_status(&n).damaged);
	fake_node_close(&n);
}

/* The state is swapped; nothing reaches the log any more. */
static void a_crash_between_swap_and_log_is_mended_by_the_next_start(void **state)
{
	struct fake_node n;

	(void)state;
	start_joined(&n);
	sim_disk_cut_at(n.disk, 0);
	offer_snapshot(&n, 12, 4);
	fake_node_work(&n);
	assert_int_equal(n.installed, 1);
	fake_node_stop(&n, true);

	assert_int_equal(fake_node_start(&n), OK);
	assert_int_equal(driver_applied(n.driver), 12);
	assert_int_equal(fake_node_status(&n).last, 12);
	assert_int_equal(driver_membership(n.driver)->count, 2);
	assert_false(fake_node_status(&n).damaged);
	fake_node_work(&n);
	assert_int_equal(log_base_index(driver_log(n.driver)), 12);
	fake_node_close(&n);
}

/*
 * The same, and then the header of the only segment rots: with it goes the word that this member
 * has joined.
 */
static void a_joined_member_with_a_rotten_log_starts(void **state)
{
	static const char *const segment = "log/0000000000000001.log";
	struct fake_node n;

	(void)state;
	for (int with_state = 0; with_state < 2; with_state++) {
		start_joined(&n);
		sim_disk_cut_at(n.disk, 0);
		if (with_state)
			offer_snapshot(&n, 12, 4);
		fake_node_work(&n);
		fake_node_stop(&n, true);
		assert_true(sim_disk_patch(n.disk, segment, 97, "\xff\xff", 2));

		assert_int_equal(fake_node_start(&n), OK);
		assert_true(fake_node_status(&n).damaged);
		assert_true(fake_node_status(&n).born);
		assert_int_equal(driver_applied(n.driver), with_state ? 12 : 0);
		fake_node_close(&n);
	}
}

static void a_state_that_could_not_be_had_changes_nothing(void **state)
{
	struct fake_node n;

	(void)state;
	start_joined(&n);
	n.refuse_install = true;
	offer_snapshot(&n, 12, 4);
	fake_node_work(&n);
	assert_int_equal(n.installed, 0);
	assert_int_equal(driver_applied(n.driver), 0);
	assert_int_equal(fake_node_status(&n).last, 0);
	assert_false(fake_node_status(&n).installing);

	n.refuse_install = false;
	offer_snapshot(&n, 15, 4);
	fake_node_work(&n);
	assert_int_equal(n.installed, 1);
	assert_int_equal(driver_applied(n.driver), 15);
	fake_node_close(&n);
}

/* What could not be stored is due again, and cannot be while another state takes its place. */
static void while_a_state_is_swapped_in_nothing_is_due_because_of_storing(void **state)
{
	struct fake_node n;
	unsigned stores;

	(void)state;
	start_joined(&n);
	n.refuse_store = true;
	offer_snapshot(&n, 12, 4);
	fake_node_work(&n);
	assert_int_equal(n.installed, 1);
	stores = n.stores;
	assert_true(stores > 0);
	n.hold_swap = true;
	offer_snapshot(&n, 30, 5);
	fake_node_work(&n);
	assert_true(n.swapping);
	fake_node_pass(&n, 5000); /* and rests in between */
	assert_int_equal(n.stores, stores);
	n.hold_swap = n.refuse_store = false;
	fake_node_work(&n);
	assert_int_equal(n.installed, 2);
	assert_int_equal(driver_applied(n.driver), 30);
	assert_true(n.stores > stores);
	fake_node_close(&n);
}

/* ---- alone ----------------------------------------------------------------------------------- */

/* It leads two members, of which the other one has never said a word: nothing is committed. */
static void start_without_quorum(struct fake_node *n)
{
	struct member_change add = {
		.kind = MEMBER_ADD_VOTER, .id = OTHER, .label = SLICE_LITERAL("n2")};
	uint64_t index;

	start_with_entries(n, 3);
	assert_int_equal(driver_change(n->driver, &add, 1), OK);
	fake_node_work(n);
	assert_int_equal(fake_node_propose(n, "waits", &index), OK);
	fake_node_work(n);
	assert_true(fake_node_status(n).commit < index);
	fake_node_stop(n, true);
}

static void the_last_one_goes_on_alone_with_all_it_has(void **state)
{
	const struct membership *m;
	struct fake_node n;
	uint64_t index;

	(void)state;
	start_without_quorum(&n);
	assert_int_equal(fake_node_start(&n), OK);
	fake_node_pass(&n, 5000);
	assert_int_not_equal(fake_node_status(&n).role, RAFT_LEADER);
	fake_node_stop(&n, true);

	n.alone = true;
	assert_int_equal(fake_node_start(&n), OK);
	fake_node_pass(&n, 5000);
	assert_int_equal(fake_node_status(&n).role, RAFT_LEADER);
	assert_int_equal(fake_node_applied(&n, "e1"), 1);
	assert_int_equal(fake_node_applied(&n, "waits"), 1);
	m = driver_membership(n.driver);
	assert_int_equal(m->count, 1);
	assert_true(membership_votes(m, driver_id(n.driver)));
	assert_true(membership_was_removed(m, OTHER));
	assert_int_equal(fake_node_propose(&n, "goes on", &index), OK);
	fake_node_work(&n);
	assert_int_equal(fake_node_applied(&n, "goes on"), 1);
	fake_node_close(&n);
}

/* From then on it is a cluster of one like any other, also if the word is said again. */
static void whoever_is_alone_stays_so(void **state)
{
	struct fake_node n;
	uint64_t last;

	(void)state;
	start_without_quorum(&n);
	n.alone = true;
	assert_int_equal(fake_node_start(&n), OK);
	last = fake_node_status(&n).last;
	fake_node_stop(&n, true); /* before it has led */
	assert_int_equal(fake_node_start(&n), OK);
	assert_int_equal(fake_node_status(&n).last, last);
	fake_node_stop(&n, true);
	n.alone = false;
	assert_int_equal(fake_node_start(&n), OK);
	fake_node_pass(&n, 5000);
	assert_int_equal(fake_node_status(&n).role, RAFT_LEADER);
	assert_int_equal(driver_membership(n.driver)->count, 1);
	fake_node_close(&n);
}

static void who_took_part_in_nothing_cannot_go_on_alone(void **state)
{
	struct fake_node n;

	(void)state;
	fake_node_init(&n, "n1", alone, 1);
	n.alone = true;
	assert_int_equal(fake_node_start(&n), ERR_INVALID);
	fake_node_close(&n);
}

/* What was lost may have been acknowledged: another one of those that are left may have it. */
static void nobody_goes_on_alone_with_a_damaged_log(void **state)
{
	static const char *const segment = "log/0000000000000002.log";
	struct fake_node n;

	(void)state;
	start_without_quorum(&n);
	assert_true(sim_disk_patch(n.disk, segment, 4096 + 60, "junk", 4));
	n.alone = true;
	assert_int_equal(fake_node_start(&n), ERR_INVALID);
	fake_node_close(&n);
}

/* Segments of 64 KiB that nothing needs for a start, but for the first and the newest. */
static void start_with_a_long_log(struct fake_node *n, uint64_t last)
{
	struct raft_status s;
	uint64_t index;
	char text[4000];

	fake_node_init(n, "n1", alone, 1);
	n->log_max_bytes = 1 << 20;
	assert_int_equal(fake_node_start(n), OK);
	fake_node_work(n);
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	for (index = 0; index < last; fake_node_work(n))
		assert_int_equal(fake_node_propose(n, text, &index), OK);
	s = fake_node_status(n);
	set_stored(n, driver_id(n->driver), last, s.term);
	fake_node_stop(n, false);
}

static void what_no_start_needs_is_read_afterwards(void **state)
{
	struct fake_node n;

	(void)state;
	start_with_a_long_log(&n, 90);
	assert_int_equal(fake_node_start(&n), OK);
	assert_int_not_equal(log_unread(driver_log(n.driver)), 0);
	fake_node_work(&n);
	fake_node_pass(&n, 4000);
	assert_int_not_equal(log_unread(driver_log(n.driver)), 0);
	fake_node_pass(&n, 3000);
	assert_int_equal(log_unread(driver_log(n.driver)), 0);
	assert_int_equal(n.failures, 0);
	fake_node_close(&n);
}

/* What is applied and stored is missed by nobody: who asks for it gets the state. */
static void damage_in_what_no_start_needed_is_found_and_let_go(void **state)
{
	static const char *const segment = "log/0000000000000003.log";
	struct fake_node n;
	uint64_t base, index;

	(void)state;
	start_with_a_long_log(&n, 90);
	assert_true(sim_disk_patch(n.disk, segment, 16384 + 60, "junk", 4));
	assert_int_equal(fake_node_start(&n), OK);
	assert_false(fake_node_status(&n).damaged);
	assert_in_range(log_base_index(driver_log(n.driver)), 0, 5);
	fake_node_pass(&n, 8000);
	assert_int_equal(n.failures, 0);
	base = log_base_index(driver_log(n.driver));
	assert_in_range(base, 20, 80);
	assert_int_equal(fake_node_status(&n).base, base);
	assert_int_equal(log_unread(driver_log(n.driver)), 0);
	assert_int_equal(fake_node_propose(&n, "new", &index), OK);
	fake_node_work(&n);
	assert_int_equal(fake_node_applied(&n, "new"), 1);
	fake_node_stop(&n, true);
	assert_int_equal(fake_node_start(&n), OK);
	assert_false(fake_node_status(&n).damaged);
	fake_node_close(&n);
}

/* Of all segments, so that nothing is left that says whose log it is. */
static void damage_headers(struct fake_node *n)
{
	unsigned damaged = 0;

	for (unsigned segment = 0; segment < 10; segment++) {
		char path[64];

		snprintf(path, sizeof(path), "log/%016x.log", segment);
		damaged += sim_disk_patch(n->disk, path, 20, "junk", 4);
	}
	assert_true(damaged > 0);
}

static void a_member_whose_log_lost_its_name_is_known_by_its_directory(void **state)
{
	struct fake_node n;
	uint64_t id;

	(void)state;
	start_with_entries(&n, 5);
	id = driver_id(n.driver);
	fake_node_stop(&n, false);
	damage_headers(&n);
	n.id = id;
	assert_int_equal(fake_node_start(&n), OK);
	assert_true(driver_id(n.driver) == id);
	assert_true(fake_node_status(&n).damaged);
	fake_node_close(&n);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_follows_the_stored_state_is_applied_again),
		cmocka_unit_test(a_state_beyond_the_end_of_the_log_starts_it_over),
		cmocka_unit_test(a_state_of_another_term_starts_the_log_over),
		cmocka_unit_test(a_log_that_begins_behind_the_lost_state_counts_as_damaged),
		cmocka_unit_test(a_state_that_cannot_be_read_is_refused),
		cmocka_unit_test(a_log_that_does_not_open_leaves_nothing_behind),
		cmocka_unit_test(an_offered_state_is_put_in_place_and_the_log_follows_it),
		cmocka_unit_test(a_crash_between_swap_and_log_is_mended_by_the_next_start),
		cmocka_unit_test(a_joined_member_with_a_rotten_log_starts),
		cmocka_unit_test(a_state_that_could_not_be_had_changes_nothing),
		cmocka_unit_test(while_a_state_is_swapped_in_nothing_is_due_because_of_storing),
		cmocka_unit_test(the_last_one_goes_on_alone_with_all_it_has),
		cmocka_unit_test(whoever_is_alone_stays_so),
		cmocka_unit_test(who_took_part_in_nothing_cannot_go_on_alone),
		cmocka_unit_test(nobody_goes_on_alone_with_a_damaged_log),
		cmocka_unit_test(what_no_start_needs_is_read_afterwards),
		cmocka_unit_test(damage_in_what_no_start_needed_is_found_and_let_go),
		cmocka_unit_test(a_member_whose_log_lost_its_name_is_known_by_its_directory),
	};

	mutant_choose(getenv("MUTANT"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
