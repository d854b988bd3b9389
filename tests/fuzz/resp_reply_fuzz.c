/*
 * Any bytes to the reader of replies: they end at the same places in one piece and byte by byte,
 * and the items of a whole reply fill it. The views are blocks of exactly their size, so that a
 * look outside is a crash.
 */

#include "base/check.h"
#include "base/mem.h"
#include "resp/reply.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Byte by byte it would take the square of longer ones. */
#define SIZE_MAX_FUZZED 4096

/* The outcome for the bytes as a block of their own. */
static enum resp_reply_outcome next(struct resp_reply *r, const uint8_t *data, size_t len,
				    size_t *size)
{
	uint8_t *view = mem_alloc(MAX(len, (size_t)1));
	enum resp_reply_outcome outcome;

	if (len)
		memcpy(view, data, len);
	outcome = resp_reply_next(r, view, len, size);
	mem_free(view);
	return outcome;
}

static void walk(const uint8_t *data, size_t size)
{
	uint64_t awaited = 1;
	struct resp_item item;

	for (size_t at = 0; at < size; at += item.size) {
		CHECK(resp_item_take(data + at, size - at, &item) == RESP_REPLY_WHOLE);
		CHECK(item.size <= size - at);
		awaited += item.items - (item.type != '|');
	}
	CHECK(awaited == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct resp_reply whole = {0};
	enum resp_reply_outcome outcome = RESP_REPLY_WHOLE;
	size_t begin = 0;

	while (outcome == RESP_REPLY_WHOLE && size <= SIZE_MAX_FUZZED) {
		struct resp_reply cut = {0};
		enum resp_reply_outcome in_pieces = RESP_REPLY_MORE;
		size_t len = 0, len_in_pieces = 0;

		outcome = next(&whole, data + begin, size - begin, &len);
		for (size_t have = 0; have <= size - begin && in_pieces == RESP_REPLY_MORE; have++)
			in_pieces = next(&cut, data + begin, have, &len_in_pieces);
		CHECK(in_pieces == outcome && len_in_pieces == len);
		if (outcome == RESP_REPLY_WHOLE)
			walk(data + begin, len);
		begin += len;
	}
	return 0;
}
