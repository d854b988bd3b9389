#include "support/log_model.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define ACTIONS 120

static void expect_nothing(const char *wrong, uint64_t seed, int kind, uint64_t nth)
{
	if (wrong)
		fail_msg("%s (seed %" PRIu64 ", kind %d, call %" PRIu64 ")", wrong, seed, kind,
			 nth);
}

/* Lets call `nth` of a kind fail in a workload; false: there was no such call. */
static bool fail_once(uint64_t seed, enum sim_disk_call kind, uint64_t nth, int error)
{
	struct log_tester t;
	struct job *append;
	uint64_t before;
	bool reached;

	assert_null(log_tester_start(&t, seed));
	before = sim_disk_calls(t.disk, kind);
	sim_disk_fail(t.disk, kind, nth, error);
	for (int i = 0; i < ACTIONS; i++)
		log_tester_act(&t);
	reached = sim_disk_calls(t.disk, kind) >= before + nth;
	if (t.failed) {
		struct log_read read;

		assert_int_equal(log_status(t.log), ERR_STOPPED);
		assert_null(log_start(t.log));
		assert_null(log_maintain(t.log));
		assert_int_equal(log_read_start(t.log, &read, 1, 1), ERR_STOPPED);
		assert_false(log_idle_cover(t.log));
	}
	sim_disk_fail(t.disk, kind, 0, OK);
	append = t.append;
	log_tester_drop(&t);
	t.append = append; /* only to know that a job was under way */
	if (nth % 2)
		sim_disk_crash(t.disk);
	else
		sim_disk_kill(t.disk);
	assert_int_equal(log_tester_open(&t), OK);
	expect_nothing(log_tester_check_recovery(&t), seed, kind, nth);
	log_tester_append(&t, 3);
	assert_false(t.failed);
	assert_null(log_tester_check_reads(&t));
	log_tester_close(&t);
	return reached;
}

static void sweep(enum sim_disk_call kind, int error)
{
	for (uint64_t seed = 1; seed <= 12; seed++) {
		for (uint64_t nth = 1; fail_once(seed, kind, nth, error); nth++)
			;
	}
}

static void any_write_may_fail(void **state)
{
	(void)state;
	sweep(SIM_DISK_WRITE, ERR_IO);
	sweep(SIM_DISK_WRITE, ERR_NO_SPACE);
}

static void any_sync_may_fail(void **state)
{
	(void)state;
	sweep(SIM_DISK_SYNC, ERR_IO);
	sweep(SIM_DISK_SYNC_DIRECTORY, ERR_IO);
}

static void any_change_of_a_file_may_fail(void **state)
{
	(void)state;
	sweep(SIM_DISK_OPEN, ERR_NO_SPACE);
	sweep(SIM_DISK_PREALLOCATE, ERR_NO_SPACE);
	sweep(SIM_DISK_TRUNCATE, ERR_IO);
	sweep(SIM_DISK_RENAME, ERR_IO);
	sweep(SIM_DISK_REMOVE, ERR_IO);
}

static void opening_may_fail_at_any_call_and_is_tried_again(void **state)
{
	(void)state;
	for (int kind = 0; kind < SIM_DISK_CALL_KINDS; kind++) {
		int rc = ERR_IO;

		for (uint64_t nth = 1; rc != OK; nth++) {
			struct log_tester t;

			assert_null(log_tester_start(&t, nth));
			for (int i = 0; i < 10; i++)
				log_tester_append(&t, 3);
			log_tester_drop(&t);
			sim_disk_crash(t.disk);
			sim_disk_fail(t.disk, kind, nth, ERR_IO);
			rc = log_tester_open(&t);
			sim_disk_fail(t.disk, kind, 0, OK);
			if (rc != OK) {
				assert_int_equal(rc, ERR_IO);
				assert_int_equal(log_tester_open(&t), OK);
			}
			expect_nothing(log_tester_check_recovery(&t), nth, kind, nth);
			log_tester_close(&t);
		}
	}
}

static void a_full_disk_stops_preparing_but_not_the_log(void **state)
{
	struct log_tester t;
	struct job *job;

	(void)state;
	assert_null(log_tester_start(&t, 5));
	sim_disk_set_capacity(t.disk, 16384 + 8000);
	job = log_maintain(t.log);
	assert_non_null(job);
	while (job->step(job) == JOB_MORE)
		;
	assert_int_equal(log_maintain_complete(t.log), ERR_NO_SPACE);
	assert_int_equal(log_status(t.log), OK);
	job = log_maintain(t.log); /* what was begun is removed, and then it is not tried again */
	assert_non_null(job);
	while (job->step(job) == JOB_MORE)
		;
	assert_int_equal(log_maintain_complete(t.log), OK);
	assert_null(log_maintain(t.log));
	t.payload_max = 100;
	log_tester_append(&t, 3);
	assert_false(t.failed);
	assert_null(log_tester_check_reads(&t));
	/* A log that needs a new segment and gets none stops. */
	for (int i = 0; i < 20 && !t.failed; i++)
		log_tester_append(&t, 10);
	assert_true(t.failed);
	assert_int_equal(log_status(t.log), ERR_STOPPED);
	log_tester_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_write_may_fail),
		cmocka_unit_test(any_sync_may_fail),
		cmocka_unit_test(any_change_of_a_file_may_fail),
		cmocka_unit_test(opening_may_fail_at_any_call_and_is_tried_again),
		cmocka_unit_test(a_full_disk_stops_preparing_but_not_the_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
