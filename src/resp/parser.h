#ifndef CONCLAVE_RESP_PARSER_H
#define CONCLAVE_RESP_PARSER_H

/*
 * Requests out of a stream of bytes: arrays of bulk strings and inline requests, as a Redis 7.0
 * server takes them. No socket, no copy: the caller owns the bytes and lends the parser a view of
 * all it has not consumed yet.
 *
 *	do {
 *		outcome = resp_parser_next(&parser, data + done, len - done, &found);
 *		... use found.argv ...
 *		done += found.consumed;
 *	} while (outcome != RESP_MORE && outcome != RESP_BROKEN);
 *
 * Between two calls the caller may move its bytes, drop those that were consumed and add new ones
 * behind; those that were seen and not consumed must come again, unchanged, at the beginning of
 * the next view. What was scanned is not scanned again, so a request that comes in many pieces
 * costs as much as one that comes whole, and it gives the same outcomes however it is cut.
 *
 * A request of more than `max_request_bytes` or `max_elements` is no protocol error: its bytes are
 * consumed as they come, and when its end has passed it is RESP_TOO_LARGE, so that the connection
 * stays open and in step. The parser never asks for more than
 * max_request_bytes + max_line_bytes + 2 bytes in one view.
 *
 * Where this differs from Redis 7.0: a NUL byte does not hide the end of its line; whether a line
 * is too long does not depend on how it was cut; more than `max_elements` elements are too large
 * (up to INT32_MAX, from where on they are an invalid length in Redis too).
 */

#include "resp/args.h"

/* So much of a command's name is known of a request that was too large. */
#define RESP_NAME_MAX 64

#define RESP_ERROR_MAX 64

struct resp_limits {
	size_t max_request_bytes; /* an array, first byte to last; above: too large */
	size_t max_elements;	  /* arguments; above: too large */
	size_t max_bulk_bytes;	  /* one argument; above: an invalid length */
	size_t max_line_bytes;	  /* a length or an inline request, without its end */
	size_t max_unauthenticated_elements;
	size_t max_unauthenticated_bulk_bytes;
};

#define RESP_LIMITS_DEFAULT                              \
	((struct resp_limits){                           \
		.max_request_bytes = (size_t)16 << 20,   \
		.max_elements = (size_t)1 << 20,         \
		.max_bulk_bytes = (size_t)512 << 20,     \
		.max_line_bytes = (size_t)64 << 10,      \
		.max_unauthenticated_elements = 10,      \
		.max_unauthenticated_bulk_bytes = 16384, \
	})

enum resp_outcome {
	RESP_MORE,	/* the view holds no further whole request */
	RESP_REQUEST,	/* one request */
	RESP_TOO_LARGE, /* one request ended that was too large to be kept */
	RESP_BROKEN, /* no protocol: answer the error and close; every later call says the same */
};

/* What a call found. Everything borrowed here is valid until the next call for the same parser. */
struct resp_found {
	size_t consumed; /* bytes at the front of the view that are done with; always set */
	size_t missing;	 /* MORE: no fewer bytes than these can change the outcome */
	size_t argc;	 /* REQUEST, TOO_LARGE: number of arguments, at least 1 */
	const struct slice *argv; /* REQUEST: they point into the view */
	struct slice name;	  /* TOO_LARGE: up to RESP_NAME_MAX bytes of the first argument */
	struct slice error;	  /* BROKEN: the error's text, from "ERR" on, without line end */
};

/* Of the fields the caller sets `unauthenticated` only. */
struct resp_parser {
	const struct resp_limits *limits; /* borrowed */
	bool unauthenticated; /* the stricter limits hold for lengths read from now on */

	int phase;
	bool too_large;
	size_t at;	  /* read up to here, from the first byte of the request that is in view */
	size_t scanned;	  /* bytes behind `at` that hold no end of line */
	size_t elements;  /* announced, and */
	size_t passed;	  /* those that are wholly read or skipped */
	size_t bulk_left; /* bytes of the bulk string at `at` with its line end, not yet read */
	struct resp_args args;
	uint8_t name[RESP_NAME_MAX];
	size_t name_len;
	char error[RESP_ERROR_MAX];
	size_t error_len;
};

/* An authenticated parser at the start of a stream. `limits` must outlive it; they may change. */
void resp_parser_init(struct resp_parser *p, const struct resp_limits *limits);

/* Gives the parser's memory back. */
void resp_parser_close(struct resp_parser *p);

/*
 * Looks for the next request in the `len` bytes at `data`, the whole of what is not consumed, and
 * describes it in `*found`; `data` may be NULL if `len` is 0. Empty requests (blank lines, arrays
 * of no elements) are passed over. The bytes are not const: escapes in an inline request are
 * replaced in place, in bytes that this call says are consumed.
 */
MUST_USE enum resp_outcome resp_parser_next(struct resp_parser *p, uint8_t *data, size_t len,
					    struct resp_found *found);

#endif
