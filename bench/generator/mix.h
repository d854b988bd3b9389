#ifndef CONCLAVE_BENCH_GENERATOR_MIX_H
#define CONCLAVE_BENCH_GENERATOR_MIX_H

/*
 * What is asked: some commands, each with a weight. A command is a line of words, with quotes as in
 * redis-cli, and with places that are filled anew for each request:
 *
 *	{key}      key:000000000042
 *	{number}   000000000042, to be a part of other names: hash:{number}
 *	{value}    random bytes
 *
 * They have the same length each time, so a request is a copy of a template with its places filled.
 */

#include "picker.h"

struct mix_place {
	size_t at;
	bool is_value; /* else the twelve digits of a number */
};

struct mix_command {
	char *name; /* for people: what it was asked for by */
	uint64_t weight;
	struct buf bytes; /* the request */
	struct mix_place *places;
	size_t place_count;
	size_t places_cap;
};

/* All zero is an empty one. */
struct mix {
	struct mix_command *commands;
	size_t count;
	size_t cap;
	uint64_t weight; /* of all */
	size_t value_bytes;
};

/* What the places are filled with. */
struct mix_source {
	struct picker picker;
	struct random random;
	const uint8_t *values; /* random bytes, borrowed, */
	size_t values_len;     /* at least as many as a value has */
};

/* Values are of so many bytes. */
void mix_init(struct mix *m, size_t value_bytes);

void mix_free(struct mix *m);

/*
 * Adds what "get=90,set=10" names: get, set, incr, hset, hget, del, ping; a name alone has
 * weight 1. ERR_INVALID: `problem` says why.
 */
MUST_USE int mix_add_named(struct mix *m, const char *text, struct buf *problem);

/* Adds a line, "SADD tags {value}", or with a weight "5=SADD tags {value}". Likewise. */
MUST_USE int mix_add_line(struct mix *m, const char *text, struct buf *problem);

/*
 * The lines that, each asked for every key, make all that the commands ask for be there: a SET if
 * there are strings, an HSET if there are hashes. NULL behind the last.
 */
const char *mix_filling(const struct mix *m, size_t i);

/* One of the commands, by its weight. */
size_t mix_choose(const struct mix *m, struct random *random);

/* Appends a request of that command. */
void mix_put(const struct mix *m, size_t command, struct mix_source *source, struct buf *out);

#endif
