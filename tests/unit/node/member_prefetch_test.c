/* Rows are fetched ahead: commands over cold keys do not go to the pool one by one. */

#include "base/error.h"
#include "node/member_state.h"

#include "support/keys.h"
#include "support/solo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define KEYS 3000

/* A few jobs fetch ahead, some close views; thousands would be one for each key. */
#define FEW_JOBS 24

/* Of one transaction: more than is fetched ahead at once, and then again. */
#define LARGE_KEYS 75000
#define JOB_KEYS   1024

/* All keys hold their number, on disk, and nothing of it is in memory. */
static void start_cold(struct solo *s)
{
	char line[64];

	solo_init(s);
	s->options.overlay_bytes = 1;
	s->options.session_requests = 2 * KEYS;
	assert_int_equal(solo_start(s), OK);
	for (int i = 0; i < KEYS; i++) {
		snprintf(line, sizeof(line), "SET key:%d %d", i, i);
		solo_send(s, s->session, line);
	}
	solo_work(s);
	assert_int_equal(strlen(solo_take(s, s->session)), KEYS * strlen("+OK|"));
	keys_store(s);
	solo_stop(s, true);
	s->options.overlay_bytes = (size_t)24 << 20;
	assert_int_equal(solo_start(s), OK);
}

static void send_incrs(struct solo *s)
{
	char line[64];

	for (int i = 0; i < KEYS; i++) {
		snprintf(line, sizeof(line), "INCR key:%d", i);
		solo_send(s, s->session, line);
	}
}

static void assert_incremented(struct solo *s, int by)
{
	char line[64], expected[64];

	for (int i = 0; i < KEYS; i += 97) {
		snprintf(line, sizeof(line), "INCR key:%d", i);
		snprintf(expected, sizeof(expected), ":%d|", i + by + 1);
		assert_string_equal(solo_say(s, line), expected);
	}
}

static void cold_keys_are_fetched_together(void **state)
{
	struct solo s;
	unsigned before;

	(void)state;
	start_cold(&s);
	before = s.pool_jobs;
	send_incrs(&s);
	solo_work(&s);
	assert_true(session_is_idle(s.session));
	assert_in_range(s.pool_jobs - before, 1, FEW_JOBS);
	buf_clear(session_output(s.session));
	assert_incremented(&s, 1);
	solo_close(&s);
}

static void cold_keys_of_a_transaction_are_fetched_together(void **state)
{
	struct solo s;
	unsigned before;

	(void)state;
	start_cold(&s);
	before = s.pool_jobs;
	assert_string_equal(solo_say(&s, "WATCH key:0"), "+OK|");
	assert_in_range(s.pool_jobs - before, 1, 1); /* which reads */
	solo_send(&s, s.session, "MULTI");
	send_incrs(&s);
	solo_send(&s, s.session, "EXEC");
	s.hold_reads = true;
	solo_work(&s);
	assert_null(s.member->dry_run);
	assert_false(list_empty(&s.member->prefetch.flying));
	s.hold_reads = false;
	solo_work(&s);
	assert_true(session_is_idle(s.session));
	assert_in_range(s.pool_jobs - before, 2, FEW_JOBS);
	buf_clear(session_output(s.session));
	assert_incremented(&s, 1);
	solo_close(&s);
}

/*
 * It is run from its beginning each time a row is missing: that must not be once for each job that
 * comes back. It needs more than what is fetched at once, but no dry run.
 */
static void a_large_transaction_is_not_run_for_each_job(void **state)
{
	struct store_stats before, after;
	unsigned jobs;
	char line[64];
	struct solo s;

	(void)state;
	start_cold(&s);
	jobs = s.pool_jobs;
	store_stats(s.member->store, &before);
	solo_send(&s, s.session, "MULTI");
	for (int i = 0; i < LARGE_KEYS; i++) {
		snprintf(line, sizeof(line), "SET large:%d %d", i, i);
		solo_send(&s, s.session, line);
	}
	solo_send(&s, s.session, "EXEC");
	solo_work(&s);
	assert_true(session_is_idle(s.session));
	assert_in_range(s.pool_jobs - jobs, LARGE_KEYS / JOB_KEYS + 1, LARGE_KEYS / JOB_KEYS + 1);
	store_stats(s.member->store, &after);
	assert_in_range(after.header_hits - before.header_hits, LARGE_KEYS, 4 * LARGE_KEYS);
	buf_clear(session_output(s.session));
	assert_string_equal(solo_say(&s, "GET large:1000"), "$4|1000|");
	solo_close(&s);
}

/* What is applied again after a start comes from disk, and was not appended just now. */
static void cold_keys_of_a_replay_are_fetched_together(void **state)
{
	struct solo s;
	unsigned before;

	(void)state;
	start_cold(&s);
	send_incrs(&s);
	solo_work(&s);
	solo_stop(&s, false);
	before = s.pool_jobs;
	assert_int_equal(solo_start(&s), OK);
	assert_in_range(s.pool_jobs - before, 1, FEW_JOBS);
	assert_incremented(&s, 1);
	solo_close(&s);
}

/* What is in memory is not fetched, and neither is what is being fetched. */
static void warm_keys_need_no_job(void **state)
{
	struct solo s;
	unsigned before;

	(void)state;
	start_cold(&s);
	send_incrs(&s);
	solo_work(&s);
	before = s.pool_jobs;
	send_incrs(&s);
	solo_work(&s);
	assert_int_equal(s.pool_jobs - before, 0);
	buf_clear(session_output(s.session));
	assert_incremented(&s, 2);
	solo_close(&s);
}

static void one_key_many_times_is_fetched_once(void **state)
{
	struct solo s;
	unsigned before;

	(void)state;
	start_cold(&s);
	before = s.pool_jobs;
	for (int i = 0; i < 2000; i++)
		solo_send(&s, s.session, "INCR key:7");
	solo_work(&s);
	assert_in_range(s.pool_jobs - before, 1, 2);
	buf_clear(session_output(s.session));
	assert_string_equal(solo_say(&s, "INCR key:7"), ":2008|");
	solo_close(&s);
}

static void cold_keys_that_expire_are_fetched_together(void **state)
{
	struct solo s;
	uint64_t now_ms;
	unsigned before;
	size_t rows;
	char key[32];

	(void)state;
	solo_init(&s);
	s.options.overlay_bytes = 1;
	assert_int_equal(solo_start(&s), OK);
	now_ms = keys_time_ms(&s);
	for (int i = 0; i < KEYS; i++) {
		snprintf(key, sizeof(key), "key:%d", i);
		keys_set(&s, 0, key, now_ms + 5000);
	}
	keys_store(&s);
	solo_stop(&s, true);
	s.options.overlay_bytes = (size_t)24 << 20;
	assert_int_equal(solo_start(&s), OK);
	keys_wait(&s, 4900 - (keys_time_ms(&s) - now_ms));
	before = s.pool_jobs;
	keys_wait(&s, 200);
	assert_string_equal(keys_broken(&s, &rows) ?: "", "");
	assert_int_equal(rows, 0);
	assert_in_range(s.pool_jobs - before, 3, FEW_JOBS);
	solo_close(&s);
}

/* As long as the rows do not come, nothing is applied; then all of it, in order. */
static void a_slow_pool_holds_applying_up_and_nothing_else(void **state)
{
	struct raft_status status;
	struct solo s;
	uint64_t applied;

	(void)state;
	start_cold(&s);
	applied = driver_applied(member_driver(s.member));
	send_incrs(&s);
	s.hold_reads = true;
	for (int i = 0; i < 100; i++) {
		s.now_ms++;
		solo_work(&s);
	}
	driver_status(member_driver(s.member), &status);
	assert_int_equal(status.commit, applied + 1);
	assert_int_equal(driver_applied(member_driver(s.member)), applied);
	s.hold_reads = false;
	solo_work(&s);
	assert_true(session_is_idle(s.session));
	buf_clear(session_output(s.session));
	assert_incremented(&s, 1);
	assert_int_equal(s.failures, 0);
	solo_close(&s);
}

/* Jobs under way when the member ends are its own to free. */
static void a_member_ends_with_rows_under_way(void **state)
{
	struct solo s;

	(void)state;
	start_cold(&s);
	s.hold_reads = true;
	send_incrs(&s);
	solo_work(&s);
	assert_false(list_empty(&s.member->prefetch.flying));
	solo_close(&s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(cold_keys_are_fetched_together),
		cmocka_unit_test(cold_keys_of_a_transaction_are_fetched_together),
		cmocka_unit_test(a_large_transaction_is_not_run_for_each_job),
		cmocka_unit_test(cold_keys_of_a_replay_are_fetched_together),
		cmocka_unit_test(warm_keys_need_no_job),
		cmocka_unit_test(one_key_many_times_is_fetched_once),
		cmocka_unit_test(cold_keys_that_expire_are_fetched_together),
		cmocka_unit_test(a_slow_pool_holds_applying_up_and_nothing_else),
		cmocka_unit_test(a_member_ends_with_rows_under_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
