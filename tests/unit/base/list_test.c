#include "base/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct item {
	int number;
	struct list link;
};

static void make_items(struct item *items, int count, struct list *head)
{
	list_init(head);
	for (int i = 0; i < count; i++) {
		items[i].number = i;
		list_push_back(head, &items[i].link);
	}
}

static void assert_numbers(const struct list *head, const int *numbers, size_t count)
{
	size_t at = 0;

	list_for_each (it, head) {
		assert_true(at < count);
		assert_int_equal(LIST_ITEM(it, struct item, link)->number, numbers[at++]);
		assert_ptr_equal(it->next->prev, it);
		assert_ptr_equal(it->prev->next, it);
	}
	assert_int_equal(at, count);
}

static void a_list_keeps_the_order_of_both_ends(void **state)
{
	struct list head;
	struct item items[4];

	(void)state;
	make_items(items, 3, &head);
	items[3].number = 9;
	list_push_front(&head, &items[3].link);
	assert_numbers(&head, (int[]){9, 0, 1, 2}, 4);
}

static void an_empty_list_has_nothing_to_give(void **state)
{
	struct list head;

	(void)state;
	list_init(&head);
	assert_true(list_empty(&head));
	assert_null(list_pop_front(&head));
	assert_numbers(&head, NULL, 0);
}

static void popping_empties_from_the_front(void **state)
{
	struct list head;
	struct item items[3];

	(void)state;
	make_items(items, 3, &head);
	for (int i = 0; i < 3; i++) {
		struct list *node = list_pop_front(&head);

		assert_ptr_equal(node, &items[i].link);
		assert_true(list_empty(node));
	}
	assert_true(list_empty(&head));
}

static void a_node_is_removed_from_anywhere_and_twice_is_harmless(void **state)
{
	struct list head;
	struct item items[4];

	(void)state;
	make_items(items, 4, &head);
	list_remove(&items[2].link);
	list_remove(&items[2].link);
	assert_numbers(&head, (int[]){0, 1, 3}, 3);
	list_remove(&items[0].link);
	list_remove(&items[3].link);
	assert_numbers(&head, (int[]){1}, 1);
	list_push_back(&head, &items[2].link);
	assert_numbers(&head, (int[]){1, 2}, 2);
}

static void the_safe_walk_survives_removing_what_it_stands_on(void **state)
{
	struct list head, other;
	struct item items[6];

	(void)state;
	make_items(items, 6, &head);
	list_init(&other);
	list_for_each_safe (it, &head) {
		if (LIST_ITEM(it, struct item, link)->number % 2 != 0)
			continue;
		list_remove(it);
		list_push_back(&other, it);
	}
	assert_numbers(&head, (int[]){1, 3, 5}, 3);
	assert_numbers(&other, (int[]){0, 2, 4}, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_keeps_the_order_of_both_ends),
		cmocka_unit_test(an_empty_list_has_nothing_to_give),
		cmocka_unit_test(popping_empties_from_the_front),
		cmocka_unit_test(a_node_is_removed_from_anywhere_and_twice_is_harmless),
		cmocka_unit_test(the_safe_walk_survives_removing_what_it_stands_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
