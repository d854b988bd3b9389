#ifndef CONCLAVE_CONSENSUS_RAFT_LOG_H
#define CONCLAVE_CONSENSUS_RAFT_LOG_H

/*
 * The log as consensus sees it: the term of every entry that is kept anywhere, and the newest
 * entries themselves. Terms are stored as runs, a few bytes for each leader there was. Entries in
 * memory are the tail: those not yet on disk always, and behind them as many as a follower
 * is likely to ask for.
 *
 *	base        tail_first          durable      handed        last
 *	 |              |                  |            |            |
 *	 o--------------o------------------o------------o------------o
 *	   disk only      disk and memory    being        memory only
 *	                                     written
 */

#include "base/entry.h"

#include <stdbool.h>

struct term_run {
	uint64_t first; /* index of its first entry */
	uint64_t term;
};

/*
 * L1 base <= durable <= handed <= last.
 * L2 base < tail_first <= last + 1, and the tail holds exactly tail_first .. last.
 * L3 durable + 1 >= tail_first: what is not on disk is in memory.
 * L4 Runs ascend strictly in index and in term, the first begins at base + 1 (if there are
 *    entries), and base_term <= the first run's term.
 */
struct raft_log {
	uint64_t base;	    /* the entry before the first one kept; 0 in a new log */
	uint64_t base_term; /* its term */
	uint64_t last;	    /* the newest entry; base when there is none */
	uint64_t handed;    /* entries up to here were handed to the disk */
	uint64_t durable;   /* entries up to here are known to be on disk */
	uint64_t tail_first;
	struct entry *tail; /* tail[head] is the entry at tail_first */
	size_t head;
	size_t cap;
	size_t tail_bytes; /* what the tail costs in memory, payloads included */
	struct term_run *runs;
	size_t run_count;
	size_t run_cap;
};

/* An empty log that begins after (base, base_term). */
void raft_log_init(struct raft_log *l, uint64_t base, uint64_t base_term);

void raft_log_close(struct raft_log *l);

/* At start: what is on disk, entries base+1 .. last with these terms, none of them in memory. */
void raft_log_restore(struct raft_log *l, const struct term_run *runs, size_t run_count,
		      uint64_t last);

/* The term of entry `index`, base included; 0 when the log does not know it. */
uint64_t raft_log_term(const struct raft_log *l, uint64_t index);

static inline uint64_t raft_log_last_term(const struct raft_log *l)
{
	return l->run_count ? l->runs[l->run_count - 1].term : l->base_term;
}

/* Whether the entry at `index` has this term: then everything before it is equal too. */
bool raft_log_matches(const struct raft_log *l, uint64_t index, uint64_t term);

/* The newest index at or below `index` whose term is at most `term`; base if there is none. */
uint64_t raft_log_last_at_most(const struct raft_log *l, uint64_t index, uint64_t term);

/* Appends one entry; its term is at least the last one's. The payload's blob is held, not copied.
 */
void raft_log_append(struct raft_log *l, const struct entry *e);

/* Drops the entries above `index`, which is at least base. */
void raft_log_truncate(struct raft_log *l, uint64_t index);

/*
 * Entries from `first` on that lie in memory, as many as stand in one piece up to `last`; their
 * count goes to `*count`. NULL when `first` is not in memory. Valid until the log changes.
 */
const struct entry *raft_log_span(const struct raft_log *l, uint64_t first, uint64_t last,
				  size_t *count);

/* Entries up to `index` are on disk now. */
void raft_log_persisted(struct raft_log *l, uint64_t index);

/* Forgets entries of the tail up to `index` at most, as long as more than `keep_bytes` remain. */
void raft_log_trim(struct raft_log *l, uint64_t index, size_t keep_bytes);

/* Moves the base up to `index`, a durable entry: what is before it is kept nowhere. */
void raft_log_release(struct raft_log *l, uint64_t index);

/* Empties the log: it goes on after (base, base_term). */
void raft_log_reset(struct raft_log *l, uint64_t base, uint64_t base_term);

/* NULL, or which of L1 to L4 is broken. */
const char *raft_log_broken(const struct raft_log *l);

#endif
