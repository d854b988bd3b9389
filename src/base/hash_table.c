#include "base/hash_table.h"

#include "base/check.h"
#include "base/mem.h"

void hash_table_close(struct hash_table *t)
{
	mem_free(t->buckets);
	*t = (struct hash_table){0};
}

static void hash_table_grow(struct hash_table *t)
{
	size_t count = t->buckets ? (t->mask + 1) * 2 : 16;
	struct hash_node **buckets = mem_zalloc(count, sizeof(struct hash_node *));

	for (size_t i = 0; t->buckets && i <= t->mask; i++) {
		struct hash_node *node = t->buckets[i];

		while (node) {
			struct hash_node *next = node->next;
			size_t at = node->hash & (count - 1);

			node->next = buckets[at];
			buckets[at] = node;
			node = next;
		}
	}
	mem_free(t->buckets);
	t->buckets = buckets;
	t->mask = count - 1;
	t->any = 0;
}

void hash_table_insert(struct hash_table *t, struct hash_node *node, uint64_t hash)
{
	size_t at;

	if (!t->buckets || t->len > t->mask)
		hash_table_grow(t);
	at = hash & t->mask;
	node->hash = hash;
	node->next = t->buckets[at];
	t->buckets[at] = node;
	t->any = MIN(t->any, at);
	t->len++;
}

void hash_table_remove(struct hash_table *t, struct hash_node *node)
{
	struct hash_node **link;

	CHECK(t->len > 0);
	link = &t->buckets[node->hash & t->mask];
	while (*link != node) {
		CHECK(*link != NULL);
		link = &(*link)->next;
	}
	*link = node->next;
	node->next = NULL;
	t->len--;
}

static struct hash_node *hash_table_skip(struct hash_node *node, uint64_t hash)
{
	while (node && node->hash != hash)
		node = node->next;
	return node;
}

struct hash_node *hash_table_first(const struct hash_table *t, uint64_t hash)
{
	return t->buckets ? hash_table_skip(t->buckets[hash & t->mask], hash) : NULL;
}

void hash_table_expect_bucket(const struct hash_table *t, uint64_t hash)
{
	if (t->buckets)
		__builtin_prefetch(&t->buckets[hash & t->mask]);
}

void hash_table_expect_node(const struct hash_table *t, uint64_t hash)
{
	const uint8_t *node;

	if (!t->buckets)
		return;
	/* What a node is part of holds its key mostly right behind it. */
	node = (const uint8_t *)t->buckets[hash & t->mask];
	if (!node)
		return;
	__builtin_prefetch(node);
	__builtin_prefetch(node + CACHE_LINE);
}

struct hash_node *hash_table_next(const struct hash_node *node)
{
	return hash_table_skip(node->next, node->hash);
}

struct hash_node *hash_table_any(struct hash_table *t)
{
	if (t->len == 0)
		return NULL;
	while (!t->buckets[t->any])
		t->any++;
	return t->buckets[t->any];
}
