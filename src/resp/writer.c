#include "resp/writer.h"

#include "base/check.h"
#include "resp/integer.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define CRLF SLICE_LITERAL("\r\n")

/* A type, a number, a line end. */
#define HEADER_MAX (1 + RESP_INTEGER_MAX + 2)

/* What an open header takes until it is closed: enough for one digit. */
#define HEADER_OPEN_LEN 4

static bool writer_is_old(const struct resp_writer *w)
{
	CHECK(w->protocol == 2 || w->protocol == 3);
	return w->protocol == 2;
}

static size_t header_put(uint8_t *at, uint8_t type, int64_t number)
{
	size_t len = 1 + resp_integer_format(at + 1, number);

	at[0] = type;
	at[len] = '\r';
	at[len + 1] = '\n';
	return len + 2;
}

/* Whether nobody wants the reply. */
static bool writer_is_muted(const struct resp_writer *w)
{
	return !w->out;
}

static void write_header(struct resp_writer *w, uint8_t type, int64_t number)
{
	buf_commit(w->out, header_put(buf_reserve(w->out, HEADER_MAX), type, number));
}

static bool is_line_end(uint8_t c)
{
	return c == '\r' || c == '\n';
}

/* Makes one line of all that was appended since `begin`. */
static void end_line(struct resp_writer *w, size_t begin)
{
	for (size_t i = begin; i < w->out->len; i++) {
		if (is_line_end(w->out->data[i]))
			w->out->data[i] = ' ';
	}
	buf_append_slice(w->out, CRLF);
}

void resp_write_simple(struct resp_writer *w, struct slice text)
{
	size_t begin;

	if (writer_is_muted(w))
		return;
	buf_append_byte(w->out, '+');
	begin = w->out->len;
	buf_append_slice(w->out, text);
	end_line(w, begin);
}

void resp_write_error(struct resp_writer *w, struct slice text)
{
	size_t begin;

	if (writer_is_muted(w))
		return;
	while (text.len > 0 && is_line_end(text.data[text.len - 1]))
		text.len--;
	while (text.len > 0 && is_line_end(text.data[0]))
		text = slice_of(text.data + 1, text.len - 1);
	buf_append_byte(w->out, '-');
	begin = w->out->len;
	buf_append_slice(w->out, text);
	end_line(w, begin);
}

void resp_write_errorf(struct resp_writer *w, const char *fmt, ...)
{
	struct buf text = {0};
	va_list args, again;
	int need;

	if (writer_is_muted(w))
		return;
	va_start(args, fmt);
	va_copy(again, args);
	need = vsnprintf(NULL, 0, fmt, args);
	CHECK(need >= 0);
	vsnprintf((char *)buf_reserve(&text, (size_t)need + 1), (size_t)need + 1, fmt, again);
	buf_commit(&text, (size_t)need);
	va_end(again);
	va_end(args);
	resp_write_error(w, buf_slice(&text));
	buf_free(&text);
}

void resp_write_integer(struct resp_writer *w, int64_t value)
{
	if (writer_is_muted(w))
		return;
	write_header(w, ':', value);
}

void resp_write_bulk(struct resp_writer *w, struct slice bytes)
{
	if (writer_is_muted(w))
		return;
	write_header(w, '$', (int64_t)bytes.len);
	buf_append_slice(w->out, bytes);
	buf_append_slice(w->out, CRLF);
}

void resp_write_null(struct resp_writer *w)
{
	if (writer_is_muted(w))
		return;
	buf_append_slice(w->out,
			 writer_is_old(w) ? SLICE_LITERAL("$-1\r\n") : SLICE_LITERAL("_\r\n"));
}

void resp_write_null_array(struct resp_writer *w)
{
	if (writer_is_muted(w))
		return;
	buf_append_slice(w->out,
			 writer_is_old(w) ? SLICE_LITERAL("*-1\r\n") : SLICE_LITERAL("_\r\n"));
}

/* Protocol 3: a line of this type. Protocol 2: a bulk string. */
static void write_number_text(struct resp_writer *w, uint8_t type, struct slice text)
{
	if (writer_is_muted(w))
		return;
	if (writer_is_old(w)) {
		resp_write_bulk(w, text);
		return;
	}
	buf_append_byte(w->out, type);
	buf_append_slice(w->out, text);
	buf_append_slice(w->out, CRLF);
}

void resp_write_double(struct resp_writer *w, double value)
{
	char text[32];
	int len;

	if (writer_is_muted(w))
		return;
	if (isnan(value)) {
		write_number_text(w, ',', SLICE_LITERAL("nan"));
		return;
	}
	/* "inf" and "-inf" are what printf says, too. */
	len = snprintf(text, sizeof(text), "%.17g", value);
	CHECK(len > 0 && (size_t)len < sizeof(text));
	write_number_text(w, ',', slice_of(text, (size_t)len));
}

void resp_write_boolean(struct resp_writer *w, bool value)
{
	if (writer_is_muted(w))
		return;
	if (writer_is_old(w))
		resp_write_integer(w, value);
	else
		buf_append_slice(w->out, value ? SLICE_LITERAL("#t\r\n") : SLICE_LITERAL("#f\r\n"));
}

void resp_write_big_number(struct resp_writer *w, struct slice digits)
{
	write_number_text(w, '(', digits);
}

void resp_write_verbatim(struct resp_writer *w, const char format[static 3], struct slice text)
{
	if (writer_is_muted(w))
		return;
	if (writer_is_old(w)) {
		resp_write_bulk(w, text);
		return;
	}
	write_header(w, '=', (int64_t)text.len + 4);
	buf_append(w->out, format, 3);
	buf_append_byte(w->out, ':');
	buf_append_slice(w->out, text);
	buf_append_slice(w->out, CRLF);
}

void resp_write_raw(struct resp_writer *w, struct slice bytes)
{
	if (writer_is_muted(w))
		return;
	buf_append_slice(w->out, bytes);
}

/* `type` is that of protocol 3; protocol 2 knows arrays only. */
static size_t elements_put(const struct resp_writer *w, uint8_t *at, uint8_t type, size_t number)
{
	CHECK(number <= INT64_MAX / 2);
	if (!writer_is_old(w))
		return header_put(at, type, (int64_t)number);
	return header_put(at, '*', (int64_t)(type == '%' ? 2 * number : number));
}

static void write_elements(struct resp_writer *w, uint8_t type, size_t number)
{
	if (writer_is_muted(w))
		return;
	buf_commit(w->out, elements_put(w, buf_reserve(w->out, HEADER_MAX), type, number));
}

void resp_write_array(struct resp_writer *w, size_t elements)
{
	write_elements(w, '*', elements);
}

void resp_write_set(struct resp_writer *w, size_t elements)
{
	write_elements(w, '~', elements);
}

void resp_write_push(struct resp_writer *w, size_t elements)
{
	write_elements(w, '>', elements);
}

void resp_write_map(struct resp_writer *w, size_t pairs)
{
	write_elements(w, '%', pairs);
}

static struct resp_open open_elements(struct resp_writer *w, uint8_t type)
{
	struct resp_open open = {.type = type};

	if (writer_is_muted(w))
		return open;
	open.at = w->out->len;
	buf_reserve(w->out, HEADER_OPEN_LEN);
	buf_commit(w->out, HEADER_OPEN_LEN);
	return open;
}

struct resp_open resp_open_array(struct resp_writer *w)
{
	return open_elements(w, '*');
}

struct resp_open resp_open_set(struct resp_writer *w)
{
	return open_elements(w, '~');
}

struct resp_open resp_open_push(struct resp_writer *w)
{
	return open_elements(w, '>');
}

struct resp_open resp_open_map(struct resp_writer *w)
{
	return open_elements(w, '%');
}

/* Where the number has more than one digit, all that is behind moves once. */
void resp_close(struct resp_writer *w, struct resp_open open, size_t number)
{
	uint8_t header[HEADER_MAX];
	size_t len, extra;

	if (writer_is_muted(w))
		return;
	len = elements_put(w, header, open.type, number);
	extra = len - HEADER_OPEN_LEN;
	CHECK(open.at + HEADER_OPEN_LEN <= w->out->len);
	if (extra > 0) {
		size_t behind = w->out->len - open.at - HEADER_OPEN_LEN;
		uint8_t *from;

		buf_reserve(w->out, extra);
		from = w->out->data + open.at + HEADER_OPEN_LEN;
		memmove(from + extra, from, behind);
		buf_commit(w->out, extra);
	}
	memcpy(w->out->data + open.at, header, len);
}
