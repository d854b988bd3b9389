/* What the store keeps in memory of the engine: what goes into its caches, and what is asked of
 * them ahead of reading. */

#include "base/error.h"
#include "base/mutant.h"
#include "storage/store_internal.h"

/* One in so many bytes for values is for those that are not the newest of a key. */
#define OTHER_VALUES 4

void store_init_caches(struct store *s)
{
	const struct store_options *o = &s->options;
	size_t others = o->value_cache_bytes / OTHER_VALUES;

	row_cache_init(&s->headers, o->header_cache_bytes, o->value_cache_bytes - others);
	row_cache_init(&s->values, others, 0);
}

void store_keep_value(struct store *s, struct slice row, struct revision at, struct slice value)
{
	row_cache_put_value(&s->headers, row, at, value);
}

static bool store_holds_uncached(const struct store *s, struct slice row)
{
	struct slice key;
	uint32_t keyspace;

	if (record_key_decode(row, &keyspace, &key) == OK && keyspace >= s->bound.next_keyspace)
		return true;
	return tree_find(&s->live->trees[FAMILY_STATE], row) ||
	       (s->frozen && tree_find(&s->frozen->trees[FAMILY_STATE], row));
}

void store_holds(struct store *s, const struct slice *rows, const uint64_t *hashes, size_t count,
		 bool *holds)
{
	row_cache_has(&s->headers, rows, hashes, count, holds);
	for (size_t i = 0; i < count; i++)
		holds[i] = holds[i] || store_holds_uncached(s, rows[i]);
}

const struct row_cache *store_rows(const struct store *s)
{
	return &s->headers;
}

/*
 * The newest value of a string belongs beside its record. What a change says does not change any
 * more: whether an overlay holds it as well is all the same. False: it is none, or nothing is known
 * of the record.
 */
static bool store_learn_value(struct store *s, const struct tree_row *row)
{
	struct revision at;
	struct record record;
	struct change change;
	struct slice found;
	struct buf key = {0};
	bool newest;

	if (history_key_decode(tree_row_key(row), &at) != OK ||
	    change_decode_at(tree_row_value(row), at, &change) != OK || change.kind != CHANGE_SET ||
	    change.value.len <= RECORD_INLINE_MAX)
		return false;
	record_key(&key, change.keyspace, change.key);
	newest = row_cache_peek(&s->headers, buf_slice(&key), &found) == OK &&
		 record_decode(found, &record) == OK && revision_equal(record.value_at, at);
	if (newest)
		row_cache_put_value(&s->headers, buf_slice(&key), at, change.value);
	buf_free(&key);
	return newest;
}

/*
 * A row from the engine is what a reader would see only if no overlay holds its key, and none was
 * dropped since the view was opened: its rows are in the engine now, and not in that view.
 */
static void store_learn_row(struct store *s, enum engine_family family, const struct tree_row *row)
{
	struct slice key = tree_row_key(row);
	struct row_cache *cache = family == FAMILY_STATE ? &s->headers : &s->values;

	if (family == FAMILY_HISTORY && store_learn_value(s, row))
		return;
	if ((tree_find(&s->live->trees[family], key) ||
	     (s->frozen && tree_find(&s->frozen->trees[family], key))) &&
	    !MUTANT(learn_beneath_overlay))
		return;
	if (!row->deleted)
		row_cache_put(cache, key, tree_row_value(row));
	else if (family == FAMILY_STATE)
		row_cache_put_absent(cache, key);
}

void store_learn(struct store *s, const struct view *v, const struct fetched *rows)
{
	if (view_drops(v) != s->drops && !MUTANT(learn_across_drop))
		return;
	/* Records first: values are kept beside them. */
	for (int family = FAMILY_COUNT; family-- > 0;) {
		const struct tree *t = &rows->trees[family];
		struct tree_cursor c;

		if (!t->root)
			continue;
		tree_seek(&c, (struct tree_snapshot){t->root, t->height}, (struct slice){NULL, 0});
		for (; c.row; tree_next(&c))
			store_learn_row(s, (enum engine_family)family, c.row);
	}
}
