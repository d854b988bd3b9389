#ifndef CONCLAVE_COMMAND_CLUSTER_H
#define CONCLAVE_COMMAND_CLUSTER_H

/* What commands about the members of the cluster are told, and what they ask for. */

#include "consensus/membership.h"

/* The cluster as this member sees it. */
struct cluster_view {
	const struct membership *membership;
	uint64_t leader;     /* 0: none is known */
	const char *outside; /* NULL: it takes part, or did; else why not yet, as an error */
};

/* On the wire; numbers never change meaning. */
enum cluster_change {
	CLUSTER_ADD = 1,      /* a newcomer with the id `who`, as a learner */
	CLUSTER_PROMOTE = 2,  /* a learner gets a vote */
	CLUSTER_DEMOTE = 3,   /* a voter becomes a learner, and stays one */
	CLUSTER_REMOVE = 4,   /* out, for ever */
	CLUSTER_REPLACE = 5,  /* `who` goes and the learner `name` gets its vote, in one step */
	CLUSTER_TRANSFER = 6, /* `who` is to lead */
	CLUSTER_UPDATE = 7,   /* `who` has this name and this address */
};

/* Borrowed from the arguments. Members are said by name, or by id as 16 hexadecimal digits. */
struct cluster_request {
	enum cluster_change change;
	struct slice who;
	struct slice name;
	struct slice address; /* host:port for other members */
	bool rises;	      /* of a newcomer: it gets a vote by itself when it has caught up */
};

#endif
