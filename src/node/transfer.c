#include "node/transfer.h"

#include "base/error.h"
#include "base/hash.h"

#define ROWS_HEAD_BYTES 21

void fetch_encode(const struct fetch *f, struct buf *out)
{
	buf_append_fixed64(out, f->from);
	buf_append_fixed64(out, f->index);
	buf_append_fixed64(out, f->request);
	buf_append_fixed8(out, (uint8_t)f->family);
	buf_append_string(out, f->after);
}

int fetch_decode(struct slice bytes, struct fetch *f)
{
	struct cursor c = cursor_of(bytes);
	uint8_t family;

	f->from = cursor_fixed64(&c);
	f->index = cursor_fixed64(&c);
	f->request = cursor_fixed64(&c);
	family = cursor_fixed8(&c);
	f->after = cursor_string(&c);
	if (!cursor_done(&c) || family >= FAMILY_COUNT)
		return ERR_MALFORMED;
	f->family = (enum engine_family)family;
	return OK;
}

void rows_begin(uint64_t request, struct buf *out)
{
	buf_clear(out);
	buf_append_fixed64(out, 0);
	buf_append_fixed64(out, request);
	buf_append_fixed8(out, 0);
	buf_append_fixed32(out, 0);
}

void rows_put(struct slice key, struct slice value, struct buf *out)
{
	buf_append_string(out, key);
	buf_append_string(out, value);
}

void rows_end(struct buf *out, enum rows_kind kind, uint32_t count)
{
	out->data[16] = (uint8_t)kind;
	fixed32_put(out->data + 17, count);
	fixed64_put(out->data, hash64(slice_of(out->data + 8, out->len - 8)));
}

int rows_decode(struct slice bytes, struct rows *r)
{
	uint8_t kind;

	r->at = cursor_of(bytes);
	if (bytes.len < ROWS_HEAD_BYTES ||
	    cursor_fixed64(&r->at) != hash64(slice_of(bytes.data + 8, bytes.len - 8)))
		return ERR_MALFORMED;
	r->request = cursor_fixed64(&r->at);
	kind = cursor_fixed8(&r->at);
	r->count = cursor_fixed32(&r->at);
	if (kind < ROWS_MORE || kind > ROWS_GONE || (kind == ROWS_MORE && r->count == 0))
		return ERR_MALFORMED;
	r->kind = (enum rows_kind)kind;
	return OK;
}

int rows_next(struct rows *r, struct slice *key, struct slice *value)
{
	*key = cursor_string(&r->at);
	*value = cursor_string(&r->at);
	return r->at.failed || key->len == 0 ? ERR_MALFORMED : OK;
}
