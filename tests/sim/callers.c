/* Connections: opened, used, left, cut. */

#include "sim/callers.h"
#include "sim/roster.h"

#include "base/check.h"
#include "base/error.h"
#include "base/mem.h"
#include "command/command.h"
#include "node/session.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Whoever hears nothing for so long tries another member, as long as faults go on. */
#define PATIENCE_US 6000000

static void caller_acts(struct world *w, struct event *e);
static void caller_arrives(struct world *w, struct event *e);
static void caller_hears(struct world *w, struct event *e);
static void caller_introduces(struct caller *c);

static uint64_t trip_us(struct world *w)
{
	return 50 + random_below(&w->random, 500);
}

/* ---- what was asked -------------------------------------------------------------------------- */

static void asked_free(struct caller *c, struct asked *a)
{
	list_remove(&a->link);
	c->asked_count--;
	words_free(&a->words);
	buf_free(&a->expected);
	for (size_t i = 0; i < a->queued_count; i++)
		words_free(&a->queued[i].words);
	mem_free(a->queued);
	mem_free(a);
}

static struct asked *asked_first(struct caller *c)
{
	return list_empty(&c->asked) ? NULL : LIST_ITEM(c->asked.next, struct asked, link);
}

/* Nobody will ever say what became of these. */
static void caller_forget(struct caller *c)
{
	struct asked *a;

	while ((a = asked_first(c)) != NULL) {
		COUNT(c->world, ANSWER_UNKNOWN);
		asked_free(c, a);
	}
	world_cancel(c->world, &c->arrives);
	world_cancel(c->world, &c->hears);
	buf_clear(&c->heard);
	c->host = NULL;
	c->multi = NULL;
	c->watching = false;
	c->step = NULL;
	c->walk.waits = false;
}

/* ---- the connection -------------------------------------------------------------------------- */

static void on_output(void *ctx)
{
	struct caller *c = ctx;
	struct buf *out = session_output(c->session);

	if (c->host->dying)
		return;
	buf_append_slice(&c->heard, buf_slice(out));
	buf_clear(out);
	if (!c->hears.node.place)
		world_at(c->world, &c->hears, c->world->now_us + trip_us(c->world), caller_hears);
}

static void on_resume(void *ctx)
{
	struct caller *c = ctx;

	if (!c->arrives.node.place)
		world_at(c->world, &c->arrives, c->world->now_us, caller_arrives);
}

static const struct session_events caller_session_events = {on_output, on_resume, NULL};

static void caller_connects(struct caller *c)
{
	struct world *w = c->world;
	struct host *leader = world_leader(w);
	struct host *h = &w->hosts[random_below(&w->random, w->host_count)];
	char address[24];

	if (leader && random_chance(&w->random, 300000))
		h = leader;
	if (h->state != HOST_UP || h->dying || (w->calm && !host_takes_part(h)))
		return;
	COUNT(w, CALLER_CONNECTED);
	c->host = h;
	c->session = session_open(h->member, &caller_session_events, c);
	/* Keys that begin with p are those of one client; its name is its address. */
	snprintf(address, sizeof(address), "p%u", c->number);
	session_set_address(c->session, slice_of_text(address));
	c->database = 0;
	c->readonly = false;
	c->floor = 0;
	c->watch_floor = UINT64_MAX;
	c->seating = c->seating_term = 0;
	TRACE(w, h, "client %u connects", c->number);
	c->working = "connection";
	caller_introduces(c);
}

static void caller_leaves(struct caller *c)
{
	TRACE(c->world, c->host, "client %u leaves with %zu requests", c->number, c->asked_count);
	if (c->asked_count)
		COUNT(c->world, CALLER_LEFT);
	if (c->session)
		session_close(c->session);
	c->session = NULL;
	caller_forget(c);
}

/* The member's process is gone. What it had sent before still comes. */
void callers_cut(struct host *h)
{
	struct world *w = h->world;

	for (unsigned i = 0; w->callers && i < w->profile.clients; i++) {
		struct caller *c = &w->callers->all[i];

		if (c->host != h || !c->session)
			continue;
		c->session = NULL;
		if (c->asked_count)
			COUNT(w, CALLER_CUT);
		if (!c->hears.node.place)
			caller_forget(c);
	}
}

/* ---- requests -------------------------------------------------------------------------------- */

static enum asked_kind kind_of(const struct words *words)
{
	const struct command *command, *parent;
	struct slice argv[WORDS_MAX];

	words_borrow(words, argv);
	command = command_lookup(argv, words->count, &parent);
	if (!command || command->role || command->class == COMMAND_LOCAL ||
	    command->class == COMMAND_CLUSTER)
		return ASKED_LOCAL;
	return command->class == COMMAND_READ ? ASKED_READ : ASKED_WRITE;
}

/* All that was asked since MULTI is what EXEC asks for. */
static void ask_exec(struct caller *c, struct asked *a)
{
	size_t cap = 0;

	a->watch_floor = c->watch_floor;
	a->watch_most = c->watching ? c->watch_most : UINT64_MAX;
	for (struct list *it = c->multi->link.next; it != &a->link; it = it->next) {
		const struct asked *q = LIST_ITEM(it, const struct asked, link);
		struct queued *to;

		MEM_GROW(a->queued, cap, a->queued_count + 1);
		to = &a->queued[a->queued_count++];
		*to = (struct queued){.database = q->database, .kind = q->kind, .value = q->value};
		to->words = q->words;
		to->words.bytes = (struct buf){0};
		buf_append_slice(&to->words.bytes, buf_slice(&q->words.bytes));
		a->kind = MAX(a->kind, q->kind);
	}
}

/* What a request changes of its connection, for those behind it. */
static void ask_changes(struct caller *c, struct asked *a, const char *text)
{
	if (strncmp(text, "SELECT ", 7) == 0)
		c->database = (unsigned)(text[7] - '0');
	if (strcmp(text, "READONLY") == 0)
		c->readonly = true;
	if (strncmp(text, "WATCH ", 6) == 0)
		c->watch_floor = MIN(c->watch_floor, a->floor);
	if (strcmp(text, "EXEC") == 0)
		ask_exec(c, a);
	else if (c->multi && strcmp(text, "DISCARD") != 0)
		plain_simple(&a->expected, "QUEUED");
	if (strcmp(text, "MULTI") == 0)
		c->multi = a;
	if (strcmp(text, "EXEC") == 0 || strcmp(text, "DISCARD") == 0)
		c->multi = NULL;
	if (!c->multi && (a->queued_count || strcmp(text, "UNWATCH") == 0))
		c->watch_floor = UINT64_MAX;
}

struct asked *ask(struct caller *c, const char *fmt, ...)
{
	struct world *w = c->world;
	struct asked *a = MEM_NEW(struct asked);
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	list_init(&a->link);
	list_push_back(&c->asked, &a->link);
	c->asked_count++;
	words_print(&a->words, "%s", text);
	a->name = c->working;
	a->kind = kind_of(&a->words);
	a->database = c->database;
	a->asked_us = w->now_us;
	a->watch_number = c->watch_number;
	a->seating = roster_newest(w);
	a->own_seating = c->seating;
	a->own_term = c->seating_term;
	a->leaders = roster_first_leader(w);
	a->floor = c->readonly && a->kind != ASKED_WRITE ? c->floor : w->callers->floor;
	ask_changes(c, a, text);
	w->counts.client_ops++;
	TRACE(w, c->host, "client %u asks: %s", c->number, text);
	if (!c->arrives.node.place)
		world_at(w, &c->arrives, w->now_us + trip_us(w), caller_arrives);
	return a;
}

void ask_word(struct caller *c, struct asked *a, struct slice word)
{
	(void)c;
	words_add(&a->words, word);
	a->kind = kind_of(&a->words);
}

static void caller_asks(struct caller *c)
{
	const struct work *work = work_draw(c->world);

	c->world->counts.n[work->count]++;
	c->working = work->name;
	work->ask(c);
}

/* What a connection is for: mostly everything that there is, in the older protocol. */
static void caller_introduces(struct caller *c)
{
	struct world *w = c->world;

	if (random_chance(&w->random, 400000)) {
		COUNT(w, CALLER_NEWER);
		ask(c, "HELLO 3");
	}
	if (random_chance(&w->random, 200000)) {
		COUNT(w, CALLER_READONLY);
		plain_simple(&ask(c, "READONLY")->expected, "OK");
	}
}

/* What stands in the log beside the words of a command, and for a key that is watched. */
#define COMMAND_EXTRA 64
#define WORD_EXTRA    4

static size_t words_bytes(const struct words *words)
{
	return words->bytes.len + COMMAND_EXTRA + WORD_EXTRA * words->count;
}

static size_t asked_bytes(const struct asked *a)
{
	size_t bytes = words_bytes(&a->words);

	for (size_t i = 0; i < a->queued_count; i++)
		bytes += words_bytes(&a->queued[i].words);
	return bytes;
}

static void asked_hand(struct caller *c, struct asked *a)
{
	struct callers *all = c->world->callers;
	struct slice argv[WORDS_MAX];

	all->largest = MAX(all->largest, asked_bytes(a));
	words_borrow(&a->words, argv);
	a->handed = true;
	session_request(c->session, argv, a->words.count);
}

static void caller_arrives(struct world *w, struct event *e)
{
	struct caller *c = CONTAINER_OF(e, struct caller, arrives);
	struct host *h = c->host;

	if (!c->session)
		return;
	if (h->state == HOST_PAUSED) {
		world_at(w, &c->arrives, w->now_us + 20000, caller_arrives);
		return;
	}
	list_for_each_safe (it, &c->asked) {
		struct asked *a = LIST_ITEM(it, struct asked, link);

		if (a->handed)
			continue;
		if (session_is_full(c->session)) {
			COUNT(w, CALLER_FULL);
			break;
		}
		asked_hand(c, a);
	}
	host_after(h);
}

static void caller_hears_one(struct caller *c, struct slice bytes)
{
	struct world *w = c->world;
	struct asked *a = asked_first(c);
	struct buf plain = {0};
	enum heard heard;

	if (!a || !a->handed) {
		world_fail(w, "client %u gets an answer to nothing", c->number);
		return;
	}
	reply_plain(bytes, &plain);
	TRACE(w, c->host, "client %u hears of %s: %.*s", c->number, a->name,
	      (int)MIN(plain.len, 100u), (const char *)plain.data);
	COUNT(w, CHECK_ORDER);
	heard = witness_hears(c, a, buf_slice(&plain));
	if (a->then && !w->done)
		a->then(c, a, heard, buf_slice(&plain));
	buf_free(&plain);
	asked_free(c, a);
}

static void caller_hears(struct world *w, struct event *e)
{
	struct caller *c = CONTAINER_OF(e, struct caller, hears);

	while (!w->done && c->heard.len > 0) {
		size_t size = reply_size(buf_slice(&c->heard));

		if (size == SIZE_MAX)
			world_fail(w, "client %u cannot read what it gets", c->number);
		if (size == 0 || size == SIZE_MAX)
			break;
		caller_hears_one(c, slice_of(c->heard.data, size));
		buf_consume(&c->heard, size);
	}
	if (!c->session)
		caller_forget(c);
}

/* ---- what it does next ----------------------------------------------------------------------- */

/* In the end all that take part must answer; with the others nobody stays. */
static bool caller_loses_patience(struct caller *c)
{
	const struct asked *a = asked_first(c);

	if (c->world->calm)
		return !host_takes_part(c->host);
	return a && a->asked_us + PATIENCE_US < c->world->now_us;
}

static void caller_acts(struct world *w, struct event *e)
{
	struct caller *c = CONTAINER_OF(e, struct caller, acts);
	const struct profile *p = &w->profile;

	world_at(w, e, w->now_us + random_below(&w->random, p->think_us), caller_acts);
	if (w->quiet && c->session && caller_loses_patience(c))
		caller_leaves(c);
	if (w->quiet)
		return;
	if (!c->host) {
		caller_connects(c);
		return;
	}
	if (!c->session)
		return; /* it has not noticed yet */
	if (caller_loses_patience(c) || random_chance(&w->random, p->leave_ppm)) {
		caller_leaves(c);
		return;
	}
	if (c->asked_count > 4 * (size_t)p->burst)
		return;
	if (c->step && random_chance(&w->random, 500000))
		c->step(c);
	for (uint64_t n = random_between(&w->random, 1, p->burst); n > 0; n--)
		caller_asks(c);
}

void callers_start(struct world *w)
{
	w->callers = MEM_NEW(struct callers);
	w->callers->roster = roster_new();
	w->model = model_new(w);
	w->callers->all = mem_zalloc(w->profile.clients, sizeof(*w->callers->all));
	for (unsigned i = 0; i < w->profile.clients; i++) {
		struct caller *c = &w->callers->all[i];

		c->world = w;
		c->number = i;
		list_init(&c->asked);
		world_at(w, &c->acts, random_below(&w->random, w->profile.think_us), caller_acts);
	}
}

/* The sessions went with their members. */
void callers_close(struct world *w)
{
	for (unsigned i = 0; w->callers && i < w->profile.clients; i++) {
		struct caller *c = &w->callers->all[i];

		while (asked_first(c))
			asked_free(c, asked_first(c));
		buf_free(&c->heard);
		buf_free(&c->walk.names);
	}
	if (w->callers) {
		roster_free(w->callers->roster);
		mem_free(w->callers->written);
		mem_free(w->callers->all);
	}
	mem_free(w->callers);
	model_free(w->model);
}

bool callers_wait(struct world *w)
{
	for (unsigned i = 0; i < w->profile.clients; i++)
		if (w->callers->all[i].asked_count)
			return true;
	return false;
}

void callers_watch_answered(struct world *w)
{
	for (unsigned i = 0; i < w->profile.clients; i++) {
		struct caller *c = &w->callers->all[i];
		const struct asked *a = asked_first(c);

		if (a)
			world_fail(w,
				   "client %u has waited for its %s on %s for %" PRIu64
				   " ms although the faults are over",
				   c->number, a->name, c->host->name,
				   (w->now_us - a->asked_us) / 1000);
	}
}
