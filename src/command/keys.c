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

static int object_encoding(struct call *c)
{
	struct record r;
	struct slice value;
	const char *encoding;
	bool there;
	int rc = object_record(c, &r, &there);

	if (!there)
		return rc;
	if (r.type == RECORD_STRING) {
		rc = txn_value(c->txn, &r, &value);
		if (rc != OK)
			return rc;
		encoding = string_encoding(&r, value);
	} else {
		encoding = encoding_of(r.type);
	}
	resp_write_bulk(c->reply, slice_of_text(encoding));
	return OK;
}

static int object_refcount(struct call *c)
{
	struct record r;
	bool there;
	int rc = object_record(c, &r, &there);

	return there ? reply_integer(c, 1) : rc;
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
	COMMAND_KEY_ROW("OBJECT|ENCODING", 3, COMMAND_READ, READS, 2, 2, 1, object_encoding),
	COMMAND_KEY_ROW("OBJECT|FREQ", 3, COMMAND_READ, READS, 2, 2, 1, object_freq),
	COMMAND_KEY_ROW("OBJECT|REFCOUNT", 3, COMMAND_READ, READS, 2, 2, 1, object_refcount),
	COMMAND_KEY_ROW("OBJECT|REVISION", 3, COMMAND_READ, READS, 2, 2, 1, object_revision),
};

const struct command_family object_family = COMMAND_FAMILY(object_rows);

static const struct command rows[] = {
	COMMAND_KEY_ROW("DEL", -2, COMMAND_WRITE, COMMAND_FLAG_WRITE, 1, -1, 1, key_del),
	COMMAND_KEY_ROW("EXISTS", -2, COMMAND_READ, READS | COMMAND_FLAG_FAST, 1, -1, 1,
			key_exists),
	{
		.name = "OBJECT",
		.arity = -2,
		.class = COMMAND_READ,
		.subcommands = &object_family,
	},
	COMMAND_KEY_ROW("TOUCH", -2, COMMAND_READ, READS | COMMAND_FLAG_FAST, 1, -1, 1, key_exists),
	COMMAND_KEY_ROW("TYPE", 2, COMMAND_READ, READS | COMMAND_FLAG_FAST, 1, 1, 1, key_type),
	COMMAND_KEY_ROW("UNLINK", -2, COMMAND_WRITE, COMMAND_FLAG_WRITE | COMMAND_FLAG_FAST, 1, -1,
			1, key_del),
};

const struct command_family key_family = COMMAND_FAMILY(rows);
