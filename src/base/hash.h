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

/* Hashes bytes that come in pieces: hash64_salted of all of them in a row. */
struct hash_stream;

struct hash_stream *hash_stream_new(void);

/* NULL is nothing. */
void hash_stream_free(struct hash_stream *s);

/* Forgets what came before. */
void hash_stream_begin(struct hash_stream *s, uint64_t salt);

void hash_stream_add(struct hash_stream *s, struct slice bytes);

/* The hash of what came since hash_stream_begin. */
uint64_t hash_stream_end(const struct hash_stream *s);

#endif
