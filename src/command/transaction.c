#include "command/transaction.h"

#include "base/check.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/mutant.h"
#include "command/debug.h"
#include "command/family.h"

/* ---- bytes ----------------------------------------------------------------------------------- */

void watch_encode(const struct watch *w, struct buf *out)
{
	buf_append_varint(out, w->database);
	buf_append_varint(out, w->mod.main);
	buf_append_varint(out, w->mod.sub);
	buf_append_varint(out, w->revision);
	buf_append_string(out, w->key);
}

int watch_decode(struct cursor *c, struct watch *w)
{
	*w = (struct watch){0};
	w->database = cursor_varint32(c);
	w->mod.main = cursor_varint(c);
	w->mod.sub = cursor_varint32(c);
	w->revision = cursor_varint(c);
	w->key = cursor_string(c);
	return c->failed || w->database >= DATABASE_COUNT ? ERR_MALFORMED : OK;
}

void transaction_add(struct buf *out, const struct command *command, unsigned database,
		     const struct slice *argv, size_t argc)
{
	size_t len = 1 + varint_size(database) + varint_size(argc);

	CHECK(command->class != COMMAND_LOCAL && argc > 0);
	for (size_t i = 0; i < argc; i++)
		len += varint_size(argv[i].len) + argv[i].len;
	buf_append_varint(out, len);
	buf_append_fixed8(out, (uint8_t)command->class);
	buf_append_varint(out, database);
	buf_append_varint(out, argc);
	for (size_t i = 0; i < argc; i++)
		buf_append_string(out, argv[i]);
}

void transaction_add_local(struct buf *out)
{
	uint8_t kind = COMMAND_LOCAL;

	buf_append_string(out, slice_of(&kind, 1));
}

void transaction_local_free(struct transaction_local *l)
{
	if (!l)
		return;
	buf_free(&l->bytes);
	mem_free(l->replies);
	mem_free(l);
}

/* ---- watches --------------------------------------------------------------------------------- */

/*
 * A key that was absent and is absent may have been there in between: its tombstone says when it
 * went. Nothing says so when the tombstone may be gone, or the database is not the one it was.
 */
static bool watch_holds(const struct call *c, const struct watch *w, const struct record *r)
{
	const struct position *p = &c->txn->position;

	if (r->type != RECORD_NONE || w->mod.main)
		return r->type != RECORD_NONE &&
		       (revision_equal(r->mod, w->mod) || MUTANT(watch_for_presence));
	return (r->mod.main <= w->revision || MUTANT(watch_forgets_tombstone)) &&
	       p->horizon <= w->revision &&
	       (p->database_at[w->database] <= w->revision || MUTANT(watch_forgets_database));
}

static int watches_hold(struct call *c, struct cursor *in, bool *hold)
{
	uint64_t count = cursor_varint(in);

	*hold = true;
	for (uint64_t i = 0; i < count; i++) {
		struct watch w;
		struct record r;
		int rc = watch_decode(in, &w);

		if (rc == OK)
			rc = txn_record(c->txn, w.database, w.key, &r);
		if (rc != OK && rc != ERR_NOT_FOUND)
			return rc;
		*hold = *hold && watch_holds(c, &w, &r);
	}
	return in->failed ? ERR_MALFORMED : OK;
}

static int transaction_watch(struct call *c)
{
	struct buf noted = {0};
	struct watch w = {.database = c->database, .revision = c->txn->position.revision};
	int rc = OK;

	for (size_t i = 1; rc == OK && i < c->argc; i++) {
		struct record r;

		rc = call_record(c, i, &r);
		w.key = c->argv[i];
		w.mod = r.type == RECORD_NONE ? (struct revision){0} : r.mod;
		if (rc == OK)
			watch_encode(&w, &noted);
	}
	if (rc == OK) {
		buf_append_slice(c->watches, buf_slice(&noted));
		reply_ok(c);
	}
	buf_free(&noted);
	return rc;
}

/* ---- running --------------------------------------------------------------------------------- */

/* An array of arguments that serves one element after the other. */
struct arguments {
	struct slice *argv;
	size_t cap;
};

/* DEBUG is the session's own but for what it says of the state. */
static const struct command *element_command(const struct call *element)
{
	const struct command *parent;
	const struct command *row = command_lookup(element->argv, element->argc, &parent);

	return row && row->role == ROLE_DEBUG ? debug_read(element->argv, element->argc) : row;
}

/* Of what stands behind the kind; `element` gets database, arguments and command. */
static int element_decode(struct cursor *in, enum command_class class, struct arguments *arguments,
			  struct call *element)
{
	uint64_t argc;

	element->database = cursor_varint32(in);
	argc = cursor_varint(in);
	if (in->failed || !argc || argc > cursor_left(in) || element->database >= DATABASE_COUNT)
		return ERR_MALFORMED;
	MEM_GROW(arguments->argv, arguments->cap, (size_t)argc);
	for (size_t i = 0; i < argc; i++)
		arguments->argv[i] = cursor_string(in);
	element->argv = arguments->argv;
	element->argc = (size_t)argc;
	if (!cursor_done(in))
		return ERR_MALFORMED;
	element->command = element_command(element);
	if (!element->command || element->command->class != class || !element->command->run ||
	    element->command->role != ROLE_ORDINARY ||
	    !command_takes(element->command, element->argc))
		return ERR_MALFORMED;
	return OK;
}

static int element_run(struct call *c, size_t number, struct cursor *in, enum command_class class,
		       struct arguments *arguments)
{
	struct call element = {
		.txn = c->txn, .reply = c->reply, .changed_at = c->changed_at, .element = number};
	int rc = element_decode(in, class, arguments, &element);
	uint64_t limit = 0;

	if (rc != OK)
		return rc;
	/* Reads are run where somebody waits for the reply, and nowhere else. */
	if (class == COMMAND_READ && !MUTANT(exec_counts_reads))
		limit = txn_work_pause(c->txn);
	rc = command_run(&element);
	if (limit)
		txn_work_resume(c->txn, limit);
	return rc;
}

/* The reply of an element that the session has run itself. */
static void element_reply(struct call *c, size_t number)
{
	const struct transaction_local *l = c->local;
	size_t begin;

	if (!l || number >= l->count) {
		resp_write_null(c->reply);
		return;
	}
	begin = number ? l->replies[number - 1].end : 0;
	resp_write_raw(c->reply, slice_of(l->bytes.data + begin, l->replies[number].end - begin));
	c->reply->protocol = l->replies[number].protocol;
}

static int transaction_elements(struct call *c, struct cursor *in, size_t *count)
{
	struct arguments arguments = {0};
	size_t local = 0;
	int rc = OK;

	for (*count = 0; rc == OK && cursor_left(in); ++*count) {
		struct cursor element = cursor_of(cursor_string(in));
		uint8_t kind = cursor_fixed8(&element);

		if (kind == COMMAND_LOCAL)
			element_reply(c, local++);
		else if (kind != COMMAND_READ && kind != COMMAND_WRITE)
			rc = ERR_MALFORMED;
		else if (kind == COMMAND_WRITE || c->reply->out)
			rc = element_run(c, *count, &element, kind, &arguments);
	}
	mem_free(arguments.argv);
	return rc == OK && in->failed ? ERR_MALFORMED : rc;
}

/* Whether any element may make the state grow. Bytes that are none are found by who runs them. */
static bool elements_may_grow(struct slice bytes)
{
	struct cursor in = cursor_of(bytes);
	struct arguments arguments = {0};
	uint64_t watches = cursor_varint(&in);
	struct watch w;
	bool may = false;

	for (; watches > 0 && watch_decode(&in, &w) == OK; watches--)
		;
	while (!may && watches == 0 && cursor_left(&in)) {
		struct cursor element = cursor_of(cursor_string(&in));
		uint8_t kind = cursor_fixed8(&element);
		struct call c = {0};

		if (kind == COMMAND_WRITE && element_decode(&element, kind, &arguments, &c) == OK)
			may = c.command->flags & COMMAND_FLAG_DENYOOM;
	}
	mem_free(arguments.argv);
	return may;
}

static int transaction_run(struct call *c)
{
	struct cursor in = cursor_of(c->argv[1]);
	struct resp_open open;
	size_t count;
	bool hold;
	int rc;

	/* All or nothing: as in Redis, which looks at it before it looks at what is watched. */
	if (c->no_space && elements_may_grow(c->argv[1]))
		return reply_error(c, "EXECABORT Transaction discarded because of: " NO_SPACE_TEXT);
	rc = watches_hold(c, &in, &hold);
	if (rc != OK)
		return rc;
	if (c->local)
		c->local->ran = hold;
	if (!hold) {
		resp_write_null_array(c->reply);
		return OK;
	}
	open = resp_open_array(c->reply);
	rc = transaction_elements(c, &in, &count);
	if (rc == OK)
		resp_close(c->reply, open, count);
	return rc;
}

void transaction_tell_keys(struct slice bytes, struct slice **argv, size_t *argv_cap,
			   void (*tell)(void *ctx, unsigned database, struct slice key), void *ctx)
{
	struct arguments arguments = {*argv, *argv_cap};
	struct cursor in = cursor_of(bytes);
	uint64_t watches = cursor_varint(&in);
	struct watch w;

	for (; watches > 0 && watch_decode(&in, &w) == OK; watches--)
		tell(ctx, w.database, w.key);
	while (watches == 0 && cursor_left(&in)) {
		struct cursor element = cursor_of(cursor_string(&in));
		uint8_t kind = cursor_fixed8(&element);
		struct call c = {0};

		/* Reads that nobody waits for are left out, and the others are few. */
		if (kind != COMMAND_WRITE)
			continue;
		if (element_decode(&element, kind, &arguments, &c) != OK)
			break;
		for (size_t at = 0; (at = command_next_key(c.command, c.argc, at)) != 0;)
			tell(ctx, c.database, c.argv[at]);
	}
	*argv = arguments.argv;
	*argv_cap = arguments.cap;
}

const struct command transaction_command = {
	.name = "EXEC",
	.arity = 2,
	.class = COMMAND_WRITE,
	.run = transaction_run,
};

/* ---- rows ------------------------------------------------------------------------------------ */

#define ALWAYS                                                                                   \
	(COMMAND_FLAG_NOSCRIPT | COMMAND_FLAG_LOADING | COMMAND_FLAG_STALE | COMMAND_FLAG_FAST | \
	 COMMAND_FLAG_ALLOW_BUSY)
#define EXECUTES                                                             \
	(COMMAND_FLAG_NOSCRIPT | COMMAND_FLAG_LOADING | COMMAND_FLAG_STALE | \
	 COMMAND_FLAG_SKIP_SLOWLOG)

#define SESSION_ROW(name_, arity_, flags_, role_, ...)                                         \
	{                                                                                      \
		.name = (name_), .arity = (arity_), .class = COMMAND_LOCAL, .flags = (flags_), \
		.role = (role_), __VA_ARGS__                                                   \
	}

static const struct command rows[] = {
	SESSION_ROW("DISCARD", 1, ALWAYS, ROLE_DISCARD,
		    COMMAND_DOC(GROUP_TRANSACTIONS, "2.0.0", "O(1)", "",
				"Forgets the transaction that was begun")),
	SESSION_ROW("EXEC", 1, EXECUTES, ROLE_EXEC,
		    COMMAND_DOC(GROUP_TRANSACTIONS, "1.2.0", "that of the commands", "",
				"Runs the transaction that was begun, as a whole")),
	SESSION_ROW("MULTI", 1, ALWAYS, ROLE_MULTI,
		    COMMAND_DOC(GROUP_TRANSACTIONS, "1.2.0", "O(1)", "", "Begins a transaction")),
	{
		.name = "UNWATCH",
		.arity = 1,
		.class = COMMAND_LOCAL,
		.flags = ALWAYS,
		.run = reply_ok,
		.role = ROLE_UNWATCH,
		COMMAND_DOC(GROUP_TRANSACTIONS, "2.2.0", "O(1)", "",
			    "Forgets which keys were watched"),
	},
	{
		.name = "WATCH",
		.arity = -2,
		.class = COMMAND_READ,
		.flags = ALWAYS,
		.first_key = 1,
		.last_key = -1,
		.key_step = 1,
		.run = transaction_watch,
		.role = ROLE_WATCH,
		.key_use = KEY_RO,
		COMMAND_DOC(
			GROUP_TRANSACTIONS, "2.2.0", "O(N), N keys", "key [key ...]",
			"Lets the next transaction do nothing if one of these keys changes before",
			.differs = "Where the history of an absent key has been given up since, "
				   "the transaction does nothing, as if the key had changed; a SET "
				   "of it with a deadline in the past is no change"),
	},
};

const struct command_family transaction_family = COMMAND_FAMILY(rows);
