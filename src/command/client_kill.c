/* CLIENT KILL: ends connections, once what they have handed out is resolved. */

#include "base/error.h"
#include "command/client_family.h"
#include "command/desk.h"
#include "command/family.h"
#include "resp/integer.h"

/* Who is meant. */
struct victims {
	struct call *call;
	int64_t id;	      /* 0: any */
	struct slice address; /* no data: any */
	struct slice local;   /* no data: any */
	bool of_no_type;      /* a type that none of this member's clients is of */
	bool skip_self;
	int64_t count;
};

static int parse_filter(struct call *c, struct slice name, struct slice value, struct victims *v)
{
	bool matches;

	if (argument_is(name, "id"))
		return resp_integer_parse(value, &v->id) && v->id >= 1
			       ? OK
			       : reply_error(c, "ERR client-id should be greater than 0");
	if (argument_is(name, "type")) {
		if (client_type_parse(c, value, &matches) != OK)
			return CALL_REFUSED;
		v->of_no_type = !matches;
	} else if (argument_is(name, "addr")) {
		v->address = value;
	} else if (argument_is(name, "laddr")) {
		v->local = value;
	} else if (argument_is(name, "user")) {
		if (slice_equal(value, SLICE_LITERAL("default")))
			return OK;
		resp_write_errorf(c->reply, "ERR No such user '%.*s'", (int)value.len,
				  (const char *)value.data);
		return CALL_REFUSED;
	} else if (argument_is(name, "skipme") &&
		   (argument_is(value, "yes") || argument_is(value, "no"))) {
		v->skip_self = argument_is(value, "yes");
	} else {
		return reply_syntax(c);
	}
	return OK;
}

static bool is_meant(const struct victims *v, const struct client_row *row)
{
	if (v->of_no_type || (v->skip_self && row->is_self))
		return false;
	if (v->id && row->client->id != (uint64_t)v->id)
		return false;
	if (v->address.data && !slice_equal(v->address, row->address))
		return false;
	return !v->local.data || slice_equal(v->local, slice_of_text(row->socket.local));
}

static void kill_row(void *ctx, const struct client_row *row)
{
	struct victims *v = ctx;

	if (row->client->wants_close || !is_meant(v, row))
		return;
	v->count++;
	v->call->desk->clients_kill(v->call->desk->self, row);
}

int client_kill(struct call *c)
{
	struct victims v = {.call = c, .skip_self = true};

	if (c->argc == 3) {
		v.address = c->argv[2];
		v.skip_self = false;
	}
	for (size_t i = 2; c->argc > 3 && i < c->argc; i += 2) {
		int rc = i + 1 < c->argc ? parse_filter(c, c->argv[i], c->argv[i + 1], &v)
					 : reply_syntax(c);

		if (rc != OK)
			return rc;
	}
	c->desk->clients_each(c->desk->self, kill_row, &v);
	if (c->argc > 3)
		return reply_integer(c, v.count);
	return v.count ? reply_ok(c) : reply_error(c, "ERR No such client");
}
