#include "sim/reply.h"

#include "base/check.h"
#include "resp/integer.h"
#include "sim/words.h"

#include <string.h>

/* The length of the first line without its end; SIZE_MAX if it has none yet. */
static size_t line_length(struct slice bytes)
{
	for (size_t i = 0; i + 1 < bytes.len; i++)
		if (bytes.data[i] == '\r' && bytes.data[i + 1] == '\n')
			return i;
	return SIZE_MAX;
}

static struct slice behind(struct slice bytes, size_t n)
{
	return slice_of(bytes.data + n, bytes.len - n);
}

/* One reply or the head of an array; `size` as reply_size, of the head alone. */
static size_t reply_head(struct slice bytes, struct reply *r)
{
	size_t line = line_length(bytes);
	struct slice text;

	*r = (struct reply){0};
	if (line == SIZE_MAX)
		return 0;
	if (line == 0 || !strchr("+-:$*%_", bytes.data[0]))
		return SIZE_MAX;
	r->type = (char)bytes.data[0];
	text = slice_of(bytes.data + 1, line - 1);
	if (r->type == '_') {
		r->type = '$';
		r->null = true;
		return line + 2;
	}
	if (r->type == '+' || r->type == '-') {
		r->text = text;
		return line + 2;
	}
	if (!resp_integer_parse(text, &r->number))
		return SIZE_MAX;
	if (r->type == ':')
		return line + 2;
	if (r->type == '%') {
		r->type = '*';
		r->number *= 2;
	}
	r->null = r->number == -1;
	if (r->number < -1)
		return SIZE_MAX;
	if (r->type == '*' || r->null)
		return line + 2;
	if (bytes.len < line + 2 + (size_t)r->number + 2)
		return 0;
	r->text = slice_of(bytes.data + line + 2, (size_t)r->number);
	return line + 2 + (size_t)r->number + 2;
}

size_t reply_size(struct slice bytes)
{
	uint64_t awaited = 1;
	size_t size = 0;

	while (awaited > 0) {
		struct reply r;
		size_t n = reply_head(behind(bytes, size), &r);

		if (n == 0 || n == SIZE_MAX)
			return n;
		awaited--;
		if (r.type == '*' && !r.null)
			awaited += (uint64_t)r.number;
		size += n;
	}
	return size;
}

struct reply reply_take(struct slice *bytes)
{
	struct reply r;
	size_t n = reply_head(*bytes, &r);

	CHECK(n > 0 && n != SIZE_MAX);
	*bytes = behind(*bytes, n);
	return r;
}

static void reply_plain_one(const struct reply *r, struct buf *out)
{
	if (r->null) {
		plain_null(out);
	} else if (r->type == ':') {
		plain_number(out, r->number);
	} else if (r->type == '*') {
		plain_array(out, (size_t)r->number);
	} else if (r->type == '$') {
		plain_bulk(out, r->text);
	} else {
		buf_append_byte(out, (uint8_t)r->type);
		buf_append_slice(out, r->text);
		buf_append_byte(out, '\n');
	}
}

void reply_plain(struct slice bytes, struct buf *out)
{
	while (bytes.len) {
		struct reply r = reply_take(&bytes);

		reply_plain_one(&r, out);
	}
}
