/*
 * What the log costs beyond the disk: one writer with one small record per append job against a
 * bare loop of write and sync on a file that was written before, in turns; and group commit.
 *
 *	storage_bench [directory]        default: build/bench-log
 */

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "storage/disk.h"
#include "storage/log_segment.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS	      37
#define ROUND_US      250000u /* short turns: a shared disk changes its speed within seconds */
#define GROUP_ROUNDS  9
#define RECORD_BYTES  256u
#define GROUP_RECORDS 4000u
#define SEGMENT_BYTES (64u << 20)
#define BARE_BYTES    (64u << 20)

struct bench {
	struct disk posix;
	struct disk *disk;
	const char *dir;
	struct clock clock;
	struct log *log;
	struct disk_file *bare;
	uint64_t bare_at;
	uint8_t *block;
	struct entry entries[GROUP_RECORDS];
};

static void must(int rc, const char *what)
{
	if (rc == OK)
		return;
	fprintf(stderr, "storage_bench: %s: %s\n", what, error_text(rc));
	exit(1);
}

static void run(struct job *job)
{
	while (job->step(job) == JOB_MORE)
		;
}

/* Housekeeping, which in the server the log thread does between appends. */
static void maintain(struct bench *b)
{
	struct job *job;

	while ((job = log_maintain(b->log)) != NULL) {
		run(job);
		must(log_maintain_complete(b->log), "housekeeping");
	}
}

static void append(struct bench *b, size_t count)
{
	struct log_batch batch = {
		.first_index = log_last_index(b->log) + 1, .entries = b->entries, .count = count};
	struct job *job;

	log_add(b->log, &batch);
	while ((job = log_start(b->log)) != NULL) {
		run(job);
		must(log_complete(b->log), "append");
	}
}

/* Append jobs a second. */
static double log_round(struct bench *b, size_t records)
{
	uint64_t begin = clock_monotonic_us(&b->clock);
	uint64_t end = begin;
	uint64_t jobs = 0;

	while (end - begin < ROUND_US) {
		append(b, records);
		jobs++;
		if (jobs % 64 == 0)
			log_release(b->log, log_durable_index(b->log));
		end = clock_monotonic_us(&b->clock);
	}
	maintain(b);
	return (double)jobs * 1e6 / (double)(end - begin);
}

/* Writes and syncs a second of one block after the other. */
static double bare_round(struct bench *b)
{
	uint64_t begin = clock_monotonic_us(&b->clock);
	uint64_t end = begin;
	uint64_t syncs = 0;

	while (end - begin < ROUND_US) {
		must(disk_write(b->bare, b->bare_at, b->block, DISK_BLOCK), "write");
		must(disk_sync(b->bare), "sync");
		b->bare_at = (b->bare_at + DISK_BLOCK) % BARE_BYTES;
		syncs++;
		end = clock_monotonic_us(&b->clock);
	}
	return (double)syncs * 1e6 / (double)(end - begin);
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), ascending);
	return values[count / 2];
}

static void remove_files(struct bench *b)
{
	struct disk_names names = {0};

	must(disk_make_directory(b->disk, b->dir), "make directory");
	must(disk_list(b->disk, b->dir, &names), "list");
	for (size_t i = 0; i < names.count; i++) {
		const char *name = names.names[i];
		uint64_t sequence;

		/* Only what a log or this program makes: the directory may be anybody's. */
		if (log_segment_name_parse(name, &sequence) ||
		    strncmp(name, LOG_SPARE_PREFIX, strlen(LOG_SPARE_PREFIX)) == 0 ||
		    strcmp(name, LOG_LOCK_NAME) == 0 || strcmp(name, "bare") == 0)
			must(disk_remove(b->disk, log_path(b->dir, name).text), "remove");
	}
	disk_names_free(&names);
}

static void open_files(struct bench *b)
{
	struct log_options options = {.dir = b->dir,
				      .segment_bytes = SEGMENT_BYTES,
				      .max_bytes = SEGMENT_BYTES,
				      .direct = true,
				      .identity = {1, 1}};
	struct log_recovery rec;

	must(log_open(&b->log, b->disk, &options, &rec), "open log");
	log_recovery_free(&rec);
	maintain(b);
	must(disk_open(b->disk, log_path(b->dir, "bare").text, DISK_CREATE | DISK_DIRECT, &b->bare),
	     "open");
	must(disk_preallocate(b->bare, BARE_BYTES), "preallocate");
	for (uint64_t at = 0; at < BARE_BYTES; at += 1u << 20)
		must(disk_write(b->bare, at, b->block, 1u << 20), "write");
	must(disk_sync(b->bare), "sync");
}

static void compare(struct bench *b)
{
	double bare[ROUNDS];
	double log[ROUNDS];
	double ratio[ROUNDS];

	/* The first segment after opening is small; measure the full-sized ones. */
	while (log_stats(b->log).bytes < 2u << 20)
		append(b, GROUP_RECORDS);
	maintain(b);
	for (size_t i = 0; i < ROUNDS; i++) {
		bare[i] = bare_round(b);
		log[i] = log_round(b, 1);
		ratio[i] = log[i] / bare[i];
	}
	printf("%-44s %12s %12s\n", "", "records/s", "syncs/s");
	printf("%-44s %12s %12.0f\n", "bare loop: write 4 KiB, fdatasync", "-",
	       median(bare, ROUNDS));
	printf("%-44s %12.0f %12.0f\n", "log: one writer, one 256-byte record a job",
	       median(log, ROUNDS), median(log, ROUNDS));
	printf("%-44s %12.3f\n", "ratio of neighbours, median", median(ratio, ROUNDS));
	/* Sorted by now. Far apart: the machine was not quiet, and the median says little. */
	printf("%-44s %12.3f to %.3f\n", "  its middle half", ratio[ROUNDS / 4],
	       ratio[ROUNDS - 1 - ROUNDS / 4]);
}

static void group_commit(struct bench *b)
{
	double jobs[GROUP_ROUNDS];

	for (size_t i = 0; i < ARRAY_LEN(jobs); i++)
		jobs[i] = log_round(b, GROUP_RECORDS);
	printf("%-44s %12.0f %12.0f\n", "log: group commit, 4000 records a job",
	       median(jobs, ARRAY_LEN(jobs)) * GROUP_RECORDS, median(jobs, ARRAY_LEN(jobs)));
}

int main(int argc, char **argv)
{
	struct bench *b = MEM_NEW(struct bench);
	struct blob *blob = blob_new(RECORD_BYTES);

	if (argc > 2 || (argc == 2 && argv[1][0] == '-')) {
		fprintf(stderr, "usage: storage_bench [directory]\n");
		return 2;
	}
	b->posix = disk_posix();
	b->disk = &b->posix;
	b->dir = argc == 2 ? argv[1] : "build/bench-log";
	b->clock = clock_system();
	b->block = mem_alloc_aligned(DISK_BLOCK, 1u << 20);
	memset(b->block, 0x5a, 1u << 20);
	memset(blob->data, 0x33, RECORD_BYTES);
	for (size_t i = 0; i < GROUP_RECORDS; i++)
		b->entries[i] = (struct entry){.term = 1,
					       .stamp = i,
					       .data = blob->data,
					       .blob = blob,
					       .len = RECORD_BYTES,
					       .kind = ENTRY_COMMAND};
	remove_files(b);
	open_files(b);
	compare(b);
	group_commit(b);
	log_close(b->log);
	disk_close(b->bare);
	remove_files(b);
	blob_release(blob);
	mem_free(b->block);
	mem_free(b);
	return 0;
}
