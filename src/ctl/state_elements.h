#ifndef CONCLAVE_CTL_STATE_ELEMENTS_H
#define CONCLAVE_CTL_STATE_ELEMENTS_H

/*
 * Whether the elements of collections, chunks of strings too, are those that the records speak of.
 * The records are seen first, as they come first in the engine.
 */

#include "base/hash_table.h"
#include "storage/row.h"

/* All zero before. */
struct element_sums {
	struct hash_table table; /* what living records say and what was seen, by incarnation */
};

void element_sums_free(struct element_sums *s);

/* A record that lives; one without elements is nothing. */
void element_sums_expect(struct element_sums *s, const struct record *r);

/*
 * An element. `name` is borrowed from the row; its type is that of the record, RECORD_NONE if none
 * that lives has such elements. ERR_MALFORMED.
 */
MUST_USE int element_sums_see(struct element_sums *s, struct slice row, struct slice value,
			      uint64_t *incarnation, enum record_type *type, struct slice *name);

/* How many records have other elements than they say. Once, at the end. */
uint64_t element_sums_wrong(struct element_sums *s);

#endif
