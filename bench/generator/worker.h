#ifndef CONCLAVE_BENCH_GENERATOR_WORKER_H
#define CONCLAVE_BENCH_GENERATOR_WORKER_H

/*
 * One thread with its connections. Closed loop: each connection sends a pipeline, and the next one
 * when all of it is answered, so that a slow server is asked less. With a rate: each request has a
 * moment at which it should be sent, is sent by whichever connection is free then or later, and its
 * time is counted from that moment.
 *
 * A connection that fails goes on to the next address, at once until it has tried all of them, then
 * after a pause. What it had asked is lost, and an error.
 */

#include "link.h"
#include "mix.h"
#include "tally.h"

#include <stdatomic.h>

/* What all workers of a run have in common; nothing of it changes during the run. */
struct load {
	const struct target *targets;
	size_t target_count;
	struct slice greeting; /* what each connection says first, */
	size_t greetings;      /* and the number of replies to it */
	const struct mix *mix;
	struct picker_choice choice;
	uint64_t keys;
	uint64_t seed;
	unsigned connections;
	unsigned pipeline;
	unsigned threads; /* no more than connections */
	uint64_t warmup_ns;
	uint64_t duration_ns; /* of what counts; 0: until `requests` are done */
	uint64_t requests;
	uint64_t rate; /* of all workers, requests/s; 0: closed loop */
	uint64_t timeout_ns;
};

struct worker {
	const struct load *load;
	unsigned number;
	int epoll_fd;
	struct link *links;
	size_t link_count;
	struct link *idle; /* READY, and nothing of theirs is awaited */
	struct mix_source source;
	uint8_t *values;
	struct tally tally;

	uint64_t begin;	   /* ns: the first request may be sent, */
	uint64_t measured; /* from here on they count, */
	uint64_t end;	   /* and from here on none is sent, nor due */
	uint64_t left;	   /* if there is no end: requests to be sent that count */
	uint64_t due;	   /* with a rate: requests that were given to a connection */
	uint64_t awaited;  /* requests that were sent and not resolved */
	uint64_t last_up;  /* ns: a connection was READY then */
	uint64_t next_look;
	size_t ready;

	const atomic_bool *stop; /* somebody wants an end */
	/* For who looks on. */
	atomic_uint_fast64_t seen_requests;
	atomic_uint_fast64_t seen_errors;
	atomic_uint_fast64_t seen_ready;
};

/* Monotonic. */
uint64_t worker_now(void);

void worker_init(struct worker *w, const struct load *load, unsigned number,
		 const atomic_bool *stop);
void worker_free(struct worker *w);

/* Connects, until each connection is there or has failed once. */
void worker_connect(struct worker *w);

/* Puts the load, and ends when all of it is resolved. `begin` as in the struct. */
void worker_run(struct worker *w, uint64_t begin);

#endif
