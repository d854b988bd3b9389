/* COMMAND: the table, told to clients. */

#include "base/check.h"
#include "base/error.h"
#include "command/docs.h"
#include "command/family.h"
#include "command/glob.h"

#include <string.h>

struct name {
	uint32_t bit;
	const char *text;
};

/* All in the order in which Redis tells them. */
static const struct name flag_names[] = {
	{COMMAND_FLAG_WRITE, "write"},
	{COMMAND_FLAG_READONLY, "readonly"},
	{COMMAND_FLAG_DENYOOM, "denyoom"},
	{COMMAND_FLAG_ADMIN, "admin"},
	{COMMAND_FLAG_NOSCRIPT, "noscript"},
	{COMMAND_FLAG_LOADING, "loading"},
	{COMMAND_FLAG_STALE, "stale"},
	{COMMAND_FLAG_SKIP_SLOWLOG, "skip_slowlog"},
	{COMMAND_FLAG_FAST, "fast"},
	{COMMAND_FLAG_NO_AUTH, "no_auth"},
	{COMMAND_FLAG_NO_MULTI, "no_multi"},
	{COMMAND_FLAG_ALLOW_BUSY, "allow_busy"},
	{COMMAND_FLAG_MOVABLE_KEYS, "movablekeys"},
	{COMMAND_FLAG_SKIP_MONITOR, "skip_monitor"},
};

static const struct name key_use_names[] = {
	{KEY_RO, "RO"},		{KEY_RW, "RW"},		{KEY_OW, "OW"},
	{KEY_RM, "RM"},		{KEY_ACCESS, "access"}, {KEY_UPDATE, "update"},
	{KEY_INSERT, "insert"}, {KEY_DELETE, "delete"}, {KEY_VARIABLE, "variable_flags"},
};

static const struct name category_names[] = {
	{CATEGORY_KEYSPACE, "@keyspace"},
	{CATEGORY_READ, "@read"},
	{CATEGORY_WRITE, "@write"},
	{CATEGORY_HASH, "@hash"},
	{CATEGORY_STRING, "@string"},
	{CATEGORY_BITMAP, "@bitmap"},
	{CATEGORY_ADMIN, "@admin"},
	{CATEGORY_FAST, "@fast"},
	{CATEGORY_SLOW, "@slow"},
	{CATEGORY_DANGEROUS, "@dangerous"},
	{CATEGORY_CONNECTION, "@connection"},
	{CATEGORY_TRANSACTION, "@transaction"},
};

/* ---- INFO ------------------------------------------------------------------------------------ */

static void reply_text(struct call *c, const char *text)
{
	resp_write_bulk(c->reply, slice_of_text(text));
}

static void reply_number(struct call *c, const char *name, int64_t value)
{
	reply_text(c, name);
	resp_write_integer(c->reply, value);
}

static void reply_name(struct call *c, const struct command *row)
{
	struct buf name = {0};

	command_append_name(row, &name);
	resp_write_bulk(c->reply, buf_slice(&name));
	buf_free(&name);
}

static void reply_bits(struct call *c, uint32_t bits, const struct name *names, size_t count)
{
	resp_write_set(c->reply, (size_t)__builtin_popcount(bits));
	for (size_t i = 0; i < count; i++)
		if (bits & names[i].bit)
			resp_write_simple(c->reply, slice_of_text(names[i].text));
}

/* Words with a blank between them. */
static void reply_tips(struct call *c, const char *tips)
{
	struct resp_open open = resp_open_set(c->reply);
	size_t count = 0;

	for (; tips && *tips; count++) {
		size_t len = strcspn(tips, " ");

		resp_write_bulk(c->reply, slice_of(tips, len));
		tips += len;
		tips += strspn(tips, " ");
	}
	resp_close(c->reply, open, count);
}

/* Keys from argument `first` on; `last` as key specifications have it: counted from there. */
static void reply_key_spec(struct call *c, uint32_t use, int first, int last, int step)
{
	resp_write_map(c->reply, 3);
	reply_text(c, "flags");
	reply_bits(c, use, key_use_names, ARRAY_LEN(key_use_names));
	reply_text(c, "begin_search");
	resp_write_map(c->reply, 2);
	reply_text(c, "type");
	reply_text(c, "index");
	reply_text(c, "spec");
	resp_write_map(c->reply, 1);
	reply_number(c, "index", first);
	reply_text(c, "find_keys");
	resp_write_map(c->reply, 2);
	reply_text(c, "type");
	reply_text(c, "range");
	reply_text(c, "spec");
	resp_write_map(c->reply, 3);
	reply_number(c, "lastkey", last < 0 ? last : last - first);
	reply_number(c, "keystep", step);
	reply_number(c, "limit", 0);
}

/* Where the first key is used in another way than those behind it, it has a specification alone. */
static void reply_key_specs(struct call *c, const struct command *row)
{
	int first = row->first_key, step = row->key_step;

	resp_write_set(c->reply, first == 0 ? 0 : row->later_use ? 2 : 1);
	if (first == 0)
		return;
	if (row->later_use) {
		reply_key_spec(c, row->key_use, first, first, 1);
		reply_key_spec(c, row->later_use, first + step, row->last_key, step);
	} else {
		reply_key_spec(c, row->key_use, first, row->last_key, step);
	}
}

static void reply_fields(struct call *c, const struct command *row)
{
	resp_write_array(c->reply, 10);
	reply_name(c, row);
	resp_write_integer(c->reply, row->arity);
	reply_bits(c, row->flags, flag_names, ARRAY_LEN(flag_names));
	resp_write_integer(c->reply, row->first_key);
	resp_write_integer(c->reply, row->last_key);
	resp_write_integer(c->reply, row->key_step);
	reply_bits(c, command_categories(row), category_names, ARRAY_LEN(category_names));
	reply_tips(c, row->doc.tips);
	reply_key_specs(c, row);
}

static void reply_row(struct call *c, const struct command *row)
{
	const struct command *sub;
	size_t count = 0;

	reply_fields(c, row);
	while (command_subcommand_at(row, count))
		count++;
	resp_write_set(c->reply, count);
	for (size_t i = 0; (sub = command_subcommand_at(row, i)) != NULL; i++) {
		reply_fields(c, sub);
		resp_write_set(c->reply, 0);
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
		const struct command *row = command_named(c->argv[i]);

		if (row)
			reply_row(c, row);
		else
			resp_write_null(c->reply);
	}
	return OK;
}

static int introspection_count(struct call *c)
{
	return reply_integer(c, (int64_t)command_count());
}

static int introspection_docs(struct call *c)
{
	struct resp_open open = resp_open_map(c->reply);
	size_t found = 0, count = c->argc == 2 ? command_count() : c->argc - 2;

	for (size_t i = 0; i < count; i++) {
		const struct command *row =
			c->argc == 2 ? command_at(i) : command_named(c->argv[2 + i]);

		if (!row)
			continue;
		reply_name(c, row);
		command_write_docs(c->reply, row);
		found++;
	}
	resp_close(c->reply, open, found);
	return OK;
}

/* ---- LIST ------------------------------------------------------------------------------------ */

/* What is to be listed; all zero: everything. */
struct filter {
	bool nothing;
	uint32_t category;
	struct buf pattern; /* in lower case, as names are */
};

static uint32_t category_of(struct slice name)
{
	for (size_t i = 0; i < ARRAY_LEN(category_names); i++)
		if (argument_is(name, category_names[i].text + 1))
			return category_names[i].bit;
	return 0;
}

static int filter_parse(struct call *c, struct filter *f)
{
	*f = (struct filter){0};
	if (c->argc == 2)
		return OK;
	if (c->argc != 5 || !argument_is(c->argv[2], "FILTERBY"))
		return reply_syntax(c);
	if (argument_is(c->argv[3], "PATTERN")) {
		for (size_t i = 0; i < c->argv[4].len; i++) {
			uint8_t byte = c->argv[4].data[i];

			buf_append_byte(&f->pattern,
					byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte);
		}
		f->nothing = c->argv[4].len == 0;
	} else if (argument_is(c->argv[3], "ACLCAT")) {
		f->category = category_of(c->argv[4]);
		f->nothing = f->category == 0;
	} else if (argument_is(c->argv[3], "MODULE")) {
		f->nothing = true; /* there are none */
	} else {
		return reply_syntax(c);
	}
	return OK;
}

static bool filter_takes(const struct filter *f, const struct command *row)
{
	struct buf name = {0};
	bool takes = true;

	if (f->category)
		return command_categories(row) & f->category;
	if (f->pattern.len == 0)
		return true;
	command_append_name(row, &name);
	takes = glob_matches(buf_slice(&f->pattern), buf_slice(&name));
	buf_free(&name);
	return takes;
}

static int introspection_list(struct call *c)
{
	struct resp_open open;
	struct filter f;
	size_t found = 0;
	int rc = filter_parse(c, &f);

	if (rc != OK)
		return rc;
	open = resp_open_array(c->reply);
	for (size_t i = 0; !f.nothing && i < command_count(); i++) {
		const struct command *row = command_at(i), *sub;

		if (filter_takes(&f, row)) {
			reply_name(c, row);
			found++;
		}
		for (size_t j = 0; (sub = command_subcommand_at(row, j)) != NULL; j++) {
			if (!filter_takes(&f, sub))
				continue;
			reply_name(c, sub);
			found++;
		}
	}
	resp_close(c->reply, open, found);
	buf_free(&f.pattern);
	return OK;
}

/* ---- GETKEYS --------------------------------------------------------------------------------- */

/* The row that says where the keys are, and the argument at which its command begins. */
static int keyed_command(struct call *c, const struct command **row, size_t *from)
{
	const struct command *parent;

	for (*from = 2;;) {
		size_t inner;

		*row = command_lookup(c->argv + *from, c->argc - *from, &parent);
		if (!*row)
			return reply_error(c, "ERR Invalid command specified");
		if (!(*row)->inner && (*row)->first_key == 0)
			return reply_error(c, "ERR The command has no key arguments");
		if (!command_takes(*row, c->argc - *from))
			return reply_error(c, "ERR Invalid number of arguments specified for "
					      "command");
		if (!(*row)->inner)
			return OK;
		inner = (*row)->inner(c->argv + *from, c->argc - *from);
		if (inner == 0)
			return reply_error(c, "ERR Invalid arguments specified for command");
		*from += inner;
	}
}

static int reply_keys(struct call *c, bool with_use)
{
	const struct command *row;
	const struct slice *argv;
	struct resp_open open;
	size_t from, argc, count = 0;
	int rc = keyed_command(c, &row, &from);

	if (rc != OK)
		return rc;
	argv = c->argv + from;
	argc = c->argc - from;
	open = resp_open_array(c->reply);
	for (size_t at = 0; (at = command_next_key(row, argc, at)) != 0; count++) {
		uint32_t use = row->key_use_in ? row->key_use_in(argv, argc) : row->key_use;

		if (with_use)
			resp_write_array(c->reply, 2);
		resp_write_bulk(c->reply, argv[at]);
		if (with_use)
			reply_bits(c, count && row->later_use ? row->later_use : use, key_use_names,
				   ARRAY_LEN(key_use_names));
	}
	resp_close(c->reply, open, count);
	return OK;
}

static int introspection_getkeys(struct call *c)
{
	return reply_keys(c, false);
}

static int introspection_getkeysandflags(struct call *c)
{
	return reply_keys(c, true);
}

#define ALWAYS (COMMAND_FLAG_LOADING | COMMAND_FLAG_STALE)

static const struct command subcommands[] = {
	COMMAND_ROW("COMMAND|COUNT", 2, COMMAND_LOCAL, ALWAYS, introspection_count,
		    .categories = CATEGORY_CONNECTION,
		    COMMAND_DOC(GROUP_SERVER, "2.8.13", "O(1)", "", "Counts the commands")),
	COMMAND_ROW("COMMAND|DOCS", -2, COMMAND_LOCAL, ALWAYS, introspection_docs,
		    .categories = CATEGORY_CONNECTION,
		    COMMAND_DOC(GROUP_SERVER, "7.0.0", "O(N), N commands", "[command-name ...]",
				"Tells what commands are for and which arguments they take",
				.tips = "nondeterministic_output_order")),
	COMMAND_ROW("COMMAND|GETKEYS", -4, COMMAND_LOCAL, ALWAYS, introspection_getkeys,
		    .categories = CATEGORY_CONNECTION,
		    COMMAND_DOC(GROUP_SERVER, "2.8.13", "O(N), N arguments", "command [arg ...]",
				"Finds the keys in a command with its arguments")),
	COMMAND_ROW("COMMAND|GETKEYSANDFLAGS", -4, COMMAND_LOCAL, ALWAYS,
		    introspection_getkeysandflags, .categories = CATEGORY_CONNECTION,
		    COMMAND_DOC(GROUP_SERVER, "7.0.0", "O(N), N arguments", "command [arg ...]",
				"Finds the keys in a command, and what becomes of each")),
	COMMAND_ROW("COMMAND|HELP", 2, COMMAND_LOCAL, ALWAYS, reply_help,
		    .categories = CATEGORY_CONNECTION,
		    COMMAND_DOC(GROUP_SERVER, "5.0.0", "O(1)", "", "Describes the subcommands")),
	COMMAND_ROW("COMMAND|INFO", -2, COMMAND_LOCAL, ALWAYS, introspection_info,
		    .categories = CATEGORY_CONNECTION,
		    COMMAND_DOC(GROUP_SERVER, "2.8.13", "O(N), N commands", "[command-name ...]",
				"Describes some commands, or all",
				.tips = "nondeterministic_output_order",
				.differs = "Key specifications have no notes")),
	COMMAND_ROW("COMMAND|LIST", -2, COMMAND_LOCAL, ALWAYS, introspection_list,
		    .categories = CATEGORY_CONNECTION,
		    COMMAND_DOC(GROUP_SERVER, "7.0.0", "O(N), N commands",
				"[FILTERBY <MODULE module-name|ACLCAT category|PATTERN pattern>]",
				"Names all commands, or those of a category or of a pattern",
				.tips = "nondeterministic_output_order")),
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
		.categories = CATEGORY_CONNECTION,
		COMMAND_DOC(GROUP_SERVER, "2.8.13", "O(N), N commands", "",
			    "Describes all commands", .tips = "nondeterministic_output_order",
			    .differs = "Key specifications have no notes"),
	},
};

const struct command_family introspection_family = COMMAND_FAMILY(rows);
