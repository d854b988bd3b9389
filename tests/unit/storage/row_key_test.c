#include "storage/row.h"

#include "base/error.h"
#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ROUNDS 50000

static const uint64_t borders[] = {0,
				   1,
				   0x7f,
				   0x80,
				   0xff,
				   0x100,
				   0x1ff,
				   0x200,
				   UINT32_MAX - 1,
				   UINT32_MAX,
				   (uint64_t)UINT32_MAX + 1,
				   INT64_MAX,
				   (uint64_t)INT64_MAX + 1,
				   UINT64_MAX - 1,
				   UINT64_MAX};

static uint64_t any_number(struct random *r)
{
	if (random_chance(r, 700000))
		return borders[random_below(r, ARRAY_LEN(borders))];
	return random_next(r) >> random_below(r, 64);
}

static struct revision any_revision(struct random *r)
{
	return (struct revision){any_number(r), (uint32_t)any_number(r)};
}

/* Short, of few different bytes: pairs are often equal, or one begins the other. */
static struct slice any_name(struct random *r, uint8_t room[static 4])
{
	static const uint8_t bytes[] = {0, 1, 0x7f, 0x80, 0xff};
	size_t len = random_below(r, 5);

	for (size_t i = 0; i < len; i++)
		room[i] = bytes[random_below(r, ARRAY_LEN(bytes))];
	return slice_of(room, len);
}

static int sign(int order)
{
	return (order > 0) - (order < 0);
}

static int order_of(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* What decides first is what comes first. */
static int first_of(int a, int b, int c)
{
	return a != 0 ? a : b != 0 ? b : c;
}

static void history_keys_sort_as_revisions_and_come_back(void **state)
{
	struct random r;

	(void)state;
	random_seed(&r, 1);
	for (int i = 0; i < ROUNDS; i++) {
		struct revision a = any_revision(&r), b = any_revision(&r), got;
		uint8_t row_a[HISTORY_KEY_BYTES], row_b[HISTORY_KEY_BYTES];
		int order = first_of(order_of(a.main, b.main), order_of(a.sub, b.sub), 0);

		history_key_put(row_a, a);
		history_key_put(row_b, b);
		assert_int_equal(sign(memcmp(row_a, row_b, sizeof(row_a))), order);
		assert_int_equal(sign(revision_compare(a, b)), order);
		assert_int_equal(revision_equal(a, b), order == 0);
		assert_int_equal(history_key_decode(slice_of(row_a, sizeof(row_a)), &got), OK);
		assert_true(revision_equal(a, got));
	}
}

static void record_keys_sort_by_keyspace_and_key_and_come_back(void **state)
{
	struct buf row_a = {0}, row_b = {0};
	struct random r;

	(void)state;
	random_seed(&r, 2);
	for (int i = 0; i < ROUNDS; i++) {
		uint32_t a = (uint32_t)any_number(&r), b = (uint32_t)any_number(&r), keyspace;
		uint8_t room_a[4], room_b[4];
		struct slice key_a = any_name(&r, room_a), key_b = any_name(&r, room_b), key;

		buf_clear(&row_a);
		buf_clear(&row_b);
		record_key(&row_a, a, key_a);
		record_key(&row_b, b, key_b);
		assert_int_equal(sign(slice_compare(buf_slice(&row_a), buf_slice(&row_b))),
				 first_of(order_of(a, b), sign(slice_compare(key_a, key_b)), 0));
		assert_int_equal(record_key_decode(buf_slice(&row_a), &keyspace, &key), OK);
		assert_int_equal(keyspace, a);
		assert_true(slice_equal(key, key_a));
	}
	buf_free(&row_a);
	buf_free(&row_b);
}

static void deadline_keys_sort_by_time_first_and_come_back(void **state)
{
	struct buf row_a = {0}, row_b = {0};
	struct random r;

	(void)state;
	random_seed(&r, 3);
	for (int i = 0; i < ROUNDS; i++) {
		uint64_t at_a = any_number(&r), at_b = any_number(&r), at;
		uint32_t a = (uint32_t)any_number(&r), b = (uint32_t)any_number(&r), keyspace;
		uint8_t room_a[4], room_b[4];
		struct slice key_a = any_name(&r, room_a), key_b = any_name(&r, room_b), key;

		buf_clear(&row_a);
		buf_clear(&row_b);
		deadline_key(&row_a, at_a, a, key_a);
		deadline_key(&row_b, at_b, b, key_b);
		assert_int_equal(sign(slice_compare(buf_slice(&row_a), buf_slice(&row_b))),
				 first_of(order_of(at_a, at_b), order_of(a, b),
					  sign(slice_compare(key_a, key_b))));
		assert_int_equal(deadline_key_decode(buf_slice(&row_a), &at, &keyspace, &key), OK);
		assert_true(at == at_a);
		assert_int_equal(keyspace, a);
		assert_true(slice_equal(key, key_a));
	}
	buf_free(&row_a);
	buf_free(&row_b);
}

static void element_keys_sort_by_incarnation_order_and_element(void **state)
{
	struct buf row_a = {0}, row_b = {0};
	struct random r;

	(void)state;
	random_seed(&r, 4);
	for (int i = 0; i < ROUNDS; i++) {
		uint64_t a = any_number(&r), b = any_number(&r);
		uint8_t room_a[4], room_b[4], place_a[4] = {0}, place_b[4] = {0};
		struct slice name_a = any_name(&r, room_a), name_b = any_name(&r, room_b);

		any_name(&r, place_a);
		any_name(&r, place_b);
		buf_clear(&row_a);
		buf_clear(&row_b);
		element_key(&row_a, a, slice_of(place_a, 4), name_a);
		element_key(&row_b, b, slice_of(place_b, 4), name_b);
		assert_int_equal(sign(slice_compare(buf_slice(&row_a), buf_slice(&row_b))),
				 first_of(order_of(a, b), sign(memcmp(place_a, place_b, 4)),
					  sign(slice_compare(name_a, name_b))));
	}
	buf_free(&row_a);
	buf_free(&row_b);
}

static void keys_are_the_bytes_of_the_format(void **state)
{
	static const uint8_t expected[] = "\1name"
					  "\2\0\0\1\2key"
					  "\3\0\0\0\0\0\0\1\2order:element"
					  "\4\0\0\0\0\0\0\3\4\0\0\0\5key";
	struct buf out = {0};

	(void)state;
	meta_key(&out, SLICE_LITERAL("name"));
	record_key(&out, 0x102, SLICE_LITERAL("key"));
	element_key(&out, 0x102, SLICE_LITERAL("order:"), SLICE_LITERAL("element"));
	deadline_key(&out, 0x304, 5, SLICE_LITERAL("key"));
	assert_int_equal(out.len, sizeof(expected) - 1);
	assert_memory_equal(out.data, expected, out.len);
	buf_free(&out);
}

static void a_key_that_is_too_short_or_of_another_kind_is_refused(void **state)
{
	struct buf record = {0}, deadline = {0};
	uint8_t history[HISTORY_KEY_BYTES + 1] = {1};
	struct revision revision;
	uint64_t deadline_ms;
	uint32_t keyspace;
	struct slice key;

	(void)state;
	record_key(&record, 7, SLICE_LITERAL("a key that is as long as a head"));
	deadline_key(&deadline, 7, 7, SLICE_LITERAL("k"));
	for (size_t len = 0; len < 5; len++)
		assert_int_equal(record_key_decode(slice_of(record.data, len), &keyspace, &key),
				 ERR_MALFORMED);
	assert_int_equal(record_key_decode(slice_of(record.data, 5), &keyspace, &key), OK);
	assert_int_equal(key.len, 0);
	for (size_t len = 0; len < 13; len++)
		assert_int_equal(deadline_key_decode(slice_of(deadline.data, len), &deadline_ms,
						     &keyspace, &key),
				 ERR_MALFORMED);
	assert_int_equal(
		deadline_key_decode(slice_of(deadline.data, 13), &deadline_ms, &keyspace, &key),
		OK);
	assert_int_equal(record_key_decode(buf_slice(&deadline), &keyspace, &key), ERR_MALFORMED);
	assert_int_equal(deadline_key_decode(buf_slice(&record), &deadline_ms, &keyspace, &key),
			 ERR_MALFORMED);
	assert_true(deadline_ms == 0 && keyspace == 0 && key.len == 0);
	for (size_t len = 0; len <= sizeof(history); len++)
		assert_int_equal(history_key_decode(slice_of(history, len), &revision),
				 len == HISTORY_KEY_BYTES ? OK : ERR_MALFORMED);
	buf_free(&record);
	buf_free(&deadline);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(history_keys_sort_as_revisions_and_come_back),
		cmocka_unit_test(record_keys_sort_by_keyspace_and_key_and_come_back),
		cmocka_unit_test(deadline_keys_sort_by_time_first_and_come_back),
		cmocka_unit_test(element_keys_sort_by_incarnation_order_and_element),
		cmocka_unit_test(keys_are_the_bytes_of_the_format),
		cmocka_unit_test(a_key_that_is_too_short_or_of_another_kind_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
