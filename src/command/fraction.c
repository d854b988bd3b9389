#include "command/fraction.h"

#include "base/check.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool fraction_parse(struct slice s, long double *value)
{
	char text[FRACTION_TEXT_MAX];
	char *end;

	if (s.len == 0 || s.len >= sizeof(text) || isspace(s.data[0]))
		return false;
	memcpy(text, s.data, s.len);
	text[s.len] = '\0';
	errno = 0;
	*value = strtold(text, &end);
	if ((size_t)(end - text) != s.len || isnan(*value))
		return false;
	return errno != ERANGE || !(isinf(*value) || fpclassify(*value) == FP_ZERO);
}

size_t fraction_format(char text[static FRACTION_TEXT_MAX], long double value)
{
	int written = snprintf(text, FRACTION_TEXT_MAX, "%.17Lf", value);
	size_t len = (size_t)written;

	CHECK(written > 0 && len < FRACTION_TEXT_MAX);
	while (text[len - 1] == '0')
		len--;
	if (text[len - 1] == '.')
		len--;
	if (len == 2 && text[0] == '-' && text[1] == '0') {
		text[0] = '0';
		len = 1;
	}
	return len;
}
