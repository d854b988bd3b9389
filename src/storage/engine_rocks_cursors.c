/*
 * Cursors, and why one that shows everything but what ranges have deleted is two iterators.
 *
 * RocksDB's iterator that knows of deleted ranges loses errors (7.8.3): a file of a level ends, the
 * next one cannot be read, and the rows of that level from there on are passed over as if there
 * were none, deleted ranges or not; and the same beside what a range covers (its pull request 11782
 * mends the first, in 8.6). Where the level held the newest of a row, an older one is shown. The
 * iterator that ignores ranges has none of this code and tells of every error. So it goes along,
 * over the same rows and those that are deleted, and what cannot be read is found by it.
 */

#include "base/mem.h"
#include "storage/engine_rocks_internal.h"

struct rocks_iterator {
	rocksdb_readoptions_t *options;
	rocksdb_iterator_t *iterator;
};

struct rocks_cursor {
	struct engine_cursor cursor;
	struct rocks *rocks;
	struct buf end;		     /* RocksDB borrows it; empty: none */
	struct rocks_iterator all;   /* also over what ranges have deleted */
	struct rocks_iterator shown; /* none: all is shown */
};

static struct rocks_cursor *rocks_cursor_of(struct engine_cursor *c)
{
	return CONTAINER_OF(c, struct rocks_cursor, cursor);
}

static void iterator_open(struct rocks_iterator *it, const struct rocks_cursor *c,
			  const struct rocks_view *v, enum engine_family family, bool all)
{
	it->options = rocksdb_readoptions_create();
	rocksdb_readoptions_set_snapshot(it->options, v->snapshot);
	rocksdb_readoptions_set_ignore_range_deletions(it->options, all);
	if (c->end.len > 0)
		rocksdb_readoptions_set_iterate_upper_bound(
			it->options, rocks_text(buf_slice(&c->end)), c->end.len);
	it->iterator =
		rocksdb_create_iterator_cf(v->rocks->db, it->options, v->rocks->families[family]);
}

static void iterator_close(struct rocks_iterator *it)
{
	if (!it->iterator)
		return;
	rocksdb_iter_destroy(it->iterator);
	rocksdb_readoptions_destroy(it->options);
}

static bool iterator_stands(const struct rocks_iterator *it)
{
	return rocksdb_iter_valid(it->iterator) != 0;
}

static struct slice iterator_key(const struct rocks_iterator *it)
{
	size_t len;
	const char *data = rocksdb_iter_key(it->iterator, &len);

	return slice_of(data, len);
}

static void iterator_move(const struct rocks_iterator *it, bool backward)
{
	if (backward)
		rocksdb_iter_prev(it->iterator);
	else
		rocksdb_iter_next(it->iterator);
}

/* RocksDB seeks the last row up to and including a key; the end alone is excluded. */
static void iterator_seek_before(const struct rocks_iterator *it, struct slice key)
{
	if (key.len == 0) {
		rocksdb_iter_seek_to_last(it->iterator);
		return;
	}
	rocksdb_iter_seek_for_prev(it->iterator, rocks_text(key), key.len);
	if (iterator_stands(it) && slice_equal(iterator_key(it), key))
		rocksdb_iter_prev(it->iterator);
}

struct engine_cursor *rocks_cursor_open(struct engine_view *view, enum engine_family family,
					struct slice end, bool all)
{
	struct rocks_cursor *c = MEM_NEW(struct rocks_cursor);
	struct rocks_view *v = rocks_view_of(view);

	c->rocks = v->rocks;
	buf_append_slice(&c->end, end);
	iterator_open(&c->all, c, v, family, true);
	if (!all)
		iterator_open(&c->shown, c, v, family, false);
	return &c->cursor;
}

void rocks_cursor_close(struct engine_cursor *cursor)
{
	struct rocks_cursor *c = rocks_cursor_of(cursor);

	iterator_close(&c->shown);
	iterator_close(&c->all);
	buf_free(&c->end);
	mem_free(c);
}

/* Whether the one that shows all has not come to a row yet. */
static bool all_is_behind(const struct rocks_cursor *c, struct slice row, bool backward)
{
	int order = slice_compare(iterator_key(&c->all), row);

	return backward ? order > 0 : order < 0;
}

/* OK, or why it does not stand anywhere. */
static int iterator_error(const struct rocks_cursor *c, const struct rocks_iterator *it)
{
	char *text = NULL;

	if (iterator_stands(it))
		return OK;
	rocksdb_iter_get_error(it->iterator, &text);
	return rocks_read_error(c->rocks, text);
}

/* The one that shows all comes to where the other one stands now, or to the end. */
static int cursor_follow(struct rocks_cursor *c, bool backward)
{
	bool found = iterator_stands(&c->shown);
	struct slice row = found ? iterator_key(&c->shown) : (struct slice){0};

	while (iterator_stands(&c->all) && (!found || all_is_behind(c, row, backward)))
		iterator_move(&c->all, backward);
	return iterator_error(c, &c->all);
}

/* Tells of the row where it stands now, after a move in this direction. */
static void cursor_moved(struct rocks_cursor *c, bool backward)
{
	const struct rocks_iterator *it = c->shown.iterator ? &c->shown : &c->all;
	struct engine_cursor *cursor = &c->cursor;
	const char *data;
	size_t len;

	cursor->error = iterator_error(c, it);
	if (cursor->error == OK && c->shown.iterator)
		cursor->error = cursor_follow(c, backward);
	cursor->valid = cursor->error == OK && iterator_stands(it);
	if (!cursor->valid)
		return;
	cursor->key = iterator_key(it);
	data = rocksdb_iter_value(it->iterator, &len);
	cursor->value = slice_of(data, len);
}

static void cursor_move(struct rocks_cursor *c, bool backward)
{
	iterator_move(&c->all, backward);
	if (c->shown.iterator)
		iterator_move(&c->shown, backward);
	cursor_moved(c, backward);
}

void rocks_cursor_seek(struct engine_cursor *cursor, struct slice key)
{
	struct rocks_cursor *c = rocks_cursor_of(cursor);

	rocksdb_iter_seek(c->all.iterator, rocks_text(key), key.len);
	if (c->shown.iterator)
		rocksdb_iter_seek(c->shown.iterator, rocks_text(key), key.len);
	cursor_moved(c, false);
}

void rocks_cursor_seek_before(struct engine_cursor *cursor, struct slice key)
{
	struct rocks_cursor *c = rocks_cursor_of(cursor);

	iterator_seek_before(&c->all, key);
	if (c->shown.iterator)
		iterator_seek_before(&c->shown, key);
	cursor_moved(c, true);
}

void rocks_cursor_next(struct engine_cursor *cursor)
{
	cursor_move(rocks_cursor_of(cursor), false);
}

void rocks_cursor_prev(struct engine_cursor *cursor)
{
	cursor_move(rocks_cursor_of(cursor), true);
}
