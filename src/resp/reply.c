#include "resp/reply.h"

#include "resp/integer.h"

#include <string.h>

#define CRLF_LEN ((size_t)2)

/* The first line; `*len` bytes without its end. */
static enum resp_reply_outcome item_line(const uint8_t *data, size_t len, size_t *line_len)
{
	size_t searched = MIN(len, RESP_REPLY_LINE_MAX + 1);
	const uint8_t *end = searched ? memchr(data, '\r', searched) : NULL;

	if (!end)
		return searched > RESP_REPLY_LINE_MAX ? RESP_REPLY_BROKEN : RESP_REPLY_MORE;
	*line_len = (size_t)(end - data);
	if (len - *line_len < CRLF_LEN)
		return RESP_REPLY_MORE;
	return end[1] == '\n' ? RESP_REPLY_WHOLE : RESP_REPLY_BROKEN;
}

/* A length, or -1 for no value where the type knows one. */
static bool item_length(struct resp_item *item, struct slice line, size_t max, size_t *length)
{
	int64_t n;

	if (!resp_integer_parse(line, &n) || n < -1 || n > (int64_t)max)
		return false;
	if (n == -1) {
		item->null = true;
		*length = 0;
		return item->type == '$' || item->type == '*';
	}
	*length = (size_t)n;
	return true;
}

static enum resp_reply_outcome item_bulk(struct resp_item *item, const uint8_t *data, size_t len,
					 struct slice line)
{
	size_t length;

	if (!item_length(item, line, RESP_REPLY_BULK_MAX, &length))
		return RESP_REPLY_BROKEN;
	if (item->null)
		return RESP_REPLY_WHOLE;
	if (len - item->size < length + CRLF_LEN)
		return RESP_REPLY_MORE;
	item->text = slice_of(data + item->size, length);
	item->size += length + CRLF_LEN;
	return memcmp(data + item->size - CRLF_LEN, "\r\n", CRLF_LEN) == 0 ? RESP_REPLY_WHOLE
									   : RESP_REPLY_BROKEN;
}

static enum resp_reply_outcome item_aggregate(struct resp_item *item, struct slice line)
{
	bool paired = item->type == '%' || item->type == '|';
	size_t count;

	if (!item_length(item, line, INT32_MAX, &count))
		return RESP_REPLY_BROKEN;
	item->items = paired ? 2 * (uint64_t)count : count;
	return RESP_REPLY_WHOLE;
}

static enum resp_reply_outcome item_boolean(struct resp_item *item)
{
	bool yes = slice_equal(item->text, SLICE_LITERAL("t"));

	item->integer = yes;
	return yes || slice_equal(item->text, SLICE_LITERAL("f")) ? RESP_REPLY_WHOLE
								  : RESP_REPLY_BROKEN;
}

enum resp_reply_outcome resp_item_take(const uint8_t *data, size_t len, struct resp_item *item)
{
	size_t line_len = 0;
	enum resp_reply_outcome outcome = item_line(data, len, &line_len);
	struct slice line;

	if (outcome != RESP_REPLY_WHOLE)
		return outcome;
	if (line_len == 0)
		return RESP_REPLY_BROKEN;
	line = slice_of(data + 1, line_len - 1);
	*item = (struct resp_item){.type = data[0], .size = line_len + CRLF_LEN};
	switch (item->type) {
	case '$':
	case '!':
	case '=':
		return item_bulk(item, data, len, line);
	case '*':
	case '%':
	case '~':
	case '>':
	case '|':
		return item_aggregate(item, line);
	case ':':
		item->text = line;
		return resp_integer_parse(line, &item->integer) ? RESP_REPLY_WHOLE
								: RESP_REPLY_BROKEN;
	case '#':
		item->text = line;
		return item_boolean(item);
	case '_':
		item->null = true;
		return line.len == 0 ? RESP_REPLY_WHOLE : RESP_REPLY_BROKEN;
	case '+':
	case '-':
	case ',':
	case '(':
		item->text = line;
		return RESP_REPLY_WHOLE;
	default:
		return RESP_REPLY_BROKEN;
	}
}

enum resp_reply_outcome resp_reply_next(struct resp_reply *r, const uint8_t *data, size_t len,
					size_t *size)
{
	if (r->at == 0)
		r->awaited = 1;
	while (r->awaited > 0) {
		struct resp_item item;
		enum resp_reply_outcome outcome;

		/* At the end of the view there may be no byte to point at. */
		if (r->at == len)
			return RESP_REPLY_MORE;
		outcome = resp_item_take(data + r->at, len - r->at, &item);
		if (outcome != RESP_REPLY_WHOLE)
			return outcome;
		r->at += item.size;
		r->awaited += item.items;
		/* An attribute stands before the value that it is about. */
		if (item.type != '|')
			r->awaited--;
	}
	*size = r->at;
	*r = (struct resp_reply){0};
	return RESP_REPLY_WHOLE;
}
