#include "storage/tree_node.h"

#include <string.h>

/* What a walk over all nodes carries along. */
struct tree_walk {
	const struct tree_node *nodes[TREE_HEIGHT_MAX]; /* from the root */
	unsigned places[TREE_HEIGHT_MAX];		/* the item that comes next in each */
	const struct tree_row *last;			/* the row before */
	size_t rows;
};

static struct slice prefix_of(const struct tree_node *n)
{
	return slice_of(n->low->bytes, n->prefix_len);
}

static bool begins_with(const struct tree_row *row, struct slice prefix)
{
	return row->key_len >= prefix.len &&
	       tree_shared(row->bytes, prefix.data, prefix.len) == prefix.len;
}

/* Heads and prefix of one node. */
static const char *prefix_broken(const struct tree_node *n)
{
	struct slice prefix = prefix_of(n);
	size_t tail = MIN(prefix.len, (size_t)TREE_TAIL);

	if (n->low->key_len < prefix.len)
		return "N2: the prefix is no longer than any key";
	if (memcmp(n->tail, prefix.data + prefix.len - tail, tail) != 0)
		return "N2: the tail is the prefix's end";
	for (unsigned i = 0; i < n->count; i++) {
		const struct tree_row *key = tree_node_key(n, i);

		if (!begins_with(key, prefix))
			return "N2: all keys begin with the prefix";
		if (n->heads[i] != tree_head(key->bytes, key->key_len, prefix.len))
			return "N3: a head is the next four bytes";
	}
	for (unsigned i = n->count; i < TREE_FANOUT; i++)
		if (n->heads[i] != UINT32_MAX)
			return "N3: a head without an item is the largest number";
	return NULL;
}

static const char *row_broken(const struct tree_node *n, const struct tree_row *row)
{
	if (row->epoch > n->epoch)
		return "N5: no row is newer than its leaf";
	if (row->room < row->key_len || row->room - row->key_len < row->value_len)
		return "a row's room holds its key and value";
	return NULL;
}

static const char *child_broken(const struct tree_node *n, const struct tree_node *child)
{
	if (child->level + 1u != n->level)
		return "each level is one below the one above";
	if (child->epoch > n->epoch)
		return "N5: no node is newer than its parent";
	return NULL;
}

/* One node by itself. */
static const char *node_broken(const struct tree_node *n)
{
	if (n->count == 0 || n->count > TREE_FANOUT)
		return "a node has at least one item, and no more than it has room for";
	if (!slice_equal(tree_row_key(n->low), tree_row_key(tree_node_key(n, 0))))
		return "N1: the low is the first item's key";
	return prefix_broken(n);
}

/* Item `i` of a node, after all rows before it were passed. */
static const char *item_broken(struct tree_walk *w, const struct tree_node *n, unsigned i)
{
	const struct tree_row *key = tree_node_key(n, i);

	if (w->last && slice_compare(tree_row_key(w->last), tree_row_key(key)) >= 0)
		return "N1, N4: an item comes behind all rows of the one before";
	if (n->level > 0)
		return child_broken(n, n->children[i]);
	w->last = key;
	w->rows++;
	return row_broken(n, key);
}

static const char *walk(struct tree_walk *w, const struct tree_node *root)
{
	const char *broken = node_broken(root);
	unsigned depth = 0;

	w->nodes[0] = root;
	while (!broken) {
		const struct tree_node *n = w->nodes[depth];
		unsigned at = w->places[depth]++;

		if (at == n->count) {
			if (depth == 0)
				return NULL;
			depth--;
			continue;
		}
		broken = item_broken(w, n, at);
		if (!broken && n->level > 0) {
			w->nodes[++depth] = n->children[at];
			w->places[depth] = 0;
			broken = node_broken(n->children[at]);
		}
	}
	return broken;
}

const char *tree_broken(const struct tree *t)
{
	struct tree_walk w = {0};
	const char *broken;

	if (!t->root)
		return t->rows == 0 && t->height == 0 ? NULL : "without a root there are no rows";
	if (t->height > TREE_HEIGHT_MAX || t->root->level + 1u != t->height)
		return "the height is that of the root";
	if (t->root->epoch > t->epoch)
		return "N5: no node is newer than the tree";
	broken = walk(&w, t->root);
	if (!broken && w.rows != t->rows)
		broken = "rows are counted";
	return broken;
}
