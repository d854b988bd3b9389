#include "base/heap.h"

#include "base/mem.h"
#include "base/random.h"
#include "expect_abort.h"

#include <stdlib.h>

#define ITEMS 200

struct item {
	uint64_t key;
	struct heap_node node;
};

static bool item_before(const struct heap_node *a, const struct heap_node *b)
{
	return CONTAINER_OF(a, const struct item, node)->key <
	       CONTAINER_OF(b, const struct item, node)->key;
}

static struct item *item_of(struct heap_node *node)
{
	return node ? CONTAINER_OF(node, struct item, node) : NULL;
}

static int key_compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Pops everything and compares with the keys of the nodes that were in, sorted. */
static void assert_pops_sorted(struct heap *h, const struct item *items, size_t count)
{
	uint64_t keys[ITEMS];
	size_t len = 0;

	for (size_t i = 0; i < count; i++)
		if (items[i].node.place > 0)
			keys[len++] = items[i].key;
	assert_int_equal(len, h->len);
	qsort(keys, len, sizeof(*keys), key_compare);
	for (size_t i = 0; i < len; i++) {
		struct item *top = item_of(heap_top(h));

		assert_non_null(top);
		assert_true(top->key == keys[i]);
		assert_ptr_equal(item_of(heap_pop(h)), top);
		assert_int_equal(top->node.place, 0);
	}
	assert_null(heap_pop(h));
}

static void an_empty_heap_has_no_top(void **state)
{
	struct heap h;

	(void)state;
	heap_init(&h, item_before);
	assert_null(heap_top(&h));
	assert_null(heap_pop(&h));
	heap_close(&h);
}

static void nodes_come_out_in_order(void **state)
{
	struct random r;

	(void)state;
	random_seed(&r, 1);
	for (size_t count = 0; count <= ITEMS; count += 10) {
		struct item items[ITEMS] = {0};
		struct heap h;

		heap_init(&h, item_before);
		for (size_t i = 0; i < count; i++) {
			items[i].key = random_below(&r, 50); /* equal ones too */
			heap_push(&h, &items[i].node);
		}
		assert_pops_sorted(&h, items, count);
		heap_close(&h);
	}
}

static void nodes_are_pushed_removed_and_moved_at_random(void **state)
{
	struct item items[ITEMS] = {0};
	struct random r;
	struct heap h;

	(void)state;
	random_seed(&r, 2);
	heap_init(&h, item_before);
	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 1000; i++) {
			struct item *item = &items[random_below(&r, ITEMS)];

			if (item->node.place == 0) {
				item->key = random_below(&r, 1000);
				heap_push(&h, &item->node);
			} else if (random_chance(&r, 500000)) {
				heap_remove(&h, &item->node);
				assert_int_equal(item->node.place, 0);
			} else {
				item->key = random_below(&r, 1000);
				heap_moved(&h, &item->node);
			}
		}
		assert_pops_sorted(&h, items, ITEMS);
	}
	heap_close(&h);
}

static void push_twice(void)
{
	struct item item = {0};
	struct heap h;

	heap_init(&h, item_before);
	heap_push(&h, &item.node);
	heap_push(&h, &item.node);
}

static void remove_what_is_not_in(void)
{
	struct item item = {0};
	struct heap h;

	heap_init(&h, item_before);
	heap_remove(&h, &item.node);
}

static void move_what_is_in_another_heap(void)
{
	struct item items[2] = {0};
	struct heap h, other;

	heap_init(&h, item_before);
	heap_init(&other, item_before);
	heap_push(&h, &items[0].node);
	heap_push(&other, &items[1].node);
	heap_moved(&h, &items[1].node);
}

static void a_node_in_the_wrong_place_fails_a_check(void **state)
{
	(void)state;
	expect_abort(push_twice, "heap_push: check failed");
	expect_abort(remove_what_is_not_in, "heap_check_member: check failed");
	expect_abort(move_what_is_in_another_heap, "heap_check_member: check failed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_heap_has_no_top),
		cmocka_unit_test(nodes_come_out_in_order),
		cmocka_unit_test(nodes_are_pushed_removed_and_moved_at_random),
		cmocka_unit_test(a_node_in_the_wrong_place_fails_a_check),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
