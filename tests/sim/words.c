#include "sim/words.h"

#include "base/check.h"
#include "resp/integer.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- requests -------------------------------------------------------------------------------- */

void words_add(struct words *w, struct slice word)
{
	CHECK(w->count < WORDS_MAX);
	buf_append_slice(&w->bytes, word);
	w->ends[w->count++] = w->bytes.len;
}

void words_print(struct words *w, const char *fmt, ...)
{
	char text[512];
	const char *at = text;
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	CHECK(len >= 0 && (size_t)len < sizeof(text));
	while (*at) {
		size_t n = strcspn(at, " ");

		words_add(w, slice_of(at, n));
		at += n + (at[n] == ' ');
	}
}

void words_borrow(const struct words *w, struct slice argv[static WORDS_MAX])
{
	size_t at = 0;

	for (size_t i = 0; i < w->count; i++) {
		argv[i] = slice_of(w->bytes.data + at, w->ends[i] - at);
		at = w->ends[i];
	}
}

bool words_equal(const struct words *w, const struct slice *argv, size_t argc)
{
	struct slice own[WORDS_MAX];

	words_borrow(w, own);
	for (size_t i = 0; i < argc && i < w->count; i++)
		if (!slice_equal(own[i], argv[i]))
			return false;
	return argc == w->count;
}

void words_free(struct words *w)
{
	buf_free(&w->bytes);
	*w = (struct words){0};
}

/* ---- replies --------------------------------------------------------------------------------- */

void plain_simple(struct buf *out, const char *text)
{
	buf_printf(out, "+%s\n", text);
}

void plain_error(struct buf *out, const char *text)
{
	buf_printf(out, "-%s\n", text);
}

void plain_number(struct buf *out, int64_t number)
{
	buf_printf(out, ":%" PRId64 "\n", number);
}

void plain_bulk(struct buf *out, struct slice text)
{
	buf_printf(out, "$%zu:", text.len);
	buf_append_slice(out, text);
	buf_append_byte(out, '\n');
}

void plain_null(struct buf *out)
{
	buf_printf(out, "_\n");
}

void plain_array(struct buf *out, size_t count)
{
	buf_printf(out, "*%zu\n", count);
}

void plain_any(struct buf *out)
{
	buf_printf(out, "?\n");
}

void plain_some(struct buf *out)
{
	buf_printf(out, "#\n");
}

void plain_author(struct buf *out)
{
	buf_printf(out, "@\n");
}

void plain_begins(struct buf *out, struct slice text)
{
	buf_append_byte(out, '^');
	buf_append_slice(out, text);
	buf_append_byte(out, '\n');
}

void plain_time_left(struct buf *out, uint64_t until_ms)
{
	buf_printf(out, "T%" PRIu64 "\n", until_ms);
}

/* Bulk strings may hold ends of lines themselves. */
struct slice plain_take_line(struct slice *text)
{
	struct slice line = *text;
	size_t from = 0, len = 0;
	const uint8_t *end;

	if (text->len && text->data[0] == '$') {
		while (text->data[++from] != ':')
			len = len * 10 + (size_t)(text->data[from] - '0');
		from += len;
	}
	end = memchr(text->data + from, '\n', text->len - from);
	CHECK(end);
	line.len = (size_t)(end - text->data);
	*text = slice_of(end + 1, text->len - line.len - 1);
	return line;
}

struct slice plain_text(struct slice line)
{
	const uint8_t *colon = memchr(line.data, ':', line.len);

	return colon ? slice_of(colon + 1, (size_t)(line.data + line.len - colon - 1)) : line;
}

static struct slice behind(struct slice s, size_t n)
{
	return slice_of(s.data + n, s.len - n);
}

static bool time_left_matches(struct slice expected, struct slice line, uint64_t now_ms)
{
	int64_t until, left;

	return resp_integer_parse(behind(expected, 1), &until) && line.data[0] == ':' &&
	       resp_integer_parse(behind(line, 1), &left) && left >= 0 &&
	       left <= MAX(until - (int64_t)now_ms, 0);
}

static bool line_matches(struct slice expected, struct slice line, uint64_t now_ms)
{
	switch (expected.data[0]) {
	case '?':
		return line.data[0] != '*' && line.data[0] != '-';
	case '#':
		return line.data[0] == '*';
	case '@':
		return line.data[0] == ':';
	case 'T':
		return time_left_matches(expected, line, now_ms);
	case '^':
		line = line.data[0] == '$' ? behind(line, strcspn((const char *)line.data, ":"))
					   : line;
		return line.len >= expected.len &&
		       memcmp(line.data + 1, expected.data + 1, expected.len - 1) == 0;
	}
	return slice_equal(expected, line);
}

/* What is known of an author: a word of these, and what it says. */
static void skip_author(struct slice *reply)
{
	static const char *const words[] = {"$3:run", "$4:user", "$7:address", "$6:client"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		struct slice rest = *reply;

		if (rest.len && slice_equal(plain_take_line(&rest), slice_of_text(words[i]))) {
			(void)plain_take_line(&rest);
			*reply = rest;
		}
	}
}

bool plain_matches(struct slice expected, struct slice reply, uint64_t now_ms)
{
	while (expected.len && reply.len) {
		struct slice line = plain_take_line(&expected);

		if (!line_matches(line, plain_take_line(&reply), now_ms))
			return false;
		if (line.data[0] == '@')
			skip_author(&reply);
	}
	return expected.len == reply.len;
}
