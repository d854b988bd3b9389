#ifndef CONCLAVE_BENCH_SUPPORT_FEED_H
#define CONCLAVE_BENCH_SUPPORT_FEED_H

/*
 * Committed entries go straight into the machine of a lone member, past consensus and log: what
 * applying costs, and the engine behind it. The member takes no turns of its own any more.
 */

#include "consensus/snapshot.h"
#include "lone.h"

struct feed {
	struct lone *lone;
	uint64_t origin; /* the member whose clients' batches these are */
	uint64_t incarnation;
	uint64_t seq; /* of the newest command */
	uint64_t index;
	uint64_t term;
	struct snapshot storing;
	bool stores; /* a job is under way */
};

/* The lone member runs. */
void feed_init(struct feed *f, struct lone *l);

/* The header of the next batch of so many commands, which is the newest from now on. */
struct batch_header feed_header(struct feed *f, uint32_t count);

/* All of them are appended, then committed; returns when they are applied. */
void feed_run(struct feed *f, struct blob *const *batches, size_t count);

/*
 * What is applied is stored; returns when it is. Nothing is under way then, and the lone member can
 * be stopped.
 */
void feed_store(struct feed *f);

#endif
