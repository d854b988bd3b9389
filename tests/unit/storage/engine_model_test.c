/*
 * Every engine against a model that knows nothing of sorting, tables or snapshots: for each key of
 * a small universe, the number of its value. The seeds are fixed, and the same for all engines.
 */

#include "base/mem.h"
#include "base/random.h"
#include "support/engine_tester.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KEYS	  363 /* 1 to 5 letters out of 3 */
#define VIEWS_MAX 6

struct rows {
	uint32_t values[FAMILY_COUNT][KEYS]; /* 0: no row */
};

struct seen_view {
	struct engine_view *view;
	struct rows rows;
	bool grown; /* history was taken in since: it may show rows where it had none */
};

struct world {
	struct engine_tester tester;
	struct random random;
	struct rows rows;
	struct seen_view views[VIEWS_MAX];
	size_t view_count;
	uint32_t next_value;
	char keys[KEYS][6];
	struct slice slices[KEYS];
};

static int order(const void *a, const void *b)
{
	return slice_compare(*(const struct slice *)a, *(const struct slice *)b);
}

static void make_keys(struct world *w)
{
	static const char letters[] = {0, 'a', (char)0xff};
	size_t n = 0;

	for (size_t len = 1, all = 3; len <= 5; len++, all *= 3) {
		for (size_t i = 0; i < all; i++, n++) {
			for (size_t k = 0, rest = i; k < len; k++, rest /= 3)
				w->keys[n][k] = letters[rest % 3];
			w->slices[n] = slice_of(w->keys[n], len);
		}
	}
	assert_int_equal(n, KEYS);
	qsort(w->slices, KEYS, sizeof(w->slices[0]), order);
}

/* The bytes of value number `id`: mostly short, sometimes nothing, sometimes several blocks. */
static void make_value(struct buf *out, uint32_t id)
{
	size_t len = id % 11 == 0 ? 0 : id % 41 == 0 ? 9000 : 4 + id % 60;

	buf_clear(out);
	for (size_t i = 0; i < len; i++)
		buf_append_byte(out, (uint8_t)((id >> (8 * (i % 4))) + i / 4));
}

static void expect_bytes(struct slice found, uint32_t id)
{
	struct buf value = {0};

	make_value(&value, id);
	assert_true(slice_equal(found, buf_slice(&value)));
	buf_free(&value);
}

static size_t draw_key(struct world *w)
{
	return (size_t)random_below(&w->random, KEYS);
}

/* A file of random rows and ranges; `chance` of a million for each key. */
static void change(struct world *w, enum engine_family family, uint32_t chance)
{
	struct engine_file *f = engine_tester_begin(&w->tester, family);
	uint32_t *model = w->rows.values[family];
	struct rows before = w->rows;
	struct buf value = {0};
	bool written[KEYS] = {false};

	for (size_t i = 0; i < KEYS; i++) {
		if (random_chance(&w->random, 5000)) {
			size_t a = draw_key(w);
			size_t b = a + (size_t)random_below(&w->random, MIN(60, KEYS - a));

			assert_int_equal(engine_file_delete_range(f, w->slices[a], w->slices[b]),
					 OK);
			for (size_t k = a; k < b; k++)
				model[k] = written[k] ? model[k] : 0;
		}
		if (!random_chance(&w->random, chance))
			continue;
		written[i] = true;
		if (random_chance(&w->random, 300000)) {
			assert_int_equal(engine_file_delete(f, w->slices[i]), OK);
			model[i] = 0;
			continue;
		}
		model[i] = ++w->next_value;
		make_value(&value, model[i]);
		assert_int_equal(engine_file_put(f, w->slices[i], buf_slice(&value)), OK);
	}
	buf_free(&value);
	if (random_chance(&w->random, 100000)) {
		engine_file_drop(f);
		w->rows = before;
		return;
	}
	engine_tester_ingest(f);
	for (size_t i = 0; i < w->view_count && family == FAMILY_HISTORY; i++)
		w->views[i].grown = true;
}

static void check_gets(struct world *w, const struct seen_view *v)
{
	struct engine_get gets[40] = {0};
	size_t keys[40];
	size_t count = 1 + random_below(&w->random, ARRAY_LEN(gets));

	for (size_t i = 0; i < count; i++) {
		keys[i] = draw_key(w);
		gets[i].family = (enum engine_family)random_below(&w->random, FAMILY_COUNT);
		gets[i].key = w->slices[keys[i]];
	}
	engine_view_get_many(v->view, gets, count);
	for (size_t i = 0; i < count; i++) {
		uint32_t id = v->rows.values[gets[i].family][keys[i]];
		struct buf alone = {0};
		int rc = engine_view_get(v->view, gets[i].family, gets[i].key, &alone);
		bool new = rc == OK && v->grown &&gets[i].family == FAMILY_HISTORY;

		assert_int_equal(rc, id || new ? OK : ERR_NOT_FOUND);
		assert_int_equal(gets[i].result, rc);
		if (id) {
			expect_bytes(buf_slice(&alone), id);
			expect_bytes(buf_slice(&gets[i].value), id);
		}
		buf_free(&alone);
		buf_free(&gets[i].value);
	}
}

/* First live key at or behind place `at`, below `end`; -1: none. */
static int model_next(const uint32_t *model, int at, int end)
{
	while (at < end && model[at] == 0)
		at++;
	return at < end ? at : -1;
}

/* Last live key before place `at`; -1: none. */
static int model_before(const uint32_t *model, int at)
{
	while (--at >= 0 && model[at] == 0)
		;
	return at;
}

static void expect_place(const struct world *w, const struct engine_cursor *c,
			 const uint32_t *model, int at)
{
	assert_int_equal(engine_cursor_error(c), OK);
	assert_int_equal(engine_cursor_valid(c), at >= 0);
	if (at < 0)
		return;
	assert_true(slice_equal(engine_cursor_key(c), w->slices[at]));
	expect_bytes(engine_cursor_value(c), model[at]);
}

/* A walk of random moves between random bounds. */
static void check_cursor(struct world *w, const struct seen_view *v)
{
	enum engine_family any = (enum engine_family)random_below(&w->random, FAMILY_COUNT);
	enum engine_family family = v->grown ? FAMILY_STATE : any;
	const uint32_t *model = v->rows.values[family];
	bool bounded = random_chance(&w->random, 500000);
	int end = bounded ? (int)draw_key(w) : KEYS;
	struct engine_cursor *c =
		engine_cursor_open(v->view, family, bounded ? w->slices[end] : (struct slice){0});
	int at = -1;

	for (int moves = 0; moves < 30; moves++) {
		uint64_t move = random_below(&w->random, 6);
		int key = (int)draw_key(w);

		if (move == 0) {
			engine_cursor_seek(c, w->slices[key]);
			at = model_next(model, key, end);
		} else if (move == 1) {
			engine_cursor_seek_before(c, w->slices[key]);
			at = model_before(model, MIN(key, end));
		} else if (at < 0) {
			engine_cursor_seek_before(c, (struct slice){0});
			at = model_before(model, end);
		} else if (move < 4) {
			engine_cursor_next(c);
			at = model_next(model, at + 1, end);
		} else {
			engine_cursor_prev(c);
			at = model_before(model, at);
		}
		expect_place(w, c, model, at);
	}
	engine_cursor_close(c);
}

/* All rows, forward and backward. */
static void check_all(struct world *w, const struct seen_view *v)
{
	for (unsigned family = v->grown ? FAMILY_STATE : 0; family < FAMILY_COUNT; family++) {
		const uint32_t *model = v->rows.values[family];
		struct engine_cursor *c =
			engine_cursor_open(v->view, (enum engine_family)family, (struct slice){0});
		int at = model_next(model, 0, KEYS);

		for (engine_cursor_seek(c, (struct slice){0}); at >= 0; engine_cursor_next(c)) {
			expect_place(w, c, model, at);
			at = model_next(model, at + 1, KEYS);
		}
		assert_false(engine_cursor_valid(c));
		at = model_before(model, KEYS);
		for (engine_cursor_seek_before(c, (struct slice){0}); at >= 0;
		     engine_cursor_prev(c)) {
			expect_place(w, c, model, at);
			at = model_before(model, at);
		}
		assert_false(engine_cursor_valid(c));
		engine_cursor_close(c);
	}
}

static void open_view(struct world *w)
{
	struct seen_view *v = &w->views[w->view_count++];

	v->view = engine_view_open(w->tester.engine);
	v->rows = w->rows;
}

/* Looks through one of the views for the last time. */
static void close_view(struct world *w, size_t which)
{
	check_all(w, &w->views[which]);
	engine_view_close(w->views[which].view);
	w->views[which] = w->views[--w->view_count];
}

static void step(struct world *w)
{
	uint64_t what = random_below(&w->random, 100);
	enum engine_family family = (enum engine_family)random_below(&w->random, FAMILY_COUNT);

	if (what < 50) {
		change(w, family, what < 5 ? 600000 : 30000);
	} else if (what < 65) {
		if (w->view_count == VIEWS_MAX)
			close_view(w, (size_t)random_below(&w->random, VIEWS_MAX));
		open_view(w);
	} else if (what < 97 && w->view_count > 0) {
		const struct seen_view *v = &w->views[random_below(&w->random, w->view_count)];

		check_gets(w, v);
		check_cursor(w, v);
	} else if (what >= 97) {
		while (w->view_count > 0)
			close_view(w, 0);
		engine_tester_reopen(&w->tester);
	}
}

static void run(enum engine_kind kind, uint64_t seed, int steps)
{
	struct world *w = mem_zalloc(1, sizeof(*w));

	engine_tester_init(&w->tester, kind);
	random_seed(&w->random, seed);
	make_keys(w);
	for (int i = 0; i < steps; i++)
		step(w);
	while (w->view_count > 0)
		close_view(w, 0);
	open_view(w);
	close_view(w, 0);
	engine_tester_close(&w->tester);
	mem_free(w);
}

static void memory_is_as_the_model(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 5; seed++)
		run(ENGINE_MEMORY, seed, 1000);
}

static void rocks_is_as_the_model(void **state)
{
	(void)state;
	if (!CONCLAVE_TEST_ROCKS) {
		print_message("[ LEFT OUT ] RocksDB: this build's sanitizer sees no library\n");
		skip();
	}
	for (uint64_t seed = 1; seed <= 2; seed++)
		run(ENGINE_ROCKS, seed, 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_as_the_model),
		cmocka_unit_test(rocks_is_as_the_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
