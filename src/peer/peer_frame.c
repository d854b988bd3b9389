#include "peer/peer_frame.h"

#include "base/check.h"
#include "base/codec.h"
#include "base/error.h"
#include "base/mutant.h"

#include <string.h>

#define GREETING_MAGIC UINT32_C(0x434c4e43) /* "CNLC" */
#define TOKEN_SALT     UINT64_C(0x636c7573746572)

uint64_t peer_token(struct slice text)
{
	return hash64_salted(text, TOKEN_SALT);
}

uint64_t peer_frame_salt(unsigned kind, size_t len)
{
	return (uint64_t)len << 8 | kind;
}

/* 24 bits. */
static uint32_t head_check(uint32_t len, uint8_t kind)
{
	return (uint32_t)hash64_pair(len, kind) >> 8;
}

void peer_frame_put_head(uint8_t *at, unsigned kind, size_t len, uint64_t hash)
{
	CHECK(len <= PEER_FRAME_MAX && kind <= UINT8_MAX);
	fixed32_put(at, (uint32_t)len);
	fixed32_put(at + 4, head_check((uint32_t)len, (uint8_t)kind) << 8 | kind);
	fixed64_put(at + 8, hash);
}

/* Appends room for a head and the beginning that all greetings have; returns where it stands. */
static size_t greeting_begin(struct buf *out)
{
	size_t at = out->len;

	buf_commit(out, ((void)buf_reserve(out, PEER_FRAME_HEAD), PEER_FRAME_HEAD));
	buf_append_fixed32(out, GREETING_MAGIC);
	buf_append_fixed16(out, PEER_VERSION);
	return at;
}

static void greeting_end(struct buf *out, size_t at, unsigned kind)
{
	struct slice body =
		slice_of(out->data + at + PEER_FRAME_HEAD, out->len - at - PEER_FRAME_HEAD);

	CHECK(body.len <= (kind == PEER_JOINED ? PEER_JOINED_MAX : PEER_GREETING_MAX));
	peer_frame_put_head(out->data + at, kind, body.len,
			    hash64_salted(body, peer_frame_salt(kind, body.len)));
}

void peer_hello_encode(const struct peer_hello *hello, struct buf *out)
{
	size_t at = greeting_begin(out);

	buf_append_fixed8(out, hello->channel);
	buf_append_fixed64(out, hello->token);
	buf_append_fixed64(out, hello->id);
	buf_append_string(out, hello->name);
	buf_append_string(out, hello->expected);
	buf_append_string(out, hello->address);
	greeting_end(out, at, PEER_HELLO);
}

void peer_welcome_encode(const struct peer_welcome *welcome, struct buf *out)
{
	size_t at = greeting_begin(out);

	buf_append_fixed64(out, welcome->id);
	buf_append_string(out, welcome->name);
	greeting_end(out, at, PEER_WELCOME);
}

void peer_refuse_encode(struct slice reason, struct buf *out)
{
	size_t at = greeting_begin(out);

	reason.len = MIN(reason.len, PEER_GREETING_MAX / 2);
	buf_append_string(out, reason);
	greeting_end(out, at, PEER_REFUSE);
}

void peer_join_encode(const struct peer_join *join, struct buf *out)
{
	size_t at = greeting_begin(out);

	buf_append_fixed64(out, join->token);
	buf_append_fixed64(out, join->id);
	buf_append_fixed8(out, join->rises);
	buf_append_string(out, join->name);
	buf_append_string(out, join->address);
	greeting_end(out, at, PEER_JOIN);
}

void peer_joined_encode(const struct peer_joined *joined, struct buf *out)
{
	size_t at = greeting_begin(out);

	buf_append_fixed64(out, joined->leader);
	buf_append_string(out, joined->membership);
	greeting_end(out, at, PEER_JOINED);
}

/* ERR_MALFORMED, or the version stands in `*version`. */
static int greeting_open(struct cursor *c, uint16_t *version)
{
	uint32_t magic = cursor_fixed32(c);

	*version = cursor_fixed16(c);
	return c->failed || magic != GREETING_MAGIC ? ERR_MALFORMED : OK;
}

int peer_hello_decode(struct slice body, struct peer_hello *out, uint16_t *version)
{
	struct cursor c = cursor_of(body);

	*out = (struct peer_hello){0};
	if (greeting_open(&c, version) != OK)
		return ERR_MALFORMED;
	if (*version != PEER_VERSION && !MUTANT(greeting_any_version))
		return ERR_VERSION;
	out->channel = cursor_fixed8(&c);
	out->token = cursor_fixed64(&c);
	out->id = cursor_fixed64(&c);
	out->name = cursor_string(&c);
	out->expected = cursor_string(&c);
	out->address = cursor_string(&c);
	if (!cursor_done(&c) || out->channel >= PEER_CHANNELS || out->id == 0)
		return ERR_MALFORMED;
	return OK;
}

int peer_welcome_decode(struct slice body, struct peer_welcome *out, uint16_t *version)
{
	struct cursor c = cursor_of(body);

	*out = (struct peer_welcome){0};
	if (greeting_open(&c, version) != OK)
		return ERR_MALFORMED;
	if (*version != PEER_VERSION)
		return ERR_VERSION;
	out->id = cursor_fixed64(&c);
	out->name = cursor_string(&c);
	return cursor_done(&c) && out->id != 0 ? OK : ERR_MALFORMED;
}

int peer_refuse_decode(struct slice body, struct slice *reason)
{
	struct cursor c = cursor_of(body);
	uint16_t version;

	*reason = (struct slice){0};
	if (greeting_open(&c, &version) != OK)
		return ERR_MALFORMED;
	*reason = cursor_string(&c);
	return c.failed ? ERR_MALFORMED : OK;
}

int peer_join_decode(struct slice body, struct peer_join *out, uint16_t *version)
{
	struct cursor c = cursor_of(body);

	*out = (struct peer_join){0};
	if (greeting_open(&c, version) != OK)
		return ERR_MALFORMED;
	if (*version != PEER_VERSION)
		return ERR_VERSION;
	out->token = cursor_fixed64(&c);
	out->id = cursor_fixed64(&c);
	out->rises = cursor_fixed8(&c);
	out->name = cursor_string(&c);
	out->address = cursor_string(&c);
	return cursor_done(&c) && out->id != 0 && out->rises <= 1 ? OK : ERR_MALFORMED;
}

int peer_joined_decode(struct slice body, struct peer_joined *out)
{
	struct cursor c = cursor_of(body);
	uint16_t version;

	*out = (struct peer_joined){0};
	if (greeting_open(&c, &version) != OK || version != PEER_VERSION)
		return ERR_MALFORMED;
	out->leader = cursor_fixed64(&c);
	out->membership = cursor_string(&c);
	return cursor_done(&c) ? OK : ERR_MALFORMED;
}

void peer_reader_init(struct peer_reader *r, size_t max)
{
	*r = (struct peer_reader){.max = max};
}

void peer_reader_close(struct peer_reader *r)
{
	blob_release(r->body);
	r->body = NULL;
}

static enum peer_outcome reader_break(struct peer_reader *r, const char *why)
{
	r->broken = why;
	peer_reader_close(r);
	return PEER_BROKEN;
}

static size_t take_bytes(uint8_t *to, struct slice *in, size_t wanted)
{
	size_t len = MIN(in->len, wanted);

	if (len == 0)
		return 0;
	memcpy(to, in->data, len);
	*in = slice_of(in->data + len, in->len - len);
	return len;
}

/* PEER_FRAME: the head is whole and its body begun. */
static enum peer_outcome reader_take_head(struct peer_reader *r, struct slice *in)
{
	uint32_t len;

	r->head_len += take_bytes(r->head + r->head_len, in, PEER_FRAME_HEAD - r->head_len);
	if (r->head_len < PEER_FRAME_HEAD)
		return PEER_MORE;
	len = fixed32_get(r->head);
	if (fixed32_get(r->head + 4) >> 8 != head_check(len, r->head[4]) &&
	    !MUTANT(frame_head_unchecked))
		return reader_break(r, "a frame's head is not what was sent");
	if (len > r->max)
		return reader_break(r, "a frame is larger than the limit");
	r->body = blob_new(len);
	r->body_len = 0;
	return PEER_FRAME;
}

enum peer_outcome peer_reader_take(struct peer_reader *r, struct slice *in, unsigned *kind,
				   struct blob **body)
{
	struct slice whole;

	if (r->broken)
		return PEER_BROKEN;
	if (!r->body) {
		enum peer_outcome outcome = reader_take_head(r, in);

		if (outcome != PEER_FRAME)
			return outcome;
	}
	r->body_len += take_bytes(r->body->data + r->body_len, in, r->body->len - r->body_len);
	if (r->body_len < r->body->len)
		return PEER_MORE;
	whole = slice_of(r->body->data, r->body->len);
	*kind = r->head[4];
	if (hash64_salted(whole, peer_frame_salt(*kind, whole.len)) != fixed64_get(r->head + 8) &&
	    !MUTANT(frame_unhashed))
		return reader_break(r, "a frame is not what was sent");
	*body = r->body;
	r->body = NULL;
	r->head_len = 0;
	return PEER_FRAME;
}

uint8_t *peer_reader_room(struct peer_reader *r, size_t *len)
{
	*len = r->body ? r->body->len - r->body_len : 0;
	return *len ? r->body->data + r->body_len : NULL;
}

void peer_reader_filled(struct peer_reader *r, size_t len)
{
	CHECK(r->body && len <= r->body->len - r->body_len);
	r->body_len += len;
}
