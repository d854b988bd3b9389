#ifndef CONCLAVE_CHECKER_MEMO_H
#define CONCLAVE_CHECKER_MEMO_H

/*
 * The configurations a search has been in: which operations had taken effect, and the state.
 * Sets are compared as a whole, so a memo never takes a new configuration for an old one.
 */

#include "checker/model.h"

struct memo {
	struct memo_row {
		uint64_t hash;
		struct model_state state;
	} * rows;
	uint64_t *sets;	 /* `words` of each row */
	uint32_t *slots; /* row plus one, 0: free; found by linear probing */
	size_t words;
	size_t len;
	size_t rows_cap;
	size_t sets_cap;
	size_t mask;
};

/* An empty memo for sets of `words` words. */
void memo_init(struct memo *m, size_t words);
void memo_free(struct memo *m);

/* Adds a configuration; false when it was there. `set_hash` is any hash of the set. */
bool memo_add(struct memo *m, const uint64_t *set, uint64_t set_hash, struct model_state state);

#endif
