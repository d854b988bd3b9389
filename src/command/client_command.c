/* CLIENT: what a connection says of itself, and is told. */

#include "base/error.h"
#include "command/family.h"

#include <inttypes.h>

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

static void append_pair(struct buf *text, const char *name, const struct buf *value)
{
	buf_printf(text, " %s=", name);
	buf_append_slice(text, buf_slice(value));
}

/* Of what Redis tells here, the part that a session knows: it knows no socket. */
static int client_info(struct call *c)
{
	const struct client *client = c->client;
	struct buf text = {0};

	buf_printf(&text, "id=%" PRIu64, client->id);
	append_pair(&text, "name", &client->name);
	buf_printf(&text, " flags=%s db=%u resp=%d", client->readonly ? "r" : "N", client->database,
		   client->protocol);
	append_pair(&text, "lib-name", &client->library);
	append_pair(&text, "lib-ver", &client->library_version);
	buf_append_byte(&text, '\n');
	resp_write_verbatim(c->reply, "txt", buf_slice(&text));
	buf_free(&text);
	return OK;
}

#define SELF (COMMAND_FLAG_NOSCRIPT | COMMAND_FLAG_LOADING | COMMAND_FLAG_STALE)

static const struct command rows[] = {
	COMMAND_ROW("CLIENT|GETNAME", 2, COMMAND_LOCAL, SELF, client_getname),
	COMMAND_ROW("CLIENT|ID", 2, COMMAND_LOCAL, SELF, client_id),
	COMMAND_ROW("CLIENT|INFO", 2, COMMAND_LOCAL, SELF, client_info),
	COMMAND_ROW("CLIENT|NO-EVICT", 3, COMMAND_LOCAL, SELF | COMMAND_FLAG_ADMIN,
		    client_no_evict),
	COMMAND_ROW("CLIENT|NO-TOUCH", 3, COMMAND_LOCAL, SELF, client_no_touch),
	COMMAND_ROW("CLIENT|SETINFO", 4, COMMAND_LOCAL, SELF, client_setinfo),
	COMMAND_ROW("CLIENT|SETNAME", 3, COMMAND_LOCAL, SELF, client_setname),
};

const struct command_family client_family = COMMAND_FAMILY(rows);
