/*
 * Walks over a database, a few keys a page, with writers beside them. A walk goes on where it
 * stopped, on whatever member its client is connected to by then, and must come to every key that
 * was there all the time.
 */

#include "base/check.h"
#include "resp/integer.h"
#include "sim/callers.h"

#include <inttypes.h>
#include <string.h>

#define DATABASES_WALKED 3

static bool key_was_seen(const struct walk *k, struct slice key)
{
	for (size_t at = 0; at < k->names.len;) {
		size_t len = k->names.data[at];

		if (slice_equal(slice_of(k->names.data + at + 1, len), key))
			return true;
		at += 1 + len;
	}
	return false;
}

/* From before the first page on up to now, at every revision. */
static bool key_was_there(const struct model *m, const struct model_cell *c, uint64_t since)
{
	const struct model_version *v = cell_at(c, since), *end = c->versions + c->count;

	for (; v < end; v++)
		if (!v->value)
			return false;
	return since <= m->revision;
}

static void walk_ends(struct caller *c)
{
	const struct model *m = c->world->model;
	struct walk *k = &c->walk;

	COUNT(c->world, CHECK_SCAN);
	for (size_t i = 0; i < m->cell_count; i++) {
		const struct model_cell *cell = m->all[i];

		if (cell->database == k->database && key_was_there(m, cell, k->floor) &&
		    !key_was_seen(k, buf_slice(&cell->key)))
			world_fail(c->world,
				   "client %u walks over db %u since revision %" PRIu64
				   " and does not come to %.*s",
				   c->number, k->database, k->floor, (int)cell->key.len,
				   (const char *)cell->key.data);
	}
	k->on = false;
}

/* A page: the cursor, then its keys. */
static void walk_hears(struct caller *c, const struct asked *a, enum heard heard,
		       struct slice plain)
{
	struct walk *k = &c->walk;
	struct slice line;
	int64_t cursor;

	(void)a;
	k->waits = false;
	if (heard != HEARD_DONE)
		return;
	line = plain_take_line(&plain);
	if (!slice_equal(line, SLICE_LITERAL("*2"))) {
		world_fail(c->world, "client %u hears no page of a walk: %.*s", c->number,
			   (int)MIN(line.len, 100u), (const char *)line.data);
		return;
	}
	if (!resp_integer_parse(plain_text(plain_take_line(&plain)), &cursor)) {
		world_fail(c->world, "client %u gets no cursor", c->number);
		return;
	}
	for ((void)plain_take_line(&plain); plain.len;) {
		line = plain_text(plain_take_line(&plain));
		CHECK(line.len < 256);
		buf_append_byte(&k->names, (uint8_t)line.len);
		buf_append_slice(&k->names, line);
	}
	k->cursor = (uint64_t)cursor;
	if (!cursor)
		walk_ends(c);
}

/* Not on a connection that may see an older state than others do. */
void work_scan(struct caller *c)
{
	struct world *w = c->world;
	struct walk *k = &c->walk;
	struct asked *a;

	if (c->readonly || c->multi || k->waits)
		return;
	if (!k->on) {
		buf_clear(&k->names);
		k->on = true;
		k->cursor = 0;
		k->floor = w->callers->floor;
		k->database = (unsigned)random_below(&w->random, DATABASES_WALKED);
	}
	work_use(c, k->database);
	a = ask(c, "SCAN %" PRIu64 " COUNT %u", k->cursor,
		(unsigned)random_between(&w->random, 1, 8));
	a->unmodelled = true;
	a->then = walk_hears;
	k->waits = true;
}
