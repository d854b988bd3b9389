#ifndef CONCLAVE_CTL_PLAYGROUND_SHOW_H
#define CONCLAVE_CTL_PLAYGROUND_SHOW_H

/*
 * What a playground shows. On a terminal the table of members stands at the top and is drawn anew
 * as things change, and what is said and typed scrolls below it. Elsewhere each change is a line.
 */

#include "ctl/playground_node.h"

#define SHOW_LINE_MAX 128

struct show {
	bool screen;	/* it is a terminal that has room for the table */
	unsigned lines; /* of the table */
	bool prompted;	/* the prompt stands there, and perhaps what was typed behind it */
	char told[PLAYGROUND_NODES_MAX][SHOW_LINE_MAX]; /* what was last shown of each */
};

/* Takes the terminal, if it is one. */
void show_begin(struct show *s, size_t nodes);

/* Gives the terminal back. */
void show_end(struct show *s);

/* The terminal has another size. */
void show_resize(struct show *s, size_t nodes);

/* Says something, above what is being typed; the line ends by itself. */
void show_say(struct show *s, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Asks for a command, on a terminal. */
void show_prompt(struct show *s);

/* Something was typed; the terminal has shown it, end of line included. */
void show_typed(struct show *s);

/* Shows what has changed since it was called last. */
void show_nodes(struct show *s, const struct node *nodes, size_t count);

/* Says the whole table. */
void show_table(struct show *s, const struct node *nodes, size_t count);

#endif
