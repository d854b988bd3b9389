#ifndef CONCLAVE_STORAGE_TREE_H
#define CONCLAVE_STORAGE_TREE_H

/*
 * An ordered map of rows in memory, with snapshots that cost nothing: a B+ tree whose nodes are
 * copied before they change if a snapshot may see them. One thread changes the tree; snapshots may
 * be read by any thread to whom they were handed over through a queue, while the tree changes on.
 *
 * Rows and nodes live in an arena that the caller owns and frees as a whole, when neither the tree
 * nor a snapshot of it is used any more. Nothing is ever removed: a deletion is a row that says so.
 *
 * Keys are ordered as bytes, unsigned, a prefix before what it begins. They have long common
 * beginnings ("key:0000..."), so a node keeps the part that all its keys share once, and of each
 * key the next four bytes beside each other: most steps of a search touch no row.
 */

#include "base/arena.h"

struct tree_node;

/* Immutable for whoever reads it. `bytes` holds the key, then the value. */
struct tree_row {
	uint32_t epoch; /* the tree's when it was written; inside the tree only */
	uint32_t key_len;
	uint32_t value_len;
	uint32_t room; /* for key and value: a shorter value may take the place of this one */
	bool deleted;
	uint8_t bytes[];
};

struct tree_snapshot {
	const struct tree_node *root; /* NULL: no rows */
	unsigned height;
};

struct tree {
	struct arena *arena; /* borrowed */
	struct tree_node *root;
	unsigned height;
	uint32_t epoch; /* nodes and rows of an earlier one may be seen by a snapshot */
	size_t rows;
	/* The last row, if the newest one went behind all others, as history does; else NULL. */
	const struct tree_row *edge;
};

/* Room for the way from the root to a leaf. */
#define TREE_HEIGHT_MAX 12

struct tree_cursor {
	struct tree_snapshot tree;
	const struct tree_node *nodes[TREE_HEIGHT_MAX];
	unsigned places[TREE_HEIGHT_MAX];
	const struct tree_row *row; /* where it stands; NULL: before the first or behind the last */
};

static inline struct slice tree_row_key(const struct tree_row *row)
{
	return (struct slice){row->bytes, row->key_len};
}

static inline struct slice tree_row_value(const struct tree_row *row)
{
	return (struct slice){row->bytes + row->key_len, row->value_len};
}

/* A row of no tree. Key and value are shorter than 1 GiB. */
struct tree_row *tree_row_new(struct arena *arena, struct slice key, struct slice value,
			      bool deleted);

/* An empty tree whose memory comes from `arena`. */
void tree_init(struct tree *t, struct arena *arena);

/*
 * The row under `key` becomes this one. What tree_find returned for it before may change under the
 * caller's eyes, unless a snapshot was taken since it was written. Neither slice may point into
 * the row it replaces. Key and value are shorter than 1 GiB. Returns what tree_find would.
 */
struct tree_row *tree_put(struct tree *t, struct slice key, struct slice value, bool deleted);

/*
 * The same for whoever kept what tree_put returned, without looking for the key: `row` is the
 * tree's row under its key, and takes this value. False, and nothing happened: a snapshot may see
 * it, or it has no room.
 */
MUST_USE bool tree_renew(const struct tree *t, struct tree_row *row, struct slice value);

/* The tree as it is now, for as long as the arena lives. */
struct tree_snapshot tree_snapshot(struct tree *t);

/* The row under `key` as of the tree now, or NULL. Taken by the changing thread only. */
const struct tree_row *tree_find(const struct tree *t, struct slice key);

/* The same in a snapshot. */
const struct tree_row *tree_snapshot_find(const struct tree_snapshot *s, struct slice key);

/* Stands at the first row whose key is not before `key`; that of an empty slice is the first. */
void tree_seek(struct tree_cursor *c, struct tree_snapshot s, struct slice key);

/* Stands at the last row whose key is before `key`. */
void tree_seek_before(struct tree_cursor *c, struct tree_snapshot s, struct slice key);

/* Stands at the last row. */
void tree_seek_last(struct tree_cursor *c, struct tree_snapshot s);

/* One further or one back; c->row is not NULL before. */
void tree_next(struct tree_cursor *c);
void tree_prev(struct tree_cursor *c);

/* NULL, or what is broken: order, counts, shared parts, heights. For tests. */
const char *tree_broken(const struct tree *t);

#endif
