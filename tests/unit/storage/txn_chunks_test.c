/* What strings in chunks cost whoever reads them; that they are right is tested by a model. */

#include "storage/txn_chunks.h"

#include "support/store_tester.h"

#include "base/check.h"
#include "base/error.h"
#include "storage/level.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define NAME	SLICE_LITERAL("string")
#define SIZE	((uint64_t)1 << 20)
#define CHANGES 300

/* A string of a megabyte, every byte of it there, changed in the same two chunks again and again.
 */
static int write_some(struct txn *t, void *ctx)
{
	static uint8_t bytes[SIZE];
	struct slice part = slice_of(bytes, sizeof(bytes));
	unsigned number = *(unsigned *)ctx;
	struct record r;
	int rc = txn_record(t, 0, NAME, &r);

	if (rc != OK && rc != ERR_NOT_FOUND)
		return rc;
	memset(bytes, 'x', sizeof(bytes));
	if (number > 0)
		part = slice_of(&number, 1);
	return txn_write_part(t, 0, NAME, &r, number % 2 ? 100 : number ? SIZE / 2 : 0, part);
}

static void fill(struct store_tester *s)
{
	store_tester_init(s, 1, 1 << 20, 0);
	for (unsigned i = 0; i <= CHANGES; i++)
		assert_int_equal(store_tester_run(s, write_some, &i), OK);
	store_tester_flush(s);
}

struct reading {
	struct view *view;
	struct fetched *note;
	struct txn txn;
};

static void reading_begin(struct reading *r, struct store_tester *s)
{
	*r = (struct reading){.view = view_open(s->store), .note = fetched_new()};
	txn_init_view(&r->txn, r->view, r->note);
	txn_begin(&r->txn, s->time_ms, 0);
}

static void reading_end(struct reading *r)
{
	txn_close(&r->txn);
	fetched_free(r->note);
	view_close(r->view);
}

static void a_part_costs_its_chunks(void **state)
{
	struct store_tester s;
	struct reading reading;
	struct record r;
	struct slice part;

	(void)state;
	fill(&s);
	reading_begin(&reading, &s);
	assert_int_equal(txn_record(&reading.txn, 0, NAME, &r), OK);
	assert_int_equal(r.type, RECORD_CHUNKS);
	assert_int_equal(txn_value_part(&reading.txn, &r, STRING_CHUNK_BYTES - 1, 2, &part), OK);
	assert_true(slice_equal(part, SLICE_LITERAL("xx")));
	/* The record and two chunks. */
	assert_int_equal(reading.note->trees[FAMILY_STATE].rows, 3);
	assert_int_equal(reading.note->trees[FAMILY_HISTORY].rows, 0);
	reading_end(&reading);
	store_tester_close(&s);
}

/* Hundreds of changes of 32 KiB each are undone, and two chunks are what is left of it. */
static void the_way_back_is_not_kept(void **state)
{
	struct store_tester s;
	struct reading reading;
	struct record r;
	struct slice part;

	(void)state;
	fill(&s);
	reading_begin(&reading, &s);
	reading.note->limit = 16 * STRING_CHUNK_BYTES;
	assert_int_equal(txn_as_of(&reading.txn, 1), OK);
	assert_int_equal(txn_record(&reading.txn, 0, NAME, &r), OK);
	assert_int_equal(txn_value_part(&reading.txn, &r, SIZE / 2, 2, &part), OK);
	assert_true(slice_equal(part, SLICE_LITERAL("xx")));
	assert_true(fetched_is_full(reading.note));
	assert_true(reading.note->arena.bytes < 64 * STRING_CHUNK_BYTES);
	assert_true(reading.txn.past.arena.bytes < 64 * STRING_CHUNK_BYTES);
	assert_true(reading.txn.reader.arena.bytes < 16 * STRING_CHUNK_BYTES);
	reading_end(&reading);
	store_tester_close(&s);
}

/* A string that is read as a whole is put together once, and forgotten with the next command. */
static void a_whole_is_put_together_once(void **state)
{
	struct store_tester s;
	struct reading reading;
	struct record r;
	struct slice value;

	(void)state;
	fill(&s);
	reading_begin(&reading, &s);
	for (int i = 0; i < 5; i++) {
		txn_begin(&reading.txn, s.time_ms, 0);
		assert_int_equal(txn_record(&reading.txn, 0, NAME, &r), OK);
		assert_int_equal(txn_value(&reading.txn, &r, &value), OK);
		assert_int_equal(value.len, SIZE);
		assert_true(reading.txn.values.bytes < SIZE + SIZE / 4);
		assert_true(reading.txn.reader.arena.bytes < 16 * STRING_CHUNK_BYTES);
	}
	reading_end(&reading);
	store_tester_close(&s);
}

static int look_at_type(struct txn *t, void *ctx)
{
	struct record r;
	int rc = txn_record(t, 0, NAME, &r);

	if (rc == OK)
		*(enum record_type *)ctx = r.type;
	return rc;
}

/* Until all members can read chunks none are made; what is whole becomes chunks with its next
 * change. */
static void below_its_level_a_string_stays_whole(void **state)
{
	enum record_type type = RECORD_NONE;
	struct store_tester s;

	(void)state;
	store_tester_init(&s, 1, 1 << 20, 0);
	store_position(s.store)->level = LEVEL_CHUNKS - 1;
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(store_tester_run(&s, write_some, &i), OK);
	assert_int_equal(store_tester_read(&s, look_at_type, &type), OK);
	assert_int_equal(type, RECORD_STRING);
	store_position(s.store)->level = LEVEL_CHUNKS;
	assert_int_equal(store_tester_run(&s, write_some, &(unsigned){3}), OK);
	assert_int_equal(store_tester_read(&s, look_at_type, &type), OK);
	assert_int_equal(type, RECORD_CHUNKS);
	store_tester_close(&s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_part_costs_its_chunks),
		cmocka_unit_test(the_way_back_is_not_kept),
		cmocka_unit_test(below_its_level_a_string_stays_whole),
		cmocka_unit_test(a_whole_is_put_together_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
