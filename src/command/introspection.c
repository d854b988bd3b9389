/* COMMAND: the table, told to clients. */

#include "base/check.h"
#include "base/error.h"
#include "command/family.h"

/* By their bits. */
static const char *const flag_names[] = {"write",
					 "readonly",
					 "denyoom",
					 "fast",
					 "loading",
					 "stale",
					 "admin",
					 "noscript",
					 "no_auth",
					 [12] = "no_multi",
					 [13] = "skip_monitor"};

static void reply_name(struct call *c, const struct command *row)
{
	struct buf name = {0};

	command_append_name(row, &name);
	resp_write_bulk(c->reply, buf_slice(&name));
	buf_free(&name);
}

static void reply_flags(struct call *c, uint32_t flags)
{
	resp_write_set(c->reply, (size_t)__builtin_popcount(flags));
	for (size_t i = 0; i < ARRAY_LEN(flag_names); i++)
		if (flags & 1u << i)
			resp_write_simple(c->reply, slice_of_text(flag_names[i]));
}

/* The six fields that clients look at; access lists, tips and key specifications are empty. */
static void reply_fields(struct call *c, const struct command *row)
{
	resp_write_array(c->reply, 10);
	reply_name(c, row);
	resp_write_integer(c->reply, row->arity);
	reply_flags(c, row->flags);
	resp_write_integer(c->reply, row->first_key);
	resp_write_integer(c->reply, row->last_key);
	resp_write_integer(c->reply, row->key_step);
	resp_write_set(c->reply, 0);
	resp_write_array(c->reply, 0);
	resp_write_array(c->reply, 0);
}

static void reply_row(struct call *c, const struct command *row)
{
	const struct command *sub;
	size_t count = 0;

	reply_fields(c, row);
	while (command_subcommand_at(row, count))
		count++;
	resp_write_array(c->reply, count);
	for (size_t i = 0; (sub = command_subcommand_at(row, i)) != NULL; i++) {
		reply_fields(c, sub);
		resp_write_array(c->reply, 0);
	}
}

static int reply_rows(struct call *c)
{
	size_t count = command_count();

	resp_write_array(c->reply, count);
	for (size_t i = 0; i < count; i++)
		reply_row(c, command_at(i));
	return OK;
}

static int introspection_info(struct call *c)
{
	if (c->argc == 2)
		return reply_rows(c);
	resp_write_array(c->reply, c->argc - 2);
	for (size_t i = 2; i < c->argc; i++) {
		const struct command *row = command_find(c->argv[i]);

		if (row)
			reply_row(c, row);
		else
			resp_write_null_array(c->reply);
	}
	return OK;
}

static int introspection_count(struct call *c)
{
	return reply_integer(c, (int64_t)command_count());
}

/* Names without words about them, which is what a client gets from an older server. */
static int introspection_docs(struct call *c)
{
	struct resp_open open = resp_open_map(c->reply);
	size_t found = 0, count = c->argc == 2 ? command_count() : c->argc - 2;

	for (size_t i = 0; i < count; i++) {
		const struct command *row =
			c->argc == 2 ? command_at(i) : command_find(c->argv[2 + i]);

		if (!row)
			continue;
		reply_name(c, row);
		resp_write_map(c->reply, 0);
		found++;
	}
	resp_close(c->reply, open, found);
	return OK;
}

#define ALWAYS (COMMAND_FLAG_LOADING | COMMAND_FLAG_STALE)

static const struct command subcommands[] = {
	COMMAND_ROW("COMMAND|COUNT", 2, COMMAND_LOCAL, ALWAYS, introspection_count),
	COMMAND_ROW("COMMAND|DOCS", -2, COMMAND_LOCAL, ALWAYS, introspection_docs),
	COMMAND_ROW("COMMAND|INFO", -2, COMMAND_LOCAL, ALWAYS, introspection_info),
};

static const struct command_family subcommand_family = COMMAND_FAMILY(subcommands);

static const struct command rows[] = {
	{
		.name = "COMMAND",
		.arity = -1,
		.class = COMMAND_LOCAL,
		.flags = ALWAYS,
		.run = reply_rows,
		.subcommands = &subcommand_family,
	},
};

const struct command_family introspection_family = COMMAND_FAMILY(rows);
