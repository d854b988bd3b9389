/* Hashes. Fields come in the order in which they are kept, which is that of their hashes. */

#include "base/error.h"
#include "command/family.h"
#include "command/fraction.h"
#include "resp/integer.h"
#include "storage/txn_element.h"

/* ---- reading --------------------------------------------------------------------------------- */

int call_hash(struct call *c, struct record *r)
{
	int rc = call_record(c, 1, r);

	if (rc == OK && r->type != RECORD_HASH && r->type != RECORD_NONE)
		return reply_wrong_type(c);
	return rc;
}

/* A field of what stands under the key; ERR_NOT_FOUND also if nothing does. */
static int hash_field(struct call *c, const struct record *r, struct slice field,
		      struct slice *value)
{
	return r->type == RECORD_NONE ? ERR_NOT_FOUND : txn_element(c->txn, r, field, value);
}

static int hash_get(struct call *c)
{
	struct slice value;
	struct record r;
	int rc = call_hash(c, &r);

	if (rc != OK)
		return rc;
	rc = hash_field(c, &r, c->argv[2], &value);
	if (rc == OK)
		resp_write_bulk(c->reply, value);
	else if (rc == ERR_NOT_FOUND)
		resp_write_null(c->reply);
	return rc == ERR_NOT_FOUND ? OK : rc;
}

static int hash_mget(struct call *c)
{
	struct record r;
	int rc = call_hash(c, &r);

	if (rc != OK)
		return rc;
	resp_write_array(c->reply, c->argc - 2);
	for (size_t i = 2; i < c->argc; i++) {
		struct slice value;

		rc = hash_field(c, &r, c->argv[i], &value);
		if (rc == OK)
			resp_write_bulk(c->reply, value);
		else if (rc == ERR_NOT_FOUND)
			resp_write_null(c->reply);
		else
			return rc;
	}
	return OK;
}

/* HEXISTS and HSTRLEN: a number that is 0 where there is no field. */
static int hash_number(struct call *c, bool length)
{
	struct slice value;
	struct record r;
	int rc = call_hash(c, &r);

	if (rc != OK)
		return rc;
	rc = hash_field(c, &r, c->argv[2], &value);
	if (rc != OK && rc != ERR_NOT_FOUND)
		return rc;
	if (rc == ERR_NOT_FOUND)
		return reply_integer(c, 0);
	return reply_integer(c, length ? (int64_t)value.len : 1);
}

static int hash_exists(struct call *c)
{
	return hash_number(c, false);
}

static int hash_strlen(struct call *c)
{
	return hash_number(c, true);
}

static int hash_len(struct call *c)
{
	struct record r;
	int rc = call_hash(c, &r);

	if (rc != OK)
		return rc;
	return reply_integer(c, (int64_t)r.size);
}

/* All fields, all values, or both. */
static int hash_all(struct call *c, bool fields, bool values)
{
	struct slice field, value;
	struct element_scan s;
	struct record r;
	uint64_t count = 0;
	int rc = call_hash(c, &r);

	if (rc == OK && call_is_long(c, r.size))
		rc = ERR_MISSING;
	if (rc != OK)
		return rc;
	if (fields && values)
		resp_write_map(c->reply, (size_t)r.size);
	else
		resp_write_array(c->reply, (size_t)r.size);
	if (r.type == RECORD_NONE)
		return OK;
	rc = element_scan_open(&s, c->txn, &r);
	if (rc != OK)
		return rc;
	for (; element_scan_next(&s, &field, &value); count++) {
		if (fields)
			resp_write_bulk(c->reply, field);
		if (values)
			resp_write_bulk(c->reply, value);
	}
	rc = element_scan_close(&s);
	return rc == OK && count != r.size ? ERR_CORRUPT : rc;
}

static int hash_getall(struct call *c)
{
	return hash_all(c, true, true);
}

static int hash_keys(struct call *c)
{
	return hash_all(c, true, false);
}

static int hash_vals(struct call *c)
{
	return hash_all(c, false, true);
}

/* ---- changing -------------------------------------------------------------------------------- */

/* Field after value from argument 2 on; `*added`: how many are new. */
static int hash_put_all(struct call *c, const struct record *r, int64_t *added)
{
	struct collection hash;

	collection_open(&hash, c->txn, c->database, c->argv[1], r, RECORD_HASH);
	*added = 0;
	for (size_t i = 2; i + 1 < c->argc; i += 2) {
		bool is_new;
		int rc = collection_set(&hash, c->argv[i], c->argv[i + 1], &is_new);

		if (rc != OK)
			return rc;
		*added += is_new;
	}
	collection_close(&hash);
	return OK;
}

/* HSET and HMSET but for their replies. */
static int hash_put_arguments(struct call *c, int64_t *added)
{
	struct record r;
	int rc;

	*added = 0;
	if (c->argc % 2 != 0)
		return reply_wrong_arity(c);
	rc = call_hash(c, &r);
	if (rc != OK)
		return rc;
	return hash_put_all(c, &r, added);
}

static int hash_set(struct call *c)
{
	int64_t added;
	int rc = hash_put_arguments(c, &added);

	return rc == OK ? reply_integer(c, added) : rc;
}

static int hash_mset(struct call *c)
{
	int64_t added;
	int rc = hash_put_arguments(c, &added);

	return rc == OK ? reply_ok(c) : rc;
}

static int hash_setnx(struct call *c)
{
	struct slice value;
	struct record r;
	int64_t added;
	int rc = call_hash(c, &r);

	if (rc != OK)
		return rc;
	rc = hash_field(c, &r, c->argv[2], &value);
	if (rc == OK)
		return reply_integer(c, 0);
	if (rc == ERR_NOT_FOUND)
		rc = hash_put_all(c, &r, &added);
	return rc == OK ? reply_integer(c, 1) : rc;
}

static int hash_del(struct call *c)
{
	struct collection hash;
	struct record r;
	int64_t count = 0;
	int rc = call_hash(c, &r);

	if (rc != OK)
		return rc;
	if (r.type == RECORD_NONE)
		return reply_integer(c, 0);
	collection_open(&hash, c->txn, c->database, c->argv[1], &r, RECORD_HASH);
	for (size_t i = 2; i < c->argc; i++) {
		bool removed;

		rc = collection_remove(&hash, c->argv[i], &removed);
		if (rc != OK)
			return rc;
		count += removed;
	}
	collection_close(&hash);
	return reply_integer(c, count);
}

static int hash_incrby(struct call *c)
{
	uint8_t text[RESP_INTEGER_MAX];
	int64_t amount, number = 0;
	struct collection hash;
	struct slice value;
	struct record r;
	bool added;
	int rc;

	if (!resp_integer_parse(c->argv[3], &amount))
		return reply_not_integer(c);
	rc = call_hash(c, &r);
	if (rc != OK)
		return rc;
	rc = hash_field(c, &r, c->argv[2], &value);
	if (rc != OK && rc != ERR_NOT_FOUND)
		return rc;
	if (rc == OK && !resp_integer_parse(value, &number))
		return reply_error(c, "ERR hash value is not an integer");
	if (__builtin_add_overflow(number, amount, &number))
		return reply_error(c, "ERR increment or decrement would overflow");
	collection_open(&hash, c->txn, c->database, c->argv[1], &r, RECORD_HASH);
	rc = collection_set(&hash, c->argv[2], slice_of(text, resp_integer_format(text, number)),
			    &added);
	if (rc != OK)
		return rc;
	collection_close(&hash);
	return reply_integer(c, number);
}

static int hash_incrbyfloat(struct call *c)
{
	char text[FRACTION_TEXT_MAX];
	struct fraction amount, number = {0};
	struct collection hash;
	struct slice value;
	struct record r;
	bool added;
	int rc;

	if (!fraction_parse(c->argv[3], &amount))
		return reply_error(c, "ERR value is not a valid float");
	if (amount.infinite)
		return reply_error(c, "ERR value is NaN or Infinity");
	rc = call_hash(c, &r);
	if (rc != OK)
		return rc;
	rc = hash_field(c, &r, c->argv[2], &value);
	if (rc != OK && rc != ERR_NOT_FOUND)
		return rc;
	if (rc == OK && !fraction_parse(value, &number))
		return reply_error(c, "ERR hash value is not a float");
	if (!fraction_add(&number, &amount, &number))
		return reply_error(c, "ERR increment would produce NaN or Infinity");
	value = slice_of(text, fraction_format(text, &number));
	collection_open(&hash, c->txn, c->database, c->argv[1], &r, RECORD_HASH);
	rc = collection_set(&hash, c->argv[2], value, &added);
	if (rc != OK)
		return rc;
	collection_close(&hash);
	resp_write_bulk(c->reply, value);
	return OK;
}

#define READS  COMMAND_FLAG_READONLY
#define WRITES (COMMAND_FLAG_WRITE | COMMAND_FLAG_DENYOOM)
#define FAST   COMMAND_FLAG_FAST

static const struct command rows[] = {
	COMMAND_KEY_ROW("HDEL", -3, COMMAND_WRITE, COMMAND_FLAG_WRITE | FAST, 1, 1, 1, hash_del,
			.key_use = KEY_RW | KEY_DELETE,
			COMMAND_DOC(GROUP_HASH, "2.0.0", "O(N), N fields", "key field [field ...]",
				    "Deletes fields of a hash")),
	COMMAND_KEY_ROW("HEXISTS", 3, COMMAND_READ, READS | FAST, 1, 1, 1, hash_exists,
			.key_use = KEY_RO,
			COMMAND_DOC(GROUP_HASH, "2.0.0", "O(1)", "key field",
				    "Tells whether a hash has a field")),
	COMMAND_KEY_ROW("HGET", 3, COMMAND_READ, READS | FAST, 1, 1, 1, hash_get,
			.key_use = KEY_RO | KEY_ACCESS,
			COMMAND_DOC(GROUP_HASH, "2.0.0", "O(1)", "key field",
				    "Gives the value of a field")),
	COMMAND_KEY_ROW(
		"HGETALL", 2, COMMAND_READ, READS, 1, 1, 1, hash_getall,
		.key_use = KEY_RO | KEY_ACCESS,
		COMMAND_DOC(GROUP_HASH, "2.0.0", "O(N), N fields", "key",
			    "Gives all fields of a hash with their values",
			    .tips = "nondeterministic_output_order",
			    .differs = "Fields come in the order of their hashes, those of small "
				       "ones too, which Redis keeps as they were added")),
	COMMAND_KEY_ROW("HINCRBY", 4, COMMAND_WRITE, WRITES | FAST, 1, 1, 1, hash_incrby,
			.key_use = KEY_RW | KEY_ACCESS | KEY_UPDATE,
			COMMAND_DOC(GROUP_HASH, "2.0.0", "O(1)", "key field increment",
				    "Adds to the whole number in a field")),
	COMMAND_KEY_ROW("HINCRBYFLOAT", 4, COMMAND_WRITE, WRITES | FAST, 1, 1, 1, hash_incrbyfloat,
			.key_use = KEY_RW | KEY_ACCESS | KEY_UPDATE,
			COMMAND_DOC(GROUP_HASH, "2.6.0", "O(1)", "key field increment:double",
				    "Adds to the number in a field, which may be a fraction")),
	COMMAND_KEY_ROW("HKEYS", 2, COMMAND_READ, READS, 1, 1, 1, hash_keys,
			.key_use = KEY_RO | KEY_ACCESS,
			COMMAND_DOC(GROUP_HASH, "2.0.0", "O(N), N fields", "key",
				    "Gives the names of all fields",
				    .tips = "nondeterministic_output_order",
				    .differs = "The order is that of HGETALL")),
	COMMAND_KEY_ROW(
		"HLEN", 2, COMMAND_READ, READS | FAST, 1, 1, 1, hash_len, .key_use = KEY_RO,
		COMMAND_DOC(GROUP_HASH, "2.0.0", "O(1)", "key", "Counts the fields of a hash")),
	COMMAND_KEY_ROW("HMGET", -3, COMMAND_READ, READS | FAST, 1, 1, 1, hash_mget,
			.key_use = KEY_RO | KEY_ACCESS,
			COMMAND_DOC(GROUP_HASH, "2.0.0", "O(N), N fields", "key field [field ...]",
				    "Gives the values of some fields")),
	COMMAND_KEY_ROW("HMSET", -4, COMMAND_WRITE, WRITES | FAST, 1, 1, 1, hash_mset,
			.key_use = KEY_RW | KEY_UPDATE,
			COMMAND_DOC(GROUP_HASH, "2.0.0", "O(N), N fields",
				    "key field value [field value ...]", "Sets fields of a hash")),
	COMMAND_KEY_ROW("HSET", -4, COMMAND_WRITE, WRITES | FAST, 1, 1, 1, hash_set,
			.key_use = KEY_RW | KEY_UPDATE,
			COMMAND_DOC(GROUP_HASH, "2.0.0", "O(N), N fields",
				    "key field value [field value ...]",
				    "Sets fields of a hash, and counts the new ones")),
	COMMAND_KEY_ROW("HSETNX", 4, COMMAND_WRITE, WRITES | FAST, 1, 1, 1, hash_setnx,
			.key_use = KEY_RW | KEY_INSERT,
			COMMAND_DOC(GROUP_HASH, "2.0.0", "O(1)", "key field value",
				    "Sets a field if the hash has none of this name")),
	COMMAND_KEY_ROW("HSTRLEN", 3, COMMAND_READ, READS | FAST, 1, 1, 1, hash_strlen,
			.key_use = KEY_RO,
			COMMAND_DOC(GROUP_HASH, "3.2.0", "O(1)", "key field",
				    "Tells how long the value of a field is")),
	COMMAND_KEY_ROW("HVALS", 2, COMMAND_READ, READS, 1, 1, 1, hash_vals,
			.key_use = KEY_RO | KEY_ACCESS,
			COMMAND_DOC(GROUP_HASH, "2.0.0", "O(N), N fields", "key",
				    "Gives the values of all fields",
				    .tips = "nondeterministic_output_order",
				    .differs = "The order is that of HGETALL")),
};

const struct command_family hash_family = COMMAND_FAMILY(rows);
