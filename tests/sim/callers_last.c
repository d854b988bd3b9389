/*
 * When all is over: what the store's history says of every write, against what its client was told.
 */

#include "base/check.h"
#include "sim/callers.h"

#include "base/error.h"
#include "node/member_state.h"

#include <inttypes.h>
#include <stdio.h>

/* How often a shared key was incremented, as the store has it and as clients were told. */
struct increments {
	uint64_t applied;
	uint64_t done;
	uint64_t open;
};

struct last_look {
	struct host *host;
	struct increments registers[KV_KEYS];
	struct increments counters[COUNTERS];
};

static struct increments *increments_of(struct last_look *l, uint64_t key)
{
	if (key >= COUNTER_KEY && key - COUNTER_KEY < COUNTERS)
		return &l->counters[key - COUNTER_KEY];
	CHECK(key < KV_KEYS);
	return &l->registers[key];
}

static void count_set(struct world *w, uint64_t value)
{
	uint64_t n = value / VALUE_STEP;

	if (n > w->next_value) {
		world_fail(w, "the store holds %" PRIu64 ", which nobody wrote", value);
		return;
	}
	w->callers->written[n].seen++;
	if (w->callers->written[n].seen > 1)
		world_fail(w, "the SET of %" PRIu64 " was applied twice", value);
	if (w->callers->written[n].state == WRITTEN_REFUSED)
		world_fail(w, "the SET of %" PRIu64 " was refused, and applied", value);
}

static void count_change(struct last_look *l, const struct change *change)
{
	uint64_t value = number_in_front(change->value), key;
	char kind;

	if (change->kind != CHANGE_SET || change->key.len < 2)
		return;
	kind = (char)change->key.data[0];
	key = number_in_front(slice_of(change->key.data + 1, change->key.len - 1));
	if (kind == 'c')
		increments_of(l, COUNTER_KEY + key)->applied++;
	else if (kind == 'r' && value % VALUE_STEP)
		increments_of(l, key)->applied++;
	else if (kind == 'r' || kind == 'p')
		count_set(l->host->world, value);
}

void works_keep_changes(struct world *w, struct host *h)
{
	const struct position *p = store_position(h->member->store);
	struct callers *cs = w->callers;
	size_t before = cs->changes.len;
	uint8_t from[HISTORY_KEY_BYTES], to[HISTORY_KEY_BYTES];
	struct reader r = {0};
	struct slice key, row;
	struct scan s;
	struct view *v;
	int rc;

	if (p->revision <= cs->changes_upto)
		return;
	cs->changes_forgotten |= p->horizon > cs->changes_upto;
	v = view_open(h->member->store);
	history_key_put(from, (struct revision){cs->changes_upto + 1, 0});
	history_key_put(to, (struct revision){p->revision + 1, 0});
	view_reader(v, &r);
	rc = scan_open(&s, &r, FAMILY_HISTORY, slice_of(from, sizeof(from)),
		       slice_of(to, sizeof(to)), false);
	while (rc == OK && scan_next(&s, &key, &row))
		buf_append_string(&cs->changes, row);
	if (rc == OK)
		rc = scan_close(&s);
	reader_close(&r);
	view_close(v);
	if (rc == OK)
		cs->changes_upto = p->revision;
	else
		cs->changes.len = before;
	if (rc != OK && !h->excuse)
		world_fail(w, "%s cannot read its history: %s", h->name, error_text(rc));
}

static void watch_changes(struct last_look *l)
{
	struct world *w = l->host->world;
	struct cursor in = cursor_of(buf_slice(&w->callers->changes));

	while (cursor_left(&in)) {
		struct change change;

		if (change_decode(cursor_string(&in), &change) == OK)
			count_change(l, &change);
		else
			world_fail(w, "a change was made that cannot be read");
	}
}

/*
 * Each value stands in the store's history as its client was told. Where the client was told
 * nothing, the clients' history learns what became of it, which spares the search much.
 */
static void watch_values(struct world *w)
{
	COUNT(w, CHECK_VALUES);
	for (uint64_t n = 1; n <= w->next_value; n++) {
		const struct written *value = &w->callers->written[n];

		if (value->state == WRITTEN_DONE && !value->seen)
			world_fail(w, "the SET of %" PRIu64 " was acknowledged, and is lost",
				   n * VALUE_STEP);
		if (value->state != WRITTEN_OPEN || !value->shared)
			continue;
		if (value->seen)
			history_return_applied(&w->history, value->applied_at, value->op);
		else
			history_return_refused(&w->history, w->tick++, value->op);
	}
}

/* The same with increments, which can only be counted. */
static void watch_increments(struct last_look *l)
{
	struct world *w = l->host->world;
	const struct history *h = &w->history;

	for (size_t i = 0; i < h->len; i++) {
		if (h->ops[i].kind != HISTORY_INCR)
			continue;
		increments_of(l, h->ops[i].key)->done += h->ops[i].outcome == HISTORY_DONE;
		increments_of(l, h->ops[i].key)->open += h->ops[i].outcome == HISTORY_OPEN;
	}
	for (size_t i = 0; i < h->len; i++) {
		const struct history_op *op = &h->ops[i];
		const struct increments *n;

		if (op->kind != HISTORY_INCR)
			continue;
		n = increments_of(l, op->key);
		if (n->applied < n->done || n->applied > n->done + n->open)
			world_fail(w,
				   "key %" PRIu64 " was incremented %" PRIu64 " times; %" PRIu64
				   " were acknowledged, %" PRIu64 " are uncertain",
				   op->key, n->applied, n->done, n->open);
		if (op->outcome == HISTORY_OPEN && n->applied == n->done)
			history_return_refused(&w->history, w->tick++, i);
	}
}

static void read_last(struct host *h, struct txn *t, char kind, uint64_t number, uint64_t key)
{
	struct world *w = h->world;
	struct record r;
	struct slice text;
	uint64_t value = HISTORY_NONE;
	char name[32];
	size_t op = history_call(&w->history, w->tick++, w->profile.clients, key, HISTORY_READ, 0);
	int rc;

	snprintf(name, sizeof(name), "%c%" PRIu64, kind, number);
	rc = txn_record(t, 0, slice_of_text(name), &r);
	if (rc == OK) {
		rc = txn_value(t, &r, &text);
		if (rc == OK)
			value = value_read(w, text, kind, number);
	}
	if (rc != OK && rc != ERR_NOT_FOUND)
		world_fail(w, "%s cannot read %s: %s", h->name, name, error_text(rc));
	else
		history_return(&w->history, w->tick++, op, value);
}

void works_look(struct world *w)
{
	struct host *h = world_leader(w);
	struct last_look l = {.host = h};
	struct view *v = view_open(h->member->store);
	struct txn t = {0};

	works_keep_changes(w, h);
	watch_changes(&l);
	if (!w->callers->changes_forgotten) {
		watch_values(w);
		watch_increments(&l);
	}
	txn_init_view(&t, v, NULL);
	txn_begin(&t, 0, 0);
	for (uint64_t i = 0; i < w->profile.keys; i++)
		read_last(h, &t, 'r', i, i);
	for (uint64_t i = 0; i < COUNTERS; i++)
		read_last(h, &t, 'c', i, COUNTER_KEY + i);
	txn_close(&t);
	view_close(v);
}
