#ifndef CONCLAVE_STORAGE_ENGINE_H
#define CONCLAVE_STORAGE_ENGINE_H

/*
 * The ordered rows that outlive the process, in two families. Rows come in as sorted files, made
 * beside the living data and then taken in as a whole: taking in one file is atomic and durable by
 * itself. Rows go out through views, each a state of the engine that does not change; but for new
 * history: a file whose keys no row had before, neither in this family nor deleted, may be seen by
 * views that were opened before it. Nobody asks for a revision that his state does not know of.
 *
 * Two engines keep this interface: RocksDB (engine_rocks.h), and one in memory whose rows outlive
 * a simulated process (engine_memory.h).
 *
 * Nothing here is ever called by the loop: a call may wait for a disk. Files are made and taken
 * in by one thread at a time; views are opened, read and closed by any thread, a cursor is used by
 * one thread at a time. A file that could not be made is dropped and may be tried again; an engine
 * that could not take a finished file in must be opened anew.
 *
 * Keys are ordered as bytes, unsigned, a prefix before what it begins, and are never empty.
 */

#include "base/bytes.h"
#include "base/error.h"

enum engine_family {
	FAMILY_HISTORY = 0, /* changes by revision */
	FAMILY_STATE = 1, /* records, elements, deadlines, meta rows: all that has a newest value */
};

#define FAMILY_COUNT 2

struct engine;
struct engine_view;
struct engine_cursor;
struct engine_file;

/* What tells of trouble ahead: the writer waits when these grow. */
struct engine_load {
	uint64_t level0_files;	  /* files that may overlap each other, in the fuller family */
	uint64_t compaction_debt; /* bytes still to be merged */
	uint64_t live_bytes;	  /* of all files */
};

/* ---- files in -------------------------------------------------------------------------------- */

/* A sorted file for `family`, empty. ERR_NO_SPACE, ERR_IO; ERR_STOPPED after a failed ingestion. */
MUST_USE int engine_file_begin(struct engine *e, enum engine_family family,
			       struct engine_file **out);

/*
 * Keys come in strictly ascending order. ERR_NO_SPACE, ERR_IO: the file can only be dropped now;
 * what is called all the same gives the same error.
 */
MUST_USE int engine_file_put(struct engine_file *f, struct slice key, struct slice value);
MUST_USE int engine_file_delete(struct engine_file *f, struct slice key);

/*
 * All rows from `from` up to, not including, `to` that were there before this file go. Rows of the
 * same file stay. May be called at any place between the others, ranges may overlap; `from` is not
 * behind `to`, and an empty range is nothing.
 */
MUST_USE int engine_file_delete_range(struct engine_file *f, struct slice from, struct slice to);

/*
 * The file is whole and on disk, and nobody sees it yet. ERR_NO_SPACE, also when there is no room
 * to take it in; ERR_IO.
 */
MUST_USE int engine_file_finish(struct engine_file *f);

/*
 * Takes a finished file in: durable, and seen by every view opened from now on. An empty one is
 * nothing. The file is freed, also on error. ERR_IO, ERR_NO_SPACE, ERR_CORRUPT: whether the rows
 * are in shows when the engine is opened anew; until then this one only reads. ERR_STOPPED: it
 * had failed before.
 */
MUST_USE int engine_file_ingest(struct engine_file *f);

/* Removes what was made of it and frees it. NULL is nothing. */
void engine_file_drop(struct engine_file *f);

/* ---- rows out -------------------------------------------------------------------------------- */

/* The engine as it is now. */
struct engine_view *engine_view_open(struct engine *e);

/* No cursor of it is open any more, nor is the engine closed. NULL is nothing. */
void engine_view_close(struct engine_view *v);

/* Appends the row's value to `out`. ERR_NOT_FOUND, ERR_CORRUPT, ERR_IO. */
MUST_USE int engine_view_get(struct engine_view *v, enum engine_family family, struct slice key,
			     struct buf *out);

/* One of several rows asked for at once. */
struct engine_get {
	enum engine_family family;
	struct slice key;
	struct buf value; /* owned by the caller; set when result is OK */
	int result;	  /* OK, ERR_NOT_FOUND, ERR_CORRUPT, ERR_IO */
};

/* All of them, in one pass where the engine can. */
void engine_view_get_many(struct engine_view *v, struct engine_get *gets, size_t count);

/*
 * Bytes that the rows from `from` on take, roughly: of what is there now, the view may be older.
 */
uint64_t engine_view_bytes(struct engine_view *v, enum engine_family family, struct slice from);

/*
 * A cursor over one family, standing nowhere. Rows from `end` on are not looked at; empty: no end.
 * It shows every row there is, or fails: where one cannot be read it goes no further. The caller
 * closes it; NULL is nothing to engine_cursor_close.
 */
struct engine_cursor *engine_cursor_open(struct engine_view *v, enum engine_family family,
					 struct slice end);

/*
 * The same, for who knows that no range was deleted where he walks, or to whom it is the same: of
 * what a range has deleted it may show rows, as they were at any time before. It costs half.
 */
struct engine_cursor *engine_cursor_open_all(struct engine_view *v, enum engine_family family,
					     struct slice end);

void engine_cursor_close(struct engine_cursor *c);

/* Stands at the first row whose key is not before `key`. */
void engine_cursor_seek(struct engine_cursor *c, struct slice key);

/*
 * Stands at the last row whose key is before `key`, and before the cursor's end; an empty key: at
 * the last row before the end.
 */
void engine_cursor_seek_before(struct engine_cursor *c, struct slice key);

/* One further or one back; it stands at a row before. */
void engine_cursor_next(struct engine_cursor *c);
void engine_cursor_prev(struct engine_cursor *c);

/*
 * Whether it stands at a row; if not, engine_cursor_error says whether it ended (OK) or failed
 * (ERR_CORRUPT, ERR_IO). After a failure it can be set anew.
 */
bool engine_cursor_valid(const struct engine_cursor *c);
MUST_USE int engine_cursor_error(const struct engine_cursor *c);

/* The row it stands at, borrowed until it moves. */
struct slice engine_cursor_key(const struct engine_cursor *c);
struct slice engine_cursor_value(const struct engine_cursor *c);

/* ---- the whole ------------------------------------------------------------------------------- */

void engine_load(struct engine *e, struct engine_load *out);

/*
 * Puts a part of the files into better order, where that is worth it: so that what was deleted
 * gives its room back, and small files become large ones. For the one thread that makes files;
 * takes no longer than to make one large file. With `thorough` it is worth it wherever something
 * was deleted: room is short. `*more`: it is worth calling again, by and by.
 */
MUST_USE int engine_tidy(struct engine *e, bool thorough, bool *more);

/*
 * All views are closed. Files that were not taken in are dropped: nobody holds them any more.
 * NULL is nothing.
 */
void engine_close(struct engine *e);

#endif
