#include "command/docs.h"

#include "base/check.h"
#include "command/syntax.h"

struct map {
	struct resp_writer *w;
	struct resp_open open;
	size_t pairs;
};

static struct map map_open(struct resp_writer *w)
{
	return (struct map){.w = w, .open = resp_open_map(w)};
}

static void map_name(struct map *m, const char *name)
{
	resp_write_bulk(m->w, slice_of_text(name));
	m->pairs++;
}

static void map_text(struct map *m, const char *name, struct slice value)
{
	map_name(m, name);
	resp_write_bulk(m->w, value);
}

static void map_close(struct map *m)
{
	resp_close(m->w, m->open, m->pairs);
}

/* ---- arguments ------------------------------------------------------------------------------- */

struct type {
	const char *type;
	const char *const *names;
	size_t count;
};

/* What a name in the text of an argument stands for; all others are strings. */
static const char *const key_words[] = {"key",	  "key1",	 "key2",   "newkey",
					"source", "destination", "destkey"};
static const char *const pattern_words[] = {"pattern"};
static const char *const time_words[] = {"unix-time-seconds", "unix-time-milliseconds"};
static const char *const integer_words[] = {"seconds",	 "milliseconds", "count",  "destination-db",
					    "index1",	 "index2",	 "start",  "end",
					    "offset",	 "bit",		 "db",	   "index",
					    "decrement", "len",		 "cursor", "protover",
					    "increment"};

static const struct type types[] = {
	{"key", key_words, ARRAY_LEN(key_words)},
	{"pattern", pattern_words, ARRAY_LEN(pattern_words)},
	{"unix-time", time_words, ARRAY_LEN(time_words)},
	{"integer", integer_words, ARRAY_LEN(integer_words)},
};

static bool slice_is(struct slice s, const char *word)
{
	return slice_equal(s, slice_of_text(word));
}

static struct slice value_type(const struct syntax_node *n)
{
	if (n->type.len)
		return n->type;
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		for (size_t j = 0; j < types[i].count; j++)
			if (slice_is(n->name, types[i].names[j]))
				return slice_of_text(types[i].type);
	return SLICE_LITERAL("string");
}

static struct slice node_type(const struct syntax_node *n)
{
	switch (n->kind) {
	case SYNTAX_WORD:
		return SLICE_LITERAL("pure-token");
	case SYNTAX_ONE_OF:
		return SLICE_LITERAL("oneof");
	case SYNTAX_ALL_OF:
		return SLICE_LITERAL("block");
	case SYNTAX_VALUE:
		break;
	}
	return value_type(n);
}

static void write_name(struct map *m, struct slice name)
{
	struct buf lower = {0};

	for (size_t i = 0; i < name.len; i++)
		buf_append_byte(&lower, name.data[i] >= 'A' && name.data[i] <= 'Z'
						? name.data[i] | 0x20
						: name.data[i]);
	map_text(m, "name", buf_slice(&lower));
	buf_free(&lower);
}

static size_t flag_count(const struct syntax_node *n)
{
	return (size_t)n->optional + n->multiple + (n->multiple && n->word.len);
}

static void write_flags(struct map *m, const struct syntax_node *n)
{
	map_name(m, "flags");
	resp_write_set(m->w, flag_count(n));
	if (n->optional)
		resp_write_simple(m->w, SLICE_LITERAL("optional"));
	if (n->multiple)
		resp_write_simple(m->w, SLICE_LITERAL("multiple"));
	if (n->multiple && n->word.len)
		resp_write_simple(m->w, SLICE_LITERAL("multiple_token"));
}

/* The keys that were written so far, to be numbered by specification. */
struct arguments {
	const struct command *command;
	const struct syntax *syntax;
	size_t keys;
};

/* All of one argument but its parts, which come last. */
static void write_argument(struct resp_writer *w, struct arguments *a, size_t at)
{
	const struct syntax_node *n = &a->syntax->nodes[at];
	struct slice type = node_type(n);
	bool is_key = slice_is(type, "key");
	size_t pairs =
		2 + (size_t)is_key + (n->word.len > 0) + (flag_count(n) > 0) + (n->parts > 0);
	struct map m = {.w = w};

	resp_write_map(w, pairs);
	write_name(&m, syntax_name(a->syntax, at));
	map_text(&m, "type", type);
	if (is_key) {
		map_name(&m, "key_spec_index");
		resp_write_integer(w, a->keys++ && a->command->later_use ? 1 : 0);
	}
	if (n->word.len)
		map_text(&m, "token", n->word);
	if (flag_count(n))
		write_flags(&m, n);
	if (n->parts) {
		map_name(&m, "arguments");
		resp_write_array(w, syntax_length(a->syntax, n->parts));
	}
	CHECK(m.pairs == pairs);
}

/* Each, then its parts, then what stands behind it. */
static void write_list(struct resp_writer *w, struct arguments *a, size_t at)
{
	uint8_t behind[SYNTAX_NODES_MAX];
	size_t depth = 0;

	resp_write_array(w, syntax_length(a->syntax, at));
	while (at) {
		const struct syntax_node *n = &a->syntax->nodes[at];

		write_argument(w, a, at);
		if (n->parts)
			behind[depth++] = n->next;
		at = n->parts ? n->parts : n->next;
		while (!at && depth > 0)
			at = behind[--depth];
	}
}

/* ---- commands -------------------------------------------------------------------------------- */

static void write_arguments(struct map *m, const struct command *c)
{
	struct syntax syntax;
	struct arguments a = {.command = c, .syntax = &syntax};

	syntax_parse(c->doc.syntax, &syntax);
	if (!syntax.nodes[0].parts)
		return;
	map_name(m, "arguments");
	write_list(m->w, &a, syntax.nodes[0].parts);
}

static void write_facts(struct map *m, const struct command *c)
{
	map_text(m, "summary", slice_of_text(c->doc.summary));
	map_text(m, "since", slice_of_text(c->doc.since));
	map_text(m, "group", slice_of_text(command_group_name(c->doc.group)));
	map_text(m, "complexity", slice_of_text(c->doc.complexity));
	write_arguments(m, c);
}

void command_write_docs(struct resp_writer *w, const struct command *c)
{
	struct map m = map_open(w);
	const struct command *sub;

	write_facts(&m, c);
	if (c->subcommands) {
		struct map subs;

		map_name(&m, "subcommands");
		subs = map_open(w);
		for (size_t i = 0; (sub = command_subcommand_at(c, i)) != NULL; i++) {
			struct buf name = {0};
			struct map inner;

			command_append_name(sub, &name);
			resp_write_bulk(w, buf_slice(&name));
			buf_free(&name);
			subs.pairs++;
			inner = map_open(w);
			write_facts(&inner, sub);
			map_close(&inner);
		}
		map_close(&subs);
	}
	map_close(&m);
}
