#ifndef CONCLAVE_COMMAND_SCAN_NAMES_H
#define CONCLAVE_COMMAND_SCAN_NAMES_H

/*
 * The names behind the cursors that SCAN gave last: so a scan goes on where it was also when
 * history has lost the change that the cursor names. Each member keeps its own, on its loop, and
 * nothing depends on them but how much a scan says twice: they are part of no state. A cursor means
 * the same name in every state, so they are never wrong.
 */

#include "base/bytes.h"
#include "base/hash_table.h"
#include "base/list.h"

#define SCAN_NAMES_MAX 10000

/* Of all names together; what was noted first goes first. */
#define SCAN_NAMES_BYTES_MAX ((size_t)4 << 20)

struct scan_names {
	struct hash_table table; /* of struct scan_name, by cursor */
	struct list order;	 /* oldest first */
	size_t count;
	size_t bytes;
};

void scan_names_init(struct scan_names *n);
void scan_names_close(struct scan_names *n);

void scan_names_note(struct scan_names *n, uint64_t cursor, struct slice name);

/* Whether the name behind a cursor is known; borrowed until the next note. */
bool scan_names_find(const struct scan_names *n, uint64_t cursor, struct slice *name);

/*
 * What goes with one SCAN. It takes what is known behind its cursor, for when it has to go on in
 * the pool, where nothing is known, and leaves the cursor it gave and the name behind that.
 */
struct scan_page {
	const struct scan_names *known; /* NULL in the pool */
	uint64_t cursor;		/* 0: none */
	struct buf name;
	uint64_t number; /* of the read; no two of this member have the same: for RANDOMKEY */
};

#endif
