/*
 * Strings of the model. Long ones are made of pieces that versions share: so that every state there
 * ever was of a string of a megabyte costs what its changes wrote.
 */

#include "base/check.h"
#include "base/mem.h"
#include "sim/model.h"

#include <string.h>

#define PIECE_BYTES ((size_t)4 << 10)

/* NULL instead of one: zeros. */
struct model_piece {
	unsigned holders;
	uint8_t bytes[PIECE_BYTES];
};

static const uint8_t zeros[PIECE_BYTES];

size_t text_len(const struct model_value *v)
{
	return v->pieces ? v->len : v->text.len;
}

/* As many bytes from there on as lie together, of those up to `most`. */
static struct slice text_span(const struct model_value *v, size_t from, size_t most)
{
	size_t at = from % PIECE_BYTES;
	const struct model_piece *p;

	if (!v->pieces)
		return slice_of(v->text.data + from, most);
	p = v->pieces[from / PIECE_BYTES];
	return slice_of((p ? p->bytes : zeros) + at, MIN(most, PIECE_BYTES - at));
}

void text_part(const struct model_value *v, size_t from, size_t len, struct buf *out)
{
	CHECK(from + len <= text_len(v));
	while (len > 0) {
		struct slice span = text_span(v, from, len);

		buf_append_slice(out, span);
		from += span.len;
		len -= span.len;
	}
}

bool text_holds(const struct model_value *v, size_t from, struct slice part)
{
	if (from + part.len > text_len(v))
		return false;
	while (part.len > 0) {
		struct slice span = text_span(v, from, part.len);

		if (memcmp(span.data, part.data, span.len) != 0)
			return false;
		from += span.len;
		part = slice_of(part.data + span.len, part.len - span.len);
	}
	return true;
}

static void piece_release(struct model_piece *p)
{
	if (p && --p->holders == 0)
		mem_free(p);
}

void text_release(struct model_value *v)
{
	for (size_t i = 0; v->pieces && i * PIECE_BYTES < v->len; i++)
		piece_release(v->pieces[i]);
	mem_free(v->pieces);
	buf_free(&v->text);
}

/* The piece at this place, as nobody else's. */
static struct model_piece *piece_own(struct model_value *v, size_t at)
{
	struct model_piece *old = v->pieces[at], *p;

	if (old && old->holders == 1)
		return old;
	p = MEM_NEW(struct model_piece);
	p->holders = 1;
	if (old)
		memcpy(p->bytes, old->bytes, PIECE_BYTES);
	piece_release(old);
	v->pieces[at] = p;
	return p;
}

static void pieces_write(struct model_value *v, size_t at, struct slice part)
{
	while (part.len > 0) {
		struct model_piece *p = piece_own(v, at / PIECE_BYTES);
		size_t n = MIN(part.len, PIECE_BYTES - at % PIECE_BYTES);

		memcpy(p->bytes + at % PIECE_BYTES, part.data, n);
		at += n;
		part = slice_of(part.data + n, part.len - n);
	}
}

/* What another string holds, in pieces of this one. */
static void pieces_share(struct model_value *v, const struct model_value *from)
{
	if (!from->pieces) {
		pieces_write(v, 0, buf_slice(&from->text));
		return;
	}
	for (size_t i = 0; i * PIECE_BYTES < from->len; i++) {
		v->pieces[i] = from->pieces[i];
		if (v->pieces[i])
			v->pieces[i]->holders++;
	}
}

struct model_value *text_written(const struct model_value *from, size_t at, struct slice part)
{
	struct model_value *v = MEM_NEW(struct model_value);
	size_t len = MAX(from ? text_len(from) : 0, at + part.len);

	v->holders = 1;
	if (len > PIECE_BYTES) {
		v->len = len;
		v->pieces = mem_zalloc((len + PIECE_BYTES - 1) / PIECE_BYTES, sizeof(*v->pieces));
		if (from)
			pieces_share(v, from);
		pieces_write(v, at, part);
		return v;
	}
	if (from)
		buf_append_slice(&v->text, buf_slice(&from->text));
	while (v->text.len < len)
		buf_append_byte(&v->text, 0);
	if (part.len)
		memcpy(v->text.data + at, part.data, part.len);
	return v;
}
