#ifndef CONCLAVE_SERVER_SPACE_H
#define CONCLAVE_SERVER_SPACE_H

/*
 * How much room there is where data and log live, and how much they take. A look may take as long
 * as a disk does, so it is a job; there is one every second, and more often as long as little is
 * missing to a limit. What was found is told once, and again when it changes. Short of space is
 * who has less room than the reserve, until there is a tenth more; or takes more than the quota,
 * until that is less than nine tenths.
 */

#include "base/job.h"
#include "storage/disk.h"

struct space;

struct space_limits {
	uint64_t reserve; /* bytes that are to stay free; 0: any number */
	uint64_t quota;	  /* bytes that files may take; 0: any number */
};

struct space_found {
	bool low;
	bool below_reserve; /* which is why, perhaps both */
	bool above_quota;
	uint64_t free; /* the less of both disks; UINT64_MAX: not known */
	uint64_t used; /* if there is a quota */
};

struct space_options {
	struct disk *disk;
	const char *dirs[2]; /* both are looked at */
	bool is_nested;	     /* the second one lies in the first */
	struct space_limits limits;
	void *ctx;
	void (*run)(void *ctx, struct job *job);
	/* Called from the job's `done`, or, where nobody has to look any more, as that comes. */
	void (*told)(void *ctx, const struct space_found *found);
};

/* The options are copied, the names borrowed. */
struct space *space_new(const struct space_options *options);

/* Others from now on. */
void space_set_limits(struct space *s, const struct space_limits *limits);

/* What the last look found; before the first one nothing is known. */
const struct space_found *space_found(const struct space *s);

/* No job is under way any more. NULL is nothing. */
void space_free(struct space *s);

/* Looks, if it is time; returns when that is next, in milliseconds; UINT64_MAX: not by itself. */
uint64_t space_turn(struct space *s, uint64_t now_ms);

#endif
