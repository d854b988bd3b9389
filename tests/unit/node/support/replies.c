#include "replies.h"

#include <string.h>

/* The number that stands between a reply's first byte and the end of its line. */
static size_t number_in(const uint8_t *at, const uint8_t *end)
{
	size_t number = 0;

	for (at++; at < end && *at >= '0' && *at <= '9'; at++)
		number = number * 10 + (size_t)(*at - '0');
	return number;
}

size_t reply_len(const uint8_t *data, size_t len)
{
	size_t at = 0;

	for (size_t left = 1; left > 0; left--) {
		const uint8_t *end = memchr(data + at, '\n', len - at);
		const uint8_t *begin = data + at;
		size_t number;

		if (!end || end <= begin + 1 || end[-1] != '\r' || !strchr("+-:$*_,#(=%~", *begin))
			return 0;
		at = (size_t)(end - data) + 1;
		number = number_in(begin, end);
		if ((*begin == '$' || *begin == '=') && begin[1] != '-')
			at += number + 2;
		else if (*begin == '*' || *begin == '~')
			left += number;
		else if (*begin == '%')
			left += 2 * number;
		if (at > len)
			return 0;
	}
	return at;
}
