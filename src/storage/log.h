#ifndef CONCLAVE_STORAGE_LOG_H
#define CONCLAVE_STORAGE_LOG_H

/*
 * The Raft log on disk: entries, hard state and membership in numbered segments. Its bytes, and
 * how it tells a torn tail from damage, stand in docs/disk-format.md.
 *
 * No thread lives here. The loop adds, starts and completes; between start and completion any
 * one thread runs the job's steps, each a single disk call. Adding never waits: what is added
 * while an append job is under way goes into the next one.
 *
 *	loop:    log_add(log, &batch); ... ; job = log_start(log);
 *	thread:  while (job->step(job) == JOB_MORE) ;
 *	loop:    rc = log_complete(log);  then ask log_durable_index() and log_durable_ticket()
 *
 * Whoever runs a job may use its `done` and `link` as he likes; this room never does. An append
 * job, a maintenance job and any number of reads may run at the same time.
 *
 * After the first failure of an append job the log is stopped: nothing is written any more, and
 * only a new log_open() can tell what reached the disk.
 */

#include "base/entry.h"
#include "base/error.h"
#include "base/job.h"
#include "base/logging.h"
#include "storage/disk.h"

struct log;

/* Raft's hard state. The flags are the driver's own and mean nothing here. */
struct log_state {
	uint64_t term;
	uint64_t vote;
	uint32_t flags;
};

/* Whose log it is; stands in every segment and never changes. */
struct log_identity {
	uint64_t member_id;
	uint64_t cluster_id;
};

struct log_options {
	const char *dir;
	size_t segment_bytes; /* a multiple of DISK_BLOCK, 16 KiB to 1 GiB */
	uint64_t max_bytes;   /* what log_release() leaves of the newest segments, in any case */
	bool direct;	      /* DISK_DIRECT for the segments */
	const struct logger *logger; /* may be NULL; must outlive the log */
	/*
	 * Entries up to here are not needed any more (the state machine is durable beyond them):
	 * where damage and all before it lie below, the log begins behind them, and that is all.
	 */
	uint64_t needed_above;
	/*
	 * Segments whose entries all are settled (the state machine is durable beyond them), and
	 * that at least `read_bytes` of others follow, may be left unread when the log is opened:
	 * log_unread() names them. Not while the damage mark stands.
	 */
	uint64_t settled;
	uint64_t read_bytes;
	/*
	 * What a log that is not there yet is made with; else not looked at, but for the identity
	 * when damage left none on disk.
	 */
	struct log_identity identity;
	struct log_state state;
	struct slice membership; /* valid at index 0 */
};

/* From `first_index` on, up to the next run, entries are of `term`. */
struct log_term_run {
	uint64_t first_index;
	uint64_t term;
};

/* An entry of kind ENTRY_MEMBERSHIP, or the membership at the base. */
struct log_membership {
	uint64_t index;
	uint8_t *data; /* owned by the struct around it */
	size_t len;
};

/* What is known of damage: entries that were durable once and cannot be read. */
struct log_damage {
	uint64_t from_index; /* first damaged entry: the log was cut before it */
	uint64_t to_index;   /* last entry that the damage hides, as far as can be told */
	uint64_t last_index; /* last entry of which a trace was left; those above to_index were
				intact, but of no use behind a gap */
	uint64_t held;	     /* entries before from_index that are still there */
	uint64_t segment;    /* where the damage begins */
	uint64_t offset;
};

/* What log_open() found. log_recovery_free() gives the arrays back. */
struct log_recovery {
	bool created; /* the directory held no log */
	struct log_identity identity;
	struct log_state state;
	uint64_t base_index;		       /* the index before the first entry, */
	uint64_t base_term;		       /* its term, */
	struct log_membership base_membership; /* and the membership valid there */
	uint64_t last_index;		       /* base_index: no entries */
	struct log_term_run *runs;	       /* of the entries, ascending */
	size_t run_count;
	struct log_membership *memberships; /* entries above the base, ascending */
	size_t membership_count;
	uint64_t torn_bytes;	  /* of an append that a crash interrupted, cut off the end */
	bool damage_found;	  /* by this log_open(); it set the mark */
	bool marked;		  /* the damage mark stands, set now or earlier */
	struct log_damage damage; /* valid when marked; all zero when the mark says nothing more */
};

/* The log starts over behind a snapshot: no entry up to base_index is needed any more. */
struct log_reset {
	uint64_t base_index;
	uint64_t base_term;
	struct slice membership; /* valid at base_index */
};

/*
 * One addition. Its parts take effect in this order: mark, reset, truncation, entries, clearing.
 * What is left zero or NULL changes nothing.
 */
struct log_batch {
	const struct log_damage *mark; /* set the damage mark before anything else is written */
	const struct log_reset *reset; /* entries, if any, begin at its base_index + 1 */
	const struct log_state *state; /* the new hard state */
	uint64_t first_index;	       /* of entries; 0: no truncation and no entries */
	const struct entry *entries;   /* what was at first_index and above is dropped */
	size_t count;		       /* 0 with a first_index: truncation only */
	bool clear_mark;	       /* remove the damage mark when the rest is durable */
};

/*
 * Opens the log in options->dir, or makes one, and takes the directory's lock. For start-up: it
 * blocks, reads the segments, cuts what a crash left unfinished and begins a new segment. Damage
 * is marked on disk before it is cut; that is not an error, `rec` reports it. On success the
 * caller closes the log and frees `rec`; on failure there is nothing to close or free.
 * ERR_LOCKED; ERR_VERSION: a newer program wrote it; ERR_INVALID: options, or segments of
 * different members in one directory; ERR_IO, ERR_NO_SPACE.
 */
MUST_USE int log_open(struct log **out, struct disk *disk, const struct log_options *options,
		      struct log_recovery *rec);

void log_recovery_free(struct log_recovery *rec);

/*
 * Frees everything and gives up the lock; nothing is written. Jobs under way are dropped: their
 * steps must not run any more. A read that was not completed needs log_read_free() as ever.
 */
void log_close(struct log *log);

/* OK, or ERR_STOPPED after a failure. */
MUST_USE int log_status(const struct log *log);

/*
 * Queues `batch` for the next append job; blobs are held, the rest is copied. first_index is
 * above the base and at most one above the last index (after the reset, if there is one). The hard
 * state is on disk with the first group of the next job, never later than the entries beside it.
 * Returns the addition's ticket. A stopped log ignores it.
 */
uint64_t log_add(struct log *log, const struct log_batch *batch);

/*
 * Takes what is queued, up to some MiB of it, into an append job. NULL: one is under way,
 * nothing is queued, or the log is stopped.
 */
MUST_USE struct job *log_start(struct log *log);

/*
 * After the append job's last step. OK: what it took is durable. Otherwise the error, and the
 * log is stopped; ERR_STOPPED when it was before.
 */
MUST_USE int log_complete(struct log *log);

/* Last index up to which every entry of the log as added is durable; falls with a truncation. */
uint64_t log_durable_index(const struct log *log);

/*
 * All additions up to this ticket are durable in their hard state, truncation, reset and mark;
 * of their entries log_durable_index() tells.
 */
uint64_t log_durable_ticket(const struct log *log);

/* Index before the first entry that can be read; grows with log_release() and a reset. */
uint64_t log_base_index(const struct log *log);

/*
 * The first entry that was not looked at since the log was opened; 0: none. It is durable, but
 * may be damaged: who reads from here on, with log_read_start(), until there is none, knows. A
 * read moves it if it takes a whole group: 256 KiB, or one entry.
 */
uint64_t log_unread(const struct log *log);

/* Last index, with what is queued. */
uint64_t log_last_index(const struct log *log);

/* Whether the damage mark stands, or is queued to. */
bool log_marked(const struct log *log);

/*
 * When nothing was added for a while: queues a bare group header, by which damage to the newest
 * entries can be told from a torn tail. False: they are covered already, or something is queued.
 */
bool log_idle_cover(struct log *log);

/*
 * Somebody who is being given the state needs what is behind `index`: log_release() leaves that, up
 * to LOG_HELD times max_bytes of it. UINT64_MAX, and at first: nobody is.
 */
#define LOG_HELD 4
void log_hold(struct log *log, uint64_t index);

/*
 * Entries up to `upto` may go: whole segments leave, oldest first, as long as what is left holds
 * max_bytes. They cannot be read from now on; log_maintain() gives the room back. While the
 * damage mark stands up to max_bytes of released files stay, as evidence.
 */
void log_release(struct log *log, uint64_t upto);

/*
 * The entry at `index` cannot be read: if entries up to `upto` may go, and it is in a segment of
 * such ones alone, the log begins behind that, whoever wants what was there. False: it is needed.
 */
MUST_USE bool log_let_go(struct log *log, uint64_t index, uint64_t upto);

/* From now on log_release() leaves so many bytes. */
void log_set_max_bytes(struct log *log, uint64_t max_bytes);

/*
 * The next piece of housekeeping as a job, or NULL: zero-fill a segment ahead, recycle or remove
 * a released one, shorten a sealed one. NULL also while one is under way.
 */
MUST_USE struct job *log_maintain(struct log *log);

/*
 * After the maintenance job's last step. ERR_NO_SPACE: no segment could be prepared; the log goes
 * on, and tries again when a segment was filled or released. Any other error stops the log.
 */
MUST_USE int log_maintain_complete(struct log *log);

/* Figures for metrics. */
struct log_stats {
	uint64_t segments;	/* that hold the log, the one written to among them */
	uint64_t bytes;		/* used in them */
	uint64_t waiting;	/* released segments whose files are still there */
	uint64_t jobs;		/* append jobs completed */
	uint64_t bytes_written; /* by append jobs */
	uint64_t index_memory;	/* bytes that finding entries costs */
};

struct log_stats log_stats(const struct log *log);

/* One of them, for who asks often: bytes_written. */
uint64_t log_bytes_written(const struct log *log);

/*
 * Reading back. One struct per read, the caller's; it must not move until it is completed.
 *
 *	loop:    rc = log_read_start(log, &read, first, max_bytes);
 *	thread:  while (read.job.step(&read.job) == JOB_MORE) ;
 *	loop:    rc = log_read_complete(log, &read); use read.entries; log_read_free(&read);
 *
 * The segment it reads is pinned: it is neither removed nor recycled before the read is complete.
 * Entries that were truncated meanwhile are taken out at completion, so what a completed read
 * holds was in the log at that moment or had been released from it.
 */
struct log_read {
	struct job job;
	struct entry
		*entries; /* consecutive from `first`; waiter 0, each payload in its own blob */
	size_t count;
	uint64_t first;
	/* Private from here on. */
	size_t max_bytes;
	int error;
	struct log *log; /* NULL once complete, or when the log was closed before */
	struct log_segment *segment;
	struct list link;
	uint64_t end;	      /* index behind the last entry that may be returned */
	uint64_t valid_below; /* lowest index truncated since the start */
	struct log_read_state *state;
};

/*
 * Prepares reading durable entries from `first` on: at least one, then as many as fit `max_bytes`
 * of payload and stand in the same segment. ERR_COMPACTED: below what is kept; ERR_NOT_FOUND:
 * above log_durable_index(); ERR_STOPPED. On error there is nothing to complete or free.
 */
MUST_USE int log_read_start(struct log *log, struct log_read *read, uint64_t first,
			    size_t max_bytes);

/*
 * After the read's last step. OK: count is at least 1. ERR_CORRUPT: an entry on disk is damaged,
 * and none before it was read; ERR_UNAVAILABLE: truncated meanwhile; ERR_IO.
 */
MUST_USE int log_read_complete(struct log *log, struct log_read *read);

/* Releases the entries, and the whole read if it was never completed (the log may be closed). */
void log_read_free(struct log_read *read);

#endif
