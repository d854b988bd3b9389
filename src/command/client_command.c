/* CLIENT: what a connection says of itself, and is told. */

#include "base/error.h"
#include "command/client_family.h"
#include "command/family.h"

static bool is_plain(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] < '!' || text.data[i] > '~')
			return false;
	return true;
}

int client_name_allowed(struct call *c, struct slice name)
{
	if (is_plain(name))
		return OK;
	return reply_error(c, "ERR Client names cannot contain spaces, newlines or special "
			      "characters.");
}

static int client_id(struct call *c)
{
	return reply_integer(c, (int64_t)c->client->id);
}

static int client_getname(struct call *c)
{
	if (c->client->name.len)
		resp_write_bulk(c->reply, buf_slice(&c->client->name));
	else
		resp_write_null(c->reply);
	return OK;
}

static void text_set(struct buf *text, struct slice value)
{
	buf_clear(text);
	buf_append_slice(text, value);
}

static int client_setname(struct call *c)
{
	int rc = client_name_allowed(c, c->argv[2]);

	if (rc != OK)
		return rc;
	text_set(&c->client->name, c->argv[2]);
	return reply_ok(c);
}

static int client_setinfo(struct call *c)
{
	bool is_name = argument_is(c->argv[2], "lib-name");

	if (!is_name && !argument_is(c->argv[2], "lib-ver")) {
		resp_write_errorf(c->reply, "ERR Unrecognized option '%.*s'", (int)c->argv[2].len,
				  (const char *)c->argv[2].data);
		return CALL_REFUSED;
	}
	if (!is_plain(c->argv[3])) {
		resp_write_errorf(c->reply,
				  "ERR %s cannot contain spaces, newlines or special characters.",
				  is_name ? "lib-name" : "lib-ver");
		return CALL_REFUSED;
	}
	text_set(is_name ? &c->client->library : &c->client->library_version, c->argv[3]);
	return reply_ok(c);
}

static int on_or_off(struct call *c, bool *flag)
{
	if (argument_is(c->argv[2], "on"))
		*flag = true;
	else if (argument_is(c->argv[2], "off"))
		*flag = false;
	else
		return reply_syntax(c);
	return reply_ok(c);
}

static int client_no_evict(struct call *c)
{
	return on_or_off(c, &c->client->no_evict);
}

static int client_no_touch(struct call *c)
{
	return on_or_off(c, &c->client->no_touch);
}

#define SELF (COMMAND_FLAG_NOSCRIPT | COMMAND_FLAG_LOADING | COMMAND_FLAG_STALE)

#define ADMIN (SELF | COMMAND_FLAG_ADMIN)

static const struct command rows[] = {
	COMMAND_ROW("CLIENT|CACHING", 3, COMMAND_LOCAL, SELF, client_caching,
		    COMMAND_DOC(GROUP_CONNECTION, "6.0.0", "O(1)", "<YES|NO>",
				"Says whether the keys of the next command are tracked")),
	COMMAND_ROW("CLIENT|GETNAME", 2, COMMAND_LOCAL, SELF, client_getname,
		    COMMAND_DOC(GROUP_CONNECTION, "2.6.9", "O(1)", "",
				"Tells the name of the connection")),
	COMMAND_ROW(
		"CLIENT|GETREDIR", 2, COMMAND_LOCAL, SELF, client_getredir,
		COMMAND_DOC(GROUP_CONNECTION, "6.0.0", "O(1)", "",
			    "Tells which connection hears of tracked keys instead of this one")),
	COMMAND_ROW(
		"CLIENT|HELP", 2, COMMAND_LOCAL, COMMAND_FLAG_LOADING | COMMAND_FLAG_STALE,
		reply_help,
		COMMAND_DOC(GROUP_CONNECTION, "5.0.0", "O(1)", "", "Describes the subcommands")),
	COMMAND_ROW("CLIENT|ID", 2, COMMAND_LOCAL, SELF, client_id,
		    COMMAND_DOC(GROUP_CONNECTION, "5.0.0", "O(1)", "",
				"Tells the number of the connection on this member")),
	COMMAND_ROW("CLIENT|INFO", 2, COMMAND_LOCAL, SELF, client_info,
		    COMMAND_DOC(GROUP_CONNECTION, "6.2.0", "O(1)", "",
				"Tells what this member knows of the connection",
				.tips = "nondeterministic_output")),
	COMMAND_ROW("CLIENT|KILL", -3, COMMAND_LOCAL, ADMIN, client_kill,
		    COMMAND_DOC(GROUP_CONNECTION, "2.4.0", "O(N), N connections",
				"<address|[ID client-id:integer] [TYPE "
				"<NORMAL|MASTER|SLAVE|REPLICA|PUBSUB>] [USER username] [ADDR "
				"address] [LADDR address] [SKIPME yes-or-no]>",
				"Closes connections")),
	COMMAND_ROW("CLIENT|LIST", -2, COMMAND_LOCAL, ADMIN, client_list,
		    COMMAND_DOC(GROUP_CONNECTION, "2.4.0", "O(N), N connections",
				"[TYPE <NORMAL|MASTER|REPLICA|PUBSUB>] [ID client-id:integer "
				"[client-id:integer ...]]",
				"Lists the connections of this member",
				.tips = "nondeterministic_output")),
	COMMAND_ROW("CLIENT|NO-EVICT", 3, COMMAND_LOCAL, SELF | COMMAND_FLAG_ADMIN, client_no_evict,
		    COMMAND_DOC(GROUP_CONNECTION, "7.0.0", "O(1)", "<ON|OFF>",
				"Asks that the connection not be closed to save memory")),
	COMMAND_ROW("CLIENT|NO-TOUCH", 3, COMMAND_LOCAL, SELF, client_no_touch,
		    COMMAND_DOC(GROUP_CONNECTION, "7.2.0", "O(1)", "<ON|OFF>",
				"Asks that reads not count as use of a key")),
	COMMAND_ROW("CLIENT|PAUSE", -3, COMMAND_LOCAL, ADMIN, client_pause,
		    COMMAND_DOC(GROUP_CONNECTION, "2.9.50", "O(1)", "timeout:integer [WRITE|ALL]",
				"Lets the requests of clients of this member wait for a while")),
	{
		.name = "CLIENT|REPLY",
		.arity = 3,
		.class = COMMAND_LOCAL,
		.flags = SELF,
		.run = client_reply,
		.role = ROLE_REPLY,
		COMMAND_DOC(GROUP_CONNECTION, "3.2.0", "O(1)", "<ON|OFF|SKIP>",
			    "Says whether this connection wants replies",
			    .differs = "Within a transaction only ON: what Redis sends then is "
				       "half a reply"),
	},
	COMMAND_ROW("CLIENT|SETINFO", 4, COMMAND_LOCAL, SELF, client_setinfo,
		    COMMAND_DOC(GROUP_CONNECTION, "7.2.0", "O(1)",
				"<LIB-NAME libname|LIB-VER libver>",
				"Notes which library uses the connection, and its version")),
	COMMAND_ROW("CLIENT|SETNAME", 3, COMMAND_LOCAL, SELF, client_setname,
		    COMMAND_DOC(GROUP_CONNECTION, "2.6.9", "O(1)", "connection-name",
				"Names the connection")),
	COMMAND_ROW(
		"CLIENT|TRACKING", -3, COMMAND_LOCAL, SELF, client_tracking,
		COMMAND_DOC(
			GROUP_CONNECTION, "6.0.0", "O(1)",
			"<ON|OFF> [REDIRECT client-id:integer] [PREFIX prefix [PREFIX prefix ...]] "
			"[BCAST] [OPTIN] [OPTOUT] [NOLOOP]",
			"Asks to be told when keys change that were read")),
	COMMAND_ROW("CLIENT|TRACKINGINFO", 2, COMMAND_LOCAL, SELF, client_trackinginfo,
		    COMMAND_DOC(GROUP_CONNECTION, "6.2.0", "O(1)", "",
				"Tells what is tracked for this connection")),
	COMMAND_ROW("CLIENT|UNBLOCK", -3, COMMAND_LOCAL, ADMIN, client_unblock,
		    COMMAND_DOC(GROUP_CONNECTION, "5.0.0", "O(1)",
				"client-id:integer [TIMEOUT|ERROR]",
				"Ends the wait of another connection's command")),
	{
		.name = "CLIENT|UNPAUSE",
		.arity = 2,
		.class = COMMAND_LOCAL,
		.flags = ADMIN,
		.run = client_unpause,
		.role = ROLE_UNPAUSE,
		COMMAND_DOC(GROUP_CONNECTION, "6.2.0", "O(1)", "",
			    "Lets the requests of clients go on"),
	},
};

const struct command_family client_family = COMMAND_FAMILY(rows);
