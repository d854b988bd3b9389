#ifndef CONCLAVE_NODE_NODE_IO_H
#define CONCLAVE_NODE_NODE_IO_H

/*
 * The only way out of a member. The process implements it with sockets, threads and the system's
 * clocks, the simulator with virtual ones; what is above runs the same object code in both. All
 * calls are made from the loop and return at once.
 */

#include "base/clock.h"
#include "base/crash_point.h"
#include "base/entry.h"
#include "base/job.h"
#include "base/logging.h"

struct disk;

/* What members send each other. On the wire; numbers never change meaning. */
enum frame_kind {
	FRAME_RAFT = 1,	     /* a consensus message (consensus/message.h) */
	FRAME_BIRTH = 2,     /* a hello before the cluster exists (consensus/birth.h) */
	FRAME_WHO_LEADS = 3, /* a started member asks: the sender's id */
	FRAME_LEADS = 4,     /* the answer: the sender's id and the leader's, 0 for nobody */
	FRAME_FORWARD = 5,   /* a batch of writes for the leader (node/batch.h) */
	FRAME_REGISTER = 6,  /* a registration for the leader (node/batch.h) */
	FRAME_FETCH = 7,     /* asks for rows of a stored state (node/transfer.h) */
	FRAME_ROWS = 8,	     /* the answer (node/transfer.h) */
	FRAME_DIGESTS = 9,   /* what a check found, for the leader (node/control_entry.h) */
	FRAME_ALARM = 10,    /* an alarm for the leader (node/control_entry.h) */
	FRAME_CHANGE = 16,   /* asks the leader for another membership (node/change_frame.h) */
	FRAME_CHANGED = 17,  /* the answer (node/change_frame.h) */
};

/* A frame to be sent: `head`, then the payloads of `entries` in order. All is borrowed. */
struct frame {
	enum frame_kind kind;
	struct slice head;
	const struct entry *entries;
	size_t count;
};

/* Where a job wants to run. Jobs of one lane run one after the other, in order. */
enum job_lane {
	LANE_LOG,	  /* appends to the log: nothing else is in their way */
	LANE_MAINTENANCE, /* segments made ahead and removed */
	LANE_READ,	  /* reading back; any number at a time */
	LANE_SNAPSHOT, /* the engine's one writer: storing the state, putting another in its place
			*/
};

struct node_io {
	void *ctx;
	struct clock clock;
	struct disk *disk;
	const struct crash_points *crash_points; /* may be NULL */
	const struct logger *logger;		 /* may be NULL */

	uint64_t (*random)(void *ctx);

	/* Sends to a member, or drops: what is lost is asked for again by whoever misses it. */
	void (*send)(void *ctx, uint64_t to, const struct frame *frame);

	/* The same to whoever was started under this name, before ids are known. */
	void (*send_to_name)(void *ctx, struct slice name, const struct frame *frame);

	/* Runs the job's steps elsewhere, then its `done` on the loop. */
	void (*run)(void *ctx, enum job_lane lane, struct job *job);
};

#endif
