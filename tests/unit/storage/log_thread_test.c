#include "storage/log.h"
#include "support/log_model.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

/* Any thread may run a job's steps; what matters here is said by the thread sanitizer. */
static void *run_steps(void *job_)
{
	struct job *job = job_;

	while (job->step(job) == JOB_MORE)
		;
	return NULL;
}

struct worker {
	pthread_t thread;
	bool busy;
};

static void worker_start(struct worker *w, struct job *job)
{
	w->busy = job != NULL;
	if (job)
		assert_int_equal(pthread_create(&w->thread, NULL, run_steps, job), 0);
}

static bool worker_join(struct worker *w)
{
	if (!w->busy)
		return false;
	assert_int_equal(pthread_join(w->thread, NULL), 0);
	return true;
}

static void add(struct log *log, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		struct model_entry e = {
			.term = 1, .stamp = i + 1, .len = 700, .kind = ENTRY_COMMAND};
		struct entry entry = model_entry_make(&e);
		struct log_batch batch = {
			.first_index = log_last_index(log) + 1, .entries = &entry, .count = 1};

		log_add(log, &batch);
		blob_release(entry.blob);
	}
}

static void round_of_jobs(struct log *log, uint64_t first)
{
	struct worker append = {0};
	struct worker chore = {0};
	struct worker reader = {0};
	struct log_read read;

	add(log, 5);
	worker_start(&append, log_start(log));
	worker_start(&chore, log_maintain(log));
	if (log_read_start(log, &read, first, 5000) == OK)
		worker_start(&reader, &read.job);
	add(log, 3);
	if (log_durable_index(log) > 100)
		log_release(log, log_durable_index(log) - 100);
	assert_true(worker_join(&append));
	assert_int_equal(log_complete(log), OK);
	if (worker_join(&chore))
		assert_int_equal(log_maintain_complete(log), OK);
	if (worker_join(&reader)) {
		assert_int_equal(log_read_complete(log, &read), OK);
		log_read_free(&read);
	}
}

static void appends_housekeeping_and_reads_run_side_by_side(void **state)
{
	struct disk posix = disk_posix();
	char dir[] = "/tmp/conclave-threads-XXXXXX";
	struct log_options options = {.dir = dir, .segment_bytes = 65536, .direct = true};
	struct disk_names names = {0};
	struct log_recovery rec;
	struct log *log;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(log_open(&log, &posix, &options, &rec), OK);
	log_recovery_free(&rec);
	for (uint64_t i = 0; i < 60; i++)
		round_of_jobs(log, log_base_index(log) + 1 + i % 7);
	log_close(log);
	assert_int_equal(disk_list(&posix, dir, &names), OK);
	for (size_t i = 0; i < names.count; i++) {
		char file[512];

		snprintf(file, sizeof(file), "%s/%s", dir, names.names[i]);
		assert_int_equal(disk_remove(&posix, file), OK);
	}
	disk_names_free(&names);
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appends_housekeeping_and_reads_run_side_by_side),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
