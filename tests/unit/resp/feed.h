#ifndef CONCLAVE_UNIT_RESP_FEED_H
#define CONCLAVE_UNIT_RESP_FEED_H

/*
 * A caller of the parser that makes its life hard: each piece arrives in a new block of exactly
 * the size of what is unread, the old block is freed. Writes down every outcome, a line each, and
 * checks what the parser's header promises.
 */

#include "base/mem.h"
#include "escape.h"
#include "resp/parser.h"

struct feed {
	struct resp_parser parser;
	uint8_t *unread;
	size_t unread_len;
	size_t missing;		/* what the parser said last */
	size_t largest_request; /* the most bytes that one view had to hold */
	bool broken;
	struct buf log;
};

static inline void feed_init(struct feed *f, const struct resp_limits *limits, bool unauthenticated)
{
	*f = (struct feed){0};
	resp_parser_init(&f->parser, limits);
	f->parser.unauthenticated = unauthenticated;
}

static inline void feed_close(struct feed *f)
{
	resp_parser_close(&f->parser);
	mem_free(f->unread);
	buf_free(&f->log);
}

static inline void feed_log(struct feed *f, enum resp_outcome outcome,
			    const struct resp_found *found)
{
	if (outcome == RESP_REQUEST) {
		buf_printf(&f->log, "request");
		for (size_t i = 0; i < found->argc; i++) {
			buf_append_byte(&f->log, ' ');
			escape_quoted(&f->log, found->argv[i]);
		}
	} else if (outcome == RESP_TOO_LARGE) {
		buf_printf(&f->log, "too-large %zu ", found->argc);
		escape_quoted(&f->log, found->name);
	} else {
		buf_printf(&f->log, "broken ");
		escape_quoted(&f->log, found->error);
	}
	buf_append_byte(&f->log, '\n');
}

/* What holds of every answer to a view of `len` bytes at `data`. */
static inline void feed_check(enum resp_outcome outcome, const uint8_t *data, size_t len,
			      const struct resp_found *found)
{
	uintptr_t begin = (uintptr_t)data;

	CHECK(found->consumed <= len);
	CHECK((outcome == RESP_REQUEST) == (found->argv != NULL));
	CHECK((outcome == RESP_MORE) == (found->missing > 0));
	CHECK((outcome == RESP_BROKEN) == (found->error.len > 0));
	CHECK((outcome == RESP_REQUEST || outcome == RESP_TOO_LARGE) == (found->argc > 0));
	for (size_t i = 0; found->argv && i < found->argc; i++) {
		uintptr_t arg = (uintptr_t)found->argv[i].data;

		CHECK(arg >= begin && arg + found->argv[i].len <= begin + found->consumed);
		begin = arg + found->argv[i].len; /* in order, and apart */
	}
}

/* All that the parser finds in what is unread. */
static inline void feed_drain(struct feed *f, size_t added)
{
	size_t done = 0;
	enum resp_outcome outcome;

	do {
		struct resp_found found;
		uint8_t *data = f->unread + done;
		size_t len = f->unread_len - done;

		outcome = resp_parser_next(&f->parser, data, len, &found);
		feed_check(outcome, data, len, &found);
		CHECK(!f->broken || outcome == RESP_BROKEN);
		CHECK(outcome == RESP_MORE || added >= f->missing);
		if (outcome != RESP_MORE && !f->broken)
			feed_log(f, outcome, &found);
		added = len;
		f->missing = found.missing;
		f->broken = outcome == RESP_BROKEN;
		done += found.consumed;
	} while (outcome != RESP_MORE && outcome != RESP_BROKEN);
	f->unread_len -= done;
	memmove(f->unread, f->unread + done, f->unread_len);
	f->largest_request = MAX(f->largest_request, f->unread_len);
}

static inline void feed_push(struct feed *f, struct slice piece)
{
	uint8_t *view = mem_alloc(f->unread_len + piece.len);

	if (f->unread_len)
		memcpy(view, f->unread, f->unread_len);
	if (piece.len)
		memcpy(view + f->unread_len, piece.data, piece.len);
	mem_free(f->unread);
	f->unread = view;
	f->unread_len += piece.len;
	feed_drain(f, piece.len);
}

/* Ends the log with what is left over; the log says all there is to compare. */
static inline struct slice feed_end(struct feed *f)
{
	if (!f->broken)
		buf_printf(&f->log, "left %zu\n", f->unread_len);
	return buf_slice(&f->log);
}

#endif
