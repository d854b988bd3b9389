/* What a txn has changed: as long as it is a list, and when it has become trees. */

#include "storage/txn_rows.h"

#include "support/store_tester.h"

#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define ROWS_MAX (3 * TXN_ROWS_LISTED)

/* Sets row `i` of the state to a number of two digits. */
static struct slice put(struct txn_rows *rows, unsigned i, unsigned value)
{
	char key[16], text[16];
	const struct tree_row *row;

	(void)snprintf(key, sizeof(key), "key %02u", i);
	(void)snprintf(text, sizeof(text), "%02u", value);
	row = txn_rows_put(rows, FAMILY_STATE, slice_of_text(key), slice_of_text(text), false);
	return tree_row_value(row);
}

static unsigned number_of(struct slice value)
{
	assert_int_equal(value.len, 2);
	return 10u * (unsigned)(value.data[0] - '0') + (unsigned)(value.data[1] - '0');
}

/* What is read of row `i`, or 100. */
static unsigned seen(struct txn_rows *rows, unsigned i)
{
	struct layer layer = {0};
	char key[16];
	const struct tree_row *row;

	(void)snprintf(key, sizeof(key), "key %02u", i);
	txn_rows_show(rows, &layer);
	row = tree_snapshot_find(&layer.trees[FAMILY_STATE], slice_of_text(key));
	return row && !row->deleted ? number_of(tree_row_value(row)) : 100;
}

static void all_that_was_put_is_read(void **state)
{
	struct txn_rows rows = {0};

	(void)state;
	for (unsigned count = 0; count <= ROWS_MAX; count++) {
		for (unsigned look = 0; look <= count; look++) {
			txn_rows_clear(&rows);
			assert_true(txn_rows_are_none(&rows));
			for (unsigned i = 0; i < count; i++) {
				if (i == look)
					assert_int_equal(seen(&rows, i), 100);
				put(&rows, i, i);
			}
			assert_int_equal(txn_rows_are_none(&rows), count == 0);
			for (unsigned i = 0; i < ROWS_MAX; i++)
				assert_int_equal(seen(&rows, i), i < count ? i : 100);
		}
	}
	txn_rows_free(&rows);
}

static void the_last_of_a_key_is_read(void **state)
{
	struct txn_rows rows = {0};

	(void)state;
	for (unsigned times = 1; times <= ROWS_MAX; times++) {
		txn_rows_clear(&rows);
		for (unsigned i = 0; i < times; i++)
			put(&rows, 1, i);
		assert_int_equal(seen(&rows, 1), times - 1);
		put(&rows, 1, 99);
		assert_int_equal(seen(&rows, 1), 99);
	}
	txn_rows_free(&rows);
}

static void a_row_that_was_given_stands_when_the_list_has_become_trees(void **state)
{
	struct txn_rows rows = {0};
	struct slice first;

	(void)state;
	txn_rows_clear(&rows);
	first = put(&rows, 0, 42);
	for (unsigned i = 1; i <= ROWS_MAX; i++)
		put(&rows, i, i);
	assert_int_equal(seen(&rows, 0), 42);
	assert_int_equal(number_of(first), 42);
	txn_rows_free(&rows);
}

/* So many rows, each put twice, as a listed or as a tree, seen by whoever reads the store. */
static void the_last_of_a_key_is_committed(void **state)
{
	(void)state;
	for (unsigned count = 1; count <= ROWS_MAX; count++) {
		struct txn_rows rows = {0};
		struct reader reader = {0};
		struct store_tester s;

		store_tester_init(&s, count, 1 << 20, 1 << 20);
		txn_rows_clear(&rows);
		for (unsigned i = 0; i < count; i++)
			put(&rows, i / 2, i);
		txn_rows_commit(&rows, s.store);
		store_reader(s.store, &reader);
		for (unsigned i = 0; i < count; i += 2) {
			struct slice value;
			char key[16];

			(void)snprintf(key, sizeof(key), "key %02u", i / 2);
			assert_int_equal(
				reader_get(&reader, FAMILY_STATE, slice_of_text(key), &value), OK);
			assert_int_equal(number_of(value), MIN(i + 1, count - 1));
		}
		reader_close(&reader);
		txn_rows_free(&rows);
		store_tester_close(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_that_was_put_is_read),
		cmocka_unit_test(the_last_of_a_key_is_read),
		cmocka_unit_test(a_row_that_was_given_stands_when_the_list_has_become_trees),
		cmocka_unit_test(the_last_of_a_key_is_committed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
