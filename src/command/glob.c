#include "command/glob.h"

/*
 * A pattern is walked through once. Behind a `*` a part that does not match is tried again from
 * the next byte of the text on; an earlier `*` need not be given more, because whatever follows the
 * later one has then been looked for everywhere.
 */
struct glob {
	struct slice pattern;
	struct slice text;
	size_t at;    /* in the pattern */
	size_t place; /* in the text */
};

/* The byte so far ahead; behind the end a zero. */
static uint8_t glob_byte(const struct glob *g, size_t ahead)
{
	return g->at + ahead < g->pattern.len ? g->pattern.data[g->at + ahead] : 0;
}

static size_t glob_left(const struct glob *g)
{
	return g->pattern.len - g->at;
}

static bool glob_between(uint8_t byte, uint8_t a, uint8_t b)
{
	int8_t value = (int8_t)byte, from = (int8_t)a, to = (int8_t)b;

	return from <= to ? value >= from && value <= to : value >= to && value <= from;
}

/* Behind the `[`; ends at the `]`, or at the last byte of a pattern without one. */
static bool glob_set(struct glob *g, uint8_t byte)
{
	bool negated = glob_byte(g, 0) == '^', found = false;

	g->at += negated;
	for (; glob_left(g) > 0 && glob_byte(g, 0) != ']'; g->at++) {
		if (glob_byte(g, 0) == '\\' && glob_left(g) >= 2) {
			g->at++;
			found |= glob_byte(g, 0) == byte;
		} else if (glob_byte(g, 1) == '-' && glob_left(g) >= 3) {
			found |= glob_between(byte, glob_byte(g, 0), glob_byte(g, 2));
			g->at += 2;
		} else {
			found |= glob_byte(g, 0) == byte;
		}
	}
	if (glob_left(g) == 0)
		g->at--;
	return found != negated;
}

/* One byte of the text against what the pattern says of it; no `*`. */
static bool glob_one(struct glob *g)
{
	uint8_t byte = g->text.data[g->place++], sign = glob_byte(g, 0);
	bool matches;

	if (sign == '[') {
		g->at++;
		matches = glob_set(g, byte);
	} else {
		if (sign == '\\' && glob_left(g) >= 2)
			g->at++;
		matches = sign == '?' || glob_byte(g, 0) == byte;
	}
	g->at++;
	return matches;
}

bool glob_matches(struct slice pattern, struct slice text)
{
	struct glob g = {.pattern = pattern, .text = text}, again;
	bool starred = false;

	/* Redis does not look at an empty text: not even `*` matches it. */
	while (text.len > 0) {
		if (g.place < text.len && glob_byte(&g, 0) == '*') {
			while (glob_byte(&g, 0) == '*')
				g.at++;
			if (glob_left(&g) == 0)
				return true;
			again = g;
			starred = true;
		}
		if (g.place < text.len && glob_left(&g) > 0 && glob_one(&g)) {
			if (g.place < text.len)
				continue;
			while (glob_byte(&g, 0) == '*')
				g.at++;
			if (glob_left(&g) == 0)
				return true;
		}
		if (!starred || ++again.place >= text.len)
			return false;
		g = again;
	}
	return pattern.len == 0;
}

bool glob_prefix(struct slice pattern, struct buf *out)
{
	for (size_t i = 0; i < pattern.len; i++) {
		uint8_t byte = pattern.data[i];

		if (byte == '*' || byte == '?' || byte == '[')
			return false;
		if (byte == '\\' && i + 1 < pattern.len)
			byte = pattern.data[++i];
		buf_append_byte(out, byte);
	}
	return true;
}
