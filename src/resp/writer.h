#ifndef CONCLAVE_RESP_WRITER_H
#define CONCLAVE_RESP_WRITER_H

/*
 * Replies as bytes, byte for byte as Redis 7.0 writes them, in the connection's version of the
 * protocol: a command says what it means, and what protocol 2 has no word for is written with the
 * words it has (a map as an array of twice the length, a double as a bulk string, ...).
 *
 * Nothing here checks that an array gets as many elements as it announced.
 */

#include "base/bytes.h"

struct resp_writer {
	struct buf *out; /* borrowed; everything is appended. NULL: nobody wants the reply */
	int protocol;	 /* 2 or 3 */
};

/* "+OK" and the like. Line ends in the text become blanks. */
void resp_write_simple(struct resp_writer *w, struct slice text);

/*
 * "-ERR ..." and the like: `text` is all that stands behind the minus, code included. Line ends at
 * its ends are dropped, others become blanks, so text from a user may be part of it.
 */
void resp_write_error(struct resp_writer *w, struct slice text);

/* The same with the text as printf would write it. */
void resp_write_errorf(struct resp_writer *w, const char *fmt, ...) PRINTF_LIKE(2, 3);

void resp_write_integer(struct resp_writer *w, int64_t value);
void resp_write_bulk(struct resp_writer *w, struct slice bytes);

/* No value, where a bulk string could have been: "$-1" or "_". */
void resp_write_null(struct resp_writer *w);

/* No value, where an array could have been: "*-1" or "_". */
void resp_write_null_array(struct resp_writer *w);

/* With 17 significant digits. In protocol 2 a bulk string. A NaN is "nan" whatever its sign. */
void resp_write_double(struct resp_writer *w, double value);

/* In protocol 2 the integer 1 or 0. */
void resp_write_boolean(struct resp_writer *w, bool value);

/* `digits` is a decimal number of any size. In protocol 2 a bulk string. */
void resp_write_big_number(struct resp_writer *w, struct slice digits);

/*
 * Text for people, in a format that three letters name ("txt", "mkd"). In protocol 2 a bulk string
 * of the text alone.
 */
void resp_write_verbatim(struct resp_writer *w, const char format[static 3], struct slice text);

/* Bytes that are protocol already. */
void resp_write_raw(struct resp_writer *w, struct slice bytes);

/* The beginnings of what has elements; the elements are written behind. */
void resp_write_array(struct resp_writer *w, size_t elements);
void resp_write_set(struct resp_writer *w, size_t elements);
void resp_write_push(struct resp_writer *w, size_t elements);

/* `pairs` times a key and a value follow. */
void resp_write_map(struct resp_writer *w, size_t pairs);

/*
 * The same when the number is known only at the end. They may be nested, the inner one closed
 * first; until the last is closed, bytes behind the first must stay in `out`.
 *
 *	struct resp_open open = resp_open_array(w);
 *	... elements ...
 *	resp_close(w, open, number);
 */
struct resp_open {
	size_t at;
	uint8_t type;
};

struct resp_open resp_open_array(struct resp_writer *w);
struct resp_open resp_open_set(struct resp_writer *w);
struct resp_open resp_open_push(struct resp_writer *w);
struct resp_open resp_open_map(struct resp_writer *w);

/* Puts the number in its place: of pairs for a map, of elements for the others. */
void resp_close(struct resp_writer *w, struct resp_open open, size_t number);

#endif
