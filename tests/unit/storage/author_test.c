/* Rows of authors go when the horizon has passed what named them last, and not before. */

#include "base/error.h"
#include "storage/store.h"

#include "support/store_tester.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct author_text text = {
	{(const uint8_t *)"default", 7}, {(const uint8_t *)"a:1", 3}, {(const uint8_t *)"", 0}};

static int begin_author(struct txn *t, void *ctx)
{
	txn_put_author(t, *(struct author *)ctx, &text);
	return OK;
}

static int end_author(struct txn *t, void *ctx)
{
	txn_end_author(t, *(struct author *)ctx);
	return OK;
}

static int end_run(struct txn *t, void *ctx)
{
	txn_end_authors_of(t, *(uint64_t *)ctx);
	return OK;
}

static int empty_database(struct txn *t, void *ctx)
{
	(void)ctx;
	txn_flush_database(t, 0);
	return OK;
}

static int find_author(struct txn *t, void *ctx)
{
	struct author_text found;
	int rc = txn_author(t, *(struct author *)ctx, &found);

	if (rc == OK)
		assert_true(slice_equal(found.address, text.address));
	return rc;
}

static bool is_known(struct store_tester *s, uint64_t incarnation, uint64_t number)
{
	struct author a = {incarnation, number};

	return store_tester_read(s, find_author, &a) == OK;
}

static void begin(struct store_tester *s, uint64_t incarnation, uint64_t number)
{
	struct author a = {incarnation, number};

	assert_int_equal(store_tester_run(s, begin_author, &a), OK);
}

/* Something changes, the horizon moves there, and what is dead leaves the engine. */
static void pass(struct store_tester *s)
{
	assert_int_equal(store_tester_run(s, empty_database, NULL), OK);
	store_position(s->store)->horizon = store_position(s->store)->revision;
	store_tester_flush(s);
	store_tester_compact(s);
}

static void one_author_ends_and_the_others_stay(void **state)
{
	struct store_tester s;
	struct author ended = {5, 2};

	(void)state;
	store_tester_init(&s, 1, 1 << 20, 1 << 20);
	for (uint64_t number = 1; number <= 3; number++)
		begin(&s, 5, number);
	begin(&s, 6, 2);
	store_tester_flush(&s);
	assert_int_equal(store_tester_run(&s, end_author, &ended), OK);
	store_tester_flush(&s);
	assert_true(is_known(&s, 5, 2));
	pass(&s);
	assert_true(is_known(&s, 5, 1));
	assert_false(is_known(&s, 5, 2));
	assert_true(is_known(&s, 5, 3));
	assert_true(is_known(&s, 6, 2));
	store_tester_close(&s);
}

static void all_authors_of_a_run_end_together(void **state)
{
	struct store_tester s;
	uint64_t run = 5;

	(void)state;
	store_tester_init(&s, 1, 1 << 20, 1 << 20);
	begin(&s, 4, UINT64_MAX);
	begin(&s, 5, 1);
	begin(&s, 5, UINT64_MAX);
	begin(&s, 6, 1);
	assert_int_equal(store_tester_run(&s, end_run, &run), OK);
	store_tester_reopen(&s);
	assert_true(is_known(&s, 5, 1));
	pass(&s);
	assert_true(is_known(&s, 4, UINT64_MAX));
	assert_false(is_known(&s, 5, 1));
	assert_false(is_known(&s, 5, UINT64_MAX));
	assert_true(is_known(&s, 6, 1));
	store_tester_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_author_ends_and_the_others_stay),
		cmocka_unit_test(all_authors_of_a_run_end_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
