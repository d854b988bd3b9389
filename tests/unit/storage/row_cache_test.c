/* Rows in memory within their bounds, and values beside them within theirs. */

#include "storage/row_cache.h"

#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ROWS_BYTES   ((size_t)64 << 10)
#define VALUES_BYTES ((size_t)16 << 10)
#define VALUE_BYTES  300

static struct slice name_of(unsigned i)
{
	static char text[16];

	snprintf(text, sizeof(text), "row %u", i);
	return slice_of_text(text);
}

static struct slice value_of(unsigned i)
{
	static uint8_t bytes[VALUE_BYTES];

	memset(bytes, (int)i, sizeof(bytes));
	return slice_of(bytes, sizeof(bytes));
}

/* What is kept beside the row; main 0: nothing. */
static struct row_value beside(struct row_cache *c, unsigned i)
{
	struct row_value v;
	struct slice row;

	assert_int_equal(row_cache_get(c, name_of(i), &row, &v), OK);
	return v;
}

static void a_value_is_found_with_its_row(void **state)
{
	struct row_cache c;
	struct row_value v;

	(void)state;
	row_cache_init(&c, ROWS_BYTES, VALUES_BYTES);
	row_cache_put(&c, name_of(1), SLICE_LITERAL("record"));
	assert_int_equal(beside(&c, 1).at.main, 0);
	row_cache_put_value(&c, name_of(1), (struct revision){7, 2}, value_of(1));
	v = beside(&c, 1);
	assert_true(revision_equal(v.at, (struct revision){7, 2}));
	assert_true(slice_equal(v.value, value_of(1)));
	assert_int_equal(c.value_hits, 1);
	row_cache_close(&c);
}

/* A later change of a record may leave its value where it is. */
static void it_stays_when_the_row_changes_and_goes_with_it(void **state)
{
	struct row_cache c;
	struct slice row;

	(void)state;
	row_cache_init(&c, ROWS_BYTES, VALUES_BYTES);
	row_cache_put(&c, name_of(1), SLICE_LITERAL("record"));
	row_cache_put_value(&c, name_of(1), (struct revision){7, 0}, value_of(1));
	row_cache_put(&c, name_of(1), SLICE_LITERAL("its deadline is another one"));
	assert_true(slice_equal(beside(&c, 1).value, value_of(1)));
	row_cache_forget(&c, name_of(1));
	assert_int_equal(row_cache_get(&c, name_of(1), &row, NULL), ERR_MISSING);
	assert_int_equal(c.value_bytes, 0);
	row_cache_close(&c);
}

static void a_value_takes_the_place_of_the_one_before(void **state)
{
	struct row_cache c;
	size_t bytes;

	(void)state;
	row_cache_init(&c, ROWS_BYTES, VALUES_BYTES);
	row_cache_put(&c, name_of(1), SLICE_LITERAL("record"));
	row_cache_put_value(&c, name_of(1), (struct revision){7, 0}, value_of(1));
	bytes = c.value_bytes;
	row_cache_put_value(&c, name_of(1), (struct revision){8, 0}, value_of(2));
	assert_int_equal(c.value_bytes, bytes);
	assert_true(slice_equal(beside(&c, 1).value, value_of(2)));
	row_cache_put_value(&c, name_of(1), (struct revision){9, 0}, SLICE_LITERAL("short"));
	assert_true(c.value_bytes < bytes);
	assert_true(slice_equal(beside(&c, 1).value, SLICE_LITERAL("short")));
	assert_int_equal(beside(&c, 1).at.main, 9);
	row_cache_close(&c);
}

static void nothing_is_kept_beside_a_row_that_is_not_there(void **state)
{
	struct row_cache c;

	(void)state;
	row_cache_init(&c, ROWS_BYTES, VALUES_BYTES);
	row_cache_put_value(&c, name_of(1), (struct revision){7, 0}, value_of(1));
	assert_int_equal(c.value_bytes, 0);
	row_cache_close(&c);
}

/* Values go without their rows, and those that were asked for stay longer. */
static void values_have_a_bound_of_their_own(void **state)
{
	struct row_cache c;
	unsigned kept = 0;

	(void)state;
	row_cache_init(&c, ROWS_BYTES, VALUES_BYTES);
	for (unsigned i = 0; i < 200; i++) {
		row_cache_put(&c, name_of(i), SLICE_LITERAL("record"));
		row_cache_put_value(&c, name_of(i), (struct revision){i + 1, 0}, value_of(i));
		assert_true(c.value_bytes <= VALUES_BYTES);
		assert_true(slice_equal(beside(&c, 0).value, value_of(0)));
	}
	for (unsigned i = 0; i < 200; i++) {
		struct row_value v = beside(&c, i);

		kept += v.at.main != 0;
		assert_true(v.at.main == 0 || slice_equal(v.value, value_of(i)));
	}
	assert_true(kept > 10);
	assert_true(kept < 60);
	row_cache_close(&c);
}

/* It would sweep out all others. */
static void a_value_that_is_large_for_the_cache_is_not_kept(void **state)
{
	static uint8_t large[VALUES_BYTES / 2];
	struct row_cache c;

	(void)state;
	row_cache_init(&c, ROWS_BYTES, VALUES_BYTES);
	row_cache_put(&c, name_of(1), SLICE_LITERAL("record"));
	row_cache_put_value(&c, name_of(1), (struct revision){7, 0}, value_of(1));
	row_cache_put_value(&c, name_of(1), (struct revision){8, 0},
			    slice_of(large, sizeof(large)));
	assert_int_equal(beside(&c, 1).at.main, 0);
	assert_int_equal(c.value_bytes, 0);
	row_cache_close(&c);
}

static void a_look_without_use_is_no_asking(void **state)
{
	struct row_cache c;
	struct slice row;

	(void)state;
	row_cache_init(&c, ROWS_BYTES, VALUES_BYTES);
	row_cache_put_absent(&c, name_of(1));
	row_cache_put(&c, name_of(2), SLICE_LITERAL("record"));
	assert_int_equal(row_cache_peek(&c, name_of(1), &row), ERR_NOT_FOUND);
	assert_int_equal(row_cache_peek(&c, name_of(2), &row), OK);
	assert_true(slice_equal(row, SLICE_LITERAL("record")));
	assert_int_equal(row_cache_peek(&c, name_of(3), &row), ERR_MISSING);
	assert_int_equal(c.hits, 0);
	assert_int_equal(c.misses, 0);
	row_cache_close(&c);
}

/* It stays when the row gets another room, and goes when somebody else changes the row. */
static void the_place_of_a_row_is_noted_by_who_puts_it(void **state)
{
	struct tree_row row = {0};
	struct row_place *place;
	struct row_cache c;

	(void)state;
	row_cache_init(&c, ROWS_BYTES, VALUES_BYTES);
	place = row_cache_put(&c, name_of(1), SLICE_LITERAL("record"));
	assert_null(place->row);
	assert_int_equal(place->holder, 0);
	*place = (struct row_place){&row, 3};
	place = row_cache_put(&c, name_of(1), value_of(1));
	assert_ptr_equal(place->row, &row);
	assert_int_equal(place->holder, 3);
	row_cache_update(&c, name_of(1), (struct slice){NULL, 0}, true);
	place = row_cache_put(&c, name_of(1), SLICE_LITERAL("record"));
	assert_int_equal(place->holder, 0);
	*place = (struct row_place){&row, 4};
	row_cache_forget(&c, name_of(1));
	assert_int_equal(row_cache_put(&c, name_of(1), SLICE_LITERAL("record"))->holder, 0);
	row_cache_limit(&c, 0);
	assert_null(row_cache_put(&c, name_of(1), SLICE_LITERAL("record")));
	row_cache_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_is_found_with_its_row),
		cmocka_unit_test(it_stays_when_the_row_changes_and_goes_with_it),
		cmocka_unit_test(a_value_takes_the_place_of_the_one_before),
		cmocka_unit_test(nothing_is_kept_beside_a_row_that_is_not_there),
		cmocka_unit_test(values_have_a_bound_of_their_own),
		cmocka_unit_test(a_value_that_is_large_for_the_cache_is_not_kept),
		cmocka_unit_test(a_look_without_use_is_no_asking),
		cmocka_unit_test(the_place_of_a_row_is_noted_by_who_puts_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
