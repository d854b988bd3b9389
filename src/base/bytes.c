#include "base/bytes.h"

#include "base/check.h"
#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct slice slice_of_text(const char *text)
{
	return slice_of(text, strlen(text));
}

char *slice_to_text(struct slice s)
{
	char *text = mem_alloc(s.len + 1);

	if (s.len)
		memcpy(text, s.data, s.len);
	text[s.len] = '\0';
	return text;
}

bool slice_equal(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

int slice_compare(struct slice a, struct slice b)
{
	size_t shared = MIN(a.len, b.len);
	int order = shared ? memcmp(a.data, b.data, shared) : 0;

	if (order != 0)
		return order;
	return (a.len > b.len) - (a.len < b.len);
}

void buf_free(struct buf *b)
{
	mem_free(b->data);
	*b = (struct buf){0};
}

void buf_clear(struct buf *b)
{
	b->len = 0;
}

void buf_grow(struct buf *b, size_t extra)
{
	CHECK(extra <= SIZE_MAX - b->len);
	b->cap = mem_grown_capacity(MAX(b->cap, (size_t)64), b->len + extra);
	b->data = mem_resize(b->data, b->cap, 1);
}

void buf_commit(struct buf *b, size_t len)
{
	CHECK(len <= b->cap - b->len);
	b->len += len;
}

void buf_append(struct buf *b, const void *data, size_t len)
{
	if (len == 0)
		return;
	memcpy(buf_reserve(b, len), data, len);
	b->len += len;
}

void buf_append_slice(struct buf *b, struct slice s)
{
	buf_append(b, s.data, s.len);
}

void buf_append_byte(struct buf *b, uint8_t byte)
{
	*buf_reserve(b, 1) = byte;
	b->len++;
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list args, again;
	int need;

	va_start(args, fmt);
	va_copy(again, args);
	need = vsnprintf(NULL, 0, fmt, args);
	CHECK(need >= 0);
	vsnprintf((char *)buf_reserve(b, (size_t)need + 1), (size_t)need + 1, fmt, again);
	b->len += (size_t)need;
	va_end(again);
	va_end(args);
}

void buf_append_json(struct buf *b, struct slice s)
{
	buf_append_byte(b, '"');
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.data[i];

		if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\')
			buf_append_byte(b, c);
		else
			buf_printf(b, "\\u%04x", c);
	}
	buf_append_byte(b, '"');
}

void buf_consume(struct buf *b, size_t len)
{
	CHECK(len <= b->len);
	if (len == 0)
		return;
	b->len -= len;
	memmove(b->data, b->data + len, b->len);
}

struct blob *blob_new(size_t len)
{
	struct blob *b;

	CHECK(len <= SIZE_MAX - sizeof(*b));
	b = mem_alloc(sizeof(*b) + len);
	b->refs = 1;
	b->len = len;
	return b;
}

struct blob *blob_copy(struct slice s)
{
	struct blob *b = blob_new(s.len);

	if (s.len)
		memcpy(b->data, s.data, s.len);
	return b;
}

struct blob *blob_hold(struct blob *b)
{
	if (b) {
		CHECK(b->refs > 0);
		b->refs++;
	}
	return b;
}

void blob_release(struct blob *b)
{
	if (!b)
		return;
	CHECK(b->refs > 0);
	if (--b->refs == 0)
		mem_free(b);
}
