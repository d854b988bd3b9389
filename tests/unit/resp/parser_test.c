/* What the scenarios cannot show: sizes, memory, and what the parser says besides its outcomes. */

#include "feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct resp_limits limits = {
	.max_request_bytes = (size_t)16 << 20,
	.max_elements = (size_t)1 << 20,
	.max_bulk_bytes = (size_t)512 << 20,
	.max_line_bytes = (size_t)64 << 10,
	.max_unauthenticated_elements = 10,
	.max_unauthenticated_bulk_bytes = 16384,
};

/* The parser of a test and the bytes it is given. */
struct stream {
	struct resp_parser parser;
	struct resp_found found;
	struct buf bytes;
};

static void stream_init(struct stream *s)
{
	*s = (struct stream){0};
	resp_parser_init(&s->parser, &limits);
}

static void stream_close(struct stream *s)
{
	resp_parser_close(&s->parser);
	buf_free(&s->bytes);
}

static void stream_add(struct stream *s, const char *text)
{
	buf_append_slice(&s->bytes, slice_of_text(text));
}

/* The next outcome; what it consumed is gone, so slices of a request are not to be looked at. */
static enum resp_outcome stream_next(struct stream *s)
{
	enum resp_outcome outcome =
		resp_parser_next(&s->parser, s->bytes.data, s->bytes.len, &s->found);

	feed_check(outcome, s->bytes.data, s->bytes.len, &s->found);
	buf_consume(&s->bytes, s->found.consumed);
	return outcome;
}

/* SET k and a value that makes the request `size` bytes long; at least 10 MB. */
static void make_request(struct buf *out, size_t size)
{
	static const char begin[] = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n";
	size_t len = size - (sizeof(begin) - 1) - strlen("$12345678\r\n") - strlen("\r\n");

	buf_printf(out, "%s$%zu\r\n", begin, len);
	memset(buf_reserve(out, len), 'v', len);
	buf_commit(out, len);
	buf_append(out, "\r\n", 2);
	assert_int_equal(out->len, size);
}

static void a_request_of_16_mib_is_taken_and_one_byte_more_is_too_large(void **state)
{
	struct stream s;

	(void)state;
	stream_init(&s);
	make_request(&s.bytes, limits.max_request_bytes);
	assert_int_equal(stream_next(&s), RESP_REQUEST);
	assert_int_equal(s.found.argc, 3);
	assert_int_equal(s.bytes.len, 0);

	make_request(&s.bytes, limits.max_request_bytes + 1);
	assert_int_equal(stream_next(&s), RESP_TOO_LARGE);
	assert_int_equal(s.found.argc, 3);
	assert_true(slice_equal(s.found.name, SLICE_LITERAL("SET")));
	assert_int_equal(s.bytes.len, 0);

	stream_add(&s, "PING\r\n");
	assert_int_equal(stream_next(&s), RESP_REQUEST);
	assert_int_equal(s.found.argc, 1);
	stream_close(&s);
}

static void an_argument_of_15_mib_may_come_in_a_thousand_pieces(void **state)
{
	const size_t size = (size_t)15 << 20;
	struct buf request = {0};
	struct stream s;
	size_t piece = size / 1000;

	(void)state;
	stream_init(&s);
	make_request(&request, size);
	for (size_t at = 0; at < size; at += piece) {
		size_t len = MIN(piece, size - at);
		bool last = at + len == size;

		buf_append(&s.bytes, request.data + at, len);
		assert_int_equal(resp_parser_next(&s.parser, s.bytes.data, s.bytes.len, &s.found),
				 last ? RESP_REQUEST : RESP_MORE);
		assert_int_equal(s.found.consumed, last ? size : 0);
		if (!last)
			assert_int_equal(s.found.missing, size - at - len);
	}
	assert_int_equal(s.found.argc, 3);
	assert_int_equal(s.found.argv[2].data[s.found.argv[2].len], '\r');
	assert_ptr_equal(s.found.argv[2].data + s.found.argv[2].len + 2, s.bytes.data + size);
	buf_free(&request);
	stream_close(&s);
}

/*
 * Gives a line byte by byte and turns every byte that was seen into an end of line: a parser that
 * looks at it again ends the line too early. (Nobody else may do this.)
 */
static void give_line_scribbled(struct stream *s, const char *line, uint8_t end)
{
	for (const char *c = line; *c; c++) {
		buf_append_byte(&s->bytes, (uint8_t)*c);
		assert_int_equal(stream_next(s), RESP_MORE);
		s->bytes.data[s->bytes.len - 1] = end;
	}
}

static void bytes_that_were_scanned_are_not_scanned_again(void **state)
{
	struct stream s;

	(void)state;
	stream_init(&s);
	give_line_scribbled(&s, "abcdefgh", '\n');
	stream_add(&s, "x\n");
	assert_int_equal(resp_parser_next(&s.parser, s.bytes.data, s.bytes.len, &s.found),
			 RESP_REQUEST);
	assert_int_equal(s.found.argc, 1);
	assert_int_equal(s.found.consumed, 10);
	buf_clear(&s.bytes);

	give_line_scribbled(&s, "*123", '\r');
	stream_add(&s, "\r\n");
	assert_int_equal(stream_next(&s), RESP_BROKEN);
	stream_close(&s);
}

static void what_is_too_large_is_never_kept(void **state)
{
	const size_t len = limits.max_bulk_bytes;
	static uint8_t piece[65536];
	struct stream s;

	(void)state;
	stream_init(&s);
	stream_add(&s, "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$536870912\r\n");
	assert_int_equal(stream_next(&s), RESP_MORE);
	assert_int_equal(s.bytes.len, 0);
	for (size_t at = 0; at < len; at += sizeof(piece)) {
		assert_int_equal(resp_parser_next(&s.parser, piece, sizeof(piece), &s.found),
				 RESP_MORE);
		assert_int_equal(s.found.consumed, sizeof(piece));
	}
	stream_add(&s, "\r\nPING\r\n");
	assert_int_equal(stream_next(&s), RESP_TOO_LARGE);
	assert_true(slice_equal(s.found.name, SLICE_LITERAL("SET")));
	assert_int_equal(s.found.argc, 3);
	assert_int_equal(stream_next(&s), RESP_REQUEST);
	assert_int_equal(stream_next(&s), RESP_MORE);
	stream_close(&s);
}

/* The worst case: every view ends in a line that is as long as it can be and not complete. */
static void no_view_has_to_hold_more_than_the_header_says(void **state)
{
	const struct resp_limits small = {
		.max_request_bytes = 1000,
		.max_elements = 1000,
		.max_bulk_bytes = 1000,
		.max_line_bytes = 100,
	};
	struct feed f;

	(void)state;
	feed_init(&f, &small, false);
	feed_push(&f, SLICE_LITERAL("*900\r\n"));
	for (size_t at = 6; at + 7 <= small.max_request_bytes; at += 7)
		feed_push(&f, SLICE_LITERAL("$1\r\na\r\n"));
	for (size_t i = 0; i <= small.max_line_bytes; i++)
		feed_push(&f, SLICE_LITERAL("$"));
	assert_true(f.broken);
	assert_true(f.largest_request > small.max_request_bytes);
	assert_true(f.largest_request <= small.max_request_bytes + small.max_line_bytes + 2);
	feed_close(&f);
}

static void a_million_arguments_are_taken_and_one_more_is_too_large(void **state)
{
	struct stream s;

	(void)state;
	stream_init(&s);
	for (size_t extra = 0; extra <= 1; extra++) {
		size_t count = limits.max_elements + extra;

		buf_printf(&s.bytes, "*%zu\r\n", count);
		for (size_t i = 0; i < count; i++)
			buf_append_slice(&s.bytes, SLICE_LITERAL("$1\r\na\r\n"));
		assert_int_equal(stream_next(&s), extra ? RESP_TOO_LARGE : RESP_REQUEST);
		assert_int_equal(s.found.argc, count);
		assert_int_equal(s.bytes.len, 0);
	}
	/* The next request does without the memory of this one. */
	stream_add(&s, "PING\r\n");
	assert_int_equal(stream_next(&s), RESP_REQUEST);
	assert_true(s.parser.args.spans_cap <= 1024 && s.parser.args.slices_cap <= 1024);
	stream_close(&s);
}

static void memory_is_used_again_for_the_next_request(void **state)
{
	const struct slice *argv = NULL;
	struct stream s;

	(void)state;
	stream_init(&s);
	for (int i = 0; i < 1000; i++) {
		stream_add(&s, "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\nSET k v\r\n");
		assert_int_equal(stream_next(&s), RESP_REQUEST);
		assert_true(i == 0 || s.found.argv == argv);
		argv = s.found.argv;
		assert_int_equal(stream_next(&s), RESP_REQUEST);
		assert_ptr_equal(s.found.argv, argv);
	}
	stream_close(&s);
}

static void a_broken_stream_stays_broken_and_swallows_all(void **state)
{
	struct stream s;

	(void)state;
	stream_init(&s);
	stream_add(&s, "*x\r\n*1\r\n$4\r\nPING\r\n");
	for (int i = 0; i < 3; i++) {
		assert_int_equal(stream_next(&s), RESP_BROKEN);
		assert_true(
			slice_equal(s.found.error,
				    SLICE_LITERAL("ERR Protocol error: invalid multibulk length")));
		assert_int_equal(s.bytes.len, 0);
		stream_add(&s, "PING\r\n");
	}
	assert_int_equal(resp_parser_next(&s.parser, NULL, 0, &s.found), RESP_BROKEN);
	stream_close(&s);
}

static void the_stricter_limits_hold_until_the_client_has_said_who_it_is(void **state)
{
	struct stream s;

	(void)state;
	stream_init(&s);
	s.parser.unauthenticated = true;
	stream_add(&s, "*1\r\n$4\r\nAUTH\r\n*11\r\n");
	for (int i = 0; i < 11; i++)
		stream_add(&s, "$1\r\na\r\n");
	stream_add(&s, "*11\r\n");
	assert_int_equal(stream_next(&s), RESP_REQUEST);
	s.parser.unauthenticated = false;
	assert_int_equal(stream_next(&s), RESP_REQUEST);
	assert_int_equal(s.found.argc, 11);
	s.parser.unauthenticated = true;
	assert_int_equal(stream_next(&s), RESP_BROKEN);
	stream_close(&s);
}

static void an_empty_view_is_nothing(void **state)
{
	struct stream s;

	(void)state;
	stream_init(&s);
	assert_int_equal(resp_parser_next(&s.parser, NULL, 0, &s.found), RESP_MORE);
	assert_int_equal(s.found.consumed, 0);
	assert_int_equal(s.found.missing, 1);
	/* Also between two arguments of a request that is skipped. */
	make_request(&s.bytes, limits.max_request_bytes + 1);
	s.bytes.data[1] = '4';
	assert_int_equal(stream_next(&s), RESP_MORE);
	assert_int_equal(s.bytes.len, 0);
	assert_int_equal(resp_parser_next(&s.parser, NULL, 0, &s.found), RESP_MORE);
	assert_int_equal(s.found.consumed, 0);
	stream_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_of_16_mib_is_taken_and_one_byte_more_is_too_large),
		cmocka_unit_test(an_argument_of_15_mib_may_come_in_a_thousand_pieces),
		cmocka_unit_test(bytes_that_were_scanned_are_not_scanned_again),
		cmocka_unit_test(what_is_too_large_is_never_kept),
		cmocka_unit_test(no_view_has_to_hold_more_than_the_header_says),
		cmocka_unit_test(a_million_arguments_are_taken_and_one_more_is_too_large),
		cmocka_unit_test(memory_is_used_again_for_the_next_request),
		cmocka_unit_test(a_broken_stream_stays_broken_and_swallows_all),
		cmocka_unit_test(the_stricter_limits_hold_until_the_client_has_said_who_it_is),
		cmocka_unit_test(an_empty_view_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
