/* Databases and the store as a whole. */

#include "base/error.h"
#include "command/family.h"
#include "resp/integer.h"

static int database_dbsize(struct call *c)
{
	uint64_t count;
	int rc = txn_key_count(c->txn, c->database, &count);

	return rc == OK ? reply_integer(c, (int64_t)count) : rc;
}

static int database_revision(struct call *c)
{
	if (c->argc > 2 || (c->argc == 2 && !argument_is(c->argv[1], "LAST")))
		return reply_syntax(c);
	if (c->argc == 2 && !c->changed_at) {
		resp_write_null(c->reply);
		return OK;
	}
	if (c->argc == 2)
		return reply_integer(c, (int64_t)c->changed_at);
	return reply_integer(c, (int64_t)c->txn->position.revision);
}

/* SYNC or ASYNC: what is emptied is out of sight at once, either way. */
static int flush_takes(struct call *c)
{
	if (c->argc == 1 ||
	    (c->argc == 2 && (argument_is(c->argv[1], "SYNC") || argument_is(c->argv[1], "ASYNC"))))
		return OK;
	return reply_syntax(c);
}

/* A database that is empty already is not emptied again: no feed hears of it. */
static int flush(struct call *c, unsigned database)
{
	uint64_t count;
	int rc = txn_key_count(c->txn, database, &count);

	if (rc == OK && count)
		txn_flush_database(c->txn, database);
	return rc;
}

static int database_flushdb(struct call *c)
{
	int rc = flush_takes(c);

	if (rc != OK)
		return rc;
	rc = flush(c, c->database);
	return rc == OK ? reply_ok(c) : rc;
}

static int database_flushall(struct call *c)
{
	int rc = flush_takes(c);

	for (unsigned i = 0; i < DATABASE_COUNT && rc == OK; i++)
		rc = flush(c, i);
	return rc == OK ? reply_ok(c) : rc;
}

static int database_swapdb(struct call *c)
{
	int64_t a, b;

	if (!resp_integer_parse(c->argv[1], &a) || a < INT32_MIN || a > INT32_MAX)
		return reply_error(c, "ERR invalid first DB index");
	if (!resp_integer_parse(c->argv[2], &b) || b < INT32_MIN || b > INT32_MAX)
		return reply_error(c, "ERR invalid second DB index");
	if (a < 0 || a >= DATABASE_COUNT || b < 0 || b >= DATABASE_COUNT)
		return reply_error(c, "ERR DB index is out of range");
	if (a != b)
		txn_swap_databases(c->txn, (unsigned)a, (unsigned)b);
	return reply_ok(c);
}

static const struct command rows[] = {
	COMMAND_ROW("DBSIZE", 1, COMMAND_READ, COMMAND_FLAG_READONLY | COMMAND_FLAG_FAST,
		    database_dbsize, .categories = CATEGORY_KEYSPACE,
		    COMMAND_DOC(GROUP_SERVER, "1.0.0", "O(1)", "",
				"Counts the keys of the database",
				.tips = "request_policy:all_shards response_policy:agg_sum")),
	COMMAND_ROW(
		"FLUSHALL", -1, COMMAND_WRITE, COMMAND_FLAG_WRITE, database_flushall,
		.categories = CATEGORY_DANGEROUS | CATEGORY_KEYSPACE,
		COMMAND_DOC(
			GROUP_SERVER, "1.0.0", "O(1)", "[ASYNC|SYNC]",
			"Deletes all keys of all databases",
			.tips = "request_policy:all_shards response_policy:all_succeeded",
			.differs =
				"The keys are out of sight at once; SYNC and ASYNC are the same")),
	COMMAND_ROW(
		"FLUSHDB", -1, COMMAND_WRITE, COMMAND_FLAG_WRITE, database_flushdb,
		.categories = CATEGORY_DANGEROUS | CATEGORY_KEYSPACE,
		COMMAND_DOC(
			GROUP_SERVER, "1.0.0", "O(1)", "[ASYNC|SYNC]",
			"Deletes all keys of the database",
			.tips = "request_policy:all_shards response_policy:all_succeeded",
			.differs =
				"The keys are out of sight at once; SYNC and ASYNC are the same")),
	COMMAND_ROW(
		"REVISION", -1, COMMAND_READ, COMMAND_FLAG_READONLY | COMMAND_FLAG_FAST,
		database_revision,
		COMMAND_DOC(GROUP_HISTORY, "0.1.0", "O(1)", "[LAST]",
			    "Tells the newest revision, or that of this connection's last change",
			    .of_member = true)),
	COMMAND_ROW("SWAPDB", 3, COMMAND_WRITE, COMMAND_FLAG_WRITE | COMMAND_FLAG_FAST,
		    database_swapdb, .categories = CATEGORY_DANGEROUS | CATEGORY_KEYSPACE,
		    COMMAND_DOC(GROUP_SERVER, "4.0.0", "O(1)", "index1 index2",
				"Exchanges two databases")),
};

const struct command_family database_family = COMMAND_FAMILY(rows);
