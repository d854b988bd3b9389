/* AT: any command that reads, on the state as it was. */

#include "base/error.h"
#include "command/family.h"
#include "resp/integer.h"

#include <inttypes.h>

static int past_error(struct call *c, int rc, uint64_t revision)
{
	const struct position *p = &c->txn->position;

	if (rc == ERR_COMPACTED)
		resp_write_errorf(c->reply,
				  "COMPACTED revision %" PRIu64 " is below the horizon, %" PRIu64,
				  revision, p->horizon);
	else
		resp_write_errorf(c->reply,
				  "ERR revision %" PRIu64
				  " is not there yet, the newest is %" PRIu64,
				  revision, p->revision);
	return CALL_REFUSED;
}

/* One that a handler answers from the state alone; not AT itself. */
static bool past_takes(const struct call *c, const struct command *inner)
{
	return inner && inner->class == COMMAND_READ && inner->role == ROLE_ORDINARY &&
	       inner->run && inner->run != c->command->run;
}

/* Where the command begins that is to be run. */
static size_t past_inner(const struct slice *argv, size_t argc)
{
	size_t from = argument_is(argv[1], "TIME") ? 3 : 2;

	return from < argc ? from : 0;
}

/* The command from argument `from` on, as of this revision. */
static int past_run(struct call *c, size_t from, uint64_t revision)
{
	const struct command *parent;
	struct call inner = *c;
	int rc;

	inner.argv += from;
	inner.argc -= from;
	inner.command = command_lookup(inner.argv, inner.argc, &parent);
	if (!past_takes(c, inner.command))
		return reply_error(c, "ERR AT takes a command that reads");
	if (!command_takes(inner.command, inner.argc))
		return reply_wrong_arity(&inner);
	rc = txn_as_of(c->txn, revision);
	if (rc == ERR_COMPACTED || rc == ERR_INVALID)
		return past_error(c, rc, revision);
	if (rc != OK)
		return rc;
	rc = inner.command->run(&inner);
	txn_now(c->txn);
	return rc;
}

static int past_at_time(struct call *c)
{
	uint64_t revision;
	int64_t time_ms;
	int rc;

	if (c->argc < 4)
		return reply_wrong_arity(c);
	if (!resp_integer_parse(c->argv[2], &time_ms) || time_ms < 0)
		return reply_not_integer(c);
	rc = txn_revision_at(c->txn, (uint64_t)time_ms, &revision);
	if (rc == ERR_COMPACTED)
		return reply_error(c, "COMPACTED that time is below the horizon");
	if (rc == ERR_INVALID)
		return reply_error(c, "ERR that time is not there yet");
	return rc == OK ? past_run(c, 3, revision) : rc;
}

static int past_at(struct call *c)
{
	int64_t revision;

	if (argument_is(c->argv[1], "TIME"))
		return past_at_time(c);
	if (!resp_integer_parse(c->argv[1], &revision) || revision < 0)
		return reply_not_integer(c);
	return past_run(c, 2, (uint64_t)revision);
}

static const struct command rows[] = {
	COMMAND_ROW("AT", -3, COMMAND_READ, COMMAND_FLAG_READONLY | COMMAND_FLAG_MOVABLE_KEYS,
		    past_at, .inner = past_inner,
		    COMMAND_DOC(GROUP_HISTORY, "0.1.0", "that of the inner command",
				"<revision|TIME unix-time-milliseconds> command [arg ...]",
				"Runs a command that reads on the state as it was at a revision or "
				"at a time")),
};

const struct command_family past_family = COMMAND_FAMILY(rows);
