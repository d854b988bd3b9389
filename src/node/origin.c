#include "node/origin.h"

#include "base/check.h"
#include "base/mem.h"
#include "node/batch.h"
#include "node/request.h"

#include <string.h>

static void collected_clear(struct origin *o)
{
	buf_clear(&o->collected);
	(void)buf_reserve(&o->collected, BATCH_HEADER_BYTES);
	buf_commit(&o->collected, BATCH_HEADER_BYTES);
	o->waiting_count = 0;
	o->dropped = 0;
}

void origin_init(struct origin *o, uint64_t member)
{
	*o = (struct origin){.member = member, .first = 1, .next = 1, .sent = 1};
	collected_clear(o);
}

void origin_close(struct origin *o)
{
	while (o->first < o->next)
		origin_resolve_first(o);
	for (size_t i = 0; i < o->waiting_count; i++)
		if (o->waiting[i] && !o->waiting[i]->session)
			request_free(o->waiting[i]);
	buf_free(&o->collected);
	mem_free(o->waiting);
	mem_free(o->ends);
	mem_free(o->ring);
}

void origin_registered(struct origin *o, uint64_t incarnation)
{
	CHECK(o->first == o->next);
	o->incarnation = incarnation;
	o->first = 1;
	o->next = 1;
	o->sent = 1;
}

struct buf *origin_collect(struct origin *o, struct request *request)
{
	MEM_GROW(o->waiting, o->waiting_cap, o->waiting_count + 1);
	MEM_GROW(o->ends, o->ends_cap, o->waiting_count + 1);
	o->waiting[o->waiting_count] = request;
	return &o->collected;
}

void origin_collected(struct origin *o)
{
	o->ends[o->waiting_count++] = (uint32_t)o->collected.len;
}

/* Closes the gaps that dropped commands left. */
static void collected_compact(struct origin *o)
{
	uint32_t from = BATCH_HEADER_BYTES, to = BATCH_HEADER_BYTES;
	size_t kept = 0;

	for (size_t i = 0; i < o->waiting_count; i++) {
		uint32_t len = o->ends[i] - from;

		if (o->waiting[i]) {
			memmove(o->collected.data + to, o->collected.data + from, len);
			to += len;
			o->waiting[kept] = o->waiting[i];
			o->ends[kept++] = to;
		}
		from += len;
	}
	o->collected.len = to;
	o->waiting_count = kept;
	o->dropped = 0;
}

void origin_drop(struct origin *o, struct request *request)
{
	for (size_t i = 0; i < o->waiting_count; i++) {
		if (o->waiting[i] != request)
			continue;
		o->waiting[i] = NULL;
		o->dropped++;
		/* What is dropped must not count for ever where nothing is sealed. */
		if (2 * o->dropped >= o->waiting_count)
			collected_compact(o);
		return;
	}
	CHECK(!"the request is collected");
}

bool origin_has_collected(const struct origin *o)
{
	return o->waiting_count > o->dropped;
}

bool origin_needs_parts(const struct origin *o, size_t max_bytes)
{
	return o->waiting_count > 1 && o->ends[o->waiting_count - 2] > max_bytes;
}

static struct pending *ring_at(const struct origin *o, uint64_t seq)
{
	return &o->ring[seq & (o->ring_cap - 1)];
}

static void ring_reserve(struct origin *o, size_t more)
{
	size_t used = (size_t)(o->next - o->first), cap = o->ring_cap ? o->ring_cap : 64;
	struct pending *ring;

	while (cap < used + more)
		cap *= 2;
	if (cap == o->ring_cap)
		return;
	ring = mem_zalloc(cap, sizeof(*ring));
	for (uint64_t seq = o->first; seq < o->next; seq++)
		ring[seq & (cap - 1)] = *ring_at(o, seq);
	mem_free(o->ring);
	o->ring = ring;
	o->ring_cap = cap;
}

struct blob *origin_seal(struct origin *o, uint64_t term, uint32_t level)
{
	struct batch_header h = {.member = o->member,
				 .incarnation = o->incarnation,
				 .seq = o->next,
				 .term = term,
				 .level = level};
	uint32_t at = BATCH_HEADER_BYTES;
	struct blob *blob;

	if (o->dropped)
		collected_compact(o);
	CHECK(o->waiting_count > 0 && o->sent == o->next && o->incarnation);
	h.count = (uint32_t)o->waiting_count;
	batch_header_put(o->collected.data, &h);
	blob = blob_copy(buf_slice(&o->collected));
	ring_reserve(o, o->waiting_count);
	for (size_t i = 0; i < o->waiting_count; i++) {
		struct request *r = o->waiting[i];

		r->seq = o->next;
		*ring_at(o, o->next++) = (struct pending){
			.request = r->session ? r : NULL,
			.blob = blob_hold(blob),
			.at = at,
			.len = o->ends[i] - at,
		};
		o->bytes += o->ends[i] - at;
		at = o->ends[i];
		if (!r->session)
			request_free(r);
	}
	o->sent = o->next;
	collected_clear(o);
	return blob;
}

/* In place of a command whose client was told that nobody knows what became of it. */
static void append_cancellation(struct buf *out)
{
	struct slice name = SLICE_LITERAL("CANCELLED");
	struct batch_command c = {.flags = BATCH_CANCELLED, .argc = 1, .argv = &name};

	batch_command_encode(&c, out);
}

struct blob *origin_resend(struct origin *o, uint64_t term, uint32_t level, size_t max_bytes,
			   uint64_t *next)
{
	struct batch_header h = {.member = o->member,
				 .incarnation = o->incarnation,
				 .seq = o->sent,
				 .term = term,
				 .level = level};
	struct buf bytes = {0};
	struct blob *blob;
	uint64_t seq = o->sent;

	if (seq == o->next)
		return NULL;
	(void)buf_reserve(&bytes, BATCH_HEADER_BYTES);
	buf_commit(&bytes, BATCH_HEADER_BYTES);
	while (seq < o->next) {
		const struct pending *p = ring_at(o, seq);

		if (h.count && bytes.len + p->len > max_bytes)
			break;
		if (p->cancelled)
			append_cancellation(&bytes);
		else
			buf_append(&bytes, p->blob->data + p->at, p->len);
		h.count++;
		seq++;
	}
	batch_header_put(bytes.data, &h);
	blob = blob_copy(buf_slice(&bytes));
	buf_free(&bytes);
	*next = seq;
	return blob;
}

void origin_sent(struct origin *o, uint64_t next)
{
	CHECK(next > o->sent && next <= o->next);
	o->sent = next;
}

void origin_unsend(struct origin *o, uint64_t from)
{
	CHECK(from >= o->first && from <= o->next);
	o->sent = MIN(o->sent, from);
}

void origin_send_again(struct origin *o)
{
	o->sent = o->first;
}

struct pending *origin_pending(struct origin *o, uint64_t seq)
{
	CHECK(seq >= o->first && seq < o->next);
	return ring_at(o, seq);
}

void origin_resolve_first(struct origin *o)
{
	struct pending *p = origin_pending(o, o->first);

	o->bytes -= p->len;
	blob_release(p->blob);
	*p = (struct pending){0};
	o->first++;
	o->sent = MAX(o->sent, o->first);
}

uint64_t origin_unresolved(const struct origin *o)
{
	return o->next - o->first;
}
