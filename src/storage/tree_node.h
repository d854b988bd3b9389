#ifndef CONCLAVE_STORAGE_TREE_NODE_H
#define CONCLAVE_STORAGE_TREE_NODE_H

/*
 * What tree_*.c have in common: a node, and the search in one. Everyone else uses storage/tree.h.
 *
 * A node holds up to TREE_FANOUT items in ascending order: rows in a leaf (level 0), children
 * above. A child's key is that of its first row; it is found through the child's `low`.
 *
 * N1: the items' keys ascend strictly, and the first is the node's low.
 * N2: the key of each item begins with the low's first `prefix_len` bytes, and is no shorter.
 * N3: heads[i] is the next four bytes of item i, zeros behind its end; UINT32_MAX where no item is.
 * N4: a child's keys lie from its own low to below its right neighbour's.
 * N5: nothing is newer than the node that holds it: what a snapshot may see hangs from what it may
 *     see, so a node of the tree's epoch is reached through nodes of that epoch only.
 */

#include "storage/tree.h"

#define TREE_FANOUT 32

/* As much of the prefix's end as fills the node's first cache line. */
#define TREE_TAIL 40

struct tree_node {
	uint32_t epoch;
	uint32_t prefix_len;
	uint16_t count;
	uint16_t level;
	const struct tree_row *low; /* some version of the first row below: for its key only */
	uint8_t tail[TREE_TAIL];    /* the prefix's last bytes, or all of it */
	uint32_t heads[TREE_FANOUT];
	union {
		struct tree_row *rows[TREE_FANOUT];
		struct tree_node *children[TREE_FANOUT];
	};
};

/* Where a key is in a node. */
struct tree_place {
	unsigned at; /* the first item whose key is not before the key; count: none */
	bool equal;  /* that item's key is the key */
};

/* The key of item `i`. */
static inline const struct tree_row *tree_node_key(const struct tree_node *n, unsigned i)
{
	return n->level > 0 ? n->children[i]->low : n->rows[i];
}

/* The child whose range holds the key; what is before all of them belongs to the first. */
static inline unsigned tree_place_child(struct tree_place p)
{
	return p.at - (unsigned)(!p.equal && p.at > 0);
}

/* How many bytes `a` and `b` begin with that are the same, looking at `len`. */
size_t tree_shared(const uint8_t *a, const uint8_t *b, size_t len);

/* The four bytes from `from` on as a number that orders like them, zeros behind the end. */
uint32_t tree_head(const uint8_t *key, size_t len, size_t from);

/*
 * The place of `key`. `known` is what the nodes above found out, 0 at the root: so many bytes the
 * key shares with the low of this node; afterwards the same of the child that holds the key.
 */
struct tree_place tree_node_search(const struct tree_node *n, struct slice key, size_t *known);

/* A node without items. */
struct tree_node *tree_node_new(struct arena *arena, uint32_t epoch, unsigned level);

/* The same items in a node of `epoch`. */
struct tree_node *tree_node_copy(struct arena *arena, const struct tree_node *n, uint32_t epoch);

/* Puts an item at `at`, behind none whose key is not less; the node is not full. */
void tree_node_insert_row(struct tree_node *n, unsigned at, struct tree_row *row);
void tree_node_insert_child(struct tree_node *n, unsigned at, struct tree_node *child);

/* The first child has got a lower low, that of `row`. */
void tree_node_lower(struct tree_node *n, const struct tree_row *row);

/* Moves the items from `at` on to the empty node `right`. At least one stays. */
void tree_node_move(struct tree_node *n, unsigned at, struct tree_node *right);

#endif
