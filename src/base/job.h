#ifndef CONCLAVE_BASE_JOB_H
#define CONCLAVE_BASE_JOB_H

/*
 * Work for another thread, cut into steps of one disk call each. The loop prepares a job, any
 * thread runs its steps one after the other, the loop completes it. `done`, `owner` and `link`
 *belong to whoever has the job run, `step` to whoever made it:
 *
 *	loop:    job = x_prepare(...)          fills in step and done
 *	thread:  while (job->step(job) == JOB_MORE) ;
 *	loop:    job->done(job)                the result is taken, the job is its owner's again
 *
 * Between two steps anything may happen, a crash too. `step` touches only what the job owns.
 */

#include "base/list.h"

enum job_progress { JOB_MORE = 0, JOB_DONE = 1 };

struct job {
	enum job_progress (*step)(struct job *job);
	void (*done)(struct job *job);
	void *owner;	  /* whom `done` works for */
	struct list link; /* for whoever queues it */
};

#endif
