#ifndef CONCLAVE_UNIT_CONSENSUS_SUPPORT_WORLD_H
#define CONCLAVE_UNIT_CONSENSUS_SUPPORT_WORLD_H

/*
 * A handful of consensus cores with nothing around them but what a test controls: each has a disk
 * and a clock of its own, and what they send lies in one list until somebody delivers it. Messages
 * travel as bytes. After every event the rules of the core itself (raft_broken) and those between
 * members are checked: one leader a term, logs that match, nothing committed lost or changed.
 *
 * Nothing here fails: what is broken stands in `broken`, and whoever drives the world looks there.
 */

#include "image.h"

#define WORLD_NODES 9

/* A message on its way. */
struct frame {
	uint64_t from;
	uint64_t to;
	uint8_t type;
	struct blob *bytes;
};

struct frame_list {
	struct frame *items;
	size_t count;
	size_t cap;
};

/* A message that waits for a write. */
struct held_frame {
	uint64_t seq;
	struct frame frame;
};

struct world_node {
	uint64_t id;
	struct raft_options options;
	struct raft *raft; /* NULL: not running */
	uint64_t clock_ms;
	struct image disk; /* what survives a crash */
	struct image log;  /* the disk when all writes under way are done */
	struct image_write *writes;
	size_t write_count;
	size_t write_cap;
	bool disk_held; /* writes are done when the test says so, else at once */
	struct held_frame *held;
	size_t held_count;
	size_t held_cap;
	uint64_t applied;
	struct snapshot stored; /* the state that survives a crash; index 0: an empty one */
	struct raft_load *loads;
	size_t load_count;
	size_t load_cap;
	bool loads_held;
	struct snapshot offered; /* to be installed; index 0: none */
	bool swapping;		 /* it is being put in place: nothing is applied meanwhile */
	struct raft_status told;
	uint64_t reads_done;
};

enum world_trace {
	TRACE_NOTHING,
	TRACE_ROLES, /* who leads which term, as seen by whom */
	TRACE_ALL,
};

struct world {
	struct world_node nodes[WORLD_NODES]; /* node i has id i + 1; id 0: there is none */
	struct frame_list net;
	bool cut[WORLD_NODES + 1][WORLD_NODES + 1]; /* [from][to]: nothing gets through */
	struct committed {
		uint64_t term;
		uint64_t digest;
		uint64_t office; /* the term whose leader committed it */
	} * committed;		 /* [i]: entry i + 1 as it was committed first */
	size_t committed_count;
	size_t committed_cap;
	struct office {
		uint64_t term;
		uint64_t leader;
	} * offices;
	size_t office_count;
	size_t office_cap;
	enum world_trace trace;
	struct buf out;	   /* the trace, in lines */
	struct buf broken; /* empty, or the first rule that was seen broken */
	bool forged;	   /* messages were made up: members owe each other nothing any more */
	bool damaged;	   /* a disk lost what it had acknowledged */
	struct entry *decoded;
	size_t decoded_cap;
};

struct world *world_new(void);
void world_free(struct world *w);

/* The node with this id, or NULL. */
struct world_node *world_node(struct world *w, uint64_t id);

/* A node that is not running, with an empty disk and the options of `options` but for id and seed.
 */
struct world_node *world_add(struct world *w, uint64_t id, const struct raft_options *options);

/* Starts a node from its disk. What its core refuses is broken. */
void world_start(struct world *w, struct world_node *n);

/* Stops a node: writes not done, and messages that wait for them, are lost. */
void world_crash(struct world *w, struct world_node *n);

/* Takes what follows from the last event until nothing does; to be called after each event. */
void world_drive(struct world *w, struct world_node *n);

/* The clock moves on and the node notices. */
void world_tick(struct world *w, struct world_node *n, uint64_t ms);

/* All clocks move on in small steps, messages and disks take no time. */
void world_run(struct world *w, uint64_t ms);

/*
 * All faults end: links, disks and members work. False if after this much time nobody leads, or not
 * everybody who takes part has applied everything.
 */
MUST_USE bool world_recover(struct world *w, uint64_t ms);

/* The message at `i` arrives. */
void world_deliver(struct world *w, size_t i);

/* Messages arrive in the order in which they were sent, until there are none. */
void world_settle(struct world *w);

/* The oldest write under way is done. */
void world_persist(struct world *w, struct world_node *n);

/* The oldest load under way is done, with this error. */
void world_load(struct world *w, struct world_node *n, int error);

/* Puts a message of the test's own making on its way. */
void world_send(struct world *w, const struct raft_message *m);

/* Proposes one command on this node. Errors as raft_propose. */
MUST_USE int world_propose(struct world *w, struct world_node *n, struct slice text,
			   uint64_t waiter);

/* The state machine's snapshot at what is applied. */
void world_snapshot(struct world *w, struct world_node *n);

/* The log forgets entries up to `index`; the state that survives a crash is at least that new. */
void world_compact(struct world *w, struct world_node *n, uint64_t index);

/*
 * The snapshot that was offered has arrived: if the core still wants it, the state is being swapped
 * until world_install_end. It survives a crash from now on.
 */
void world_install_begin(struct world *w, struct world_node *n);

/* The snapshot that was offered is in place, or was not to be had. */
void world_install_end(struct world *w, struct world_node *n, bool ok);

/* The message as bytes; the caller owns them. */
struct frame frame_of(const struct raft_message *m);

void frame_list_add(struct frame_list *list, struct frame frame);

/* Takes the frame at `i` out; the caller owns it. */
struct frame frame_list_take(struct frame_list *list, size_t i);

void frame_list_free(struct frame_list *list);

/* Adds a line to the trace if `level` is wanted. */
void world_say(struct world *w, enum world_trace level, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Notes that a rule is broken. */
void world_break(struct world *w, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* `to` becomes a copy of `from`, without where the state is to be had. */
void snapshot_copy(struct snapshot *to, const struct snapshot *from);

/* Sends what waits for nothing that is still being written. */
void world_send_released(struct world *w, struct world_node *n);

/* world_check.c: what is checked after an event of `n`. */
void world_check_node(struct world *w, const struct world_node *n);
void world_check_commit(struct world *w, const struct world_node *n, uint64_t commit);
void world_check_logs(struct world *w, const struct world_node *n);

#endif
