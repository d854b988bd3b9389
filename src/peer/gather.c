#include "peer/gather.h"

#include "base/check.h"
#include "base/mem.h"
#include "base/mutant.h"

#include <string.h>

/* Below that a copy is cheaper than a piece, and less is held for the sake of little. */
#define HELD_MIN 4096

/* Pieces of one write. */
#define VECTOR_MAX 256

/* Copied bytes that are written and still in front are dropped when there are so many. */
#define WRITTEN_MAX ((size_t)16 << 10)

/* An empty queue keeps that much for the next turn. */
#define KEPT_MAX ((size_t)64 << 10)

static struct gather_piece *gather_push(struct gather *g)
{
	MEM_GROW(g->pieces, g->cap, g->count + 1);
	return &g->pieces[g->count++];
}

void gather_add(struct gather *g, struct slice bytes)
{
	struct gather_piece *last = g->count > g->first ? &g->pieces[g->count - 1] : NULL;

	if (bytes.len == 0)
		return;
	if (last && !last->blob)
		last->len += bytes.len;
	else
		*gather_push(g) = (struct gather_piece){
			.at = g->bytes_begin + g->bytes.len,
			.len = bytes.len,
		};
	buf_append_slice(&g->bytes, bytes);
	g->queued += bytes.len;
}

void gather_add_held(struct gather *g, struct slice bytes, struct blob *blob)
{
	if (bytes.len < HELD_MIN || !blob) {
		gather_add(g, bytes);
		return;
	}
	*gather_push(g) = (struct gather_piece){
		.blob = blob_hold(blob),
		.data = bytes.data,
		.len = bytes.len,
	};
	g->queued += bytes.len;
}

static size_t gather_vector(const struct gather *g, struct iovec *vector)
{
	size_t n = 0;

	for (size_t i = g->first; i < g->count && n < VECTOR_MAX; i++, n++) {
		const struct gather_piece *p = &g->pieces[i];
		const uint8_t *data = p->blob ? p->data : g->bytes.data + (p->at - g->bytes_begin);

		/* Nobody writes there. */
		vector[n] = (struct iovec){.iov_base = (void *)(uintptr_t)data, .iov_len = p->len};
	}
	return n;
}

static void gather_reset(struct gather *g)
{
	g->first = g->count = 0;
	g->bytes_begin = 0;
	buf_clear(&g->bytes);
	if (g->bytes.cap > KEPT_MAX)
		buf_free(&g->bytes);
}

/* How many copied bytes stand before the first one that is still to be written. */
static size_t gather_written(const struct gather *g)
{
	for (size_t i = g->first; i < g->count; i++)
		if (!g->pieces[i].blob && !MUTANT(unwritten_dropped))
			return g->pieces[i].at - g->bytes_begin;
	return g->bytes.len;
}

/* The first `len` bytes are written. */
static void gather_drop(struct gather *g, size_t len)
{
	struct gather_piece *p;
	size_t written;

	g->queued -= len;
	while (len > 0) {
		size_t part;

		p = &g->pieces[g->first];
		part = MIN(len, p->len);
		p->len -= part;
		p->at += part;
		if (p->blob)
			p->data += part;
		len -= part;
		if (p->len == 0) {
			blob_release(p->blob);
			g->first++;
		}
	}
	if (g->queued == 0) {
		gather_reset(g);
		return;
	}
	/* Half of it at least, so that moving the rest costs no more than writing did. */
	if (g->first > g->count / 2 && g->first > VECTOR_MAX) {
		g->count -= g->first;
		memmove(g->pieces, g->pieces + g->first, g->count * sizeof(*g->pieces));
		g->first = 0;
	}
	written = gather_written(g);
	if (written > WRITTEN_MAX && written > g->bytes.len / 2) {
		buf_consume(&g->bytes, written);
		g->bytes_begin += written;
	}
}

bool gather_write(struct gather *g, struct wire *wire)
{
	struct iovec vector[VECTOR_MAX];

	while (g->queued > 0) {
		size_t n = gather_vector(g, vector), wanted = 0;
		ssize_t written = wire_write(wire, vector, (int)n);

		if (written < 0)
			return false;
		for (size_t i = 0; i < n; i++)
			wanted += vector[i].iov_len;
		gather_drop(g, (size_t)written);
		if ((size_t)written < wanted)
			break;
	}
	return true;
}

void gather_free(struct gather *g)
{
	for (size_t i = g->first; i < g->count; i++)
		blob_release(g->pieces[i].blob);
	mem_free(g->pieces);
	buf_free(&g->bytes);
	*g = (struct gather){0};
}
