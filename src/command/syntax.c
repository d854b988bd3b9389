#include "command/syntax.h"

#include "base/check.h"

#include <string.h>

/* More than any sequence has. */
#define ITEMS_MAX 16

/* A sequence that is being read: its nodes, and where each begins in the text. */
struct items {
	uint8_t nodes[ITEMS_MAX];
	const char *begins[ITEMS_MAX];
	size_t count;
};

/* What is open: the whole text, or a bracket in it. */
struct level {
	char close; /* how it ends */
	const char *begin;
	struct items items;	    /* of the choice that is being read */
	uint8_t choices[ITEMS_MAX]; /* those before it */
	size_t choice_count;
	bool more; /* it may come in any number */
};

/* Brackets in brackets. */
#define LEVELS_MAX 6

struct parser {
	struct syntax *out;
	const char *at;
	struct level levels[LEVELS_MAX];
	size_t depth; /* of the level that is being read */
};

static struct syntax_node *node_at(const struct parser *p, size_t i)
{
	CHECK(i < p->out->count);
	return &p->out->nodes[i];
}

static uint8_t node_new(struct parser *p, enum syntax_kind kind)
{
	CHECK(p->out->count < SYNTAX_NODES_MAX);
	p->out->nodes[p->out->count] = (struct syntax_node){.kind = kind};
	return (uint8_t)p->out->count++;
}

static void items_add(struct items *items, uint8_t node, const char *begin)
{
	CHECK(items->count < ITEMS_MAX);
	items->nodes[items->count] = node;
	items->begins[items->count++] = begin;
}

/* They become the parts of `whole`. */
static void items_link(struct parser *p, const uint8_t *nodes, size_t count, uint8_t whole)
{
	node_at(p, whole)->parts = count ? nodes[0] : 0;
	for (size_t i = 0; i + 1 < count; i++)
		node_at(p, nodes[i])->next = nodes[i + 1];
}

/* One node for several: a word takes what stands behind it. */
static uint8_t items_join(struct parser *p, const uint8_t *nodes, size_t count)
{
	struct syntax_node *first = node_at(p, nodes[0]);
	bool worded = count > 1 && first->kind == SYNTAX_WORD;
	uint8_t joined = nodes[worded];

	if (count - worded > 1) {
		joined = node_new(p, SYNTAX_ALL_OF);
		items_link(p, nodes + worded, count - worded, joined);
	}
	if (worded)
		node_at(p, joined)->word = first->word;
	return joined;
}

/* ---- reading --------------------------------------------------------------------------------- */

static bool ends_word(char c)
{
	return c == '\0' || strchr(" []<>|", c) != NULL;
}

/* A name, up to its type or its end. */
static struct slice read_name(struct parser *p)
{
	const char *begin = p->at;

	while (!ends_word(*p->at) && *p->at != ':')
		p->at++;
	CHECK(p->at > begin);
	return slice_of(begin, (size_t)(p->at - begin));
}

static bool takes(struct parser *p, const char *text)
{
	size_t len = strlen(text);

	if (strncmp(p->at, text, len) != 0)
		return false;
	p->at += len;
	return true;
}

static uint8_t read_word(struct parser *p)
{
	bool is_word = *p->at >= 'A' && *p->at <= 'Z';
	uint8_t node = node_new(p, is_word ? SYNTAX_WORD : SYNTAX_VALUE);
	struct slice text = read_name(p);

	if (is_word)
		node_at(p, node)->word = text;
	else
		node_at(p, node)->name = text;
	if (takes(p, ":"))
		node_at(p, node)->type = read_name(p);
	return node;
}

/*
 * "[a b ...]" behind the same "a b" says that these may come again: they are joined to one that
 * does. False: it is something else, and nothing was read.
 */
static bool read_repetition(struct parser *p, struct items *items)
{
	size_t from = items->count;
	const char *end = strstr(p->at, " ...]");
	size_t len = end ? (size_t)(end - p->at - 1) : 0;
	uint8_t joined;

	while (from > 0 && p->at - items->begins[from - 1] - 1 < (ptrdiff_t)len)
		from--;
	if (from == 0 || !len || p->at - items->begins[from - 1] - 1 != (ptrdiff_t)len ||
	    strncmp(items->begins[from - 1], p->at + 1, len) != 0)
		return false;
	from--;
	joined = items_join(p, items->nodes + from, items->count - from);
	node_at(p, joined)->multiple = true;
	items->nodes[from] = joined;
	items->count = from + 1;
	p->at = end + strlen(" ...]");
	return true;
}

static void level_open(struct parser *p, char close)
{
	struct level *l;

	CHECK(++p->depth < LEVELS_MAX);
	l = &p->levels[p->depth];
	l->close = close;
	l->begin = p->at++;
	l->items.count = l->choice_count = 0;
	l->more = false;
}

static void choice_end(struct parser *p, struct level *l)
{
	CHECK(l->items.count > 0 && l->choice_count < ITEMS_MAX);
	l->choices[l->choice_count++] = items_join(p, l->items.nodes, l->items.count);
	l->items.count = 0;
}

/* The bracket becomes one node of what it stands in. */
static struct level *level_close(struct parser *p, struct level *l)
{
	uint8_t node;

	choice_end(p, l);
	node = l->choices[0];
	if (l->choice_count > 1) {
		node = node_new(p, SYNTAX_ONE_OF);
		items_link(p, l->choices, l->choice_count, node);
	}
	if (l->more)
		node_at(p, node)->multiple = true;
	if (l->close == ']')
		node_at(p, node)->optional = true;
	items_add(&p->levels[--p->depth].items, node, l->begin);
	p->at++;
	return &p->levels[p->depth];
}

/* One item, or the beginning of a bracket: then false, since an item follows in any case. */
static bool read_item(struct parser *p, struct level *l)
{
	const char *begin = p->at;

	if (*p->at == '<' || (*p->at == '[' && !read_repetition(p, &l->items))) {
		level_open(p, *p->at == '<' ? '>' : ']');
		return false;
	}
	if (takes(p, "..."))
		l->more = true;
	else if (p->at == begin)
		items_add(&l->items, read_word(p), begin);
	return true;
}

/* What stands between items. False at the end of the text. */
static bool read_behind(struct parser *p)
{
	struct level *l = &p->levels[p->depth];

	while (p->depth > 0 && *p->at == l->close)
		l = level_close(p, l);
	if (takes(p, "|"))
		choice_end(p, l);
	else if (!takes(p, " "))
		return false;
	return true;
}

void syntax_parse(const char *text, struct syntax *out)
{
	struct parser p = {.out = out, .at = text};
	struct level *whole = &p.levels[0];

	out->count = 0;
	node_new(&p, SYNTAX_ALL_OF);
	while (*p.at)
		if (read_item(&p, &p.levels[p.depth]) && !read_behind(&p))
			break;
	CHECK(*p.at == '\0' && p.depth == 0 && !whole->more && !whole->choice_count);
	items_link(&p, whole->items.nodes, whole->items.count, 0);
}

void syntax_append_text(const char *text, struct buf *out)
{
	while (*text) {
		if (*text == ':')
			while (!ends_word(*text))
				text++;
		if (*text)
			buf_append_byte(out, (uint8_t)*text++);
	}
}

/* ---- asking ---------------------------------------------------------------------------------- */

size_t syntax_length(const struct syntax *s, size_t at)
{
	size_t n = 0;

	for (; at; at = s->nodes[at].next)
		n++;
	return n;
}

struct slice syntax_name(const struct syntax *s, size_t at)
{
	while (!s->nodes[at].name.len && s->nodes[at].parts)
		at = s->nodes[at].parts;
	return s->nodes[at].name.len ? s->nodes[at].name : s->nodes[at].word;
}
