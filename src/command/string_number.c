/* Strings that are numbers. */

#include "base/error.h"
#include "command/family.h"
#include "command/fraction.h"
#include "resp/integer.h"

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

static int string_incrbyfloat(struct call *c)
{
	char text[FRACTION_TEXT_MAX];
	struct record r;
	struct slice value;
	struct fraction number = {0}, amount;
	int rc = call_string(c, 1, &r, &value);

	if (rc != OK)
		return rc;
	if ((r.type != RECORD_NONE && !fraction_parse(value, &number)) ||
	    !fraction_parse(c->argv[2], &amount))
		return reply_error(c, "ERR value is not a valid float");
	if (!fraction_add(&number, &amount, &number))
		return reply_error(c, "ERR increment would produce NaN or Infinity");
	value = slice_of(text, fraction_format(text, &number));
	call_replace_string(c, 1, &r, value);
	resp_write_bulk(c->reply, value);
	return OK;
}

#define NUMBER (COMMAND_FLAG_WRITE | COMMAND_FLAG_DENYOOM | COMMAND_FLAG_FAST)

static const struct command rows[] = {
	COMMAND_KEY_ROW("DECR", 2, COMMAND_WRITE, NUMBER, 1, 1, 1, string_decr,
			.key_use = KEY_RW | KEY_ACCESS | KEY_UPDATE,
			COMMAND_DOC(GROUP_STRING, "1.0.0", "O(1)", "key",
				    "Takes one from the number under a key")),
	COMMAND_KEY_ROW("DECRBY", 3, COMMAND_WRITE, NUMBER, 1, 1, 1, string_decrby,
			.key_use = KEY_RW | KEY_ACCESS | KEY_UPDATE,
			COMMAND_DOC(GROUP_STRING, "1.0.0", "O(1)", "key decrement",
				    "Takes a number from the number under a key")),
	COMMAND_KEY_ROW("INCR", 2, COMMAND_WRITE, NUMBER, 1, 1, 1, string_incr,
			.key_use = KEY_RW | KEY_ACCESS | KEY_UPDATE,
			COMMAND_DOC(GROUP_STRING, "1.0.0", "O(1)", "key",
				    "Adds one to the number under a key")),
	COMMAND_KEY_ROW("INCRBY", 3, COMMAND_WRITE, NUMBER, 1, 1, 1, string_incrby,
			.key_use = KEY_RW | KEY_ACCESS | KEY_UPDATE,
			COMMAND_DOC(GROUP_STRING, "1.0.0", "O(1)", "key increment",
				    "Adds a whole number to the number under a key")),
	COMMAND_KEY_ROW("INCRBYFLOAT", 3, COMMAND_WRITE, NUMBER, 1, 1, 1, string_incrbyfloat,
			.key_use = KEY_RW | KEY_ACCESS | KEY_UPDATE,
			COMMAND_DOC(GROUP_STRING, "2.6.0", "O(1)", "key increment:double",
				    "Adds a number, which may be a fraction, to that under a key")),
};

const struct command_family string_number_family = COMMAND_FAMILY(rows);
