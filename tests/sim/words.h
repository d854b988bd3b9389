#ifndef CONCLAVE_SIM_WORDS_H
#define CONCLAVE_SIM_WORDS_H

/* The words of a request, and replies as text that can be compared. */

#include "base/bytes.h"

#define WORDS_MAX 72

struct words {
	size_t count;
	size_t ends[WORDS_MAX]; /* of each, in `bytes` */
	struct buf bytes;
};

void words_add(struct words *w, struct slice word);

/* As printf writes it, each word behind a space. */
void words_print(struct words *w, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Fills argv[0 .. count), borrowed. */
void words_borrow(const struct words *w, struct slice argv[static WORDS_MAX]);

bool words_equal(const struct words *w, const struct slice *argv, size_t argc);

void words_free(struct words *w);

/*
 * Plain text of a reply: a line for each element, in one form for both protocols. The functions
 * append; what they append is what reply_plain makes of such a reply.
 *
 *	+text  -error  :number  $<bytes>:text  _ (null)  *elements
 *
 * What is expected may hold lines that leave something open:
 *
 *	?          any one element that has none of its own
 *	^text      a bulk string that begins so
 *	T<time>    what is left until this time: a number from 0 on
 */
void plain_simple(struct buf *out, const char *text);
void plain_error(struct buf *out, const char *text);
void plain_number(struct buf *out, int64_t number);
void plain_bulk(struct buf *out, struct slice text);
void plain_null(struct buf *out);
void plain_array(struct buf *out, size_t count);
void plain_any(struct buf *out);
/* Any number of elements, which are told one by one. */
void plain_some(struct buf *out);
/* The number of an author, and whatever is known of it. */
void plain_author(struct buf *out);
void plain_begins(struct buf *out, struct slice text);
void plain_time_left(struct buf *out, uint64_t until_ms);

/* Takes the first line, without its end. */
struct slice plain_take_line(struct slice *text);
/* What a line of a bulk string holds. */
struct slice plain_text(struct slice line);

/* Whether a reply is what was expected, at `now_ms` or later. */
bool plain_matches(struct slice expected, struct slice reply, uint64_t now_ms);

#endif
