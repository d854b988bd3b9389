#include "base/hash_table.h"

#include "base/hash.h"
#include "base/random.h"
#include "expect_abort.h"

#define ITEMS 2000

struct item {
	uint64_t key;
	bool in;
	struct hash_node node;
};

static struct item *item_of(struct hash_node *node)
{
	return CONTAINER_OF(node, struct item, node);
}

/* The item with this key, and whether it was met more than once. */
static struct item *find(const struct hash_table *t, uint64_t hash, uint64_t key)
{
	struct item *found = NULL;

	for (struct hash_node *n = hash_table_first(t, hash); n; n = hash_table_next(n)) {
		assert_true(n->hash == hash);
		if (item_of(n)->key != key)
			continue;
		assert_null(found);
		found = item_of(n);
	}
	return found;
}

static void assert_table_is(const struct hash_table *t, struct item *items,
			    uint64_t (*hash)(uint64_t key))
{
	size_t len = 0;

	for (size_t i = 0; i < ITEMS; i++) {
		struct item *found;

		/* Whether or not something is there, it may be called for ahead. */
		hash_table_expect_bucket(t, hash(items[i].key));
		hash_table_expect_node(t, hash(items[i].key));
		found = find(t, hash(items[i].key), items[i].key);
		assert_ptr_equal(found, items[i].in ? &items[i] : NULL);
		len += items[i].in;
	}
	assert_int_equal(t->len, len);
}

static uint64_t good_hash(uint64_t key)
{
	return hash64_pair(key, 1);
}

/* Few different hashes, and those equal in their low bits. */
static uint64_t poor_hash(uint64_t key)
{
	return key % 7 << 32;
}

static void change_at_random(uint64_t (*hash)(uint64_t key), int changes)
{
	static struct item items[ITEMS];
	struct hash_table t = {0};
	struct random r;

	random_seed(&r, 1);
	for (size_t i = 0; i < ITEMS; i++)
		items[i] = (struct item){.key = i};
	assert_table_is(&t, items, hash);
	for (int i = 0; i < changes; i++) {
		struct item *item = &items[random_below(&r, ITEMS)];

		if (item->in)
			hash_table_remove(&t, &item->node);
		else
			hash_table_insert(&t, &item->node, hash(item->key));
		item->in = !item->in;
		if (i % 500 == 0)
			assert_table_is(&t, items, hash);
	}
	assert_table_is(&t, items, hash);
	hash_table_close(&t);
}

static void a_table_holds_what_was_put_in_and_not_taken_out(void **state)
{
	(void)state;
	change_at_random(good_hash, 20000);
}

static void equal_hashes_are_kept_apart_by_the_caller(void **state)
{
	(void)state;
	change_at_random(poor_hash, 2000);
}

static void an_empty_table_answers_without_memory(void **state)
{
	struct hash_table t = {0};

	(void)state;
	assert_null(hash_table_first(&t, 1));
	assert_null(hash_table_any(&t));
	hash_table_close(&t);
}

static void a_table_grows_with_what_is_in_it(void **state)
{
	static struct item items[ITEMS];
	struct hash_table t = {0};

	(void)state;
	for (size_t i = 0; i < ITEMS; i++) {
		hash_table_insert(&t, &items[i].node, good_hash(i));
		assert_true(t.len <= t.mask + 1);
	}
	hash_table_close(&t);
	assert_int_equal(t.len, 0);
	assert_null(t.buckets);
}

static void any_node_empties_a_table_that_is_also_added_to(void **state)
{
	static struct item items[ITEMS];
	struct hash_table t = {0};
	struct hash_node *node;
	size_t taken = 0;

	(void)state;
	for (size_t i = 0; i < ITEMS / 2; i++)
		hash_table_insert(&t, &items[i].node, good_hash(i));
	for (size_t i = ITEMS / 2; (node = hash_table_any(&t)); taken++) {
		assert_ptr_equal(hash_table_any(&t), node);
		hash_table_remove(&t, node);
		if (taken % 2 == 0 && i < ITEMS) {
			hash_table_insert(&t, &items[i].node, good_hash(i));
			i++;
		}
	}
	assert_true(taken > ITEMS / 2);
	assert_int_equal(t.len, 0);
	hash_table_close(&t);
}

static void remove_from_an_empty_table(void)
{
	struct hash_table t = {0};
	struct item item = {0};

	hash_table_remove(&t, &item.node);
}

static void remove_what_is_not_in(void)
{
	struct hash_table t = {0};
	struct item in = {0}, out = {0};

	hash_table_insert(&t, &in.node, 1);
	out.node.hash = 1;
	hash_table_remove(&t, &out.node);
}

static void removing_what_is_not_in_fails_a_check(void **state)
{
	(void)state;
	expect_abort(remove_from_an_empty_table, "hash_table_remove: check failed");
	expect_abort(remove_what_is_not_in, "hash_table_remove: check failed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_holds_what_was_put_in_and_not_taken_out),
		cmocka_unit_test(equal_hashes_are_kept_apart_by_the_caller),
		cmocka_unit_test(an_empty_table_answers_without_memory),
		cmocka_unit_test(a_table_grows_with_what_is_in_it),
		cmocka_unit_test(any_node_empties_a_table_that_is_also_added_to),
		cmocka_unit_test(removing_what_is_not_in_fails_a_check),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
