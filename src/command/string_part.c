/* Parts of strings. */

#include "base/compiler.h"
#include "base/error.h"
#include "command/family.h"
#include "storage/txn_chunks.h"

static int string_strlen(struct call *c)
{
	struct record r;
	int rc = call_string_record(c, 1, &r);

	return rc == OK ? reply_integer(c, (int64_t)r.size) : rc;
}

static int string_append(struct call *c)
{
	struct slice part = c->argv[2];
	struct record r;
	int rc = call_string_record(c, 1, &r);

	if (rc == OK && r.type != RECORD_NONE)
		rc = call_string_fits(c, r.size + part.len);
	if (rc != OK)
		return rc;
	if (part.len > 0)
		rc = txn_write_part(c->txn, c->database, c->argv[1], &r, r.size, part);
	else if (r.type == RECORD_NONE)
		call_replace_string(c, 1, &r, part);
	else /* as in Redis, it counts as a change */
		txn_set_deadline(c->txn, c->database, c->argv[1], &r, r.deadline_ms);
	return rc == OK ? reply_integer(c, (int64_t)(r.size + part.len)) : rc;
}

/* The bytes from `first` to `last`, both included; negative ones count from the end. */
static void part_of(uint64_t size, int64_t first, int64_t last, uint64_t *from, uint64_t *len)
{
	int64_t end = (int64_t)size;

	*from = *len = 0;
	if (first < 0 && last < 0 && first > last)
		return;
	if (first < 0)
		first = MAX(first + end, 0);
	if (last < 0)
		last = MAX(last + end, 0);
	last = MIN(last, end - 1);
	if (first > last)
		return;
	*from = (uint64_t)first;
	*len = (uint64_t)(last - first + 1);
}

static int string_getrange(struct call *c)
{
	struct slice part = {0};
	struct record r;
	int64_t first, last;
	uint64_t from, len;
	int rc = call_integer(c, 2, &first);

	if (rc == OK)
		rc = call_integer(c, 3, &last);
	if (rc == OK)
		rc = call_string_record(c, 1, &r);
	if (rc != OK)
		return rc;
	part_of(r.size, first, last, &from, &len);
	if (len > 0)
		rc = txn_value_part(c->txn, &r, from, len, &part);
	if (rc == OK)
		resp_write_bulk(c->reply, part);
	return rc;
}

static int string_setrange(struct call *c)
{
	struct slice part = c->argv[3];
	struct record r;
	int64_t offset;
	uint64_t end;
	int rc = call_integer(c, 2, &offset);

	if (rc == OK && offset < 0)
		return reply_error(c, "ERR offset is out of range");
	if (rc == OK)
		rc = call_string_record(c, 1, &r);
	if (rc != OK)
		return rc;
	if (part.len == 0)
		return reply_integer(c, (int64_t)r.size);
	end = (uint64_t)offset + part.len;
	rc = call_string_fits(c, end);
	if (rc == OK)
		rc = txn_write_part(c->txn, c->database, c->argv[1], &r, (uint64_t)offset, part);
	return rc == OK ? reply_integer(c, (int64_t)MAX(end, r.size)) : rc;
}

#define GROWS (COMMAND_FLAG_WRITE | COMMAND_FLAG_DENYOOM)

static const struct command rows[] = {
	COMMAND_KEY_ROW(
		"APPEND", 3, COMMAND_WRITE, GROWS | COMMAND_FLAG_FAST, 1, 1, 1, string_append,
		.key_use = KEY_RW | KEY_INSERT,
		COMMAND_DOC(GROUP_STRING, "2.0.0", "O(1)", "key value",
			    "Adds bytes to the end of a string; creates it if there is none",
			    .differs = "A string has at most 16 MiB, what one request may bring")),
	COMMAND_KEY_ROW("GETRANGE", 4, COMMAND_READ, COMMAND_FLAG_READONLY, 1, 1, 1,
			string_getrange, .key_use = KEY_RO | KEY_ACCESS,
			COMMAND_DOC(GROUP_STRING, "2.4.0", "O(N), N bytes", "key start end",
				    "Gives a part of a string")),
	COMMAND_KEY_ROW(
		"SETRANGE", 4, COMMAND_WRITE, GROWS, 1, 1, 1, string_setrange,
		.key_use = KEY_RW | KEY_UPDATE,
		COMMAND_DOC(GROUP_STRING, "2.2.0", "O(1)", "key offset value",
			    "Overwrites a part of a string",
			    .differs = "A string has at most 16 MiB, what one request may bring")),
	COMMAND_KEY_ROW(
		"STRLEN", 2, COMMAND_READ, COMMAND_FLAG_READONLY | COMMAND_FLAG_FAST, 1, 1, 1,
		string_strlen, .key_use = KEY_RO,
		COMMAND_DOC(GROUP_STRING, "2.2.0", "O(1)", "key", "Tells how long a string is")),
	COMMAND_KEY_ROW("SUBSTR", 4, COMMAND_READ, COMMAND_FLAG_READONLY, 1, 1, 1, string_getrange,
			.key_use = KEY_RO | KEY_ACCESS,
			COMMAND_DOC(GROUP_STRING, "1.0.0", "O(N), N bytes", "key start end",
				    "Gives a part of a string")),
};

const struct command_family string_part_family = COMMAND_FAMILY(rows);
