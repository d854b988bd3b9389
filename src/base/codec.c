#include "base/codec.h"

size_t varint_put(uint8_t *at, uint64_t v)
{
	size_t n = 0;

	while (v >= 0x80) {
		at[n++] = (uint8_t)(v | 0x80);
		v >>= 7;
	}
	at[n++] = (uint8_t)v;
	return n;
}

size_t varint_size(uint64_t v)
{
	size_t n = 1;

	while (v >= 0x80) {
		v >>= 7;
		n++;
	}
	return n;
}

void buf_append_fixed8(struct buf *b, uint8_t v)
{
	buf_append_byte(b, v);
}

void buf_append_fixed16(struct buf *b, uint16_t v)
{
	fixed16_put(buf_reserve(b, 2), v);
	buf_commit(b, 2);
}

void buf_append_fixed32(struct buf *b, uint32_t v)
{
	fixed32_put(buf_reserve(b, 4), v);
	buf_commit(b, 4);
}

void buf_append_fixed64(struct buf *b, uint64_t v)
{
	fixed64_put(buf_reserve(b, 8), v);
	buf_commit(b, 8);
}

void buf_append_varint(struct buf *b, uint64_t v)
{
	buf_commit(b, varint_put(buf_reserve(b, VARINT_MAX), v));
}

void buf_append_string(struct buf *b, struct slice s)
{
	buf_append_varint(b, s.len);
	buf_append_slice(b, s);
}

struct cursor cursor_of(struct slice s)
{
	static const uint8_t nothing;
	const uint8_t *at = s.data ? s.data : &nothing; /* NULL is not to be added to */

	return (struct cursor){.at = at, .end = at + s.len};
}

void cursor_fail(struct cursor *c)
{
	c->failed = true;
}

uint64_t cursor_varint_any(struct cursor *c)
{
	const uint8_t *at = c->at, *end = c->failed ? at : c->end;
	uint64_t v = 0;

	for (unsigned shift = 0; at < end; shift += 7) {
		uint8_t byte = *at++;

		/* The tenth byte holds one bit; a zero byte behind others is a longer form. */
		if (shift == 63 && byte > 1)
			break;
		v |= (uint64_t)(byte & 0x7f) << shift;
		if (byte & 0x80)
			continue;
		if (shift > 0 && byte == 0)
			break;
		c->at = at;
		return v;
	}
	c->failed = true;
	return 0;
}

uint32_t cursor_varint32(struct cursor *c)
{
	uint64_t v = cursor_varint(c);

	if (v > UINT32_MAX) {
		c->failed = true;
		return 0;
	}
	return (uint32_t)v;
}

struct slice cursor_string(struct cursor *c)
{
	uint64_t len = cursor_varint(c);

	if (len > cursor_left(c)) {
		c->failed = true;
		return (struct slice){0};
	}
	return cursor_bytes(c, (size_t)len);
}

bool cursor_done(const struct cursor *c)
{
	return !c->failed && c->at == c->end;
}
