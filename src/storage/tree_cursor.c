#include "base/check.h"
#include "storage/tree_node.h"

static const struct tree_node *leaf_of(const struct tree_cursor *c)
{
	return c->nodes[c->tree.height - 1];
}

/* At row `at` of the leaf where the path ends. */
static void stand(struct tree_cursor *c, unsigned at)
{
	c->places[c->tree.height - 1] = at;
	c->row = leaf_of(c)->rows[at];
}

/* Takes the path from `depth` on down, at each node's first or last child. */
static void go_down(struct tree_cursor *c, unsigned depth, bool last)
{
	for (; depth + 1 < c->tree.height; depth++) {
		const struct tree_node *child = c->nodes[depth]->children[c->places[depth]];

		c->nodes[depth + 1] = child;
		c->places[depth + 1] = last ? child->count - 1u : 0;
	}
	stand(c, c->places[depth]);
}

/* False when there are no rows. */
static bool begin(struct tree_cursor *c, struct tree_snapshot s)
{
	c->tree = s;
	c->row = NULL;
	if (!s.root)
		return false;
	c->nodes[0] = s.root;
	return true;
}

/* The path to the leaf that holds `key`, and the key's place in it. */
static unsigned descend(struct tree_cursor *c, struct slice key)
{
	size_t known = 0;

	for (unsigned depth = 0;; depth++) {
		const struct tree_node *n = c->nodes[depth];
		struct tree_place p = tree_node_search(n, key, &known);

		if (n->level == 0)
			return p.at;
		c->places[depth] = tree_place_child(p);
		c->nodes[depth + 1] = n->children[c->places[depth]];
	}
}

void tree_seek(struct tree_cursor *c, struct tree_snapshot s, struct slice key)
{
	unsigned at;

	if (!begin(c, s))
		return;
	at = descend(c, key);
	if (at < leaf_of(c)->count) {
		stand(c, at);
		return;
	}
	stand(c, at - 1);
	tree_next(c);
}

void tree_seek_before(struct tree_cursor *c, struct tree_snapshot s, struct slice key)
{
	unsigned at;

	if (!begin(c, s))
		return;
	at = descend(c, key);
	if (at > 0) {
		stand(c, at - 1);
		return;
	}
	stand(c, 0);
	tree_prev(c);
}

void tree_seek_last(struct tree_cursor *c, struct tree_snapshot s)
{
	if (!begin(c, s))
		return;
	c->places[0] = s.root->count - 1u;
	go_down(c, 0, true);
}

void tree_next(struct tree_cursor *c)
{
	unsigned depth = c->tree.height - 1;

	CHECK(c->row != NULL);
	while (c->places[depth] + 1 == c->nodes[depth]->count) {
		if (depth == 0) {
			c->row = NULL;
			return;
		}
		depth--;
	}
	c->places[depth]++;
	go_down(c, depth, false);
}

void tree_prev(struct tree_cursor *c)
{
	unsigned depth = c->tree.height - 1;

	CHECK(c->row != NULL);
	while (c->places[depth] == 0) {
		if (depth == 0) {
			c->row = NULL;
			return;
		}
		depth--;
	}
	c->places[depth]--;
	go_down(c, depth, true);
}
