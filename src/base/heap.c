#include "base/heap.h"

#include "base/check.h"
#include "base/mem.h"

void heap_init(struct heap *h, bool (*before)(const struct heap_node *a, const struct heap_node *b))
{
	*h = (struct heap){.before = before};
}

void heap_close(struct heap *h)
{
	mem_free(h->nodes);
	*h = (struct heap){0};
}

static void heap_place(struct heap *h, size_t at, struct heap_node *node)
{
	h->nodes[at] = node;
	node->place = at + 1;
}

static void heap_sift_up(struct heap *h, size_t at)
{
	struct heap_node *node = h->nodes[at];

	while (at > 0) {
		size_t parent = (at - 1) / 2;

		if (!h->before(node, h->nodes[parent]))
			break;
		heap_place(h, at, h->nodes[parent]);
		at = parent;
	}
	heap_place(h, at, node);
}

static void heap_sift_down(struct heap *h, size_t at)
{
	struct heap_node *node = h->nodes[at];

	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= h->len)
			break;
		if (child + 1 < h->len && h->before(h->nodes[child + 1], h->nodes[child]))
			child++;
		if (!h->before(h->nodes[child], node))
			break;
		heap_place(h, at, h->nodes[child]);
		at = child;
	}
	heap_place(h, at, node);
}

void heap_push(struct heap *h, struct heap_node *node)
{
	CHECK(node->place == 0);
	MEM_GROW(h->nodes, h->cap, h->len + 1);
	heap_place(h, h->len, node);
	h->len++;
	heap_sift_up(h, h->len - 1);
}

struct heap_node *heap_top(const struct heap *h)
{
	return h->len ? h->nodes[0] : NULL;
}

struct heap_node *heap_pop(struct heap *h)
{
	struct heap_node *top = heap_top(h);

	if (top)
		heap_remove(h, top);
	return top;
}

static void heap_check_member(const struct heap *h, const struct heap_node *node)
{
	CHECK(node->place > 0 && node->place <= h->len && h->nodes[node->place - 1] == node);
}

void heap_remove(struct heap *h, struct heap_node *node)
{
	size_t at = node->place - 1;
	struct heap_node *last;

	heap_check_member(h, node);
	last = h->nodes[--h->len];
	node->place = 0;
	if (last == node)
		return;
	heap_place(h, at, last);
	heap_moved(h, last);
}

void heap_moved(struct heap *h, struct heap_node *node)
{
	heap_check_member(h, node);
	heap_sift_up(h, node->place - 1);
	heap_sift_down(h, node->place - 1);
}
