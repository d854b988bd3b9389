/* HISTORY: what happened to a key, and how far back is known. */

#include "base/error.h"
#include "base/mem.h"
#include "command/family.h"
#include "resp/integer.h"
#include "storage/txn_chunks.h"

#include <inttypes.h>
#include <string.h>

/* ---- arguments ------------------------------------------------------------------------------- */

struct history_options {
	struct revision from;
	struct revision to;
	int64_t count; /* negative: all */
	bool newest_first;
};

/* A main revision with `sub`, or main-sub. */
static bool history_revision(struct slice text, uint32_t sub, struct revision *out)
{
	const uint8_t *dash = text.len ? memchr(text.data, '-', text.len) : NULL;
	size_t head = dash ? (size_t)(dash - text.data) : text.len;
	int64_t main, number = sub;

	if (!resp_integer_parse(slice_of(text.data, head), &main) || main < 0)
		return false;
	if (dash && !resp_integer_parse(slice_of(dash + 1, text.len - head - 1), &number))
		return false;
	if (number < 0 || number > UINT32_MAX)
		return false;
	*out = (struct revision){(uint64_t)main, (uint32_t)number};
	return true;
}

/* NULL, or what is wrong. */
static const char *history_options(const struct call *c, struct history_options *o)
{
	*o = (struct history_options){.to = {UINT64_MAX, UINT32_MAX}, .count = -1};
	for (size_t i = 3; i < c->argc; i++) {
		struct slice word = c->argv[i];

		if (argument_is(word, "REV")) {
			o->newest_first = true;
			continue;
		}
		if (++i == c->argc)
			return "ERR syntax error";
		if (argument_is(word, "FROM")) {
			if (!history_revision(c->argv[i], 0, &o->from))
				return "ERR invalid revision";
		} else if (argument_is(word, "TO")) {
			if (!history_revision(c->argv[i], UINT32_MAX, &o->to))
				return "ERR invalid revision";
		} else if (argument_is(word, "COUNT")) {
			if (!resp_integer_parse(c->argv[i], &o->count) || o->count < 0)
				return "ERR value is out of range, must be positive";
		} else {
			return "ERR syntax error";
		}
	}
	return NULL;
}

/* ---- entries --------------------------------------------------------------------------------- */

/* One pair after the other of a map whose size is known at its end. */
struct history_entry {
	struct resp_writer *w;
	struct resp_open open;
	size_t pairs;
};

static void entry_name(struct history_entry *e, const char *name)
{
	resp_write_bulk(e->w, slice_of_text(name));
	e->pairs++;
}

static void entry_bytes(struct history_entry *e, const char *name, struct slice value)
{
	entry_name(e, name);
	resp_write_bulk(e->w, value);
}

static void entry_number(struct history_entry *e, const char *name, uint64_t value)
{
	entry_name(e, name);
	resp_write_integer(e->w, (int64_t)value);
}

/* What changed of what has parts: a field, or the bytes of a string from some place on. */
static void entry_element(struct history_entry *e, const struct change *c)
{
	uint32_t number;

	if (c->type == RECORD_CHUNKS && chunk_number(c->element, &number) == OK)
		entry_number(e, "offset", (uint64_t)number * STRING_CHUNK_BYTES);
	else
		entry_bytes(e, "element", c->element);
}

/* Of an author whose row is gone the number is left. */
static void entry_author(struct history_entry *e, struct author a, const struct author_text *text)
{
	entry_number(e, "author", a.number);
	if (!a.number)
		return;
	entry_number(e, "run", a.incarnation);
	if (!text)
		return;
	entry_bytes(e, "user", text->user);
	entry_bytes(e, "address", text->address);
	entry_bytes(e, "client", text->client);
}

static void history_write(struct resp_writer *w, struct revision at, const struct change *c,
			  const struct author_text *author)
{
	bool element = c->kind == CHANGE_ELEMENT_SET || c->kind == CHANGE_ELEMENT_DELETE;
	struct history_entry e = {.w = w, .open = resp_open_map(w)};
	struct buf text = {0};

	buf_printf(&text, "%" PRIu64 "-%" PRIu32, at.main, at.sub);
	entry_bytes(&e, "revision", buf_slice(&text));
	buf_free(&text);
	entry_number(&e, "time", c->time_ms);
	entry_author(&e, c->author, author);
	entry_bytes(&e, "change", slice_of_text(change_kind_name(c->kind)));
	entry_bytes(&e, "type", slice_of_text(record_type_name(c->type)));
	if (c->version)
		entry_number(&e, "version", c->version);
	if (c->deadline_ms)
		entry_number(&e, "deadline", c->deadline_ms);
	if (element)
		entry_element(&e, c);
	if (c->kind == CHANGE_SET || c->kind == CHANGE_ELEMENT_SET)
		entry_bytes(&e, "value", c->value);
	if (c->has_before)
		entry_bytes(&e, "before", c->before);
	if (c->kind == CHANGE_MOVED_AWAY || c->kind == CHANGE_MOVED_HERE)
		entry_bytes(&e, c->kind == CHANGE_MOVED_AWAY ? "to" : "from", c->other_key);
	resp_close(w, e.open, e.pairs);
}

/* ---- the walk -------------------------------------------------------------------------------- */

/* From the newest change of a key back to the last one that is not dead. */
struct history_walk {
	struct txn *txn;
	struct revision next;
	uint64_t passed;
	uint64_t limit; /* so many are not dead */
};

/*
 * False at the end, with `*rc` OK, or after an error. A change is dead when one at or below the
 * horizon is so many places behind it as that one keeps; so is a tombstone at or below it.
 */
static bool history_next(struct history_walk *h, struct revision *at, struct change *c, int *rc)
{
	bool old = h->next.main <= h->txn->position.horizon;

	*at = h->next;
	*rc = OK;
	if (!at->main || h->passed >= h->limit)
		return false;
	*rc = txn_change_at(h->txn, *at, c);
	if (*rc == ERR_NOT_FOUND) {
		*rc = old ? OK : ERR_CORRUPT;
		return false;
	}
	if (*rc != OK || (old && change_ends_record(c)))
		return false;
	if (old)
		h->limit = MIN(h->limit, h->passed + c->keep);
	h->passed++;
	h->next = c->previous;
	return true;
}

/* The revisions that are asked for, newest first. */
static int history_collect(struct call *c, const struct history_options *o, struct buf *found)
{
	struct history_walk h = {.txn = c->txn, .limit = UINT64_MAX};
	struct change change;
	struct revision at;
	struct record r;
	int rc = call_record(c, 2, &r);

	h.next = r.mod;
	while (rc == OK && history_next(&h, &at, &change, &rc)) {
		if (revision_compare(at, o->from) < 0)
			break;
		if (revision_compare(at, o->to) <= 0)
			buf_append(found, &at, sizeof(at));
	}
	return rc;
}

static int history_reply(struct call *c, const struct history_options *o, const struct buf *found)
{
	size_t total = found->len / sizeof(struct revision), count = total;

	if (o->count >= 0 && (uint64_t)o->count < count)
		count = (size_t)o->count;
	resp_write_array(c->reply, count);
	for (size_t i = 0; i < count; i++) {
		size_t place = o->newest_first ? i : total - 1 - i;
		struct revision at;
		struct change change;
		struct author_text author;
		int rc, known = ERR_NOT_FOUND;

		memcpy(&at, found->data + place * sizeof(at), sizeof(at));
		rc = txn_change_at(c->txn, at, &change);
		if (rc == OK && change.author.number)
			rc = known = txn_author(c->txn, change.author, &author);
		if (rc != OK && rc != ERR_NOT_FOUND)
			return rc;
		history_write(c->reply, at, &change, known == OK ? &author : NULL);
	}
	return OK;
}

static int history_get(struct call *c)
{
	struct history_options o;
	struct buf found = {0};
	const char *wrong = history_options(c, &o);
	int rc;

	if (wrong)
		return reply_error(c, wrong);
	if (o.from.main && o.from.main < c->txn->position.horizon)
		return reply_error(c, "COMPACTED that revision is below the horizon");
	rc = history_collect(c, &o, &found);
	if (rc == OK)
		rc = history_reply(c, &o, &found);
	buf_free(&found);
	return rc;
}

static int history_info(struct call *c)
{
	const struct position *p = &c->txn->position;
	struct history_entry e = {.w = c->reply, .open = resp_open_map(c->reply)};

	entry_number(&e, "revision", p->revision);
	entry_number(&e, "horizon", p->horizon);
	entry_number(&e, "horizon_time", p->horizon_ms);
	entry_number(&e, "time", c->txn->time_ms);
	resp_close(c->reply, e.open, e.pairs);
	return OK;
}

/* The past below this revision is given up, for good. */
static int history_compact(struct call *c)
{
	const struct position *p = &c->txn->position;
	uint64_t horizon = p->horizon, newest = c->txn->base->revision;
	int64_t revision;
	int rc = call_integer(c, 2, &revision);

	if (rc != OK)
		return rc;
	if (revision < 0 || (uint64_t)revision > newest)
		resp_write_errorf(c->reply,
				  "ERR revision %" PRId64
				  " is not there yet, the newest is %" PRIu64,
				  revision, newest);
	else if ((uint64_t)revision < horizon)
		resp_write_errorf(c->reply,
				  "COMPACTED revision %" PRId64 " is below the horizon, %" PRIu64,
				  revision, horizon);
	else if ((rc = txn_move_horizon(c->txn, (uint64_t)revision)) != OK)
		return rc;
	else
		return reply_ok(c);
	return CALL_REFUSED;
}

static const struct command history_rows[] = {
	COMMAND_ROW("HISTORY|COMPACT", 3, COMMAND_WRITE, COMMAND_FLAG_ADMIN | COMMAND_FLAG_WRITE,
		    history_compact,
		    COMMAND_DOC(GROUP_HISTORY, "0.1.0", "O(1)", "revision",
				"Gives up the past below a revision, for good")),
	COMMAND_KEY_ROW("HISTORY|GET", -3, COMMAND_READ, COMMAND_FLAG_READONLY, 2, 2, 1,
			history_get, .key_use = KEY_RO | KEY_ACCESS,
			COMMAND_DOC(GROUP_HISTORY, "0.1.0", "O(N), N changes of the key",
				    "key [FROM revision] [TO revision] [COUNT count] [REV]",
				    "Tells the changes of a key: when, by whom, and to what")),
	COMMAND_ROW("HISTORY|HELP", 2, COMMAND_LOCAL, COMMAND_FLAG_LOADING | COMMAND_FLAG_STALE,
		    reply_help,
		    COMMAND_DOC(GROUP_HISTORY, "0.1.0", "O(1)", "", "Describes the subcommands")),
	COMMAND_ROW("HISTORY|INFO", 2, COMMAND_READ, COMMAND_FLAG_READONLY, history_info,
		    COMMAND_DOC(GROUP_HISTORY, "0.1.0", "O(1)", "",
				"Tells how far back the past is known")),
};

static const struct command_family history_subcommands = COMMAND_FAMILY(history_rows);

static const struct command rows[] = {
	{
		.name = "HISTORY",
		.arity = -2,
		.class = COMMAND_READ,
		.subcommands = &history_subcommands,
		COMMAND_DOC(GROUP_HISTORY, "0.1.0", "that of the subcommand", "",
			    "Commands about the past of keys"),
	},
};

const struct command_family history_family = COMMAND_FAMILY(rows);
