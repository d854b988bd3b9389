#ifndef CONCLAVE_BASE_HEAP_H
#define CONCLAVE_BASE_HEAP_H

/*
 * An intrusive binary heap: the smallest node by `before` stands on top. Each node knows its
 * place, so any one of them can be removed or moved in logarithmic time.
 */

#include "base/compiler.h"

#include <stdbool.h>

struct heap_node {
	size_t place; /* position plus one; 0: in no heap */
};

struct heap {
	bool (*before)(const struct heap_node *a, const struct heap_node *b);
	struct heap_node **nodes;
	size_t len;
	size_t cap;
};

void heap_init(struct heap *h,
	       bool (*before)(const struct heap_node *a, const struct heap_node *b));

/* Frees the heap's own memory, not the nodes. */
void heap_close(struct heap *h);

/* Puts in a node that is in no heap. */
void heap_push(struct heap *h, struct heap_node *node);

/* The first node, or NULL; it stays. */
struct heap_node *heap_top(const struct heap *h);

/* Takes the first node out, or NULL. */
struct heap_node *heap_pop(struct heap *h);

/* Takes this node out of the heap it is in. */
void heap_remove(struct heap *h, struct heap_node *node);

/* Restores the order after this node's key was changed. */
void heap_moved(struct heap *h, struct heap_node *node);

#endif
