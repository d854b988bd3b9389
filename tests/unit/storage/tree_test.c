#include "storage/tree.h"

#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- the model: a sorted array of rows that do not change ---- */

struct model_row {
	struct slice key;
	struct slice value;
	bool deleted;
};

struct model {
	const struct model_row **rows;
	size_t count;
	size_t cap;
};

/* A tree, its model, and what was handed out of them before. */
struct world {
	struct arena arena;
	struct arena models; /* rows of the model, and everything else that is freed at the end */
	struct tree tree;
	struct model now;
	struct held {
		struct tree_snapshot snapshot;
		struct model model;
	} held[40];
	size_t held_count;
	struct random random;
};

static void world_open(struct world *w, uint64_t seed)
{
	*w = (struct world){0};
	random_seed(&w->random, seed);
	tree_init(&w->tree, &w->arena);
}

static void world_close(struct world *w)
{
	for (size_t i = 0; i < w->held_count; i++)
		free(w->held[i].model.rows);
	free(w->now.rows);
	arena_free(&w->arena);
	arena_free(&w->models);
}

/* The first row of the model whose key is not before `key`. */
static size_t model_place(const struct model *m, struct slice key)
{
	size_t low = 0, high = m->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (slice_compare(m->rows[middle]->key, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void model_put(struct model *m, const struct model_row *row)
{
	size_t at = model_place(m, row->key);

	if (at < m->count && slice_equal(m->rows[at]->key, row->key)) {
		m->rows[at] = row;
		return;
	}
	if (m->count == m->cap) {
		m->cap = m->cap ? 2 * m->cap : 64;
		m->rows = realloc(m->rows, m->cap * sizeof(m->rows[0]));
	}
	memmove(m->rows + at + 1, m->rows + at, (m->count - at) * sizeof(m->rows[0]));
	m->rows[at] = row;
	m->count++;
}

static void put(struct world *w, struct slice key, struct slice value, bool deleted)
{
	struct model_row *row = arena_alloc(&w->models, sizeof(*row));

	*row = (struct model_row){.key = arena_copy(&w->models, key),
				  .value = arena_copy(&w->models, value),
				  .deleted = deleted};
	model_put(&w->now, row);
	tree_put(&w->tree, key, value, deleted);
}

static void hold_snapshot(struct world *w)
{
	size_t at = w->held_count;
	struct held *h;

	if (at < sizeof(w->held) / sizeof(w->held[0])) {
		w->held_count++;
	} else {
		at = random_below(&w->random, at);
		free(w->held[at].model.rows);
	}
	h = &w->held[at];
	h->snapshot = tree_snapshot(&w->tree);
	h->model = (struct model){.count = w->now.count};
	h->model.rows = calloc(w->now.count + 1, sizeof(h->model.rows[0]));
	if (w->now.count > 0)
		memcpy(h->model.rows, w->now.rows, w->now.count * sizeof(w->now.rows[0]));
}

/* ---- comparing ---- */

static void assert_row(const struct tree_row *row, const struct model_row *expected)
{
	assert_non_null(row);
	assert_true(slice_equal(tree_row_key(row), expected->key));
	assert_true(slice_equal(tree_row_value(row), expected->value));
	assert_int_equal(row->deleted, expected->deleted);
}

/* The cursor stands at row `at` of the model; behind the last one: nowhere. */
static void assert_stands(const struct tree_cursor *c, const struct model *m, size_t at)
{
	if (at < m->count)
		assert_row(c->row, m->rows[at]);
	else
		assert_null(c->row);
}

static void verify_walks(const struct tree_snapshot *s, const struct model *m)
{
	struct tree_cursor c;
	size_t at = 0;

	for (tree_seek(&c, *s, (struct slice){0}); c.row; tree_next(&c))
		assert_stands(&c, m, at++);
	assert_int_equal(at, m->count);
	for (tree_seek_last(&c, *s); c.row; tree_prev(&c))
		assert_stands(&c, m, --at);
	assert_int_equal(at, 0);
}

/* Everything a reader can ask about one key, and a few steps to both sides of it. */
static void verify_key(const struct tree_snapshot *s, const struct model *m, struct slice key)
{
	size_t at = model_place(m, key);
	bool present = at < m->count && slice_equal(m->rows[at]->key, key);
	const struct tree_row *row = tree_snapshot_find(s, key);
	struct tree_cursor c;

	if (present)
		assert_row(row, m->rows[at]);
	else
		assert_null(row);
	tree_seek(&c, *s, key);
	assert_stands(&c, m, at);
	for (size_t i = 1; c.row && i <= 3; i++) {
		tree_next(&c);
		assert_stands(&c, m, at + i);
	}
	tree_seek(&c, *s, key);
	if (c.row) {
		tree_prev(&c);
		assert_stands(&c, m, at > 0 ? at - 1 : m->count);
	}
	tree_seek_before(&c, *s, key);
	assert_stands(&c, m, at > 0 ? at - 1 : m->count);
	if (c.row) {
		tree_next(&c);
		assert_stands(&c, m, at);
	}
}

/* Keys of the model, and neighbours of them that are likely not there. */
static void verify_keys(struct world *w, const struct tree_snapshot *s, const struct model *m,
			size_t count)
{
	uint8_t bytes[600];

	verify_key(s, m, (struct slice){0});
	for (size_t i = 0; i < count && w->now.count > 0; i++) {
		struct slice key = w->now.rows[random_below(&w->random, w->now.count)]->key;
		size_t len = key.len;

		verify_key(s, m, key);
		memcpy(bytes, key.data, len);
		bytes[len] = (uint8_t)(random_below(&w->random, 2) * 255);
		verify_key(s, m, slice_of(bytes, len + 1));
		if (len == 0)
			continue;
		verify_key(s, m, slice_of(bytes, random_below(&w->random, len)));
		bytes[random_below(&w->random, len)] += (uint8_t)random_between(&w->random, 1, 255);
		verify_key(s, m, slice_of(bytes, len));
		bytes[random_below(&w->random, len)] = (uint8_t)random_next(&w->random);
		verify_key(s, m, slice_of(bytes, len));
	}
}

static void verify_now(struct world *w)
{
	/* A snapshot as of the present without taking one: that would change what comes later. */
	struct tree_snapshot now = {.root = w->tree.root, .height = w->tree.height};

	assert_null(tree_broken(&w->tree));
	assert_int_equal(w->tree.rows, w->now.count);
	verify_walks(&now, &w->now);
	verify_keys(w, &now, &w->now, 20);
	for (size_t i = 0; i < w->now.count; i += 1 + w->now.count / 50)
		assert_row(tree_find(&w->tree, w->now.rows[i]->key), w->now.rows[i]);
}

static void verify_held(struct world *w)
{
	for (size_t i = 0; i < w->held_count; i++) {
		verify_walks(&w->held[i].snapshot, &w->held[i].model);
		verify_keys(w, &w->held[i].snapshot, &w->held[i].model, 4);
	}
}

/* ---- keys of many kinds ---- */

/* Writes a key of at most 500 bytes to `out`, the `i`-th that is made, and returns its length. */
typedef size_t make_key(struct random *r, size_t i, uint8_t *out);

static void put_be(uint8_t *out, uint64_t number, size_t len)
{
	for (; len > 0; number >>= 8)
		out[--len] = (uint8_t)number;
}

static size_t key_text(struct random *r, size_t i, uint8_t *out)
{
	(void)i;
	return (size_t)snprintf((char *)out, 500, "key:%012u", (unsigned)random_below(r, 5000));
}

static size_t key_ascending(struct random *r, size_t i, uint8_t *out)
{
	(void)r;
	put_be(out, i, 12);
	return 12;
}

static size_t key_descending(struct random *r, size_t i, uint8_t *out)
{
	(void)r;
	put_be(out, 1000000 - i, 12);
	return 12;
}

/* Hardly longer than a head, and full of what a head is filled up with. */
static size_t key_tiny(struct random *r, size_t i, uint8_t *out)
{
	static const uint8_t bytes[] = {0, 1, 0xff};
	size_t len = random_below(r, 8);

	(void)i;
	for (size_t k = 0; k < len; k++)
		out[k] = bytes[random_below(r, sizeof(bytes))];
	return len;
}

static size_t key_binary(struct random *r, size_t i, uint8_t *out)
{
	size_t len = random_below(r, 20);

	(void)i;
	for (size_t k = 0; k < len; k++)
		out[k] = (uint8_t)random_next(r);
	return len;
}

/* Shared beginnings of every length around that of a node's tail, and keys that begin others. */
static size_t key_long(struct random *r, size_t i, uint8_t *out)
{
	size_t len = random_below(r, 10) * 13 + random_below(r, 3);
	size_t end = random_below(r, 8);

	(void)i;
	memset(out, 'p', len);
	for (size_t k = 0; k < end; k++)
		out[len + k] = (uint8_t)('o' + random_below(r, 3));
	return len + end;
}

/* Some sequences beside each other, each of them ascending. */
static size_t key_grouped(struct random *r, size_t i, uint8_t *out)
{
	int len = snprintf((char *)out, 500, "user:%u:", (unsigned)random_below(r, 7));

	put_be(out + len, i, 8);
	return (size_t)len + 8;
}

static make_key *const kinds[] = {key_text,   key_ascending, key_descending, key_tiny,
				  key_binary, key_long,	     key_grouped};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static size_t value_length(struct random *r)
{
	switch (random_below(r, 300)) {
	case 0:
		return 65536;
	case 1:
		return random_below(r, 65536);
	default:
		return random_below(r, 4) * random_below(r, 30); /* often none */
	}
}

static void put_random(struct world *w, make_key *kind, size_t i)
{
	uint8_t key[600];
	uint8_t *value = malloc(65536);
	size_t key_len = kind(&w->random, i, key);
	size_t value_len = value_length(&w->random);
	struct slice made = slice_of(key, key_len);

	/* A row that is there, so that ascending and binary keys are overwritten, too. */
	if (w->now.count > 0 && random_below(&w->random, 4) == 0)
		made = w->now.rows[random_below(&w->random, w->now.count)]->key;
	memset(value, (int)random_below(&w->random, 256), value_len);
	put(w, made, slice_of(value, value_len), random_below(&w->random, 10) == 0);
	free(value);
}

static void run_kind(make_key *kind, uint64_t seed, uint32_t snapshots_per_million)
{
	struct world w;

	world_open(&w, seed);
	for (size_t i = 0; i < 3000; i++) {
		put_random(&w, kind, i);
		if (random_chance(&w.random, snapshots_per_million))
			hold_snapshot(&w);
		if (i < 200 || i % 100 == 0)
			assert_null(tree_broken(&w.tree));
		if (i % 500 == 0 || (i < 100 && i % 10 == 0))
			verify_now(&w);
		if (i % 1000 == 999)
			verify_held(&w);
	}
	verify_now(&w);
	verify_held(&w);
	world_close(&w);
}

/* ---- tests ---- */

static void without_snapshots_it_is_a_sorted_map(void **state)
{
	(void)state;
	for (size_t kind = 0; kind < KINDS; kind++)
		run_kind(kinds[kind], kind + 1, 0);
}

static void snapshots_stay_as_they_were_while_the_tree_changes(void **state)
{
	(void)state;
	for (size_t kind = 0; kind < KINDS; kind++) {
		run_kind(kinds[kind], kind + 101, 10000);
		run_kind(kinds[kind], kind + 201, 100000);
	}
}

static void a_snapshot_after_every_change_stays_as_it_was(void **state)
{
	(void)state;
	run_kind(key_tiny, 301, 1000000);
	run_kind(key_text, 302, 1000000);
}

static void an_empty_tree_has_nothing_and_its_snapshot_stays_empty(void **state)
{
	struct world w;
	struct tree_snapshot empty;

	(void)state;
	world_open(&w, 1);
	assert_null(tree_broken(&w.tree));
	assert_null(tree_find(&w.tree, (struct slice){0}));
	empty = tree_snapshot(&w.tree);
	put(&w, (struct slice){0}, (struct slice){0}, false);
	put(&w, SLICE_LITERAL("a"), SLICE_LITERAL("b"), false);
	verify_walks(&empty, &(struct model){0});
	verify_key(&empty, &(struct model){0}, (struct slice){0});
	verify_key(&empty, &(struct model){0}, SLICE_LITERAL("a"));
	verify_now(&w);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_snapshots_it_is_a_sorted_map),
		cmocka_unit_test(snapshots_stay_as_they_were_while_the_tree_changes),
		cmocka_unit_test(a_snapshot_after_every_change_stays_as_it_was),
		cmocka_unit_test(an_empty_tree_has_nothing_and_its_snapshot_stays_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
