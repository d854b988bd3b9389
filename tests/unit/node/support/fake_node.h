#ifndef CONCLAVE_UNIT_NODE_SUPPORT_FAKE_NODE_H
#define CONCLAVE_UNIT_NODE_SUPPORT_FAKE_NODE_H

/*
 * One driver with nothing around it but what a test controls: a simulated disk, a clock that
 * stands still, jobs that run when they are told to, frames that lie in a list, and a state machine
 * that remembers what it applied. The disk and the stored state outlive the driver, as in life.
 */

#include "node/driver.h"
#include "support/sim_disk.h"

#define FAKE_NAMES_MAX 4

/* What the member sent: to an id, or to a name before ids are known. */
struct fake_frame {
	uint64_t to;
	char name[16];
	enum frame_kind kind;
	struct blob *body;
};

struct fake_applied {
	uint64_t index;
	uint64_t term;
	uint8_t kind;
	struct blob *payload; /* may be NULL */
};

struct fake_node {
	struct sim_disk *disk;
	struct random random;
	uint64_t now_ms;
	const char *name;
	struct slice names[FAKE_NAMES_MAX];
	size_t name_count;
	uint64_t snapshot_entries; /* set by the test before a start */
	uint64_t log_max_bytes;
	uint64_t id; /* as the directory says it; 0: it does not */
	bool alone;  /* as driver_options.alone */

	struct driver *driver; /* NULL: not running */
	struct node_io io;
	struct machine machine;
	struct driver_events events;
	struct logger logger;
	struct list jobs;
	struct fake_frame *frames;
	size_t frame_count;
	size_t frame_cap;
	struct buf log_text; /* what the driver logged */

	/* what it told */
	unsigned failures;
	int failure;
	uint64_t read_ready; /* the newest request that may run */

	/* the state machine */
	struct fake_applied *applied; /* since the start, in order */
	size_t applied_count;
	size_t applied_cap;
	struct buf stored; /* the encoded snapshot of the stored state; empty: none */
	struct buf storing;
	struct buf fetched;
	struct job store_job;
	struct job install_job;
	bool refuse_install; /* the other member's state cannot be had */
	unsigned installed;
	bool refuse_store; /* a state cannot be stored */
	unsigned stores;   /* that were begun */
	bool hold_swap;	   /* it takes as long as this is set */
	bool swapping;
};

/* A machine with an empty disk. Without names it joins a cluster that exists. */
void fake_node_init(struct fake_node *n, const char *name, const char *const *names,
		    size_t name_count);

/* Stops it and frees everything. */
void fake_node_close(struct fake_node *n);

/* Starts the driver on what disk and stored state hold: as driver_new. */
MUST_USE int fake_node_start(struct fake_node *n);

/* The process is gone, in the middle of whatever it does; with `power`, so is what was not synced.
 */
void fake_node_stop(struct fake_node *n, bool power);

/* Turns and jobs, until nothing is left to be done at this moment. */
void fake_node_work(struct fake_node *n);

/* The same while so much time passes, ten milliseconds at a time. */
void fake_node_pass(struct fake_node *n, uint64_t ms);

/* Hands the driver a frame; the bytes are copied. */
void fake_node_receive(struct fake_node *n, unsigned kind, struct slice body);

/* The same for a consensus message, its entries included. */
void fake_node_receive_message(struct fake_node *n, const struct raft_message *m);

/* Proposes one command with this payload; *index is set when it is taken. */
MUST_USE int fake_node_propose(struct fake_node *n, const char *text, uint64_t *index);

/* The newest command that was applied since the start, as text; "" if there is none. */
struct slice fake_node_newest(const struct fake_node *n);

/* Whether the command with this payload was applied since the start, and how often. */
unsigned fake_node_applied(const struct fake_node *n, const char *text);

/* Forgets the frames that were sent. */
void fake_node_drop_frames(struct fake_node *n);

/* The newest frame of this kind, or NULL. */
const struct fake_frame *fake_node_sent(const struct fake_node *n, enum frame_kind kind);

struct raft_status fake_node_status(const struct fake_node *n);

#endif
