/* What a start leaves unread, since nothing of it is needed: read, found rotten, let go. */

#include "storage/log.h"

#include "support/log_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The log in some segments of 16 KiB, opened again by somebody who needs nothing of it. */
static void start_settled_log(struct log_tester *t, uint64_t seed)
{
	assert_null(log_tester_start(t, seed));
	for (int i = 0; i < 60; i++)
		log_tester_append(t, 2);
	assert_true(log_stats(t->log).segments > 4);
	t->options.settled = log_last_index(t->log);
}

/* A piece of what was left unread; where that ended is an error, or OK. */
static int read_unread(struct log_tester *t, size_t max_bytes, uint64_t *end)
{
	struct log_read read;
	int error;

	assert_int_equal(log_read_start(t->log, &read, log_unread(t->log), max_bytes), OK);
	while (read.job.step(&read.job) == JOB_MORE)
		;
	(void)!log_read_complete(t->log, &read);
	error = read.error;
	*end = read.first + read.count;
	log_read_free(&read);
	return error;
}

static uint64_t reads_of_open(struct log_tester *t)
{
	uint64_t before = sim_disk_calls(t->disk, SIM_DISK_READ);

	log_tester_drop(t);
	assert_int_equal(log_tester_open(t), OK);
	return sim_disk_calls(t->disk, SIM_DISK_READ) - before;
}

static uint64_t bytes_of_open(struct log_tester *t)
{
	uint64_t before = sim_disk_bytes_read(t->disk);

	log_tester_drop(t);
	assert_int_equal(log_tester_open(t), OK);
	return sim_disk_bytes_read(t->disk) - before;
}

static void what_is_settled_may_be_read_after_the_start(void **state)
{
	struct log_tester t;
	uint64_t reads, before = 0, end;

	(void)state;
	start_settled_log(&t, 21);
	t.options.read_bytes = UINT64_MAX;
	reads = reads_of_open(&t);
	assert_int_equal(log_unread(t.log), 0);
	t.options.read_bytes = 0;
	for (size_t piece = 16384; piece < 100000; piece *= 2) {
		uint64_t fewer = reads_of_open(&t);

		assert_true(fewer < reads);
		assert_true(log_unread(t.log) > log_base_index(t.log));
		assert_null(log_tester_check_reads(&t));
		for (before = 0; log_unread(t.log); before = end) {
			assert_int_equal(read_unread(&t, piece, &end), OK);
			assert_true(end > before);
		}
		assert_true(before > log_base_index(t.log) + 60);
		assert_null(log_tester_check_reads(&t));
	}
	log_tester_close(&t);
}

/* The header behind it says which the last one is; those before it nobody asks for any more. */
static void of_the_unread_the_last_membership_is_known(void **state)
{
	struct log_tester t;
	size_t all;

	(void)state;
	start_settled_log(&t, 24);
	log_tester_append(&t, 100); /* one of the segments has more than one */
	log_tester_append(&t, 1);
	t.options.settled = log_last_index(t.log);
	t.options.read_bytes = UINT64_MAX;
	assert_null(log_tester_reopen(&t));
	all = t.found.membership_count;
	t.options.read_bytes = 0;
	assert_null(log_tester_reopen(&t));
	assert_in_range(t.found.membership_count, 1, all - 1);
	assert_in_range(t.found.memberships[0].index, log_unread(t.log), t.options.settled);
	log_tester_close(&t);
}

/* NULL, or what is wrong with the terms that the start found. */
static const char *check_terms(const struct log_tester *t)
{
	const struct log_recovery *found = &t->found;
	size_t run = 0;

	for (uint64_t i = found->base_index + 1; i <= found->last_index; i++) {
		while (run + 1 < found->run_count && found->runs[run + 1].first_index <= i)
			run++;
		if (found->runs[run].term != t->added.entries[i - t->added.base - 1].term)
			return "wrong term";
	}
	return NULL;
}

/* Without housekeeping no segment is as large as it should be. */
static void append_and_maintain(struct log_tester *t, size_t count)
{
	log_tester_append(t, count);
	log_tester_maintain(t);
}

static void append_in_small_groups(struct log_tester *t)
{
	for (int i = 0; i < 10; i++)
		log_tester_append(t, 3);
	log_tester_maintain(t);
}

/* A log of some large segments, whose terms change now and then, here and there twice at once. */
static void write_terms(struct log_tester *t, uint64_t seed)
{
	struct random random;

	random_seed(&random, seed);
	log_tester_init(t, seed);
	t->options.segment_bytes = 4 << 20;
	t->options.max_bytes = 64 << 20;
	t->payload_max = 40000;
	t->term = 1;
	assert_int_equal(log_tester_open(t), OK);
	assert_null(log_tester_check_recovery(t));
	while (log_stats(t->log).segments < 4) {
		append_and_maintain(t, 1 + random_below(&random, 20));
		if (random_below(&random, 12) == 0)
			t->term += 1 + random_below(&random, 2);
		if (random_below(&random, 24) == 0) {
			append_and_maintain(t, 1);
			t->term++;
		}
	}
	t->options.settled = log_last_index(t->log);
}

/* They are found without what lies between, and all entries are there when they are read. */
static void terms_of_the_unread_are_known(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct log_tester t;

		write_terms(&t, seed);
		log_tester_drop(&t);
		assert_int_equal(log_tester_open(&t), OK);
		assert_int_equal(log_unread(t.log), log_base_index(t.log) + 1);
		assert_null(log_tester_check_recovery(&t));
		log_tester_close(&t);
	}
}

/* Of a large segment with one change of terms a few places are looked at. */
static void a_change_of_terms_is_found_by_halving(void **state)
{
	struct log_tester t;
	uint64_t all; /* bytes */

	(void)state;
	log_tester_init(&t, 25);
	t.options.segment_bytes = 32 << 20;
	t.options.max_bytes = 128 << 20;
	t.payload_max = 200000;
	assert_int_equal(log_tester_open(&t), OK);
	assert_null(log_tester_check_recovery(&t));
	while (log_stats(t.log).segments < 2)
		append_and_maintain(&t, 3);
	for (int i = 0; i < 70; i++)
		append_and_maintain(&t, 3);
	assert_int_equal(log_stats(t.log).segments, 2);
	t.term = 2;
	while (log_stats(t.log).segments < 3)
		append_and_maintain(&t, 3);
	t.options.settled = log_last_index(t.log);
	t.options.read_bytes = UINT64_MAX;
	all = bytes_of_open(&t);
	t.options.read_bytes = 0;
	assert_in_range(bytes_of_open(&t), 1, all / 8);
	assert_int_equal(log_unread(t.log), 1);
	assert_null(log_tester_check_recovery(&t));
	log_tester_close(&t);
}

/* Many changes of terms in one segment are found with little of it read for each. */
static void many_changes_of_terms_cost_little_each(void **state)
{
	enum { CHANGES = 10 };
	struct log_tester t;

	(void)state;
	log_tester_init(&t, 26);
	t.options.segment_bytes = 32 << 20;
	t.options.max_bytes = 128 << 20;
	t.payload_max = 20000;
	assert_int_equal(log_tester_open(&t), OK);
	assert_null(log_tester_check_recovery(&t));
	while (log_stats(t.log).segments < 2)
		append_in_small_groups(&t);
	for (int i = 0; i < CHANGES; i++) {
		t.term++;
		for (int k = 0; k < 6; k++)
			append_in_small_groups(&t);
	}
	assert_int_equal(log_stats(t.log).segments, 2);
	t.term++;
	while (log_stats(t.log).segments < 3)
		append_in_small_groups(&t);
	t.options.settled = log_last_index(t.log);
	/* The tail of the newest segment is looked through, all that was laid out for it. */
	assert_in_range(bytes_of_open(&t), 1, (32 << 20) + CHANGES * ((uint64_t)1 << 20));
	assert_int_equal(log_unread(t.log), 1);
	assert_null(check_terms(&t));
	log_tester_close(&t);
}

/*
 * What rotted may be met or not; nothing is made up of it. Where it is met, all of its segment is
 * read, so the log ends there, with all entries before it, or begins behind it.
 */
static void rot_makes_up_no_terms(void **state)
{
	unsigned met = 0, unread = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 60; seed++) {
		struct log_tester t;
		uint64_t offset;

		write_terms(&t, seed);
		t.options.needed_above = seed % 2 ? 0 : t.options.settled;
		log_tester_drop(&t);
		assert_true(sim_disk_flip(t.disk, "log/0000000000000002.log", &offset));
		assert_int_equal(log_tester_open(&t), OK);
		assert_null(check_terms(&t));
		if (t.found.damage_found || t.found.base_index > 0) {
			met++;
			t.quiet_disk = false;
			t.acked_last = 0;
			t.released = t.options.needed_above;
			assert_null(log_tester_check_recovery(&t));
		} else {
			unread++;
		}
		log_tester_close(&t);
	}
	assert_true(met >= 5 && unread >= 5);
}

static void what_follows_the_unread_is_read_up_to_the_wanted_size(void **state)
{
	struct log_tester t;
	uint64_t unread;

	(void)state;
	start_settled_log(&t, 22);
	assert_null(log_tester_reopen(&t));
	unread = log_stats(t.log).segments;
	t.options.read_bytes = 40000; /* two segments and a part */
	assert_null(log_tester_reopen(&t));
	for (uint64_t end; log_unread(t.log); unread--)
		assert_int_equal(read_unread(&t, 1 << 20, &end), OK);
	assert_true(unread >= 3);
	t.options.settled = log_base_index(t.log);
	t.options.read_bytes = 0;
	assert_null(log_tester_reopen(&t));
	assert_int_equal(log_unread(t.log), 0);
	log_tester_close(&t);
}

/* It is found by whoever reads on; once that is marked, the next start reads everything. */
static void rot_in_the_unread_is_found_afterwards(void **state)
{
	struct log_damage damage = {.from_index = 1, .to_index = 1};
	struct log_tester t;
	uint64_t end;
	int error;

	(void)state;
	start_settled_log(&t, 23);
	assert_true(sim_disk_patch(t.disk, "log/0000000000000003.log", 8192 + 60, "xyz", 3));
	log_tester_drop(&t);
	assert_int_equal(log_tester_open(&t), OK);
	assert_false(t.found.marked);
	do {
		error = read_unread(&t, 16384, &end);
	} while (error == OK && log_unread(t.log));
	assert_int_equal(error, ERR_CORRUPT);
	log_add(t.log, &(struct log_batch){.mark = &damage});
	assert_int_equal(log_tester_run(t.log, log_start(t.log)), OK);
	log_tester_drop(&t);
	assert_int_equal(log_tester_open(&t), OK);
	assert_true(t.found.marked && t.found.damage_found);
	assert_int_equal(t.found.damage.from_index, end);
	assert_int_equal(log_unread(t.log), 0);
	log_tester_close(&t);
}

/* The log begins behind its segment, if nothing in there is needed. */
static void what_cannot_be_read_is_let_go_if_it_may(void **state)
{
	struct log_tester t;
	uint64_t last, lost, base;

	(void)state;
	start_settled_log(&t, 24);
	last = log_last_index(t.log);
	lost = log_base_index(t.log) + last / 2 + 1;
	assert_false(log_let_go(t.log, lost, lost - 1));
	assert_false(log_let_go(t.log, lost, lost)); /* its segment has others, too */
	assert_false(log_let_go(t.log, last, last)); /* that one is written to */
	assert_int_equal(log_base_index(t.log), t.found.base_index);
	assert_true(log_let_go(t.log, lost, last));
	base = log_base_index(t.log);
	assert_in_range(base, lost, last - 1);
	assert_true(log_let_go(t.log, lost, last));
	assert_true(log_let_go(t.log, base, base));
	assert_int_equal(log_base_index(t.log), base);
	t.released = base;
	assert_null(log_tester_check_reads(&t));
	log_tester_maintain(&t);
	log_tester_drop(&t);
	assert_int_equal(log_tester_open(&t), OK);
	assert_int_equal(t.found.base_index, base);
	assert_null(log_tester_check_recovery(&t));
	log_tester_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_settled_may_be_read_after_the_start),
		cmocka_unit_test(of_the_unread_the_last_membership_is_known),
		cmocka_unit_test(terms_of_the_unread_are_known),
		cmocka_unit_test(a_change_of_terms_is_found_by_halving),
		cmocka_unit_test(many_changes_of_terms_cost_little_each),
		cmocka_unit_test(rot_makes_up_no_terms),
		cmocka_unit_test(what_follows_the_unread_is_read_up_to_the_wanted_size),
		cmocka_unit_test(rot_in_the_unread_is_found_afterwards),
		cmocka_unit_test(what_cannot_be_read_is_let_go_if_it_may),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
