#ifndef CONCLAVE_STORAGE_DISK_PLAN_H
#define CONCLAVE_STORAGE_DISK_PLAN_H

/*
 * Disk calls in order, laid down on the loop and run elsewhere as the steps of a job. The first
 * call that fails ends the plan: what comes after it never happens. A plan owns its paths and
 * nothing else: files and memory that it names must outlive it.
 */

#include "base/job.h"
#include "storage/disk.h"

struct disk_call;

struct disk_plan {
	struct job job; /* its step runs the next call */
	struct disk *disk;
	struct disk_call *calls;
	size_t count;
	size_t cap;
	size_t next;
	int error; /* of the call that failed; read it when the job is done */
};

void disk_plan_init(struct disk_plan *p, struct disk *disk);
void disk_plan_close(struct disk_plan *p);

/* No calls, no error: ready for the next use. */
void disk_plan_clear(struct disk_plan *p);

/* Runs what is left to the end, for start-up. */
MUST_USE int disk_plan_run(struct disk_plan *p);

/*
 * Each adds the call of that name. `file` is where the open file's handle stands when the call's
 * turn comes: disk_plan_open() of the same plan may put it there. Data is not copied.
 */
void disk_plan_open(struct disk_plan *p, const char *path, unsigned flags, struct disk_file **file);
void disk_plan_close_file(struct disk_plan *p, struct disk_file **file); /* leaves NULL there */
void disk_plan_write(struct disk_plan *p, struct disk_file **file, uint64_t offset,
		     const void *data, size_t len);
void disk_plan_sync(struct disk_plan *p, struct disk_file **file);
void disk_plan_preallocate(struct disk_plan *p, struct disk_file **file, uint64_t size);
void disk_plan_truncate(struct disk_plan *p, struct disk_file **file, uint64_t size);
void disk_plan_rename(struct disk_plan *p, const char *from, const char *to);
void disk_plan_remove(struct disk_plan *p, const char *path);
void disk_plan_sync_directory(struct disk_plan *p, const char *path);

#endif
