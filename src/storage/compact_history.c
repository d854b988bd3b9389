/* Which changes die when the horizon has passed. */

#include "base/check.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/mutant.h"
#include "storage/compact.h"

#include <stdlib.h>

/* Rows that one step looks at. */
#define WALK_SLICE 512

/* A walk is not to keep the writer for long: then it ends behind the next main revision. */
#define WALK_ROWS  65536
#define WALK_BYTES ((uint64_t)64 << 20)

/* ---- revisions that go ----------------------------------------------------------------------- */

void dead_add(struct dead_list *d, struct revision at)
{
	MEM_GROW(d->list, d->cap, d->count + 1);
	d->list[d->count++] = at;
}

static int dead_order(const void *a, const void *b)
{
	const struct revision *one = a, *other = b;

	return revision_compare(*one, *other);
}

void dead_sort(struct dead_list *d)
{
	size_t kept = 0;

	if (d->count == 0)
		return;
	qsort(d->list, d->count, sizeof(*d->list), dead_order);
	for (size_t i = 1; i < d->count; i++)
		if (!revision_equal(d->list[i], d->list[kept]))
			d->list[++kept] = d->list[i];
	d->count = kept + 1;
}

void dead_free(struct dead_list *d)
{
	mem_free(d->list);
	*d = (struct dead_list){0};
}

/* ---- a record's changes, backwards ----------------------------------------------------------- */

/* ERR_NOT_FOUND: it was dropped before, and so were all before it. */
static int change_read(struct engine_view *view, struct revision at, struct buf *value,
		       struct change *c)
{
	uint8_t key[HISTORY_KEY_BYTES];
	int rc;

	history_key_put(key, at);
	buf_clear(value);
	rc = engine_view_get(view, FAMILY_HISTORY, slice_of(key, sizeof(key)), value);
	if (rc == OK)
		rc = change_decode_at(buf_slice(value), at, c);
	return rc == ERR_MALFORMED ? ERR_CORRUPT : rc;
}

/*
 * Changes before one that are dead because of it: the `first`-th to the `last`-th before. None of
 * them is read where one alone dies, the one right before.
 */
struct chain {
	struct engine_view *view;
	struct dead_list *dead;
	struct buf *value;
	struct revision held; /* holds the value of the oldest one that stays */
	unsigned first;
	unsigned last;
};

/* The `i`-th before dies, `after` is what came next of its record. */
static void chain_kill(const struct chain *k, struct revision at, const struct change *after)
{
	if (!revision_equal(at, k->held) || MUTANT(value_holder_dropped))
		dead_add(k->dead, at);
	/* A value that `after` does not refer to any more, nor anything behind that. */
	if (after->displaced.main)
		dead_add(k->dead, after->displaced);
}

static int chain_walk(struct chain *k, const struct change *from)
{
	struct change c = *from;

	for (unsigned i = 1; i <= k->last && c.previous.main; i++) {
		struct revision at = c.previous;
		int rc;

		if (i == k->first)
			k->held = c.value_at;
		if (i >= k->first)
			chain_kill(k, at, &c);
		if (i == k->last)
			return OK;
		rc = change_read(k->view, at, k->value, &c);
		if (rc == ERR_NOT_FOUND)
			return OK;
		if (rc != OK)
			return rc;
		/* What was before a tombstone died with that one, but for what was moved away. */
		if (change_ends_record(&c))
			return OK;
	}
	return OK;
}

int history_end_record(struct engine_view *view, struct revision at, unsigned keep,
		       struct dead_list *dead, struct buf *value)
{
	/* As if a tombstone stood behind it. */
	struct change end = {.kind = CHANGE_DELETE, .previous = at};
	struct chain k = {.view = view, .dead = dead, .value = value, .first = 1, .last = keep};

	return chain_walk(&k, &end);
}

/* ---- the walk -------------------------------------------------------------------------------- */

void history_walk_begin(struct history_walk *w, struct engine_view *view, uint64_t from,
			uint64_t upto, struct dead_list *dead)
{
	uint8_t key[HISTORY_KEY_BYTES];

	w->view = view;
	w->dead = dead;
	w->limit = upto;
	w->main = from;
	history_key_put(key, (struct revision){upto + 1, 0});
	buf_append(&w->until, key, sizeof(key));
	w->cursor = engine_cursor_open_all(view, FAMILY_HISTORY, buf_slice(&w->until));
	history_key_put(key, (struct revision){from + 1, 0});
	engine_cursor_seek(w->cursor, slice_of(key, sizeof(key)));
}

void history_walk_close(struct history_walk *w)
{
	engine_cursor_close(w->cursor);
	buf_free(&w->until);
	buf_free(&w->value);
	arena_free(&w->arena);
	mem_free(w->records);
	*w = (struct history_walk){0};
}

/* Its record is a tombstone, and as dead as the change; unless the key was made again. */
static void walk_note_record(struct history_walk *w, struct revision at, const struct change *c)
{
	struct buf row = {0};

	record_key(&row, c->keyspace, c->key);
	MEM_GROW(w->records, w->record_cap, w->record_count + 1);
	w->records[w->record_count++] =
		(struct dead_record){arena_copy(&w->arena, buf_slice(&row)), at};
	w->bytes += row.len;
	buf_free(&row);
}

static int walk_change(struct history_walk *w, struct revision at, const struct change *c)
{
	unsigned keep = MAX(c->keep, 1);
	struct chain k = {
		.view = w->view,
		.dead = w->dead,
		.value = &w->value,
		.first = keep,
		.last = MAX(keep, c->kept),
	};

	if (change_ends_record(c)) {
		dead_add(w->dead, at);
		walk_note_record(w, at, c);
	}
	return chain_walk(&k, c);
}

/* A main revision is looked at as a whole, and the row at the cursor begins another. */
static bool walk_is_full(const struct history_walk *w, uint64_t main)
{
	return main != w->main && (w->rows >= WALK_ROWS || w->bytes >= WALK_BYTES);
}

int history_walk_step(struct history_walk *w, bool *whole)
{
	*whole = false;
	for (int i = 0; i < WALK_SLICE; i++) {
		struct slice bytes;
		struct revision at;
		struct change c;
		int rc;

		if (!engine_cursor_valid(w->cursor)) {
			*whole = true;
			return engine_cursor_error(w->cursor);
		}
		bytes = engine_cursor_value(w->cursor);
		if (history_key_decode(engine_cursor_key(w->cursor), &at) != OK ||
		    change_decode_at(bytes, at, &c) != OK)
			return ERR_CORRUPT;
		if (walk_is_full(w, at.main)) {
			w->limit = w->main;
			*whole = true;
			return OK;
		}
		w->main = at.main;
		w->rows++;
		w->bytes += bytes.len;
		rc = walk_change(w, at, &c);
		if (rc != OK)
			return rc;
		engine_cursor_next(w->cursor);
	}
	return OK;
}
