/*
 * Frames between members as they come from the network, cut anywhere: what comes out must not
 * depend on how it was cut, and a greeting that decodes must be the same bytes when it is written
 * again.
 *
 * Input: how long the pieces are, then the stream. A zero byte in place of the second asks for a
 * stream whose first frame is made good: only so do bodies get past the hash.
 */

#include "base/check.h"
#include "base/error.h"
#include "peer/peer_frame.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Before the body: length, kind and hash that fit. */
static void make_good(struct buf *out, unsigned kind, struct slice body)
{
	uint8_t head[PEER_FRAME_HEAD];

	peer_frame_put_head(head, kind, body.len,
			    hash64_salted(body, peer_frame_salt(kind, body.len)));
	buf_append(out, head, sizeof(head));
	buf_append_slice(out, body);
}

static void try_joining(struct slice body)
{
	struct peer_join join;
	struct peer_joined joined;
	struct buf again = {0};
	uint16_t version;

	if (peer_join_decode(body, &join, &version) == OK && body.len <= PEER_GREETING_MAX) {
		peer_join_encode(&join, &again);
		CHECK(slice_equal(
			slice_of(again.data + PEER_FRAME_HEAD, again.len - PEER_FRAME_HEAD), body));
	}
	buf_clear(&again);
	if (peer_joined_decode(body, &joined) == OK && body.len <= PEER_JOINED_MAX) {
		peer_joined_encode(&joined, &again);
		CHECK(slice_equal(
			slice_of(again.data + PEER_FRAME_HEAD, again.len - PEER_FRAME_HEAD), body));
	}
	buf_free(&again);
}

static void try_greetings(struct slice body)
{
	struct peer_welcome welcome;
	struct peer_hello hello;
	struct slice reason;
	struct buf again = {0};
	uint16_t version;

	if (peer_hello_decode(body, &hello, &version) == OK && body.len <= PEER_GREETING_MAX) {
		peer_hello_encode(&hello, &again);
		CHECK(slice_equal(
			slice_of(again.data + PEER_FRAME_HEAD, again.len - PEER_FRAME_HEAD), body));
	}
	buf_clear(&again);
	if (peer_welcome_decode(body, &welcome, &version) == OK && body.len <= PEER_GREETING_MAX) {
		peer_welcome_encode(&welcome, &again);
		CHECK(slice_equal(
			slice_of(again.data + PEER_FRAME_HEAD, again.len - PEER_FRAME_HEAD), body));
	}
	if (peer_refuse_decode(body, &reason) == OK)
		CHECK(reason.len <= body.len);
	buf_free(&again);
	try_joining(body);
}

/* Reads the stream in pieces of this length; returns a hash of all that came out. */
static uint64_t read_all(struct slice stream, size_t piece, bool direct)
{
	enum peer_outcome outcome = PEER_MORE;
	struct peer_reader r;
	uint64_t seen = 0;

	peer_reader_init(&r, 1 << 16);
	for (size_t at = 0; at < stream.len && outcome != PEER_BROKEN;) {
		struct slice in = slice_of(stream.data + at, MIN(piece, stream.len - at));
		size_t room = 0;
		uint8_t *to = direct ? peer_reader_room(&r, &room) : NULL;

		at += in.len;
		room = MIN(room, in.len);
		if (room) {
			memcpy(to, in.data, room);
			peer_reader_filled(&r, room);
			in = slice_of(in.data + room, in.len - room);
		}
		do {
			struct blob *body = NULL;
			unsigned kind = 0;

			outcome = peer_reader_take(&r, &in, &kind, &body);
			if (outcome == PEER_FRAME) {
				seen = hash64_salted(slice_of(body->data, body->len), seen + kind);
				try_greetings(slice_of(body->data, body->len));
			}
			blob_release(body);
		} while (outcome == PEER_FRAME);
		CHECK(outcome == PEER_BROKEN || in.len == 0);
	}
	CHECK((outcome == PEER_BROKEN) == (r.broken != NULL));
	peer_reader_close(&r);
	return hash64_pair(seen, outcome == PEER_BROKEN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf stream = {0};
	uint64_t whole;

	if (size < 3)
		return 0;
	if (data[1] == 0)
		make_good(&stream, data[2], slice_of(data + 3, size - 3));
	else
		buf_append(&stream, data + 2, size - 2);
	whole = read_all(buf_slice(&stream), stream.len, false);
	CHECK(read_all(buf_slice(&stream), (size_t)data[0] + 1, false) == whole);
	CHECK(read_all(buf_slice(&stream), (size_t)data[0] + 1, true) == whole);
	try_greetings(slice_of(data + 2, size - 2));
	buf_free(&stream);
	return 0;
}
