/* CLIENT: what becomes of replies and requests of this member's clients. */

#include "base/error.h"
#include "command/client_family.h"
#include "command/desk.h"
#include "command/family.h"
#include "resp/integer.h"

/*
 * With an argument that is none of the three there is a reply in any case. The replies of a
 * transaction are one, of which no part can be left out.
 */
int client_reply(struct call *c)
{
	if (argument_is(c->argv[2], "on")) {
		c->client->replies = REPLIES_ON;
		return reply_ok(c);
	}
	if (!argument_is(c->argv[2], "off") && !argument_is(c->argv[2], "skip"))
		return reply_syntax(c);
	if (!c->members)
		return reply_error(c, "ERR CLIENT REPLY can only be ON within a transaction");
	if (argument_is(c->argv[2], "off"))
		c->client->replies = REPLIES_OFF;
	else if (c->client->replies == REPLIES_ON)
		c->client->replies = REPLIES_SKIP_NEXT;
	return OK;
}

int client_pause(struct call *c)
{
	bool all = c->argc == 3 || argument_is(c->argv[3], "all");
	int64_t ms;

	if (c->argc > 4)
		return reply_wrong_form(c);
	if (!all && !argument_is(c->argv[3], "write"))
		return reply_error(c, "ERR CLIENT PAUSE mode must be WRITE or ALL");
	if (call_timeout_ms(c, c->argv[2], &ms) != OK)
		return CALL_REFUSED;
	c->desk->clients_pause(c->desk->self, (uint64_t)ms, all);
	return reply_ok(c);
}

int client_unpause(struct call *c)
{
	c->desk->clients_unpause(c->desk->self);
	return reply_ok(c);
}

/* Nothing blocks a client here for others to end. */
int client_unblock(struct call *c)
{
	int64_t id;

	if (c->argc > 4)
		return reply_wrong_form(c);
	if (c->argc == 4 && !argument_is(c->argv[3], "timeout") &&
	    !argument_is(c->argv[3], "error"))
		return reply_error(c, "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
	if (call_integer(c, 2, &id) != OK)
		return CALL_REFUSED;
	return reply_integer(c, 0);
}

/* ---- tracking, which no connection has ------------------------------------------------------- */

int client_tracking(struct call *c)
{
	if (argument_is(c->argv[2], "off"))
		return reply_ok(c);
	if (!argument_is(c->argv[2], "on"))
		return reply_syntax(c);
	return reply_error(c, "ERR client side caching is not available on this server");
}

int client_caching(struct call *c)
{
	return reply_error(c, "ERR CLIENT CACHING can be called only when the client is in "
			      "tracking mode with OPTIN or OPTOUT mode enabled");
}

int client_getredir(struct call *c)
{
	return reply_integer(c, -1);
}

int client_trackinginfo(struct call *c)
{
	resp_write_map(c->reply, 3);
	resp_write_bulk(c->reply, SLICE_LITERAL("flags"));
	resp_write_set(c->reply, 1);
	resp_write_bulk(c->reply, SLICE_LITERAL("off"));
	resp_write_bulk(c->reply, SLICE_LITERAL("redirect"));
	resp_write_integer(c->reply, -1);
	resp_write_bulk(c->reply, SLICE_LITERAL("prefixes"));
	resp_write_array(c->reply, 0);
	return OK;
}
