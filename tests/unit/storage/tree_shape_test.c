#include "storage/tree_node.h"

#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* What the tree does inside: where rows lie, what is copied, how full nodes are. */
struct world {
	struct arena arena;
	struct tree tree;
};

static void world_open(struct world *w)
{
	*w = (struct world){0};
	tree_init(&w->tree, &w->arena);
}

static void world_close(struct world *w)
{
	assert_null(tree_broken(&w->tree));
	arena_free(&w->arena);
}

/* A key of 12 bytes that orders like its number. */
static struct slice key_of(uint64_t number, uint8_t *out)
{
	for (size_t i = 12; i > 0; number >>= 8)
		out[--i] = (uint8_t)number;
	return slice_of(out, 12);
}

static void put_numbers(struct tree *t, uint64_t from, uint64_t to, uint64_t snapshot_every)
{
	uint8_t key[12];

	for (uint64_t i = from; i < to; i++) {
		tree_put(t, key_of(i, key), SLICE_LITERAL("v"), false);
		if (snapshot_every > 0 && i % snapshot_every == 0)
			tree_snapshot(t);
	}
}

static void assert_value(const struct tree_row *row, const char *value, bool deleted)
{
	assert_non_null(row);
	assert_true(slice_equal(tree_row_value(row), slice_of_text(value)));
	assert_int_equal(row->deleted, deleted);
}

static void a_value_that_fits_takes_the_place_of_one_that_no_snapshot_sees(void **state)
{
	const struct tree_row *first, *second;
	struct slice key = SLICE_LITERAL("key");
	struct tree_snapshot s;
	struct world w;

	(void)state;
	world_open(&w);
	tree_put(&w.tree, key, SLICE_LITERAL("12345678"), false);
	first = tree_find(&w.tree, key);
	tree_put(&w.tree, key, SLICE_LITERAL("abc"), true);
	assert_ptr_equal(tree_find(&w.tree, key), first);
	assert_value(first, "abc", true);
	tree_put(&w.tree, key, SLICE_LITERAL("87654321"), false);
	assert_ptr_equal(tree_find(&w.tree, key), first);
	assert_value(first, "87654321", false);
	tree_put(&w.tree, key, SLICE_LITERAL("a value that has no room there"), false);
	second = tree_find(&w.tree, key);
	assert_ptr_not_equal(second, first);
	assert_value(second, "a value that has no room there", false);

	s = tree_snapshot(&w.tree);
	tree_put(&w.tree, key, SLICE_LITERAL("short"), true);
	assert_ptr_not_equal(tree_find(&w.tree, key), second);
	assert_value(tree_find(&w.tree, key), "short", true);
	assert_ptr_equal(tree_snapshot_find(&s, key), second);
	assert_value(second, "a value that has no room there", false);
	assert_int_equal(w.tree.rows, 1);
	world_close(&w);
}

static void a_row_is_renewed_where_it_lies_as_long_as_no_snapshot_sees_it(void **state)
{
	struct slice key = SLICE_LITERAL("key");
	struct tree_snapshot s;
	struct tree_row *row;
	struct world w;

	(void)state;
	world_open(&w);
	row = tree_put(&w.tree, key, SLICE_LITERAL("12345678"), true);
	assert_true(tree_renew(&w.tree, row, SLICE_LITERAL("abc")));
	assert_ptr_equal(tree_find(&w.tree, key), row);
	assert_value(row, "abc", false);
	assert_false(tree_renew(&w.tree, row, SLICE_LITERAL("a value that has no room there")));
	assert_value(row, "abc", false);

	s = tree_snapshot(&w.tree);
	assert_false(tree_renew(&w.tree, row, SLICE_LITERAL("x")));
	assert_value(tree_snapshot_find(&s, key), "abc", false);
	row = tree_put(&w.tree, key, SLICE_LITERAL("x"), false);
	assert_true(tree_renew(&w.tree, row, SLICE_LITERAL("y")));
	assert_value(tree_find(&w.tree, key), "y", false);
	assert_value(tree_snapshot_find(&s, key), "abc", false);
	world_close(&w);
}

static void a_snapshot_without_a_change_before_it_costs_no_copies(void **state)
{
	struct tree_snapshot first, second;
	struct world w;
	uint32_t epoch;

	(void)state;
	world_open(&w);
	put_numbers(&w.tree, 0, 1000, 0);
	first = tree_snapshot(&w.tree);
	epoch = w.tree.epoch;
	second = tree_snapshot(&w.tree);
	assert_ptr_equal(first.root, second.root);
	assert_int_equal(w.tree.epoch, epoch);
	put_numbers(&w.tree, 0, 1, 0);
	assert_ptr_not_equal(w.tree.root, second.root);
	tree_snapshot(&w.tree);
	assert_int_equal(w.tree.epoch, epoch + 1);
	world_close(&w);
}

/* Between two snapshots a path is copied once, and nothing beside it. */
static void a_change_copies_its_path_and_no_more(void **state)
{
	const struct tree_node *root, *copy;
	struct tree_snapshot s;
	struct world w;

	(void)state;
	world_open(&w);
	put_numbers(&w.tree, 0, 200, 0);
	s = tree_snapshot(&w.tree);
	put_numbers(&w.tree, 3, 4, 0);
	root = s.root;
	copy = w.tree.root;
	assert_ptr_not_equal(copy, root);
	assert_ptr_not_equal(copy->children[0], root->children[0]);
	for (unsigned i = 1; i < copy->count; i++)
		assert_ptr_equal(copy->children[i], root->children[i]);
	for (unsigned i = 0; i < copy->children[0]->count; i++)
		assert_int_equal(copy->children[0]->rows[i] == root->children[0]->rows[i], i != 3);
	root = copy->children[0];
	put_numbers(&w.tree, 4, 6, 0);
	assert_ptr_equal(w.tree.root, copy);
	assert_ptr_equal(w.tree.root->children[0], root);
	world_close(&w);
}

/* Nothing but full nodes: any gap would need one level more. */
static void ascending_keys_fill_the_nodes(void **state)
{
	const uint64_t full = TREE_FANOUT * TREE_FANOUT * TREE_FANOUT;
	struct world w;

	(void)state;
	for (uint64_t every = 0; every <= 100; every += 100) {
		world_open(&w);
		put_numbers(&w.tree, 0, full, every);
		assert_int_equal(w.tree.height, 3);
		assert_null(tree_broken(&w.tree));
		put_numbers(&w.tree, full, full + 1, every);
		assert_int_equal(w.tree.height, 4);
		world_close(&w);
	}
}

/* Each of them comes behind the last row of some leaf, and must not get a leaf of its own. */
static void keys_that_descend_between_others_leave_no_node_nearly_empty(void **state)
{
	const uint64_t rows = 8000;
	struct world w;
	uint8_t key[12];

	(void)state;
	world_open(&w);
	put_numbers(&w.tree, 0, TREE_FANOUT, 0);
	put_numbers(&w.tree, 2 * rows, 2 * rows + 1, 0);
	for (uint64_t i = rows; i > TREE_FANOUT; i--)
		tree_put(&w.tree, key_of(i, key), SLICE_LITERAL("v"), false);
	assert_true(w.arena.bytes < rows * 160);
	world_close(&w);
}

static void a_large_tree_of_random_keys_is_whole(void **state)
{
	struct random r;
	struct world w;
	uint8_t key[12];

	(void)state;
	world_open(&w);
	random_seed(&r, 5);
	for (size_t i = 0; i < 50000; i++) {
		struct slice s = key_of(random_next(&r), key);

		tree_put(&w.tree, s, s, false);
		assert_non_null(tree_find(&w.tree, s));
		if (i % 1000 == 0)
			tree_snapshot(&w.tree);
		if (i % 10000 == 0)
			assert_null(tree_broken(&w.tree));
	}
	assert_int_equal(w.tree.rows, 50000);
	world_close(&w);
}

static void assert_broken(const struct tree *t, const char *rule)
{
	const char *broken = tree_broken(t);

	assert_non_null(broken);
	assert_non_null(strstr(broken, rule));
}

static void what_is_broken_is_found(void **state)
{
	struct tree_node *root, *leaf, copy;
	struct world w;

	(void)state;
	world_open(&w);
	put_numbers(&w.tree, 0, 100, 0);
	root = w.tree.root;
	leaf = root->children[1];
	copy = *leaf;

	w.tree.rows++;
	assert_broken(&w.tree, "rows are counted");
	w.tree.rows--;
	w.tree.height++;
	assert_broken(&w.tree, "the height is that of the root");
	w.tree.height--;
	leaf->rows[2] = leaf->rows[1];
	leaf->heads[2] = leaf->heads[1];
	assert_broken(&w.tree, "N1");
	*leaf = copy;
	leaf->tail[3]++;
	assert_broken(&w.tree, "N2");
	*leaf = copy;
	leaf->heads[4]++;
	assert_broken(&w.tree, "N3");
	*leaf = copy;
	leaf->low = leaf->rows[1]; /* the parent's head is not that of its child */
	assert_broken(&w.tree, "N3");
	*leaf = copy;
	leaf->epoch++;
	assert_broken(&w.tree, "N5");
	*leaf = copy;
	root->children[2] = leaf;
	assert_broken(&w.tree, "N");
	arena_free(&w.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_that_fits_takes_the_place_of_one_that_no_snapshot_sees),
		cmocka_unit_test(a_row_is_renewed_where_it_lies_as_long_as_no_snapshot_sees_it),
		cmocka_unit_test(a_snapshot_without_a_change_before_it_costs_no_copies),
		cmocka_unit_test(a_change_copies_its_path_and_no_more),
		cmocka_unit_test(ascending_keys_fill_the_nodes),
		cmocka_unit_test(keys_that_descend_between_others_leave_no_node_nearly_empty),
		cmocka_unit_test(a_large_tree_of_random_keys_is_whole),
		cmocka_unit_test(what_is_broken_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
