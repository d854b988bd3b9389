#ifndef CONCLAVE_STORAGE_LOG_TRACK_H
#define CONCLAVE_STORAGE_LOG_TRACK_H

/*
 * What is remembered of all entries without their payload: the term of each, as runs, and the
 * memberships among them.
 *
 * Rules:
 * 1. base.index <= base_index; memberships ascend and are above base_index.
 * 2. runs ascend in index and strictly in term, the first begins at base_index + 1.
 * 3. last_index >= base_index; they are equal when there are no entries, and then no runs.
 */

#include "storage/log.h"

struct log_track {
	uint64_t base_index;
	uint64_t base_term;
	uint64_t last_index;
	struct log_membership base; /* valid at base_index */
	struct log_term_run *runs;
	size_t run_count;
	size_t run_cap;
	struct log_membership *memberships;
	size_t membership_count;
	size_t membership_cap;
};

/* All zero is empty at index 0. */
void log_track_close(struct log_track *t);

/* No entries, begins behind `base_index`. The membership is copied. */
void log_track_reset(struct log_track *t, uint64_t base_index, uint64_t base_term,
		     uint64_t membership_index, struct slice membership);

/* The entry last_index + 1; its term is at least that of the one before. */
void log_track_append(struct log_track *t, uint64_t term, uint8_t kind, struct slice payload);

/* Entries of this term up to `last`, which is above the last one. */
void log_track_extend(struct log_track *t, uint64_t term, uint64_t last);

/* Of entries that were told of so, the one at `index` is a membership, and none behind it. */
void log_track_note(struct log_track *t, uint64_t index, struct slice membership);

/* Forgets the entries from `first` on; first is above the base. */
void log_track_truncate(struct log_track *t, uint64_t first);

/* Moves the base up to `index`, at most the last one. */
void log_track_release(struct log_track *t, uint64_t index);

/* Term of `index`, from base_index to last_index. */
uint64_t log_track_term(const struct log_track *t, uint64_t index);

/* The membership valid at `index`, from base_index on. */
const struct log_membership *log_track_membership(const struct log_track *t, uint64_t index);

/* NULL, or the rule that is broken. */
const char *log_track_broken(const struct log_track *t);

#endif
