#ifndef CONCLAVE_PEER_COMPANY_H
#define CONCLAVE_PEER_COMPANY_H

/*
 * A member in company: its connections to the others (peers.h) follow the membership as it knows
 * it, what comes over them goes to it, and as long as it takes no part it asks to (join.h). Without
 * a leader for a while it asks the others who takes part: it may have missed who came.
 */

#include "consensus/raft.h"
#include "peer/peers.h"

struct company;
struct member;

struct company_options {
	struct wires *wires;
	const struct logger *logger; /* may be NULL */
	const struct clock *clock;
	struct random *random;
	const struct peers_place *places; /* of those it was started with; copied */
	size_t place_count;
	const char *name; /* of this member */
	const char *token;
	const char *address; /* host:port, for the others; empty: not known */
	const char *join;    /* host:port of a member of the cluster to join; NULL: none */
	bool rises;	     /* it wants a vote when it has joined and caught up */
	size_t queued_bytes; /* that may wait for one connection */
	uint32_t leave_ms;   /* who takes part no more is still told so for this long */
};

/* Begins to connect. All that is handed in outlives it, but for the places. */
struct company *company_new(const struct company_options *options, struct member *member);

/* Closes all connections; the member is still there. NULL is nothing. */
void company_free(struct company *c);

/* For what the member sends, for who connects, and for questions. */
struct peers *company_peers(struct company *c);

/* The member tells how it stands (driver_events.changed). */
void company_changed(struct company *c, const struct raft_status *status);

/* Does what is due; before the member's turn. */
void company_turn(struct company *c);

/* When company_turn has something to do, in milliseconds of the monotonic clock; UINT64_MAX: never.
 */
uint64_t company_deadline_ms(const struct company *c);

/* Whether the member is in the membership that it knows. */
bool company_takes_part(const struct company *c);

#endif
