#include "resp/inline.h"

#include "base/error.h"

/* A word is read at `at` and written at `to`, which never overtakes it. */
struct words {
	uint8_t *line;
	size_t len;
	size_t at;
	size_t to;
};

static bool is_blank(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The value of a hexadecimal digit, or -1. */
static int hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static uint8_t unescaped(uint8_t c)
{
	switch (c) {
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	case 'b':
		return '\b';
	case 'a':
		return '\a';
	default:
		return c;
	}
}

static void words_put(struct words *w, uint8_t c, size_t used)
{
	w->line[w->to++] = c;
	w->at += used;
}

/* Passes the closing quote; whether it may stand there. */
static bool words_close_quote(struct words *w)
{
	w->at++;
	return w->at == w->len || is_blank(w->line[w->at]);
}

static void words_take_escape(struct words *w)
{
	const uint8_t *p = w->line + w->at + 1;

	if (w->len - w->at >= 4 && p[0] == 'x' && hex_value(p[1]) >= 0 && hex_value(p[2]) >= 0)
		words_put(w, (uint8_t)(hex_value(p[1]) * 16 + hex_value(p[2])), 4);
	else
		words_put(w, unescaped(p[0]), 2);
}

static bool words_take_double(struct words *w)
{
	while (w->at < w->len) {
		uint8_t c = w->line[w->at];

		if (c == '"')
			return words_close_quote(w);
		if (c == '\\' && w->at + 1 < w->len)
			words_take_escape(w);
		else
			words_put(w, c, 1);
	}
	return false;
}

static bool words_take_single(struct words *w)
{
	while (w->at < w->len) {
		uint8_t c = w->line[w->at];

		if (c == '\'')
			return words_close_quote(w);
		if (c == '\\' && w->at + 1 < w->len && w->line[w->at + 1] == '\'')
			words_put(w, '\'', 2);
		else
			words_put(w, c, 1);
	}
	return false;
}

static bool words_take(struct words *w)
{
	while (w->at < w->len) {
		uint8_t c = w->line[w->at];

		switch (c) {
		case ' ':
		case '\n':
		case '\r':
		case '\t':
			return true;
		case '"':
			w->at++;
			return words_take_double(w);
		case '\'':
			w->at++;
			return words_take_single(w);
		default:
			/* Also \v and \f, which are blanks only between words: Redis' rule. */
			words_put(w, c, 1);
		}
	}
	return true;
}

int resp_inline_split(uint8_t *line, size_t len, struct resp_args *args)
{
	struct words w = {.line = line, .len = len};

	for (;;) {
		size_t begin;

		while (w.at < len && is_blank(line[w.at]))
			w.at++;
		if (w.at == len)
			return OK;
		begin = w.to = w.at;
		if (!words_take(&w))
			return ERR_MALFORMED;
		resp_args_add(args, begin, w.to - begin);
	}
}
