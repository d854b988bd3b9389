#include "storage/tree_node.h"

#include "base/check.h"

#include <endian.h>
#include <string.h>

/* Nodes begin with a cache line: one for what is asked first, two for the heads. */
#define NODE_ALIGNMENT 64

_Static_assert(offsetof(struct tree_node, heads) == NODE_ALIGNMENT, "the tail fills the line");

size_t tree_shared(const uint8_t *a, const uint8_t *b, size_t len)
{
	size_t i = 0;

	while (len - i >= sizeof(uint64_t)) {
		uint64_t x, y;

		memcpy(&x, a + i, sizeof(x));
		memcpy(&y, b + i, sizeof(y));
		if (x != y)
			break;
		i += sizeof(x);
	}
	while (i < len && a[i] == b[i])
		i++;
	return i;
}

uint32_t tree_head(const uint8_t *key, size_t len, size_t from)
{
	uint32_t head = 0;

	if (LIKELY(len - from >= sizeof(head))) {
		memcpy(&head, key + from, sizeof(head));
		return be32toh(head);
	}
	for (size_t i = 0; i < len - from; i++)
		head |= (uint32_t)key[from + i] << (24 - 8 * i);
	return head;
}

static uint32_t row_head(const struct tree_row *row, size_t from)
{
	return tree_head(row->bytes, row->key_len, from);
}

/* How the rest of `key` from `from` on stands to the row's. */
static int rest_compare(struct slice key, const struct tree_row *row, size_t from)
{
	return slice_compare(slice_of(key.data + from, key.len - from),
			     slice_of(row->bytes + from, row->key_len - from));
}

/* The prefix's bytes from `known` on: in the node if they are, else where its low lies. */
static const uint8_t *prefix_rest(const struct tree_node *n, size_t known)
{
	if (LIKELY(n->prefix_len <= TREE_TAIL))
		return n->tail + known;
	if (n->prefix_len - known <= TREE_TAIL)
		return n->tail + TREE_TAIL - (n->prefix_len - known);
	return n->low->bytes + known;
}

/* Among the items from `low` on whose head is that of the key. */
static struct tree_place search_equal_heads(const struct tree_node *n, struct slice key,
					    uint32_t head, unsigned low)
{
	unsigned high = low + 1;

	while (high < n->count && n->heads[high] == head)
		high++;
	while (low < high) {
		unsigned middle = (low + high) / 2;
		int order = rest_compare(key, tree_node_key(n, middle), n->prefix_len);

		if (order == 0)
			return (struct tree_place){middle, true};
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return (struct tree_place){low, false};
}

struct tree_place tree_node_search(const struct tree_node *n, struct slice key, size_t *known)
{
	uint32_t head;
	unsigned at = 0;

	if (UNLIKELY(key.len == 0)) /* its data may be NULL */
		return (struct tree_place){0, n->count > 0 && n->low->key_len == 0};
	if (n->prefix_len > *known) {
		const uint8_t *rest = prefix_rest(n, *known);
		size_t len = MIN(key.len, n->prefix_len) - *known;
		size_t shared = tree_shared(key.data + *known, rest, len);

		*known += shared;
		if (*known < n->prefix_len) {
			bool before = shared == len || key.data[*known] < rest[shared];

			return (struct tree_place){before ? 0 : n->count, false};
		}
	}
	*known = n->prefix_len;
	head = tree_head(key.data, key.len, n->prefix_len);
	/* All of them, always: no branch, and the compiler compares several at a time. */
	for (unsigned i = 0; i < TREE_FANOUT; i++)
		at += n->heads[i] < head;
	if (at < n->count && n->heads[at] == head)
		return search_equal_heads(n, key, head, at);
	return (struct tree_place){at, false};
}

struct tree_node *tree_node_new(struct arena *arena, uint32_t epoch, unsigned level)
{
	struct tree_node *n = arena_alloc_aligned(arena, NODE_ALIGNMENT, sizeof(*n));

	n->epoch = epoch;
	n->prefix_len = 0;
	n->count = 0;
	n->level = (uint16_t)level;
	n->low = NULL;
	memset(n->heads, 0xff, sizeof(n->heads));
	return n;
}

struct tree_node *tree_node_copy(struct arena *arena, const struct tree_node *n, uint32_t epoch)
{
	struct tree_node *copy = arena_alloc_aligned(arena, NODE_ALIGNMENT, sizeof(*copy));

	memcpy(copy, n, offsetof(struct tree_node, rows) + n->count * sizeof(n->rows[0]));
	copy->epoch = epoch;
	return copy;
}

/* The first `len` bytes of the low are what all items begin with. */
static void set_prefix(struct tree_node *n, size_t len)
{
	size_t kept = MIN(len, (size_t)TREE_TAIL);

	n->prefix_len = (uint32_t)len;
	memcpy(n->tail, n->low->bytes + len - kept, kept);
	for (unsigned i = 0; i < n->count; i++)
		n->heads[i] = row_head(tree_node_key(n, i), len);
}

/* Makes the prefix short enough for one more key. */
static void admit(struct tree_node *n, const struct tree_row *row)
{
	size_t shared;

	if (n->count == 0) {
		n->low = row;
		set_prefix(n, row->key_len);
		return;
	}
	shared = tree_shared(row->bytes, n->low->bytes, MIN(row->key_len, n->prefix_len));
	if (shared < n->prefix_len)
		set_prefix(n, shared);
}

/* Admits the key and makes place for its item. */
static void insert_key(struct tree_node *n, unsigned at, const struct tree_row *row)
{
	unsigned behind = n->count - at;

	CHECK(n->count < TREE_FANOUT && at <= n->count);
	admit(n, row);
	memmove(n->heads + at + 1, n->heads + at, behind * sizeof(n->heads[0]));
	memmove(n->rows + at + 1, n->rows + at, behind * sizeof(n->rows[0]));
	n->heads[at] = row_head(row, n->prefix_len);
	n->count++;
	if (at == 0)
		n->low = row;
}

void tree_node_insert_row(struct tree_node *n, unsigned at, struct tree_row *row)
{
	insert_key(n, at, row);
	n->rows[at] = row;
}

void tree_node_insert_child(struct tree_node *n, unsigned at, struct tree_node *child)
{
	insert_key(n, at, child->low);
	n->children[at] = child;
}

void tree_node_lower(struct tree_node *n, const struct tree_row *row)
{
	admit(n, row);
	n->low = row;
	n->heads[0] = row_head(row, n->prefix_len);
}

/* What is left of a node, or has come into it, may share more than before. */
static void extend_prefix(struct tree_node *n)
{
	const struct tree_row *first = n->low;
	const struct tree_row *last = tree_node_key(n, n->count - 1u);

	set_prefix(n, tree_shared(first->bytes, last->bytes, MIN(first->key_len, last->key_len)));
}

void tree_node_move(struct tree_node *n, unsigned at, struct tree_node *right)
{
	unsigned moved = n->count - at;

	CHECK(at > 0 && right->count == 0);
	if (moved == 0)
		return;
	memcpy(right->rows, n->rows + at, moved * sizeof(n->rows[0]));
	right->count = (uint16_t)moved;
	right->low = tree_node_key(right, 0);
	extend_prefix(right);
	memset(n->heads + at, 0xff, moved * sizeof(n->heads[0]));
	n->count = (uint16_t)at;
	extend_prefix(n);
}
