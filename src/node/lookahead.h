#ifndef CONCLAVE_NODE_LOOKAHEAD_H
#define CONCLAVE_NODE_LOOKAHEAD_H

/*
 * Rows that entries will ask for, by their hashes, in the order in which they will be asked for. A
 * record among a million lies where no cache of the processor has it, and to wait for the memory
 * takes longer than all else that applying does with it; so it is called for some commands ahead.
 * Nothing depends on it but speed: what is not known here, or is wrong, costs a wait.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of entries that are further away nothing is kept. */
#define LOOKAHEAD_MAX 2048

struct lookahead {
	struct {
		uint64_t index; /* of the entry */
		uint64_t hash;
	} rows[LOOKAHEAD_MAX];
	size_t begin; /* counted on and on; the place is the rest by LOOKAHEAD_MAX */
	size_t end;
};

/* The entry at `index` will ask for the row of this hash, behind all that were noted before. */
void lookahead_note(struct lookahead *x, uint64_t index, uint64_t hash);

/*
 * The entry at `index` goes on to its next row. Entries before it are over; some commands ask for
 * no row, and others for several, so each entry begins with its own ones anew.
 */
void lookahead_go_on(struct lookahead *x, uint64_t index);

/* The hash of the row that comes `ahead` of the next one; false: none is known. */
bool lookahead_get(const struct lookahead *x, size_t ahead, uint64_t *hash);

#endif
