/* The connection: who it is, how it speaks, which database it means. */

#include "base/error.h"
#include "command/desk.h"
#include "command/family.h"
#include "resp/integer.h"

static int connection_ping(struct call *c)
{
	if (c->argc > 2)
		return reply_wrong_arity(c);
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

static int connection_select(struct call *c)
{
	int64_t database;

	if (!resp_integer_parse(c->argv[1], &database))
		return reply_not_integer(c);
	if (database < INT32_MIN || database > INT32_MAX)
		return reply_error(c, "ERR value is out of range, value must between -2147483648 "
				      "and 2147483647");
	if (database < 0 || database >= DATABASE_COUNT)
		return reply_error(c, "ERR DB index is out of range");
	c->client->database = (unsigned)database;
	return reply_ok(c);
}

static int connection_readonly(struct call *c)
{
	c->client->readonly = true;
	return reply_ok(c);
}

static int connection_readwrite(struct call *c)
{
	c->client->readonly = false;
	return reply_ok(c);
}

/* The session has ended the transaction and forgotten the watches. */
static int connection_reset(struct call *c)
{
	client_reset(c->client);
	c->client->authenticated = !c->desk->password_needed(c->desk->self);
	c->reply->protocol = c->client->protocol;
	resp_write_simple(c->reply, SLICE_LITERAL("RESET"));
	return OK;
}

static int connection_quit(struct call *c)
{
	c->client->wants_close = true;
	return reply_ok(c);
}

/* The time of this member's machine, to the millisecond. */
static int connection_time(struct call *c)
{
	uint64_t ms = clock_wall_ms(c->client->clock);
	uint8_t text[RESP_INTEGER_MAX];

	resp_write_array(c->reply, 2);
	resp_write_bulk(c->reply, slice_of(text, resp_integer_format(text, (int64_t)(ms / 1000))));
	resp_write_bulk(c->reply,
			slice_of(text, resp_integer_format(text, (int64_t)(ms % 1000 * 1000))));
	return OK;
}

/* ---- AUTH and HELLO -------------------------------------------------------------------------- */

/* There is one user, "default"; as long as no password is set for it, any will do. */
static int authenticate(struct call *c, struct slice user, struct slice password)
{
	const struct desk *desk = c->desk;

	if (!slice_equal(user, SLICE_LITERAL("default")) ||
	    (desk->password_needed(desk->self) && !desk->password_fits(desk->self, password)))
		return reply_error(c,
				   "WRONGPASS invalid username-password pair or user is disabled.");
	c->client->authenticated = true;
	return OK;
}

static int connection_auth(struct call *c)
{
	struct slice user = c->argc == 3 ? c->argv[1] : SLICE_LITERAL("default");
	int rc;

	if (c->argc > 3)
		return reply_syntax(c);
	if (c->argc == 2 && !c->desk->password_needed(c->desk->self))
		return reply_error(c, "ERR AUTH <password> called without any password configured "
				      "for the default user. Are you sure your configuration is "
				      "correct?");
	rc = authenticate(c, user, c->argv[c->argc - 1]);
	return rc == OK ? reply_ok(c) : rc;
}

struct hello {
	int64_t protocol;
	bool has_name;
	struct slice name;
};

static int hello_parse(struct call *c, struct hello *h)
{
	*h = (struct hello){.protocol = c->client->protocol};
	if (c->argc > 1 && !resp_integer_parse(c->argv[1], &h->protocol))
		return reply_error(c, "ERR Protocol version is not an integer or out of range");
	if (h->protocol != 2 && h->protocol != 3)
		return reply_error(c, "NOPROTO unsupported protocol version");
	for (size_t i = 2; i < c->argc; i++) {
		size_t more = c->argc - 1 - i;
		int rc = OK;

		if (argument_is(c->argv[i], "AUTH") && more >= 2) {
			rc = authenticate(c, c->argv[i + 1], c->argv[i + 2]);
			i += 2;
		} else if (argument_is(c->argv[i], "SETNAME") && more) {
			h->has_name = true;
			h->name = c->argv[++i];
			rc = client_name_allowed(c, h->name);
		} else {
			resp_write_errorf(c->reply, "ERR Syntax error in HELLO option '%.*s'",
					  (int)c->argv[i].len, (const char *)c->argv[i].data);
			rc = CALL_REFUSED;
		}
		if (rc != OK)
			return rc;
	}
	return OK;
}

static void hello_pair(struct call *c, const char *name, struct slice value)
{
	resp_write_bulk(c->reply, slice_of_text(name));
	resp_write_bulk(c->reply, value);
}

static int connection_hello(struct call *c)
{
	struct hello h;
	int rc = hello_parse(c, &h);

	if (rc != OK)
		return rc;
	if (!c->client->authenticated)
		return reply_error(c,
				   "NOAUTH HELLO must be called with the client already "
				   "authenticated, otherwise the HELLO AUTH <user> <pass> option "
				   "can be used to authenticate the client and select the RESP "
				   "protocol version at the same time");
	if (h.has_name) {
		buf_clear(&c->client->name);
		buf_append_slice(&c->client->name, h.name);
	}
	c->client->protocol = (int)h.protocol;
	c->reply->protocol = (int)h.protocol;
	resp_write_map(c->reply, 7);
	hello_pair(c, "server", SLICE_LITERAL("redis"));
	hello_pair(c, "version", SLICE_LITERAL(REDIS_VERSION));
	resp_write_bulk(c->reply, SLICE_LITERAL("proto"));
	resp_write_integer(c->reply, h.protocol);
	resp_write_bulk(c->reply, SLICE_LITERAL("id"));
	resp_write_integer(c->reply, (int64_t)c->client->id);
	hello_pair(c, "mode", SLICE_LITERAL("standalone"));
	/* Another word than that of ROLE and INFO, as in Redis. */
	hello_pair(c, "role",
		   c->desk->is_master(c->desk->self) ? SLICE_LITERAL("master")
						     : SLICE_LITERAL("replica"));
	resp_write_bulk(c->reply, SLICE_LITERAL("modules"));
	resp_write_array(c->reply, 0);
	return OK;
}

#define ALWAYS (COMMAND_FLAG_LOADING | COMMAND_FLAG_STALE | COMMAND_FLAG_FAST)
#define SELF   (ALWAYS | COMMAND_FLAG_NOSCRIPT)
#define GREETS (SELF | COMMAND_FLAG_NO_AUTH | COMMAND_FLAG_ALLOW_BUSY)

static const struct command rows[] = {
	COMMAND_ROW("AUTH", -2, COMMAND_LOCAL, GREETS, connection_auth,
		    COMMAND_DOC(GROUP_CONNECTION, "1.0.0", "O(1)", "[username] password",
				"Says who uses the connection")),
	{
		.name = "CLIENT",
		.arity = -2,
		.class = COMMAND_LOCAL,
		.subcommands = &client_family,
		COMMAND_DOC(GROUP_CONNECTION, "2.4.0", "that of the subcommand", "",
			    "Commands about connections"),
	},
	{
		.name = "CONFIG",
		.arity = -2,
		.class = COMMAND_LOCAL,
		.subcommands = &config_family,
		COMMAND_DOC(GROUP_SERVER, "2.0.0", "that of the subcommand", "",
			    "Commands about the configuration of this member"),
	},
	COMMAND_ROW("ECHO", 2, COMMAND_LOCAL, ALWAYS, connection_echo,
		    COMMAND_DOC(GROUP_CONNECTION, "1.0.0", "O(1)", "message",
				"Gives the argument back")),
	COMMAND_ROW("HELLO", -1, COMMAND_LOCAL, GREETS, connection_hello,
		    COMMAND_DOC(GROUP_CONNECTION, "6.0.0", "O(1)",
				"[protover [AUTH username password] [SETNAME clientname]]",
				"Chooses the version of the protocol, and says who is there")),
	{
		.name = "MEMBER",
		.arity = -2,
		.class = COMMAND_LOCAL,
		.subcommands = &member_family,
		COMMAND_DOC(GROUP_CLUSTER, "0.1.0", "that of the subcommand", "",
			    "Commands about the members of the cluster"),
	},
	COMMAND_ROW("PING", -1, COMMAND_LOCAL, ALWAYS, connection_ping,
		    COMMAND_DOC(GROUP_CONNECTION, "1.0.0", "O(1)", "[message]",
				"Answers, and shows that somebody is there",
				.tips = "request_policy:all_shards response_policy:all_succeeded")),
	{
		.name = "QUIT",
		.arity = -1,
		.class = COMMAND_LOCAL,
		.flags = GREETS,
		.run = connection_quit,
		.role = ROLE_QUIT,
		COMMAND_DOC(GROUP_CONNECTION, "1.0.0", "O(1)", "", "Closes the connection"),
	},
	COMMAND_ROW("READONLY", 1, COMMAND_LOCAL, ALWAYS, connection_readonly,
		    COMMAND_DOC(GROUP_CLUSTER, "3.0.0", "O(1)", "",
				"Reads from now on what this member has, without asking the others",
				.differs = "Not only in a cluster of slots: reads on this "
					   "connection are serializable, no longer linearizable")),
	COMMAND_ROW("READWRITE", 1, COMMAND_LOCAL, ALWAYS, connection_readwrite,
		    COMMAND_DOC(GROUP_CLUSTER, "3.0.0", "O(1)", "",
				"Reads from now on what is acknowledged anywhere")),
	{
		.name = "RESET",
		.arity = 1,
		.class = COMMAND_LOCAL,
		.flags = GREETS,
		.run = connection_reset,
		.role = ROLE_RESET,
		COMMAND_DOC(GROUP_CONNECTION, "6.2.0", "O(1)", "",
			    "Makes the connection what a new one is"),
	},
	COMMAND_ROW(
		"SELECT", 2, COMMAND_LOCAL, ALWAYS, connection_select,
		COMMAND_DOC(GROUP_CONNECTION, "1.0.0", "O(1)", "index", "Chooses the database")),
	COMMAND_ROW(
		"TIME", 1, COMMAND_LOCAL, ALWAYS, connection_time,
		COMMAND_DOC(
			GROUP_SERVER, "2.6.0", "O(1)", "", "Tells the time of this member",
			.tips = "nondeterministic_output",
			.differs =
				"The time is that of this member's machine, to the millisecond")),
};

const struct command_family connection_family = COMMAND_FAMILY(rows);
