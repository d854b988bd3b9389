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

struct store_flush {
	struct job job;
	struct store *store;
	int phase;
	struct tree_cursor cursor;
	struct engine_file *files[FAMILY_COUNT];
	struct buf position; /* encoded, as of the frozen overlay */
	uint64_t index;	     /* in there */
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
	uint64_t drops;	      /* overlays dropped so far */
	uint64_t deadline_ms; /* no row is earlier, as far as is known */
	struct store_flush flush;
	struct list retired;	  /* of struct published */
	size_t views;		  /* of the living engine that are not closed yet */
	struct engine *abandoned; /* lived before; NULL: none */
	size_t abandoned_views;	  /* of it, that are not closed yet */
	uint64_t flushes;
};

struct published *published_new(struct store *s, struct engine_view *view, uint64_t index);
void published_release(struct store *s, struct published *p);

#endif
