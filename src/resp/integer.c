#include "resp/integer.h"

#include <string.h>

bool resp_integer_parse(struct slice s, int64_t *value)
{
	bool negative = s.len > 0 && s.data[0] == '-';
	uint64_t limit = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
	uint64_t v = 0;
	size_t at = negative ? 1 : 0;

	if (s.len == 1 && s.data[0] == '0') {
		*value = 0;
		return true;
	}
	if (at == s.len || s.data[at] == '0')
		return false;
	for (; at < s.len; at++) {
		unsigned digit = (unsigned)s.data[at] - '0';

		if (digit > 9 || v > (limit - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*value = (int64_t)(negative ? 0 - v : v);
	return true;
}

size_t resp_integer_format(uint8_t *at, int64_t value)
{
	uint8_t digits[RESP_INTEGER_MAX];
	uint64_t v = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	size_t begin = sizeof(digits);

	do {
		digits[--begin] = (uint8_t)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	if (value < 0)
		digits[--begin] = '-';
	memcpy(at, digits + begin, sizeof(digits) - begin);
	return sizeof(digits) - begin;
}
