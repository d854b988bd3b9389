/* A running driver: proposing, applying, reading, what comes from outside, and a disk that fails.
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

static const char *const alone[] = {"n1"};

/* A cluster of one that leads. */
static void start_alone(struct fake_node *n)
{
	fake_node_init(n, "n1", alone, 1);
	assert_int_equal(fake_node_start(n), OK);
	fake_node_work(n);
	assert_int_equal(fake_node_status(n).role, RAFT_LEADER);
}

static void write_text(struct fake_node *n, const char *text)
{
	uint64_t index;

	assert_int_equal(fake_node_propose(n, text, &index), OK);
	fake_node_work(n);
	assert_int_equal(fake_node_applied(n, text), 1);
}

static void a_cluster_of_one_is_born_and_leads_at_once(void **state)
{
	struct fake_node n;
	struct raft_status s;

	(void)state;
	fake_node_init(&n, "n1", alone, 1);
	assert_int_equal(fake_node_start(&n), OK);
	fake_node_work(&n);
	s = fake_node_status(&n);
	assert_true(s.born);
	assert_int_equal(s.role, RAFT_LEADER);
	assert_int_equal(s.id, driver_id(n.driver));
	assert_int_equal(driver_membership(n.driver)->count, 1);
	assert_int_equal(n.frame_count, 0);
	fake_node_close(&n);
}

static void what_was_applied_is_there_after_a_restart(void **state)
{
	for (int power = 0; power <= 1; power++) {
		struct fake_node n;
		uint64_t id;

		start_alone(&n);
		id = driver_id(n.driver);
		write_text(&n, "apple");
		write_text(&n, "pear");
		fake_node_stop(&n, power);

		assert_int_equal(fake_node_start(&n), OK);
		assert_int_equal(driver_id(n.driver), id);
		fake_node_work(&n);
		assert_int_equal(fake_node_status(&n).role, RAFT_LEADER);
		assert_int_equal(fake_node_applied(&n, "apple"), 1);
		assert_int_equal(fake_node_applied(&n, "pear"), 1);
		assert_true(slice_equal(fake_node_newest(&n), SLICE_LITERAL("pear")));
		write_text(&n, "plum");
		fake_node_close(&n);
	}
	(void)state;
}

static void nothing_is_applied_before_it_is_on_disk(void **state)
{
	struct fake_node n;
	uint64_t index;

	(void)state;
	start_alone(&n);
	assert_int_equal(fake_node_propose(&n, "apple", &index), OK);
	driver_turn(n.driver); /* the append job is waiting */
	driver_turn(n.driver);
	assert_int_equal(fake_node_applied(&n, "apple"), 0);
	fake_node_stop(&n, true);
	assert_int_equal(fake_node_start(&n), OK);
	fake_node_work(&n);
	assert_int_equal(fake_node_applied(&n, "apple"), 0);
	fake_node_close(&n);
}

static void a_read_may_run_when_what_was_acknowledged_is_applied(void **state)
{
	struct fake_node n;

	(void)state;
	start_alone(&n);
	write_text(&n, "apple");
	assert_int_equal(driver_read(n.driver, 7), OK);
	fake_node_work(&n);
	assert_int_equal(n.read_ready, 7);
	fake_node_close(&n);
}

/* A message of this type among the frames that were sent. */
static bool sent_message(const struct fake_node *n, unsigned type)
{
	for (size_t i = 0; i < n->frame_count; i++)
		if (n->frames[i].kind == FRAME_RAFT && n->frames[i].body->data[0] == type)
			return true;
	return false;
}

static void an_acknowledgement_waits_for_the_disk(void **state)
{
	struct fake_node n;
	struct entry e = {.kind = ENTRY_COMMAND, .term = 3};
	struct raft_message m = {
		.type = RAFT_APPEND, .from = 7, .term = 3, .entries = &e, .count = 1};

	(void)state;
	fake_node_init(&n, "n2", NULL, 0);
	assert_int_equal(fake_node_start(&n), OK);
	fake_node_work(&n);
	m.to = driver_id(n.driver);
	fake_node_receive_message(&n, &m);
	driver_turn(n.driver); /* the append job is waiting */
	driver_turn(n.driver);
	assert_false(sent_message(&n, RAFT_APPEND_RESP));
	fake_node_work(&n);
	assert_true(sent_message(&n, RAFT_APPEND_RESP));
	assert_int_equal(fake_node_status(&n).durable, 1);
	fake_node_close(&n);
}

static uint64_t stored_index(const struct fake_node *n)
{
	struct snapshot s = {0};
	uint64_t index;

	if (n->stored.len == 0)
		return 0;
	assert_int_equal(snapshot_decode(buf_slice(&n->stored), &s), OK);
	index = s.index;
	snapshot_free(&s);
	return index;
}

static void states_are_stored_and_the_log_is_released_up_to_them(void **state)
{
	struct fake_node n;

	(void)state;
	start_alone(&n);
	fake_node_stop(&n, false);
	n.snapshot_entries = 50;
	assert_int_equal(fake_node_start(&n), OK);
	fake_node_work(&n);
	for (int i = 0; i < 400; i++) {
		char text[16];

		snprintf(text, sizeof(text), "%d", i);
		write_text(&n, text);
		assert_true(stored_index(&n) >= log_base_index(driver_log(n.driver)));
	}
	assert_true(stored_index(&n) > 300);
	assert_true(log_base_index(driver_log(n.driver)) > 0);
	assert_int_equal(fake_node_status(&n).base, log_base_index(driver_log(n.driver)));
	fake_node_close(&n);
}

static void write_numbers(struct fake_node *n, int first, int last)
{
	for (int i = first; i <= last; i++) {
		char text[16];

		snprintf(text, sizeof(text), "%d", i);
		write_text(n, text);
	}
}

/* What comes behind a state while somebody takes it over is kept: else he would need the next one.
 */
static void the_log_reaches_back_to_the_state_that_a_follower_takes_over(void **state)
{
	struct fake_node n;
	struct raft_message refusal = {
		.type = RAFT_APPEND_RESP, .flags = RAFT_FLAG_REJECT, .from = 7};
	uint64_t offered;

	(void)state;
	start_alone(&n);
	fake_node_stop(&n, false);
	n.snapshot_entries = 50;
	n.log_max_bytes = 256 << 10;
	assert_int_equal(fake_node_start(&n), OK);
	fake_node_work(&n);
	write_numbers(&n, 1, 400);
	assert_true(log_base_index(driver_log(n.driver)) > 0);
	assert_int_equal(driver_change(n.driver,
				       &(struct member_change){.kind = MEMBER_ADD_LEARNER, .id = 7},
				       1),
			 OK);
	fake_node_work(&n);
	refusal.to = driver_id(n.driver);
	refusal.term = fake_node_status(&n).term;
	for (uint64_t back = 3; back-- > 0;) { /* one of them is the probe's */
		refusal.index = fake_node_status(&n).last - back;
		fake_node_receive_message(&n, &refusal);
		fake_node_work(&n);
	}
	assert_true(sent_message(&n, RAFT_SNAPSHOT));
	offered = stored_index(&n);
	write_numbers(&n, 401, 600);
	assert_true(log_stats(driver_log(n.driver)).bytes > 2 * n.log_max_bytes);
	assert_true(log_base_index(driver_log(n.driver)) <= offered);
	fake_node_close(&n);
}

static void frames_of_an_unknown_kind_are_ignored(void **state)
{
	static const unsigned kinds[] = {0, 5, 99, 255};
	struct fake_node n;

	(void)state;
	start_alone(&n);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		fake_node_receive(&n, kinds[i], SLICE_LITERAL("something"));
	fake_node_work(&n);
	assert_int_equal(n.frame_count, 0);
	assert_int_equal(n.failures, 0);
	write_text(&n, "apple");
	fake_node_close(&n);
}

/* Frames that somebody sent once, cut at every byte, and with every byte changed. */
static void receive_mutilated(struct fake_node *n, unsigned kind, struct slice body)
{
	struct buf copy = {0};

	for (size_t len = 0; len < body.len; len++)
		fake_node_receive(n, kind, slice_of(body.data, len));
	for (size_t at = 0; at < body.len; at++) {
		buf_clear(&copy);
		buf_append_slice(&copy, body);
		copy.data[at] ^= 0x80;
		fake_node_receive(n, kind, buf_slice(&copy));
	}
	buf_append_byte(&copy, 0);
	fake_node_receive(n, kind, buf_slice(&copy));
	buf_free(&copy);
}

static void malformed_frames_are_ignored(void **state)
{
	struct fake_node n;
	struct raft_status before, after;
	struct buf bytes = {0};
	struct raft_message m = {.type = RAFT_APPEND, .from = 77, .term = 1, .index = 1};

	(void)state;
	start_alone(&n);
	write_text(&n, "apple");
	before = fake_node_status(&n);
	m.to = driver_id(n.driver);
	raft_message_encode(&m, &bytes);
	receive_mutilated(&n, FRAME_RAFT, buf_slice(&bytes));
	for (unsigned kind = FRAME_BIRTH; kind <= FRAME_LEADS; kind++) {
		fake_node_receive(&n, kind, SLICE_LITERAL(""));
		fake_node_receive(&n, kind, SLICE_LITERAL("1234567"));
		fake_node_receive(&n, kind, SLICE_LITERAL("much longer than any of these may be"));
	}
	fake_node_work(&n);
	after = fake_node_status(&n);
	assert_int_equal(after.term, before.term);
	assert_int_equal(after.role, before.role);
	assert_int_equal(after.last, before.last);
	assert_int_equal(n.failures, 0);
	write_text(&n, "pear");
	buf_free(&bytes);
	fake_node_close(&n);
}

static void a_failed_append_stops_the_driver_and_tells_so_once(void **state)
{
	static const enum sim_disk_call calls[] = {SIM_DISK_WRITE, SIM_DISK_SYNC};

	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		struct fake_node n;
		uint64_t index;

		start_alone(&n);
		write_text(&n, "apple");
		sim_disk_fail(n.disk, calls[i], 1, ERR_IO);
		assert_int_equal(fake_node_propose(&n, "pear", &index), OK);
		fake_node_work(&n);
		assert_int_equal(n.failures, 1);
		assert_int_equal(n.failure, ERR_IO);
		assert_true(driver_stopped(n.driver));
		assert_int_equal(fake_node_applied(&n, "pear"), 0);

		fake_node_pass(&n, 3000);
		assert_int_equal(n.failures, 1);
		assert_int_equal(driver_deadline_ms(n.driver), UINT64_MAX);
		assert_int_equal(fake_node_propose(&n, "plum", &index), ERR_STOPPED);
		assert_int_equal(driver_read(n.driver, 1), ERR_STOPPED);
		assert_int_equal(driver_transfer(n.driver, 0), ERR_STOPPED);
		fake_node_receive(&n, FRAME_RAFT, SLICE_LITERAL("anything"));

		fake_node_stop(&n, true);
		assert_int_equal(fake_node_start(&n), OK);
		fake_node_work(&n);
		assert_int_equal(fake_node_applied(&n, "apple"), 1);
		fake_node_close(&n);
	}
	(void)state;
}

/* Flips a bit of `text` on the disk; the member is not told. */
static void rot(struct fake_node *n, const char *text)
{
	uint8_t bytes[65536];

	for (unsigned segment = 1; segment < 10; segment++) {
		char path[64];
		size_t len;
		const uint8_t *at;

		snprintf(path, sizeof(path), "log/%016x.log", segment);
		len = sim_disk_peek(n->disk, path, 0, bytes, sizeof(bytes));
		at = memmem(bytes, len, text, strlen(text));
		if (at) {
			uint8_t byte = *at ^ 1;

			assert_true(
				sim_disk_patch(n->disk, path, (uint64_t)(at - bytes), &byte, 1));
			return;
		}
	}
	fail_msg("%s is not on the disk", text);
}

static void an_entry_that_cannot_be_read_is_marked_before_the_driver_stops(void **state)
{
	struct fake_node n;
	uint64_t index;

	(void)state;
	start_alone(&n);
	write_text(&n, "apple");
	write_text(&n, "pear");
	fake_node_stop(&n, false);
	assert_int_equal(fake_node_start(&n), OK);
	rot(&n, "apple");
	fake_node_work(&n); /* leads, and reads from disk what is to be applied */
	assert_int_equal(n.failures, 1);
	assert_int_equal(n.failure, ERR_CORRUPT);
	assert_int_equal(fake_node_applied(&n, "apple"), 0);
	assert_int_equal(fake_node_applied(&n, "pear"), 0);

	/* Alone there is nobody to get it back from: it runs and does not serve. */
	fake_node_stop(&n, true);
	assert_int_equal(fake_node_start(&n), OK);
	fake_node_pass(&n, 5000);
	assert_true(fake_node_status(&n).damaged);
	assert_int_equal(fake_node_status(&n).role, RAFT_FOLLOWER);
	assert_int_equal(fake_node_propose(&n, "plum", &index), ERR_NOT_LEADER);
	fake_node_close(&n);
}

/* Entries of a leader, one for each text, behind entry `index`; so much of them is committed. */
static void receive_entries(struct fake_node *n, uint64_t from, uint64_t term, uint64_t index,
			    uint64_t log_term, uint64_t commit, const char *const *texts,
			    uint32_t count)
{
	struct entry entries[4];
	struct raft_message m = {
		.type = RAFT_APPEND,
		.from = from,
		.to = driver_id(n->driver),
		.term = term,
		.index = index,
		.log_term = log_term,
		.commit = commit,
		.entries = entries,
		.count = count,
	};

	assert_true(count <= ARRAY_LEN(entries));
	for (uint32_t i = 0; i < count; i++) {
		struct slice text = slice_of_text(texts[i]);

		entries[i] = (struct entry){.kind = ENTRY_COMMAND,
					    .term = term,
					    .data = text.data,
					    .len = (uint32_t)text.len};
	}
	fake_node_receive_message(n, &m);
	fake_node_work(n);
}

/* It is read from the disk together with what is committed, and cut off before it could be. */
static void what_was_read_uncommitted_is_not_applied(void **state)
{
	static const char *const old[] = {"apple", "pear", "plum"};
	static const char *const new[] = {"fig"};
	struct fake_node n;

	(void)state;
	fake_node_init(&n, "n2", NULL, 0);
	assert_int_equal(fake_node_start(&n), OK);
	fake_node_work(&n);
	receive_entries(&n, 7, 3, 0, 0, 0, old, ARRAY_LEN(old));
	assert_int_equal(fake_node_status(&n).durable, 3);
	fake_node_stop(&n, true);

	assert_int_equal(fake_node_start(&n), OK);
	fake_node_work(&n);
	receive_entries(&n, 7, 3, 1, 3, 1, NULL, 0);
	assert_int_equal(driver_applied(n.driver), 1);
	receive_entries(&n, 8, 5, 1, 3, 2, new, ARRAY_LEN(new));
	assert_int_equal(driver_applied(n.driver), 2);
	assert_int_equal(fake_node_applied(&n, "apple"), 1);
	assert_int_equal(fake_node_applied(&n, "pear"), 0);
	assert_int_equal(fake_node_applied(&n, "fig"), 1);
	fake_node_close(&n);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cluster_of_one_is_born_and_leads_at_once),
		cmocka_unit_test(what_was_applied_is_there_after_a_restart),
		cmocka_unit_test(nothing_is_applied_before_it_is_on_disk),
		cmocka_unit_test(a_read_may_run_when_what_was_acknowledged_is_applied),
		cmocka_unit_test(an_acknowledgement_waits_for_the_disk),
		cmocka_unit_test(states_are_stored_and_the_log_is_released_up_to_them),
		cmocka_unit_test(the_log_reaches_back_to_the_state_that_a_follower_takes_over),
		cmocka_unit_test(frames_of_an_unknown_kind_are_ignored),
		cmocka_unit_test(malformed_frames_are_ignored),
		cmocka_unit_test(a_failed_append_stops_the_driver_and_tells_so_once),
		cmocka_unit_test(an_entry_that_cannot_be_read_is_marked_before_the_driver_stops),
		cmocka_unit_test(what_was_read_uncommitted_is_not_applied),
	};

	mutant_choose(getenv("MUTANT"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
