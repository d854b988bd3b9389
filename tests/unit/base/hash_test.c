#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Hashes stand on disk: these never change. The first two are XXH3's published ones. */
static void hashes_are_those_they_always_were(void **state)
{
	(void)state;
	assert_true(hash64((struct slice){0}) == 0x2d06800538d394c2);
	assert_true(hash64(SLICE_LITERAL("abc")) == 0x78af5f94892f3950);
	assert_true(hash64(SLICE_LITERAL("conclave")) == 0xb294247ea87e55dd);
	assert_true(hash64_salted(SLICE_LITERAL("conclave"), 1) == 0xef9de8c62e87fe7a);
	assert_true(hash64_pair(1, 2) == 0x07ee86c281446bef);
}

static void every_bit_and_the_length_count(void **state)
{
	uint8_t bytes[300] = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(bytes) * 8; i++) {
		uint64_t before = hash64(slice_of(bytes, sizeof(bytes)));

		bytes[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_true(hash64(slice_of(bytes, sizeof(bytes))) != before);
		bytes[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	for (size_t len = 1; len <= sizeof(bytes); len++)
		assert_true(hash64(slice_of(bytes, len)) != hash64(slice_of(bytes, len - 1)));
}

static void the_salt_changes_the_hash_and_no_salt_is_salt_zero(void **state)
{
	uint8_t bytes[300] = {1, 2, 3};

	(void)state;
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		struct slice s = slice_of(bytes, len);

		assert_true(hash64_salted(s, 0) == hash64(s));
		assert_true(hash64_salted(s, 1) != hash64(s));
		assert_true(hash64_salted(s, 1) != hash64_salted(s, (uint64_t)1 << 63));
	}
}

static void a_pair_is_ordered(void **state)
{
	(void)state;
	assert_true(hash64_pair(1, 2) != hash64_pair(2, 1));
	assert_true(hash64_pair(0, 0) != hash64_pair(0, 1));
	assert_true(hash64_pair(0, 0) != 0);
}

static void pieces_give_the_hash_of_the_whole(void **state)
{
	struct hash_stream *stream = hash_stream_new();
	uint8_t bytes[3000];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7);
	for (size_t len = 0; len < sizeof(bytes); len += 97) {
		for (size_t piece = 1; piece < 1000; piece += 211) {
			hash_stream_begin(stream, len);
			for (size_t at = 0; at < len; at += piece)
				hash_stream_add(stream, slice_of(bytes + at, MIN(piece, len - at)));
			assert_true(hash_stream_end(stream) ==
				    hash64_salted(slice_of(bytes, len), len));
		}
	}
	hash_stream_free(stream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes_are_those_they_always_were),
		cmocka_unit_test(every_bit_and_the_length_count),
		cmocka_unit_test(the_salt_changes_the_hash_and_no_salt_is_salt_zero),
		cmocka_unit_test(a_pair_is_ordered),
		cmocka_unit_test(pieces_give_the_hash_of_the_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
