#ifndef CONCLAVE_SERVER_SPACE_H
#define CONCLAVE_SERVER_SPACE_H

/*
 * How much room the disks have on which data and log live. A look may take as long as a disk does,
 * so it is a job; there is one every second. What was found is told once, and again when it
 * changes. Short of space means less than the reserve; that ends when there is a tenth more.
 */

#include "base/job.h"
#include "storage/disk.h"

struct space;

struct space_options {
	struct disk *disk;
	const char *dirs[2]; /* both are looked at */
	uint64_t reserve;    /* bytes; 0: nothing is ever looked at */
	void *ctx;
	void (*run)(void *ctx, struct job *job);
	void (*told)(void *ctx, bool low); /* called from the job's `done` */
};

/* The options are copied, the names borrowed. */
struct space *space_new(const struct space_options *options);

/* Another reserve from now on. */
void space_set_reserve(struct space *s, uint64_t bytes);

/* No job is under way any more. NULL is nothing. */
void space_free(struct space *s);

/* Looks, if it is time; returns when that is next, in milliseconds; UINT64_MAX: not by itself. */
uint64_t space_turn(struct space *s, uint64_t now_ms);

#endif
