#ifndef CONCLAVE_STORAGE_TXN_ROWS_H
#define CONCLAVE_STORAGE_TXN_ROWS_H

/*
 * The rows that a txn has changed. Most commands change two or three and end without having looked
 * at them again: the first few are only listed. Trees hold them as soon as there are more, or
 * somebody reads.
 */

#include "storage/store.h"

#define TXN_ROWS_LISTED 4

struct txn_row_listed {
	enum engine_family family;
	const struct tree_row *row;
};

struct txn_rows {
	struct arena arena;
	struct tree trees[FAMILY_COUNT];
	struct txn_row_listed listed[TXN_ROWS_LISTED]; /* in the order of changes, none in a tree */
	unsigned listed_count;
	bool in_trees; /* nothing is listed any more */
};

/* None, whatever there was; once before the first use, all zero then. */
void txn_rows_clear(struct txn_rows *rows);

void txn_rows_free(struct txn_rows *rows);

bool txn_rows_are_none(const struct txn_rows *rows);

/* One more, over an earlier one with its key. What is returned stands until all are cleared. */
const struct tree_row *txn_rows_put(struct txn_rows *rows, enum engine_family family,
				    struct slice key, struct slice value, bool deleted);

/* All of them, to read from until the next is put. */
void txn_rows_show(struct txn_rows *rows, struct layer *layer);

/* All of them go into the store. */
void txn_rows_commit(const struct txn_rows *rows, struct store *s);

#endif
