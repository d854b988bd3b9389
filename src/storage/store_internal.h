#ifndef CONCLAVE_STORAGE_STORE_INTERNAL_H
#define CONCLAVE_STORAGE_STORE_INTERNAL_H

/* Inside storage only: what store.c and store_flush.c share. */

#include "storage/store.h"

#define POSITION_NAME SLICE_LITERAL("position")

/* A view of the engine, held by the store while it is the newest, and by views. Counted by the
 * loop. */
struct published {
	struct engine *engine;
	struct engine_view *view;
	uint64_t index; /* of the position that it shows */
	unsigned holders;
	struct list link; /* when nobody holds it any more */
};

/* Garbage on its way out, with the file of a flush. */
struct garbage_drop {
	struct engine_view *view;
	struct engine_cursor *garbage; /* which ended at or below the horizon */
	struct engine_cursor *records; /* of a keyspace among it; NULL: of none */
	uint32_t keyspace;
	uint64_t first; /* incarnations from here up to, not including, `end` go */
	uint64_t end;
	struct buf from;
	struct buf to;
	struct buf limit; /* of `records` */
	struct buf until; /* of `garbage` */
};

/* Begins with all garbage that ended up to `horizon`, as the engine holds it now. */
void garbage_drop_begin(struct garbage_drop *g, struct engine *e, uint64_t horizon);

/* A part of it goes into the file; `*whole` when there is no more. */
MUST_USE int garbage_drop_step(struct garbage_drop *g, struct engine_file *file, bool *whole);

/* May be called at any time, more than once. */
void garbage_drop_close(struct garbage_drop *g);

struct store_flush {
	struct job job;
	struct store *store;
	int phase;
	struct tree_cursor cursor;
	struct engine_file *files[FAMILY_COUNT];
	struct buf position; /* encoded, as of the frozen overlay */
	uint64_t index;	     /* in there */
	uint64_t horizon;    /* of the same */
	struct engine_bound bound;
	struct garbage_drop drop;
	struct engine_view *view;
	int error;
	bool under_way;
	bool failed;
};

struct store {
	struct store_options options;
	struct engine *engine;
	struct overlay *live;
	struct overlay *frozen; /* NULL: none */
	struct published *published;
	struct row_cache headers;
	struct row_cache values;
	struct position position;
	struct engine_bound bound; /* of what is published */
	uint64_t drops;		   /* overlays dropped so far */
	uint64_t deadline_ms;	   /* no row is earlier, as far as is known */
	struct store_flush flush;
	struct list retired;	  /* of struct published */
	size_t views;		  /* of the living engine that are not closed yet */
	struct engine *abandoned; /* lived before; NULL: none */
	size_t abandoned_views;	  /* of it, that are not closed yet */
	uint64_t flushes;
};

/* What the engine ends at when it holds a state with this position. */
struct engine_bound engine_bound_of(const struct position *p);

struct published *published_new(struct store *s, struct engine_view *view, uint64_t index);
void published_release(struct store *s, struct published *p);

#endif
