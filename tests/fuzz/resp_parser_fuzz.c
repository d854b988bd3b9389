/*
 * Any bytes to the request parser: they must mean the same in one piece and in many. The first
 * byte of the input chooses limits, the second says how many of the following are sizes of pieces,
 * used in turn; the rest is the stream. What the parser promises of each answer is checked in
 * feed.h, and the views are blocks of exactly their size, so that a look outside is a crash.
 */

#include "../unit/resp/feed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PIECES_MAX 15

static const struct resp_limits small_limits = {
	.max_request_bytes = 48,
	.max_elements = 5,
	.max_bulk_bytes = 300,
	.max_line_bytes = 24,
	.max_unauthenticated_elements = 3,
	.max_unauthenticated_bulk_bytes = 20,
};

static const struct resp_limits default_limits = {
	.max_request_bytes = (size_t)16 << 20,
	.max_elements = (size_t)1 << 20,
	.max_bulk_bytes = (size_t)512 << 20,
	.max_line_bytes = (size_t)64 << 10,
	.max_unauthenticated_elements = 10,
	.max_unauthenticated_bulk_bytes = 16384,
};

static void push_pieces(struct feed *f, struct slice stream, struct slice sizes)
{
	size_t turn = 0;

	for (size_t at = 0; at < stream.len;) {
		size_t piece = sizes.len ? sizes.data[turn++ % sizes.len] : 1;

		piece = MIN(MAX(piece, (size_t)1), stream.len - at);
		feed_push(f, slice_of(stream.data + at, piece));
		at += piece;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct resp_limits *limits;
	struct feed whole, cut;
	struct slice sizes, stream;
	bool unauthenticated;

	if (size < 2)
		return 0;
	limits = data[0] & 1 ? &small_limits : &default_limits;
	unauthenticated = data[0] & 2;
	sizes = slice_of(data + 2, MIN((size_t)data[1] & PIECES_MAX, size - 2));
	stream = slice_of(sizes.data + sizes.len, size - 2 - sizes.len);

	feed_init(&whole, limits, unauthenticated);
	feed_init(&cut, limits, unauthenticated);
	feed_push(&whole, stream);
	push_pieces(&cut, stream, sizes);
	CHECK(slice_equal(feed_end(&whole), feed_end(&cut)));
	CHECK(whole.unread_len <= limits->max_request_bytes + limits->max_line_bytes + 2);
	feed_close(&whole);
	feed_close(&cut);
	return 0;
}
