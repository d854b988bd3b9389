#ifndef CONCLAVE_STORAGE_ROW_CACHE_H
#define CONCLAVE_STORAGE_ROW_CACHE_H

/*
 * Rows of the engine kept in memory, and the knowledge that there is none; bounded in bytes. What
 * was not asked for since the hand last came by goes first (a clock). Used by the loop alone.
 *
 * Beside the record of a string that is too long to stand in it, its value may be kept: one look
 * finds both. Values have a bound and a hand of their own.
 */

#include "base/bytes.h"
#include "base/hash_table.h"
#include "base/list.h"
#include "storage/row.h"
#include "storage/tree.h"

struct cached;

struct row_cache {
	struct hash_table table;
	struct list ring;      /* in the order in which the hand comes by */
	struct cached *newest; /* of the rows that were put; NULL: it is gone */
	size_t bytes;
	size_t bytes_max;
	uint64_t hits;
	uint64_t misses;

	struct list values; /* the ring of those that are kept beside rows */
	size_t value_bytes;
	size_t value_bytes_max;
	uint64_t value_hits;
};

/* A value as it was kept: of the change `at`. main is 0: there is none. */
struct row_value {
	struct revision at;
	struct slice value;
};

/* Where a row is held as well. All zero: nowhere that is known. */
struct row_place {
	struct tree_row *row;
	uint64_t holder; /* what holds it, as whoever notes this counts them, from 1 on */
};

/*
 * An empty cache that holds up to `bytes_max` bytes of rows, and beside them `value_bytes_max` of
 * values; with 0 it holds nothing.
 */
void row_cache_init(struct row_cache *c, size_t bytes_max, size_t value_bytes_max);
void row_cache_close(struct row_cache *c);

/*
 * ERR_MISSING: nothing is known of this row. ERR_NOT_FOUND: there is none. OK: `*value` is borrowed
 * until the cache changes, and so is what is kept beside it, `*beside` (may be NULL).
 */
MUST_USE int row_cache_get(struct row_cache *c, struct slice key, struct slice *value,
			   struct row_value *beside);

/* The same for who has no use for the row: that is no asking, and is not counted. */
MUST_USE int row_cache_peek(const struct row_cache *c, struct slice key, struct slice *value);

/* Rows that are looked for together. */
#define ROW_CACHE_TOGETHER 16

/*
 * Whether anything is known of each of so many rows, up to ROW_CACHE_TOGETHER, which will be asked
 * for soon. To look for them together takes less than one after the other. The hashes are hash64's.
 */
void row_cache_has(struct row_cache *c, const struct slice *keys, const uint64_t *hashes,
		   size_t count, bool *has);

/*
 * The processor's caches get what looking for a row touches: first the bucket, a little later, when
 * that has come, the row, and then what is kept beside it or the place that is noted there. Nothing
 * else happens, whatever the hash is.
 */
void row_cache_expect_bucket(const struct row_cache *c, uint64_t hash);
void row_cache_expect_row(const struct row_cache *c, uint64_t hash);
void row_cache_expect_value(const struct row_cache *c, uint64_t hash);
void row_cache_expect_place(const struct row_cache *c, uint64_t hash);

/*
 * The row holds this value from now on. Returns where its place is noted, until the cache changes:
 * what the caller noted there when it put the row before, unless something else happened to it
 * since. NULL: the row is not kept.
 */
struct row_place *row_cache_put(struct row_cache *c, struct slice key, struct slice value);

/* There is no such row. */
void row_cache_put_absent(struct row_cache *c, struct slice key);

/* The same, but only if something is known of the row: for a change that nobody asked about. */
void row_cache_update(struct row_cache *c, struct slice key, struct slice value, bool absent);

/*
 * The value of the change `at` is kept beside this row, if that is known. It stays when the row
 * changes: whoever reads compares `at` with what the record says.
 */
void row_cache_put_value(struct row_cache *c, struct slice key, struct revision at,
			 struct slice value);

/* Nothing is known any more, of this row or of any. */
void row_cache_forget(struct row_cache *c, struct slice key);
void row_cache_clear(struct row_cache *c);

/* A new bound; what is too much goes. */
void row_cache_limit(struct row_cache *c, size_t bytes_max);

#endif
