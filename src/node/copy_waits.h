#ifndef CONCLAVE_NODE_COPY_WAITS_H
#define CONCLAVE_NODE_COPY_WAITS_H

/*
 * Inside node only: requests that wait until what their sessions wrote is on so many disks (WAIT,
 * WAITAOF), in such an order that a turn looks at those whose wait is over, and at one more for
 * each number of disks that is waited for.
 */

#include "base/heap.h"
#include "consensus/membership.h"

#include <stdint.h>

struct request;

/* More disks of others than that there never are: who asks for more waits until no more come. */
#define COPY_OTHERS_MAX MEMBERSHIP_MAX
#define COPY_KINDS	(2 * (COPY_OTHERS_MAX + 1))

struct copy_wait {
	struct request *request;
	uint64_t index; /* the log up to there */
	uint64_t due_ms;
	unsigned here;	 /* 1: also on this member's disk */
	unsigned others; /* on so many others, at most COPY_OTHERS_MAX */
	struct heap_node by_index;
	struct heap_node by_due;
};

/*
 * Whoever waits is in two heaps. Of those who ask for the same number of disks, whoever has the
 * lowest index is served first.
 */
struct copy_waits {
	struct heap by_index[COPY_KINDS];
	struct heap by_due;
	unsigned looked_at; /* in this turn: nobody in the heaps before this one has enough */
};

/*
 * Whether so many disks have it, or no more will than have it now. What holds of an index holds of
 * those below it.
 */
typedef bool (*copies_enough)(void *ctx, const struct copy_wait *w);

void copy_waits_init(struct copy_waits *c);
void copy_waits_close(struct copy_waits *c);

/* `w` is borrowed until it is taken out, and does not change. */
void copy_waits_add(struct copy_waits *c, struct copy_wait *w);

/* Takes it out, if it is in. */
void copy_waits_remove(struct copy_waits *c, struct copy_wait *w);

/* A turn begins: what `enough` says may have changed since the last one, and does not within it. */
void copy_waits_begin(struct copy_waits *c);

/* Takes out one whose time is over, or that has enough; NULL: there are no more in this turn. */
struct copy_wait *copy_waits_next(struct copy_waits *c, uint64_t now_ms, copies_enough enough,
				  void *ctx);

/* When the first one's time is over; UINT64_MAX: never. */
uint64_t copy_waits_due_ms(const struct copy_waits *c);

#endif
