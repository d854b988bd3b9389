/* What handlers have in common: arguments, usual replies, records. */

#include "base/error.h"
#include "command/family.h"

#include <string.h>
#include <strings.h>

bool argument_is(struct slice argument, const char *word)
{
	return strlen(word) == argument.len &&
	       strncasecmp((const char *)argument.data, word, argument.len) == 0;
}

int reply_ok(struct call *c)
{
	resp_write_simple(c->reply, SLICE_LITERAL("OK"));
	return OK;
}

int reply_integer(struct call *c, int64_t value)
{
	resp_write_integer(c->reply, value);
	return OK;
}

int reply_error(struct call *c, const char *text)
{
	resp_write_error(c->reply, slice_of_text(text));
	return OK;
}

int reply_wrong_type(struct call *c)
{
	return reply_error(c, "WRONGTYPE Operation against a key holding the wrong kind of value");
}

int reply_syntax(struct call *c)
{
	return reply_error(c, "ERR syntax error");
}

int reply_not_integer(struct call *c)
{
	return reply_error(c, "ERR value is not an integer or out of range");
}

int call_record(struct call *c, size_t at, struct record *r)
{
	int rc = txn_record(c->txn, c->database, c->argv[at], r);

	return rc == ERR_NOT_FOUND ? OK : rc;
}
