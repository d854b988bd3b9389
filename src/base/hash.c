#include "base/hash.h"

#include "base/codec.h"

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
