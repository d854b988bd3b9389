#include "history_oracle.h"

#include "base/check.h"
#include "base/codec.h"
#include "base/error.h"
#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>

void history_oracle_free(struct history_oracle *o)
{
	for (size_t i = 0; i < o->count; i++)
		buf_free(&o->changes[i].bytes);
	mem_free(o->changes);
	*o = (struct history_oracle){0};
}

static void oracle_add(struct history_oracle *o, struct slice key, struct slice row)
{
	struct oracle_change *c;

	MEM_GROW(o->changes, o->cap, o->count + 1);
	c = &o->changes[o->count++];
	*c = (struct oracle_change){0};
	buf_append_slice(&c->bytes, row);
	CHECK(history_key_decode(key, &c->at) == OK);
	CHECK(change_decode(buf_slice(&c->bytes), &c->change) == OK);
	o->seen = (struct revision){c->at.main, c->at.sub + 1};
}

void history_oracle_take(struct history_oracle *o, struct store_tester *s)
{
	uint8_t from[HISTORY_KEY_BYTES], to[HISTORY_KEY_BYTES];
	struct view *v = view_open(s->store);
	struct reader r = {0};
	struct slice key, row;
	struct scan scan;

	history_key_put(from, o->seen);
	history_key_put(to, (struct revision){store_position(s->store)->revision + 1, 0});
	view_reader(v, &r);
	CHECK(scan_open(&scan, &r, FAMILY_HISTORY, slice_of(from, sizeof(from)),
			slice_of(to, sizeof(to)), false) == OK);
	while (scan_next(&scan, &key, &row))
		oracle_add(o, key, row);
	CHECK(scan_close(&scan) == OK);
	reader_close(&r);
	view_close(v);
}

/* ---- what is needed -------------------------------------------------------------------------- */

/* The main revision at which a keyspace ended; UINT64_MAX: it has not. */
static uint64_t keyspace_end(const struct history_oracle *o, const struct position *p, uint32_t id)
{
	uint64_t end = 0;

	if (position_keyspace(p, id))
		return UINT64_MAX;
	for (size_t i = 0; i < o->count; i++) {
		const struct change *c = &o->changes[i].change;

		if (c->kind == CHANGE_KEYSPACE && c->other_keyspace == id)
			end = o->changes[i].at.main;
	}
	return end;
}

static bool same_record(const struct change *a, const struct change *b)
{
	if ((a->kind == CHANGE_KEYSPACE) != (b->kind == CHANGE_KEYSPACE))
		return false;
	if (a->kind == CHANGE_KEYSPACE)
		return slice_equal(a->value, b->value);
	return a->keyspace == b->keyspace && slice_equal(a->key, b->key);
}

static bool is_dead(const struct history_oracle *o, const struct position *p, size_t i)
{
	const struct oracle_change *x = &o->changes[i];
	uint64_t behind = 0;

	if (x->at.main > p->horizon)
		return false;
	if (change_ends_record(&x->change))
		return true;
	if (x->change.kind != CHANGE_KEYSPACE &&
	    keyspace_end(o, p, x->change.keyspace) <= p->horizon)
		return true;
	for (size_t j = i + 1; j < o->count && o->changes[j].at.main <= p->horizon; j++) {
		if (!same_record(&x->change, &o->changes[j].change))
			continue;
		if (++behind >= o->changes[j].change.keep)
			return true;
	}
	return false;
}

static struct oracle_change *oracle_find(const struct history_oracle *o, struct revision at)
{
	for (size_t i = 0; i < o->count; i++)
		if (revision_equal(o->changes[i].at, at))
			return &o->changes[i];
	return NULL;
}

static void oracle_mark(struct history_oracle *o, const struct position *p)
{
	for (size_t i = 0; i < o->count; i++)
		o->changes[i].needed = false;
	for (size_t i = 0; i < o->count; i++) {
		const struct change *c = &o->changes[i].change;

		if (is_dead(o, p, i))
			continue;
		o->changes[i].needed = true;
		if (c->value_at.main)
			oracle_find(o, c->value_at)->needed = true;
	}
}

/* ---- what is there --------------------------------------------------------------------------- */

static const char *broken_at(const char *what, struct revision at)
{
	static char text[100];

	snprintf(text, sizeof(text), "%s: %" PRIu64 "-%" PRIu32, what, at.main, at.sub);
	return text;
}

static const char *history_broken(const struct history_oracle *o, struct engine_view *v)
{
	struct engine_cursor *c = engine_cursor_open(v, FAMILY_HISTORY, (struct slice){0});
	const char *broken = NULL;

	engine_cursor_seek(c, (struct slice){0});
	for (size_t i = 0; i < o->count && !broken; i++) {
		struct revision at = {UINT64_MAX, 0};

		if (engine_cursor_valid(c))
			CHECK(history_key_decode(engine_cursor_key(c), &at) == OK);
		if (revision_equal(at, o->changes[i].at)) {
			if (!o->changes[i].needed)
				broken = broken_at("a dead change is there", at);
			engine_cursor_next(c);
		} else if (o->changes[i].needed) {
			broken = broken_at("a change is not there", o->changes[i].at);
		}
	}
	if (!broken && engine_cursor_valid(c))
		broken = "a change is there that nobody made";
	engine_cursor_close(c);
	return broken;
}

static const char *row_broken(const struct history_oracle *o, const struct position *p,
			      struct slice key, struct slice value)
{
	struct revision none = {0};
	struct record r;
	struct slice name;
	uint32_t keyspace;
	enum garbage_kind kind;
	uint64_t ended, id;

	if (garbage_key_decode(key, &ended, &kind, &id) == OK && ended <= p->horizon)
		return "garbage is there";
	if (record_key_decode(key, &keyspace, &name) != OK)
		return NULL;
	CHECK(record_decode(value, &r) == OK);
	if (keyspace_end(o, p, keyspace) <= p->horizon)
		return broken_at("a record of a dead keyspace is there", r.mod);
	if (r.type == RECORD_NONE && r.mod.main <= p->horizon)
		return broken_at("a dead tombstone is there", r.mod);
	return r.type != RECORD_NONE && revision_equal(r.mod, none) ? "a record without change"
								    : NULL;
}

static const char *state_broken(const struct history_oracle *o, const struct position *p,
				struct engine_view *v)
{
	struct engine_cursor *c = engine_cursor_open(v, FAMILY_STATE, (struct slice){0});
	const char *broken = NULL;

	engine_cursor_seek(c, (struct slice){0});
	for (; engine_cursor_valid(c) && !broken; engine_cursor_next(c))
		broken = row_broken(o, p, engine_cursor_key(c), engine_cursor_value(c));
	engine_cursor_close(c);
	return broken;
}

const char *history_oracle_broken(struct history_oracle *o, struct store_tester *s)
{
	const struct position *p = store_position(s->store);
	struct engine_view *v = engine_view_open(s->engine);
	const char *broken;

	oracle_mark(o, p);
	broken = history_broken(o, v);
	if (!broken)
		broken = state_broken(o, p, v);
	engine_view_close(v);
	return broken;
}
