#ifndef CONCLAVE_NODE_CHANGE_FRAME_H
#define CONCLAVE_NODE_CHANGE_FRAME_H

/*
 * A change of the membership on its way to the leader, and the answer.
 *
 *	CHANGE	fixed64 who asks, fixed64 number, fixed64 term, then the request: fixed8 change,
 *		fixed8 rises, string who, string name, string address
 *	CHANGED	fixed64 number, fixed8 outcome, string error
 *
 * A change is sent once: whether it was made is not known until the answer comes, or a change of
 * leader makes it unknowable. It is for the leader of one term: what comes late, or once more, is
 * nothing to the next one.
 */

#include "base/codec.h"
#include "command/cluster.h"

/* Numbers never change meaning. */
enum change_outcome {
	CHANGE_MADE = 1,
	CHANGE_REFUSED = 2, /* nothing was or will be done; the error says why */
	CHANGE_NOT_LED = 3, /* who was asked does not lead: nothing was or will be done */
	CHANGE_UNKNOWN = 4, /* it was begun, and whoever leads now decides */
};

struct change_frame {
	uint64_t from;
	uint64_t number; /* by which the answer is known; 0: none is wanted, whoever leads */
	uint64_t term;	 /* of the leader that is asked */
	struct cluster_request request;
};

struct changed_frame {
	uint64_t number;
	enum change_outcome outcome;
	struct slice error; /* a reply; empty unless REFUSED */
};

void change_request_encode(const struct cluster_request *c, struct buf *out);

/* ERR_MALFORMED. What is decoded points into the bytes. */
MUST_USE int change_request_decode(struct cursor *c, struct cluster_request *out);

/* All but the request, which follows it. */
void change_frame_put_head(const struct change_frame *f, struct buf *out);
MUST_USE int change_frame_decode(struct slice bytes, struct change_frame *out);
void changed_frame_encode(const struct changed_frame *f, struct buf *out);
MUST_USE int changed_frame_decode(struct slice bytes, struct changed_frame *out);

#endif
