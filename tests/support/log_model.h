#ifndef CONCLAVE_SUPPORT_LOG_MODEL_H
#define CONCLAVE_SUPPORT_LOG_MODEL_H

/*
 * A log on a simulated disk beside what it should hold, as plain arrays: does random things to
 * both, crashes, opens again and compares. Payloads are made from an entry's stamp, so that a
 * model costs little and two entries never look alike.
 */

#include "storage/log.h"
#include "support/sim_disk.h"

struct model_entry {
	uint64_t term;
	uint64_t stamp;
	uint32_t len;
	uint8_t kind;
};

/* What a log holds. Membership at the base is made of a stamp like any payload. */
struct model {
	uint64_t base;
	uint64_t base_term;
	uint64_t base_stamp;
	struct log_state state;
	struct model_entry *entries; /* base + 1 ... base + count */
	size_t count;
	size_t cap;
};

struct log_tester {
	struct sim_disk *disk;
	struct random random;
	struct log_options options;
	struct logger logger;
	struct log *log;
	struct log_recovery found; /* by the last log_tester_open() */
	bool lazy;		   /* any part of what is durable may be left unread */
	bool quiet_disk;	   /* no damage was done to the disk: none may be found */
	struct model added;
	struct model acked;    /* what the last completed job made durable, at most */
	uint64_t acked_last;   /* and at least up to here */
	struct model started;  /* with a job under way: what was added when it was started */
	uint64_t changed_from; /* lowest index added or truncated since the last start */
	uint64_t started_from;
	uint64_t released;  /* entries above it may not go */
	struct job *append; /* under way, or NULL */
	struct job *chore;
	bool chore_done;
	bool append_done;
	bool failed; /* a job failed: the log is stopped */
	uint64_t next_stamp;
	uint32_t payload_max;
	uint64_t term;
};

/* A new disk; the log is not open yet. Segments of 16 KiB. */
void log_tester_init(struct log_tester *t, uint64_t seed);

/* Closes the log and frees the disk. */
void log_tester_close(struct log_tester *t);

/* Opens the log. ERR_...: as log_open(). */
MUST_USE int log_tester_open(struct log_tester *t);

/*
 * NULL, or what the log that was just opened should not be; afterwards the models are what was
 * found, so that the test can go on from there.
 */
MUST_USE const char *log_tester_check_recovery(struct log_tester *t);

/* Both of the above, on a new disk, or after the disk has forgotten what was not synced. */
MUST_USE const char *log_tester_start(struct log_tester *t, uint64_t seed);
MUST_USE const char *log_tester_reopen(struct log_tester *t);

/* What log_start() gave is done and completed. ERR_...: as log_complete(). */
MUST_USE int log_tester_run(struct log *log, struct job *job);

/* One random action: adding something, one step of a job, completing one. */
void log_tester_act(struct log_tester *t);

/* Finishes the jobs under way and writes all that is queued. */
void log_tester_settle(struct log_tester *t);

/* Appends `count` entries and makes them durable. */
void log_tester_append(struct log_tester *t, size_t count);

/* Drops the entries from `first` on, and makes that durable. */
void log_tester_truncate(struct log_tester *t, uint64_t first);

/* Runs housekeeping until there is none. */
void log_tester_maintain(struct log_tester *t);

/* NULL, or how what can be read back differs from the model; everything must be durable. */
MUST_USE const char *log_tester_check_reads(struct log_tester *t);

/* Throws the log away without a word to the disk, as when the process dies. */
void log_tester_drop(struct log_tester *t);

/* An entry as the model knows it; its blob is the caller's. */
struct entry model_entry_make(const struct model_entry *e);

#endif
