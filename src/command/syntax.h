#ifndef CONCLAVE_COMMAND_SYNTAX_H
#define CONCLAVE_COMMAND_SYNTAX_H

/*
 * The arguments of a command, from the text in its row:
 *
 *	name             a value
 *	name:type        a value of a type that its name does not tell
 *	WORD             a word that stands for itself
 *	[...]            may be left out
 *	<a|b> [a|b]      one of several
 *	[WORD a b]       a word and what belongs to it
 *	a b [a b ...]    once or more
 *	[a ...]          in any number
 *
 * The text is part of the program: it is right, or the program is wrong.
 */

#include "base/bytes.h"

enum syntax_kind {
	SYNTAX_VALUE = 1,
	SYNTAX_WORD,
	SYNTAX_ONE_OF, /* of its parts */
	SYNTAX_ALL_OF, /* one after the other */
};

/* Parts and neighbours are told by their place; 0: none. */
struct syntax_node {
	enum syntax_kind kind;
	struct slice name; /* of a value, as in the text */
	struct slice type; /* of a value, if it is said */
	struct slice word; /* what stands before it; empty: nothing */
	bool optional;
	bool multiple;
	uint8_t parts; /* the first one */
	uint8_t next;
};

#define SYNTAX_NODES_MAX 64

/* Node 0 is the whole: all arguments, one after the other. Names are borrowed from the text. */
struct syntax {
	struct syntax_node nodes[SYNTAX_NODES_MAX];
	size_t count;
};

/* The text as people read it: without types. Appends. */
void syntax_append_text(const char *text, struct buf *out);

void syntax_parse(const char *text, struct syntax *out);

/* How many stand in a row from this one on. */
size_t syntax_length(const struct syntax *s, size_t at);

/* Its name or, if it has none, that of its first part or its word; as in the text. */
struct slice syntax_name(const struct syntax *s, size_t at);

#endif
