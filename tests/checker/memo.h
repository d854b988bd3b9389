#ifndef CONCLAVE_CHECKER_MEMO_H
#define CONCLAVE_CHECKER_MEMO_H

/*
 * The configurations a search has been in: which of the operations that must take effect did so,
 * how many of each group of optional ones, and the state. Sets are compared as a whole, so a memo
 * never takes a new configuration for an old one.
 */

#include "checker/model.h"

struct memo {
	struct memo_row {
		uint64_t hash;
		uint64_t set_hash;
		struct model_state state;
		bool covered; /* by a row that came later */
	} * rows;
	uint64_t *sets;	 /* `words` of each row */
	uint32_t *used;	 /* `groups` of each row */
	uint32_t *slots; /* row plus one, 0: free; found by linear probing */
	size_t words;
	size_t groups;
	size_t len;
	size_t rows_cap;
	size_t sets_cap;
	size_t used_cap;
	size_t mask;
};

struct memo_config {
	const uint64_t *set;  /* what took effect of what must */
	uint64_t set_hash;    /* any hash of the set */
	const uint32_t *used; /* how many of each group of optional operations took effect */
	struct model_state state;
};

/* An empty memo for sets of `words` words and for `groups` groups, at least one of each. */
void memo_init(struct memo *m, size_t words, size_t groups);
void memo_free(struct memo *m);

/* What memo_add answers for nothing new. */
#define MEMO_COVERED SIZE_MAX

/*
 * Adds a configuration and returns its row. MEMO_COVERED when the search was in the same one, or
 * in one that differs only in that less of the optional was used up: whatever can follow now can
 * follow there. Rows that are covered by the new one in this way are marked.
 */
size_t memo_add(struct memo *m, const struct memo_config *c);

/* The configuration of a row; its pointers are valid until the next one is added. */
struct memo_config memo_get(const struct memo *m, size_t row);

#endif
