/*
 * Strings of a megabyte that everybody changes in place: bits, parts, ends. Few worlds have them. A
 * key that has grown beyond the bound of its world begins anew.
 */

#include "sim/callers.h"

#include <inttypes.h>
#include <stdio.h>

#define LARGE_KEYS 2

/* What a read asks for at most, most of the time. */
#define READ_BYTES 3000

static size_t below(struct caller *c, size_t n)
{
	return (size_t)random_below(&c->world->random, n);
}

/* As everybody would find it now. */
static size_t length_of(struct caller *c, const char *key)
{
	const struct model_cell *cell = model_cell(c->world->model, 0, slice_of_text(key));
	const struct model_version *v = cell_at(cell, MODEL_NOW);

	return v->value && !v->value->is_hash ? text_len(v->value) : 0;
}

/* Bytes that stand at no other place by chance. */
static void ask_bytes(struct caller *c, struct asked *a, size_t len)
{
	struct buf bytes = {0};

	while (bytes.len < len) {
		uint64_t word = random_next(&c->world->random);

		for (size_t i = 0; i < sizeof(word) && bytes.len < len; i++)
			buf_append_byte(&bytes, (uint8_t)('!' + (word >> (8 * i)) % 90));
	}
	ask_word(c, a, buf_slice(&bytes));
	buf_free(&bytes);
}

static void begin_anew(struct caller *c, const char *key)
{
	if (below(c, 2))
		ask(c, "DEL %s", key);
	else
		ask_bytes(c, ask(c, "SET %s", key), 1 + below(c, 200));
}

static void change(struct caller *c, const char *key, size_t most)
{
	size_t at = below(c, most), part = 1 + below(c, below(c, 4) ? 200 : most / 16);
	size_t from = at + part <= most ? at : most - part;

	switch (below(c, 8)) {
	case 0:
	case 1:
		ask(c, "SETBIT %s %zu %u", key, 8 * at + below(c, 8), (unsigned)below(c, 2));
		break;
	case 2:
	case 3:
		ask_bytes(c, ask(c, "SETRANGE %s %zu", key, from), part);
		break;
	case 4:
	case 5:
	case 6:
		ask_bytes(c, ask(c, "APPEND %s", key), part);
		break;
	case 7:
		if (below(c, 4) == 0)
			ask(c, below(c, 2) ? "COPY l0 l1 REPLACE" : "RENAME l1 l0");
		else
			ask(c, "SETBIT %s %zu 1", key, 8 * most - 1);
		break;
	}
}

static void look_back(struct caller *c, const char *key, size_t at, size_t end)
{
	uint64_t newest = c->readonly ? c->floor : MAX(c->floor, c->world->callers->floor);
	uint64_t back = below(c, 40);
	struct asked *a = ask(c, "AT %" PRIu64 " GETRANGE %s %zu %zu", newest - MIN(newest, back),
			      key, at, end);

	a->past = true;
	a->revision = newest - MIN(newest, back);
}

static void look(struct caller *c, const char *key, size_t most)
{
	size_t at = below(c, most), end = at + below(c, READ_BYTES);

	switch (below(c, 6)) {
	case 0:
		ask(c, "STRLEN %s", key);
		break;
	case 1:
	case 2:
	case 3:
		ask(c, "GETRANGE %s %zu %zu", key, at, end);
		break;
	case 4:
		if (below(c, 3) == 0)
			ask(c, "GET %s", key);
		else
			ask(c, "GETRANGE %s %zu %zu", key, at / 2, most);
		break;
	case 5:
		look_back(c, key, at, end);
		break;
	}
}

void work_large(struct caller *c)
{
	size_t most = c->world->profile.large_bytes;
	char key[8];

	work_use(c, 0);
	snprintf(key, sizeof(key), "l%zu", below(c, LARGE_KEYS));
	if (length_of(c, key) >= most)
		COUNT(c->world, STRING_LARGE);
	if (length_of(c, key) > most)
		begin_anew(c, key);
	else if (below(c, 3))
		change(c, key, most);
	else
		look(c, key, most);
}
