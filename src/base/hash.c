#include "base/hash.h"

#include "base/check.h"
#include "base/codec.h"
#include "base/mem.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t hash64(struct slice s)
{
	return XXH3_64bits(s.data, s.len);
}

uint64_t hash64_salted(struct slice s, uint64_t salt)
{
	return XXH3_64bits_withSeed(s.data, s.len, salt);
}

uint64_t hash64_pair(uint64_t a, uint64_t b)
{
	uint8_t bytes[16];

	fixed64_put(bytes, a);
	fixed64_put(bytes + 8, b);
	return XXH3_64bits(bytes, sizeof(bytes));
}

struct hash_stream {
	XXH3_state_t state;
};

struct hash_stream *hash_stream_new(void)
{
	struct hash_stream *s = mem_alloc_aligned(_Alignof(struct hash_stream), sizeof(*s));

	XXH3_INITSTATE(&s->state);
	hash_stream_begin(s, 0);
	return s;
}

void hash_stream_free(struct hash_stream *s)
{
	mem_free(s);
}

void hash_stream_begin(struct hash_stream *s, uint64_t salt)
{
	CHECK(XXH3_64bits_reset_withSeed(&s->state, salt) == XXH_OK);
}

void hash_stream_add(struct hash_stream *s, struct slice bytes)
{
	if (bytes.len)
		CHECK(XXH3_64bits_update(&s->state, bytes.data, bytes.len) == XXH_OK);
}

uint64_t hash_stream_end(const struct hash_stream *s)
{
	return XXH3_64bits_digest(&s->state);
}
