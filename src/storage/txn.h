#ifndef CONCLAVE_STORAGE_TXN_H
#define CONCLAVE_STORAGE_TXN_H

/*
 * What one command, or one transaction, reads and changes. Its changes stand in a layer of their
 * own until txn_commit puts them into the store all at once, under one main revision; txn_undo
 * forgets them, which is what becomes of a command that misses a row (ERR_MISSING) or fails.
 *
 * A command that only reads uses one, too: on the loop over the store, in the pool over a view.
 *
 * Slices that a txn hands out are valid until its next change, and no longer than until it is
 * committed, undone or closed.
 */

#include "storage/store.h"

struct keyspace_delta {
	uint32_t id;
	int64_t keys;
	int64_t deadlines;
};

/* A database that gets another keyspace when the txn is committed. */
struct mapping {
	unsigned database;
	unsigned other; /* the database it swaps with; itself: a new keyspace */
};

struct txn {
	struct store *store; /* NULL: over a view, reading only */
	struct reader reader;
	struct arena arena;
	struct tree trees[FAMILY_COUNT]; /* layer 0 */
	struct position position;	 /* as if committed; no arrays */
	uint32_t sub;			 /* changes so far */
	uint64_t time_ms;
	uint64_t author;
	struct keyspace_delta *deltas;
	size_t delta_count;
	size_t delta_cap;
	struct mapping *mappings;
	size_t mapping_count;
	size_t mapping_cap;
	struct buf key;
	struct buf row;
};

/* All zero before. Over the store, on the loop; may be used for one command after the other. */
void txn_init(struct txn *t, struct store *s);

/* All zero before. Over a view, in the pool; the rows that the engine gives go to `note` too. */
void txn_init_view(struct txn *t, const struct view *v, struct fetched *note);

void txn_close(struct txn *t);

/* Begins a command, with its time and its author. Nothing of an earlier one is left. */
void txn_begin(struct txn *t, uint64_t time_ms, uint64_t author);

/* Rows for a run after one that missed some; NULL: none. Borrowed until it is set anew. */
void txn_pin(struct txn *t, const struct fetched *rows);

/* Whether anything was changed since it began, under a revision. */
bool txn_changed(const struct txn *t);

/* The revision that the next change gets. */
struct revision txn_revision(const struct txn *t);

/* Over the store: everything takes effect. */
void txn_commit(struct txn *t);

/* Nothing of it ever was. */
void txn_undo(struct txn *t);

/* ---- reading -----------------------------------------------------------------------------------
 */

/*
 * The record under a key of a database. ERR_NOT_FOUND: there is none, and `r` is that of a
 * tombstone or all zero: it says when the last one ended. ERR_MISSING, ERR_CORRUPT, ERR_IO.
 */
MUST_USE int txn_record(struct txn *t, unsigned database, struct slice key, struct record *r);

/* The value of a string. */
MUST_USE int txn_value(struct txn *t, const struct record *r, struct slice *value);

/* A change of the past or of now, decoded; the slices are borrowed as others. */
MUST_USE int txn_change_at(struct txn *t, struct revision at, struct change *c);

/* ---- changing ----------------------------------------------------------------------------------
 */

/*
 * In all of these `old` is what txn_record filled in for this key, found or not, with no change of
 * the key in between; it tells what was there before, so that nothing is looked up twice.
 */

/* What of a record a command says beside its value. */
struct record_terms {
	uint64_t deadline_ms; /* 0: lives on */
	uint64_t lease;
	uint8_t keep; /* 0: as before, or 1 */
};

/* The key holds this string from now on, whatever it held. */
void txn_set_string(struct txn *t, unsigned database, struct slice key, const struct record *old,
		    struct slice value, const struct record_terms *terms);

/* Another deadline, 0 for none; the record is there. */
void txn_set_deadline(struct txn *t, unsigned database, struct slice key, const struct record *old,
		      uint64_t deadline_ms);

/* The record, which is there, is gone; `kind` is CHANGE_DELETE or CHANGE_EXPIRE. */
void txn_delete(struct txn *t, unsigned database, struct slice key, const struct record *old,
		enum change_kind kind);

/*
 * The time of a deadline row has come: the one at `row_ms` for this key of a keyspace. Nothing
 * happens before that time. The row goes in any case; if the record has this row, and its deadline
 * has come as well, the record is deleted, which is a change; if its deadline was put off, it gets
 * another row, without a revision. ERR_MISSING, ERR_CORRUPT, ERR_IO.
 */
MUST_USE int txn_expire(struct txn *t, uint64_t row_ms, uint32_t keyspace, struct slice key);

/* The database is empty. */
void txn_flush_database(struct txn *t, unsigned database);

/* Each gets what the other held. */
void txn_swap_databases(struct txn *t, unsigned a, unsigned b);

#endif
