/* Strings that are numbers. */

#include "base/check.h"
#include "base/error.h"
#include "command/family.h"
#include "resp/integer.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- whole numbers --------------------------------------------------------------------------- */

static int string_add(struct call *c, int64_t amount)
{
	struct record r;
	struct slice value;
	uint8_t text[RESP_INTEGER_MAX];
	int64_t number = 0;
	int rc = call_string(c, 1, &r, &value);

	if (rc != OK)
		return rc;
	if (r.type != RECORD_NONE && !resp_integer_parse(value, &number))
		return reply_not_integer(c);
	if (__builtin_add_overflow(number, amount, &number))
		return reply_error(c, "ERR increment or decrement would overflow");
	call_replace_string(c, 1, &r, slice_of(text, resp_integer_format(text, number)));
	return reply_integer(c, number);
}

static int string_incr(struct call *c)
{
	return string_add(c, 1);
}

static int string_decr(struct call *c)
{
	return string_add(c, -1);
}

static int string_incrby(struct call *c)
{
	int64_t amount;
	int rc = call_integer(c, 2, &amount);

	return rc == OK ? string_add(c, amount) : rc;
}

static int string_decrby(struct call *c)
{
	int64_t amount;
	int rc = call_integer(c, 2, &amount);

	if (rc != OK)
		return rc;
	if (amount == INT64_MIN)
		return reply_error(c, "ERR decrement would overflow");
	return string_add(c, -amount);
}

/* ---- fractions ------------------------------------------------------------------------------- */

/* The largest number has 4,933 digits before its point; 17 are written behind it. */
#define FRACTION_TEXT_MAX 5120

/* As Redis reads one: all that strtold reads, no blank before it, no NaN. */
static bool fraction_parse(struct slice s, long double *value)
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

/* With up to 17 digits behind the point and no zeroes at the end; never with an exponent. */
static size_t fraction_format(char text[static FRACTION_TEXT_MAX], long double value)
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

static int string_incrbyfloat(struct call *c)
{
	char text[FRACTION_TEXT_MAX];
	struct record r;
	struct slice value;
	long double number = 0, amount;
	int rc = call_string(c, 1, &r, &value);

	if (rc != OK)
		return rc;
	if ((r.type != RECORD_NONE && !fraction_parse(value, &number)) ||
	    !fraction_parse(c->argv[2], &amount))
		return reply_error(c, "ERR value is not a valid float");
	number += amount;
	if (isnan(number) || isinf(number))
		return reply_error(c, "ERR increment would produce NaN or Infinity");
	value = slice_of(text, fraction_format(text, number));
	call_replace_string(c, 1, &r, value);
	resp_write_bulk(c->reply, value);
	return OK;
}

#define NUMBER (COMMAND_FLAG_WRITE | COMMAND_FLAG_DENYOOM | COMMAND_FLAG_FAST)

static const struct command rows[] = {
	COMMAND_KEY_ROW("DECR", 2, COMMAND_WRITE, NUMBER, 1, 1, 1, string_decr,
			.key_use = KEY_RW | KEY_ACCESS | KEY_UPDATE,
			COMMAND_DOC(GROUP_STRING, WORK_FIXED, "1.0.0", "O(1)", "key",
				    "Takes one from the number under a key")),
	COMMAND_KEY_ROW("DECRBY", 3, COMMAND_WRITE, NUMBER, 1, 1, 1, string_decrby,
			.key_use = KEY_RW | KEY_ACCESS | KEY_UPDATE,
			COMMAND_DOC(GROUP_STRING, WORK_FIXED, "1.0.0", "O(1)", "key decrement",
				    "Takes a number from the number under a key")),
	COMMAND_KEY_ROW("INCR", 2, COMMAND_WRITE, NUMBER, 1, 1, 1, string_incr,
			.key_use = KEY_RW | KEY_ACCESS | KEY_UPDATE,
			COMMAND_DOC(GROUP_STRING, WORK_FIXED, "1.0.0", "O(1)", "key",
				    "Adds one to the number under a key")),
	COMMAND_KEY_ROW("INCRBY", 3, COMMAND_WRITE, NUMBER, 1, 1, 1, string_incrby,
			.key_use = KEY_RW | KEY_ACCESS | KEY_UPDATE,
			COMMAND_DOC(GROUP_STRING, WORK_FIXED, "1.0.0", "O(1)", "key increment",
				    "Adds a whole number to the number under a key")),
	COMMAND_KEY_ROW("INCRBYFLOAT", 3, COMMAND_WRITE, NUMBER, 1, 1, 1, string_incrbyfloat,
			.key_use = KEY_RW | KEY_ACCESS | KEY_UPDATE,
			COMMAND_DOC(GROUP_STRING, WORK_FIXED, "2.6.0", "O(1)",
				    "key increment:double",
				    "Adds a number, which may be a fraction, to that under a key")),
};

const struct command_family string_number_family = COMMAND_FAMILY(rows);
