#ifndef CONCLAVE_STORAGE_ENGINE_MEMORY_TABLE_H
#define CONCLAVE_STORAGE_ENGINE_MEMORY_TABLE_H

/*
 * The rows of one family at one time, sorted, never changed: what the memory engine's views hold.
 * Tables share rows. Counts are not atomic: the engine holds its lock.
 */

#include "base/bytes.h"

struct memory_row {
	uint32_t refs;
	bool deleted; /* in a file that was not taken in yet: there is no such row */
	bool damaged;
	size_t key_len;
	size_t value_len;
	uint8_t bytes[]; /* key, value */
};

struct memory_range {
	struct buf from;
	struct buf to;
};

struct memory_table {
	uint32_t refs;
	struct memory_row **rows; /* keys strictly ascending */
	size_t count;
	size_t cap;
	uint64_t bytes;
};

static inline struct slice memory_row_key(const struct memory_row *row)
{
	return slice_of(row->bytes, row->key_len);
}

static inline struct slice memory_row_value(const struct memory_row *row)
{
	return slice_of(row->bytes + row->key_len, row->value_len);
}

/* A row held once, by the caller. */
struct memory_row *memory_row_new(struct slice key, struct slice value);

/* One holder less; the last one frees. */
void memory_row_release(struct memory_row *row);

/* An empty table held once, by the caller. */
struct memory_table *memory_table_new(void);

struct memory_table *memory_table_hold(struct memory_table *t);

/* One holder less; the last one frees the table and releases its rows. */
void memory_table_release(struct memory_table *t);

/* Appends `row`, which stands behind all others, and takes over the caller's hold. */
void memory_table_append(struct memory_table *t, struct memory_row *row);

/* Place of the first row whose key is not before `key`; count if there is none. */
size_t memory_table_find(const struct memory_table *t, struct slice key);

/* The row under `key`, or NULL. */
struct memory_row *memory_table_get(const struct memory_table *t, struct slice key);

/*
 * A new table: `old` without what lies in one of the ranges, and then the rows of `file`, deleted
 * ones excepted, in place of those under the same keys. The ranges are sorted.
 */
struct memory_table *memory_table_merge(const struct memory_table *old,
					const struct memory_table *file,
					struct memory_range *ranges, size_t range_count);

#endif
