#ifndef CONCLAVE_STORAGE_POSITION_H
#define CONCLAVE_STORAGE_POSITION_H

/*
 * Where the state stands: one row that goes to the engine in the same file as the rows it speaks
 * for, so that state and position are one. All of it is replicated: members that applied the same
 * entries have the same position, byte for byte.
 */

#include "storage/row.h"

#define DATABASE_COUNT 16

/* Who may write: commands of an incarnation older than this, or up to this number, are done. */
struct origin_row {
	uint64_t member;
	uint64_t incarnation; /* index of the entry that registered it; 0: never */
	uint64_t seq;	      /* last command applied */
};

/* What is counted of a keyspace, so that nobody has to walk through it. */
struct keyspace_row {
	uint32_t id;
	uint64_t keys;	    /* that exist */
	uint64_t deadlines; /* of these, those with a deadline */
	uint64_t digest;    /* sum over its records */
};

/*
 * Q1 origins ascend by member, keyspaces by id.
 * Q2 The keyspaces are those of the databases, and no database has another's.
 * Q3 horizon <= revision.
 * Q4 next_keyspace is above the id of every keyspace, and none has more deadlines than keys.
 */
struct position {
	uint64_t index; /* entries up to here are applied, whole */
	uint64_t term;	/* of that entry */
	uint64_t revision;
	uint64_t horizon;    /* the past is kept from here on */
	uint64_t horizon_ms; /* cluster time of that revision */
	uint64_t next_incarnation;
	uint32_t next_keyspace;
	uint32_t level;			       /* features that all members have */
	uint64_t stamp_ms;		       /* cluster time of the newest entry */
	uint64_t digest_history;	       /* rolling, over changes */
	uint32_t databases[DATABASE_COUNT];    /* keyspace ids */
	uint64_t database_at[DATABASE_COUNT];  /* main revision of each database's last mapping */
	uint32_t database_sub[DATABASE_COUNT]; /* and its sub */
	struct origin_row *origins;	       /* owned */
	size_t origin_count;
	size_t origin_cap;
	struct keyspace_row *keyspaces; /* owned: those that are mapped */
	size_t keyspace_count;
	size_t keyspace_cap;
};

/* Before the first entry: database i has keyspace i + 1. `p` is undefined before. */
void position_init(struct position *p);
void position_free(struct position *p);

/* The row of this member, or NULL. Valid until a row is added or removed. */
struct origin_row *position_origin(const struct position *p, uint64_t member);

/* The row of this member, made if it is not there: it was never registered then. */
struct origin_row *position_origin_add(struct position *p, uint64_t member);

/* Whoever takes part no more has no row; nothing happens if there is none. */
void position_origin_remove(struct position *p, uint64_t member);

/* The row of this keyspace, or NULL when it is mapped no more. Valid until the next mapping. */
struct keyspace_row *position_keyspace(const struct position *p, uint32_t id);

/*
 * A new and empty keyspace for this database, given by the change at this revision; returns its id.
 * The old one is mapped no more.
 */
uint32_t position_map_new(struct position *p, unsigned database, struct revision at);

/* Each of the two databases gets the other's keyspace, by the changes at `at` and right after. */
void position_map_swap(struct position *p, unsigned a, unsigned b, struct revision at);

/*
 * The past is kept from this revision on, which is not above the newest one; `at_ms` is its time.
 * Nothing happens unless that is later than so far.
 */
void position_move_horizon(struct position *p, uint64_t horizon, uint64_t at_ms);

/* The sum over all records of all databases. */
uint64_t position_digest_living(const struct position *p);

/*
 * `snapshot`: the descriptor of the state that this position is part of (index, term, membership),
 * opaque here, borrowed. Appends to `out`; equal positions give equal bytes.
 */
void position_encode(const struct position *p, struct slice snapshot, struct buf *out);

/*
 * `p` is all zero before; on an error it stays so: ERR_MALFORMED, or ERR_VERSION for what a newer
 * version wrote. `snapshot` is borrowed from the bytes.
 */
MUST_USE int position_decode(struct slice bytes, struct position *p, struct slice *snapshot);

/* NULL, or which of Q1 to Q4 is broken. */
const char *position_broken(const struct position *p);

#endif
