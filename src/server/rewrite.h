#ifndef CONCLAVE_SERVER_REWRITE_H
#define CONCLAVE_SERVER_REWRITE_H

/* CONFIG REWRITE, done by another thread: the loop must not wait for a disk. */

#include "base/job.h"
#include "server/options.h"

struct rewrite;

/* `options` and `run`'s ctx outlive it; `run` has the job run and completed. */
struct rewrite *rewrite_new(const struct options *options, void *ctx,
			    void (*run)(void *ctx, struct job *job));

/* No job is under way any more. NULL is nothing. */
void rewrite_free(struct rewrite *r);

/*
 * Begins, with the options as they are now, or as they are when the one under way has ended.
 * Returns its number, which is not 0; 0: there is no file, `problem` says so.
 */
uint64_t rewrite_begin(struct rewrite *r, struct buf *problem);

/* OK: this one, or a later one, is done; ERR_BUSY: not yet; else `problem` is the error. */
MUST_USE int rewrite_ended(const struct rewrite *r, uint64_t number, struct buf *problem);

#endif
