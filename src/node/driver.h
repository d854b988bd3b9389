#ifndef CONCLAVE_NODE_DRIVER_H
#define CONCLAVE_NODE_DRIVER_H

/*
 * The driver binds consensus, log and state machine: it owns the order
 *
 *	persist -> send -> apply -> advance
 *
 * in one function, driver_turn, with a named crash point between every two steps. Whatever
 * happens to a member - a frame, a client's command, a finished job, time - is told to the driver,
 * and then the loop calls driver_turn once for all of it.
 */

#include "consensus/raft.h"
#include "node/machine.h"
#include "node/node_io.h"

struct driver;
struct log;
struct log_damage;

struct driver_options {
	struct raft_options raft; /* id is taken from the log, seed from io->random */
	const char *dir;	  /* of the log */
	size_t segment_bytes;
	uint64_t log_max_bytes;
	uint64_t log_read_bytes; /* the newest of it are read before a start, the rest afterwards */
	bool direct;		 /* O_DIRECT where the file system has it */
	uint64_t snapshot_entries; /* store the state when so many entries were applied since */
	uint64_t apply_slice;	   /* entries applied in one turn at most */

	uint64_t id;		   /* as is known beside the log; 0: it is not */
	struct slice name;	   /* this member's label */
	const struct slice *names; /* of all initial members; none: this one joins a cluster */
	size_t name_count;

	/*
	 * The cluster has lost its quorum for good: this member goes on alone with what it has, and
	 * forgets all others.
	 */
	bool alone;
};

/* What the driver tells its owner. All are called from within driver_turn. */
struct driver_events {
	void *ctx;
	/* The read asked for under `request` may run now, on the state as applied. */
	void (*read_ready)(void *ctx, uint64_t request);
	/* These were appended to this member's log, by whomever. May be NULL. */
	void (*appended)(void *ctx, uint64_t first, const struct entry *entries, size_t count);
	/* A note came with a heartbeat or a vote reply. */
	void (*note)(void *ctx, const struct raft_note *note);
	/* Role, term, leader or membership changed. */
	void (*changed)(void *ctx, const struct raft_status *status);
	/* The member cannot go on: its log failed. It does nothing any more. */
	void (*failed)(void *ctx, int error);
};

/*
 * The state the machine has stored. It must be durable, not only readable: the log is released on
 * the strength of it, and a process that was killed before its last sync leaves files that a
 * power loss still takes back. So whoever reads it at start syncs it and its directory first.
 */
struct driver_stored {
	struct slice snapshot; /* encoded (consensus/snapshot.h); empty: none */
};

/*
 * Opens or creates the log and brings it and the stored state together; blocks, for start-up. `io`,
 * `machine` and `events` must outlive the driver, as must the names. ERR_CORRUPT: log and
 * state contradict each other and cannot be mended; or as log_open.
 */
MUST_USE int driver_new(struct driver **out, const struct driver_options *options,
			const struct node_io *io, const struct machine *machine,
			const struct driver_events *events, const struct driver_stored *stored);

/* Frees everything; jobs under way must not run any more. */
void driver_free(struct driver *d);

/* A frame came from another member: its kind and its body, which the driver may keep holding. */
void driver_receive(struct driver *d, enum frame_kind kind, struct blob *body);

/* Does what follows from all that was told since the last turn. */
void driver_turn(struct driver *d);

/* When the next turn is due at the latest, on the monotonic clock, in milliseconds. */
uint64_t driver_deadline_ms(const struct driver *d);

/* As raft_propose, raft_change, raft_transfer, raft_peer_gone. */
MUST_USE int driver_propose(struct driver *d, struct entry *entries, size_t count, uint64_t *first);
MUST_USE int driver_change(struct driver *d, const struct member_change *changes, size_t count);
MUST_USE int driver_transfer(struct driver *d, uint64_t to);
void driver_peer_gone(struct driver *d, uint64_t peer);

/*
 * A linearizable read: events.read_ready comes under `request` once everything acknowledged before
 * this call is applied here; or never, when the leader changes: ask again under a new number.
 */
MUST_USE int driver_read(struct driver *d, uint64_t request);

/* Whether the state as applied could be stored: not before its membership is known. */
bool driver_can_store(const struct driver *d);

/*
 * From now on the log keeps so many bytes for members that are behind; what is beyond that, and
 * stored, goes at once.
 */
void driver_limit_log(struct driver *d, uint64_t max_bytes);

/* The machine has what it was to fetch, or has failed to: install_fetched says which. */
void driver_install_fetched(struct driver *d);

/* As raft_set_note and raft_set_stamp. */
void driver_set_note(struct driver *d, struct slice note);
void driver_set_stamp(struct driver *d, uint64_t stamp);

/* Term and stamp of the newest entry that the log held at the start; 0: it held none. */
uint64_t driver_start_term(const struct driver *d);
uint64_t driver_start_stamp(const struct driver *d);

/* Whether the log failed: then nothing but driver_free is of use. */
bool driver_stopped(const struct driver *d);

/*
 * What was damaged when the log was opened, as log_open said it; all zero: nothing, or nothing more
 * is known. Whether it still counts is in raft_status.
 */
const struct log_damage *driver_damage(const struct driver *d);

uint64_t driver_id(const struct driver *d);
uint64_t driver_applied(const struct driver *d);
void driver_status(const struct driver *d, struct raft_status *out);
const struct membership *driver_membership(const struct driver *d);

/* The one that is known to be committed; what came after it may come to nothing. */
const struct membership *driver_settled_membership(const struct driver *d);

/* For checkers and INFO: the parts themselves. */
const struct raft *driver_raft(const struct driver *d);
const struct log *driver_log(const struct driver *d);

#endif
