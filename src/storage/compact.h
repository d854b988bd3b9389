#ifndef CONCLAVE_STORAGE_COMPACT_H
#define CONCLAVE_STORAGE_COMPACT_H

/*
 * Inside storage only: what is dead in an engine, found from its rows alone, so that it can be
 * deleted. A change is dead when it is a tombstone at or below the horizon, when its keyspace ended
 * there, or when a later change of its record is at or below the horizon and so many places behind
 * it as that one keeps. Its row goes, unless it holds a value that something alive refers to; that
 * goes with the last that does.
 *
 * History is walked through once, from its beginning to the horizon, in slices; a row in the state
 * family says how far. So what is found in a slice is deleted before that row moves, and after a
 * crash the same slice is walked through again.
 */

#include "base/arena.h"
#include "storage/engine.h"
#include "storage/row.h"

/* Revisions whose rows go. */
struct dead_list {
	struct revision *list; /* owned */
	size_t count;
	size_t cap;
};

void dead_add(struct dead_list *d, struct revision at);

/* Ascending, each once. */
void dead_sort(struct dead_list *d);
void dead_free(struct dead_list *d);

/* A record that may be a tombstone without anything behind it. */
struct dead_record {
	struct slice row;   /* its key, in the arena of the walk */
	struct revision at; /* the tombstone's */
};

/* A walk through a slice of history. */
struct history_walk {
	struct engine_view *view;
	struct engine_cursor *cursor;
	struct buf until; /* where it ends at the latest */
	struct dead_list *dead;
	struct dead_record *records;
	size_t record_count;
	size_t record_cap;
	struct arena arena;
	struct buf value;
	uint64_t main;	/* of the change looked at last */
	uint64_t limit; /* the last main that may be looked at */
	uint64_t rows;
	uint64_t bytes;
};

/* All zero before. Changes above `from`, up to `upto`; what dies comes into `dead`. */
void history_walk_begin(struct history_walk *w, struct engine_view *view, uint64_t from,
			uint64_t upto, struct dead_list *dead);

/* Some of them; `*whole`: it is at the end, and `limit` says which revision that is. */
MUST_USE int history_walk_step(struct history_walk *w, bool *whole);

/* May be called at any time, more than once. */
void history_walk_close(struct history_walk *w);

/*
 * The change at `at` and all before it that are kept because of it die, `keep` of them, with the
 * values they refer to. `value` is for reading.
 */
MUST_USE int history_end_record(struct engine_view *view, struct revision at, unsigned keep,
				struct dead_list *dead, struct buf *value);

/* ---- garbage --------------------------------------------------------------------------------- */

/*
 * Where garbage begins. What is in front of it was deleted as ranges, and a cursor has to pass by
 * all of that for as long as its rows are in the engine's files. Nothing is known: all empty.
 */
struct garbage_place {
	struct buf row;	   /* the first garbage row that may be there */
	struct buf record; /* the first record, of the keyspace that the row names; empty: any */
};

void garbage_place_copy(struct garbage_place *to, const struct garbage_place *from);
void garbage_place_free(struct garbage_place *p);

/* Garbage on its way out. */
struct garbage_drop {
	struct engine_view *view;
	struct dead_list *dead;
	struct garbage_place *place;
	struct engine_cursor *garbage; /* what ended at or below a revision */
	struct engine_cursor *records; /* of a keyspace among it; NULL: of none */
	uint32_t keyspace;
	uint64_t first; /* incarnations from here up to, not including, `end` go */
	uint64_t end;
	uint64_t left;	/* so many records may still be looked at */
	struct buf row; /* the garbage row at hand */
	struct buf from;
	struct buf to;
	struct buf limit; /* of `records` */
	struct buf until; /* of `garbage` */
	struct buf value;
};

/*
 * All garbage from `place` on that ended up to `upto`, and at most so many records; the changes
 * that go with it come into `dead`. When it is whole, `place` is where what is left begins, once
 * the file is taken in.
 */
void garbage_drop_begin(struct garbage_drop *g, struct engine_view *view,
			struct garbage_place *place, uint64_t upto, uint64_t records,
			struct dead_list *dead);

/*
 * A part of it goes into the file; `*whole` when there is no more, or no more may be looked at:
 * then `*rest`.
 */
MUST_USE int garbage_drop_step(struct garbage_drop *g, struct engine_file *file, bool *whole,
			       bool *rest);

/* May be called at any time, more than once. */
void garbage_drop_close(struct garbage_drop *g);

#endif
