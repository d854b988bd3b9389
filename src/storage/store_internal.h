#ifndef CONCLAVE_STORAGE_STORE_INTERNAL_H
#define CONCLAVE_STORAGE_STORE_INTERNAL_H

/* Inside storage only: what store.c and store_flush.c share. */

#include "storage/compact.h"
#include "storage/store.h"

#define POSITION_NAME SLICE_LITERAL("position")

/* A meta row: up to which revision what was dead has been dropped. */
#define DROPPED_NAME SLICE_LITERAL("dropped")

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
	uint64_t horizon;    /* of the same */
	struct engine_bound bound;
	struct engine_view *view;
	struct engine_load load; /* afterwards */
	int error;
	bool under_way;
	bool failed;
};

/* What is dead on its way out of the engine (store_compact.c). */
struct store_compact {
	struct job job;
	struct store *store;
	int phase;
	struct engine_view *view; /* of the engine as it is; at the end, as it has become */
	uint64_t horizon;	  /* of the engine's position */
	uint64_t index;		  /* of the same */
	uint64_t dropped;
	struct history_walk walk;
	struct garbage_drop garbage;
	struct garbage_place left;   /* where garbage begins in the engine */
	struct garbage_place leaves; /* and where when `state` is taken in */
	struct dead_list dead;
	size_t at;		     /* in what is being written */
	uint64_t piece_bytes;	     /* of history, that a piece may span */
	uint64_t piece_end;	     /* where the one that is being written ends */
	struct engine_file *records; /* dead tombstones of the state family go */
	struct engine_file *history; /* dead changes go */
	struct engine_file *state;   /* garbage goes */
	bool rest;		     /* garbage is left, for another job */
	bool tidies;		     /* nothing is dead: it does that alone */
	bool thorough;		     /* room is what counts */
	bool untidy;		     /* the engine wants to be tidied again */
	int error;
	bool under_way;
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
	uint64_t overlays;	   /* begun so far, the living one included */
	uint64_t drops;		   /* and of them dropped */
	uint64_t deadline_ms;	   /* no row is earlier, as far as is known */
	struct store_flush flush;
	struct store_compact compact;
	uint64_t durable_horizon; /* of the position in the engine */
	uint64_t dropped;	  /* as the engine's row says */
	bool compact_rest;	  /* more is known to be left than the horizon tells */
	bool untidy;		  /* the engine wants to be tidied again */
	uint64_t pressure;
	struct list retired;	  /* of struct published */
	size_t views;		  /* of the living engine that are not closed yet */
	struct engine *abandoned; /* lived before; NULL: none */
	size_t abandoned_views;	  /* of it, that are not closed yet */
	uint64_t flushes;
};

/* What the engine ends at when it holds a state with this position. */
struct engine_bound engine_bound_of(const struct position *p);

/* The engine's row of that name; empty where there is none. Blocks. */
MUST_USE int store_read_meta(struct engine_view *view, struct slice name, struct buf *out);

/* The revision that the engine's row of what was dropped says; 0 where there is none. Blocks. */
MUST_USE int store_read_dropped(struct engine_view *view, uint64_t *dropped);

/* An empty overlay is the living one from now on. */
void store_begin_overlay(struct store *s);

/* Frees what a job that never ended holds. */
void store_compact_close(struct store *s);

/* Caches for the bounds of the options, empty. */
void store_init_caches(struct store *s);

/* Overlays that the store had dropped when the view was opened. */
uint64_t view_drops(const struct view *v);

struct published *published_new(struct store *s, struct engine_view *view, uint64_t index);
void published_release(struct store *s, struct published *p);

#endif
