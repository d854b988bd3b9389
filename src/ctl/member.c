#include "ctl/member.h"

#include "base/error.h"
#include "ctl/status.h"

#include <stdio.h>

/* ---- MEMBER LIST ----------------------------------------------------------------------------- */

/* Of one member; the text is in the reply. */
struct member_line {
	struct slice id;
	struct slice name;
	struct slice address;
	struct slice role;
	int64_t leads;
	int64_t rises;
};

struct reply_walk {
	struct slice left;
	bool failed;
};

static struct resp_item walk(struct reply_walk *w)
{
	struct resp_item item = {0};

	if (w->failed || resp_item_take(w->left.data, w->left.len, &item) != RESP_REPLY_WHOLE)
		w->failed = true;
	else
		w->left = slice_of(w->left.data + item.size, w->left.len - item.size);
	return item;
}

/* Fields that are not known are passed over: a newer member may tell more. */
static struct member_line walk_member(struct reply_walk *w)
{
	struct member_line m = {0};
	const struct {
		struct slice name;
		struct slice *text;
		int64_t *number;
	} fields[] = {
		{SLICE_LITERAL("id"), &m.id, NULL},
		{SLICE_LITERAL("name"), &m.name, NULL},
		{SLICE_LITERAL("address"), &m.address, NULL},
		{SLICE_LITERAL("role"), &m.role, NULL},
		{SLICE_LITERAL("leads"), NULL, &m.leads},
		{SLICE_LITERAL("auto-promote"), NULL, &m.rises},
	};
	uint64_t pairs = walk(w).items / 2;

	for (; pairs > 0 && !w->failed; pairs--) {
		struct resp_item name = walk(w), value = walk(w);

		/* What has items of its own cannot be passed over like this. */
		w->failed = w->failed || value.items > 0;
		for (size_t i = 0; i < ARRAY_LEN(fields) && !w->failed; i++) {
			if (!slice_equal(name.text, fields[i].name))
				continue;
			if (fields[i].text)
				*fields[i].text = value.text;
			else
				*fields[i].number = value.integer;
		}
	}
	return m;
}

static void put_json_field(struct buf *out, const char *name, struct slice value)
{
	buf_printf(out, "\"%s\":", name);
	buf_append_json(out, value);
	buf_append_byte(out, ',');
}

static void put_member_json(const struct member_line *m, struct buf *out)
{
	buf_append_byte(out, '{');
	put_json_field(out, "id", m->id);
	put_json_field(out, "name", m->name);
	put_json_field(out, "address", m->address);
	put_json_field(out, "role", m->role);
	buf_printf(out, "\"leads\":%s,\"auto_promote\":%s}", m->leads ? "true" : "false",
		   m->rises ? "true" : "false");
}

#define TABLE_ROW "%-16.*s %-16.*s %-24.*s "

static void put_member_row(const struct member_line *m, struct buf *out)
{
	struct slice address = m->address.len ? m->address : SLICE_LITERAL("not known yet");

	buf_printf(out, TABLE_ROW "%.*s%s%s\n", (int)m->name.len, (const char *)m->name.data,
		   (int)m->id.len, (const char *)m->id.data, (int)address.len,
		   (const char *)address.data, (int)m->role.len, (const char *)m->role.data,
		   m->leads ? ", leads" : "", m->rises ? ", to be promoted" : "");
}

int member_list_put(struct slice reply, bool json, struct buf *out)
{
	struct reply_walk w = {.left = reply};
	uint64_t count = walk(&w).items;

	if (json)
		buf_append_byte(out, '[');
	else
		buf_printf(out, "%-16s %-16s %-24s %s\n", "NAME", "ID", "ADDRESS", "ROLE");
	for (uint64_t i = 0; i < count && !w.failed; i++) {
		struct member_line m = walk_member(&w);

		if (json && i)
			buf_append_byte(out, ',');
		(json ? put_member_json : put_member_row)(&m, out);
	}
	if (json)
		buf_append_byte(out, ']');
	return w.failed ? ERR_MALFORMED : OK;
}

/* ---- commands -------------------------------------------------------------------------------- */

/* One request; `put` prints the reply. */
static int ask(const struct arguments *a, const char *const *words, size_t count,
	       int (*put)(struct slice reply, bool json, struct buf *out), struct buf *problem)
{
	struct remote_address address = remote_address_of(a);
	struct slice request[ARGUMENTS_WORDS_MAX], reply;
	struct remote remote;
	struct buf out = {0};
	int rc = remote_open(&remote, &address, problem);

	/* What a member refuses is no mistake in the command line. */
	if (rc != OK)
		return ERR_UNAVAILABLE;
	for (size_t i = 0; i < count; i++)
		request[i] = slice_of_text(words[i]);
	rc = remote_ask(&remote, request, count, &reply, problem);
	if (rc == OK)
		rc = put(reply, a->given & ARGUMENT_JSON, &out);
	if (rc == OK) {
		fwrite(out.data, 1, out.len, stdout);
		if (a->given & ARGUMENT_JSON)
			putchar('\n');
	}
	buf_free(&out);
	remote_close(&remote);
	return rc == ERR_INVALID ? ERR_UNAVAILABLE : rc;
}

int ctl_member_list(const struct arguments *a, const char *const *words, struct buf *problem)
{
	(void)words;
	return ask(a, a->words, a->word_count, member_list_put, problem);
}

static int put_done(struct slice reply, bool json, struct buf *out)
{
	(void)reply;
	buf_append_slice(out, json ? SLICE_LITERAL("{\"result\":\"OK\"}") : SLICE_LITERAL("OK\n"));
	return OK;
}

int ctl_member_change(const struct arguments *a, const char *const *words, struct buf *problem)
{
	(void)words;
	return ask(a, a->words, a->word_count, put_done, problem);
}
