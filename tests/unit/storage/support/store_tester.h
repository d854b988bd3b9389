#ifndef CONCLAVE_UNIT_STORAGE_SUPPORT_STORE_TESTER_H
#define CONCLAVE_UNIT_STORAGE_SUPPORT_STORE_TESTER_H

/*
 * A store on the engine in memory, and what a member does around it: commands run on the loop, are
 * undone when they miss a row, run dry over a view and run once more; reads that miss go to a view;
 * overlays are flushed step by step between all that.
 */

#include "base/random.h"
#include "storage/engine_memory.h"
#include "storage/txn_element.h"

struct store_tester {
	struct engine_memory *rows;
	struct engine *engine;
	struct store *store;
	struct store_options options;
	struct txn txn;
	struct txn reads;
	struct job *flush;   /* under way */
	struct job *compact; /* likewise; never both */
	struct random random;
	uint64_t time_ms;
	uint64_t misses; /* commands and reads that had to go to a view */
	uint64_t flushes;
	uint64_t compacts;
	size_t chunk_bytes; /* of the txns, if not 0; see struct txn */
	size_t whole_max;
};

/* Works on a txn; may run several times for one call. */
typedef int (*store_work)(struct txn *t, void *ctx);

/* Empty; overlays and caches of these sizes. */
void store_tester_init(struct store_tester *s, uint64_t seed, size_t overlay_bytes,
		       size_t cache_bytes);
void store_tester_close(struct store_tester *s);

/* All that is applied becomes durable, and the store is opened anew. */
void store_tester_reopen(struct store_tester *s);

/* The live overlay is durable, and views are closed. */
void store_tester_flush(struct store_tester *s);

/* The live overlay is durable, and what is dead has left the engine. */
void store_tester_compact(struct store_tester *s);

/*
 * The same, but the process dies when the engine takes the `nth` file in of the second, before or
 * after that file counts. The store is opened anew.
 */
void store_tester_compact_crash(struct store_tester *s, uint64_t nth, bool counts);

/* One command, committed if `work` returns OK; what it returned. */
int store_tester_run(struct store_tester *s, store_work work, void *ctx);

/* A read on the loop, in a view if it misses or by chance. */
int store_tester_read(struct store_tester *s, store_work work, void *ctx);

/* The same in a view. */
int store_tester_read_view(struct store_tester *s, store_work work, void *ctx);

#endif
