#ifndef CONCLAVE_NODE_MEMBER_H
#define CONCLAVE_NODE_MEMBER_H

/*
 * One member of a cluster: consensus, log, state machine and the sessions of its clients, bound to
 * the world by struct node_io alone. The server runs one with sockets and threads, the simulator
 * several with virtual ones.
 *
 * Whatever happens is told to the member by one of the calls below, and then the loop calls
 * member_turn once for all of it: everything that came in one turn shares one entry of the log, one
 * read barrier and one sync.
 */

#include "node/driver.h"
#include "node/session.h"

struct command_host;
struct engine;
struct member;
struct vault;

/* Whose clients may use DEBUG. */
enum debug_access { DEBUG_BY_NOBODY, DEBUG_BY_LOCAL, DEBUG_BY_ALL };

struct member_options {
	struct driver_options driver;
	/* Where other members reach this one, as host:port; it tells them. Empty: it does not. */
	struct slice address;
	struct vault *vault;	     /* where another member's state can be built; NULL: nowhere */
	uint32_t request_timeout_ms; /* what is not answered by then gets an error */
	size_t overlay_bytes;	     /* changes in memory before they go to the engine */
	size_t header_cache_bytes;   /* records in memory */
	size_t value_cache_bytes;    /* values in memory */
	size_t batch_bytes;	     /* of one entry, unless one command alone is larger */
	size_t unresolved_bytes;     /* writes handed out and not applied yet; then sessions wait */
	size_t lag_bytes;	     /* log that a leader has not applied; then proposals wait */
	size_t session_requests;     /* unanswered requests of one session; then it is full */
	size_t session_bytes;	     /* the same by what their arguments take */
	uint64_t history_retention_ms; /* the past is kept for so long, */
	uint64_t history_max_bytes;    /* and of that no more than the newest so many bytes */
	uint64_t compact_pace_ms;      /* the engine is not rid of the rest more often than that */
	uint64_t check_interval_ms;    /* between two comparisons of all members' data; 0: none */
	uint32_t level;		       /* highest feature level it supports (storage/level.h) */
	size_t share_bytes; /* of rows in one answer to who takes a state over, one row more */
	uint64_t share_bytes_per_s; /* of all such answers; 0: as many as can be */
	enum debug_access debug;
	bool announces_leader;		 /* clients are told that the leader alone is a master */
	const struct command_host *host; /* the process, for commands about it; NULL: none */
};

/* The defaults of the server; names, directory and the like are still to be set. */
struct member_options member_options_default(void);

struct member_events {
	void *ctx;
	/* Role, term, leader or membership changed. */
	void (*changed)(void *ctx, const struct raft_status *status);
	/* The member cannot go on, and says why; it does nothing any more. */
	void (*failed)(void *ctx, int error);
};

/*
 * Opens or creates the member's log and takes its state from the engine; blocks, for start-up. All
 * that is handed in must outlive the member; the engine is its owner's, or the vault's. Errors as
 * in driver_new; ERR_VERSION too when the state is at a feature level that this version lacks.
 */
MUST_USE int member_new(struct member **out, const struct member_options *options,
			const struct node_io *io, struct engine *engine,
			const struct member_events *events);

/* Frees everything; sessions are closed; jobs under way must not run any more. */
void member_free(struct member *m);

/* A frame came from another member: its kind and its body, which the member may keep holding. */
void member_receive(struct member *m, uint64_t from, enum frame_kind kind, struct blob *body);

/* A connection to this peer stands anew: what was sent before may be lost. */
void member_peer_connected(struct member *m, uint64_t peer);

/* The process of this peer is gone: its connection closed and nobody listens any more. */
void member_peer_gone(struct member *m, uint64_t peer);

/*
 * Somebody who takes no part asks to, under this id, name and address; with `rises` it is to get a
 * vote when it has caught up. Only a leader can do anything about it. True: see whether it is in
 * the membership, and let it ask again, whoever leads. False: it never will be, and `why` says why.
 */
bool member_admit(struct member *m, uint64_t id, struct slice name, struct slice address,
		  bool rises, struct buf *why);

/* What holds is committed: a member that was removed by it serves nobody any more. */
void member_note_removed(struct member *m, const struct membership *now);

/* Does what follows from all that was told since the last turn. */
void member_turn(struct member *m);

/* When the next turn is due at the latest, on the monotonic clock, in milliseconds. */
uint64_t member_deadline_ms(const struct member *m);

/*
 * This member's disk is short of space, or is not any more: an alarm that holds for the whole
 * cluster follows. Until it is told for the first time after a start, what stood before stands.
 */
void member_note_space(struct member *m, bool low);

/* Those of its options that may be others while it runs. */
struct member_limits {
	uint32_t request_timeout_ms; /* of requests that come from now on */
	uint64_t history_retention_ms;
	uint64_t history_max_bytes;
	uint64_t check_interval_ms;
	uint64_t share_bytes_per_s;
};

void member_set_limits(struct member *m, const struct member_limits *limits);

/* Hands leadership over, if this member leads others; part of a graceful end. */
void member_hand_over(struct member *m);

/* Whether nothing waits for this member: no session has an unanswered request. */
bool member_is_idle(const struct member *m);

bool member_stopped(const struct member *m);

/* Commands that take so long to run are noted, negative: none; the newest so many are kept. */
void member_set_slowlog(struct member *m, int64_t slower_than_us, uint64_t max_len);

/*
 * New connections have to say this password before anything else; empty: none is needed. Those that
 * are there stay as they are.
 */
void member_set_password(struct member *m, struct slice password);

/* What INFO tells. */
struct member_stats {
	uint64_t checks;	/* comparisons of all members' data that came by, since the start */
	uint64_t verdicts;	/* that named a member, or released one */
	uint64_t disagreements; /* seen as leader: members differed, and no majority agreed */
	bool quarantined;	/* this member's data was found to differ: it serves nobody */
	bool no_space;		/* some member is short of space: growing writes are refused */
};

void member_stats(const struct member *m, struct member_stats *out);

/* For INFO, logs and checkers. */
struct driver *member_driver(struct member *m);

#endif
