#include "node/expiry_entry.h"

#include "base/error.h"
#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct expiry_item items[] = {
	{0, 0, {NULL, 0}},
	{1700000000123, 1, {(const uint8_t *)"key", 3}},
	{UINT64_MAX, UINT32_MAX, {(const uint8_t *)"a\0b", 3}},
};

static void encode_all(struct buf *out)
{
	expiry_entry_begin(out);
	for (size_t i = 0; i < ARRAY_LEN(items); i++)
		expiry_item_encode(&items[i], out);
}

static void items_come_back_as_they_were(void **state)
{
	struct buf bytes = {0};
	struct expiry_item item;
	struct cursor c;

	(void)state;
	encode_all(&bytes);
	c = cursor_of(buf_slice(&bytes));
	assert_int_equal(expiry_entry_decode(&c), OK);
	for (size_t i = 0; i < ARRAY_LEN(items); i++) {
		assert_true(cursor_left(&c) > 0);
		assert_int_equal(expiry_item_decode(&c, &item), OK);
		assert_int_equal(item.at_ms, items[i].at_ms);
		assert_int_equal(item.keyspace, items[i].keyspace);
		assert_true(slice_equal(item.key, items[i].key));
	}
	assert_int_equal(cursor_left(&c), 0);
	buf_free(&bytes);
}

static void another_version_is_not_read(void **state)
{
	static const uint8_t newer[] = {2}, older[] = {0};
	struct cursor c = cursor_of(slice_of(newer, 1));

	(void)state;
	assert_int_equal(expiry_entry_decode(&c), ERR_VERSION);
	c = cursor_of(slice_of(older, 1));
	assert_int_equal(expiry_entry_decode(&c), ERR_MALFORMED);
	c = cursor_of(slice_of(NULL, 0));
	assert_int_equal(expiry_entry_decode(&c), ERR_MALFORMED);
}

/* Whatever the bytes are, reading ends, within them, with all items whole. */
static void damaged_bytes_are_read_up_to_the_damage(void **state)
{
	struct buf bytes = {0};
	struct random r;

	(void)state;
	random_seed(&r, 7);
	for (int run = 0; run < 20000; run++) {
		struct expiry_item item;
		struct cursor c;
		size_t len;

		buf_clear(&bytes);
		encode_all(&bytes);
		bytes.data[1 + random_below(&r, bytes.len - 1)] = (uint8_t)random_next(&r);
		len = 1 + (size_t)random_below(&r, bytes.len);
		c = cursor_of(slice_of(bytes.data, len));
		assert_int_equal(expiry_entry_decode(&c), OK);
		while (cursor_left(&c) > 0) {
			if (expiry_item_decode(&c, &item) != OK)
				break;
			assert_true(item.key.data >= bytes.data &&
				    item.key.data + item.key.len <= bytes.data + len);
		}
	}
	buf_free(&bytes);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_come_back_as_they_were),
		cmocka_unit_test(another_version_is_not_read),
		cmocka_unit_test(damaged_bytes_are_read_up_to_the_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
