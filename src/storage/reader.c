#include "storage/reader.h"

#include "base/check.h"
#include "base/error.h"
#include "base/mem.h"

struct fetched *fetched_new(void)
{
	struct fetched *f = MEM_NEW(struct fetched);

	for (int family = 0; family < FAMILY_COUNT; family++)
		tree_init(&f->trees[family], &f->arena);
	return f;
}

void fetched_free(struct fetched *f)
{
	if (!f)
		return;
	arena_free(&f->arena);
	mem_free(f->ranges);
	mem_free(f);
}

bool fetched_is_full(const struct fetched *f)
{
	return f->limit && f->arena.bytes >= f->limit;
}

void reader_close(struct reader *r)
{
	arena_free(&r->arena);
	buf_free(&r->value);
}

static int row_result(const struct tree_row *row, struct slice *value)
{
	if (row->deleted)
		return ERR_NOT_FOUND;
	*value = tree_row_value(row);
	return OK;
}

static int reader_get_engine(struct reader *r, enum engine_family family, struct slice key,
			     bool kept, struct slice *value)
{
	int rc;

	buf_clear(&r->value);
	rc = engine_view_get(r->engine, family, key, &r->value);
	if (rc != OK && rc != ERR_NOT_FOUND)
		return rc;
	if (r->note && !fetched_is_full(r->note))
		tree_put(&r->note->trees[family], key, buf_slice(&r->value), rc != OK);
	if (rc == OK)
		*value = kept ? arena_copy(&r->arena, buf_slice(&r->value)) : buf_slice(&r->value);
	return rc;
}

bool reader_bound_excludes(const struct reader *r, enum engine_family family, struct slice from,
			   struct slice to)
{
	struct revision at;
	uint64_t incarnation;
	uint32_t keyspace;
	struct slice rest;

	if (r->engine)
		return false;
	if (family == FAMILY_HISTORY)
		return history_key_decode(from, &at) == OK && at.main > r->bound.revision;
	if (to.len == 0 || to.data[0] != from.data[0])
		return false;
	if (element_key_decode(from, RECORD_NONE, &incarnation, &rest) == OK)
		return incarnation >= r->bound.next_incarnation;
	return record_key_decode(from, &keyspace, &rest) == OK &&
	       keyspace >= r->bound.next_keyspace;
}

static int reader_get_pinned(const struct reader *r, enum engine_family family, struct slice key,
			     struct slice *value)
{
	const struct tree_row *row = NULL;

	if (r->pinned)
		row = tree_find(&r->pinned->trees[family], key);
	if (row)
		return row_result(row, value);
	return reader_bound_excludes(r, family, key, key) ? ERR_NOT_FOUND : ERR_MISSING;
}

static int reader_read(struct reader *r, enum engine_family family, struct slice key, bool kept,
		       struct slice *value)
{
	struct row_cache *cache = family == FAMILY_STATE ? r->headers : r->values;
	int rc;

	if (family == FAMILY_STATE)
		r->beside = (struct row_value){0};
	if (family == FAMILY_STATE && r->past.root) {
		const struct tree_row *row = tree_snapshot_find(&r->past, key);

		if (row)
			return row_result(row, value);
	}
	for (unsigned i = 0; i < r->layer_count; i++) {
		const struct tree_snapshot *s = &r->layers[i].trees[family];
		const struct tree_row *row = s->root ? tree_snapshot_find(s, key) : NULL;

		if (row)
			return row_result(row, value);
		if (i > 0 || !cache)
			continue;
		/* The caches follow every change but those of the command at hand. */
		rc = row_cache_get(cache, key, value, family == FAMILY_STATE ? &r->beside : NULL);
		if (rc != ERR_MISSING)
			return rc;
	}
	if (r->engine)
		return reader_get_engine(r, family, key, kept, value);
	return reader_get_pinned(r, family, key, value);
}

int reader_get(struct reader *r, enum engine_family family, struct slice key, struct slice *value)
{
	return reader_read(r, family, key, true, value);
}

int reader_peek(struct reader *r, enum engine_family family, struct slice key, struct slice *value)
{
	return reader_read(r, family, key, false, value);
}
