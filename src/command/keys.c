/* Keys of any type: whether they are there, and what they are. */

#include "base/check.h"
#include "base/error.h"
#include "command/family.h"
#include "resp/integer.h"

#include <inttypes.h>

static int key_del(struct call *c)
{
	int64_t gone = 0;

	for (size_t i = 1; i < c->argc; i++) {
		struct record r;
		int rc = call_record(c, i, &r);

		if (rc != OK)
			return rc;
		if (r.type == RECORD_NONE)
			continue;
		call_delete(c, i, &r);
		gone++;
	}
	return reply_integer(c, gone);
}

/* A key that is named twice counts twice. */
static int key_exists(struct call *c)
{
	int64_t there = 0;

	for (size_t i = 1; i < c->argc; i++) {
		struct record r;
		int rc = call_record(c, i, &r);

		if (rc != OK)
			return rc;
		there += r.type != RECORD_NONE;
	}
	return reply_integer(c, there);
}

static int key_type(struct call *c)
{
	struct record r;
	int rc = call_record(c, 1, &r);

	if (rc == OK)
		resp_write_simple(c->reply, slice_of_text(record_type_name(r.type)));
	return rc;
}

/* ---- OBJECT ---------------------------------------------------------------------------------- */

/* A string up to this would stand in one piece with its header in Redis. */
#define EMBEDDED_MAX 44

static const char *string_encoding(const struct record *r, struct slice value)
{
	int64_t number;

	if (resp_integer_parse(value, &number))
		return "int";
	return r->size <= EMBEDDED_MAX ? "embstr" : "raw";
}

/* What a client may conclude from the word holds here, too: how the elements are found. */
static const char *encoding_of(enum record_type type)
{
	switch (type) {
	case RECORD_HASH:
	case RECORD_SET:
		return "hashtable";
	case RECORD_LIST:
		return "quicklist";
	case RECORD_SORTED_SET:
		return "skiplist";
	case RECORD_STREAM:
		return "stream";
	case RECORD_NONE:
	case RECORD_STRING:
	case RECORD_CHUNKS:
		break;
	}
	return "raw";
}

/* CALL_REFUSED without an error where there is no key: null is the reply then. */
static int object_record(struct call *c, struct record *r, bool *there)
{
	int rc = call_record(c, 2, r);

	*there = rc == OK && r->type != RECORD_NONE;
	if (rc == OK && !*there)
		resp_write_null(c->reply);
	return rc;
}

int call_encoding(struct call *c, const struct record *r, const char **encoding)
{
	struct slice value;
	int rc = OK;

	*encoding = encoding_of(r->type);
	if (r->type == RECORD_STRING)
		rc = txn_value(c->txn, r, &value);
	if (rc == OK && r->type == RECORD_STRING)
		*encoding = string_encoding(r, value);
	return rc;
}

static int object_encoding(struct call *c)
{
	struct record r;
	const char *encoding;
	bool there;
	int rc = object_record(c, &r, &there);

	if (!there)
		return rc;
	rc = call_encoding(c, &r, &encoding);
	if (rc == OK)
		resp_write_bulk(c->reply, slice_of_text(encoding));
	return rc;
}

static int object_refcount(struct call *c)
{
	struct record r;
	bool there;
	int rc = object_record(c, &r, &there);

	return there ? reply_integer(c, 1) : rc;
}

int call_idle_s(struct call *c, const struct record *r, uint64_t *idle_s)
{
	struct change last;
	int rc = txn_change_at(c->txn, r->mod, &last);

	*idle_s = 0;
	if (rc == OK && last.time_ms < c->txn->time_ms)
		*idle_s = (c->txn->time_ms - last.time_ms) / 1000;
	return rc == ERR_NOT_FOUND ? OK : rc;
}

static int object_idletime(struct call *c)
{
	struct record r;
	uint64_t idle_s;
	bool there;
	int rc = object_record(c, &r, &there);

	if (!there)
		return rc;
	rc = call_idle_s(c, &r, &idle_s);
	return rc == OK ? reply_integer(c, (int64_t)idle_s) : rc;
}

static int object_freq(struct call *c)
{
	struct record r;
	bool there;
	int rc = object_record(c, &r, &there);

	if (!there)
		return rc;
	return reply_error(c,
			   "ERR An LFU maxmemory policy is not selected, access frequency not "
			   "tracked. Please note that when switching between policies at runtime "
			   "LRU and LFU data will take some time to adjust.");
}

static int object_revision(struct call *c)
{
	struct buf text = {0};
	struct record r;
	bool there;
	int rc = object_record(c, &r, &there);

	if (!there)
		return rc;
	buf_printf(&text, "%" PRIu64 "-%" PRIu32, r.mod.main, r.mod.sub);
	resp_write_bulk(c->reply, buf_slice(&text));
	buf_free(&text);
	return OK;
}

#define READS COMMAND_FLAG_READONLY

static const struct command object_rows[] = {
	COMMAND_KEY_ROW(
		"OBJECT|ENCODING", 3, COMMAND_READ, READS, 2, 2, 1, object_encoding,
		.key_use = KEY_RO,
		COMMAND_DOC(GROUP_GENERIC, "2.2.3", "O(N), N bytes", "key",
			    "Tells how a value is kept", .tips = "nondeterministic_output",
			    .differs = "Follows from the value: Redis remembers how it was made")),
	COMMAND_KEY_ROW(
		"OBJECT|FREQ", 3, COMMAND_READ, READS, 2, 2, 1, object_freq, .key_use = KEY_RO,
		COMMAND_DOC(
			GROUP_GENERIC, "4.0.0", "O(1)", "key",
			"Tells how often a key is used; always an error, since nothing is evicted",
			.tips = "nondeterministic_output")),
	COMMAND_KEY_ROW(
		"OBJECT|REFCOUNT", 3, COMMAND_READ, READS, 2, 2, 1, object_refcount,
		.key_use = KEY_RO,
		COMMAND_DOC(GROUP_GENERIC, "2.2.3", "O(1)", "key",
			    "Tells how many share the value; always 1",
			    .tips = "nondeterministic_output",
			    .differs = "Nothing is shared here: Redis shares small numbers")),
	COMMAND_KEY_ROW("OBJECT|REVISION", 3, COMMAND_READ, READS, 2, 2, 1, object_revision,
			.key_use = KEY_RO,
			COMMAND_DOC(GROUP_GENERIC, "0.1.0", "O(1)", "key",
				    "Tells the revision of the last change of a key")),
	COMMAND_ROW("OBJECT|HELP", 2, COMMAND_LOCAL, COMMAND_FLAG_LOADING | COMMAND_FLAG_STALE,
		    reply_help,
		    COMMAND_DOC(GROUP_GENERIC, "6.2.0", "O(1)", "", "Describes the subcommands")),
	COMMAND_KEY_ROW("OBJECT|IDLETIME", 3, COMMAND_READ, READS, 2, 2, 1, object_idletime,
			.key_use = KEY_RO,
			COMMAND_DOC(GROUP_GENERIC, "2.2.3", "O(1)", "key",
				    "Tells for how many seconds a key was not used",
				    .tips = "nondeterministic_output",
				    .differs = "Counts from the last change: reads change nothing "
					       "that members have in common")),
};

const struct command_family object_family = COMMAND_FAMILY(object_rows);

static const struct command rows[] = {
	COMMAND_KEY_ROW("DEL", -2, COMMAND_WRITE, COMMAND_FLAG_WRITE, 1, -1, 1, key_del,
			.key_use = KEY_RM | KEY_DELETE,
			COMMAND_DOC(GROUP_GENERIC, "1.0.0", "O(N), N keys", "key [key ...]",
				    "Deletes keys",
				    .tips = "request_policy:multi_shard response_policy:agg_sum")),
	COMMAND_KEY_ROW("EXISTS", -2, COMMAND_READ, READS | COMMAND_FLAG_FAST, 1, -1, 1, key_exists,
			.key_use = KEY_RO,
			COMMAND_DOC(GROUP_GENERIC, "1.0.0", "O(N), N keys", "key [key ...]",
				    "Counts the keys that are there",
				    .tips = "request_policy:multi_shard response_policy:agg_sum")),
	{
		.name = "OBJECT",
		.arity = -2,
		.class = COMMAND_READ,
		.subcommands = &object_family,
		COMMAND_DOC(GROUP_GENERIC, "2.2.3", "that of the subcommand", "",
			    "Commands about what stands under a key"),
	},
	COMMAND_KEY_ROW("TOUCH", -2, COMMAND_READ, READS | COMMAND_FLAG_FAST, 1, -1, 1, key_exists,
			.key_use = KEY_RO,
			COMMAND_DOC(GROUP_GENERIC, "3.2.1", "O(N), N keys", "key [key ...]",
				    "Counts the keys that are there",
				    .tips = "request_policy:multi_shard response_policy:agg_sum",
				    .differs = "Nothing is evicted, so it changes nothing")),
	COMMAND_KEY_ROW("TYPE", 2, COMMAND_READ, READS | COMMAND_FLAG_FAST, 1, 1, 1, key_type,
			.key_use = KEY_RO,
			COMMAND_DOC(GROUP_GENERIC, "1.0.0", "O(1)", "key",
				    "Tells the type of what stands under a key")),
	COMMAND_KEY_ROW("UNLINK", -2, COMMAND_WRITE, COMMAND_FLAG_WRITE | COMMAND_FLAG_FAST, 1, -1,
			1, key_del, .key_use = KEY_RM | KEY_DELETE,
			COMMAND_DOC(GROUP_GENERIC, "4.0.0", "O(N), N keys", "key [key ...]",
				    "Deletes keys",
				    .tips = "request_policy:multi_shard response_policy:agg_sum",
				    .differs = "It is the same as DEL: deleting is short, whatever "
					       "stands under the key")),
};

const struct command_family key_family = COMMAND_FAMILY(rows);
