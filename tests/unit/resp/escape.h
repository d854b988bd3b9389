#ifndef CONCLAVE_UNIT_RESP_ESCAPE_H
#define CONCLAVE_UNIT_RESP_ESCAPE_H

/* Bytes as one line of text and back: \r \n \t \\ \xHH, and \{3*ab} for ababab when reading. */

#include "base/bytes.h"
#include "base/check.h"
#include "base/hash.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* From here on a string is shown by its beginning, its length and its hash. */
#define ESCAPE_LONG 96

static inline void escape_bytes(struct buf *out, struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.data[i];

		if (c == '\r')
			buf_printf(out, "\\r");
		else if (c == '\n')
			buf_printf(out, "\\n");
		else if (c == '\t')
			buf_printf(out, "\\t");
		else if (c == '\\')
			buf_printf(out, "\\\\");
		else if (c < ' ' || c > '~')
			buf_printf(out, "\\x%02x", (unsigned)c);
		else
			buf_append_byte(out, c);
	}
}

/* In quotes, shortened if it is long. */
static inline void escape_quoted(struct buf *out, struct slice s)
{
	bool is_long = s.len > ESCAPE_LONG;

	buf_append_byte(out, '\'');
	escape_bytes(out, is_long ? slice_of(s.data, 8) : s);
	buf_append_byte(out, '\'');
	if (is_long)
		buf_printf(out, "...(%zu bytes, %016" PRIx64 ")", s.len, hash64(s));
}

static inline void unescape_bytes(struct buf *out, struct slice text);

/* Takes one escape from behind its backslash; returns how many bytes of text it took. */
static inline size_t unescape_one(struct buf *out, struct slice text)
{
	char hex[3] = {0};
	char *after;
	const uint8_t *close;
	unsigned long times;
	struct slice body;

	CHECK(text.len > 0);
	switch (text.data[0]) {
	case 'r':
		buf_append_byte(out, '\r');
		return 1;
	case 'n':
		buf_append_byte(out, '\n');
		return 1;
	case 't':
		buf_append_byte(out, '\t');
		return 1;
	case 'x':
		CHECK(text.len >= 3);
		memcpy(hex, text.data + 1, 2);
		buf_append_byte(out, (uint8_t)strtoul(hex, NULL, 16));
		return 3;
	case '{':
		times = strtoul((const char *)text.data + 1, &after, 10);
		close = memchr(text.data, '}', text.len);
		CHECK(close != NULL && *after == '*' && (const uint8_t *)after < close);
		body = slice_of(after + 1, (size_t)(close - (const uint8_t *)after) - 1);
		while (times-- > 0)
			unescape_bytes(out, body);
		return (size_t)(close - text.data) + 1;
	default:
		buf_append_byte(out, text.data[0]);
		return 1;
	}
}

static inline void unescape_bytes(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == '\\')
			i += unescape_one(out, slice_of(text.data + i + 1, text.len - i - 1));
		else
			buf_append_byte(out, text.data[i]);
	}
}

#endif
