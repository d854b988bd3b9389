/* Values of strings that stay in memory when the overlay they were in is gone. */

#include "storage/txn.h"

#include "support/store_tester.h"

#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define CACHE_BYTES ((size_t)1 << 20)
#define VALUE_BYTES 200

struct work {
	struct slice key;
	struct slice to; /* of a move */
	char fill;	 /* of a string: so many times */
	uint64_t deadline_ms;
};

static int set_string(struct txn *t, void *ctx)
{
	const struct work *w = ctx;
	struct record_terms terms = {0};
	uint8_t bytes[VALUE_BYTES];
	struct record r;
	int rc = txn_record(t, 0, w->key, &r);

	memset(bytes, w->fill, sizeof(bytes));
	if (rc == OK || rc == ERR_NOT_FOUND)
		txn_set_string(t, 0, w->key, &r, slice_of(bytes, sizeof(bytes)), &terms);
	return rc == ERR_NOT_FOUND ? OK : rc;
}

static int set_deadline(struct txn *t, void *ctx)
{
	const struct work *w = ctx;
	struct record r;
	int rc = txn_record(t, 0, w->key, &r);

	if (rc == OK)
		txn_set_deadline(t, 0, w->key, &r, w->deadline_ms);
	return rc;
}

static int move_string(struct txn *t, void *ctx)
{
	const struct work *w = ctx;
	struct record from, to;
	int rc = txn_record(t, 0, w->key, &from);

	if (rc == OK)
		rc = txn_record(t, 0, w->to, &to);
	if (rc == OK || rc == ERR_NOT_FOUND)
		txn_move(t, 0, w->key, &from, 0, w->to, &to);
	return rc == ERR_NOT_FOUND ? OK : rc;
}

/* The loop reads it: OK, or ERR_MISSING if the engine would have to be asked. */
static int read_on_loop(struct store_tester *s, struct slice key, char fill)
{
	uint8_t bytes[VALUE_BYTES];
	struct slice value;
	struct record r;
	int rc;

	memset(bytes, fill, sizeof(bytes));
	txn_begin(&s->reads, s->time_ms, 0);
	assert_int_equal(txn_record(&s->reads, 0, key, &r), OK);
	rc = txn_value(&s->reads, &r, &value);
	if (rc == OK)
		assert_true(slice_equal(value, slice_of(bytes, sizeof(bytes))));
	return rc;
}

static void run(struct store_tester *s, store_work work, struct work w)
{
	assert_int_equal(store_tester_run(s, work, &w), OK);
}

static void what_was_set_is_there_after_its_overlay(void **state)
{
	struct store_tester s;

	(void)state;
	store_tester_init(&s, 1, 1 << 20, CACHE_BYTES);
	run(&s, set_string, (struct work){.key = SLICE_LITERAL("a"), .fill = 'x'});
	store_tester_flush(&s);
	assert_int_equal(read_on_loop(&s, SLICE_LITERAL("a"), 'x'), OK);
	run(&s, set_string, (struct work){.key = SLICE_LITERAL("a"), .fill = 'y'});
	assert_int_equal(read_on_loop(&s, SLICE_LITERAL("a"), 'y'), OK);
	store_tester_flush(&s);
	assert_int_equal(read_on_loop(&s, SLICE_LITERAL("a"), 'y'), OK);
	store_tester_close(&s);
}

static void a_deadline_leaves_it_there(void **state)
{
	struct store_tester s;

	(void)state;
	store_tester_init(&s, 1, 1 << 20, CACHE_BYTES);
	run(&s, set_string, (struct work){.key = SLICE_LITERAL("a"), .fill = 'x'});
	run(&s, set_deadline, (struct work){.key = SLICE_LITERAL("a"), .deadline_ms = 5000});
	store_tester_flush(&s);
	assert_int_equal(read_on_loop(&s, SLICE_LITERAL("a"), 'x'), OK);
	store_tester_close(&s);
}

/* What is kept beside a record is not its value any more once another one has come to its key. */
static void another_record_under_its_key_does_not_get_it(void **state)
{
	struct store_tester s;
	struct work move = {.key = SLICE_LITERAL("b"), .to = SLICE_LITERAL("a")};

	(void)state;
	store_tester_init(&s, 1, 1 << 20, CACHE_BYTES);
	run(&s, set_string, (struct work){.key = SLICE_LITERAL("a"), .fill = 'x'});
	run(&s, set_string, (struct work){.key = SLICE_LITERAL("b"), .fill = 'y'});
	store_tester_flush(&s);
	run(&s, move_string, move);
	store_tester_flush(&s);
	assert_int_equal(read_on_loop(&s, SLICE_LITERAL("a"), 'y'), ERR_MISSING);
	store_tester_close(&s);
}

static int read_value(struct txn *t, void *ctx)
{
	const struct work *w = ctx;
	struct slice value;
	struct record r;
	int rc = txn_record(t, 0, w->key, &r);

	return rc == OK ? txn_value(t, &r, &value) : rc;
}

/* After a start nothing is in memory: what a view has read is, from then on. */
static void what_a_view_has_read_is_kept_as_well(void **state)
{
	struct store_tester s;
	struct work w = {.key = SLICE_LITERAL("a"), .fill = 'x'};
	struct store_stats stats;
	struct record r;

	(void)state;
	store_tester_init(&s, 1, 1 << 20, CACHE_BYTES);
	run(&s, set_string, w);
	store_tester_flush(&s);
	store_tester_reopen(&s);
	txn_begin(&s.reads, s.time_ms, 0);
	assert_int_equal(txn_record(&s.reads, 0, w.key, &r), ERR_MISSING);
	/* The tester keeps it by chance. */
	for (int i = 0; i < 50 && txn_record(&s.reads, 0, w.key, &r) == ERR_MISSING; i++)
		assert_int_equal(store_tester_read_view(&s, read_value, &w), OK);
	store_stats(s.store, &stats);
	assert_int_equal(stats.header_hits, 1); /* of the loop above, none of the keeping */
	assert_int_equal(read_on_loop(&s, w.key, 'x'), OK);
	store_tester_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_set_is_there_after_its_overlay),
		cmocka_unit_test(a_deadline_leaves_it_there),
		cmocka_unit_test(another_record_under_its_key_does_not_get_it),
		cmocka_unit_test(what_a_view_has_read_is_kept_as_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
