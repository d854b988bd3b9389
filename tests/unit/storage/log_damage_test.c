#include "base/mutant.h"
#include "storage/log_segment.h"
#include "support/log_model.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* Closes and opens again, as after a clean end of the process. */
static int reopen(struct log_tester *t)
{
	log_tester_drop(t);
	sim_disk_crash(t->disk);
	return log_tester_open(t);
}

/* The log as opened may end early, but is otherwise what was written. */
static void expect_prefix(struct log_tester *t, uint64_t seed)
{
	const char *wrong;
	uint64_t acked = t->acked_last;

	t->acked_last = 0;
	t->quiet_disk = false;
	t->acked.state = t->found.state;
	wrong = log_tester_check_recovery(t);
	/* Without its first header a log begins anew, with the oldest membership that is left. */
	if (wrong && t->found.damage_found && t->found.damage.offset == 0 &&
	    t->found.last_index == 0) {
		assert_true(t->found.base_membership.len > 0);
		t->added.count = 0;
		return;
	}
	if (wrong)
		fail_msg("%s (seed %" PRIu64 ")", wrong, seed);
	if (t->found.last_index < acked)
		t->acked.count = t->found.last_index - t->acked.base;
}

/* A log of several segments; its last group is covered by a bare group header if `cover`. */
static void fill(struct log_tester *t, bool cover)
{
	for (int i = 0; i < 30; i++)
		log_tester_append(t, 1 + i % 3);
	/* False when the last append began a segment: then it is covered already. */
	if (cover && log_idle_cover(t->log)) {
		log_tester_settle(t);
		assert_false(log_idle_cover(t->log));
	}
}

static void a_flipped_bit_never_shortens_a_covered_log_without_being_told(void **state)
{
	int shorter = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 600; seed++) {
		struct log_tester t;
		uint64_t offset;
		uint64_t last;

		assert_null(log_tester_start(&t, seed));
		fill(&t, true);
		last = t.acked_last;
		log_tester_drop(&t);
		sim_disk_crash(t.disk);
		assert_true(sim_disk_flip(t.disk, ".log", &offset));
		assert_int_equal(log_tester_open(&t), OK);
		if (t.found.last_index < last) {
			shorter++;
			assert_true(t.found.damage_found);
			assert_true(t.found.marked);
			assert_int_equal(t.found.damage.from_index, t.found.last_index + 1);
			assert_true(t.found.damage.to_index + 1 >= t.found.damage.from_index);
			assert_int_equal(t.found.damage.held,
					 t.found.last_index - t.found.base_index);
		}
		expect_prefix(&t, seed);
		log_tester_append(&t, 5);
		assert_null(log_tester_check_reads(&t));
		log_tester_close(&t);
	}
	assert_true(shorter > 100);
}

static void damage_to_a_tail_that_nothing_covers_looks_torn(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 100; seed++) {
		struct log_tester t;
		struct log_path path;
		uint64_t before;
		uint8_t group[DISK_BLOCK];
		uint64_t at = 0;

		assert_null(log_tester_start(&t, seed));
		fill(&t, false);
		before = t.acked_last;
		log_tester_append(&t, 1);
		at = log_stats(t.log).bytes; /* several segments: used to find the newest below */
		assert_true(at > 0);
		log_tester_drop(&t);
		sim_disk_crash(t.disk);
		path = log_path_segment("log", 1);
		for (uint64_t s = 1;
		     sim_disk_peek(t.disk, log_path_segment("log", s).text, 0, group, 1) > 0; s++)
			path = log_path_segment("log", s);
		/* The last block with a group header is the last group's first. */
		for (uint64_t o = DISK_BLOCK; sim_disk_peek(t.disk, path.text, o, group, 16) == 16;
		     o += DISK_BLOCK) {
			if (group[8] == 'C' && group[9] == 'G')
				at = o;
		}
		group[0] = 0xa5;
		if (!sim_disk_patch(t.disk, path.text, at + 50, group, 1))
			fail();
		assert_int_equal(log_tester_open(&t), OK);
		/* A group that came with the segment's header is covered by it. */
		if (t.found.damage_found)
			assert_true(at == DISK_BLOCK);
		else
			assert_int_equal(t.found.last_index, before);
		expect_prefix(&t, seed);
		log_tester_close(&t);
	}
}

static void a_missing_segment_is_damage_unless_it_was_the_oldest(void **state)
{
	(void)state;
	for (uint64_t lost = 1; lost <= 4; lost++) {
		struct log_tester t;
		uint64_t last;

		assert_null(log_tester_start(&t, 9));
		fill(&t, true);
		assert_true(log_stats(t.log).segments > 4);
		last = t.acked_last;
		log_tester_drop(&t);
		sim_disk_crash(t.disk);
		assert_true(sim_disk_lose(t.disk, log_path_segment("log", lost).text));
		assert_int_equal(log_tester_open(&t), OK);
		assert_int_equal(t.found.marked, lost > 1);
		if (lost > 1) {
			assert_true(t.found.last_index < last);
			assert_int_equal(t.found.damage.from_index, t.found.last_index + 1);
			assert_true(t.found.damage.to_index >= t.found.damage.from_index);
			assert_int_equal(t.found.damage.last_index, last);
		} else {
			assert_true(t.found.base_index > 0);
			assert_int_equal(t.found.last_index, last);
		}
		t.released = t.found.base_index;
		expect_prefix(&t, lost);
		log_tester_close(&t);
	}
}

static void a_newest_segment_that_became_shorter_is_damage(void **state)
{
	struct log_tester t;
	uint64_t last;

	(void)state;
	assert_null(log_tester_start(&t, 3));
	log_tester_append(&t, 2);
	last = t.acked_last;
	log_tester_drop(&t);
	sim_disk_crash(t.disk);
	assert_true(sim_disk_shorten(t.disk, log_path_segment("log", 1).text, DISK_BLOCK + 512));
	assert_int_equal(log_tester_open(&t), OK);
	assert_true(t.found.damage_found);
	assert_int_equal(t.found.last_index, 0);
	assert_int_equal(last, 2);
	expect_prefix(&t, 3);
	log_tester_close(&t);
}

/* Damages the second segment's first group; what was opened is cut before it. */
static void open_damaged(struct log_tester *t)
{
	uint8_t junk[16] = {0xee, 1, 2, 3};

	assert_null(log_tester_start(t, 11));
	fill(t, true);
	log_tester_drop(t);
	sim_disk_crash(t->disk);
	assert_true(sim_disk_patch(t->disk, log_path_segment("log", 2).text, DISK_BLOCK + 8, junk,
				   sizeof(junk)));
	assert_int_equal(log_tester_open(t), OK);
	assert_true(t->found.damage_found);
	expect_prefix(t, 11);
}

static void the_mark_stands_until_it_is_cleared(void **state)
{
	struct log_batch clear = {.clear_mark = true};
	struct log_tester t;
	uint64_t from;

	(void)state;
	open_damaged(&t);
	from = t.found.damage.from_index;
	for (int i = 0; i < 3; i++) {
		log_tester_append(&t, 7);
		assert_true(log_marked(t.log));
		assert_int_equal(reopen(&t), OK);
		assert_true(t.found.marked);
		assert_false(t.found.damage_found);
		assert_int_equal(t.found.damage.from_index, from);
		assert_null(log_tester_check_recovery(&t));
	}
	assert_true(log_stats(t.log).waiting > 0);
	log_tester_maintain(&t);
	assert_true(log_stats(t.log).waiting > 0); /* evidence stays */
	log_add(t.log, &clear);
	log_tester_settle(&t);
	assert_false(log_marked(t.log));
	log_tester_maintain(&t);
	assert_int_equal(log_stats(t.log).waiting, 0);
	assert_int_equal(reopen(&t), OK);
	assert_false(t.found.marked);
	assert_null(log_tester_check_recovery(&t));
	log_tester_close(&t);
}

static void the_driver_can_set_the_mark(void **state)
{
	struct log_damage damage = {.from_index = 5, .to_index = 6, .segment = 1, .offset = 4096};
	struct log_batch mark = {.mark = &damage};
	struct log_tester t;

	(void)state;
	assert_null(log_tester_start(&t, 12));
	log_tester_append(&t, 9);
	log_add(t.log, &mark);
	log_tester_settle(&t);
	t.quiet_disk = false;
	assert_int_equal(reopen(&t), OK);
	assert_true(t.found.marked);
	assert_false(t.found.damage_found);
	assert_int_equal(t.found.damage.from_index, 5);
	assert_int_equal(t.found.damage.offset, 4096);
	assert_null(log_tester_check_recovery(&t));
	log_tester_close(&t);
}

static void a_damaged_mark_still_marks(void **state)
{
	struct log_tester t;
	uint64_t offset;

	(void)state;
	open_damaged(&t);
	log_tester_drop(&t);
	sim_disk_crash(t.disk);
	assert_true(sim_disk_patch(t.disk, "log/damage", 30, "junk", 4));
	assert_true(sim_disk_flip(t.disk, "log/damage", &offset));
	assert_int_equal(log_tester_open(&t), OK);
	assert_true(t.found.marked);
	assert_int_equal(t.found.damage.from_index, 0);
	log_tester_close(&t);
}

/* Opening a damaged log may die at any disk call: the mark comes before the cut, and then stays. */
static void damage_is_never_forgotten_by_a_crash_while_opening(void **state)
{
	(void)state;
	for (uint64_t call = 0; call < 40; call++) {
		for (uint64_t seed = 1; seed <= 5; seed++) {
			uint8_t junk[16] = {0xee, 1, 2, 3};
			struct log_tester t;

			assert_null(log_tester_start(&t, seed));
			fill(&t, true);
			log_tester_drop(&t);
			sim_disk_crash(t.disk);
			assert_true(sim_disk_patch(t.disk, log_path_segment("log", 2).text,
						   DISK_BLOCK + 8, junk, sizeof(junk)));
			sim_disk_cut_at(t.disk, call);
			if (log_tester_open(&t) == OK)
				assert_true(t.found.marked);
			log_tester_drop(&t);
			sim_disk_crash(t.disk);
			assert_int_equal(log_tester_open(&t), OK);
			assert_true(t.found.marked);
			expect_prefix(&t, seed);
			log_tester_close(&t);
		}
	}
}

static void damage_below_what_is_needed_moves_the_base_up(void **state)
{
	uint8_t junk[16] = {0xee, 1, 2, 3};

	(void)state;
	for (int where = 0; where < 3; where++) {
		struct log_tester t;
		uint64_t last;

		assert_null(log_tester_start(&t, 21));
		fill(&t, true);
		last = t.acked_last;
		log_tester_drop(&t);
		sim_disk_crash(t.disk);
		/* Once a group, once the header, once the whole file. */
		if (where == 2)
			assert_true(sim_disk_lose(t.disk, log_path_segment("log", 2).text));
		else
			assert_true(sim_disk_patch(t.disk, log_path_segment("log", 2).text,
						   where ? 64 : DISK_BLOCK + 8, junk,
						   sizeof(junk)));
		t.options.needed_above = last;
		assert_int_equal(log_tester_open(&t), OK);
		assert_false(t.found.marked);
		assert_int_equal(t.found.last_index, last);
		assert_true(t.found.base_index > 0);
		t.released = t.found.base_index;
		assert_null(log_tester_check_recovery(&t));
		log_tester_maintain(&t);
		assert_int_equal(reopen(&t), OK);
		assert_false(t.found.marked);
		assert_null(log_tester_check_recovery(&t));
		log_tester_close(&t);
	}
}

/* A truncated suffix must not come back because the header that ended it was damaged. */
static void a_damaged_header_does_not_bring_truncated_entries_back(void **state)
{
	uint8_t junk[16] = {0xee, 1, 2, 3};
	struct log_tester t;

	(void)state;
	for (int lose = 0; lose < 2; lose++) {
		assert_null(log_tester_start(&t, 30));
		log_tester_append(&t, 4);
		log_tester_truncate(&t, 3); /* begins segment 2 */
		log_tester_append(&t, 1);
		log_tester_append(&t, 1);
		log_tester_truncate(&t, 4); /* begins segment 3 */
		log_tester_append(&t, 3);
		log_tester_drop(&t);
		sim_disk_crash(t.disk);
		if (lose)
			assert_true(sim_disk_lose(t.disk, log_path_segment("log", 2).text));
		else
			assert_true(sim_disk_patch(t.disk, log_path_segment("log", 2).text, 40,
						   junk, sizeof(junk)));
		assert_int_equal(log_tester_open(&t), OK);
		/* With segment 2 lost nothing lower than 1 shows it, but 1 is there. */
		assert_true(t.found.damage_found);
		assert_int_equal(t.found.last_index, 2);
		expect_prefix(&t, 30);
		log_tester_close(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flipped_bit_never_shortens_a_covered_log_without_being_told),
		cmocka_unit_test(damage_to_a_tail_that_nothing_covers_looks_torn),
		cmocka_unit_test(a_missing_segment_is_damage_unless_it_was_the_oldest),
		cmocka_unit_test(a_newest_segment_that_became_shorter_is_damage),
		cmocka_unit_test(the_mark_stands_until_it_is_cleared),
		cmocka_unit_test(the_driver_can_set_the_mark),
		cmocka_unit_test(a_damaged_mark_still_marks),
		cmocka_unit_test(damage_is_never_forgotten_by_a_crash_while_opening),
		cmocka_unit_test(damage_below_what_is_needed_moves_the_base_up),
		cmocka_unit_test(a_damaged_header_does_not_bring_truncated_entries_back),
	};

	/* Has an effect in the mutant build only: there these tests have to fail. */
	mutant_choose(getenv("MUTANT"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
