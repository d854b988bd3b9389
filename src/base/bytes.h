#ifndef CONCLAVE_BASE_BYTES_H
#define CONCLAVE_BASE_BYTES_H

/*
 * Bytes in three forms: a slice borrows them, a buffer owns and grows them, a blob shares them.
 */

#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>

/* Borrowed bytes. Valid as long as whoever lent them says. `data` may be NULL when `len` is 0. */
struct slice {
	const uint8_t *data;
	size_t len;
};

#define SLICE_LITERAL(text) ((struct slice){(const uint8_t *)(text), sizeof(text) - 1})

/* The bytes of a C string without its end. */
struct slice slice_of_text(const char *text);

/* A copy with an end mark; the caller frees it. */
char *slice_to_text(struct slice s);

/* `len` bytes at `data`. */
static inline struct slice slice_of(const void *data, size_t len)
{
	return (struct slice){(const uint8_t *)data, len};
}

bool slice_equal(struct slice a, struct slice b);

/* Order of bytes as unsigned numbers, a prefix before what it begins: <0, 0, >0. */
int slice_compare(struct slice a, struct slice b);

/* A growing buffer: `len` bytes are in use. All zero is an empty one that owns nothing. */
struct buf {
	uint8_t *data;
	size_t len;
	size_t cap;
};

/* Gives the memory back; the buffer is empty afterwards and may be used again. */
void buf_free(struct buf *b);

/* Empty, with its memory kept for the next use. */
void buf_clear(struct buf *b);

/* For buf_reserve: more memory. */
void buf_grow(struct buf *b, size_t extra);

/* Room for `extra` more bytes behind the used ones; returns where they begin. */
static inline uint8_t *buf_reserve(struct buf *b, size_t extra)
{
	if (UNLIKELY(extra > b->cap - b->len || !b->data))
		buf_grow(b, extra);
	return b->data + b->len;
}

/* Counts `len` bytes written into reserved room as used. */
void buf_commit(struct buf *b, size_t len);

void buf_append(struct buf *b, const void *data, size_t len);
void buf_append_slice(struct buf *b, struct slice s);
void buf_append_byte(struct buf *b, uint8_t byte);

/* Appends text as printf would write it, without an end mark. */
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Appends a string of JSON, quotes included; each byte that is not printable ASCII is a \u00XX. */
void buf_append_json(struct buf *b, struct slice s);

/* Removes the first `len` used bytes; the rest moves to the front. */
void buf_consume(struct buf *b, size_t len);

/* The used bytes, valid until the buffer changes. */
static inline struct slice buf_slice(const struct buf *b)
{
	return (struct slice){b->data, b->len};
}

/*
 * Shared bytes with a count of holders: what a log entry's payload lives in from the socket to
 * the last follower without being copied. Counts are not atomic: one thread holds and releases.
 */
struct blob {
	uint32_t refs;
	size_t len;
	uint8_t data[];
};

/* A blob of `len` undefined bytes, held once by the caller. */
struct blob *blob_new(size_t len);

/* A blob with a copy of `s`, held once by the caller. */
struct blob *blob_copy(struct slice s);

/* One holder more; returns `b`. NULL stays NULL. */
struct blob *blob_hold(struct blob *b);

/* One holder less; the last one frees. NULL is nothing. */
void blob_release(struct blob *b);

#endif
