/* Strings as wholes: read, set on conditions and with deadlines, taken away. */

#include "base/check.h"
#include "base/error.h"
#include "base/hash.h"
#include "command/family.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- options of SET and GETEX ---------------------------------------------------------------- */

enum set_flag {
	SET_EX = 1 << 0,
	SET_PX = 1 << 1,
	SET_EXAT = 1 << 2,
	SET_PXAT = 1 << 3,
	SET_KEEPTTL = 1 << 4,
	SET_PERSIST = 1 << 5,
	SET_NX = 1 << 6,
	SET_XX = 1 << 7,
	SET_IFEQ = 1 << 8,
	SET_IFNE = 1 << 9,
	SET_IFDEQ = 1 << 10,
	SET_IFDNE = 1 << 11,
	SET_IFREV = 1 << 12,
	SET_GET = 1 << 13,
};

#define SET_DEADLINES  (SET_EX | SET_PX | SET_EXAT | SET_PXAT)
#define SET_LIVES      (SET_DEADLINES | SET_KEEPTTL | SET_PERSIST)
#define SET_VALUES     (SET_IFEQ | SET_IFNE | SET_IFDEQ | SET_IFDNE)
#define SET_CONDITIONS (SET_NX | SET_XX | SET_VALUES | SET_IFREV)

/* The deadlines first, in one order in all tables: a value is found by the place of its option. */
#define DEADLINE_OPTIONS                                                                      \
	{"EX", SET_EX, SET_LIVES & ~SET_EX, true}, {"PX", SET_PX, SET_LIVES & ~SET_PX, true}, \
		{"EXAT", SET_EXAT, SET_LIVES & ~SET_EXAT, true},                              \
	{                                                                                     \
		"PXAT", SET_PXAT, SET_LIVES & ~SET_PXAT, true                                 \
	}

/* Conditions with a value, in one order as well. */
#define CONDITION_OPTIONS                                                \
	{"IFEQ", SET_IFEQ, SET_CONDITIONS & ~SET_IFEQ, true},            \
		{"IFNE", SET_IFNE, SET_CONDITIONS & ~SET_IFNE, true},    \
		{"IFDEQ", SET_IFDEQ, SET_CONDITIONS & ~SET_IFDEQ, true}, \
		{"IFDNE", SET_IFDNE, SET_CONDITIONS & ~SET_IFDNE, true}, \
	{                                                                \
		"IFREV", SET_IFREV, SET_CONDITIONS & ~SET_IFREV, true    \
	}

enum set_place {
	PLACE_EX,
	PLACE_PX,
	PLACE_EXAT,
	PLACE_PXAT,
	PLACE_CONDITIONS,
};

/* Among the conditions. */
enum condition_place {
	CONDITION_IFEQ,
	CONDITION_IFNE,
	CONDITION_IFDEQ,
	CONDITION_IFDNE,
	CONDITION_IFREV,
};

static const struct option set_options[] = {
	DEADLINE_OPTIONS,
	CONDITION_OPTIONS,
	{"KEEPTTL", SET_KEEPTTL, SET_LIVES & ~SET_KEEPTTL, false},
	{"NX", SET_NX, SET_CONDITIONS & ~SET_NX, false},
	{"XX", SET_XX, SET_CONDITIONS & ~SET_XX, false},
	{"GET", SET_GET, 0, false},
};

static const struct option getex_options[] = {
	DEADLINE_OPTIONS,
	{"PERSIST", SET_PERSIST, SET_LIVES & ~SET_PERSIST, false},
};

static const struct option delex_options[] = {
	CONDITION_OPTIONS,
};

/* 0: no deadline was said. */
static int deadline_of(struct call *c, const struct options *o, uint64_t *deadline_ms)
{
	*deadline_ms = 0;
	if (o->flags & SET_EX)
		return call_deadline(c, o->values[PLACE_EX], TIME_SECONDS, false, deadline_ms);
	if (o->flags & SET_PX)
		return call_deadline(c, o->values[PLACE_PX], TIME_MILLISECONDS, false, deadline_ms);
	if (o->flags & SET_EXAT)
		return call_deadline(c, o->values[PLACE_EXAT], TIME_SECONDS, true, deadline_ms);
	if (o->flags & SET_PXAT)
		return call_deadline(c, o->values[PLACE_PXAT], TIME_MILLISECONDS, true,
				     deadline_ms);
	return OK;
}

/* ---- conditions ------------------------------------------------------------------------------ */

/* Hexadecimal digits of a digest. */
#define DIGEST_DIGITS 16

static void digest_of(struct slice value, char text[static DIGEST_DIGITS + 1])
{
	snprintf(text, DIGEST_DIGITS + 1, "%016" PRIx64, hash64(value));
}

/* What the options ask of the key before anything is done. */
struct set_condition {
	uint32_t flags;
	struct slice value; /* or digest, that the key's is compared with */
	struct revision_condition revision;
};

/* `place` is that of the first condition in the table of options. */
static int condition_of(struct call *c, const struct options *o, size_t place,
			struct set_condition *out)
{
	const struct slice *values = o->values + place;

	*out = (struct set_condition){.flags = o->flags & SET_CONDITIONS};
	if (o->flags & SET_IFEQ)
		out->value = values[CONDITION_IFEQ];
	else if (o->flags & SET_IFNE)
		out->value = values[CONDITION_IFNE];
	else if (o->flags & SET_IFDEQ)
		out->value = values[CONDITION_IFDEQ];
	else if (o->flags & SET_IFDNE)
		out->value = values[CONDITION_IFDNE];
	if ((o->flags & (SET_IFDEQ | SET_IFDNE)) && out->value.len != DIGEST_DIGITS)
		return reply_error(c, "ERR must be exactly 16 hexadecimal characters");
	if ((o->flags & SET_IFREV) &&
	    !revision_condition_parse(values[CONDITION_IFREV], &out->revision))
		return reply_error(c, "ERR revision is not of the form main or main-sub");
	return OK;
}

/* A condition on the value: it reads it, and refuses what is no string. */
static int value_holds(struct call *c, const struct set_condition *condition,
		       const struct record *r, bool *holds)
{
	char digest[DIGEST_DIGITS + 1];
	bool equal = false;
	int rc = OK;

	if (r->type != RECORD_NONE) {
		struct slice value;

		if (!record_is_string(r))
			return reply_wrong_type(c);
		rc = txn_value(c->txn, r, &value);
		if (rc == OK && (condition->flags & (SET_IFDEQ | SET_IFDNE))) {
			digest_of(value, digest);
			equal = argument_is(condition->value, digest);
		} else if (rc == OK) {
			equal = slice_equal(value, condition->value);
		}
	}
	*holds = equal == !(condition->flags & (SET_IFNE | SET_IFDNE));
	return rc;
}

static int condition_holds(struct call *c, const struct set_condition *condition,
			   const struct record *r, bool *holds)
{
	bool there = r->type != RECORD_NONE;

	*holds = !(condition->flags & SET_NX) || !there;
	if (condition->flags & SET_XX)
		*holds = there;
	if (condition->flags & SET_IFREV)
		*holds = revision_condition_holds(&condition->revision, r);
	return condition->flags & SET_VALUES ? value_holds(c, condition, r, holds) : OK;
}

/* ---- reading --------------------------------------------------------------------------------- */

static void reply_string(struct call *c, const struct record *r, struct slice value)
{
	if (r->type == RECORD_NONE)
		resp_write_null(c->reply);
	else
		resp_write_bulk(c->reply, value);
}

static int string_get(struct call *c)
{
	struct record r;
	struct slice value;
	int rc = call_string(c, 1, &r, &value);

	if (rc == OK)
		reply_string(c, &r, value);
	return rc;
}

static int string_digest(struct call *c)
{
	char digest[DIGEST_DIGITS + 1];
	struct record r;
	struct slice value;
	int rc = call_string(c, 1, &r, &value);

	if (rc != OK)
		return rc;
	digest_of(value, digest);
	reply_string(c, &r, slice_of_text(digest));
	return OK;
}

static int string_getdel(struct call *c)
{
	struct record r;
	struct slice value;
	int rc = call_string(c, 1, &r, &value);

	if (rc != OK)
		return rc;
	reply_string(c, &r, value);
	if (r.type != RECORD_NONE)
		call_delete(c, 1, &r);
	return OK;
}

static int string_getset(struct call *c)
{
	struct record_terms terms = {0};
	struct record r;
	struct slice value;
	int rc = call_string(c, 1, &r, &value);

	if (rc != OK)
		return rc;
	reply_string(c, &r, value);
	txn_set_string(c->txn, c->database, c->argv[1], &r, c->argv[2], &terms);
	return OK;
}

/* As Redis does, a deadline is looked at only where there is a key that could get it. */
static int string_getex(struct call *c)
{
	struct options o;
	struct record r;
	struct slice value;
	uint64_t deadline_ms;
	int rc = call_options(c, 2, getex_options, ARRAY_LEN(getex_options), &o);

	if (rc == OK)
		rc = call_string(c, 1, &r, &value);
	if (rc != OK)
		return rc;
	if (r.type == RECORD_NONE) {
		resp_write_null(c->reply);
		return OK;
	}
	rc = deadline_of(c, &o, &deadline_ms);
	if (rc != OK)
		return rc;
	resp_write_bulk(c->reply, value);
	if (deadline_ms && deadline_ms <= c->txn->time_ms)
		call_delete(c, 1, &r);
	else if (deadline_ms || ((o.flags & SET_PERSIST) && r.deadline_ms))
		txn_set_deadline(c->txn, c->database, c->argv[1], &r, deadline_ms);
	return OK;
}

/* ---- setting --------------------------------------------------------------------------------- */

/* A deadline that has passed means that the key is gone at once. */
static void set_value(struct call *c, const struct record *old, struct slice value,
		      uint64_t deadline_ms)
{
	struct record_terms terms = {.deadline_ms = deadline_ms};

	if (!deadline_ms || deadline_ms > c->txn->time_ms)
		txn_set_string(c->txn, c->database, c->argv[1], old, value, &terms);
	else if (old->type != RECORD_NONE)
		call_delete(c, 1, old);
}

static int string_set(struct call *c)
{
	struct options o;
	struct set_condition condition;
	struct record r;
	struct slice value;
	uint64_t deadline_ms;
	bool holds, get;
	int rc = call_options(c, 3, set_options, ARRAY_LEN(set_options), &o);

	if (rc == OK)
		rc = condition_of(c, &o, PLACE_CONDITIONS, &condition);
	if (rc == OK)
		rc = deadline_of(c, &o, &deadline_ms);
	if (rc != OK)
		return rc;
	get = o.flags & SET_GET;
	rc = get ? call_string(c, 1, &r, &value) : call_record(c, 1, &r);
	if (rc == OK)
		rc = condition_holds(c, &condition, &r, &holds);
	if (rc != OK)
		return rc;
	if (get)
		reply_string(c, &r, value);
	else if (holds)
		reply_ok(c);
	else
		resp_write_null(c->reply);
	/* A deadline that is kept is left alone, even if it has passed: the expiry is under way. */
	if (holds && (o.flags & SET_KEEPTTL))
		call_replace_string(c, 1, &r, c->argv[2]);
	else if (holds)
		set_value(c, &r, c->argv[2], deadline_ms);
	return OK;
}

static int string_setnx(struct call *c)
{
	struct record r;
	int rc = call_record(c, 1, &r);

	if (rc != OK)
		return rc;
	if (r.type == RECORD_NONE)
		set_value(c, &r, c->argv[2], 0);
	return reply_integer(c, r.type == RECORD_NONE);
}

static int set_for_a_while(struct call *c, enum time_unit unit)
{
	struct record r;
	uint64_t deadline_ms;
	int rc = call_deadline(c, c->argv[2], unit, false, &deadline_ms);

	if (rc == OK)
		rc = call_record(c, 1, &r);
	if (rc != OK)
		return rc;
	set_value(c, &r, c->argv[3], deadline_ms);
	return reply_ok(c);
}

static int string_setex(struct call *c)
{
	return set_for_a_while(c, TIME_SECONDS);
}

static int string_psetex(struct call *c)
{
	return set_for_a_while(c, TIME_MILLISECONDS);
}

/* DEL on a condition. */
static int string_delex(struct call *c)
{
	struct options o;
	struct set_condition condition;
	struct record r;
	bool holds;
	int rc = call_options(c, 2, delex_options, ARRAY_LEN(delex_options), &o);

	if (rc == OK)
		rc = condition_of(c, &o, 0, &condition);
	if (rc == OK)
		rc = call_record(c, 1, &r);
	if (rc == OK)
		rc = condition_holds(c, &condition, &r, &holds);
	if (rc != OK)
		return rc;
	holds = holds && r.type != RECORD_NONE;
	if (holds)
		call_delete(c, 1, &r);
	return reply_integer(c, holds);
}

/* Only with GET does it matter what stood there. */
static uint32_t set_key_use(const struct slice *argv, size_t argc)
{
	for (size_t i = 3; i < argc; i++)
		if (argument_is(argv[i], "GET"))
			return KEY_RW | KEY_ACCESS | KEY_UPDATE;
	return KEY_OW | KEY_UPDATE;
}

#define GROWS (COMMAND_FLAG_WRITE | COMMAND_FLAG_DENYOOM)
#define FAST  COMMAND_FLAG_FAST

static const struct command rows[] = {
	COMMAND_KEY_ROW(
		"DELEX", -2, COMMAND_WRITE, COMMAND_FLAG_WRITE | FAST, 1, 1, 1, string_delex,
		.key_use = KEY_RW | KEY_ACCESS | KEY_DELETE,
		COMMAND_DOC(GROUP_STRING, "8.4.0", "O(N), N bytes",
			    "key [IFEQ comparison|IFNE comparison|IFDEQ digest|IFDNE digest|IFREV "
			    "revision]",
			    "Deletes a key on a condition on its value or its revision",
			    .differs = "Redis has it from version 8.4 on; IFREV is an addition")),
	COMMAND_KEY_ROW("DIGEST", 2, COMMAND_READ, COMMAND_FLAG_READONLY | FAST, 1, 1, 1,
			string_digest, .key_use = KEY_RO | KEY_ACCESS,
			COMMAND_DOC(GROUP_STRING, "8.4.0", "O(N), N bytes", "key",
				    "Tells the digest of a string",
				    .differs = "Redis has it from version 8.4 on")),
	COMMAND_KEY_ROW("GET", 2, COMMAND_READ, COMMAND_FLAG_READONLY | FAST, 1, 1, 1, string_get,
			.key_use = KEY_RO | KEY_ACCESS,
			COMMAND_DOC(GROUP_STRING, "1.0.0", "O(N), N bytes", "key",
				    "Gives the string under a key")),
	COMMAND_KEY_ROW("GETDEL", 2, COMMAND_WRITE, COMMAND_FLAG_WRITE | FAST, 1, 1, 1,
			string_getdel, .key_use = KEY_RW | KEY_ACCESS | KEY_DELETE,
			COMMAND_DOC(GROUP_STRING, "6.2.0", "O(N), N bytes", "key",
				    "Gives the string under a key and deletes the key")),
	COMMAND_KEY_ROW(
		"GETEX", -2, COMMAND_WRITE, COMMAND_FLAG_WRITE | FAST, 1, 1, 1, string_getex,
		.key_use = KEY_RW | KEY_ACCESS | KEY_UPDATE,
		COMMAND_DOC(GROUP_STRING, "6.2.0", "O(N), N bytes",
			    "key [EX seconds|PX milliseconds|EXAT unix-time-seconds|PXAT "
			    "unix-time-milliseconds|PERSIST]",
			    "Gives the string under a key and changes how long the key lives")),
	COMMAND_KEY_ROW("GETSET", 3, COMMAND_WRITE, GROWS | FAST, 1, 1, 1, string_getset,
			.key_use = KEY_RW | KEY_ACCESS | KEY_UPDATE,
			COMMAND_DOC(GROUP_STRING, "1.0.0", "O(N), N bytes", "key value",
				    "Sets the string under a key and gives the one before")),
	COMMAND_KEY_ROW("PSETEX", 4, COMMAND_WRITE, GROWS, 1, 1, 1, string_psetex,
			.key_use = KEY_OW | KEY_UPDATE,
			COMMAND_DOC(GROUP_STRING, "2.6.0", "O(1)", "key milliseconds value",
				    "Sets a string that lives for some milliseconds")),
	COMMAND_KEY_ROW(
		"SET", -3, COMMAND_WRITE, GROWS, 1, 1, 1, string_set,
		.key_use = KEY_RW | KEY_ACCESS | KEY_UPDATE | KEY_VARIABLE,
		.key_use_in = set_key_use,
		COMMAND_DOC(GROUP_STRING, "1.0.0", "O(1)",
			    "key value [NX|XX|IFEQ comparison|IFNE comparison|IFDEQ digest|IFDNE "
			    "digest|IFREV revision] [GET] [EX seconds|PX milliseconds|EXAT "
			    "unix-time-seconds|PXAT unix-time-milliseconds|KEEPTTL]",
			    "Sets the string under a key, on conditions and with a deadline",
			    .differs = "IFEQ, IFNE, IFDEQ and IFDNE are those of Redis 8.4; IFREV "
				       "is an addition")),
	COMMAND_KEY_ROW("SETEX", 4, COMMAND_WRITE, GROWS, 1, 1, 1, string_setex,
			.key_use = KEY_OW | KEY_UPDATE,
			COMMAND_DOC(GROUP_STRING, "2.0.0", "O(1)", "key seconds value",
				    "Sets a string that lives for some seconds")),
	COMMAND_KEY_ROW("SETNX", 3, COMMAND_WRITE, GROWS | FAST, 1, 1, 1, string_setnx,
			.key_use = KEY_OW | KEY_INSERT,
			COMMAND_DOC(GROUP_STRING, "1.0.0", "O(1)", "key value",
				    "Sets a string if the key is not there")),
};

const struct command_family string_family = COMMAND_FAMILY(rows);
