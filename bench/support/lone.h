#ifndef CONCLAVE_BENCH_SUPPORT_LONE_H
#define CONCLAVE_BENCH_SUPPORT_LONE_H

/*
 * A cluster of one whole member in this process, as the server runs it, but for the sockets: the
 * log on the disk, RocksDB beside it, jobs on threads. The caller's thread is the loop.
 *
 *	session_request ...
 *	lone_turn          the member's turn, and what other threads have finished
 *	lone_rest          sleep until another thread has, or the next turn is due
 */

#include "base/logging.h"
#include "base/random.h"
#include "node/member.h"
#include "storage/engine_rocks.h"

#include <stdatomic.h>

struct threads;

struct lone {
	struct member_options options;	    /* may be changed before a start */
	struct engine_rocks_options engine; /* likewise */
	bool in_memory;			    /* no RocksDB: rows stay in memory and are few */

	struct buf dir;
	struct buf log_dir;
	struct buf engine_dir;
	struct disk *disk;
	struct logger logger;
	struct random random;
	struct node_io io;
	struct member_events events;
	struct threads *threads;
	int woken;	      /* an eventfd */
	atomic_bool finished; /* by other threads, since the loop last looked */
	struct engine_memory *rows;
	struct engine *rows_engine;
	struct member *member; /* NULL: not running */
};

/* Everything in its place under `dir`, which is there; nothing runs. */
void lone_init(struct lone *l, const char *dir);

/* Starts it; ends the process if that fails. It leads when this returns. */
void lone_start(struct lone *l);

/* Stops it as a process that ends: what was not stored is in the log alone. */
void lone_stop(struct lone *l);

/* Frees what is left, and removes all it wrote. */
void lone_close(struct lone *l);

/* Completes what other threads have finished, without a turn. */
void lone_complete(struct lone *l);

void lone_turn(struct lone *l);
void lone_rest(struct lone *l);

/* Sleeps until another thread has finished something, no longer than this. */
void lone_wait(struct lone *l, unsigned ms);

#endif
