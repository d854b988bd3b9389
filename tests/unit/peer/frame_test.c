#include "peer/peer_frame.h"

#include "base/codec.h"
#include "base/error.h"
#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void append_frame(struct buf *out, unsigned kind, struct slice body)
{
	uint8_t head[PEER_FRAME_HEAD];

	peer_frame_put_head(head, kind, body.len,
			    hash64_salted(body, peer_frame_salt(kind, body.len)));
	buf_append(out, head, sizeof(head));
	buf_append_slice(out, body);
}

static uint8_t byte_of(unsigned frame, size_t at)
{
	return (uint8_t)(frame * 31 + at * 7);
}

static size_t len_of(unsigned frame)
{
	static const size_t lens[] = {0, 1, 15, 16, 17, 300, 5000};

	return lens[frame % ARRAY_LEN(lens)];
}

static void append_frames(struct buf *out, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct buf body = {0};

		for (size_t at = 0; at < len_of(i); at++)
			buf_append_byte(&body, byte_of(i, at));
		append_frame(out, 1 + i % 4, buf_slice(&body));
		buf_free(&body);
	}
}

static void check_frame(unsigned number, unsigned kind, const struct blob *body)
{
	assert_int_equal(kind, 1 + number % 4);
	assert_int_equal(body->len, len_of(number));
	for (size_t at = 0; at < body->len; at++)
		assert_int_equal(body->data[at], byte_of(number, at));
}

/* Gives the reader `piece` bytes, the first part of them through its room if `direct`. */
static unsigned feed(struct peer_reader *r, struct slice piece, bool direct, unsigned next)
{
	size_t room = 0;
	uint8_t *to = direct ? peer_reader_room(r, &room) : NULL;

	room = MIN(room, piece.len);
	for (size_t i = 0; i < room; i++)
		to[i] = piece.data[i];
	if (room)
		peer_reader_filled(r, room);
	piece = slice_of(piece.data + room, piece.len - room);
	for (;;) {
		struct blob *body = NULL;
		unsigned kind = 0;
		enum peer_outcome outcome = peer_reader_take(r, &piece, &kind, &body);

		assert_int_not_equal(outcome, PEER_BROKEN);
		if (outcome == PEER_MORE)
			break;
		check_frame(next++, kind, body);
		blob_release(body);
	}
	assert_int_equal(piece.len, 0);
	return next;
}

static void frames_come_back_however_they_are_cut(void **state)
{
	enum { COUNT = 40 };
	struct buf bytes = {0};
	struct random random;

	(void)state;
	append_frames(&bytes, COUNT);
	random_seed(&random, 1);
	for (unsigned round = 0; round < 300; round++) {
		struct peer_reader r;
		unsigned next = 0;

		peer_reader_init(&r, PEER_FRAME_MAX);
		for (size_t at = 0; at < bytes.len;) {
			size_t len = random_between(&random, 1, round < 100 ? 20 : 3000);

			len = MIN(len, bytes.len - at);
			next = feed(&r, slice_of(bytes.data + at, len),
				    random_chance(&random, 500000), next);
			at += len;
		}
		assert_int_equal(next, COUNT);
		peer_reader_close(&r);
	}
	buf_free(&bytes);
}

static void every_flipped_bit_is_found(void **state)
{
	struct buf bytes = {0};

	(void)state;
	append_frame(&bytes, 1, SLICE_LITERAL("some bytes"));
	for (size_t bit = 0; bit < bytes.len * 8; bit++) {
		struct slice in = buf_slice(&bytes);
		struct blob *body = NULL;
		struct peer_reader r;
		unsigned kind;

		bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		peer_reader_init(&r, 1000);
		/* Also in a length: no more is waited for. */
		assert_int_equal(peer_reader_take(&r, &in, &kind, &body), PEER_BROKEN);
		peer_reader_close(&r);
		bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	buf_free(&bytes);
}

static void a_frame_beyond_the_limit_is_refused_by_its_head(void **state)
{
	uint8_t head[PEER_FRAME_HEAD];
	struct slice in = slice_of(head, sizeof(head));
	struct blob *body = NULL;
	struct peer_reader r;
	unsigned kind;

	(void)state;
	peer_frame_put_head(head, 1, 101, 0);
	peer_reader_init(&r, 100);
	assert_int_equal(peer_reader_take(&r, &in, &kind, &body), PEER_BROKEN);
	assert_non_null(r.broken);
	/* And it stays so. */
	in = slice_of(head, sizeof(head));
	assert_int_equal(peer_reader_take(&r, &in, &kind, &body), PEER_BROKEN);
	peer_reader_close(&r);
}

static struct slice body_of(const struct buf *frame)
{
	return slice_of(frame->data + PEER_FRAME_HEAD, frame->len - PEER_FRAME_HEAD);
}

static void greetings_come_back_and_cut_ones_do_not(void **state)
{
	struct peer_hello hello = {
		.channel = PEER_BULK,
		.token = peer_token(SLICE_LITERAL("token")),
		.id = 7,
		.name = SLICE_LITERAL("n1"),
		.expected = SLICE_LITERAL("n2"),
		.address = SLICE_LITERAL("127.0.0.1:16379"),
	};
	struct peer_hello got;
	struct buf bytes = {0};
	uint16_t version;

	(void)state;
	peer_hello_encode(&hello, &bytes);
	assert_int_equal(peer_hello_decode(body_of(&bytes), &got, &version), OK);
	assert_int_equal(version, PEER_VERSION);
	assert_int_equal(got.channel, PEER_BULK);
	assert_true(got.token == hello.token && got.id == 7);
	assert_true(slice_equal(got.name, hello.name));
	assert_true(slice_equal(got.expected, hello.expected));
	assert_true(slice_equal(got.address, hello.address));
	for (size_t len = 0; len < body_of(&bytes).len; len++)
		assert_int_equal(
			peer_hello_decode(slice_of(body_of(&bytes).data, len), &got, &version),
			ERR_MALFORMED);
	buf_free(&bytes);
}

static void a_welcome_and_a_refusal_come_back(void **state)
{
	struct peer_welcome welcome = {.id = 9, .name = SLICE_LITERAL("n2")}, got;
	struct buf bytes = {0};
	struct slice reason;
	uint16_t version;

	(void)state;
	peer_welcome_encode(&welcome, &bytes);
	assert_int_equal(peer_welcome_decode(body_of(&bytes), &got, &version), OK);
	assert_true(got.id == 9 && slice_equal(got.name, welcome.name));
	buf_clear(&bytes);
	peer_refuse_encode(SLICE_LITERAL("go away"), &bytes);
	assert_int_equal(peer_refuse_decode(body_of(&bytes), &reason), OK);
	assert_true(slice_equal(reason, SLICE_LITERAL("go away")));
	assert_int_equal(peer_welcome_decode(body_of(&bytes), &got, &version), ERR_MALFORMED);
	buf_free(&bytes);
}

static void who_joins_is_read_whole_or_not_at_all(void **state)
{
	struct peer_join join = {.token = 1,
				 .id = 2,
				 .rises = 1,
				 .name = SLICE_LITERAL("n4"),
				 .address = SLICE_LITERAL("a:1")},
			 back;
	struct peer_joined joined = {.leader = 3, .membership = SLICE_LITERAL("members")}, again;
	struct buf bytes = {0};
	uint16_t version;

	(void)state;
	peer_join_encode(&join, &bytes);
	for (size_t len = PEER_FRAME_HEAD; len < bytes.len; len++)
		assert_int_equal(peer_join_decode(slice_of(bytes.data + PEER_FRAME_HEAD,
							   len - PEER_FRAME_HEAD),
						  &back, &version),
				 ERR_MALFORMED);
	assert_int_equal(peer_join_decode(slice_of(bytes.data + PEER_FRAME_HEAD,
						   bytes.len - PEER_FRAME_HEAD),
					  &back, &version),
			 OK);
	assert_int_equal(back.id, 2);
	assert_true(slice_equal(back.address, join.address));
	buf_clear(&bytes);
	peer_joined_encode(&joined, &bytes);
	for (size_t len = PEER_FRAME_HEAD; len < bytes.len; len++)
		assert_int_equal(peer_joined_decode(slice_of(bytes.data + PEER_FRAME_HEAD,
							     len - PEER_FRAME_HEAD),
						    &again),
				 ERR_MALFORMED);
	assert_int_equal(peer_joined_decode(slice_of(bytes.data + PEER_FRAME_HEAD,
						     bytes.len - PEER_FRAME_HEAD),
					    &again),
			 OK);
	assert_true(slice_equal(again.membership, joined.membership));
	buf_free(&bytes);
}

static void another_version_is_told_from_rubbish_and_may_say_why(void **state)
{
	struct peer_hello hello = {.id = 7}, got;
	struct buf bytes = {0};
	struct slice reason;
	uint16_t version;

	(void)state;
	peer_hello_encode(&hello, &bytes);
	fixed16_put(bytes.data + PEER_FRAME_HEAD + 4, 77);
	assert_int_equal(peer_hello_decode(body_of(&bytes), &got, &version), ERR_VERSION);
	assert_int_equal(version, 77);
	bytes.data[PEER_FRAME_HEAD] ^= 1;
	assert_int_equal(peer_hello_decode(body_of(&bytes), &got, &version), ERR_MALFORMED);
	buf_clear(&bytes);
	peer_refuse_encode(SLICE_LITERAL("upgrade"), &bytes);
	fixed16_put(bytes.data + PEER_FRAME_HEAD + 4, 77);
	buf_append(&bytes, "more", 4);
	assert_int_equal(peer_refuse_decode(body_of(&bytes), &reason), OK);
	assert_true(slice_equal(reason, SLICE_LITERAL("upgrade")));
	buf_free(&bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_come_back_however_they_are_cut),
		cmocka_unit_test(every_flipped_bit_is_found),
		cmocka_unit_test(a_frame_beyond_the_limit_is_refused_by_its_head),
		cmocka_unit_test(greetings_come_back_and_cut_ones_do_not),
		cmocka_unit_test(a_welcome_and_a_refusal_come_back),
		cmocka_unit_test(who_joins_is_read_whole_or_not_at_all),
		cmocka_unit_test(another_version_is_told_from_rubbish_and_may_say_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
