/* Commands about the connection that need nothing but their arguments. */

#include "base/error.h"
#include "command/family.h"

static int connection_ping(struct call *c)
{
	if (c->argc > 2)
		return reply_error(c, "ERR wrong number of arguments for 'ping' command");
	if (c->argc == 2)
		resp_write_bulk(c->reply, c->argv[1]);
	else
		resp_write_simple(c->reply, SLICE_LITERAL("PONG"));
	return OK;
}

static int connection_echo(struct call *c)
{
	resp_write_bulk(c->reply, c->argv[1]);
	return OK;
}

#define ALWAYS (COMMAND_FLAG_LOADING | COMMAND_FLAG_STALE | COMMAND_FLAG_FAST)

static const struct command rows[] = {
	{"ECHO", 2, COMMAND_LOCAL, ALWAYS, 0, 0, 0, connection_echo},
	{"PING", -1, COMMAND_LOCAL, ALWAYS, 0, 0, 0, connection_ping},
};

const struct command_family connection_family = COMMAND_FAMILY(rows);
