/* The commands that clients use, as the model understands them. */

#include "base/check.h"
#include "resp/integer.h"
#include "sim/model.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define WRONG_TYPE  "WRONGTYPE Operation against a key holding the wrong kind of value"
#define NOT_INTEGER "ERR value is not an integer or out of range"

/* ---- what commands have in common ------------------------------------------------------------ */

static bool word_is(struct slice s, const char *word)
{
	return strlen(word) == s.len && strncasecmp((const char *)s.data, word, s.len) == 0;
}

static struct model_cell *cell_of(struct model_call *c, size_t at)
{
	return model_cell(c->m, c->database, c->argv[at]);
}

/* What it holds; the call notes how long that is so. */
static const struct model_version *look_at(struct model_call *c, const struct model_cell *cell)
{
	const struct model_version *v = cell_at(cell, c->at);

	if (v + 1 < cell->versions + cell->count)
		c->until = MIN(c->until, v[1].at);
	return v;
}

static const struct model_version *look(struct model_call *c, size_t at)
{
	return look_at(c, cell_of(c, at));
}

static int64_t number_at(const struct model_call *c, size_t at)
{
	int64_t n = 0;

	CHECK(resp_integer_parse(c->argv[at], &n));
	return n;
}

static void put(struct model_call *c, size_t at, struct model_value *value, uint64_t deadline_ms)
{
	cell_put(c->m, cell_of(c, at), value, deadline_ms);
}

static void reply_part(struct model_call *c, const struct model_value *v, size_t from, size_t len)
{
	struct buf part = {0};

	text_part(v, from, len, &part);
	plain_bulk(c->reply, buf_slice(&part));
	buf_free(&part);
}

static void reply_text(struct model_call *c, const struct model_version *v)
{
	if (!v->value)
		plain_null(c->reply);
	else if (v->value->is_hash)
		plain_error(c->reply, WRONG_TYPE);
	else
		reply_part(c, v->value, 0, text_len(v->value));
}

static bool is_hash(const struct model_version *v)
{
	return v->value && v->value->is_hash;
}

static bool is_text(const struct model_version *v)
{
	return v->value && !v->value->is_hash;
}

/* ---- strings --------------------------------------------------------------------------------- */

static void run_get(struct model_call *c)
{
	reply_text(c, look(c, 1));
}

static void run_mget(struct model_call *c)
{
	plain_array(c->reply, c->argc - 1);
	for (size_t i = 1; i < c->argc; i++) {
		const struct model_version *v = look(c, i);

		if (is_text(v))
			reply_text(c, v);
		else
			plain_null(c->reply);
	}
}

/* SET key value [PX ms] [NX | XX] [KEEPTTL] */
static void run_set(struct model_call *c)
{
	const struct model_version *v = look(c, 1);
	uint64_t deadline_ms = 0;
	bool holds = true;

	for (size_t i = 3; i < c->argc; i++) {
		if (word_is(c->argv[i], "PX"))
			deadline_ms = c->m->now_ms + (uint64_t)number_at(c, ++i);
		else if (word_is(c->argv[i], "NX"))
			holds = !v->value;
		else if (word_is(c->argv[i], "XX"))
			holds = v->value != NULL;
		else if (word_is(c->argv[i], "KEEPTTL"))
			deadline_ms = v->deadline_ms;
	}
	if (!holds) {
		plain_null(c->reply);
		return;
	}
	put(c, 1, value_text(c->argv[2]), deadline_ms);
	plain_simple(c->reply, "OK");
}

static void add(struct model_call *c, int64_t amount)
{
	const struct model_version *v = look(c, 1);
	char text[24];
	int64_t n = 0;

	if (is_hash(v)) {
		plain_error(c->reply, WRONG_TYPE);
		return;
	}
	if (v->value && !resp_integer_parse(buf_slice(&v->value->text), &n)) {
		plain_error(c->reply, NOT_INTEGER);
		return;
	}
	n += amount;
	snprintf(text, sizeof(text), "%" PRId64, n);
	put(c, 1, value_text(slice_of_text(text)), v->deadline_ms);
	plain_number(c->reply, n);
}

static void run_incr(struct model_call *c)
{
	add(c, 1);
}

static void run_incrby(struct model_call *c)
{
	add(c, number_at(c, 2));
}

static void run_append(struct model_call *c)
{
	const struct model_version *v = look(c, 1);
	struct model_value *now;

	if (is_hash(v)) {
		plain_error(c->reply, WRONG_TYPE);
		return;
	}
	now = text_written(v->value, v->value ? text_len(v->value) : 0, c->argv[2]);
	plain_number(c->reply, (int64_t)text_len(now));
	put(c, 1, now, v->deadline_ms);
}

static void run_setrange(struct model_call *c)
{
	const struct model_version *v = look(c, 1);
	struct model_value *now;

	if (is_hash(v)) {
		plain_error(c->reply, WRONG_TYPE);
		return;
	}
	now = text_written(v->value, (size_t)number_at(c, 2), c->argv[3]);
	plain_number(c->reply, (int64_t)text_len(now));
	put(c, 1, now, v->deadline_ms);
}

static uint8_t byte_at(const struct model_value *v, size_t at)
{
	struct buf part = {0};
	uint8_t byte = 0;

	if (v && at < text_len(v)) {
		text_part(v, at, 1, &part);
		byte = part.data[0];
	}
	buf_free(&part);
	return byte;
}

/* A bit that is what it should be is no change. */
static void run_setbit(struct model_call *c)
{
	const struct model_version *v = look(c, 1);
	size_t bit = (size_t)number_at(c, 2);
	uint8_t mask = (uint8_t)(0x80 >> (bit % 8)), byte;
	bool was, should = number_at(c, 3) != 0;

	if (is_hash(v)) {
		plain_error(c->reply, WRONG_TYPE);
		return;
	}
	byte = byte_at(v->value, bit / 8);
	was = byte & mask;
	plain_number(c->reply, was);
	if (v->value && bit / 8 < text_len(v->value) && was == should)
		return;
	byte = should ? byte | mask : byte & (uint8_t)~mask;
	put(c, 1, text_written(v->value, bit / 8, slice_of(&byte, 1)), v->deadline_ms);
}

static void run_getrange(struct model_call *c)
{
	const struct model_version *v = look(c, 1);
	size_t from = (size_t)number_at(c, 2), to = (size_t)number_at(c, 3) + 1, len = 0;

	if (is_hash(v)) {
		plain_error(c->reply, WRONG_TYPE);
		return;
	}
	if (v->value)
		len = text_len(v->value);
	from = MIN(from, len);
	to = MAX(MIN(to, len), from);
	if (len)
		reply_part(c, v->value, from, to - from);
	else
		plain_bulk(c->reply, (struct slice){0});
}

static void run_strlen(struct model_call *c)
{
	const struct model_version *v = look(c, 1);

	if (is_hash(v))
		plain_error(c->reply, WRONG_TYPE);
	else
		plain_number(c->reply, v->value ? (int64_t)text_len(v->value) : 0);
}

/* ---- keys ------------------------------------------------------------------------------------ */

static void run_del(struct model_call *c)
{
	int64_t gone = 0;

	for (size_t i = 1; i < c->argc; i++) {
		if (!look(c, i)->value)
			continue;
		put(c, i, NULL, 0);
		gone++;
	}
	plain_number(c->reply, gone);
}

static void run_exists(struct model_call *c)
{
	int64_t there = 0;

	for (size_t i = 1; i < c->argc; i++)
		there += look(c, i)->value != NULL;
	plain_number(c->reply, there);
}

/* The key at `at` goes to another cell, with what it holds. */
static void move(struct model_call *c, size_t at, struct model_cell *to)
{
	struct model_version v = *look(c, at);

	value_hold(v.value);
	put(c, at, NULL, 0);
	cell_put(c->m, to, v.value, v.deadline_ms);
}

static void run_rename(struct model_call *c)
{
	if (!look(c, 1)->value) {
		plain_error(c->reply, "ERR no such key");
		return;
	}
	if (!slice_equal(c->argv[1], c->argv[2]))
		move(c, 1, cell_of(c, 2));
	plain_simple(c->reply, "OK");
}

static void run_move(struct model_call *c)
{
	struct model_cell *to = model_cell(c->m, (unsigned)number_at(c, 2), c->argv[1]);
	bool moves = look(c, 1)->value && !look_at(c, to)->value;

	if (moves)
		move(c, 1, to);
	plain_number(c->reply, moves);
}

/* COPY source destination [DB n] [REPLACE] */
static void run_copy(struct model_call *c)
{
	struct model_cell *to = cell_of(c, 2);
	struct model_version v = *look(c, 1);
	bool replace = false;

	for (size_t i = 3; i < c->argc; i++) {
		if (word_is(c->argv[i], "REPLACE"))
			replace = true;
		else
			to = model_cell(c->m, (unsigned)number_at(c, ++i), c->argv[2]);
	}
	if (!v.value || (look_at(c, to)->value && !replace)) {
		plain_number(c->reply, 0);
		return;
	}
	if (look_at(c, to)->value)
		cell_put(c->m, to, NULL, 0);
	cell_put(c->m, to, value_hold(v.value), v.deadline_ms);
	plain_number(c->reply, 1);
}

/* ---- time ------------------------------------------------------------------------------------ */

/* Without a value where there is none; gone where the time has come. */
static void set_deadline(struct model_call *c, const struct model_version *v, uint64_t deadline_ms)
{
	put(c, 1, value_hold(v->value), deadline_ms);
}

static void run_pexpire(struct model_call *c)
{
	const struct model_version *v = look(c, 1);

	plain_number(c->reply, v->value != NULL);
	if (v->value)
		set_deadline(c, v, c->m->now_ms + (uint64_t)number_at(c, 2));
}

static void run_persist(struct model_call *c)
{
	const struct model_version *v = look(c, 1);
	bool had = v->value && v->deadline_ms;

	plain_number(c->reply, had);
	if (had)
		set_deadline(c, v, 0);
}

/* GETEX key [PX ms | PERSIST] */
static void run_getex(struct model_call *c)
{
	const struct model_version *v = look(c, 1);

	reply_text(c, v);
	if (!is_text(v) || c->argc < 3)
		return;
	if (word_is(c->argv[2], "PX"))
		set_deadline(c, v, c->m->now_ms + (uint64_t)number_at(c, 3));
	else if (v->deadline_ms)
		set_deadline(c, v, 0);
}

static void run_pttl(struct model_call *c)
{
	const struct model_version *v = look(c, 1);
	int64_t left = (int64_t)(v->deadline_ms - c->m->now_ms);

	if (!v->value)
		plain_number(c->reply, -2);
	else if (!v->deadline_ms)
		plain_number(c->reply, -1);
	else if (c->exact)
		plain_number(c->reply, MAX(left, 0));
	else
		plain_time_left(c->reply, v->deadline_ms);
}

static void run_pexpiretime(struct model_call *c)
{
	const struct model_version *v = look(c, 1);

	if (!v->value)
		plain_number(c->reply, -2);
	else
		plain_number(c->reply, v->deadline_ms ? (int64_t)v->deadline_ms : -1);
}

/* ---- hashes ---------------------------------------------------------------------------------- */

static bool refuse_text(struct model_call *c, const struct model_version *v)
{
	if (is_text(v))
		plain_error(c->reply, WRONG_TYPE);
	return is_text(v);
}

/* As it is from now on; without fields it is gone. */
static void put_hash(struct model_call *c, struct model_value *hash, uint64_t deadline_ms)
{
	if (hash->count) {
		put(c, 1, hash, deadline_ms);
		return;
	}
	value_release(hash);
	put(c, 1, NULL, 0);
}

static void run_hset(struct model_call *c)
{
	const struct model_version *v = look(c, 1);
	struct model_value *hash;
	int64_t added = 0;

	if (refuse_text(c, v))
		return;
	hash = value_hash(v->value);
	for (size_t i = 2; i + 1 < c->argc; i += 2)
		added += value_set_field(hash, c->argv[i], c->argv[i + 1]);
	put_hash(c, hash, v->deadline_ms);
	plain_number(c->reply, added);
}

static void run_hdel(struct model_call *c)
{
	const struct model_version *v = look(c, 1);
	struct model_value *hash;
	int64_t gone = 0;

	if (refuse_text(c, v))
		return;
	hash = value_hash(v->value);
	for (size_t i = 2; i < c->argc; i++)
		gone += value_remove_field(hash, c->argv[i]);
	if (gone)
		put_hash(c, hash, v->deadline_ms);
	else
		value_release(hash);
	plain_number(c->reply, gone);
}

static void run_hincrby(struct model_call *c)
{
	const struct model_version *v = look(c, 1);
	const struct model_field *f;
	struct model_value *hash;
	char text[24];
	int64_t n = 0;

	if (refuse_text(c, v))
		return;
	f = v->value ? value_field(v->value, c->argv[2]) : NULL;
	if (f && !resp_integer_parse(buf_slice(&f->text), &n)) {
		plain_error(c->reply, "ERR hash value is not an integer");
		return;
	}
	n += number_at(c, 3);
	snprintf(text, sizeof(text), "%" PRId64, n);
	hash = value_hash(v->value);
	value_set_field(hash, c->argv[2], slice_of_text(text));
	put_hash(c, hash, v->deadline_ms);
	plain_number(c->reply, n);
}

static void run_hget(struct model_call *c)
{
	const struct model_version *v = look(c, 1);
	const struct model_field *f;

	if (refuse_text(c, v))
		return;
	f = v->value ? value_field(v->value, c->argv[2]) : NULL;
	if (f)
		plain_bulk(c->reply, buf_slice(&f->text));
	else
		plain_null(c->reply);
}

static void run_hlen(struct model_call *c)
{
	const struct model_version *v = look(c, 1);

	if (!refuse_text(c, v))
		plain_number(c->reply, v->value ? (int64_t)v->value->count : 0);
}

static void run_hgetall(struct model_call *c)
{
	const struct model_version *v = look(c, 1);
	size_t count = v->value ? v->value->count : 0;

	if (refuse_text(c, v))
		return;
	plain_array(c->reply, 2 * count);
	for (size_t i = 0; i < count; i++) {
		plain_bulk(c->reply, buf_slice(&v->value->fields[i].name));
		plain_bulk(c->reply, buf_slice(&v->value->fields[i].text));
	}
}

/* ---- databases ------------------------------------------------------------------------------- */

static void run_dbsize(struct model_call *c)
{
	c->until = c->at == MODEL_NOW ? c->until : c->at + 1;
	plain_number(c->reply, (int64_t)model_key_count(c->m, c->database, c->at));
}

static void run_flushdb(struct model_call *c)
{
	model_flush(c->m, c->database);
	plain_simple(c->reply, "OK");
}

static void run_flushall(struct model_call *c)
{
	for (unsigned i = 0; i < DATABASE_COUNT; i++)
		model_flush(c->m, i);
	plain_simple(c->reply, "OK");
}

static void run_swapdb(struct model_call *c)
{
	model_swap(c->m, (unsigned)number_at(c, 1), (unsigned)number_at(c, 2));
	plain_simple(c->reply, "OK");
}

/* ---- the past -------------------------------------------------------------------------------- */

static void run_at(struct model_call *c)
{
	uint64_t revision = (uint64_t)number_at(c, 1);
	struct model_call inner = *c;
	struct buf text = {0};

	if (revision > c->at) {
		buf_printf(&text,
			   "-ERR revision %" PRIu64 " is not there yet, the newest is %" PRIu64
			   "\n",
			   revision, c->at);
		buf_append_slice(c->reply, buf_slice(&text));
		buf_free(&text);
		c->until = c->at + 1;
		return;
	}
	inner.argv += 2;
	inner.argc -= 2;
	inner.at = revision;
	CHECK(model_run(&inner));
}

static void history_of(struct model_call *c, const struct model_version *v, int64_t version)
{
	char text[32];

	plain_some(c->reply);
	plain_bulk(c->reply, SLICE_LITERAL("revision"));
	snprintf(text, sizeof(text), "%" PRIu64 "-0", v->at);
	plain_bulk(c->reply, slice_of_text(text));
	plain_bulk(c->reply, SLICE_LITERAL("time"));
	plain_number(c->reply, (int64_t)c->m->times[v->at]);
	plain_bulk(c->reply, SLICE_LITERAL("author"));
	plain_author(c->reply);
	plain_bulk(c->reply, SLICE_LITERAL("change"));
	plain_bulk(c->reply, v->value ? SLICE_LITERAL("set") : SLICE_LITERAL("delete"));
	plain_bulk(c->reply, SLICE_LITERAL("type"));
	plain_bulk(c->reply, SLICE_LITERAL("string"));
	if (!v->value)
		return;
	plain_bulk(c->reply, SLICE_LITERAL("version"));
	plain_number(c->reply, version);
	plain_bulk(c->reply, SLICE_LITERAL("value"));
	plain_bulk(c->reply, buf_slice(&v->value->text));
}

/* At or below the horizon a change is dead that another one followed, or that deletes. */
static bool is_dead(const struct model_version *v, const struct model_version *end,
		    uint64_t horizon)
{
	return (v + 1 < end && v[1].at <= horizon) || (!v->value && v->at <= horizon);
}

/* HISTORY GET of a string that is only set, counted up and deleted, never twice at once. */
static void run_history_get(struct model_call *c)
{
	const struct model_cell *cell = cell_of(c, 2);
	const struct model_version *end = look_at(c, cell) + 1, *v = cell->versions;
	size_t alive = 0;
	int64_t version = 0;

	c->asked_horizon = true;
	/* What another keyspace held is not this key's. */
	for (const struct model_version *i = v; i < end; i++)
		if (!i->mod)
			v = i + 1;
	for (const struct model_version *i = v; i < end; i++)
		alive += !is_dead(i, end, c->horizon);
	plain_array(c->reply, alive);
	for (; v < end; v++) {
		version = v->value ? version + 1 : 0;
		if (!is_dead(v, end, c->horizon))
			history_of(c, v, version);
	}
}

static void run_history_compact(struct model_call *c)
{
	uint64_t revision = (uint64_t)number_at(c, 2);

	if (revision > c->m->revision) {
		buf_printf(c->reply,
			   "-ERR revision %" PRIu64 " is not there yet, the newest is %" PRIu64
			   "\n",
			   revision, c->m->revision);
	} else if (revision < c->horizon) {
		buf_printf(c->reply,
			   "-COMPACTED revision %" PRIu64 " is below the horizon, %" PRIu64 "\n",
			   revision, c->horizon);
	} else {
		model_compact(c->m, revision);
		plain_simple(c->reply, "OK");
	}
}

static void run_history(struct model_call *c)
{
	if (word_is(c->argv[1], "COMPACT"))
		run_history_compact(c);
	else
		run_history_get(c);
}

/* ---- the table ------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	void (*run)(struct model_call *c);
} commands[] = {
	{"APPEND", run_append},	    {"AT", run_at},
	{"COPY", run_copy},	    {"DBSIZE", run_dbsize},
	{"DEL", run_del},	    {"EXISTS", run_exists},
	{"FLUSHALL", run_flushall}, {"FLUSHDB", run_flushdb},
	{"GET", run_get},	    {"GETRANGE", run_getrange},
	{"SETBIT", run_setbit},	    {"SETRANGE", run_setrange},
	{"STRLEN", run_strlen},	    {"GETEX", run_getex},
	{"HDEL", run_hdel},	    {"HGET", run_hget},
	{"HGETALL", run_hgetall},   {"HINCRBY", run_hincrby},
	{"HISTORY", run_history},   {"HLEN", run_hlen},
	{"HSET", run_hset},	    {"INCR", run_incr},
	{"INCRBY", run_incrby},	    {"MGET", run_mget},
	{"MOVE", run_move},	    {"PERSIST", run_persist},
	{"PEXPIRE", run_pexpire},   {"PEXPIRETIME", run_pexpiretime},
	{"PTTL", run_pttl},	    {"RENAME", run_rename},
	{"SET", run_set},	    {"SWAPDB", run_swapdb},
};

bool model_run(struct model_call *c)
{
	c->until = UINT64_MAX;
	c->asked_horizon = false;
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (!word_is(c->argv[0], commands[i].name))
			continue;
		commands[i].run(c);
		return true;
	}
	return false;
}
