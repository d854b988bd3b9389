/* Keys that go to another name or database, and those that are doubled. */

#include "base/codec.h"
#include "base/error.h"
#include "command/family.h"
#include "resp/integer.h"
#include "storage/txn_element.h"

#define SAME_OBJECT "ERR source and destination objects are the same"

/* The record of a key in any database; OK also if there is none. */
static int move_record(struct call *c, unsigned database, struct slice key, struct record *r)
{
	int rc = txn_record(c->txn, database, key, r);

	return rc == ERR_NOT_FOUND ? OK : rc;
}

/* NULL, or why it is no number of a database. */
static const char *move_database(struct slice text, unsigned *database)
{
	int64_t number;

	if (!resp_integer_parse(text, &number))
		return "ERR value is not an integer or out of range";
	if (number < INT32_MIN || number > INT32_MAX)
		return "ERR value is out of range, value must between -2147483648 and 2147483647";
	if (number < 0 || number >= DATABASE_COUNT)
		return "ERR DB index is out of range";
	*database = (unsigned)number;
	return NULL;
}

/* RENAME and RENAMENX: what stood under the new name stays in the way, or not. */
static int move_rename(struct call *c, bool only_new)
{
	struct record r, other;
	int rc = call_record(c, 1, &r);

	if (rc != OK)
		return rc;
	if (r.type == RECORD_NONE)
		return reply_error(c, "ERR no such key");
	if (slice_equal(c->argv[1], c->argv[2]))
		return only_new ? reply_integer(c, 0) : reply_ok(c);
	rc = call_record(c, 2, &other);
	if (rc != OK)
		return rc;
	if (only_new && other.type != RECORD_NONE)
		return reply_integer(c, 0);
	txn_move(c->txn, c->database, c->argv[1], &r, c->database, c->argv[2], &other);
	return only_new ? reply_integer(c, 1) : reply_ok(c);
}

static int move_rename_always(struct call *c)
{
	return move_rename(c, false);
}

static int move_rename_nx(struct call *c)
{
	return move_rename(c, true);
}

static int move_move(struct call *c)
{
	struct record r, other;
	unsigned database;
	const char *wrong = move_database(c->argv[2], &database);
	int rc;

	if (wrong)
		return reply_error(c, wrong);
	if (database == c->database)
		return reply_error(c, SAME_OBJECT);
	rc = call_record(c, 1, &r);
	if (rc == OK)
		rc = move_record(c, database, c->argv[1], &other);
	if (rc != OK)
		return rc;
	if (r.type == RECORD_NONE || other.type != RECORD_NONE)
		return reply_integer(c, 0);
	txn_move(c->txn, c->database, c->argv[1], &r, database, c->argv[1], &other);
	return reply_integer(c, 1);
}

/* ---- COPY ------------------------------------------------------------------------------------ */

struct copy {
	unsigned database;
	bool replace;
};

static const char *copy_options(const struct call *c, struct copy *o)
{
	*o = (struct copy){.database = c->database};
	for (size_t i = 3; i < c->argc; i++) {
		const char *wrong = "ERR syntax error";

		if (argument_is(c->argv[i], "REPLACE")) {
			o->replace = true;
			continue;
		}
		if (argument_is(c->argv[i], "DB") && i + 1 < c->argc)
			wrong = move_database(c->argv[++i], &o->database);
		if (wrong)
			return wrong;
	}
	return NULL;
}

/* All elements, one after the other: what is written must not be what is being scanned. */
static int copy_collect(struct call *c, const struct record *r, struct buf *elements)
{
	struct slice element, value;
	struct element_scan s;
	int rc = element_scan_open(&s, c->txn, r);

	if (rc != OK)
		return rc;
	while (element_scan_next(&s, &element, &value)) {
		buf_append_string(elements, element);
		buf_append_string(elements, value);
	}
	return element_scan_close(&s);
}

static int copy_collection(struct call *c, const struct copy *o, const struct record *r,
			   const struct record *other)
{
	struct collection to;
	struct buf elements = {0};
	struct cursor at;
	int rc = copy_collect(c, r, &elements);

	at = cursor_of(buf_slice(&elements));
	collection_open(&to, c->txn, o->database, c->argv[2], other, r->type);
	to.now.deadline_ms = r->deadline_ms;
	while (rc == OK && cursor_left(&at) > 0) {
		struct slice element = cursor_string(&at);
		bool added;

		rc = collection_set(&to, element, cursor_string(&at), &added);
	}
	buf_free(&elements);
	if (rc == OK)
		collection_close(&to);
	return rc;
}

static int copy_string(struct call *c, const struct copy *o, const struct record *r,
		       const struct record *other)
{
	struct record_terms terms = {.deadline_ms = r->deadline_ms};
	struct slice value;
	int rc = txn_value(c->txn, r, &value);

	if (rc == OK)
		txn_set_string(c->txn, o->database, c->argv[2], other, value, &terms);
	return rc;
}

/* What is replaced is deleted first: the copy is a new key. */
static int copy_make_room(struct call *c, const struct copy *o, struct record *other)
{
	if (other->type == RECORD_NONE)
		return OK;
	txn_delete(c->txn, o->database, c->argv[2], other, CHANGE_DELETE);
	return move_record(c, o->database, c->argv[2], other);
}

static int move_copy(struct call *c)
{
	struct record r, other;
	struct copy o;
	const char *wrong = copy_options(c, &o);
	int rc;

	if (wrong)
		return reply_error(c, wrong);
	if (o.database == c->database && slice_equal(c->argv[1], c->argv[2]))
		return reply_error(c, SAME_OBJECT);
	rc = call_record(c, 1, &r);
	if (rc == OK)
		rc = move_record(c, o.database, c->argv[2], &other);
	if (rc != OK)
		return rc;
	if (r.type == RECORD_NONE || (other.type != RECORD_NONE && !o.replace))
		return reply_integer(c, 0);
	rc = copy_make_room(c, &o, &other);
	if (rc == OK)
		rc = record_is_string(&r) ? copy_string(c, &o, &r, &other)
					  : copy_collection(c, &o, &r, &other);
	return rc == OK ? reply_integer(c, 1) : rc;
}

#define WRITES COMMAND_FLAG_WRITE

static const struct command rows[] = {
	COMMAND_KEY_ROW("COPY", -3, COMMAND_WRITE, WRITES | COMMAND_FLAG_DENYOOM, 1, 2, 1,
			move_copy, .key_use = KEY_RO | KEY_ACCESS, .later_use = KEY_OW | KEY_UPDATE,
			COMMAND_DOC(GROUP_GENERIC, "6.2.0", "O(N), N elements",
				    "source destination [DB destination-db] [REPLACE]",
				    "Doubles a key under another name or in another database")),
	COMMAND_KEY_ROW("MOVE", 3, COMMAND_WRITE, WRITES | COMMAND_FLAG_FAST, 1, 1, 1, move_move,
			.key_use = KEY_RW | KEY_ACCESS | KEY_UPDATE,
			COMMAND_DOC(GROUP_GENERIC, "1.0.0", "O(1)", "key db",
				    "Takes a key to another database")),
	COMMAND_KEY_ROW("RENAME", 3, COMMAND_WRITE, WRITES, 1, 2, 1, move_rename_always,
			.key_use = KEY_RW | KEY_ACCESS | KEY_DELETE,
			.later_use = KEY_OW | KEY_UPDATE,
			COMMAND_DOC(GROUP_GENERIC, "1.0.0", "O(1)", "key newkey",
				    "Gives a key another name")),
	COMMAND_KEY_ROW("RENAMENX", 3, COMMAND_WRITE, WRITES | COMMAND_FLAG_FAST, 1, 2, 1,
			move_rename_nx, .key_use = KEY_RW | KEY_ACCESS | KEY_DELETE,
			.later_use = KEY_OW | KEY_INSERT,
			COMMAND_DOC(GROUP_GENERIC, "1.0.0", "O(1)", "key newkey",
				    "Gives a key another name, unless a key has it")),
};

const struct command_family move_family = COMMAND_FAMILY(rows);
