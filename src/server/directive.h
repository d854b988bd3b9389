#ifndef CONCLAVE_SERVER_DIRECTIVE_H
#define CONCLAVE_SERVER_DIRECTIVE_H

/*
 * The one table of directives. What reads them (server/options.h), CONFIG, --help,
 * conf/conclave.conf and docs/configuration.md all come from it.
 */

#include "server/options_value.h"

enum directive_flag {
	DIRECTIVE_LIVE = 1 << 0, /* CONFIG SET takes it, and it has its effect at once */
	DIRECTIVE_SECRET =
		1 << 1, /* its value is told to clients that may ask, and to nobody else */
};

struct directive {
	const char *name;
	enum options_kind kind;
	const char *value; /* the default; NULL: there is none, or it follows from others */
	struct options_bounds bounds;
	unsigned flags;
	size_t offset;	     /* of its field in struct options; OPTION_FACT has none */
	const char *section; /* the title of those that begin here; else NULL */
	const char *help;    /* one sentence without its end */
};

/* The table, in the order in which it is to be read; NULL behind the last. */
const struct directive *directive_at(size_t i);

/* By name, in any case; NULL: there is none. */
const struct directive *directive_find(struct slice name);

size_t directive_index(const struct directive *d);

/* Its field; a fact has none. */
void *directive_field(const struct directive *d, struct options *o);

/* Gives `to`, whose field owns nothing, a copy. Nothing for a fact. */
void directive_copy(const struct directive *d, struct options *to, const struct options *from);

/* Gives the field's memory back, and makes it zero. Nothing for a fact. */
void directive_clear(const struct directive *d, struct options *o);

/* Takes the value of `from` in place of its own; `from` is left without. Nothing for a fact. */
void directive_move(const struct directive *d, struct options *to, struct options *from);

/* Sets it from words. ERR_INVALID: not in its form; for a fact: another value than it has. */
MUST_USE int directive_set(const struct directive *d, struct options *o, const struct slice *words,
			   size_t count);

/* The same from one text, which is divided into words where several are expected. */
MUST_USE int directive_set_text(const struct directive *d, struct options *o, struct slice text);

/* Appends what is wrong with a text that was refused, in the words of Redis. */
void directive_complain(const struct directive *d, struct slice text, struct buf *out);

/* Whether both have the same value for it. */
bool directive_is_same(const struct directive *d, const struct options *a, const struct options *b);

/* Appends its value as CONFIG GET tells it. */
void directive_put(const struct directive *d, const struct options *o, struct buf *out);

/* Appends it as a line of a file, with its end. */
void directive_put_line(const struct directive *d, const struct options *o, struct buf *out);

/* Appends what is expected of it, to stand behind "expected ". */
void directive_expects(const struct directive *d, struct buf *out);

#endif
