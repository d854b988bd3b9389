#ifndef CONCLAVE_STORAGE_LOG_INTERNAL_H
#define CONCLAVE_STORAGE_LOG_INTERNAL_H

/* What the files of the log share among themselves. */

#include "storage/disk_plan.h"
#include "storage/log.h"
#include "storage/log_segment.h"
#include "storage/log_track.h"

/* A group holds at least one entry and then no more than fit this. */
#define LOG_GROUP_BYTES (256u << 10)

/* An append job takes at least one group and then no more than fit this. */
#define LOG_JOB_BYTES (4u << 20)

/* One write of the zero-filling; also the size of a segment that could not wait to be prepared. */
#define LOG_ZERO_BYTES (1u << 20)

/* What was added and is in no job yet, reduced to its net effect. */
struct log_pending {
	struct entry *entries; /* head ... head + count - 1 of them wait; blobs held */
	size_t head;
	size_t count;
	size_t cap;
	uint64_t first; /* index of the first one, or of the next to come */
	bool cut;	/* on disk, entries from `first` on are to end */
	bool reset;	/* on disk, all entries are to end; implies cut */
	bool state;
	bool cover; /* a bare group header is wanted */
	bool mark;
	bool clear_mark;
	struct log_damage damage; /* with mark */
	uint64_t ticket;
};

/* The append job. */
struct log_append {
	struct disk_plan plan;
	bool busy;
	struct log_segment *fresh; /* the segment it begins, or NULL */
	bool reset;		   /* `fresh` stands for the whole log */
	bool covered;		   /* what it writes needs no cover */
	bool mark;
	bool clear_mark;
	uint64_t last; /* index up to which it makes entries durable */
	uint64_t ticket;
	uint8_t *staging; /* what is written, aligned */
	size_t staging_cap;
	size_t staging_len;
	struct disk_file *mark_file;
	uint8_t *mark_block;
};

/* The maintenance job. */
struct log_chore {
	struct disk_plan plan;
	bool busy;
	struct log_segment *gone;   /* released segment that it removes or recycles */
	struct log_segment *shrunk; /* sealed segment that it shortens */
	struct disk_file *file;	    /* the one it works on */
	uint64_t spare;		    /* number of the spare that it makes, or 0 */
};

/*
 * Files ready to become a segment: full size, zero-filled or recycled. One is made when there is
 * none; a second is only ever recycled, so that a log in balance makes no new files.
 */
#define LOG_SPARES 2

struct log_spares {
	struct {
		struct disk_file *file;
		uint64_t number;
	} ready[LOG_SPARES];
	size_t count;
	uint64_t last_number;
	uint64_t litter; /* number of one that could not be finished, to be removed; or 0 */
	bool refused;	 /* no space for one; not tried until something changes */
};

/*
 * Rules:
 * 1. chain: ascending in sequence and index without a gap; the last is the one written to, the
 *    only one with an open file (but for `fresh`). Never empty once open.
 * 2. released: ascending in sequence; removed from the front only.
 * 3. durable_index <= track.last_index.
 */
struct log {
	struct disk *disk;
	struct disk_file *lock;
	const struct logger *logger;
	char *dir;
	size_t segment_bytes;
	uint64_t max_bytes;
	uint64_t held; /* behind this index somebody needs more than that; UINT64_MAX: nobody */
	unsigned open_flags;
	struct log_identity identity;
	int status;
	struct log_state state; /* as added */
	struct log_track track; /* as added */
	bool marked;		/* as added */
	bool mark_on_disk;
	struct list chain;
	struct list released;
	uint64_t next_sequence;
	uint64_t durable_index;
	uint64_t durable_ticket;
	bool uncovered; /* the newest group is not covered by a later one */
	struct log_pending pending;
	struct log_append append;
	struct log_chore chore;
	struct log_spares spares;
	uint8_t *zeros; /* MIN(LOG_ZERO_BYTES, segment_bytes) of them */
	struct list reads;
	struct log_stats stats;
};

static inline struct log_segment *log_active(const struct log *log)
{
	return LIST_ITEM(log->chain.prev, struct log_segment, link);
}

/* No more writing; says why. */
void log_stop(struct log *log, int error, const char *what);

/* Forgets what waits, from the back, until it ends before `first`. */
void log_pending_truncate(struct log *log, uint64_t first);

/* Lays down the append job, with a new segment if `fresh` is set; something must be pending. */
void log_append_prepare(struct log *log, bool fresh);

/* Takes over what the append job did; it ran without an error. */
void log_append_apply(struct log *log);

/* The calls that set the damage mark; `block` takes its bytes and must outlive the plan. */
void log_plan_mark(struct disk_plan *plan, struct disk_file **file, const char *dir,
		   const struct log_damage *damage, uint8_t *block);

/* Moves a segment out of the chain to its place among the released. */
void log_segment_release(struct log *log, struct log_segment *s);

/* Entries from `first` on are not what reads under way may return. */
void log_reads_truncate(struct log *log, uint64_t first);

/* Lets go of reads under way, when the log is closed. */
void log_reads_detach(struct log *log);

/* Frees the maintenance job's holdings, done or not. */
void log_chore_close(struct log *log);

/* NULL, or the rule that is broken. */
const char *log_broken(const struct log *log);

#endif
