#ifndef CONCLAVE_BASE_LIST_H
#define CONCLAVE_BASE_LIST_H

/* An intrusive list, doubly linked in a ring around its head. Nothing is allocated. */

#include "base/compiler.h"

#include <stdbool.h>

struct list {
	struct list *prev;
	struct list *next;
};

/* An empty list, or a node in none. */
static inline void list_init(struct list *l)
{
	l->prev = l;
	l->next = l;
}

static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

static inline void list_push_back(struct list *head, struct list *node)
{
	node->prev = head->prev;
	node->next = head;
	head->prev->next = node;
	head->prev = node;
}

static inline void list_push_front(struct list *head, struct list *node)
{
	list_push_back(head->next, node);
}

/* Takes the node out of whatever list it is in; in none it stays so. */
static inline void list_remove(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

/* Takes the first node out; NULL when the list is empty. */
static inline struct list *list_pop_front(struct list *head)
{
	struct list *node = head->next;

	if (node == head)
		return NULL;
	list_remove(node);
	return node;
}

#define list_for_each(it, head) for (struct list *it = (head)->next; it != (head); it = it->next)

/* The same, when the body may remove `it`. */
#define list_for_each_safe(it, head)                                              \
	for (struct list *it = (head)->next, *it##_next = it->next; it != (head); \
	     it = it##_next, it##_next = it->next)

#define LIST_ITEM(node, type, member) CONTAINER_OF(node, type, member)

#endif
