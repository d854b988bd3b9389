/* CLIENT LIST and INFO: the clients of this member, a line each. */

#include "base/check.h"
#include "base/error.h"
#include "base/mem.h"
#include "command/client_family.h"
#include "command/desk.h"
#include "command/family.h"
#include "resp/integer.h"

#include <inttypes.h>
#include <stdlib.h>

static void append_text(struct buf *text, const char *name, struct slice value)
{
	buf_printf(text, " %s=", name);
	buf_append_slice(text, value);
}

/* As Redis has them; N: nothing is special about it. */
static void append_flags(struct buf *text, const struct client_row *row)
{
	const struct {
		bool set;
		char flag;
	} flags[] = {
		{row->monitors, 'O'},
		{row->queued >= 0, 'x'},
		{row->client->wants_close, 'c'},
		{row->client->readonly, 'r'},
		{row->client->no_evict, 'e'},
		{row->client->no_touch, 'T'},
	};
	size_t before;

	buf_append_slice(text, SLICE_LITERAL(" flags="));
	before = text->len;
	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		if (flags[i].set)
			buf_append_byte(text, (uint8_t)flags[i].flag);
	if (text->len == before)
		buf_append_byte(text, 'N');
}

static void append_row(struct buf *text, const struct client_row *row)
{
	const struct client *client = row->client;

	buf_printf(text, "id=%" PRIu64, client->id);
	append_text(text, "addr", row->address);
	append_text(text, "laddr", slice_of_text(row->socket.local));
	buf_printf(text, " fd=%d", row->socket.fd);
	append_text(text, "name", buf_slice(&client->name));
	buf_printf(text, " age=%" PRIu64 " idle=%" PRIu64, row->age_s, row->idle_s);
	append_flags(text, row);
	buf_printf(text, " db=%u sub=0 psub=0 ssub=0 multi=%d qbuf=%zu qbuf-free=%zu",
		   client->database, row->queued, row->socket.input_used, row->socket.input_free);
	buf_printf(text, " argv-mem=%zu multi-mem=%zu obl=0 oll=0 omem=%zu events=%s cmd=",
		   row->argument_bytes, row->queued_bytes, row->output_bytes,
		   row->output_bytes ? "rw" : "r");
	if (row->command)
		command_append_name(row->command, text);
	else
		buf_append_slice(text, SLICE_LITERAL("NULL"));
	buf_printf(text, " user=default redir=-1 resp=%d", client->protocol);
	append_text(text, "lib-name", buf_slice(&client->library));
	append_text(text, "lib-ver", buf_slice(&client->library_version));
	buf_append_byte(text, '\n');
}

int client_type_parse(struct call *c, struct slice text, bool *matches)
{
	static const char *const others[] = {"master", "replica", "slave", "pubsub"};

	*matches = argument_is(text, "normal");
	for (size_t i = 0; !*matches && i < ARRAY_LEN(others); i++)
		if (argument_is(text, others[i]))
			return OK;
	if (*matches)
		return OK;
	resp_write_errorf(c->reply, "ERR Unknown client type '%.*s'", (int)text.len,
			  (const char *)text.data);
	return CALL_REFUSED;
}

static int reply_lines(struct call *c, struct buf *text)
{
	resp_write_verbatim(c->reply, "txt", buf_slice(text));
	buf_free(text);
	return OK;
}

static void tell_self(void *ctx, const struct client_row *row)
{
	if (row->is_self)
		append_row(ctx, row);
}

static void tell_each(void *ctx, const struct client_row *row)
{
	append_row(ctx, row);
}

int client_info(struct call *c)
{
	struct buf text = {0};

	c->desk->clients_each(c->desk->self, tell_self, &text);
	return reply_lines(c, &text);
}

/* ---- by id ----------------------------------------------------------------------------------- */

struct line {
	int64_t id;
	size_t at;
	size_t len;
};

/* Lines of those that are asked for; clients come by ascending id. */
struct listing {
	int64_t *ids; /* ascending */
	size_t id_count;
	struct buf text;
	struct line *lines;
	size_t line_count;
	size_t line_cap;
};

static int id_order(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void list_row(void *ctx, const struct client_row *row)
{
	struct listing *l = ctx;
	int64_t id = (int64_t)row->client->id;
	struct line line = {.id = id, .at = l->text.len};

	if (!bsearch(&id, l->ids, l->id_count, sizeof(id), id_order))
		return;
	append_row(&l->text, row);
	line.len = l->text.len - line.at;
	MEM_GROW(l->lines, l->line_cap, l->line_count + 1);
	l->lines[l->line_count++] = line;
}

static int parse_ids(struct call *c, struct listing *l)
{
	l->id_count = c->argc - 3;
	l->ids = mem_zalloc(l->id_count, sizeof(*l->ids));
	for (size_t i = 0; i < l->id_count; i++)
		if (!resp_integer_parse(c->argv[3 + i], &l->ids[i]))
			return reply_error(c, "ERR Invalid client ID");
	return OK;
}

/* In the order in which they are asked for; who is not there is left out. */
static void put_lines(struct call *c, struct listing *l, struct buf *text)
{
	for (size_t i = 3; i < c->argc && l->line_count; i++) {
		struct line key = {0}, *line;

		CHECK(resp_integer_parse(c->argv[i], &key.id));
		line = bsearch(&key, l->lines, l->line_count, sizeof(key), id_order);
		if (line)
			buf_append(text, l->text.data + line->at, line->len);
	}
}

static int list_by_id(struct call *c)
{
	struct listing l = {0};
	struct buf text = {0};
	int rc = parse_ids(c, &l);

	if (rc == OK) {
		qsort(l.ids, l.id_count, sizeof(*l.ids), id_order);
		c->desk->clients_each(c->desk->self, list_row, &l);
		put_lines(c, &l, &text);
		rc = reply_lines(c, &text);
	}
	mem_free(l.ids);
	mem_free(l.lines);
	buf_free(&l.text);
	return rc;
}

int client_list(struct call *c)
{
	struct buf text = {0};
	bool matches = true;

	if (c->argc > 3 && argument_is(c->argv[2], "id"))
		return list_by_id(c);
	if (c->argc == 4 && argument_is(c->argv[2], "type")) {
		if (client_type_parse(c, c->argv[3], &matches) != OK)
			return CALL_REFUSED;
	} else if (c->argc != 2) {
		return reply_syntax(c);
	}
	if (matches)
		c->desk->clients_each(c->desk->self, tell_each, &text);
	return reply_lines(c, &text);
}
