#include "lease/cluster_time.h"

#include "base/codec.h"
#include "base/error.h"
#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define SECOND	UINT64_C(1000000)
#define HOUR	(3600 * SECOND)
#define HOUR_MS UINT64_C(3600000)
#define NOON_MS UINT64_C(1700000000000) /* some moment */

struct told {
	uint8_t bytes[CLUSTER_TIME_NOTE_SIZE];
};

static struct told note_of(struct cluster_time *t, uint64_t mono_us, uint64_t wall_ms)
{
	struct told n;

	cluster_time_note(t, mono_us, wall_ms, n.bytes);
	return n;
}

static struct told note_saying(uint64_t term, uint64_t at_ms, uint64_t wall_ms)
{
	struct told n = {{1, term != 0}};

	fixed64_put(n.bytes + 2, term);
	fixed64_put(n.bytes + 10, term ? at_ms * 1000 : 0);
	fixed64_put(n.bytes + 18, wall_ms);
	return n;
}

static void hear(struct cluster_time *t, uint64_t mono_us, struct told n)
{
	assert_int_equal(cluster_time_heard(t, mono_us, slice_of(n.bytes, sizeof(n.bytes))), OK);
	assert_null(cluster_time_broken(t));
}

static void hear_voter(struct cluster_time *t, uint64_t mono_us, struct told n)
{
	assert_int_equal(cluster_time_voter(t, mono_us, slice_of(n.bytes, sizeof(n.bytes))), OK);
	assert_null(cluster_time_broken(t));
}

static void append(struct cluster_time *t, uint64_t mono_us, uint64_t term, uint64_t stamp)
{
	struct entry e = {.term = term, .stamp = stamp, .kind = ENTRY_COMMAND};

	cluster_time_appended(t, mono_us, &e);
	assert_null(cluster_time_broken(t));
}

static uint64_t estimate(const struct cluster_time *t, uint64_t mono_us)
{
	uint64_t ms;

	assert_true(cluster_time_estimate(t, mono_us, &ms));
	return ms;
}

/* ---- start from rest --------------------------------------------------------------------------*/

static void a_member_that_votes_alone_starts_from_its_own_clock(void **state)
{
	struct cluster_time t;
	uint64_t ms;

	(void)state;
	cluster_time_init(&t, 0, 0);
	assert_false(cluster_time_estimate(&t, 5, &ms));
	cluster_time_campaign(&t);
	cluster_time_lead(&t, 1, 7, NOON_MS);
	assert_true(cluster_time_stamp(&t, 7, NOON_MS) == NOON_MS);
	assert_true(cluster_time_stamp(&t, 7 + SECOND, NOON_MS + 1000) == NOON_MS + 1000);
	assert_null(cluster_time_broken(&t));
}

static void the_log_is_the_least_to_start_from(void **state)
{
	struct cluster_time t;

	(void)state;
	cluster_time_init(&t, 3, NOON_MS);
	assert_true(cluster_time_quiet_stamp(&t) == NOON_MS);
	cluster_time_lead(&t, 4, 0, NOON_MS - 5 * HOUR_MS);
	assert_true(cluster_time_stamp(&t, 0, NOON_MS - 5 * HOUR_MS) == NOON_MS);
}

static void from_rest_the_smallest_clock_of_this_campaign_counts(void **state)
{
	struct cluster_time t;

	(void)state;
	cluster_time_init(&t, 3, 1000);
	hear_voter(&t, 0, note_saying(0, 0, 5)); /* its clock has been set right since */
	cluster_time_campaign(&t);
	hear_voter(&t, 0, note_saying(0, 0, NOON_MS + 300));
	hear_voter(&t, 0, note_saying(0, 0, NOON_MS + 200));
	cluster_time_lead(&t, 4, 0, NOON_MS + 400);
	assert_true(cluster_time_stamp(&t, 0, 0) == NOON_MS + 200);
}

static void one_voter_with_an_estimate_outweighs_all_clocks(void **state)
{
	struct cluster_time t;

	(void)state;
	cluster_time_init(&t, 3, NOON_MS - 10);
	cluster_time_campaign(&t);
	hear_voter(&t, 0, note_saying(3, NOON_MS, NOON_MS + HOUR_MS));
	hear_voter(&t, 0, note_saying(3, NOON_MS + 2, NOON_MS + HOUR_MS));
	hear_voter(&t, 0, note_saying(3, NOON_MS + 1, NOON_MS + HOUR_MS));
	hear_voter(&t, 0, note_saying(0, 0, NOON_MS + HOUR_MS));
	cluster_time_lead(&t, 4, 0, NOON_MS + HOUR_MS);
	assert_true(cluster_time_stamp(&t, 0, NOON_MS + HOUR_MS) == NOON_MS + 2);
}

/* The log knows a term that no estimate knows: all who heard of it have restarted. */
static void an_estimate_of_an_older_term_than_the_log_is_no_more_than_a_clock(void **state)
{
	struct cluster_time t;

	(void)state;
	cluster_time_init(&t, 3, 1000);
	hear_voter(&t, 0, note_saying(2, NOON_MS + HOUR_MS, NOON_MS + 7));
	cluster_time_lead(&t, 4, 0, NOON_MS + 9);
	assert_true(cluster_time_stamp(&t, 0, NOON_MS) == NOON_MS + 7);

	cluster_time_init(&t, 3, 1000);
	hear_voter(&t, 0, note_saying(2, NOON_MS - 5, NOON_MS + HOUR_MS));
	cluster_time_lead(&t, 4, 0, NOON_MS + HOUR_MS);
	assert_true(cluster_time_stamp(&t, 0, NOON_MS) == NOON_MS - 5);
}

/* ---- leading ----------------------------------------------------------------------------------*/

static void steering_is_never_faster_than_its_limit_and_arrives(void **state)
{
	struct random random;

	(void)state;
	random_seed(&random, 1);
	for (int run = 0; run < 200; run++) {
		uint64_t longest = run % 2 ? 150 : 10 * SECOND; /* a busy loop, a quiet one */
		uint64_t mono = random_below(&random, HOUR), began = mono, start, last;
		int64_t off_ms = (int64_t)random_below(&random, 2 * HOUR_MS) - (int64_t)HOUR_MS;
		struct cluster_time t;

		cluster_time_init(&t, 1, NOON_MS);
		cluster_time_lead(&t, 2, mono, 0);
		start = last = cluster_time_stamp(&t, mono, NOON_MS);
		for (int i = 0; i < 2000; i++) {
			uint64_t passed, low, high, now;

			mono += random_below(&random, longest);
			passed = mono - began;
			now = cluster_time_stamp(&t, mono,
						 NOON_MS + (uint64_t)off_ms + passed / 1000);
			low = start + (passed - passed / 2000) / 1000;
			high = start + (passed + passed / 2000) / 1000;
			assert_true(now >= last && now + 1 >= low && now <= high + 1);
			assert_true(now <= (off_ms > 0 ? high : low + 1) + 1);
			assert_true(now + 2 >= (off_ms > 0 ? high : low)); /* it makes use of it */
			last = now;
		}
		assert_null(cluster_time_broken(&t));
	}
}

static void a_leader_comes_to_its_wall_clock_and_stays_there(void **state)
{
	struct cluster_time t;
	uint64_t mono = 0;
	int64_t off;

	(void)state;
	cluster_time_init(&t, 1, NOON_MS + 1000); /* a second ahead: 2000 s */
	cluster_time_lead(&t, 2, 0, NOON_MS);
	for (; mono < 1990 * SECOND; mono += 99999)
		cluster_time_stamp(&t, mono, NOON_MS + mono / 1000);
	assert_true(cluster_time_offset_ms(&t, mono, NOON_MS + mono / 1000, &off));
	assert_true(off >= 4 && off <= 6);
	for (; mono < 2010 * SECOND; mono += 99999)
		cluster_time_stamp(&t, mono, NOON_MS + mono / 1000);
	assert_true(cluster_time_offset_ms(&t, mono, NOON_MS + mono / 1000, &off));
	assert_true(off >= -1 && off <= 1);
}

static void a_leader_listens_to_newer_ones_only(void **state)
{
	struct cluster_time t;

	(void)state;
	cluster_time_init(&t, 0, 0);
	cluster_time_lead(&t, 2, 0, NOON_MS);
	hear(&t, 0, note_saying(1, NOON_MS * 2, 0));
	hear_voter(&t, 0, note_saying(1, NOON_MS * 2, 0));
	append(&t, 0, 2, NOON_MS);
	assert_true(cluster_time_stamp(&t, 0, NOON_MS) == NOON_MS);
	assert_true(cluster_time_quiet_stamp(&t) == NOON_MS);
	append(&t, 0, 3, NOON_MS + 50);
	assert_true(!t.leading && estimate(&t, 0) == NOON_MS + 50);
	cluster_time_lead(&t, 4, 0, NOON_MS);
	hear(&t, 0, note_saying(5, NOON_MS + 20, 0));
	assert_true(!t.leading && estimate(&t, 0) == NOON_MS + 20);
}

static void who_led_carries_its_own_time_on(void **state)
{
	struct cluster_time t;

	(void)state;
	cluster_time_init(&t, 0, 0);
	cluster_time_lead(&t, 1, 0, NOON_MS);
	cluster_time_stamp(&t, 10 * SECOND, NOON_MS + 10000);
	cluster_time_follow(&t);
	assert_null(cluster_time_broken(&t));
	assert_true(estimate(&t, 110 * SECOND) == NOON_MS + 110000 - 150);
	cluster_time_lead(&t, 2, 110 * SECOND, NOON_MS + 9 * HOUR_MS);
	assert_true(cluster_time_stamp(&t, 110 * SECOND, 0) == NOON_MS + 109850);
}

/* ---- following --------------------------------------------------------------------------------*/

static void an_estimate_is_carried_on_without_limit_and_slower_than_the_clock(void **state)
{
	struct cluster_time t;

	(void)state;
	cluster_time_init(&t, 1, 0);
	hear(&t, 50, note_saying(1, NOON_MS, 0));
	assert_true(estimate(&t, 50) == NOON_MS);
	assert_true(estimate(&t, 50 + SECOND) == NOON_MS + 998); /* 998.5 */
	assert_true(estimate(&t, 50 + 1000 * HOUR) ==
		    NOON_MS + 1000 * HOUR_MS - 1000 * HOUR_MS / 2000 * 3);
}

static void the_newer_word_of_a_leader_counts_also_downwards(void **state)
{
	struct cluster_time t;

	(void)state;
	cluster_time_init(&t, 1, 0);
	hear(&t, 0, note_saying(1, NOON_MS, 0));
	hear(&t, 10 * SECOND, note_saying(1, NOON_MS + 9000, 0)); /* its machine slept */
	assert_true(estimate(&t, 10 * SECOND) == NOON_MS + 9000);
	hear_voter(&t, 10 * SECOND, note_saying(1, NOON_MS + 8000, 0)); /* hearsay does not */
	assert_true(estimate(&t, 10 * SECOND) == NOON_MS + 9000);
	hear_voter(&t, 10 * SECOND, note_saying(1, NOON_MS + 9500, 0));
	assert_true(estimate(&t, 10 * SECOND) == NOON_MS + 9500);
}

static void a_member_that_was_cut_off_does_not_bring_its_time_back(void **state)
{
	struct cluster_time cut_off, other;

	(void)state;
	cluster_time_init(&cut_off, 1, NOON_MS);
	hear(&cut_off, 0, note_saying(5, NOON_MS + HOUR_MS, 0));
	append(&cut_off, 0, 5, NOON_MS + HOUR_MS); /* never committed */
	/* The others start from rest, an hour behind it, and promise something. */
	cluster_time_init(&other, 4, NOON_MS);
	hear(&other, 0, note_saying(6, NOON_MS + 10, 0));
	append(&other, 0, 6, NOON_MS + 20);
	/* It votes without having heard of that; then it does, loses its entry, and leads. */
	hear_voter(&other, 0, note_of(&cut_off, 0, NOON_MS));
	assert_true(estimate(&other, 0) == NOON_MS + 20);
	append(&cut_off, 0, 6, NOON_MS + 20);
	cluster_time_lead(&cut_off, 7, 0, NOON_MS);
	assert_true(cluster_time_stamp(&cut_off, 0, NOON_MS) == NOON_MS + 20);
}

static void what_consensus_appends_tells_no_time(void **state)
{
	struct entry noop = {.term = 2, .stamp = NOON_MS, .kind = ENTRY_NOOP};
	struct cluster_time t;

	(void)state;
	cluster_time_init(&t, 1, NOON_MS);
	hear(&t, 0, note_saying(1, NOON_MS + HOUR_MS, 0));
	cluster_time_appended(&t, 0, &noop);
	assert_true(estimate(&t, 0) == NOON_MS + HOUR_MS);
	append(&t, 0, 2, NOON_MS + HOUR_MS - 3);
	assert_true(estimate(&t, 0) == NOON_MS + HOUR_MS - 3);
	append(&t, 0, 2, NOON_MS + HOUR_MS + 3);
	append(&t, 0, 2, NOON_MS + HOUR_MS + 3);
	assert_true(estimate(&t, 0) == NOON_MS + HOUR_MS + 3);
}

static void an_entry_that_is_made_up_for_does_not_end_the_rest(void **state)
{
	struct cluster_time t;
	uint64_t ms;

	(void)state;
	cluster_time_init(&t, 1, 1000);
	append(&t, 0, 2, 2000);
	assert_false(cluster_time_estimate(&t, 0, &ms));
	assert_true(cluster_time_quiet_stamp(&t) == 2000);
	hear(&t, 0, note_saying(1, 5000, 0));
	assert_false(cluster_time_estimate(&t, 0, &ms));
	hear(&t, 0, note_saying(2, 5000, 0));
	assert_true(estimate(&t, 0) == 5000);
}

static void a_snapshot_of_a_newer_term_ends_an_older_time(void **state)
{
	struct cluster_time t;
	uint64_t ms;

	(void)state;
	cluster_time_init(&t, 1, 1000);
	hear(&t, 0, note_saying(4, NOON_MS, 0));
	cluster_time_installed(&t, 3, 3000);
	assert_true(estimate(&t, 0) == NOON_MS && cluster_time_quiet_stamp(&t) == 3000);
	cluster_time_installed(&t, 5, 4000);
	assert_false(cluster_time_estimate(&t, 0, &ms));
	assert_null(cluster_time_broken(&t));
}

/* ---- notes, limits, rules ---------------------------------------------------------------------*/

static void expect_ignored(struct slice bytes)
{
	struct cluster_time t, before;

	cluster_time_init(&t, 1, 1000);
	hear(&t, 0, note_saying(1, NOON_MS, 0));
	before = t;
	assert_int_equal(cluster_time_heard(&t, 9, bytes), ERR_MALFORMED);
	assert_int_equal(cluster_time_voter(&t, 9, bytes), ERR_MALFORMED);
	assert_memory_equal(&t, &before, sizeof(t));
}

static void garbage_is_ignored(void **state)
{
	struct told good = note_saying(7, NOON_MS, NOON_MS), bad;
	uint8_t longer[CLUSTER_TIME_NOTE_SIZE + 1] = {0};

	(void)state;
	for (size_t len = 0; len < sizeof(good.bytes); len++)
		expect_ignored(slice_of(good.bytes, len));
	memcpy(longer, good.bytes, sizeof(good.bytes));
	expect_ignored(slice_of(longer, sizeof(longer)));
	bad = good;
	bad.bytes[0] = 2;
	expect_ignored(slice_of(bad.bytes, sizeof(bad.bytes)));
	bad = good;
	bad.bytes[1] = 2;
	expect_ignored(slice_of(bad.bytes, sizeof(bad.bytes)));
	bad.bytes[1] = 0; /* resting, with an estimate */
	expect_ignored(slice_of(bad.bytes, sizeof(bad.bytes)));
	bad = note_saying(7, CLUSTER_TIME_MAX_MS + 1, 0);
	expect_ignored(slice_of(bad.bytes, sizeof(bad.bytes)));
	bad = note_saying(0, 0, 0);
	bad.bytes[1] = 1; /* of no term */
	expect_ignored(slice_of(bad.bytes, sizeof(bad.bytes)));
}

/* Whatever comes in, the rules hold and no number overflows. */
static void random_notes_and_stamps_break_nothing(void **state)
{
	struct random random;

	(void)state;
	random_seed(&random, 3);
	for (int i = 0; i < 20000; i++) {
		uint64_t huge = random_next(&random) >> random_below(&random, 64);
		struct told n = note_saying(huge, random_next(&random) >> 12, huge);
		struct entry e = {.stamp = huge, .term = huge, .kind = ENTRY_COMMAND};
		struct cluster_time t;

		cluster_time_init(&t, 1, huge);
		n.bytes[random_below(&random, sizeof(n.bytes))] ^= (uint8_t)random_next(&random);
		(void)(cluster_time_voter(&t, 5, slice_of(n.bytes, sizeof(n.bytes))) == OK);
		cluster_time_appended(&t, 6, &e);
		n.bytes[random_below(&random, sizeof(n.bytes))] ^= (uint8_t)random_next(&random);
		(void)(cluster_time_heard(&t, 7, slice_of(n.bytes, sizeof(n.bytes))) == OK);
		assert_null(cluster_time_broken(&t));
		cluster_time_lead(&t, huge | 1, 8, huge);
		cluster_time_stamp(&t, 9 + (huge >> 20), ~huge);
		assert_null(cluster_time_broken(&t));
		note_of(&t, 10 + (huge >> 20), huge);
		cluster_time_follow(&t);
		note_of(&t, 11 + (huge >> 20), huge);
		assert_null(cluster_time_broken(&t));
	}
}

static void a_note_says_what_its_sender_knows(void **state)
{
	struct cluster_time from, to;
	uint64_t ms;

	(void)state;
	cluster_time_init(&from, 0, 0);
	cluster_time_init(&to, 0, 0);
	hear(&to, 0, note_of(&from, 0, NOON_MS));
	assert_false(cluster_time_estimate(&to, 0, &ms));
	cluster_time_lead(&from, 1, 0, NOON_MS);
	hear(&to, 500, note_of(&from, SECOND, NOON_MS + 1000));
	assert_true(estimate(&to, 500) == NOON_MS + 1000 && to.term == 1);
}

static void the_offset_is_that_from_the_wall_clock(void **state)
{
	struct cluster_time t;
	int64_t off;

	(void)state;
	cluster_time_init(&t, 0, 0);
	assert_false(cluster_time_offset_ms(&t, 0, 0, &off));
	cluster_time_lead(&t, 1, 0, NOON_MS);
	assert_true(cluster_time_offset_ms(&t, SECOND, NOON_MS, &off) && off == 1000);
	assert_true(cluster_time_offset_ms(&t, 0, NOON_MS + 7, &off) && off == -7);
}

static void clocks_more_than_a_minute_apart_do_not_agree(void **state)
{
	(void)state;
	assert_true(cluster_time_clocks_agree(NOON_MS, NOON_MS + 60000));
	assert_true(cluster_time_clocks_agree(NOON_MS + 60000, NOON_MS));
	assert_false(cluster_time_clocks_agree(NOON_MS, NOON_MS + 60001));
	assert_false(cluster_time_clocks_agree(UINT64_MAX, 0));
}

static void expect_broken(struct cluster_time t, const char *rule)
{
	assert_non_null(cluster_time_broken(&t));
	assert_memory_equal(cluster_time_broken(&t), rule, 2);
}

static void broken_rules_are_named(void **state)
{
	struct cluster_time good, bad;

	(void)state;
	cluster_time_init(&good, 1, NOON_MS);
	cluster_time_lead(&good, 2, 0, NOON_MS);
	assert_null(cluster_time_broken(&good));
	bad = good;
	bad.running = false;
	expect_broken(bad, "T1");
	bad = good;
	bad.log_stamp++;
	expect_broken(bad, "T2");
	bad = good;
	bad.at_us = CLUSTER_TIME_MAX_MS * 1000 + 1;
	expect_broken(bad, "T3");
	bad = good;
	bad.steer = 1000000;
	expect_broken(bad, "T4");
	bad = good;
	bad.voters_wall_ms = 5;
	expect_broken(bad, "T5");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_member_that_votes_alone_starts_from_its_own_clock),
		cmocka_unit_test(the_log_is_the_least_to_start_from),
		cmocka_unit_test(from_rest_the_smallest_clock_of_this_campaign_counts),
		cmocka_unit_test(one_voter_with_an_estimate_outweighs_all_clocks),
		cmocka_unit_test(an_estimate_of_an_older_term_than_the_log_is_no_more_than_a_clock),
		cmocka_unit_test(steering_is_never_faster_than_its_limit_and_arrives),
		cmocka_unit_test(a_leader_comes_to_its_wall_clock_and_stays_there),
		cmocka_unit_test(a_leader_listens_to_newer_ones_only),
		cmocka_unit_test(who_led_carries_its_own_time_on),
		cmocka_unit_test(an_estimate_is_carried_on_without_limit_and_slower_than_the_clock),
		cmocka_unit_test(the_newer_word_of_a_leader_counts_also_downwards),
		cmocka_unit_test(a_member_that_was_cut_off_does_not_bring_its_time_back),
		cmocka_unit_test(what_consensus_appends_tells_no_time),
		cmocka_unit_test(an_entry_that_is_made_up_for_does_not_end_the_rest),
		cmocka_unit_test(a_snapshot_of_a_newer_term_ends_an_older_time),
		cmocka_unit_test(garbage_is_ignored),
		cmocka_unit_test(random_notes_and_stamps_break_nothing),
		cmocka_unit_test(a_note_says_what_its_sender_knows),
		cmocka_unit_test(the_offset_is_that_from_the_wall_clock),
		cmocka_unit_test(clocks_more_than_a_minute_apart_do_not_agree),
		cmocka_unit_test(broken_rules_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
