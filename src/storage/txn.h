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
#include "storage/txn_rows.h"

struct keyspace_delta {
	uint32_t id;
	int64_t keys;
	int64_t deadlines;
	uint64_t digest;
};

/* A database that gets another keyspace when the txn is committed. */
struct mapping {
	unsigned database;
	unsigned other; /* the database it swaps with; itself: a new keyspace */
	uint32_t sub;	/* of the (first) change that says so */
};

/* A collection that was read as it was: where it stood then. */
struct past_collection {
	uint64_t incarnation;
	uint32_t keyspace;
	struct slice key; /* in the arena of struct past */
	bool laid;	  /* its elements are in the rows of struct past as far as they differ */
};

/* What reading an older revision needs; all of it goes when the txn comes back to now. */
struct past {
	bool on; /* otherwise it reads what is newest */
	uint64_t revision;
	struct arena arena;
	struct tree rows; /* elements that have changed since, as they were */
	struct past_collection *collections;
	size_t count;
	size_t cap;
};

/* A string that was set and does not stand in its record; both slices are in the layer. */
struct string_set {
	struct slice row; /* the key of its record */
	struct revision at;
	struct slice value;
};

struct txn {
	struct store *store;	     /* NULL: over a view, reading only */
	const struct position *base; /* of the state beneath */
	struct reader reader;	     /* for reading: txn_reader */
	struct txn_rows rows;
	struct position position; /* as if committed; no arrays */
	uint32_t sub;		  /* changes so far */
	uint64_t time_ms;
	struct author author;
	uint64_t work;	     /* units so far */
	uint64_t work_limit; /* 0: none, and nothing is counted */
	struct keyspace_delta *deltas;
	size_t delta_count;
	size_t delta_cap;
	struct mapping *mappings;
	size_t mapping_count;
	size_t mapping_cap;
	struct string_set *strings;
	size_t string_count;
	size_t string_cap;
	struct past past;
	struct buf key;
	struct buf row;
	struct arena values; /* what is put together of chunks */
	struct buf changed;  /* what is written anew, as a whole or as a chunk */
	size_t chunk_bytes;  /* as STRING_CHUNK_BYTES and STRING_WHOLE_MAX; smaller in tests */
	size_t whole_max;
};

/* All zero before. Over the store, on the loop; may be used for one command after the other. */
void txn_init(struct txn *t, struct store *s);

/* All zero before. Over a view, in the pool; the rows that the engine gives go to `note` too. */
void txn_init_view(struct txn *t, const struct view *v, struct fetched *note);

void txn_close(struct txn *t);

/*
 * Begins a command, with its time and the number of its author. Nothing of an earlier one is left.
 * The number is one of run 0 unless txn_of_run, right behind, says whose it is.
 */
void txn_begin(struct txn *t, uint64_t time_ms, uint64_t author);
void txn_of_run(struct txn *t, uint64_t incarnation);

/*
 * Rows for a run after one that missed some, once it has begun; NULL: none. Borrowed until it is
 * set anew. They are of use only if no overlay was dropped since their view was opened: what the
 * view had in that overlay is among neither the rows nor the overlays any more. Otherwise nothing
 * is pinned, and what is missing has to be fetched again.
 */
void txn_pin(struct txn *t, const struct fetched *rows);

/* Whether anything that others can see was changed since it began. */
bool txn_changed(const struct txn *t);

/* The revision that the next change gets. */
struct revision txn_revision(const struct txn *t);

/* Over the store: everything takes effect. */
void txn_commit(struct txn *t);

/* Nothing of it ever was. */
void txn_undo(struct txn *t);

/* ---- work ------------------------------------------------------------------------------------ */

/*
 * How much a command may do, from here on until the next txn_begin; the same on every member, so
 * that all refuse the same. A unit is a record or an element that is read or changed, as the
 * command sees it, or a KiB that goes to history. Beyond that reading gives ERR_WORK; a command
 * that only changes is found out by txn_is_overworked.
 */
void txn_limit(struct txn *t, uint64_t units);
bool txn_is_overworked(const struct txn *t);

/* Units since its begin, also when it was undone since; 0 if there is no limit. */
uint64_t txn_worked(const struct txn *t);

/*
 * What not every member runs must not count: nothing does between these two. Pausing returns what
 * resuming wants.
 */
uint64_t txn_work_pause(struct txn *t);
void txn_work_resume(struct txn *t, uint64_t limit);

/* ---- authors --------------------------------------------------------------------------------- */

/* From now on changes may name this one. */
void txn_put_author(struct txn *t, struct author a, const struct author_text *text);

/* None that comes will name it, or any of that run: its row goes when the horizon has come. */
void txn_end_author(struct txn *t, struct author a);
void txn_end_authors_of(struct txn *t, uint64_t incarnation);

/* Who it is. ERR_NOT_FOUND: nobody knows any more. ERR_MISSING, ERR_CORRUPT, ERR_IO. */
MUST_USE int txn_author(struct txn *t, struct author a, struct author_text *text);

/* ---- reading --------------------------------------------------------------------------------- */

/*
 * The record under a key of a database. ERR_NOT_FOUND: there is none, and `r` is that of a
 * tombstone or all zero: it says when the last one ended. ERR_MISSING, ERR_CORRUPT, ERR_IO.
 */
MUST_USE int txn_record(struct txn *t, unsigned database, struct slice key, struct record *r);

/* The value of a string. */
MUST_USE int txn_value(struct txn *t, const struct record *r, struct slice *value);

/* A change of the past or of now, decoded; the slices are borrowed as others. */
MUST_USE int txn_change_at(struct txn *t, struct revision at, struct change *c);

/*
 * From here on records, values and elements are read as they were after this main revision, what
 * the txn itself has changed not counted; nothing may be changed until txn_now. ERR_COMPACTED: it
 * is below the horizon. ERR_INVALID: it is not there yet.
 */
MUST_USE int txn_as_of(struct txn *t, uint64_t revision);
void txn_now(struct txn *t);

/*
 * The revision that was the newest one at this cluster time. ERR_COMPACTED: it is below the
 * horizon. ERR_INVALID: that time has not come.
 */
MUST_USE int txn_revision_at(struct txn *t, uint64_t time_ms, uint64_t *revision);

/* Keys of a database. At an older revision they are counted one by one. */
MUST_USE int txn_key_count(struct txn *t, unsigned database, uint64_t *count);

/*
 * The records of a database in order of keys, from `from` up to, not including, `to` (NULL: to the
 * end), or backwards.
 *
 *	rc = record_scan_open(&s, t, database, from, to, false);
 *	if (rc != OK)
 *		return rc;
 *	while (record_scan_next(&s, &key, &r))
 *		...
 *	return record_scan_close(&s);
 *
 * Nothing is changed in between, but other things may be read.
 */
struct record_scan {
	struct txn *txn;
	struct scan scan;
	uint32_t keyspace;
	struct buf from;
	struct buf to;
	struct buf row; /* what record_scan_next gave */
	int error;
};

/* As scan_open; the bounds are copied. After an error there is nothing to close. */
MUST_USE int record_scan_open(struct record_scan *s, struct txn *t, unsigned database,
			      struct slice from, const struct slice *to, bool backward);

/* The next record that is no tombstone, borrowed until the next call. */
MUST_USE bool record_scan_next(struct record_scan *s, struct slice *key, struct record *r);

/* The same with tombstones. */
MUST_USE bool record_scan_next_any(struct record_scan *s, struct slice *key, struct record *r);

/* Ends it; what went wrong on the way, or OK. */
MUST_USE int record_scan_close(struct record_scan *s);

/* ---- changing -------------------------------------------------------------------------------- */

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

/*
 * The key takes the other's place, which it may have in another database: what was there (`other`,
 * as `old`) is gone, and so is `old`. Value, deadline and lease go along; the record is a new one.
 */
void txn_move(struct txn *t, unsigned database, struct slice key, const struct record *old,
	      unsigned to_database, struct slice to_key, const struct record *other);

/* The database is empty. */
void txn_flush_database(struct txn *t, unsigned database);

/* Each of two different ones gets what the other held. */
void txn_swap_databases(struct txn *t, unsigned a, unsigned b);

/*
 * The past is kept from this revision on, which was there when the txn began and is not below the
 * horizon. ERR_MISSING, ERR_CORRUPT, ERR_IO.
 */
MUST_USE int txn_move_horizon(struct txn *t, uint64_t revision);

#endif
