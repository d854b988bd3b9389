#include "node/copy_waits.h"

#include "base/check.h"

static struct copy_wait *wait_by_index(struct heap_node *n)
{
	return n ? CONTAINER_OF(n, struct copy_wait, by_index) : NULL;
}

static struct copy_wait *wait_by_due(struct heap_node *n)
{
	return n ? CONTAINER_OF(n, struct copy_wait, by_due) : NULL;
}

static bool index_before(const struct heap_node *a, const struct heap_node *b)
{
	return CONTAINER_OF(a, const struct copy_wait, by_index)->index <
	       CONTAINER_OF(b, const struct copy_wait, by_index)->index;
}

static bool due_before(const struct heap_node *a, const struct heap_node *b)
{
	return CONTAINER_OF(a, const struct copy_wait, by_due)->due_ms <
	       CONTAINER_OF(b, const struct copy_wait, by_due)->due_ms;
}

void copy_waits_init(struct copy_waits *c)
{
	for (unsigned kind = 0; kind < COPY_KINDS; kind++)
		heap_init(&c->by_index[kind], index_before);
	heap_init(&c->by_due, due_before);
}

void copy_waits_close(struct copy_waits *c)
{
	CHECK(c->by_due.len == 0);
	for (unsigned kind = 0; kind < COPY_KINDS; kind++)
		heap_close(&c->by_index[kind]);
	heap_close(&c->by_due);
}

static unsigned kind_of(const struct copy_wait *w)
{
	CHECK(w->here <= 1 && w->others <= COPY_OTHERS_MAX);
	return w->here * (COPY_OTHERS_MAX + 1) + w->others;
}

void copy_waits_add(struct copy_waits *c, struct copy_wait *w)
{
	unsigned kind = kind_of(w);

	heap_push(&c->by_index[kind], &w->by_index);
	heap_push(&c->by_due, &w->by_due);
	c->looked_at = MIN(c->looked_at, kind);
}

void copy_waits_remove(struct copy_waits *c, struct copy_wait *w)
{
	if (w->by_due.place == 0)
		return;
	heap_remove(&c->by_index[kind_of(w)], &w->by_index);
	heap_remove(&c->by_due, &w->by_due);
}

void copy_waits_begin(struct copy_waits *c)
{
	c->looked_at = 0;
}

struct copy_wait *copy_waits_next(struct copy_waits *c, uint64_t now_ms, copies_enough enough,
				  void *ctx)
{
	struct copy_wait *w = wait_by_due(heap_top(&c->by_due));

	if (!w)
		return NULL;
	if (w->due_ms <= now_ms) {
		copy_waits_remove(c, w);
		return w;
	}
	for (; c->looked_at < COPY_KINDS; c->looked_at++) {
		w = wait_by_index(heap_top(&c->by_index[c->looked_at]));
		if (w && enough(ctx, w)) {
			copy_waits_remove(c, w);
			return w;
		}
	}
	return NULL;
}

uint64_t copy_waits_due_ms(const struct copy_waits *c)
{
	const struct copy_wait *w = wait_by_due(heap_top(&c->by_due));

	return w ? w->due_ms : UINT64_MAX;
}
