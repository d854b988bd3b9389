#include "mix.h"

#include "base/check.h"
#include "base/error.h"
#include "base/mem.h"
#include "resp/args.h"
#include "resp/inline.h"
#include "resp/writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_DIGITS 12
#define WEIGHT_MAX    1000000u

/* Strings, hashes and counters have names of their own: one run may do all of it. */
static const struct {
	const char *name;
	const char *line;
} named[] = {
	{"get", "GET {key}"},
	{"set", "SET {key} {value}"},
	{"incr", "INCR counter:{number}"},
	{"hset", "HSET hash:{number} field {value}"},
	{"hget", "HGET hash:{number} field"},
	{"del", "DEL {key}"},
	{"ping", "PING"},
};

/* What makes the keys whose names begin so be there. */
static const struct {
	const char *prefix;
	const char *line;
} fillings[] = {
	{"key:", "SET {key} {value}"},
	{"hash:", "HSET hash:{number} field {value}"},
};

void mix_init(struct mix *m, size_t value_bytes)
{
	*m = (struct mix){.value_bytes = value_bytes};
}

void mix_free(struct mix *m)
{
	for (size_t i = 0; i < m->count; i++) {
		mem_free(m->commands[i].name);
		buf_free(&m->commands[i].bytes);
		mem_free(m->commands[i].places);
	}
	mem_free(m->commands);
	*m = (struct mix){0};
}

/* ---- templates ------------------------------------------------------------------------------- */

static void add_place(struct mix_command *c, size_t at, bool is_value)
{
	MEM_GROW(c->places, c->places_cap, c->place_count + 1);
	c->places[c->place_count++] = (struct mix_place){.at = at, .is_value = is_value};
}

static bool begins_with(struct slice s, struct slice what)
{
	return s.len >= what.len && memcmp(s.data, what.data, what.len) == 0;
}

/* A word with room for what its places will hold; they are noted by where in the word they are. */
static void put_word(const struct mix *m, struct slice word, struct buf *out, struct mix_command *c)
{
	while (word.len) {
		size_t room = 0, passed = 1;
		bool is_value = false;

		if (begins_with(word, SLICE_LITERAL("{key}"))) {
			buf_append_slice(out, SLICE_LITERAL("key:"));
			room = NUMBER_DIGITS;
			passed = strlen("{key}");
		} else if (begins_with(word, SLICE_LITERAL("{number}"))) {
			room = NUMBER_DIGITS;
			passed = strlen("{number}");
		} else if (begins_with(word, SLICE_LITERAL("{value}"))) {
			room = m->value_bytes;
			passed = strlen("{value}");
			is_value = true;
		} else {
			buf_append_byte(out, word.data[0]);
		}
		if (passed > 1) {
			add_place(c, out->len, is_value);
			memset(buf_reserve(out, room), '0', room);
			buf_commit(out, room);
		}
		word = slice_of(word.data + passed, word.len - passed);
	}
}

static void put_words(const struct mix *m, const struct slice *words, size_t count,
		      struct mix_command *c)
{
	struct resp_writer w = {.out = &c->bytes, .protocol = 2};
	struct buf word = {0};

	resp_write_array(&w, count);
	for (size_t i = 0; i < count; i++) {
		size_t first = c->place_count, begin;

		buf_clear(&word);
		put_word(m, words[i], &word, c);
		resp_write_bulk(&w, buf_slice(&word));
		begin = c->bytes.len - word.len - strlen("\r\n");
		for (; first < c->place_count; first++)
			c->places[first].at += begin;
	}
	buf_free(&word);
}

static int add_template(struct mix *m, const char *name, uint64_t weight, const char *line)
{
	struct mix_command c = {.weight = weight};
	size_t len = strlen(line);
	struct resp_args args = {0};
	uint8_t *copy = mem_alloc(len + 1);
	int rc;

	memcpy(copy, line, len + 1);
	rc = resp_inline_split(copy, len, &args);
	if (rc == OK && args.len == 0)
		rc = ERR_MALFORMED;
	if (rc == OK) {
		put_words(m, resp_args_resolve(&args, copy), args.len, &c);
		c.name = mem_alloc(strlen(name) + 1);
		memcpy(c.name, name, strlen(name) + 1);
		MEM_GROW(m->commands, m->cap, m->count + 1);
		m->commands[m->count++] = c;
		m->weight += weight;
	}
	resp_args_free(&args);
	mem_free(copy);
	return rc;
}

/* ---- what was asked for ---------------------------------------------------------------------- */

static bool weight_parse(const char *text, size_t len, uint64_t *weight)
{
	char *end;

	if (len == 0 || text[0] < '0' || text[0] > '9')
		return false;
	*weight = strtoull(text, &end, 10);
	return end == text + len && *weight >= 1 && *weight <= WEIGHT_MAX;
}

static const char *named_line(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(named); i++)
		if (strlen(named[i].name) == len && memcmp(named[i].name, name, len) == 0)
			return named[i].line;
	return NULL;
}

static int add_one_named(struct mix *m, const char *text, size_t len, struct buf *problem)
{
	const char *equal = memchr(text, '=', len);
	size_t name_len = equal ? (size_t)(equal - text) : len;
	const char *line = named_line(text, name_len);
	char name[8] = "";
	uint64_t weight = 1;

	if (!line) {
		buf_printf(problem, "there is no '%.*s' in a mix; there are:", (int)name_len, text);
		for (size_t i = 0; i < ARRAY_LEN(named); i++)
			buf_printf(problem, " %s", named[i].name);
		return ERR_INVALID;
	}
	if (equal && !weight_parse(equal + 1, len - name_len - 1, &weight)) {
		buf_printf(problem, "'%.*s' in a mix: a weight is a number from 1 to %u", (int)len,
			   text, WEIGHT_MAX);
		return ERR_INVALID;
	}
	CHECK(name_len < sizeof(name));
	memcpy(name, text, name_len);
	return add_template(m, name, weight, line);
}

int mix_add_named(struct mix *m, const char *text, struct buf *problem)
{
	for (;;) {
		size_t len = strcspn(text, ",");
		int rc = add_one_named(m, text, len, problem);

		if (rc != OK || text[len] == '\0')
			return rc;
		text += len + 1;
	}
}

int mix_add_line(struct mix *m, const char *text, struct buf *problem)
{
	size_t digits = strspn(text, "0123456789");
	const char *line = text;
	uint64_t weight = 1;

	if (digits && text[digits] == '=') {
		line = text + digits + 1;
		if (!weight_parse(text, digits, &weight)) {
			buf_printf(problem, "'%s': a weight is a number from 1 to %u", text,
				   WEIGHT_MAX);
			return ERR_INVALID;
		}
	}
	if (add_template(m, line, weight, line) == OK)
		return OK;
	buf_printf(problem, "'%s' is no command: a quote is not closed, or nothing is there", text);
	return ERR_INVALID;
}

/* Whether one of the commands has a name in it. */
static bool mentions(const struct mix *m, struct slice name)
{
	for (size_t i = 0; i < m->count; i++)
		if (memmem(m->commands[i].bytes.data, m->commands[i].bytes.len, name.data,
			   name.len))
			return true;
	return false;
}

const char *mix_filling(const struct mix *m, size_t i)
{
	for (size_t j = 0; j < ARRAY_LEN(fillings); j++)
		if (mentions(m, slice_of_text(fillings[j].prefix)) && i-- == 0)
			return fillings[j].line;
	return NULL;
}

/* ---- requests -------------------------------------------------------------------------------- */

size_t mix_choose(const struct mix *m, struct random *random)
{
	uint64_t at = m->count > 1 ? random_below(random, m->weight) : 0;
	size_t i = 0;

	while (at >= m->commands[i].weight)
		at -= m->commands[i++].weight;
	return i;
}

static void fill_number(uint8_t *at, uint64_t number)
{
	for (int i = NUMBER_DIGITS - 1; i >= 0; i--) {
		at[i] = (uint8_t)('0' + number % 10);
		number /= 10;
	}
}

void mix_put(const struct mix *m, size_t command, struct mix_source *source, struct buf *out)
{
	const struct mix_command *c = &m->commands[command];
	uint8_t *request = buf_reserve(out, c->bytes.len);

	memcpy(request, c->bytes.data, c->bytes.len);
	for (size_t i = 0; i < c->place_count; i++) {
		uint8_t *at = request + c->places[i].at;
		size_t spare = source->values_len - m->value_bytes;

		if (!c->places[i].is_value)
			fill_number(at, picker_next(&source->picker, &source->random));
		else if (m->value_bytes)
			memcpy(at, source->values + random_below(&source->random, spare + 1),
			       m->value_bytes);
	}
	buf_commit(out, c->bytes.len);
}
