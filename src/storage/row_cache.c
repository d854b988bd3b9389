#include "storage/row_cache.h"

#include "base/check.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/mem.h"

#include <string.h>

/* What a row costs beside its bytes: this struct, its bucket, the allocator's own. */
#define CACHED_OVERHEAD (sizeof(struct cached) + 24)

struct cached {
	struct hash_node node;
	struct list link;
	uint32_t key_len;
	uint32_t value_len;
	uint32_t room; /* for key and value */
	bool absent;
	bool asked; /* since the hand came by */
	uint8_t bytes[];
};

static size_t cached_bytes(const struct cached *e)
{
	return CACHED_OVERHEAD + e->room;
}

static struct cached *cached_of(struct hash_node *n)
{
	return CONTAINER_OF(n, struct cached, node);
}

void row_cache_init(struct row_cache *c, size_t bytes_max)
{
	*c = (struct row_cache){.bytes_max = bytes_max};
	list_init(&c->ring);
}

static void cached_drop(struct row_cache *c, struct cached *e)
{
	CHECK(c->bytes >= cached_bytes(e));
	c->bytes -= cached_bytes(e);
	hash_table_remove(&c->table, &e->node);
	list_remove(&e->link);
	mem_free(e);
}

void row_cache_clear(struct row_cache *c)
{
	struct list *it;

	while ((it = list_pop_front(&c->ring)) != NULL)
		cached_drop(c, LIST_ITEM(it, struct cached, link));
	CHECK(c->bytes == 0);
}

void row_cache_close(struct row_cache *c)
{
	row_cache_clear(c);
	hash_table_close(&c->table);
}

static struct cached *row_cache_find(const struct row_cache *c, struct slice key, uint64_t hash)
{
	for (struct hash_node *n = hash_table_first(&c->table, hash); n; n = hash_table_next(n)) {
		struct cached *e = cached_of(n);

		if (e->key_len == key.len && memcmp(e->bytes, key.data, key.len) == 0)
			return e;
	}
	return NULL;
}

int row_cache_get(struct row_cache *c, struct slice key, struct slice *value)
{
	struct cached *e = row_cache_find(c, key, hash64(key));

	if (!e) {
		c->misses++;
		return ERR_MISSING;
	}
	c->hits++;
	e->asked = true;
	if (e->absent)
		return ERR_NOT_FOUND;
	*value = slice_of(e->bytes + e->key_len, e->value_len);
	return OK;
}

void row_cache_expect_bucket(const struct row_cache *c, uint64_t hash)
{
	hash_table_expect_bucket(&c->table, hash);
}

void row_cache_expect_row(const struct row_cache *c, uint64_t hash)
{
	hash_table_expect_node(&c->table, hash);
}

void row_cache_has(struct row_cache *c, const struct slice *keys, const uint64_t *hashes,
		   size_t count, bool *has)
{
	CHECK(count <= ROW_CACHE_TOGETHER);
	for (size_t i = 0; i < count; i++)
		hash_table_expect_bucket(&c->table, hashes[i]);
	for (size_t i = 0; i < count; i++)
		hash_table_expect_node(&c->table, hashes[i]);
	for (size_t i = 0; i < count; i++) {
		struct cached *e = row_cache_find(c, keys[i], hashes[i]);

		if (e)
			e->asked = true;
		has[i] = e != NULL;
	}
}

/* The hand goes round: who was asked for since it last came by may stay once more. */
static void row_cache_shrink(struct row_cache *c)
{
	while (c->bytes > c->bytes_max) {
		struct cached *e = LIST_ITEM(c->ring.next, struct cached, link);

		if (e->asked) {
			e->asked = false;
			list_remove(&e->link);
			list_push_back(&c->ring, &e->link);
			continue;
		}
		cached_drop(c, e);
	}
}

static void row_cache_set(struct row_cache *c, struct slice key, struct slice value, bool absent,
			  bool only_known)
{
	uint64_t hash = hash64(key);
	struct cached *e = row_cache_find(c, key, hash);
	size_t need = key.len + value.len;

	if (!e && only_known)
		return;
	if (e && (need > e->room || need + 64 < e->room / 2)) {
		cached_drop(c, e);
		e = NULL;
	}
	if (CACHED_OVERHEAD + need > c->bytes_max / 4) {
		if (e)
			cached_drop(c, e);
		return; /* one row must not sweep out all others */
	}
	if (!e) {
		/* A record grows by a few bytes with its revision: leave room for that. */
		size_t room = need + 8;

		e = mem_alloc(sizeof(*e) + room);
		e->key_len = (uint32_t)key.len;
		e->room = (uint32_t)room;
		e->asked = false;
		memcpy(e->bytes, key.data, key.len);
		hash_table_insert(&c->table, &e->node, hash);
		list_init(&e->link);
		list_push_back(&c->ring, &e->link);
		c->bytes += cached_bytes(e);
	}
	e->absent = absent;
	e->value_len = (uint32_t)value.len;
	if (value.len)
		memcpy(e->bytes + key.len, value.data, value.len);
	row_cache_shrink(c);
}

void row_cache_put(struct row_cache *c, struct slice key, struct slice value)
{
	row_cache_set(c, key, value, false, false);
}

void row_cache_put_absent(struct row_cache *c, struct slice key)
{
	row_cache_set(c, key, (struct slice){NULL, 0}, true, false);
}

void row_cache_update(struct row_cache *c, struct slice key, struct slice value, bool absent)
{
	row_cache_set(c, key, value, absent, true);
}

void row_cache_forget(struct row_cache *c, struct slice key)
{
	struct cached *e = row_cache_find(c, key, hash64(key));

	if (e)
		cached_drop(c, e);
}

void row_cache_limit(struct row_cache *c, size_t bytes_max)
{
	c->bytes_max = bytes_max;
	row_cache_shrink(c);
}
