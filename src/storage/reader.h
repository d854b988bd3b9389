#ifndef CONCLAVE_STORAGE_READER_H
#define CONCLAVE_STORAGE_READER_H

/*
 * One state to read from, laid together from layers: what the command at hand has changed, the
 * overlays, newest first, and the engine beneath. The loop must not ask the engine: there the
 * caches stand in for it, and what they do not know is ERR_MISSING - the command is undone, the
 * rows are fetched by another thread and pinned, and it runs once more. In the pool the engine
 * itself is the lowest layer and nothing is missing.
 */

#include "storage/overlay.h"
#include "storage/row.h"
#include "storage/row_cache.h"

#define READER_LAYERS_MAX 4

struct layer {
	struct tree_snapshot trees[FAMILY_COUNT];
};

/* What a scan walked through: the whole of from..to, or from one of its ends up to `last`. */
struct fetched_range {
	enum engine_family family;
	struct slice from;
	struct slice to; /* empty: to the end of the family */
	bool backward;
	bool whole;
	struct slice last; /* the last key it looked at, if it did not walk through the whole */
};

/*
 * Rows that came out of the engine, and the ranges of which every row is here. A row that is
 * deleted here is one that the engine does not have.
 */
struct fetched {
	struct arena arena;
	struct tree trees[FAMILY_COUNT];
	struct fetched_range *ranges; /* owned; the slices stand in the arena */
	size_t range_count;
	size_t range_cap;
	uint64_t drops; /* as in the reader that fetched them */
	size_t limit;	/* of bytes; then nothing more is kept, and no range. 0: all is */
};

struct fetched *fetched_new(void);
void fetched_free(struct fetched *f);

/* Whether some rows may not have been kept. */
bool fetched_is_full(const struct fetched *f);

/*
 * Where the engine's rows end, as the loop knows without asking it: what was made later is in the
 * overlays alone. A history row of a later revision, an element of a later incarnation, a record of
 * a later keyspace that no overlay has is not there.
 */
struct engine_bound {
	uint64_t revision;	   /* of the newest change */
	uint64_t next_incarnation; /* above all in the engine */
	uint32_t next_keyspace;
};

struct reader {
	struct tree_snapshot past; /* of the state family, above all layers: see txn_past.c */
	struct layer layers[READER_LAYERS_MAX]; /* newest first */
	unsigned layer_count;

	uint64_t drops; /* overlays that the store had dropped when it was this state */

	/* on the loop */
	struct row_cache *headers;    /* of the state family; NULL in the pool */
	struct row_cache *values;     /* of the history family */
	struct row_value beside;      /* of the row of the state family that was read last */
	const struct fetched *pinned; /* may be NULL */
	struct engine_bound bound;

	/* in the pool */
	struct engine_view *engine; /* NULL on the loop */
	struct fetched *note;	    /* takes what the engine gave; may be NULL */
	struct arena arena;	    /* keeps what was read from the engine */
	struct buf value;
};

/* Gives the reader's own memory back. */
void reader_close(struct reader *r);

/*
 * The row's value, borrowed until the next change of what is read, or until reader_close.
 * ERR_NOT_FOUND, ERR_MISSING, or as engine_view_get.
 */
MUST_USE int reader_get(struct reader *r, enum engine_family family, struct slice key,
			struct slice *value);

/* The same, borrowed until the next read only: for what is read in numbers and not kept. */
MUST_USE int reader_peek(struct reader *r, enum engine_family family, struct slice key,
			 struct slice *value);

/*
 * On the loop: whether the engine has no row from `from` up to, not including, `to` (empty: the end
 * of the family), as its bound tells. False: it may have some.
 */
bool reader_bound_excludes(const struct reader *r, enum engine_family family, struct slice from,
			   struct slice to);

/*
 * Rows of one family in order, from `from` up to, not including, `to` (empty: to the end), or
 * backwards. Deleted rows are not seen.
 *
 *	rc = scan_open(&s, r, FAMILY_STATE, from, to, false);
 *	while (rc == OK && scan_next(&s, &key, &value))
 *		...
 *	if (rc == OK)
 *		rc = scan_close(&s);
 */
struct scan {
	struct reader *reader;
	enum engine_family family;
	struct slice from;
	struct slice to;
	bool backward;
	struct tree_cursor cursors[READER_LAYERS_MAX + 2]; /* the past first, pinned rows last */
	unsigned cursor_count;
	struct engine_cursor *engine;
	const struct fetched_range *range; /* on the loop: what is pinned of it */
	struct buf last;		   /* the key returned last, if it is to be noted */
	bool ended;
	int error;
};

/*
 * ERR_MISSING on the loop, unless such a scan was pinned, or the engine's rows end before `from`;
 * if one was pinned, scan_close may still say so, if this one goes further. `from` and `to` must
 * outlive the scan. A scan is read from or not opened: one that was closed before the first
 * scan_next is not known to a run on the loop.
 */
MUST_USE int scan_open(struct scan *s, struct reader *r, enum engine_family family,
		       struct slice from, struct slice to, bool backward);

/* The next row, borrowed until the next call; false at the end or after an error. */
MUST_USE bool scan_next(struct scan *s, struct slice *key, struct slice *value);

/* Ends it; what went wrong on the way, or OK. */
MUST_USE int scan_close(struct scan *s);

#endif
