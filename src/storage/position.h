#ifndef CONCLAVE_STORAGE_POSITION_H
#define CONCLAVE_STORAGE_POSITION_H

/*
 * Where the state stands: one row that goes to the engine in the same file as the rows it speaks
 * for, so that state and position are one. All of it is replicated: members that applied the same
 * entries have the same position, byte for byte.
 */

#include "storage/level.h"
#include "storage/row.h"

#define DATABASE_COUNT 16

/* What a command may do before it is refused: worth about 100 ms. */
#define WORK_LIMIT_DEFAULT 200000u

/* Who may write: commands of an incarnation older than this, or up to this number, are done. */
struct origin_row {
	uint64_t member;
	uint64_t incarnation; /* index of the entry that registered it; 0: never */
	uint64_t seq;	      /* last command applied */
	uint32_t level;	      /* what that run supports (storage/level.h) */
};

/* What a member says is wrong with it. Numbers never change meaning. */
enum alarm_kind {
	ALARM_NO_SPACE = 1, /* its disk is short of space: what makes the state grow is refused */
	ALARM_KIND_MAX = ALARM_NO_SPACE,
};

struct alarm_row {
	uint64_t member;
	enum alarm_kind kind;
};

/* A member whose state was found to differ from that of a majority. */
struct quarantine_row {
	uint64_t member;
	uint64_t index; /* of the CHECK by which it was found out last */
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
 * Q5 No run that is registered supports less than `level`.
 * Q6 alarms ascend by member and kind, and are of known kinds; quarantines ascend by member.
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
	uint64_t work_limit;		       /* of one command, see txn_limit */
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
	struct alarm_row *alarms; /* owned: those that stand */
	size_t alarm_count;
	size_t alarm_cap;
	struct quarantine_row *quarantines; /* owned */
	size_t quarantine_count;
	size_t quarantine_cap;
};

/* Before the first entry: database i has keyspace i + 1. `p` is undefined before. */
void position_init(struct position *p);
void position_free(struct position *p);

/* `out` becomes a copy without the rows: there is nothing to be freed. */
void position_numbers(const struct position *p, struct position *out);

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

/* ---- rows about members (position_rows.c) ------------------------------------------------------
 */

bool position_alarm(const struct position *p, uint64_t member, enum alarm_kind kind);
/* Whether any member has raised it. */
bool position_alarm_stands(const struct position *p, enum alarm_kind kind);
/* Each is nothing if it is so already. */
void position_alarm_raise(struct position *p, uint64_t member, enum alarm_kind kind);
void position_alarm_clear(struct position *p, uint64_t member, enum alarm_kind kind);

/* The row of a member in quarantine, or NULL. Valid until one is put or ended. */
const struct quarantine_row *position_quarantine(const struct position *p, uint64_t member);
void position_quarantine_put(struct position *p, uint64_t member, uint64_t index);
/* Nothing happens if it is in none. */
void position_quarantine_end(struct position *p, uint64_t member);

/* NULL, or which of Q1 to Q6 is broken. */
const char *position_broken(const struct position *p);

#endif
