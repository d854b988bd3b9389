#ifndef CONCLAVE_BASE_HASH_H
#define CONCLAVE_BASE_HASH_H

/* XXH3 under our own names, so that one file knows the library. */

#include "base/bytes.h"

/* 64-bit XXH3 of the bytes. */
uint64_t hash64(struct slice s);

/* The same with a salt: equal bytes under different salts differ. */
uint64_t hash64_salted(struct slice s, uint64_t salt);

/* One well-mixed number of two, for salts made of (segment, offset) and the like. */
uint64_t hash64_pair(uint64_t a, uint64_t b);

#endif
