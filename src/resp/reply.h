#ifndef CONCLAVE_RESP_REPLY_H
#define CONCLAVE_RESP_REPLY_H

/*
 * Replies out of a stream of bytes, as a client of either version of the protocol reads them. No
 * socket, no copy, no recursion: a reply is a row of items, in which an array, a map and the like
 * are followed by what is in them. Where a whole reply ends says resp_reply_next, what is in it
 *says resp_item_take, item after item:
 *
 *	while (resp_reply_next(&reply, bytes.data, bytes.len, &size) == RESP_REPLY_WHOLE) {
 *		for (at = 0; at < size; at += item.size)
 *			outcome = resp_item_take(bytes.data + at, size - at, &item);
 *		... drop `size` bytes ...
 *	}
 *
 * Strings and arrays that are streamed ("$?") are none that a server sends unasked: they are
 *broken.
 */

#include "base/bytes.h"

/* A line without its end, and a string; longer ones are broken. */
#define RESP_REPLY_LINE_MAX ((size_t)64 << 10)
#define RESP_REPLY_BULK_MAX ((size_t)1 << 30)

enum resp_reply_outcome {
	RESP_REPLY_MORE,   /* it is not whole yet */
	RESP_REPLY_WHOLE,  /* one was found */
	RESP_REPLY_BROKEN, /* no protocol */
};

struct resp_item {
	uint8_t type;	   /* its first byte: + - : $ * and _ # , ( ! = % ~ > | */
	bool null;	   /* no value: $-1, *-1 or _ */
	int64_t integer;   /* of : and # (1 or 0) */
	struct slice text; /* of all that have no items in them; an error with its code */
	uint64_t items;	   /* that belong to it and follow; a map has twice its pairs */
	size_t size;	   /* bytes of this item, without those that follow */
};

/* Takes the item that the `len` bytes at `data` begin with; `text` points into them. */
MUST_USE enum resp_reply_outcome resp_item_take(const uint8_t *data, size_t len,
						struct resp_item *item);

/* An error, of either kind. */
static inline bool resp_item_is_error(const struct resp_item *item)
{
	return item->type == '-' || item->type == '!';
}

/* What was read of a reply that is not whole. All zero is the beginning of one. */
struct resp_reply {
	size_t at;	  /* the items before it are read */
	uint64_t awaited; /* items that are still to come, once the first has been read */
};

/*
 * Looks for the end of the reply that begins at `data`. After RESP_REPLY_MORE the same bytes come
 * again with others behind them; what was passed is not read twice. After RESP_REPLY_WHOLE `*size`
 * bytes are the reply, and `r` is at the beginning of the next.
 */
MUST_USE enum resp_reply_outcome resp_reply_next(struct resp_reply *r, const uint8_t *data,
						 size_t len, size_t *size);

#endif
