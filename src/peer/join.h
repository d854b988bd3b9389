#ifndef CONCLAVE_PEER_JOIN_H
#define CONCLAVE_PEER_JOIN_H

/*
 * Coming to a cluster that exists: a member that takes no part yet asks one that does, again and
 * again, until its owner sees that it takes part and frees this. The answer names everybody; who
 * leads is asked next, since only the leader takes anybody in.
 */

#include "base/clock.h"
#include "base/logging.h"
#include "peer/wire.h"

struct join;

struct join_options {
	struct wires *wires;
	const struct clock *clock;
	const struct logger *logger;
	struct slice at; /* host:port of a member of the cluster */
	const char *name;
	const char *address; /* of this member, for the others */
	const char *token;
	uint64_t id;
	bool rises; /* it wants a vote when it has caught up */
};

struct join_events {
	void *ctx;
	/*
	 * An answer: who leads (0: not known), and the encoded membership. The address of the one
	 * to be asked next goes to `next`; empty: the one that was given at the beginning.
	 */
	void (*answered)(void *ctx, uint64_t leader, struct slice membership, struct buf *next);
};

/* Begins to ask. All that is handed in outlives it. */
struct join *join_new(const struct join_options *options, const struct join_events *events);

/* Asks when it is time to. */
void join_turn(struct join *j);

/* When it is, in milliseconds of the monotonic clock. */
uint64_t join_deadline_ms(const struct join *j);

/* Asks no more. NULL is nothing. */
void join_free(struct join *j);

#endif
