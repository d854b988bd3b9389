#include "storage/tree.h"

#include "base/check.h"
#include "base/mutant.h"
#include "storage/tree_node.h"

#include <stdalign.h>
#include <string.h>

/* From the root to a leaf, all of the tree's epoch, and where it went on in each. */
struct tree_path {
	struct tree_node *nodes[TREE_HEIGHT_MAX];
	unsigned places[TREE_HEIGHT_MAX];
	unsigned depth; /* of the leaf */
};

void tree_init(struct tree *t, struct arena *arena)
{
	*t = (struct tree){.arena = arena};
}

static void row_set_value(struct tree_row *row, struct slice value, bool deleted)
{
	row->value_len = (uint32_t)value.len;
	row->deleted = deleted;
	if (value.len)
		memcpy(row->bytes + row->key_len, value.data, value.len);
}

struct tree_row *tree_row_new(struct arena *arena, struct slice key, struct slice value,
			      bool deleted)
{
	size_t head = offsetof(struct tree_row, bytes);
	size_t align = alignof(struct tree_row);
	struct tree_row *row;
	size_t size;

	CHECK(key.len <= UINT32_MAX / 4 && value.len <= UINT32_MAX / 4);
	size = (head + key.len + value.len + align - 1) & ~(align - 1);
	row = arena_alloc_aligned(arena, align, size);
	row->epoch = 0;
	row->key_len = (uint32_t)key.len;
	row->room = (uint32_t)(size - head);
	if (key.len)
		memcpy(row->bytes, key.data, key.len);
	row_set_value(row, value, deleted);
	return row;
}

static struct tree_row *row_new(struct tree *t, struct slice key, struct slice value, bool deleted)
{
	struct tree_row *row = tree_row_new(t->arena, key, value, deleted);

	row->epoch = t->epoch;
	return row;
}

/* The node in `*slot`, copied first if a snapshot may see it. */
static struct tree_node *own(struct tree *t, struct tree_node **slot)
{
	if ((*slot)->epoch != t->epoch)
		*slot = tree_node_copy(t->arena, *slot, t->epoch);
	return *slot;
}

/* The way to the leaf that holds `key`; true if the key is there. */
static bool descend(struct tree *t, struct slice key, struct tree_path *path)
{
	struct tree_node *n = own(t, &t->root);
	size_t known = 0;

	for (unsigned depth = 0;; depth++) {
		struct tree_place p = tree_node_search(n, key, &known);

		path->nodes[depth] = n;
		if (n->level == 0) {
			path->places[depth] = p.at;
			path->depth = depth;
			return p.equal;
		}
		path->places[depth] = tree_place_child(p);
		n = own(t, &n->children[path->places[depth]]);
	}
}

/* Whether what goes behind the node's last item goes behind all of the tree. */
static bool at_right_edge(const struct tree_path *path, unsigned depth)
{
	while (depth-- > 0)
		if (path->places[depth] + 1 < path->nodes[depth]->count)
			return false;
	return true;
}

/*
 * The right half of a full node. When keys ascend, nothing comes into the left one any more: then
 * it keeps all it has.
 */
static struct tree_node *split(struct tree *t, const struct tree_path *path, unsigned depth,
			       unsigned at)
{
	struct tree_node *n = path->nodes[depth];
	struct tree_node *right = tree_node_new(t->arena, t->epoch, n->level);

	if (at < n->count || !at_right_edge(path, depth))
		tree_node_move(n, n->count / 2u, right);
	return right;
}

static void grow_root(struct tree *t, struct tree_node *right)
{
	struct tree_node *root = tree_node_new(t->arena, t->epoch, t->height);

	CHECK(t->height < TREE_HEIGHT_MAX);
	tree_node_insert_child(root, 0, t->root);
	tree_node_insert_child(root, 1, right);
	t->root = root;
	t->height++;
}

/* A new row where the path ends; what it splits goes up. */
static void insert(struct tree *t, const struct tree_path *path, struct tree_row *row)
{
	unsigned depth = path->depth;
	unsigned at = path->places[depth];
	struct tree_node *child = NULL;

	/* A leaf begins with its low, which only what is before all rows can precede. */
	for (unsigned i = 0; at == 0 && i < depth; i++)
		tree_node_lower(path->nodes[i], row);
	for (;;) {
		struct tree_node *into = path->nodes[depth];
		struct tree_node *right = NULL;

		if (into->count == TREE_FANOUT) {
			right = split(t, path, depth, at);
			if (at > into->count || right->count == 0) {
				at -= into->count;
				into = right;
			}
		}
		if (child)
			tree_node_insert_child(into, at, child);
		else
			tree_node_insert_row(into, at, row);
		if (!right)
			return;
		if (depth == 0) {
			grow_root(t, right);
			return;
		}
		child = right;
		at = path->places[--depth] + 1;
	}
}

/* The way to behind the last row, without looking at what stands on it. */
static void descend_edge(struct tree *t, struct tree_path *path)
{
	struct tree_node *n = own(t, &t->root);

	for (path->depth = 0; n->level > 0; path->depth++) {
		path->nodes[path->depth] = n;
		path->places[path->depth] = n->count - 1u;
		n = own(t, &n->children[n->count - 1u]);
	}
	path->nodes[path->depth] = n;
	path->places[path->depth] = n->count;
}

static bool goes_behind_edge(const struct tree *t, struct slice key)
{
	return t->edge && slice_compare(key, tree_row_key(t->edge)) > 0;
}

static void put_first(struct tree *t, struct tree_row *row)
{
	t->root = tree_node_new(t->arena, t->epoch, 0);
	t->height = 1;
	tree_node_insert_row(t->root, 0, row);
	t->rows = 1;
	t->edge = row;
}

static void put_new(struct tree *t, const struct tree_path *path, struct tree_row *row)
{
	bool last = path->places[path->depth] == path->nodes[path->depth]->count &&
		    at_right_edge(path, path->depth);

	insert(t, path, row);
	t->rows++;
	t->edge = last ? row : NULL;
}

/* Whether nobody else sees the row and the value fits where the row's was. */
static bool takes_value(const struct tree *t, const struct tree_row *row, struct slice value)
{
	return (row->epoch == t->epoch || MUTANT(renew_under_snapshot)) &&
	       value.len <= row->room - row->key_len;
}

bool tree_renew(const struct tree *t, struct tree_row *row, struct slice value)
{
	if (!takes_value(t, row, value))
		return false;
	row_set_value(row, value, false);
	return true;
}

struct tree_row *tree_put(struct tree *t, struct slice key, struct slice value, bool deleted)
{
	struct tree_path path;
	struct tree_row **slot, *row;

	if (!t->root) {
		row = row_new(t, key, value, deleted);
		put_first(t, row);
		return row;
	}
	if (goes_behind_edge(t, key)) {
		descend_edge(t, &path);
	} else if (descend(t, key, &path)) {
		slot = &path.nodes[path.depth]->rows[path.places[path.depth]];
		if (takes_value(t, *slot, value))
			row_set_value(*slot, value, deleted);
		else
			*slot = row_new(t, key, value, deleted);
		return *slot;
	}
	row = row_new(t, key, value, deleted);
	put_new(t, &path, row);
	return row;
}

struct tree_snapshot tree_snapshot(struct tree *t)
{
	/* Every change begins by making the root one of this epoch. */
	if (t->root && t->root->epoch == t->epoch) {
		CHECK(t->epoch < UINT32_MAX);
		t->epoch++;
	}
	return (struct tree_snapshot){.root = t->root, .height = t->height};
}

static const struct tree_row *find(const struct tree_node *n, struct slice key)
{
	struct tree_place p;
	size_t known = 0;

	if (!n)
		return NULL;
	while (n->level > 0)
		n = n->children[tree_place_child(tree_node_search(n, key, &known))];
	p = tree_node_search(n, key, &known);
	return p.equal ? n->rows[p.at] : NULL;
}

const struct tree_row *tree_find(const struct tree *t, struct slice key)
{
	return find(t->root, key);
}

const struct tree_row *tree_snapshot_find(const struct tree_snapshot *s, struct slice key)
{
	return find(s->root, key);
}
