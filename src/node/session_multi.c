/*
 * Transactions of a session: what is watched and queued, and the one command that EXEC makes of it.
 *
 * Elements that are the session's alone (SELECT, PING, CLIENT ...) have no place in the log. They
 * run when EXEC comes, on a copy of what the session knows of its client, since SELECT decides what
 * the elements behind it mean. Their replies wait with the request; the copy becomes true when the
 * transaction has run, and until then everything behind it is held.
 */

#include "base/check.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/mutant.h"
#include "command/debug.h"
#include "node/member_state.h"

#include <string.h>

/* ---- watches --------------------------------------------------------------------------------- */

struct watched {
	struct hash_node node;
	struct watch watch;
	uint8_t key[];
};

static uint64_t watch_hash(const struct watch *w)
{
	return hash64_salted(w->key, w->database);
}

/* The first WATCH of a key counts: what it saw is the oldest. */
static void watches_add(struct multi *t, const struct watch *w)
{
	struct hash_node *n = hash_table_first(&t->watches, watch_hash(w));
	struct watched *new;

	for (; n; n = hash_table_next(n)) {
		struct watch *old = &CONTAINER_OF(n, struct watched, node)->watch;

		if (old->database != w->database || !slice_equal(old->key, w->key))
			continue;
		if (MUTANT(watch_newest_counts))
			*old = (struct watch){w->database, w->mod, w->revision, old->key};
		return;
	}
	new = mem_alloc(sizeof(*new) + w->key.len);
	new->watch = *w;
	new->watch.key.data = new->key;
	if (w->key.len)
		memcpy(new->key, w->key.data, w->key.len);
	hash_table_insert(&t->watches, &new->node, watch_hash(w));
}

/* Takes any one out, for the caller to free; NULL: there is none. */
static struct watched *watches_take(struct multi *t)
{
	struct hash_node *n = hash_table_any(&t->watches);

	if (!n)
		return NULL;
	hash_table_remove(&t->watches, n);
	return CONTAINER_OF(n, struct watched, node);
}

/* WATCHes that are still under way are meant for nothing any more. */
static void watches_forget(struct multi *t)
{
	struct watched *w;

	while ((w = watches_take(t)) != NULL)
		mem_free(w);
	t->number++;
	t->watching = 0;
	t->watch_failed = false;
}

static void watches_note(struct multi *t, const struct request *r)
{
	struct cursor in = cursor_of(buf_slice(&r->watches));

	if (r->watching != t->number)
		return;
	t->watching--;
	/* It was answered with an error: EXEC would run unwatched. */
	t->watch_failed = t->watch_failed || !cursor_left(&in);
	while (cursor_left(&in)) {
		struct watch w;
		int rc = watch_decode(&in, &w);

		CHECK(rc == OK);
		watches_add(t, &w);
	}
}

/* ---- the queue ------------------------------------------------------------------------------- */

/* Small commands take more room while they wait than in the log. */
#define QUEUE_MEMORY_MAX (4 * TRANSACTION_BYTES_MAX)

void multi_init(struct multi *t)
{
	list_init(&t->queued);
}

void multi_end(struct multi *t)
{
	struct list *it;

	while ((it = list_pop_front(&t->queued)) != NULL)
		request_free(LIST_ITEM(it, struct request, link));
	watches_forget(t);
	t->open = false;
	t->failed = false;
	t->bytes = 0;
	t->memory = 0;
}

void multi_close(struct multi *t)
{
	multi_end(t);
	hash_table_close(&t->watches);
	client_free(&t->after);
	deeds_forget(&t->deeds);
}

void multi_fail(struct multi *t)
{
	t->failed = t->open;
}

static void session_reply(struct session *s, struct slice simple)
{
	struct request *r = session_add(s, NULL, NULL, 0);
	struct resp_writer w = session_writer(r);

	resp_write_simple(&w, simple);
	session_answer_done(r);
}

void session_queue(struct session *s, const struct command *command, const struct slice *argv,
		   size_t argc)
{
	struct multi *t = &s->multi;

	if (command->class == COMMAND_CLUSTER) {
		multi_fail(t);
		session_answer_error(s, "ERR MEMBER is not allowed in transactions");
		return;
	}
	if (command->flags & COMMAND_FLAG_NO_MULTI) {
		command_stats_rejected(&s->member->tally.stats, command);
		multi_fail(t);
		session_answer_error(s, "ERR Command not allowed inside a transaction");
		return;
	}
	t->memory += sizeof(struct request);
	for (size_t i = 0; i < argc; i++) {
		t->bytes += argv[i].len + VARINT_MAX;
		t->memory += argv[i].len + sizeof(*argv);
	}
	if (t->bytes > TRANSACTION_BYTES_MAX || t->memory > QUEUE_MEMORY_MAX) {
		multi_fail(t);
		session_answer_error(s, "ERR transaction exceeds maximum allowed size");
		return;
	}
	list_push_back(&t->queued, &request_new(&s->member->requests, command, argv, argc)->link);
	session_reply(s, SLICE_LITERAL("QUEUED"));
}

/* ---- EXEC ------------------------------------------------------------------------------------ */

static void put_watches(struct multi *t, struct buf *out)
{
	struct watched *w;

	buf_append_varint(out, t->watches.len);
	while ((w = watches_take(t)) != NULL) {
		watch_encode(&w->watch, out);
		mem_free(w);
	}
}

/* Runs an element of the session's own, as far as that goes before the others have run. */
static void run_local_element(struct session *s, struct transaction_local *local,
			      const struct request *q)
{
	struct client *client = &s->multi.after;
	struct desk desk = deeds_desk(s);
	struct resp_writer w = {.out = &local->bytes, .protocol = client->protocol};
	struct call c = {.command = q->command,
			 .argv = q->argv,
			 .argc = q->argc,
			 .database = client->database,
			 .reply = &w,
			 .desk = &desk,
			 .host = s->member->options.host,
			 .client = client};
	int rc = command_run(&c);

	CHECK(rc == OK);
	MEM_GROW(local->replies, local->cap, local->count + 1);
	local->replies[local->count++] =
		(struct transaction_reply){.end = local->bytes.len, .protocol = client->protocol};
}

/* Of the elements, what becomes of the whole: the most that any of them asks for. */
static enum command_class put_elements(struct session *s, struct transaction_local **local,
				       struct buf *out)
{
	struct multi *t = &s->multi;
	enum command_class class = COMMAND_LOCAL;
	unsigned database = s->client.database;

	list_for_each (it, &t->queued) {
		const struct request *q = LIST_ITEM(it, const struct request, link);

		class = MAX(class, q->command->class);
		if (q->command->class != COMMAND_LOCAL) {
			transaction_add(out, q->command, database, q->argv, q->argc);
			continue;
		}
		if (!*local) {
			*local = MEM_NEW(struct transaction_local);
			client_copy(&t->after, &s->client);
			deeds_forget(&t->deeds);
		}
		run_local_element(s, *local, q);
		transaction_add_local(out);
		database = MUTANT(exec_forgets_select) ? database : t->after.database;
	}
	return class;
}

static void exec_local(struct request *r)
{
	struct resp_writer w = session_writer(r);
	struct call c = {.command = r->command,
			 .argv = r->argv,
			 .argc = r->argc,
			 .reply = &w,
			 .local = r->local};
	int rc = command_run(&c);

	CHECK(rc == OK);
	session_answer_done(r);
}

static void exec_hand_out(struct session *s, enum command_class class, const struct slice *argv,
			  struct transaction_local *local)
{
	bool keeps = class != COMMAND_WRITE;
	struct request *r =
		session_add(s, &transaction_command, keeps ? argv : NULL, keeps ? 2 : 0);

	r->local = local;
	s->multi.exec = local ? r : NULL;
	switch (class) {
	case COMMAND_LOCAL:
		exec_local(r);
		return;
	case COMMAND_READ:
		member_read(s->member, r);
		return;
	case COMMAND_WRITE:
		member_collect(s->member, r, argv, 2);
		return;
	case COMMAND_CLUSTER:
		break;
	}
	CHECK(!"a change of the membership is never queued");
}

static void session_exec(struct session *s)
{
	struct multi *t = &s->multi;
	struct buf bytes = {0};
	struct transaction_local *local = NULL;
	bool watches = t->watches.len > 0;
	enum command_class class;
	struct slice argv[2] = {SLICE_LITERAL("EXEC")};

	if (t->failed || t->watch_failed) {
		multi_end(t);
		session_answer_error(s, "EXECABORT Transaction discarded because of previous "
					"errors.");
		return;
	}
	put_watches(t, &bytes);
	class = put_elements(s, &local, &bytes);
	if (watches)
		class = MAX(class, COMMAND_READ);
	multi_end(t);
	argv[1] = buf_slice(&bytes);
	exec_hand_out(s, class, argv, local);
	buf_free(&bytes);
}

/* ---- turns ----------------------------------------------------------------------------------- */

bool multi_holds(const struct multi *t, struct slice name)
{
	const struct command *command;

	if (t->exec)
		return true;
	if (!t->open || !t->watching)
		return false;
	command = command_find(name);
	return command && command->role == ROLE_EXEC;
}

void multi_request_done(struct session *s, struct request *r)
{
	struct multi *t = &s->multi;

	if (r->command && r->command->role == ROLE_WATCH)
		watches_note(t, r);
	if (r != t->exec)
		return;
	t->exec = NULL;
	if (!r->local->ran)
		return;
	client_copy(&s->client, &t->after);
	deeds_do(s);
	s->client.wants_close = s->client.wants_close || s->killed;
}

static void session_watch(struct session *s, const struct command *command,
			  const struct slice *argv, size_t argc)
{
	struct request *r;

	if (s->multi.open) {
		session_answer_error(s, "ERR WATCH inside MULTI is not allowed");
		return;
	}
	r = session_add(s, command, argv, argc);
	r->watching = s->multi.number;
	s->multi.watching++;
	member_read(s->member, r);
}

static void session_multi(struct session *s)
{
	if (s->multi.open) {
		session_answer_error(s, "ERR MULTI calls can not be nested");
		return;
	}
	s->multi.open = true;
	session_reply(s, SLICE_LITERAL("OK"));
}

/* EXEC and DISCARD alike need a transaction; `command` says which. */
static void session_end_multi(struct session *s, const struct command *command)
{
	if (!s->multi.open) {
		session_answer_error(s, command->role == ROLE_EXEC ? "ERR EXEC without MULTI"
								   : "ERR DISCARD without MULTI");
	} else if (command->role == ROLE_EXEC) {
		session_exec(s);
	} else {
		multi_end(&s->multi);
		session_reply(s, SLICE_LITERAL("OK"));
	}
}

/* Said as the request comes, even within a transaction. */
static bool session_refuses_debug(struct session *s, const struct command *command)
{
	struct desk desk = session_desk(s);

	if (desk.debug_allowed(s))
		return false;
	command_stats_rejected(&s->member->tally.stats, command);
	multi_fail(&s->multi);
	session_answer_error(s, "ERR DEBUG command not allowed. If the enable-debug-command option "
				"is set to \"local\", you can run it from a local connection, "
				"otherwise you need to set this option in the configuration file, "
				"and then restart the server.");
	return true;
}

/* A read under the name of a command that is none. */
static bool session_debug_reads(struct session *s, const struct slice *argv, size_t argc)
{
	const struct command *row = debug_read(argv, argc);

	if (!row)
		return false;
	if (s->multi.open)
		session_queue(s, row, argv, argc);
	else
		member_read(s->member, session_add(s, row, argv, argc));
	return true;
}

bool session_play(struct session *s, const struct command *command, const struct slice *argv,
		  size_t argc)
{
	switch (command->role) {
	case ROLE_ORDINARY:
	case ROLE_UNPAUSE:
		return false;
	case ROLE_DEBUG:
		return session_refuses_debug(s, command) || session_debug_reads(s, argv, argc);
	case ROLE_REPLY:
		if (s->multi.open)
			return false;
		session_run_reply(s, command, argv, argc);
		return true;
	case ROLE_MULTI:
		session_multi(s);
		return true;
	case ROLE_EXEC:
	case ROLE_DISCARD:
		session_end_multi(s, command);
		return true;
	case ROLE_WATCH:
		session_watch(s, command, argv, argc);
		return true;
	case ROLE_UNWATCH:
		if (s->multi.open)
			return false;
		watches_forget(&s->multi);
		session_reply(s, SLICE_LITERAL("OK"));
		return true;
	case ROLE_RESET:
		multi_end(&s->multi);
		list_remove(&s->monitor);
		session_run_local(s, command, argv, argc);
		return true;
	case ROLE_QUIT:
		session_run_local(s, command, argv, argc);
		return true;
	}
	return false;
}
