/* Deadlines of keys. */

#include "base/check.h"
#include "base/error.h"
#include "command/family.h"

#include <stdio.h>

/* ---- setting --------------------------------------------------------------------------------- */

enum expire_flag {
	EXPIRE_NX = 1 << 0,
	EXPIRE_XX = 1 << 1,
	EXPIRE_GT = 1 << 2,
	EXPIRE_LT = 1 << 3,
};

static int expire_option(struct call *c, size_t at, uint32_t *flags)
{
	struct slice word = c->argv[at];

	if (argument_is(word, "NX")) {
		*flags |= EXPIRE_NX;
	} else if (argument_is(word, "XX")) {
		*flags |= EXPIRE_XX;
	} else if (argument_is(word, "GT")) {
		*flags |= EXPIRE_GT;
	} else if (argument_is(word, "LT")) {
		*flags |= EXPIRE_LT;
	} else {
		resp_write_errorf(c->reply, "ERR Unsupported option %.*s", (int)word.len,
				  (const char *)word.data);
		return CALL_REFUSED;
	}
	return OK;
}

static int expire_options(struct call *c, uint32_t *flags)
{
	*flags = 0;
	for (size_t i = 3; i < c->argc; i++) {
		int rc = expire_option(c, i, flags);

		if (rc != OK)
			return rc;
	}
	if ((*flags & EXPIRE_NX) && (*flags & (EXPIRE_XX | EXPIRE_GT | EXPIRE_LT)))
		return reply_error(c, "ERR NX and XX, GT or LT options at the same time are not "
				      "compatible");
	if ((*flags & EXPIRE_GT) && (*flags & EXPIRE_LT))
		return reply_error(c, "ERR GT and LT options at the same time are not compatible");
	return OK;
}

/* A key that lives on has its end after all others. */
static bool expire_applies(uint32_t flags, uint64_t now_ms, int64_t new_ms)
{
	bool later = now_ms && new_ms > (int64_t)now_ms;
	bool earlier = !now_ms || new_ms < (int64_t)now_ms;

	return !((flags & EXPIRE_NX) && now_ms) && !((flags & EXPIRE_XX) && !now_ms) &&
	       !((flags & EXPIRE_GT) && !later) && !((flags & EXPIRE_LT) && !earlier);
}

/* Deadlines before now are fine, before 1970 too: the key is gone then. */
static int expire_deadline(struct call *c, enum time_unit unit, bool absolute, int64_t *at_ms)
{
	int rc = call_integer(c, 2, at_ms);

	if (rc != OK)
		return rc;
	if (__builtin_mul_overflow(*at_ms, (int64_t)unit, at_ms) ||
	    (!absolute && __builtin_add_overflow(*at_ms, (int64_t)c->txn->time_ms, at_ms)))
		return reply_error_named(c, "invalid expire time in '", "' command");
	return OK;
}

static int expire(struct call *c, enum time_unit unit, bool absolute)
{
	struct record r;
	uint32_t flags;
	int64_t at_ms;
	int rc = expire_options(c, &flags);

	if (rc == OK)
		rc = expire_deadline(c, unit, absolute, &at_ms);
	if (rc == OK)
		rc = call_record(c, 1, &r);
	if (rc != OK)
		return rc;
	if (r.type == RECORD_NONE || !expire_applies(flags, r.deadline_ms, at_ms))
		return reply_integer(c, 0);
	if (at_ms <= (int64_t)c->txn->time_ms)
		call_delete(c, 1, &r);
	else
		txn_set_deadline(c->txn, c->database, c->argv[1], &r, (uint64_t)at_ms);
	return reply_integer(c, 1);
}

static int expiry_expire(struct call *c)
{
	return expire(c, TIME_SECONDS, false);
}

static int expiry_pexpire(struct call *c)
{
	return expire(c, TIME_MILLISECONDS, false);
}

static int expiry_expireat(struct call *c)
{
	return expire(c, TIME_SECONDS, true);
}

static int expiry_pexpireat(struct call *c)
{
	return expire(c, TIME_MILLISECONDS, true);
}

static int expiry_persist(struct call *c)
{
	struct record r;
	int rc = call_record(c, 1, &r);

	if (rc != OK)
		return rc;
	if (r.type == RECORD_NONE || !r.deadline_ms)
		return reply_integer(c, 0);
	txn_set_deadline(c->txn, c->database, c->argv[1], &r, 0);
	return reply_integer(c, 1);
}

/* ---- asking ---------------------------------------------------------------------------------- */

#define NO_KEY	    (-2)
#define NO_DEADLINE (-1)

/* A key is there until an expiry is applied: what is left of its time may be nothing by now. */
static int reply_time(struct call *c, enum time_unit unit, bool absolute)
{
	struct record r;
	int64_t ms;
	int rc = call_record(c, 1, &r);

	if (rc != OK)
		return rc;
	if (r.type == RECORD_NONE)
		return reply_integer(c, NO_KEY);
	if (!r.deadline_ms)
		return reply_integer(c, NO_DEADLINE);
	ms = (int64_t)r.deadline_ms;
	if (!absolute)
		ms = MAX(ms - (int64_t)c->txn->time_ms, 0);
	/* Rounded without passing the largest number. */
	return reply_integer(c, unit == TIME_SECONDS ? ms / 1000 + (ms % 1000 >= 500) : ms);
}

static int expiry_ttl(struct call *c)
{
	return reply_time(c, TIME_SECONDS, false);
}

static int expiry_pttl(struct call *c)
{
	return reply_time(c, TIME_MILLISECONDS, false);
}

static int expiry_expiretime(struct call *c)
{
	return reply_time(c, TIME_SECONDS, true);
}

static int expiry_pexpiretime(struct call *c)
{
	return reply_time(c, TIME_MILLISECONDS, true);
}

#define SETS (COMMAND_FLAG_WRITE | COMMAND_FLAG_FAST)
#define ASKS (COMMAND_FLAG_READONLY | COMMAND_FLAG_FAST)

static const struct command rows[] = {
	COMMAND_KEY_ROW("EXPIRE", -3, COMMAND_WRITE, SETS, 1, 1, 1, expiry_expire,
			.key_use = KEY_RW | KEY_UPDATE,
			COMMAND_DOC(GROUP_GENERIC, "1.0.0", "O(1)", "key seconds [NX|XX|GT|LT]",
				    "Sets how many seconds a key has left")),
	COMMAND_KEY_ROW("EXPIREAT", -3, COMMAND_WRITE, SETS, 1, 1, 1, expiry_expireat,
			.key_use = KEY_RW | KEY_UPDATE,
			COMMAND_DOC(GROUP_GENERIC, "1.2.0", "O(1)",
				    "key unix-time-seconds [NX|XX|GT|LT]",
				    "Sets the second at which a key goes")),
	COMMAND_KEY_ROW("EXPIRETIME", 2, COMMAND_READ, ASKS, 1, 1, 1, expiry_expiretime,
			.key_use = KEY_RO | KEY_ACCESS,
			COMMAND_DOC(GROUP_GENERIC, "7.0.0", "O(1)", "key",
				    "Tells the second at which a key goes")),
	COMMAND_KEY_ROW("PERSIST", 2, COMMAND_WRITE, SETS, 1, 1, 1, expiry_persist,
			.key_use = KEY_RW | KEY_UPDATE,
			COMMAND_DOC(GROUP_GENERIC, "2.2.0", "O(1)", "key",
				    "Takes its deadline from a key")),
	COMMAND_KEY_ROW("PEXPIRE", -3, COMMAND_WRITE, SETS, 1, 1, 1, expiry_pexpire,
			.key_use = KEY_RW | KEY_UPDATE,
			COMMAND_DOC(GROUP_GENERIC, "2.6.0", "O(1)",
				    "key milliseconds [NX|XX|GT|LT]",
				    "Sets how many milliseconds a key has left")),
	COMMAND_KEY_ROW("PEXPIREAT", -3, COMMAND_WRITE, SETS, 1, 1, 1, expiry_pexpireat,
			.key_use = KEY_RW | KEY_UPDATE,
			COMMAND_DOC(GROUP_GENERIC, "2.6.0", "O(1)",
				    "key unix-time-milliseconds [NX|XX|GT|LT]",
				    "Sets the millisecond at which a key goes")),
	COMMAND_KEY_ROW("PEXPIRETIME", 2, COMMAND_READ, ASKS, 1, 1, 1, expiry_pexpiretime,
			.key_use = KEY_RO | KEY_ACCESS,
			COMMAND_DOC(GROUP_GENERIC, "7.0.0", "O(1)", "key",
				    "Tells the millisecond at which a key goes")),
	COMMAND_KEY_ROW("PTTL", 2, COMMAND_READ, ASKS, 1, 1, 1, expiry_pttl,
			.key_use = KEY_RO | KEY_ACCESS,
			COMMAND_DOC(GROUP_GENERIC, "2.6.0", "O(1)", "key",
				    "Tells how many milliseconds a key has left",
				    .tips = "nondeterministic_output")),
	COMMAND_KEY_ROW("TTL", 2, COMMAND_READ, ASKS, 1, 1, 1, expiry_ttl,
			.key_use = KEY_RO | KEY_ACCESS,
			COMMAND_DOC(GROUP_GENERIC, "1.0.0", "O(1)", "key",
				    "Tells how many seconds a key has left",
				    .tips = "nondeterministic_output")),
};

const struct command_family expiry_family = COMMAND_FAMILY(rows);
