#ifndef CONCLAVE_STORAGE_STORE_H
#define CONCLAVE_STORAGE_STORE_H

/*
 * The state of one member: an engine with what is durable, overlays with what was applied since,
 *and caches of what the engine holds. The loop changes it and reads it here; other threads read it
 * through views, each one state that does not change.
 *
 *	  live overlay      takes every change
 *	  frozen overlay    is being written to the engine; none most of the time
 *	  engine            through the newest published view of it
 *
 * Writing: store_flush freezes the live overlay together with the position that belongs to it, and
 * gives the job that makes two sorted files of it, one a family, and takes them in: history first,
 * then state with the position. A crash in between leaves rows of history beyond the position,
 *which replaying the log writes again, equal; nothing reads history above the applied revision.
 */

#include "base/job.h"
#include "storage/position.h"
#include "storage/reader.h"
#include "storage/row.h"

struct logger;
struct store;
struct view;

struct store_options {
	size_t overlay_bytes;	     /* the live overlay is frozen at this size */
	size_t header_cache_bytes;   /* of the state family */
	size_t value_cache_bytes;    /* of strings that do not stand in their records */
	const struct logger *logger; /* may be NULL */
};

/*
 * How far the state goes that this engine holds: an index of the log; 0 if there is none yet.
 * Blocks, and fails as store_open().
 */
MUST_USE int store_stored_index(struct engine *engine, uint64_t *index);

/*
 * The state as the engine holds it; `snapshot` gets the descriptor that was stored with it, nothing
 * if there is no state yet. Blocks, for start-up. ERR_CORRUPT, ERR_VERSION, ERR_IO.
 */
MUST_USE int store_open(struct store **out, struct engine *engine,
			const struct store_options *options, struct buf *snapshot);

/* No view is held any more, no job under way. NULL is nothing. The engine stays its owner's. */
void store_close(struct store *s);

/* The position of what is applied; changed by txn_commit and by whoever applies entries. */
struct position *store_position(struct store *s);

/* ---- the loop -------------------------------------------------------------------------------- */

/* What is applied, for the loop to read, beneath layer 0, which is left empty. */
void store_reader(struct store *s, struct reader *r);

/* One row changes. */
void store_put(struct store *s, enum engine_family family, struct slice key, struct slice value,
	       bool deleted);

/*
 * The value of a string that does not stand in its record, whose row's key this is: kept in memory
 * as far as there is room. `at` is the change that holds it.
 */
void store_keep_value(struct store *s, struct slice row, struct revision at, struct slice value);

/*
 * No deadline row that the caller has not asked for is earlier than this; UINT64_MAX: there is
 * none. It follows every row that is put. Who looks for rows takes it and looks from there on, with
 * a view opened right then, and afterwards lowers it to where that ended. At the start it is 0:
 * nothing is known.
 */
uint64_t store_deadline_ms(const struct store *s);
uint64_t store_take_deadline_ms(struct store *s);
void store_lower_deadline_ms(struct store *s, uint64_t at_ms);

/*
 * Whether the loop can read each of so many rows of the state family, up to ROW_CACHE_TOGETHER, or
 * knows that it is not there. `hashes` are hash64 of the rows' keys.
 */
void store_holds(struct store *s, const struct slice *rows, const uint64_t *hashes, size_t count,
		 bool *holds);

/*
 * What is kept of the state family, for whoever knows what will be asked for soon:
 * row_cache_expect_bucket and those behind it.
 */
const struct row_cache *store_rows(const struct store *s);

/*
 * Rows that another thread got through `v` may be kept in memory, as far as they are still what a
 * reader would see.
 */
void store_learn(struct store *s, const struct view *v, const struct fetched *rows);

/* ---- views ----------------------------------------------------------------------------------- */

/* What is applied now, for other threads to read. Taken and given back by the loop. */
struct view *view_open(struct store *s);
void view_close(struct view *v);

/*
 * What the engine holds, without what was applied since: for rows that are to be learned. It costs
 * the store nothing, and is read by view_get_many alone.
 */
struct view *view_open_engine(struct store *s);

/* As engine_view_get_many, on another thread; what overlays hold is not looked at. */
void view_get_many(struct view *v, struct engine_get *gets, size_t count);

/* A reader of it, for one thread. The position is that of the view, borrowed. */
void view_reader(const struct view *v, struct reader *r);

/* The position of what it shows; of its rows, those of keyspaces alone. */
const struct position *view_position(const struct view *v);

/* Bytes of the engine's changes above this revision, roughly; on another thread. */
uint64_t view_history_bytes(const struct view *v, uint64_t revision);

/* ---- writing --------------------------------------------------------------------------------- */

/* Whether the live overlay should be frozen. */
bool store_wants_flush(const struct store *s);

/* What its rows take. */
size_t store_live_bytes(const struct store *s);

/*
 * How many times the engine is further behind with merging than it should be, as the last flush has
 * seen it; 0: it is not. Then the next one should wait for a while.
 */
uint64_t store_pressure(const struct store *s);

/* Whether the live overlay is so large that nothing more should be applied before it is frozen. */
bool store_is_full(const struct store *s);

/* Whether there is a frozen overlay, on its way to the engine. */
bool store_is_writing(const struct store *s);

/*
 * The job that makes durable what is applied, for the engine's writer. After a job that failed, the
 * same overlay is written again, and `snapshot` must be the same. None may be under way.
 */
struct job *store_flush(struct store *s, struct slice snapshot);

/* After the job: OK, ERR_NO_SPACE (try again), or an error after which the member must stop. */
MUST_USE int store_flushed(struct store *s);

/* Whether a flush failed and is to be tried again. */
bool store_flush_failed(const struct store *s);

/*
 * What is dead below the horizon leaves the engine by a job of its own, which looks at the engine
 * alone: at the horizon that is durable there. Views go on seeing what they saw.
 */

/* The horizon in the engine: what is above that was not stored yet. */
uint64_t store_durable_horizon(const struct store *s);

/* Whether there may be something to drop. */
bool store_wants_compact(const struct store *s);

/*
 * Whether the job before left something, and another one should follow at once. A part at a time,
 * so that flushes are not kept waiting.
 */
bool store_compact_goes_on(const struct store *s);

/*
 * The job, for the engine's writer: as with flushes, which may be waiting there, too, but the
 * engine does one thing after the other. None may be under way. `thorough` as in engine_tidy.
 */
struct job *store_compact(struct store *s, bool thorough);
bool store_is_compacting(const struct store *s);

/* After the job, as store_flushed. */
MUST_USE int store_compacted(struct store *s);

/*
 * Closing a view of the engine may wait for the disk, so another thread does it: the job that
 * closes those that nobody holds any more, or NULL. To be run as it is; it frees itself on
 * store_cleaned.
 */
struct job *store_clean(struct store *s);
void store_cleaned(struct job *job);

/* ---- giving and taking the whole ------------------------------------------------------------- */

/*
 * The durable state, as it was last written: its position's index, 0 if there is none. Held until
 * store_share_end, it can be read by other threads through store_share_view.
 */
struct published;
uint64_t store_durable_index(const struct store *s);
struct published *store_share(struct store *s);
void store_share_end(struct store *s, struct published *p);
struct engine_view *store_share_view(const struct published *p);

/* What another engine holds, read by another thread: for store_replace. */
struct store_intake {
	struct engine *engine;
	struct engine_view *view;
	struct buf position; /* encoded */
	struct buf snapshot;
	uint64_t index; /* of that position */
	uint64_t dropped;
	uint32_t level;
};

/* Blocks. All zero before; on an error nothing is left to be freed. */
MUST_USE int store_intake_read(struct store_intake *in, struct engine *engine);
void store_intake_drop(struct store_intake *in);

/*
 * The state becomes that of the intake, which is used up. Neither a flush nor an earlier engine is
 * under way. Views that are open keep what they see.
 */
void store_replace(struct store *s, struct store_intake *in);

/*
 * The engine from before, once nobody looks at it any more, and only once; NULL: not yet, or there
 * is none.
 */
struct engine *store_take_abandoned(struct store *s);
bool store_has_abandoned(const struct store *s);

/* What INFO tells. */
struct store_stats {
	size_t live_bytes;
	size_t frozen_bytes;
	size_t header_bytes;
	size_t value_bytes;
	uint64_t header_hits;
	uint64_t header_misses;
	uint64_t value_hits;
	uint64_t value_misses;
	uint64_t flushes;
	uint64_t dropped; /* what was dead up to this revision has left the engine */
};

void store_stats(const struct store *s, struct store_stats *out);

#endif
