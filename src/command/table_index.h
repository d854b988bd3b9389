#ifndef CONCLAVE_COMMAND_TABLE_INDEX_H
#define CONCLAVE_COMMAND_TABLE_INDEX_H

/*
 * Where in the table a name's row stands, by a hash of the name. The index is made from the table
 * by `make reference`, and a test compares. A lookup trusts it in nothing: a place that it names
 * wrongly, or not at all, costs a walk over all rows.
 */

#include "base/codec.h"

#define COMMAND_INDEX_SIZE 512

/* Whoever is not at the place of its hash stands at one of the next. 0: nobody stands there. */
extern const uint16_t command_index[COMMAND_INDEX_SIZE];

/* The place of the row that command_at gives: its family and its row in there. Never 0. */
uint16_t command_place(size_t i);

static inline uint8_t command_upper(uint8_t byte)
{
	return byte >= 'a' && byte <= 'z' ? byte & 0xdf : byte;
}

/* The bit that is set in small letters, in each byte. */
#define COMMAND_SMALL 0x20202020u

/*
 * The same for a name in any case: of its length and its first and last four bytes, which may be
 * the same ones.
 */
static inline size_t command_name_hash(struct slice name)
{
	uint8_t few[4] = {0};
	const uint8_t *front = name.data, *back = few;
	uint32_t hash;

	if (name.len < sizeof(few)) {
		for (size_t i = 0; i < name.len; i++)
			few[i] = name.data[i];
		front = few;
	} else {
		back = name.data + name.len - sizeof(few);
	}
	hash = (fixed32_get(front) | COMMAND_SMALL) * 2654435761u;
	hash ^= (fixed32_get(back) | COMMAND_SMALL) + (uint32_t)name.len;
	return (hash * 2246822519u) >> 23;
}

_Static_assert(COMMAND_INDEX_SIZE == 1u << (32 - 23), "a hash is a place");

#endif
