/*
 * What clients ask for, and what they must hear. A new kind of request is a row of the table at the
 * end: a function that writes the words, and one that looks at the answer.
 *
 * Three kinds of keys. Registers r<n> and counters c<n> are everybody's, and what is heard of them
 * goes to the history, which must be linearizable. p<connection> and q<connection> belong to one
 * connection: the order of its requests says exactly what they hold.
 */

#include "sim/callers.h"
#include "sim/control.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"
#include "checker/history.h"
#include "node/member_state.h"
#include "resp/integer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- words ----------------------------------------------------------------------------------- */

static void word(struct asked *a, struct slice s)
{
	CHECK(a->argc < REQUEST_WORDS_MAX);
	buf_append_slice(&a->bytes, s);
	a->ends[a->argc++] = a->bytes.len;
}

static void word_text(struct asked *a, const char *text)
{
	word(a, slice_of_text(text));
}

static void word_key(struct asked *a, char kind, uint64_t number)
{
	char name[32];

	snprintf(name, sizeof(name), "%c%" PRIu64, kind, number);
	word_text(a, name);
}

/*
 * A third of the values are texts that say where they belong, with padding, so that some are longer
 * than what stands in a record; the others are numbers, which can be incremented.
 */
static void value_print(const struct world *w, uint64_t value, char kind, uint64_t key,
			struct buf *out)
{
	uint64_t h = hash64_pair(value, w->seed);

	buf_printf(out, "%" PRIu64, value);
	if (value % VALUE_STEP || h % 3)
		return;
	buf_printf(out, ":%c%" PRIu64 ":", kind, key);
	for (uint64_t n = (h >> 8) % (w->profile.padding_bytes + 1); n > 0; n--)
		buf_append_byte(out, (uint8_t)('a' + (h + n) % 26));
}

static void word_value(const struct world *w, struct asked *a, char kind, uint64_t key)
{
	struct buf text = {0};

	value_print(w, a->value, kind, key, &text);
	word(a, buf_slice(&text));
	buf_free(&text);
}

uint64_t number_in_front(struct slice s)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s.len && s.data[i] >= '0' && s.data[i] <= '9'; i++)
		n = n * 10 + (uint64_t)(s.data[i] - '0');
	return n;
}

uint64_t value_read(struct world *w, struct slice text, char kind, uint64_t key)
{
	uint64_t value = number_in_front(text);
	struct buf whole = {0};

	value_print(w, value, kind, key, &whole);
	if (!slice_equal(buf_slice(&whole), text))
		world_fail(w, "%c%" PRIu64 " holds '%.*s', which nobody wrote there", kind, key,
			   (int)MIN(text.len, 80u), (const char *)text.data);
	buf_free(&whole);
	return value;
}

/* ---- values that were written ---------------------------------------------------------------- */

static uint64_t value_new(struct world *w)
{
	struct callers *cs = w->callers;
	uint64_t n = ++w->next_value;

	if (n >= cs->written_cap) {
		size_t cap = mem_grown_capacity(cs->written_cap, (size_t)n + 1);

		cs->written = mem_resize(cs->written, cap, sizeof(*cs->written));
		memset(cs->written + cs->written_cap, 0,
		       (cap - cs->written_cap) * sizeof(*cs->written));
		cs->written_cap = cap;
	}
	return n * VALUE_STEP;
}

static struct written *value_of(struct world *w, uint64_t value)
{
	return &w->callers->written[value / VALUE_STEP];
}

static void value_is(struct world *w, uint64_t value, uint8_t state)
{
	if (value)
		value_of(w, value)->state = state;
}

void works_applied(struct world *w, const struct slice *argv, size_t argc)
{
	uint64_t value = argc == 3 ? number_in_front(argv[2]) : 0;
	uint64_t n = value / VALUE_STEP;

	if (n == 0 || value % VALUE_STEP || n > w->next_value || w->callers->written[n].applied_at)
		return;
	w->callers->written[n].applied_at = ++w->tick;
}

/* ---- answers --------------------------------------------------------------------------------- */

enum heard { HEARD_DONE, HEARD_REFUSED, HEARD_UNCERTAIN, HEARD_UNREADABLE };

static bool begins(struct slice s, const char *with)
{
	size_t n = strlen(with);

	return s.len >= n && memcmp(s.data, with, n) == 0;
}

static void wrong(struct caller *c, const struct asked *a, const struct reply *r)
{
	world_fail(c->world, "client %u asks %s of key %" PRIu64 " and hears %c%.*s%" PRId64,
		   c->number, a->work->name, a->key, r->type, (int)MIN(r->text.len, 100u),
		   r->text.data ? (const char *)r->text.data : "", r->number);
}

/* What an answer says of the request; `type` is that of an answer that is no error. */
static enum heard understand(struct caller *c, struct asked *a, const struct reply *r, char type)
{
	struct world *w = c->world;

	if (r->type == type) {
		if (a->work->count != COUNT_WORK_LOCAL)
			control_watch_served(c->host, a->asked_us);
		COUNT(w, ANSWER_OK);
		w->ops_in_calm += w->calm;
		value_is(w, a->value, WRITTEN_DONE);
		return HEARD_DONE;
	}
	if (r->type == '-' && begins(r->text, "UNCERTAIN ")) {
		COUNT(w, ANSWER_UNCERTAIN);
		return HEARD_UNCERTAIN;
	}
	if (r->type == '-' && begins(r->text, "ERR This member cannot read its data") &&
	    c->host->excuse) {
		COUNT(w, ANSWER_UNREADABLE);
		return HEARD_UNREADABLE;
	}
	if (r->type == '-' && (begins(r->text, "CLUSTERDOWN ") || begins(r->text, "OOM ") ||
			       begins(r->text, "ERR value is not an integer"))) {
		if (begins(r->text, "OOM "))
			COUNT(w, ANSWER_OOM);
		COUNT(w, ANSWER_REFUSED);
		value_is(w, a->value, WRITTEN_REFUSED);
		return HEARD_REFUSED;
	}
	wrong(c, a, r);
	return HEARD_REFUSED;
}

/* The same for what stands in the history: true if the answer is still to be put there. */
static bool understand_shared(struct caller *c, struct asked *a, const struct reply *r, char type)
{
	struct world *w = c->world;
	enum heard heard = understand(c, a, r, type);

	if (heard == HEARD_REFUSED)
		history_return_refused(&w->history, w->tick++, a->op);
	return heard == HEARD_DONE;
}

/* ---- registers and counters of everybody ----------------------------------------------------- */

static void call_history(struct caller *c, struct asked *a, enum history_kind kind)
{
	struct world *w = c->world;

	a->op = history_call(&w->history, w->tick++, c->number, a->key, kind, a->value);
}

static void ask_register(struct caller *c, struct asked *a, const char *command,
			 enum history_kind kind)
{
	struct world *w = c->world;

	a->key = random_below(&w->random, w->profile.keys);
	word_text(a, command);
	word_key(a, 'r', a->key);
	if (kind == HISTORY_WRITE) {
		a->value = value_new(w);
		word_value(w, a, 'r', a->key);
	}
	call_history(c, a, kind);
	if (kind == HISTORY_WRITE)
		value_of(w, a->value)->op = a->op;
	if (kind == HISTORY_WRITE)
		value_of(w, a->value)->shared = true;
}

static void ask_counter(struct caller *c, struct asked *a, const char *command,
			enum history_kind kind)
{
	uint64_t n = random_below(&c->world->random, COUNTERS);

	a->key = COUNTER_KEY + n;
	word_text(a, command);
	word_key(a, 'c', n);
	call_history(c, a, kind);
}

static void ask_set_register(struct caller *c, struct asked *a)
{
	ask_register(c, a, "SET", HISTORY_WRITE);
}

static void ask_get_register(struct caller *c, struct asked *a)
{
	ask_register(c, a, "GET", HISTORY_READ);
}

static void ask_get_counter(struct caller *c, struct asked *a)
{
	ask_counter(c, a, "get", HISTORY_READ);
}

static void ask_incr_counter(struct caller *c, struct asked *a)
{
	ask_counter(c, a, "INCR", HISTORY_INCR);
}

/*
 * Refused where the register holds a text. Many increments of unknown outcome among as many writes
 * are more than the search can try: then counters are incremented instead.
 */
static void ask_incr_register(struct caller *c, struct asked *a)
{
	if (c->world->profile.burst > 1)
		ask_counter(c, a, "INCR", HISTORY_INCR);
	else
		ask_register(c, a, "incr", HISTORY_INCR);
}

static void hear_set(struct caller *c, struct asked *a, const struct reply *r, struct slice rest)
{
	struct world *w = c->world;

	(void)rest;
	if (!understand_shared(c, a, r, '+'))
		return;
	if (!slice_equal(r->text, slice_of_text("OK")))
		wrong(c, a, r);
	history_return(&w->history, w->tick++, a->op, 0);
}

static void hear_get(struct caller *c, struct asked *a, const struct reply *r, struct slice rest)
{
	struct world *w = c->world;
	uint64_t value = HISTORY_NONE;

	(void)rest;
	if (!understand_shared(c, a, r, '$'))
		return;
	if (!r->null)
		value = a->key < COUNTER_KEY ? value_read(w, r->text, 'r', a->key)
					     : value_read(w, r->text, 'c', a->key - COUNTER_KEY);
	history_return(&w->history, w->tick++, a->op, value);
}

static void hear_incr(struct caller *c, struct asked *a, const struct reply *r, struct slice rest)
{
	struct world *w = c->world;

	(void)rest;
	if (understand_shared(c, a, r, ':'))
		history_return(&w->history, w->tick++, a->op, (uint64_t)r->number);
}

/* ---- keys of one connection ------------------------------------------------------------------ */

static void ask_own(struct caller *c, struct asked *a, const char *command, char kind)
{
	a->key = c->own.number;
	word_text(a, command);
	word_key(a, kind, a->key);
}

static void ask_own_set(struct caller *c, struct asked *a)
{
	ask_own(c, a, "set", 'p');
	a->value = value_new(c->world);
	word_value(c->world, a, 'p', a->key);
}

static void ask_own_get(struct caller *c, struct asked *a)
{
	ask_own(c, a, "GET", 'p');
}

static void ask_own_incr(struct caller *c, struct asked *a)
{
	ask_own(c, a, "INCR", 'q');
}

static void ask_own_count(struct caller *c, struct asked *a)
{
	ask_own(c, a, "GET", 'q');
}

static void ask_own_del(struct caller *c, struct asked *a)
{
	ask_own(c, a, "DEL", 'p');
}

/* Far away: the key keeps its value, and its record says so in another change. */
static void ask_own_expire(struct caller *c, struct asked *a)
{
	ask_own(c, a, "EXPIRE", 'p');
	word_text(a, "99999");
}

static void own_is(struct own_keys *own, uint64_t value, size_t settled)
{
	own->value = value;
	own->unsure_count -= settled;
	memmove(own->unsure, own->unsure + settled, own->unsure_count * sizeof(own->unsure[0]));
}

static void hear_own_set(struct caller *c, struct asked *a, const struct reply *r,
			 struct slice rest)
{
	struct own_keys *own = &c->own;
	enum heard heard = understand(c, a, r, '+');

	(void)rest;
	if (heard == HEARD_DONE)
		own_is(own, a->value, own->unsure_count);
	if (heard != HEARD_UNCERTAIN)
		return;
	CHECK(own->unsure_count < UNSURE_MAX);
	own->unsure[own->unsure_count++] = a->value;
}

/* As a SET of nothing. */
static void hear_own_del(struct caller *c, struct asked *a, const struct reply *r,
			 struct slice rest)
{
	struct own_keys *own = &c->own;
	enum heard heard = understand(c, a, r, ':');

	(void)rest;
	if (heard == HEARD_DONE)
		own_is(own, 0, own->unsure_count);
	if (heard != HEARD_UNCERTAIN)
		return;
	CHECK(own->unsure_count < UNSURE_MAX);
	own->unsure[own->unsure_count++] = 0;
}

static void hear_own_expire(struct caller *c, struct asked *a, const struct reply *r,
			    struct slice rest)
{
	(void)rest;
	(void)understand(c, a, r, ':');
}

static void hear_own_get(struct caller *c, struct asked *a, const struct reply *r,
			 struct slice rest)
{
	struct own_keys *own = &c->own;
	uint64_t value;

	(void)rest;
	if (understand(c, a, r, '$') != HEARD_DONE)
		return;
	value = r->null ? 0 : value_read(c->world, r->text, 'p', a->key);
	if (value == own->value)
		return;
	for (size_t i = 0; i < own->unsure_count; i++) {
		if (own->unsure[i] == value) {
			own_is(own, value, i + 1);
			return;
		}
	}
	world_fail(c->world,
		   "client %u reads %" PRIu64 " from its own p%" PRIu64
		   " where it had written %" PRIu64,
		   c->number, value, a->key, own->value);
}

static void own_counts(struct caller *c, const struct asked *a, uint64_t value, uint64_t low,
		       uint64_t high)
{
	if (value < low || value > high)
		world_fail(c->world,
			   "client %u counts %" PRIu64 " in its own q%" PRIu64
			   ", which must be from %" PRIu64 " to %" PRIu64,
			   c->number, value, a->key, low, high);
}

static void hear_own_incr(struct caller *c, struct asked *a, const struct reply *r,
			  struct slice rest)
{
	struct own_keys *own = &c->own;
	enum heard heard = understand(c, a, r, ':');

	(void)rest;
	if (heard == HEARD_UNCERTAIN)
		own->high++;
	if (heard != HEARD_DONE)
		return;
	own_counts(c, a, (uint64_t)r->number, own->low + 1, own->high + 1);
	own->low = (uint64_t)r->number;
	own->high = own->low;
}

static void hear_own_count(struct caller *c, struct asked *a, const struct reply *r,
			   struct slice rest)
{
	struct own_keys *own = &c->own;
	uint64_t value;

	(void)rest;
	if (understand(c, a, r, '$') != HEARD_DONE)
		return;
	value = r->null ? 0 : value_read(c->world, r->text, 'q', a->key);
	own_counts(c, a, value, own->low, own->high);
	own->low = value;
}

/* ---- the past ------------------------------------------------------------------------------- */

/* Some revision, which may be there, may be below the horizon, and may be still to come. */
static void ask_compact(struct caller *c, struct asked *a)
{
	struct world *w = c->world;
	uint64_t revision = random_below(&w->random, w->callers->changes_upto + 2);

	a->key = revision - (revision % VALUE_STEP == 0 && revision > 0);
	word_text(a, "HISTORY");
	word_text(a, "COMPACT");
	buf_printf(&a->bytes, "%" PRIu64, a->key);
	a->ends[a->argc++] = a->bytes.len;
}

static void hear_compact(struct caller *c, struct asked *a, const struct reply *r,
			 struct slice rest)
{
	(void)rest;
	if (r->type == '-' && (begins(r->text, "COMPACTED ") || begins(r->text, "ERR revision ")))
		COUNT(c->world, ANSWER_REFUSED);
	else
		(void)understand(c, a, r, '+');
}

/* ---- what needs no state --------------------------------------------------------------------- */

static void ask_ping(struct caller *c, struct asked *a)
{
	(void)c;
	word_text(a, "PING");
}

static void hear_ping(struct caller *c, struct asked *a, const struct reply *r, struct slice rest)
{
	(void)rest;
	if (understand(c, a, r, '+') == HEARD_DONE && !slice_equal(r->text, slice_of_text("PONG")))
		wrong(c, a, r);
}

static void ask_echo(struct caller *c, struct asked *a)
{
	a->key = random_next(&c->world->random);
	word_text(a, "ECHO");
	word_key(a, 'e', a->key);
}

static void hear_echo(struct caller *c, struct asked *a, const struct reply *r, struct slice rest)
{
	(void)rest;
	if (understand(c, a, r, '$') != HEARD_DONE)
		return;
	if (r->null ||
	    !slice_equal(r->text, slice_of(a->bytes.data + a->ends[0], a->ends[1] - a->ends[0])))
		wrong(c, a, r);
}

static void ask_nonsense(struct caller *c, struct asked *a)
{
	a->key = c->number;
	word_text(a, random_chance(&c->world->random, 500000) ? "NOSUCH" : "SET");
	word_key(a, 'r', 0);
}

/* Said at once that it is none, or that the member has stopped. */
static void hear_nonsense(struct caller *c, struct asked *a, const struct reply *r,
			  struct slice rest)
{
	bool unknown = a->ends[0] == strlen("NOSUCH");

	(void)rest;
	if (r->type == '-' && (begins(r->text, "CLUSTERDOWN ") ||
			       begins(r->text, unknown ? "ERR unknown command 'NOSUCH'"
						       : "ERR wrong number of arguments")))
		COUNT(c->world, ANSWER_REFUSED);
	else
		wrong(c, a, r);
}

/* ---- the table ------------------------------------------------------------------------------- */

static const struct work works[] = {
	{"SET of a register", 20, COUNT_WORK_SET, ask_set_register, hear_set},
	{"GET of a register", 20, COUNT_WORK_GET, ask_get_register, hear_get},
	{"INCR of a register", 3, COUNT_WORK_INCR, ask_incr_register, hear_incr},
	{"INCR of a counter", 12, COUNT_WORK_COUNT, ask_incr_counter, hear_incr},
	{"GET of a counter", 5, COUNT_WORK_READ_COUNT, ask_get_counter, hear_get},
	{"SET of its own", 12, COUNT_WORK_OWN_SET, ask_own_set, hear_own_set},
	{"GET of its own", 14, COUNT_WORK_OWN_GET, ask_own_get, hear_own_get},
	{"INCR of its own", 8, COUNT_WORK_OWN_INCR, ask_own_incr, hear_own_incr},
	{"count of its own", 8, COUNT_WORK_OWN_COUNT, ask_own_count, hear_own_count},
	{"DEL of its own", 2, COUNT_WORK_OWN_DEL, ask_own_del, hear_own_del},
	{"EXPIRE of its own", 2, COUNT_WORK_OWN_EXPIRE, ask_own_expire, hear_own_expire},
	{"HISTORY COMPACT", 1, COUNT_WORK_COMPACT, ask_compact, hear_compact},
	{"PING", 2, COUNT_WORK_LOCAL, ask_ping, hear_ping},
	{"ECHO", 2, COUNT_WORK_LOCAL, ask_echo, hear_echo},
	{"nonsense", 1, COUNT_WORK_NONSENSE, ask_nonsense, hear_nonsense},
};

const struct work *work_draw(struct world *w)
{
	uint64_t total = 0, at;

	for (size_t i = 0; i < ARRAY_LEN(works); i++)
		total += works[i].weight;
	at = random_below(&w->random, total);
	for (size_t i = 0;; i++) {
		if (at < works[i].weight)
			return &works[i];
		at -= works[i].weight;
	}
}
