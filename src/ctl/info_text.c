#include "ctl/info_text.h"

#include "resp/integer.h"
#include "resp/reply.h"

#include <string.h>

struct slice info_text(struct slice reply)
{
	struct resp_item item;

	if (resp_item_take(reply.data, reply.len, &item) != RESP_REPLY_WHOLE || item.null ||
	    !item.text.data)
		return (struct slice){NULL, 0};
	return item.text;
}

struct slice info_field(struct slice text, const char *name)
{
	size_t len = strlen(name);

	while (text.len) {
		const uint8_t *end = memchr(text.data, '\r', text.len);
		size_t line = end ? (size_t)(end - text.data) : text.len;

		if (line > len && memcmp(text.data, name, len) == 0 && text.data[len] == ':')
			return slice_of(text.data + len + 1, line - len - 1);
		line = MIN(line + strlen("\r\n"), text.len);
		text = slice_of(text.data + line, text.len - line);
	}
	return text;
}

uint64_t info_number(struct slice text, const char *name)
{
	int64_t value;

	return resp_integer_parse(info_field(text, name), &value) && value > 0 ? (uint64_t)value
									       : 0;
}
