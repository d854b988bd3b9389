#ifndef CONCLAVE_UNIT_CONSENSUS_SUPPORT_SCENARIO_WORDS_H
#define CONCLAVE_UNIT_CONSENSUS_SUPPORT_SCENARIO_WORDS_H

/* A line of a scenario, word by word. The first thing not understood is kept in `wrong`. */

#include "image.h"

struct words {
	struct slice left;
	const char *wrong; /* what was expected where something else stands; NULL: all is well */
};

struct words words_of(struct slice line);

/* Notes what was expected here, and that nothing more is to be read. */
void words_fail(struct words *words, const char *expected);

/* The next word; empty at the end. */
struct slice words_next(struct words *words);

uint64_t words_number(struct words *words);

/* Takes the next word if it is this one. */
bool words_take(struct words *words, const char *word);

/* Takes the next word, which has to be this one. */
void words_expect(struct words *words, const char *word);

/* Takes the next word if it is this one, and sets `*flag` then. */
bool words_take_flag(struct words *words, const char *word, bool *flag, bool value);

/* Takes the next word if it is `name` and a number, as in "term=3". */
bool words_take_setting(struct words *words, const char *name, uint64_t *value);

/* The next word as the content of an entry that is added to `image`: "noop", or any text. */
void words_entry(struct words *words, struct image *image, uint64_t term);

#endif
