#ifndef CONCLAVE_STORAGE_ROW_INTERNAL_H
#define CONCLAVE_STORAGE_ROW_INTERNAL_H

/*
 * What the encodings of records and changes share. Writers move along memory that was reserved
 * for all of it; readers use a cursor.
 */

#include "base/codec.h"
#include "base/error.h"
#include "storage/row.h"

#include <string.h>

/* In the upper half of a value's first byte; the lower half says what the value is. */
#define ROW_VERSION 1u

/* A revision takes at most this much: 64 bits and 32 bits, seven a byte. */
#define REVISION_MAX (VARINT_MAX + 5)

static inline uint8_t row_head(unsigned kind)
{
	return (uint8_t)(ROW_VERSION << 4 | kind);
}

/* Whether this program can read a value that begins with `head`. */
static inline int row_head_check(uint8_t head)
{
	unsigned version = head >> 4;

	if (version > ROW_VERSION)
		return ERR_VERSION;
	return version == ROW_VERSION ? OK : ERR_MALFORMED;
}

/* Most numbers in a row are small. */
static inline uint8_t *number_put(uint8_t *at, uint64_t v)
{
	if (v < 0x80) {
		*at = (uint8_t)v;
		return at + 1;
	}
	return at + varint_put(at, v);
}

static inline uint8_t *bytes_put(uint8_t *at, struct slice s)
{
	if (s.len > 0)
		memcpy(at, s.data, s.len);
	return at + s.len;
}

static inline uint8_t *string_put(uint8_t *at, struct slice s)
{
	return bytes_put(number_put(at, s.len), s);
}

static inline uint8_t *revision_put(uint8_t *at, struct revision r)
{
	return number_put(number_put(at, r.main), r.sub);
}

static inline struct revision cursor_revision(struct cursor *c)
{
	struct revision r = {.main = cursor_varint(c)};

	r.sub = cursor_varint32(c);
	return r;
}

static inline struct slice cursor_rest(struct cursor *c)
{
	return cursor_bytes(c, cursor_left(c));
}

#endif
