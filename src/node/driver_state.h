#ifndef CONCLAVE_NODE_DRIVER_STATE_H
#define CONCLAVE_NODE_DRIVER_STATE_H

/* Inside node only: the state behind struct driver and what its files offer each other. */

#include "consensus/birth.h"
#include "node/driver.h"
#include "storage/log.h"

/* Flags in the log's hard state; numbers never change meaning. */
enum driver_log_flag {
	LOG_FLAG_BORN = 1, /* raft_hard_state.born */
};

/* A persist that the log has not finished. */
struct writing_batch {
	uint64_t seq;	 /* of consensus */
	uint64_t ticket; /* of the log */
	uint64_t last;	 /* newest entry it must have on disk; lowered by later truncations */
};

/* A message that waits for a persist. */
struct held_message {
	uint64_t seq;
	struct raft_message message;
};

struct waiting_read {
	uint64_t request;
	uint64_t index;
};

/* Entries being read from disk for a follower, or for applying (peer 0). */
struct loading {
	struct list link;
	struct driver *driver;
	struct log_read read;
	uint64_t peer;
	uint64_t first;
	uint64_t end; /* for applying: behind the last one that may be applied */
};

/* The rest of the log is read so long after the start, a piece at a time. */
#define UNREAD_AFTER_MS	  5000
#define UNREAD_PAUSE_MS	  20
#define UNREAD_PIECE_SIZE (1u << 20)

enum driver_install { INSTALL_NONE, INSTALL_FETCHING, INSTALL_SWAPPING };

struct driver {
	struct driver_options options;
	const struct node_io *io;
	const struct machine *machine;
	const struct driver_events *events;
	struct raft *raft;
	struct log *log;
	uint64_t id;
	bool failed;
	uint64_t start_term; /* of the newest entry at the start */
	uint64_t start_stamp;
	struct log_damage damage; /* that was there at the start */

	/* persist */
	struct writing_batch *writing;
	size_t writing_count;
	size_t writing_cap;
	struct held_message *held;
	size_t held_count;
	size_t held_cap;
	uint64_t damage_ticket; /* a damage mark is being written; then this member stops */
	uint64_t idle_due_ms;	/* when the last group is to be covered; UINT64_MAX: it is */

	/* send */
	struct buf frame;

	/* receive */
	struct entry *entries;
	size_t entries_cap;

	/* apply */
	uint64_t applied;
	bool apply_loading;	/* entries to be applied are being read from disk */
	struct loading *replay; /* what was read, as long as it is not applied; NULL: nothing */
	bool apply_behind;	/* more is committed than one turn takes */
	bool apply_waits;	/* the machine took an entry not, or not wholly */
	uint64_t unread_due_ms; /* when a part that no start needed is read; UINT64_MAX: none is */
	struct list loads;
	struct raft_load *wanted; /* loads of the turn under way */
	size_t wanted_cap;
	struct waiting_read *reads;
	size_t read_count;
	size_t read_cap;
	struct raft_status told; /* what events.changed last said */

	/* snapshots */
	struct snapshot storing; /* index 0: none under way */
	uint64_t store_again_ms; /* when a store that failed is tried again; 0: none has */
	uint64_t stored;	 /* the newest stored state */
	uint64_t stored_at;	 /* bytes written to the log when it was begun */
	bool store_wanted;	 /* there is none yet that others could be given */
	enum driver_install install;
	uint64_t install_index;

	/* birth */
	struct birth birth;
	bool unborn;
	uint64_t birth_ticket; /* the first membership is being written; 0: it is not */
	uint64_t ask_due_ms;   /* next round of hellos, or of asking who leads */
	uint64_t ask_until_ms;
	bool awaited_told;
	bool apart_told[MEMBERSHIP_MAX]; /* that this initial member's clock is another one */
};

uint64_t driver_now_ms(const struct driver *d);
void driver_crash_point(const struct driver *d, enum crash_point point);
void driver_send_frame(struct driver *d, uint64_t to, enum frame_kind kind);
void driver_fail(struct driver *d, int error);
void driver_run(struct driver *d, enum job_lane lane, struct job *job, void (*done)(struct job *));

/* driver_apply.c */
void driver_load(struct driver *d, uint64_t peer, uint64_t first, uint64_t max_bytes);
void driver_loads_close(struct driver *d);
void driver_unread_turn(struct driver *d);
bool driver_apply(struct driver *d); /* true if there is more than one turn should take */
void driver_answer_reads(struct driver *d);

/* driver_start.c */
MUST_USE int driver_raft_restart(struct driver *d, const struct membership *first);

/* driver_alone.c */

/* What made this member the only one: an entry on disk behind all others. */
struct driver_alone {
	uint64_t index; /* 0: none */
	uint64_t term;
	uint64_t stamp;
	struct buf membership; /* encoded; owned */
};

/*
 * For driver_options.alone. `now` is the newest membership of the log, `stamp` not below any in it.
 * Blocks. ERR_INVALID: it must not; or as the log.
 */
MUST_USE int driver_go_alone(struct driver *d, const struct log_recovery *rec,
			     const struct membership *now, uint64_t stamp,
			     struct driver_alone *alone);

/* driver_birth.c */
MUST_USE int driver_birth_begin(struct driver *d, const struct membership *base);
void driver_birth_hear(struct driver *d, struct slice body);
void driver_birth_turn(struct driver *d);
void driver_hear_who_leads(struct driver *d, struct slice body);
void driver_hear_leads(struct driver *d, struct slice body);

/* driver_snapshot.c */
uint64_t driver_releasable(const struct driver *d); /* entries up to here may leave the log */
void driver_follow_log_base(struct driver *d, uint64_t upto);
void driver_store_turn(struct driver *d);
void driver_install_begin(struct driver *d, const struct raft_install *install);

#endif
