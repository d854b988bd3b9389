#ifndef CONCLAVE_NODE_ORIGIN_H
#define CONCLAVE_NODE_ORIGIN_H

/*
 * The writes of one member's clients, from the request to the moment when applying has shown what
 * became of them. Each start of a member is a new origin: it registers in the log first, and the
 * index of that entry is its incarnation; what an earlier run still had under way is void from then
 * on.
 *
 * A write gets its number when it is first handed out, to the log or to a peer. From then on it is
 * never withdrawn: it is sent again until it shows up in what is applied, and the numbers see to it
 * that it is applied once. Who waited for too long gives up; from then on a cancellation goes in
 *its place, and whichever is first in the log decides.
 *
 *	         sealed             sent to whoever leads        applied
 *	COLLECTED ------> NUMBERED -------------------> SENT -----------> gone
 *	    |                ^                            |
 *	    | dropped        +----------------------------+
 *	    v                   leader changed, connection lost, gap, no progress
 *	   gone
 */

#include "base/bytes.h"

struct request;

/* One write under way. */
struct pending {
	struct request *request; /* NULL: nobody waits any more */
	struct blob *blob;	 /* its batch as first sealed */
	uint32_t at;		 /* the command's bytes in there */
	uint32_t len;
	bool cancelled;
};

struct origin {
	uint64_t member;
	uint64_t incarnation; /* 0: not registered */
	uint64_t nonce;	      /* by which this run knows its registration; 0: none was sent */

	/* collected and not numbered yet */
	struct buf collected;	  /* room for a header, then commands */
	struct request **waiting; /* one for each; NULL: dropped */
	uint32_t *ends;		  /* where each command ends in `collected` */
	size_t waiting_count;
	size_t waiting_cap;
	size_t ends_cap;
	size_t dropped;

	/* numbered: pendings[i] is number first + i, in a ring */
	struct pending *ring;
	size_t ring_cap; /* power of two */
	uint64_t first;	 /* the oldest that is not resolved; numbers begin at 1 */
	uint64_t next;	 /* the number that is given next */
	uint64_t sent;	 /* all before this one were sent to the present leader */
	uint64_t bytes;	 /* of all that is numbered */
};

void origin_init(struct origin *o, uint64_t member);
void origin_close(struct origin *o);

/* A new incarnation: numbers begin anew. Nothing was numbered before. */
void origin_registered(struct origin *o, uint64_t incarnation);

/*
 * Takes one write, encoded by batch_command_encode to the end of the returned buffer. A request
 * without a session waits for nothing: it is freed when it has got its number.
 */
struct buf *origin_collect(struct origin *o, struct request *request);
void origin_collected(struct origin *o);

/* The client gave up before it was numbered: it never happened. */
void origin_drop(struct origin *o, struct request *request);

/* Whether anything is collected that could be numbered. */
bool origin_has_collected(const struct origin *o);

/* Whether more is collected than one batch may have: without a leader it becomes more and more. */
bool origin_needs_parts(const struct origin *o, size_t max_bytes);

/*
 * Numbers all that is collected and makes it one batch for the leader of `term`. The blob is held
 * by the caller and by the pendings.
 */
struct blob *origin_seal(struct origin *o, uint64_t term, uint32_t level);

/*
 * A batch of what was numbered and has to be sent again, from o->sent on, at most `max_bytes`
 * unless one command alone is larger; NULL: everything is sent. Held by the caller. origin_sent
 * says that it went out.
 */
struct blob *origin_resend(struct origin *o, uint64_t term, uint32_t level, size_t max_bytes,
			   uint64_t *next);
void origin_sent(struct origin *o, uint64_t next);

/* The batch that was sealed last was taken by nobody: it goes out with what is sent again. */
void origin_unsend(struct origin *o, uint64_t from);

/* What was sent may be lost: all that is not resolved goes out once more. */
void origin_send_again(struct origin *o);

/* The write with this number, which is not resolved. */
struct pending *origin_pending(struct origin *o, uint64_t seq);

/* Number o->first is resolved. */
void origin_resolve_first(struct origin *o);

/* How many writes are numbered and not resolved. */
uint64_t origin_unresolved(const struct origin *o);

#endif
