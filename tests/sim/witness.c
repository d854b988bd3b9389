/*
 * What clients hear, held against the model.
 *
 * A write that is acknowledged has one place in the log: its reply must be the one that the model
 * has for this place, and the place must lie behind everything that any client had heard of when
 * it was asked. A read must be the state at some revision that is not older than that, not older
 * than what its own connection has seen, and not newer than the next write of this connection.
 * Of several such revisions the oldest is taken: that forbids the least of what follows. So nothing
 * has to be searched.
 */

#include "base/check.h"
#include "base/error.h"
#include "base/mem.h"
#include "node/member_state.h"
#include "sim/callers.h"
#include "sim/control.h"

#include <inttypes.h>
#include <string.h>

static bool begins(struct slice s, const char *with)
{
	size_t n = strlen(with);

	return s.len >= n && memcmp(s.data, with, n) == 0;
}

/* ---- linking writes to their places in the log ----------------------------------------------- */

/* What this request was asked as: both stand in one order, and all behind it is still to come. */
static struct asked *asked_of(struct caller *c, const struct request *r)
{
	const struct session *s = r->session;
	struct list *at = c->asked.prev;
	size_t behind = 0;

	for (const struct list *it = r->link.next; it != &s->requests; it = it->next)
		behind++;
	for (const struct list *it = s->held.next; it != &s->held; it = it->next)
		behind++;
	for (; at != &c->asked; at = at->prev) {
		struct asked *a = LIST_ITEM(at, struct asked, link);

		if (a->handed && behind-- == 0)
			return a;
	}
	return NULL;
}

/* The commands of a transaction as they stand in the log. */
static bool same_elements(const struct asked *a, struct cursor *in)
{
	for (size_t i = 0; i < a->queued_count; i++) {
		const struct queued *q = &a->queued[i];
		struct cursor e = cursor_of(cursor_string(in));
		struct slice argv[WORDS_MAX];
		uint8_t kind = cursor_fixed8(&e);
		uint64_t argc;

		if (kind == COMMAND_LOCAL && q->kind == ASKED_LOCAL)
			continue;
		if (kind != (q->kind == ASKED_READ ? COMMAND_READ : COMMAND_WRITE) ||
		    cursor_varint(&e) != q->database)
			return false;
		argc = cursor_varint(&e);
		for (uint64_t k = 0; k < argc && k < WORDS_MAX; k++)
			argv[k] = cursor_string(&e);
		if (argc > WORDS_MAX || !words_equal(&q->words, argv, (size_t)argc))
			return false;
	}
	return cursor_left(in) == 0 && !in->failed;
}

static bool same_transaction(struct caller *c, const struct asked *a, struct slice bytes)
{
	struct cursor in = cursor_of(bytes);

	for (uint64_t n = cursor_varint(&in); n > 0; n--) {
		struct watch watch;

		if (watch_decode(&in, &watch) != OK)
			return false;
		if (watch.revision < a->watch_floor ||
		    watch.revision > MIN(a->watch_most, a->result->before))
			world_fail(c->world,
				   "client %u watches a key as of revision %" PRIu64
				   ", and it must be one from %" PRIu64 " to %" PRIu64,
				   c->number, watch.revision, a->watch_floor,
				   MIN(a->watch_most, a->result->before));
	}
	return same_elements(a, &in);
}

static bool same_command(struct caller *c, const struct asked *a, const struct batch_command *b)
{
	if (b->flags & BATCH_TRANSACTION)
		return a->words.count == 1 && same_transaction(c, a, b->argv[1]);
	return b->database == a->database && words_equal(&a->words, b->argv, b->argc);
}

void witness_applied(struct host *h, uint64_t incarnation, uint64_t seq,
		     const struct batch_command *command)
{
	struct origin *o = &h->member->origin;
	struct request *r;
	struct caller *c;
	struct asked *a;

	if (incarnation != o->incarnation || seq < o->first || seq >= o->next)
		return;
	r = origin_pending(o, seq)->request;
	if (!r || !r->session)
		return;
	c = r->session->ctx;
	a = asked_of(c, r);
	if (!a || a->kind != ASKED_WRITE) {
		world_fail(h->world, "%s applies a write that client %u never asked for", h->name,
			   c->number);
		return;
	}
	if (a->result)
		return;
	a->result = model_result(h->world->model, incarnation, seq);
	if (!a->result)
		return;
	COUNT(h->world, CHECK_LINKED);
	if (!same_command(c, a, command))
		world_fail(h->world, "the log holds another command than client %u asked for: %s",
			   c->number, a->name);
}

/* ---- what went wrong ------------------------------------------------------------------------- */

static void describe(struct caller *c, const struct asked *a, struct slice plain, const char *wrong)
{
	struct slice argv[WORDS_MAX];
	struct buf text = {0};

	words_borrow(&a->words, argv);
	for (size_t i = 0; i < a->words.count; i++)
		buf_printf(&text, "%.*s ", (int)MIN(argv[i].len, 40u), (const char *)argv[i].data);
	for (size_t i = 0; i < a->queued_count; i++) {
		words_borrow(&a->queued[i].words, argv);
		buf_printf(&text, "| %.*s %.*s ", (int)argv[0].len, (const char *)argv[0].data,
			   a->queued[i].words.count > 1 ? (int)MIN(argv[1].len, 20u) : 0,
			   a->queued[i].words.count > 1 ? (const char *)argv[1].data : "");
	}
	world_fail(c->world, "client %u asks %.*sin db %u and hears %.*s: %s", c->number,
		   (int)text.len, (const char *)text.data, a->database, (int)MIN(plain.len, 200u),
		   (const char *)plain.data, wrong);
	buf_free(&text);
}

static void fail_expected(struct caller *c, const struct asked *a, struct slice plain,
			  struct slice expected, uint64_t from, uint64_t to)
{
	struct buf wrong = {0};

	buf_printf(&wrong, "at revisions from %" PRIu64 " to %" PRIu64 " it is %.*s", from, to,
		   (int)MIN(expected.len, 200u), (const char *)expected.data);
	buf_append_byte(&wrong, 0);
	describe(c, a, plain, (const char *)wrong.data);
	buf_free(&wrong);
}

/* ---- writes ---------------------------------------------------------------------------------- */

static void sees(struct caller *c, uint64_t revision)
{
	c->floor = MAX(c->floor, revision);
	c->world->callers->floor = MAX(c->world->callers->floor, revision);
}

static void values_are(struct caller *c, const struct asked *a, uint8_t state)
{
	value_is(c->world, a->value, state);
	for (size_t i = 0; i < a->queued_count; i++)
		value_is(c->world, a->queued[i].value, state);
}

static void hear_write(struct caller *c, struct asked *a, struct slice plain)
{
	const struct model_result *r = a->result;
	bool conflict = a->queued_count && plain.data[0] == '_';
	bool nothing = conflict || begins(plain, "-OOM ") || begins(plain, "-EXECABORT ");

	if (!r) {
		describe(c, a, plain, "nobody has applied it");
		return;
	}
	COUNT(c->world, CHECK_PLACE);
	if (!plain_matches(buf_slice(&r->reply), plain, 0))
		fail_expected(c, a, plain, buf_slice(&r->reply), r->after, r->after);
	if (r->before < MAX(a->floor, c->floor))
		describe(c, a, plain, "it took place before something that was known");
	if (conflict)
		COUNT(c->world, EXEC_CONFLICT);
	else if (nothing)
		COUNT(c->world, ANSWER_OOM);
	values_are(c, a, nothing ? WRITTEN_REFUSED : WRITTEN_DONE);
	sees(c, r->after);
}

/* ---- reads ----------------------------------------------------------------------------------- */

/* One state that a read may be of, and what its answer is then. */
struct expected {
	uint64_t at;
	uint64_t horizon;
	uint64_t until; /* as in struct model_call */
	bool asked_horizon;
	struct buf reply;
};

static void expect_one(struct caller *c, const struct words *words, unsigned database,
		       struct expected *e)
{
	struct slice argv[WORDS_MAX];
	struct model_call call = {.m = c->world->model,
				  .database = database,
				  .argv = argv,
				  .argc = words->count,
				  .at = e->at,
				  .horizon = e->horizon,
				  .reply = &e->reply};

	words_borrow(words, argv);
	CHECK(model_run(&call));
	e->until = MIN(e->until, call.until);
	e->asked_horizon = e->asked_horizon || call.asked_horizon;
}

static void expect(struct caller *c, const struct asked *a, struct expected *e)
{
	buf_clear(&e->reply);
	e->until = UINT64_MAX;
	if (!a->queued_count) {
		expect_one(c, &a->words, a->database, e);
		return;
	}
	plain_array(&e->reply, a->queued_count);
	for (size_t i = 0; i < a->queued_count; i++) {
		const struct queued *q = &a->queued[i];

		if (q->kind == ASKED_LOCAL)
			plain_any(&e->reply);
		else
			expect_one(c, &q->words, q->database, e);
	}
}

/* Whether it is the state at e->at, with any of the horizons that there were meanwhile. */
static bool read_matches(struct caller *c, const struct asked *a, struct expected *e,
			 struct slice plain)
{
	const struct model *m = c->world->model;
	size_t move = m->move_count;
	bool goes_on;

	while (m->moves[move - 1].revision > e->at)
		move--;
	do {
		e->horizon = m->moves[--move].horizon;
		expect(c, a, e);
		if (plain_matches(buf_slice(&e->reply), plain, m->times[e->at]))
			return true;
		goes_on = move > 0 && m->moves[move].revision == e->at;
	} while (e->asked_horizon && goes_on);
	return false;
}

/* Not newer than the next write of this connection, if that was applied. */
static uint64_t read_before(struct caller *c, const struct asked *a)
{
	for (const struct list *it = a->link.next; it != &c->asked; it = it->next) {
		const struct asked *later = LIST_ITEM(it, const struct asked, link);

		if (later->result)
			return later->result->before;
	}
	return c->world->model->revision;
}

static void hear_read(struct caller *c, struct asked *a, struct slice plain)
{
	const struct model *m = c->world->model;
	uint64_t from = MAX(a->floor, c->floor), to = read_before(c, a);
	struct expected e = {.at = from};
	bool matches = false;

	COUNT(c->world, CHECK_READ);
	if (a->past && a->revision < model_horizon(m) && begins(plain, "-COMPACTED "))
		return;
	while (e.at <= to && !matches) {
		matches = read_matches(c, a, &e, plain);
		if (matches)
			sees(c, e.at);
		e.at = e.asked_horizon ? e.at + 1 : e.until;
	}
	if (!matches)
		fail_expected(c, a, plain, buf_slice(&e.reply), from, to);
	buf_free(&e.reply);
}

/* ---- answers --------------------------------------------------------------------------------- */

static enum heard hear_error(struct caller *c, struct asked *a, struct slice plain)
{
	struct world *w = c->world;

	if (begins(plain, "-UNCERTAIN ") && a->kind == ASKED_WRITE) {
		COUNT(w, ANSWER_UNCERTAIN);
		return HEARD_UNCERTAIN;
	}
	if (begins(plain, "-CLUSTERDOWN ") ||
	    (a->queued_count && !a->result && begins(plain, "-EXECABORT "))) {
		COUNT(w, ANSWER_REFUSED);
		if (a->result)
			describe(c, a, plain, "it was applied");
		values_are(c, a, WRITTEN_REFUSED);
		return HEARD_REFUSED;
	}
	if (begins(plain, "-ERR This member cannot read its data") && c->host->excuse) {
		COUNT(w, ANSWER_UNREADABLE);
		return HEARD_UNREADABLE;
	}
	return HEARD_DONE;
}

enum heard witness_hears(struct caller *c, struct asked *a, struct slice plain)
{
	struct world *w = c->world;
	enum heard heard = hear_error(c, a, plain);

	if (heard != HEARD_DONE)
		return heard;
	COUNT(w, ANSWER_OK);
	if (a->kind != ASKED_LOCAL && !a->expected.len && plain.data[0] != '-')
		control_watch_served(c->host, a->asked_us);
	if (a->unmodelled)
		return heard;
	if (a->expected.len) {
		if (!plain_matches(buf_slice(&a->expected), plain, 0))
			fail_expected(c, a, plain, buf_slice(&a->expected), 0, 0);
	} else if (a->kind == ASKED_WRITE) {
		w->ops_in_calm += w->calm;
		hear_write(c, a, plain);
	} else if (a->kind == ASKED_READ) {
		hear_read(c, a, plain);
	}
	return heard;
}
