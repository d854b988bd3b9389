/* Several strings with one command. */

#include "base/error.h"
#include "command/family.h"

static int string_mget(struct call *c)
{
	resp_write_array(c->reply, c->argc - 1);
	for (size_t i = 1; i < c->argc; i++) {
		struct record r;
		struct slice value;
		int rc = call_record(c, i, &r);

		if (rc == OK && record_is_string(&r))
			rc = txn_value(c->txn, &r, &value);
		if (rc != OK)
			return rc;
		if (record_is_string(&r))
			resp_write_bulk(c->reply, value);
		else
			resp_write_null(c->reply);
	}
	return OK;
}

/* One after the other: a key that is named twice gets the last value. */
static int set_all(struct call *c)
{
	struct record_terms terms = {0};

	for (size_t i = 1; i < c->argc; i += 2) {
		struct record r;
		int rc = call_record(c, i, &r);

		if (rc != OK)
			return rc;
		txn_set_string(c->txn, c->database, c->argv[i], &r, c->argv[i + 1], &terms);
	}
	return OK;
}

static int string_mset(struct call *c)
{
	int rc;

	if (c->argc % 2 == 0)
		return reply_wrong_arity(c);
	rc = set_all(c);
	return rc == OK ? reply_ok(c) : rc;
}

static int string_msetnx(struct call *c)
{
	int rc;

	if (c->argc % 2 == 0)
		return reply_wrong_arity(c);
	for (size_t i = 1; i < c->argc; i += 2) {
		struct record r;

		rc = call_record(c, i, &r);
		if (rc != OK)
			return rc;
		if (r.type != RECORD_NONE)
			return reply_integer(c, 0);
	}
	rc = set_all(c);
	return rc == OK ? reply_integer(c, 1) : rc;
}

#define GROWS (COMMAND_FLAG_WRITE | COMMAND_FLAG_DENYOOM)

static const struct command rows[] = {
	COMMAND_KEY_ROW("MGET", -2, COMMAND_READ, COMMAND_FLAG_READONLY | COMMAND_FLAG_FAST, 1, -1,
			1, string_mget, .key_use = KEY_RO | KEY_ACCESS,
			COMMAND_DOC(GROUP_STRING, "1.0.0", "O(N), N keys", "key [key ...]",
				    "Gives the strings under some keys",
				    .tips = "request_policy:multi_shard")),
	COMMAND_KEY_ROW(
		"MSET", -3, COMMAND_WRITE, GROWS, 1, -1, 2, string_mset,
		.key_use = KEY_OW | KEY_UPDATE,
		COMMAND_DOC(GROUP_STRING, "1.0.1", "O(N), N keys", "key value [key value ...]",
			    "Sets the strings under some keys",
			    .tips = "request_policy:multi_shard response_policy:all_succeeded")),
	COMMAND_KEY_ROW("MSETNX", -3, COMMAND_WRITE, GROWS, 1, -1, 2, string_msetnx,
			.key_use = KEY_OW | KEY_INSERT,
			COMMAND_DOC(GROUP_STRING, "1.0.1", "O(N), N keys",
				    "key value [key value ...]",
				    "Sets the strings under some keys if none of the keys is there",
				    .tips = "request_policy:multi_shard response_policy:agg_min")),
};

const struct command_family string_many_family = COMMAND_FAMILY(rows);
