/* Strings. */

#include "base/check.h"
#include "base/error.h"
#include "command/family.h"
#include "resp/integer.h"

static int string_get(struct call *c)
{
	struct record r;
	struct slice value;
	int rc = call_record(c, 1, &r);

	if (rc != OK)
		return rc;
	if (r.type == RECORD_NONE) {
		resp_write_null(c->reply);
		return OK;
	}
	if (r.type != RECORD_STRING)
		return reply_wrong_type(c);
	rc = txn_value(c->txn, &r, &value);
	if (rc != OK)
		return rc;
	resp_write_bulk(c->reply, value);
	return OK;
}

static int string_set(struct call *c)
{
	struct record_terms terms = {0};
	struct record r;
	int rc;

	rc = call_record(c, 1, &r);
	if (rc != OK)
		return rc;
	txn_set_string(c->txn, c->database, c->argv[1], &r, c->argv[2], &terms);
	return reply_ok(c);
}

static int string_add(struct call *c, int64_t amount)
{
	struct record_terms terms = {0};
	struct record r;
	struct slice value;
	uint8_t text[RESP_INTEGER_MAX];
	int64_t number = 0;
	int rc = call_record(c, 1, &r);

	if (rc != OK)
		return rc;
	if (r.type != RECORD_NONE && r.type != RECORD_STRING)
		return reply_wrong_type(c);
	if (r.type == RECORD_STRING) {
		rc = txn_value(c->txn, &r, &value);
		if (rc != OK)
			return rc;
		if (!resp_integer_parse(value, &number))
			return reply_not_integer(c);
	}
	if (__builtin_add_overflow(number, amount, &number))
		return reply_error(c, "ERR increment or decrement would overflow");
	terms.deadline_ms = r.deadline_ms;
	txn_set_string(c->txn, c->database, c->argv[1], &r,
		       slice_of(text, resp_integer_format(text, number)), &terms);
	resp_write_integer(c->reply, number);
	return OK;
}

static int string_incr(struct call *c)
{
	return string_add(c, 1);
}

#define WRITES (COMMAND_FLAG_WRITE | COMMAND_FLAG_DENYOOM)
#define READS  (COMMAND_FLAG_READONLY)

static const struct command rows[] = {
	{"GET", 2, COMMAND_READ, READS | COMMAND_FLAG_FAST, 1, 1, 1, string_get},
	{"INCR", 2, COMMAND_WRITE, WRITES | COMMAND_FLAG_FAST, 1, 1, 1, string_incr},
	{"SET", -3, COMMAND_WRITE, WRITES, 1, 1, 1, string_set},
};

const struct command_family string_family = COMMAND_FAMILY(rows);
