#include "storage/row_cache.h"

#include "base/check.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/mem.h"

#include <string.h>

/* What a row costs beside its bytes: this struct, its bucket, the allocator's own. */
#define CACHED_OVERHEAD (sizeof(struct cached) + 24)

/* What is kept beside a row. */
struct beside {
	struct list link;
	struct cached *owner;
	struct revision at;
	uint32_t len;
	uint32_t room;
	bool asked; /* since the hand came by */
	uint8_t bytes[];
};

#define BESIDE_OVERHEAD (sizeof(struct beside) + 8)
#define BESIDE_AHEAD	((size_t)512) /* bytes that are called for ahead; of more, the beginning */

struct cached {
	struct hash_node node;
	struct list link;
	struct beside *beside; /* NULL: none */
	struct row_place place;
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

void row_cache_init(struct row_cache *c, size_t bytes_max, size_t value_bytes_max)
{
	*c = (struct row_cache){.bytes_max = bytes_max, .value_bytes_max = value_bytes_max};
	list_init(&c->ring);
	list_init(&c->values);
}

static size_t beside_bytes(const struct beside *b)
{
	return BESIDE_OVERHEAD + b->room;
}

static void beside_drop(struct row_cache *c, struct beside *b)
{
	CHECK(c->value_bytes >= beside_bytes(b));
	c->value_bytes -= beside_bytes(b);
	b->owner->beside = NULL;
	list_remove(&b->link);
	mem_free(b);
}

static void cached_drop(struct row_cache *c, struct cached *e)
{
	CHECK(c->bytes >= cached_bytes(e));
	c->bytes -= cached_bytes(e);
	if (e->beside)
		beside_drop(c, e->beside);
	if (c->newest == e)
		c->newest = NULL;
	hash_table_remove(&c->table, &e->node);
	list_remove(&e->link);
	mem_free(e);
}

void row_cache_clear(struct row_cache *c)
{
	struct list *it;

	while ((it = list_pop_front(&c->ring)) != NULL)
		cached_drop(c, LIST_ITEM(it, struct cached, link));
	CHECK(c->bytes == 0 && c->value_bytes == 0);
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

static int cached_value(const struct cached *e, struct slice *value)
{
	if (!e)
		return ERR_MISSING;
	if (e->absent)
		return ERR_NOT_FOUND;
	*value = slice_of(e->bytes + e->key_len, e->value_len);
	return OK;
}

int row_cache_peek(const struct row_cache *c, struct slice key, struct slice *value)
{
	return cached_value(row_cache_find(c, key, hash64(key)), value);
}

int row_cache_get(struct row_cache *c, struct slice key, struct slice *value,
		  struct row_value *beside)
{
	struct cached *e = row_cache_find(c, key, hash64(key));

	if (beside)
		*beside = (struct row_value){0};
	if (!e) {
		c->misses++;
		return ERR_MISSING;
	}
	c->hits++;
	e->asked = true;
	if (beside && e->beside && !e->absent) {
		c->value_hits++;
		e->beside->asked = true;
		*beside = (struct row_value){e->beside->at,
					     slice_of(e->beside->bytes, e->beside->len)};
	}
	return cached_value(e, value);
}

void row_cache_expect_bucket(const struct row_cache *c, uint64_t hash)
{
	hash_table_expect_bucket(&c->table, hash);
}

void row_cache_expect_row(const struct row_cache *c, uint64_t hash)
{
	hash_table_expect_node(&c->table, hash);
}

void row_cache_expect_value(const struct row_cache *c, uint64_t hash)
{
	const struct hash_node *n = hash_table_first(&c->table, hash);
	const struct beside *b = n ? CONTAINER_OF(n, const struct cached, node)->beside : NULL;

	for (size_t at = 0; b && at < BESIDE_AHEAD; at += CACHE_LINE)
		__builtin_prefetch((const uint8_t *)b + at);
}

void row_cache_expect_place(const struct row_cache *c, uint64_t hash)
{
	const struct hash_node *n = hash_table_first(&c->table, hash);
	const struct tree_row *row =
		n ? CONTAINER_OF(n, const struct cached, node)->place.row : NULL;

	/* It may be gone: to call for memory that is not there does nothing. */
	if (row)
		__builtin_prefetch(row, 1);
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

/* A row of that many bytes, its key in place. */
static struct cached *cached_new(struct row_cache *c, struct slice key, uint64_t hash, size_t need)
{
	/* A record grows by a few bytes with its revision: leave room for that. */
	size_t room = need + 8;
	struct cached *e = mem_alloc(sizeof(*e) + room);

	e->key_len = (uint32_t)key.len;
	e->room = (uint32_t)room;
	e->asked = false;
	e->beside = NULL;
	e->place = (struct row_place){0};
	memcpy(e->bytes, key.data, key.len);
	hash_table_insert(&c->table, &e->node, hash);
	list_init(&e->link);
	list_push_back(&c->ring, &e->link);
	c->bytes += cached_bytes(e);
	return e;
}

/* A row with another room; what belongs to the one before goes over. */
static struct cached *cached_renew(struct row_cache *c, struct cached *e, struct slice key,
				   uint64_t hash, size_t need)
{
	struct beside *beside = e->beside;
	struct row_place place = e->place;

	e->beside = NULL;
	cached_drop(c, e);
	e = cached_new(c, key, hash, need);
	e->place = place;
	e->beside = beside;
	if (beside)
		beside->owner = e;
	return e;
}

/* Returns where its place is noted; NULL: it is not kept. */
static struct row_place *row_cache_set(struct row_cache *c, struct slice key, struct slice value,
				       bool absent, bool only_known)
{
	uint64_t hash = hash64(key);
	struct cached *e = row_cache_find(c, key, hash);
	size_t need = key.len + value.len;

	if (!e && only_known)
		return NULL;
	if (CACHED_OVERHEAD + need > c->bytes_max / 4) {
		if (e)
			cached_drop(c, e);
		return NULL; /* one row must not sweep out all others */
	}
	if (!e)
		e = cached_new(c, key, hash, need);
	else if (need > e->room || need + 64 < e->room / 2)
		e = cached_renew(c, e, key, hash, need);
	c->newest = e;
	e->absent = absent;
	e->value_len = (uint32_t)value.len;
	if (value.len)
		memcpy(e->bytes + key.len, value.data, value.len);
	row_cache_shrink(c);
	return c->newest ? &c->newest->place : NULL;
}

struct row_place *row_cache_put(struct row_cache *c, struct slice key, struct slice value)
{
	return row_cache_set(c, key, value, false, false);
}

/* Whoever does not ask for the place may have moved the row. */
static void row_cache_unplace(struct row_place *place)
{
	if (place)
		*place = (struct row_place){0};
}

void row_cache_put_absent(struct row_cache *c, struct slice key)
{
	row_cache_unplace(row_cache_set(c, key, (struct slice){NULL, 0}, true, false));
}

void row_cache_update(struct row_cache *c, struct slice key, struct slice value, bool absent)
{
	row_cache_unplace(row_cache_set(c, key, value, absent, true));
}

/* The value on which the hand comes to rest: nobody has asked for it since it last came by. */
static struct beside *beside_victim(struct row_cache *c)
{
	for (;;) {
		struct beside *b = LIST_ITEM(c->values.next, struct beside, link);

		if (!b->asked)
			return b;
		b->asked = false;
		list_remove(&b->link);
		list_push_back(&c->values, &b->link);
	}
}

/* Memory for a value, that of one which has to go for it if that fits; not linked yet. */
static struct beside *beside_new(struct row_cache *c, size_t len)
{
	struct beside *b = NULL;

	while (!b && c->value_bytes + BESIDE_OVERHEAD + len > c->value_bytes_max) {
		b = beside_victim(c);
		if (b->room < len || b->room > len + len / 4 + 64) {
			beside_drop(c, b);
			b = NULL;
			continue;
		}
		b->owner->beside = NULL;
		c->value_bytes -= beside_bytes(b);
		list_remove(&b->link);
	}
	if (b)
		return b;
	b = mem_alloc(sizeof(*b) + len);
	b->room = (uint32_t)len;
	list_init(&b->link);
	return b;
}

/* Room for a value of that length beside this row; NULL: it is too much. */
static struct beside *beside_reserve(struct row_cache *c, struct cached *e, size_t len)
{
	struct beside *b = e->beside;

	if (b && (len > b->room || len + 64 < b->room / 2)) {
		beside_drop(c, b);
		b = NULL;
	}
	if (BESIDE_OVERHEAD + len > c->value_bytes_max / 4) {
		if (b)
			beside_drop(c, b);
		return NULL; /* one value must not sweep out all others */
	}
	if (b)
		return b;
	b = beside_new(c, len);
	b->owner = e;
	e->beside = b;
	list_push_back(&c->values, &b->link);
	c->value_bytes += beside_bytes(b);
	return b;
}

void row_cache_put_value(struct row_cache *c, struct slice key, struct revision at,
			 struct slice value)
{
	struct cached *e = c->newest; /* mostly it is this one */
	struct beside *b;

	if (!e || !slice_equal(key, slice_of(e->bytes, e->key_len)))
		e = row_cache_find(c, key, hash64(key));
	b = e ? beside_reserve(c, e, value.len) : NULL;
	if (!b)
		return;
	b->at = at;
	b->len = (uint32_t)value.len;
	b->asked = false;
	memcpy(b->bytes, value.data, value.len);
	while (c->value_bytes > c->value_bytes_max) /* one with more room was taken */
		beside_drop(c, beside_victim(c));
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
