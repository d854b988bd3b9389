#ifndef CONCLAVE_BASE_CODEC_H
#define CONCLAVE_BASE_CODEC_H

/*
 * Numbers as bytes, and reading them back without trusting the bytes. Fixed numbers are
 * little-endian; varints carry seven bits a byte, lowest first, at most ten bytes, and only the
 * shortest form is accepted.
 */

#include "base/bytes.h"

#define VARINT_MAX 10

static inline void fixed16_put(uint8_t *at, uint16_t v)
{
	at[0] = (uint8_t)v;
	at[1] = (uint8_t)(v >> 8);
}

static inline void fixed32_put(uint8_t *at, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(v >> (8 * i));
}

static inline void fixed64_put(uint8_t *at, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		at[i] = (uint8_t)(v >> (8 * i));
}

static inline uint16_t fixed16_get(const uint8_t *at)
{
	return (uint16_t)(at[0] | at[1] << 8);
}

static inline uint32_t fixed32_get(const uint8_t *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
	       (uint32_t)at[3] << 24;
}

static inline uint64_t fixed64_get(const uint8_t *at)
{
	return (uint64_t)fixed32_get(at) | (uint64_t)fixed32_get(at + 4) << 32;
}

/* Writes `v` at `at`, which has room for VARINT_MAX bytes; returns how many were used. */
size_t varint_put(uint8_t *at, uint64_t v);

/* How many bytes varint_put uses for `v`. */
size_t varint_size(uint64_t v);

void buf_append_fixed8(struct buf *b, uint8_t v);
void buf_append_fixed16(struct buf *b, uint16_t v);
void buf_append_fixed32(struct buf *b, uint32_t v);
void buf_append_fixed64(struct buf *b, uint64_t v);
void buf_append_varint(struct buf *b, uint64_t v);

/* The length as a varint, then the bytes. */
void buf_append_string(struct buf *b, struct slice s);

/*
 * Reads forward over bytes that somebody else wrote. The first read that does not fit sets
 * `failed`; from then on every read answers zero or empty. So a decoder reads all its fields and
 * asks once at the end.
 */
struct cursor {
	const uint8_t *at;
	const uint8_t *end;
	bool failed;
};

struct cursor cursor_of(struct slice s);

/* Bytes not read yet; 0 once failed. */
static inline size_t cursor_left(const struct cursor *c)
{
	return c->failed ? 0 : (size_t)(c->end - c->at);
}

/* Marks the input as bad, for a decoder that found a value it cannot mean. */
void cursor_fail(struct cursor *c);

/* The next `len` bytes, borrowed from the input. */
static inline struct slice cursor_bytes(struct cursor *c, size_t len)
{
	struct slice s = {c->at, len};

	if (UNLIKELY(len > cursor_left(c))) {
		c->failed = true;
		return (struct slice){0};
	}
	c->at += len;
	return s;
}

static inline uint8_t cursor_fixed8(struct cursor *c)
{
	struct slice s = cursor_bytes(c, 1);

	return s.len ? s.data[0] : 0;
}

static inline uint16_t cursor_fixed16(struct cursor *c)
{
	struct slice s = cursor_bytes(c, 2);

	return s.len ? fixed16_get(s.data) : 0;
}

static inline uint32_t cursor_fixed32(struct cursor *c)
{
	struct slice s = cursor_bytes(c, 4);

	return s.len ? fixed32_get(s.data) : 0;
}

static inline uint64_t cursor_fixed64(struct cursor *c)
{
	struct slice s = cursor_bytes(c, 8);

	return s.len ? fixed64_get(s.data) : 0;
}

/* Most numbers are small: one byte is read here, whatever else there may be by the other. */
uint64_t cursor_varint_any(struct cursor *c);

static inline uint64_t cursor_varint(struct cursor *c)
{
	if (LIKELY(!c->failed && c->at < c->end && *c->at < 0x80))
		return *c->at++;
	return cursor_varint_any(c);
}

/* A varint that is to fit in 32 bits. */
uint32_t cursor_varint32(struct cursor *c);

/* A length as a varint and that many bytes, borrowed from the input. */
struct slice cursor_string(struct cursor *c);

/* True when nothing failed and all was read. */
bool cursor_done(const struct cursor *c);

#endif
