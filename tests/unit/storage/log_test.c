#include "storage/log.h"

#include "base/mutant.h"
#include "support/log_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void an_empty_directory_becomes_a_log(void **state)
{
	struct log_tester t;

	(void)state;
	log_tester_init(&t, 1);
	assert_int_equal(log_tester_open(&t), OK);
	assert_true(t.found.created);
	assert_int_equal(t.found.identity.member_id, t.options.identity.member_id);
	assert_int_equal(t.found.base_index, 0);
	assert_int_equal(t.found.last_index, 0);
	assert_true(t.found.base_membership.len > 0);
	assert_null(log_tester_check_recovery(&t));
	t.options.identity.member_id = 999; /* looked at on creation only */
	assert_null(log_tester_reopen(&t));
	assert_false(t.found.created);
	assert_int_equal(t.found.identity.member_id, 2);
	log_tester_close(&t);
}

static void entries_of_all_sizes_come_back(void **state)
{
	struct log_tester t;

	(void)state;
	assert_null(log_tester_start(&t, 2));
	for (uint32_t size = 1; size < 300000; size *= 3) {
		t.payload_max = size;
		log_tester_append(&t, 5);
	}
	/* More than a job takes at a time, and one entry that is more than that alone. */
	t.payload_max = 1000000;
	log_tester_append(&t, 15);
	t.payload_max = 30000000;
	log_tester_append(&t, 1);
	t.payload_max = 1000;
	log_tester_append(&t, 3);
	assert_null(log_tester_check_reads(&t));
	assert_null(log_tester_reopen(&t));
	assert_null(log_tester_check_reads(&t));
	log_tester_close(&t);
}

static void what_is_added_during_a_job_goes_into_the_next_one(void **state)
{
	struct model_entry e = {.term = 1, .stamp = 5, .len = 100, .kind = ENTRY_COMMAND};
	struct log_batch batch = {.count = 1};
	struct log_tester t;
	struct entry entry = model_entry_make(&e);
	struct job *job;
	uint64_t jobs;
	uint64_t ticket;

	(void)state;
	assert_null(log_tester_start(&t, 3));
	jobs = log_stats(t.log).jobs;
	batch.entries = &entry;
	batch.first_index = 1;
	ticket = log_add(t.log, &batch);
	job = log_start(t.log);
	assert_non_null(job);
	for (batch.first_index = 2; batch.first_index <= 50; batch.first_index++) {
		log_add(t.log, &batch);
		assert_null(log_start(t.log)); /* one is under way */
	}
	assert_int_equal(log_durable_index(t.log), 0);
	assert_int_equal(log_tester_run(t.log, job), OK);
	assert_int_equal(log_durable_index(t.log), 1);
	assert_int_equal(log_durable_ticket(t.log), ticket);
	assert_int_equal(log_tester_run(t.log, log_start(t.log)), OK);
	assert_int_equal(log_durable_index(t.log), 50);
	assert_int_equal(log_durable_ticket(t.log), ticket + 49);
	assert_null(log_start(t.log)); /* nothing is left */
	assert_int_equal(log_stats(t.log).jobs, jobs + 2);
	blob_release(entry.blob);
	log_tester_close(&t);
}

static void an_append_is_one_write_and_one_sync(void **state)
{
	struct log_tester t;
	uint64_t writes;
	uint64_t syncs;

	(void)state;
	assert_null(log_tester_start(&t, 4));
	t.payload_max = 50;
	writes = sim_disk_calls(t.disk, SIM_DISK_WRITE);
	syncs = sim_disk_calls(t.disk, SIM_DISK_SYNC);
	log_tester_append(&t, 20);
	assert_int_equal(sim_disk_calls(t.disk, SIM_DISK_WRITE), writes + 1);
	assert_int_equal(sim_disk_calls(t.disk, SIM_DISK_SYNC), syncs + 1);
	log_tester_close(&t);
}

static void a_truncation_lowers_the_durable_index_at_once(void **state)
{
	struct log_batch cut = {.first_index = 4};
	struct log_tester t;

	(void)state;
	assert_null(log_tester_start(&t, 5));
	log_tester_append(&t, 9);
	assert_int_equal(log_durable_index(t.log), 9);
	log_add(t.log, &cut);
	assert_int_equal(log_durable_index(t.log), 3);
	assert_int_equal(log_last_index(t.log), 3);
	log_tester_close(&t);
}

static void reads_answer_errors_that_say_why(void **state)
{
	struct log_tester t;
	struct log_read read;

	(void)state;
	assert_null(log_tester_start(&t, 6));
	for (int i = 0; i < 60; i++)
		log_tester_append(&t, 2);
	log_release(t.log, log_last_index(t.log));
	assert_true(log_base_index(t.log) > 0);
	assert_int_equal(log_read_start(t.log, &read, log_base_index(t.log), 10), ERR_COMPACTED);
	assert_int_equal(log_read_start(t.log, &read, 0, 10), ERR_COMPACTED);
	assert_int_equal(log_read_start(t.log, &read, log_last_index(t.log) + 1, 10),
			 ERR_NOT_FOUND);
	assert_null(log_tester_check_reads(&t));
	log_tester_close(&t);
}

static void a_read_holds_at_least_one_entry_and_then_what_fits(void **state)
{
	struct log_tester t;
	struct log_read read;

	(void)state;
	assert_null(log_tester_start(&t, 7));
	t.payload_max = 2;
	log_tester_append(&t, 40);
	for (size_t max = 0; max < 20; max++) {
		size_t bytes = 0;

		assert_int_equal(log_read_start(t.log, &read, 3, max), OK);
		while (read.job.step(&read.job) == JOB_MORE)
			;
		assert_int_equal(log_read_complete(t.log, &read), OK);
		assert_true(read.count >= 1);
		for (size_t i = 0; i < read.count; i++)
			bytes += read.entries[i].len;
		assert_true(bytes <= max || read.count == 1);
		log_read_free(&read);
	}
	log_tester_close(&t);
}

static void a_read_never_returns_what_was_truncated_meanwhile(void **state)
{
	(void)state;
	for (uint64_t first = 4; first <= 10; first++) {
		struct log_tester t;
		struct log_read read;
		int rc;

		assert_null(log_tester_start(&t, 8));
		t.payload_max = 20;
		log_tester_append(&t, 12);
		assert_int_equal(log_read_start(t.log, &read, 6, 100000), OK);
		log_tester_truncate(&t, first);
		log_tester_append(&t, 10);
		while (read.job.step(&read.job) == JOB_MORE)
			;
		rc = log_read_complete(t.log, &read);
		if (first <= 6)
			assert_int_equal(rc, ERR_UNAVAILABLE);
		else
			assert_int_equal(read.count, first - 6);
		log_read_free(&read);
		log_tester_close(&t);
	}
}

static void a_read_pins_its_segment_until_it_is_complete(void **state)
{
	struct log_tester t;
	struct log_read read;

	(void)state;
	assert_null(log_tester_start(&t, 9));
	log_tester_append(&t, 1);
	assert_int_equal(log_read_start(t.log, &read, 1, 100), OK);
	for (int i = 0; i < 60; i++)
		log_tester_append(&t, 2);
	log_release(t.log, log_last_index(t.log));
	log_tester_maintain(&t);
	assert_true(log_stats(t.log).waiting > 0);
	while (read.job.step(&read.job) == JOB_MORE)
		;
	assert_int_equal(log_read_complete(t.log, &read), OK);
	assert_int_equal(read.entries[0].stamp, t.added.entries[0].stamp);
	log_read_free(&read);
	log_tester_maintain(&t);
	assert_int_equal(log_stats(t.log).waiting, 0);
	log_tester_close(&t);
}

static void a_read_may_outlive_the_log(void **state)
{
	struct log_tester t;
	struct log_read read;

	(void)state;
	assert_null(log_tester_start(&t, 10));
	log_tester_append(&t, 3);
	assert_int_equal(log_read_start(t.log, &read, 1, 100), OK);
	assert_int_equal(read.job.step(&read.job), JOB_MORE);
	log_tester_drop(&t);
	log_read_free(&read);
	log_tester_close(&t);
}

static void rot_that_a_read_meets_is_an_error(void **state)
{
	struct log_tester t;
	struct log_read read;

	(void)state;
	assert_null(log_tester_start(&t, 11));
	log_tester_append(&t, 1);
	assert_true(sim_disk_patch(t.disk, "log/0000000000000001.log", 4096 + 60, "xyz", 3));
	assert_int_equal(log_read_start(t.log, &read, 1, 100), OK);
	while (read.job.step(&read.job) == JOB_MORE)
		;
	assert_int_equal(log_read_complete(t.log, &read), ERR_CORRUPT);
	assert_int_equal(read.count, 0);
	log_read_free(&read);
	log_tester_close(&t);
}

static void release_leaves_the_newest_bytes_and_reuses_the_files(void **state)
{
	struct log_tester t;
	uint64_t preallocated;

	(void)state;
	assert_null(log_tester_start(&t, 12));
	t.options.max_bytes = 32768;
	for (int i = 0; i < 300; i++) {
		log_tester_append(&t, 2);
		log_release(t.log, log_last_index(t.log));
		log_tester_maintain(&t);
		assert_true(log_stats(t.log).segments <= 5);
		if (i == 99)
			preallocated = sim_disk_calls(t.disk, SIM_DISK_PREALLOCATE);
	}
	assert_true(log_stats(t.log).bytes >= t.options.max_bytes);
	/* From some point on no new file is made. */
	assert_int_equal(sim_disk_calls(t.disk, SIM_DISK_PREALLOCATE), preallocated);
	t.released = log_last_index(t.log);
	assert_null(log_tester_reopen(&t));
	assert_null(log_tester_check_reads(&t));
	log_tester_close(&t);
}

static void release_stops_at_what_is_still_needed(void **state)
{
	struct log_tester t;

	(void)state;
	assert_null(log_tester_start(&t, 13));
	for (int i = 0; i < 80; i++)
		log_tester_append(&t, 2);
	for (uint64_t upto = 0; upto < log_last_index(t.log); upto += 7) {
		log_release(t.log, upto);
		assert_true(log_base_index(t.log) <= upto);
	}
	log_tester_close(&t);
}

/* Whoever is being given the state needs what comes behind it: that, but not without bounds. */
static void release_leaves_more_for_who_is_given_the_state(void **state)
{
	struct log_tester t;

	(void)state;
	assert_null(log_tester_start(&t, 15));
	t.options.max_bytes = 32768;
	assert_null(log_tester_reopen(&t));
	for (int i = 0; i < 20; i++)
		log_tester_append(&t, 2);
	log_hold(t.log, 20);
	log_release(t.log, log_last_index(t.log));
	assert_in_range(log_base_index(t.log), 1, 20);
	for (int i = 0; i < 100; i++) {
		log_tester_append(&t, 2);
		log_release(t.log, log_last_index(t.log));
		log_tester_maintain(&t);
	}
	assert_true(log_base_index(t.log) > 20);
	assert_in_range(log_stats(t.log).bytes, LOG_HELD * t.options.max_bytes,
			LOG_HELD * t.options.max_bytes + 2 * t.options.segment_bytes);
	log_hold(t.log, UINT64_MAX);
	log_release(t.log, log_last_index(t.log));
	assert_in_range(log_stats(t.log).bytes, t.options.max_bytes,
			t.options.max_bytes + 2 * t.options.segment_bytes);
	log_tester_close(&t);
}

static void restarts_leave_no_files_behind(void **state)
{
	struct log_tester t;

	(void)state;
	assert_null(log_tester_start(&t, 14));
	log_tester_append(&t, 3);
	for (int i = 0; i < 50; i++) {
		assert_null(log_tester_reopen(&t));
		log_tester_maintain(&t);
		assert_true(log_stats(t.log).segments <= 2);
		assert_int_equal(log_stats(t.log).waiting, 0);
	}
	assert_null(log_tester_check_reads(&t));
	log_tester_close(&t);
}

static void a_directory_in_use_is_refused(void **state)
{
	struct log_tester t;
	struct log *second;
	struct log_recovery rec;

	(void)state;
	assert_null(log_tester_start(&t, 15));
	assert_int_equal(log_open(&second, sim_disk_interface(t.disk), &t.options, &rec),
			 ERR_LOCKED);
	log_tester_close(&t);
}

static void impossible_options_are_refused(void **state)
{
	static const size_t sizes[] = {0, 4096, 8192, 16385, (size_t)1 << 31};
	struct log_tester t;

	(void)state;
	log_tester_init(&t, 16);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		t.options.segment_bytes = sizes[i];
		assert_int_equal(log_tester_open(&t), ERR_INVALID);
	}
	log_tester_close(&t);
}

static void segments_of_two_members_are_refused(void **state)
{
	uint8_t segment[16384];
	struct log_tester t;
	struct log_tester other;
	struct disk_file *file;
	size_t len;

	(void)state;
	assert_null(log_tester_start(&t, 17));
	log_tester_append(&t, 3);
	log_tester_drop(&t);
	assert_null(log_tester_start(&other, 18));
	len = sim_disk_peek(other.disk, "log/0000000000000001.log", 0, segment, sizeof(segment));
	log_tester_close(&other);
	assert_int_equal(disk_open(sim_disk_interface(t.disk), "log/0000000000000002.log",
				   DISK_CREATE, &file),
			 OK);
	/* Its header names sequence 1: as a file called 2 it would only be damaged. */
	assert_int_equal(disk_rename(sim_disk_interface(t.disk), "log/0000000000000001.log",
				     "log/0000000000000003.log"),
			 OK);
	assert_int_equal(disk_rename(sim_disk_interface(t.disk), "log/0000000000000002.log",
				     "log/0000000000000001.log"),
			 OK);
	assert_int_equal(disk_write(file, 0, segment, len), OK);
	disk_close(file);
	assert_int_equal(log_tester_open(&t), OK); /* one intact header, one misnamed file */
	assert_true(t.found.marked);
	log_tester_drop(&t);
	/* Now both are where they belong. */
	assert_null(log_tester_start(&other, 19));
	log_tester_append(&other, 60);
	len = sim_disk_peek(other.disk, "log/0000000000000002.log", 0, segment, sizeof(segment));
	assert_true(len > 0);
	log_tester_close(&other);
	assert_int_equal(disk_open(sim_disk_interface(t.disk), "log/0000000000000002.log",
				   DISK_CREATE, &file),
			 OK);
	assert_int_equal(disk_write(file, 0, segment, len), OK);
	disk_close(file);
	assert_int_equal(log_tester_open(&t), ERR_INVALID);
	log_tester_close(&t);
}

static void a_log_works_on_a_real_disk(void **state)
{
	struct disk posix = disk_posix();
	char dir[] = "/tmp/conclave-log-XXXXXX";
	char path[256];
	struct log_options options = {.segment_bytes = 65536,
				      .max_bytes = 65536,
				      .direct = true,
				      .identity = {7, 8},
				      .membership = SLICE_LITERAL("three members")};
	struct model_entry e = {.term = 3, .stamp = 5, .len = 900, .kind = ENTRY_COMMAND};
	struct entry entry = model_entry_make(&e);
	struct log_batch batch = {.entries = &entry, .count = 1};
	struct disk_names names = {0};
	struct log_recovery rec;
	struct log *log;
	struct log *second;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/member/log", dir);
	options.dir = path;
	for (uint64_t round = 0; round < 3; round++) {
		assert_int_equal(log_open(&log, &posix, &options, &rec), OK);
		assert_int_equal(rec.last_index, round * 100);
		assert_int_equal(rec.created, round == 0);
		assert_memory_equal(rec.base_membership.data, "three members", 13);
		log_recovery_free(&rec);
		assert_int_equal(log_open(&second, &posix, &options, &rec), ERR_LOCKED);
		for (uint64_t i = 1; i <= 100; i++) {
			struct job *job = i % 10 == 5 ? log_maintain(log) : NULL;

			batch.first_index = round * 100 + i;
			log_add(log, &batch);
			assert_int_equal(log_tester_run(log, log_start(log)), OK);
			while (job && job->step(job) == JOB_MORE)
				;
			if (job)
				assert_int_equal(log_maintain_complete(log), OK);
		}
		log_close(log);
	}
	blob_release(entry.blob);
	assert_int_equal(disk_list(&posix, path, &names), OK);
	for (size_t i = 0; i < names.count; i++) {
		char file[512];

		snprintf(file, sizeof(file), "%s/%s", path, names.names[i]);
		assert_int_equal(disk_remove(&posix, file), OK);
	}
	disk_names_free(&names);
	rmdir(path);
	snprintf(path, sizeof(path), "%s/member", dir);
	rmdir(path);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_directory_becomes_a_log),
		cmocka_unit_test(entries_of_all_sizes_come_back),
		cmocka_unit_test(what_is_added_during_a_job_goes_into_the_next_one),
		cmocka_unit_test(an_append_is_one_write_and_one_sync),
		cmocka_unit_test(a_truncation_lowers_the_durable_index_at_once),
		cmocka_unit_test(reads_answer_errors_that_say_why),
		cmocka_unit_test(a_read_holds_at_least_one_entry_and_then_what_fits),
		cmocka_unit_test(a_read_never_returns_what_was_truncated_meanwhile),
		cmocka_unit_test(a_read_pins_its_segment_until_it_is_complete),
		cmocka_unit_test(a_read_may_outlive_the_log),
		cmocka_unit_test(rot_that_a_read_meets_is_an_error),
		cmocka_unit_test(release_leaves_the_newest_bytes_and_reuses_the_files),
		cmocka_unit_test(release_stops_at_what_is_still_needed),
		cmocka_unit_test(release_leaves_more_for_who_is_given_the_state),
		cmocka_unit_test(restarts_leave_no_files_behind),
		cmocka_unit_test(a_directory_in_use_is_refused),
		cmocka_unit_test(impossible_options_are_refused),
		cmocka_unit_test(segments_of_two_members_are_refused),
		cmocka_unit_test(a_log_works_on_a_real_disk),
	};

	/* Has an effect in the mutant build only. */
	mutant_choose(getenv("MUTANT"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
