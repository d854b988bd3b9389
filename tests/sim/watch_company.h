#ifndef CONCLAVE_SIM_WATCH_COMPANY_H
#define CONCLAVE_SIM_WATCH_COMPANY_H

/*
 * What must hold of members that talk over streams of bytes:
 *
 *  - what is heard was said, by the one it is said to come from, and to the one who hears it
 *  - an older connection is not heard any more when a newer one for the same stands
 *  - gone is said only of who refuses
 *  - what is small and prompt does not wait behind what is large
 *  - what waits for a connection has a bound
 *  - when the faults are over all connections stand again, nobody who only connected is still
 *    there, and nobody misses a leader that is there
 */

#include "consensus/raft.h"
#include "peer/peers.h"

/* Whom a host remembers to have heard: more than there are connections to it at a time. */
#define NEWEST_HEARD_MAX 64

struct host;
struct world;

struct frame_said {
	uint64_t hash;
	uint64_t prompt_us; /* when; 0: it may take its time */
};

/* Frames that were said; all zero is none. */
struct frames_said {
	struct frame_said *frames;
	size_t count;
	size_t cap; /* a power of two */
};

/* What was last heard from somebody on a channel. */
struct newest_heard {
	uint64_t id;
	unsigned channel;
	uint64_t stream;
};

/* What was seen of one process, and stands between it and its peers. */
struct company_seen {
	const struct peers_events *to; /* the company's own */
	struct peers_events events;
	struct newest_heard newest[NEWEST_HEARD_MAX];
	size_t largest_frame;
	uint64_t started_us;
	size_t removed_count; /* that its membership knows, */
	uint64_t removed_us;  /* and since when */
	uint64_t leader;      /* that it knew last */
	uint64_t term;
};

/* The process on this host has got its company. */
void watch_company_started(struct host *h);

/* It is about to say this; `to` is 0 when it says it to a name. */
void watch_company_says(struct host *h, uint64_t to, const struct frame *frame);

/* After each turn of it. */
void watch_company_turn(struct host *h);

/* It tells how it stands. */
void watch_company_changed(struct host *h, const struct raft_status *status);

/* Its connections, for whoever reads the trace. */
void watch_company_describe(struct host *h);

/* Whether a connection still has to come about. */
bool watch_company_waits(struct world *w);

/* When all is over. */
void watch_company_end(struct world *w);
void watch_company_close(struct world *w);

#endif
