#ifndef CONCLAVE_STORAGE_TXN_CHUNKS_H
#define CONCLAVE_STORAGE_TXN_CHUNKS_H

/*
 * Parts of strings. A string of more than STRING_WHOLE_MAX bytes that is changed in place becomes
 * one in chunks with that change, and stays so until it is set anew: chunk number n, an element
 * named by its number, holds the bytes from n * STRING_CHUNK_BYTES on. A chunk may be shorter than
 * its place, or not there: what is missing up to the string's size is zeros. So a change costs the
 * chunks that it touches, in history too, and a hole costs nothing.
 *
 * The change that makes the chunks names the incarnation that they are kept under. The chunks
 * themselves, as far as they hold what the string held before, are no changes: who goes back beyond
 * this change finds the whole string where it was set.
 */

#include "storage/txn.h"

#define STRING_WHOLE_MAX   ((size_t)64 << 10)
#define STRING_CHUNK_BYTES ((size_t)16 << 10)

/* Whether the level is high enough to make strings into chunks; those that are chunks stay so. */
bool txn_makes_chunks(const struct txn *t);

/*
 * The bytes of a string from `from` on, `len` of them, as far as it has any; nothing else is read
 * of one in chunks. ERR_MISSING, ERR_CORRUPT, ERR_IO.
 */
MUST_USE int txn_value_part(struct txn *t, const struct record *r, uint64_t from, uint64_t len,
			    struct slice *part);

/*
 * The key's string holds `part`, which is not empty, from `offset` on, and zeros between its end
 * and there. `old`, as for the functions of txn.h, is that of a string, or there is none: then the
 * key gets one. Deadline and lease stay. ERR_MISSING, ...: the command is to be undone.
 */
MUST_USE int txn_write_part(struct txn *t, unsigned database, struct slice key,
			    const struct record *old, uint64_t offset, struct slice part);

/* The number of the chunk that an element is. ERR_MALFORMED: it is none. */
MUST_USE int chunk_number(struct slice element, uint32_t *number);

#endif
