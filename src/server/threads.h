#ifndef CONCLAVE_SERVER_THREADS_H
#define CONCLAVE_SERVER_THREADS_H

/*
 * The threads behind the loop. They own nothing: a job goes in, its steps run on a thread of its
 * lane, and it comes back to the loop, which completes it. Each lane has a queue; a lane of one
 * thread runs its jobs in order.
 *
 *	loop:    threads_run(t, lane, job)
 *	thread:  steps ... then `wake` is called, once for any number of jobs that are finished
 *	loop:    threads_complete(t)           job->done of all of them
 */

#include "base/job.h"
#include "node/node_io.h"

struct threads;

/* Names looked up in the network, which may take seconds: beside the lanes of node_io. */
#define LANE_RESOLVE (LANE_SNAPSHOT + 1)

#define THREADS_LANES (LANE_RESOLVE + 1)

struct threads_options {
	unsigned readers;	 /* threads of LANE_READ, at least 1 */
	void (*wake)(void *ctx); /* called on any thread */
	void *ctx;
};

/* Starts them. ERR_UNAVAILABLE: the system gives no more threads. */
MUST_USE int threads_new(struct threads **out, const struct threads_options *options);

/* Queues the job; from the loop only. After threads_stop it is forgotten. */
void threads_run(struct threads *t, unsigned lane, struct job *job);

/* Calls `done` of every job that is finished by now; they may queue others. */
void threads_complete(struct threads *t);

/*
 * Ends all threads: each finishes the step it is in, no further one begins, and no job is completed
 * any more. Returns when they are gone.
 */
void threads_stop(struct threads *t);

/* Stops, if that was not done, and frees. NULL is nothing. */
void threads_free(struct threads *t);

#endif
