#include "storage/txn_rows.h"

void txn_rows_clear(struct txn_rows *rows)
{
	for (int family = 0; family < FAMILY_COUNT; family++)
		tree_init(&rows->trees[family], &rows->arena);
	arena_clear(&rows->arena);
	rows->listed_count = 0;
	rows->in_trees = false;
}

void txn_rows_free(struct txn_rows *rows)
{
	arena_free(&rows->arena);
}

bool txn_rows_are_none(const struct txn_rows *rows)
{
	return rows->listed_count == 0 && !rows->in_trees;
}

static void rows_to_trees(struct txn_rows *rows)
{
	for (unsigned i = 0; i < rows->listed_count; i++) {
		const struct tree_row *row = rows->listed[i].row;

		tree_put(&rows->trees[rows->listed[i].family], tree_row_key(row),
			 tree_row_value(row), row->deleted);
	}
	rows->listed_count = 0;
	rows->in_trees = true;
}

const struct tree_row *txn_rows_put(struct txn_rows *rows, enum engine_family family,
				    struct slice key, struct slice value, bool deleted)
{
	struct tree_row *row;

	if (rows->listed_count == TXN_ROWS_LISTED)
		rows_to_trees(rows);
	if (rows->in_trees)
		return tree_put(&rows->trees[family], key, value, deleted);
	row = tree_row_new(&rows->arena, key, value, deleted);
	rows->listed[rows->listed_count++] = (struct txn_row_listed){family, row};
	return row;
}

void txn_rows_show(struct txn_rows *rows, struct layer *layer)
{
	if (rows->listed_count)
		rows_to_trees(rows);
	if (!rows->in_trees)
		return; /* the layer is empty */
	for (int family = 0; family < FAMILY_COUNT; family++)
		layer->trees[family] = (struct tree_snapshot){rows->trees[family].root,
							      rows->trees[family].height};
}

static void commit_tree(const struct tree *t, enum engine_family family, struct store *s)
{
	struct tree_cursor c;

	if (!t->root)
		return;
	tree_seek(&c, (struct tree_snapshot){t->root, t->height}, (struct slice){NULL, 0});
	for (; c.row; tree_next(&c))
		store_put(s, family, tree_row_key(c.row), tree_row_value(c.row), c.row->deleted);
}

void txn_rows_commit(const struct txn_rows *rows, struct store *s)
{
	for (unsigned i = 0; i < rows->listed_count; i++) {
		const struct tree_row *row = rows->listed[i].row;

		store_put(s, rows->listed[i].family, tree_row_key(row), tree_row_value(row),
			  row->deleted);
	}
	for (int family = 0; rows->in_trees && family < FAMILY_COUNT; family++)
		commit_tree(&rows->trees[family], family, s);
}
