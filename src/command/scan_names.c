#include "command/scan_names.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"

#include <string.h>

struct scan_name {
	struct hash_node node;
	struct list link;
	uint64_t cursor;
	size_t len;
	uint8_t bytes[];
};

static uint64_t cursor_hash(uint64_t cursor)
{
	return hash64_pair(cursor, 0);
}

static struct scan_name *scan_name_of(struct hash_node *n)
{
	return CONTAINER_OF(n, struct scan_name, node);
}

static struct scan_name *scan_name_find(const struct scan_names *n, uint64_t cursor)
{
	struct hash_node *at = hash_table_first(&n->table, cursor_hash(cursor));

	while (at && scan_name_of(at)->cursor != cursor)
		at = hash_table_next(at);
	return at ? scan_name_of(at) : NULL;
}

static void scan_name_drop(struct scan_names *n, struct scan_name *name)
{
	n->count--;
	n->bytes -= name->len;
	hash_table_remove(&n->table, &name->node);
	list_remove(&name->link);
	mem_free(name);
}

void scan_names_init(struct scan_names *n)
{
	*n = (struct scan_names){0};
	list_init(&n->order);
}

void scan_names_close(struct scan_names *n)
{
	while (!list_empty(&n->order))
		scan_name_drop(n, LIST_ITEM(n->order.next, struct scan_name, link));
	CHECK(n->count == 0 && n->bytes == 0);
	hash_table_close(&n->table);
}

void scan_names_note(struct scan_names *n, uint64_t cursor, struct slice name)
{
	struct scan_name *new = scan_name_find(n, cursor);

	if (new)
		scan_name_drop(n, new);
	if (name.len > SCAN_NAMES_BYTES_MAX)
		return;
	while (n->count == SCAN_NAMES_MAX || n->bytes + name.len > SCAN_NAMES_BYTES_MAX)
		scan_name_drop(n, LIST_ITEM(n->order.next, struct scan_name, link));
	new = mem_alloc(sizeof(*new) + name.len);
	*new = (struct scan_name){.cursor = cursor, .len = name.len};
	if (name.len)
		memcpy(new->bytes, name.data, name.len);
	n->count++;
	n->bytes += name.len;
	hash_table_insert(&n->table, &new->node, cursor_hash(cursor));
	list_init(&new->link);
	list_push_back(&n->order, &new->link);
}

bool scan_names_find(const struct scan_names *n, uint64_t cursor, struct slice *name)
{
	const struct scan_name *found = scan_name_find(n, cursor);

	if (found)
		*name = slice_of(found->bytes, found->len);
	return found != NULL;
}
