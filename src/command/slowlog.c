/* SLOWLOG, and what it tells of. */

#include "command/slowlog.h"

#include "base/error.h"
#include "base/mem.h"
#include "command/desk.h"
#include "command/family.h"
#include "command/secret.h"
#include "resp/integer.h"

/* Of one call, as in Redis: so many arguments, and so many bytes of each. */
#define ARGUMENTS_MAX	   32
#define ARGUMENT_BYTES_MAX 128

struct slowlog_entry {
	struct list link;
	uint64_t id;
	uint64_t at_s;
	uint64_t usec;
	size_t argc;
	struct buf arguments[ARGUMENTS_MAX];
	struct buf address;
	struct buf name;
};

void slowlog_init(struct slowlog *l)
{
	*l = (struct slowlog){.slower_than_us = 10000, .max_len = 128};
	list_init(&l->entries);
}

static void entry_free(struct slowlog_entry *e)
{
	for (size_t i = 0; i < e->argc; i++)
		buf_free(&e->arguments[i]);
	buf_free(&e->address);
	buf_free(&e->name);
	mem_free(e);
}

static void slowlog_trim(struct slowlog *l, uint64_t len)
{
	while (l->len > len) {
		struct list *oldest = l->entries.prev;

		list_remove(oldest);
		entry_free(LIST_ITEM(oldest, struct slowlog_entry, link));
		l->len--;
	}
}

void slowlog_close(struct slowlog *l)
{
	slowlog_trim(l, 0);
}

void slowlog_reset(struct slowlog *l)
{
	slowlog_trim(l, 0);
}

void slowlog_limit(struct slowlog *l, int64_t slower_than_us, uint64_t max_len)
{
	l->slower_than_us = slower_than_us;
	l->max_len = max_len;
	slowlog_trim(l, max_len);
}

static void note_argument(struct buf *out, const struct call *c, size_t at)
{
	struct slice text = c->argv[at];
	size_t more = text.len - MIN(text.len, (size_t)ARGUMENT_BYTES_MAX);

	if (command_hides(c->command, c->argv, c->argc, at)) {
		buf_append_slice(out, SLICE_LITERAL(SECRET_TEXT));
		return;
	}
	buf_append_slice(out, slice_of(text.data, text.len - more));
	if (more)
		buf_printf(out, "... (%zu more bytes)", more);
}

void slowlog_note(struct slowlog *l, const struct call *c, uint64_t usec,
		  const struct slowlog_origin *origin)
{
	struct slowlog_entry *e = MEM_NEW(struct slowlog_entry);

	e->id = l->next_id++;
	e->at_s = origin->at_s;
	e->usec = usec;
	e->argc = MIN(c->argc, (size_t)ARGUMENTS_MAX);
	for (size_t i = 0; i < e->argc; i++) {
		if (c->argc > ARGUMENTS_MAX && i + 1 == ARGUMENTS_MAX)
			buf_printf(&e->arguments[i], "... (%zu more arguments)",
				   c->argc - ARGUMENTS_MAX + 1);
		else
			note_argument(&e->arguments[i], c, i);
	}
	buf_append_slice(&e->address, origin->address);
	buf_append_slice(&e->name, origin->name);
	list_push_front(&l->entries, &e->link);
	l->len++;
	slowlog_trim(l, l->max_len);
}

/* ---- the command ----------------------------------------------------------------------------- */

static void put_entry(struct call *c, const struct slowlog_entry *e)
{
	resp_write_array(c->reply, 6);
	resp_write_integer(c->reply, (int64_t)e->id);
	resp_write_integer(c->reply, (int64_t)e->at_s);
	resp_write_integer(c->reply, (int64_t)e->usec);
	resp_write_array(c->reply, e->argc);
	for (size_t i = 0; i < e->argc; i++)
		resp_write_bulk(c->reply, buf_slice(&e->arguments[i]));
	resp_write_bulk(c->reply, buf_slice(&e->address));
	resp_write_bulk(c->reply, buf_slice(&e->name));
}

static int slowlog_get(struct call *c)
{
	const struct slowlog *l = c->desk->slowlog;
	int64_t count = 10;

	if (c->argc > 3)
		return reply_wrong_form(c);
	if (c->argc == 3 && (!resp_integer_parse(c->argv[2], &count) || count < -1))
		return reply_error(c, "ERR count should be greater than or equal to -1");
	if (count < 0 || (uint64_t)count > l->len)
		count = (int64_t)l->len;
	resp_write_array(c->reply, (size_t)count);
	list_for_each (it, &l->entries) {
		if (count-- == 0)
			break;
		put_entry(c, LIST_ITEM(it, const struct slowlog_entry, link));
	}
	return OK;
}

static int slowlog_len(struct call *c)
{
	return reply_integer(c, (int64_t)c->desk->slowlog->len);
}

static int slowlog_forget(struct call *c)
{
	slowlog_reset(c->desk->slowlog);
	return reply_ok(c);
}

#define ALWAYS (COMMAND_FLAG_LOADING | COMMAND_FLAG_STALE)
#define ADMIN  (ALWAYS | COMMAND_FLAG_ADMIN)

static const struct command subcommands[] = {
	COMMAND_ROW("SLOWLOG|GET", -2, COMMAND_LOCAL, ADMIN, slowlog_get,
		    COMMAND_DOC(GROUP_SERVER, "2.2.12", "O(N), N entries", "[count]",
				"Tells the newest requests that took long",
				.tips = "request_policy:all_nodes nondeterministic_output")),
	COMMAND_ROW("SLOWLOG|HELP", 2, COMMAND_LOCAL, ALWAYS, reply_help,
		    COMMAND_DOC(GROUP_SERVER, "6.2.0", "O(1)", "", "Describes the subcommands")),
	COMMAND_ROW("SLOWLOG|LEN", 2, COMMAND_LOCAL, ADMIN, slowlog_len,
		    COMMAND_DOC(GROUP_SERVER, "2.2.12", "O(1)", "",
				"Counts the requests that are kept",
				.tips = "request_policy:all_nodes response_policy:agg_sum "
					"nondeterministic_output")),
	COMMAND_ROW("SLOWLOG|RESET", 2, COMMAND_LOCAL, ADMIN, slowlog_forget,
		    COMMAND_DOC(GROUP_SERVER, "2.2.12", "O(N), N entries", "", "Forgets them",
				.tips = "request_policy:all_nodes response_policy:all_succeeded")),
};

static const struct command_family subcommand_family = COMMAND_FAMILY(subcommands);

static const struct command rows[] = {
	{
		.name = "SLOWLOG",
		.arity = -2,
		.class = COMMAND_LOCAL,
		.subcommands = &subcommand_family,
		COMMAND_DOC(GROUP_SERVER, "2.2.12", "that of the subcommand", "",
			    "Commands about requests that took long"),
	},
};

const struct command_family slowlog_family = COMMAND_FAMILY(rows);
