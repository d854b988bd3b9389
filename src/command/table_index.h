#ifndef CONCLAVE_COMMAND_TABLE_INDEX_H
#define CONCLAVE_COMMAND_TABLE_INDEX_H

/*
 * Where in the table a name's row stands, by a hash of the name. The index is made from the table
 * by `make reference`, and a test compares. A lookup trusts it in nothing: a place that it names
 * wrongly, or not at all, costs a walk over all rows.
 */

#include "base/bytes.h"

#define COMMAND_INDEX_SIZE 512

/* Whoever is not at the place of its hash stands at one of the next. 0: nobody stands there. */
extern const uint16_t command_index[COMMAND_INDEX_SIZE];

/* The place of the row that command_at gives: its family and its row in there. Never 0. */
uint16_t command_place(size_t i);

static inline uint8_t command_lower(uint8_t byte)
{
	return byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte;
}

/* The same for a name in any case. */
static inline size_t command_name_hash(struct slice name)
{
	uint32_t hash = (uint32_t)name.len;

	for (size_t i = 0; i < name.len; i++)
		hash = hash * 31 + command_lower(name.data[i]);
	return (hash * 2654435761u) >> 23;
}

_Static_assert(COMMAND_INDEX_SIZE == 1u << (32 - 23), "a hash is a place");

#endif
