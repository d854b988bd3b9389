#ifndef CONCLAVE_STORAGE_TXN_INTERNAL_H
#define CONCLAVE_STORAGE_TXN_INTERNAL_H

/* Inside storage only: what the files of txn share. */

#include "base/error.h"
#include "storage/txn.h"

/* A row that cannot be read is a damaged one. */
static inline int row_decoded(int rc)
{
	return rc == ERR_MALFORMED ? ERR_CORRUPT : rc;
}

/* So much more is done: OK or ERR_WORK. */
static inline int txn_work(struct txn *t, uint64_t units)
{
	if (t->work_limit == 0)
		return OK;
	t->work += units;
	return t->work > t->work_limit ? ERR_WORK : OK;
}

/* ---- txn.c ----------------------------------------------------------------------------------- */

/* The keyspace of a database now. */
uint32_t txn_keyspace(const struct txn *t, unsigned database);

/* The newest record under a key, tombstones too; all zero if there is none. */
MUST_USE int txn_newest_record(struct txn *t, uint32_t keyspace, struct slice key,
			       struct record *r);

/* To read from, with what the txn has changed itself: until its next change. */
struct reader *txn_reader(struct txn *t);

/* One row of the layer. The row returned stands as long as the txn's changes do. */
const struct tree_row *txn_put(struct txn *t, enum engine_family family, struct slice key,
			       struct slice value, bool deleted);

/* The revision of a change that is being made. */
struct revision txn_next_revision(struct txn *t);

/* A change between these two records of a key, to be completed. */
struct change txn_change_of(const struct txn *t, enum change_kind kind, uint32_t keyspace,
			    struct slice key, const struct record *old, const struct record *new);

/* Into history. */
const struct tree_row *txn_put_change(struct txn *t, struct revision at, const struct change *c);

/*
 * The record, whatever is counted of it, and its deadline row, which `new` gets. Returns the
 * record's row.
 */
const struct tree_row *txn_put_record(struct txn *t, uint32_t keyspace, struct slice key,
				      const struct record *old, struct record *new);

/* What becomes garbage with the command at hand, to be dropped when the horizon has come. */
void txn_put_garbage(struct txn *t, enum garbage_kind kind, uint64_t id);

/* The elements of a collection that ends with this command are garbage. */
void txn_bury(struct txn *t, const struct record *old);

/* Counts of a keyspace that will be added at commit. */
struct keyspace_delta *txn_delta(struct txn *t, uint32_t keyspace);

/* ---- txn_element.c --------------------------------------------------------------------------- */

/* The key of an element's row, in t->key. */
struct slice txn_element_key(struct txn *t, enum record_type type, uint64_t incarnation,
			     struct slice element);

/* As txn_element; unless `kept`, the value is borrowed until the next read only. */
MUST_USE int txn_element_read(struct txn *t, const struct record *r, struct slice element,
			      bool kept, struct slice *value);

/* ---- txn_chunks.c ---------------------------------------------------------------------------- */

/* A part of a string in chunks that it has. */
MUST_USE int chunks_read(struct txn *t, const struct record *r, uint64_t from, size_t len,
			 struct slice *part);

/* ---- txn_past.c ------------------------------------------------------------------------------ */

/* The keyspace that a database had, at the revision that is read. */
MUST_USE int past_keyspace(struct txn *t, unsigned database, uint32_t *keyspace);

/* From the newest record under a key to the one of that revision. */
MUST_USE int past_record(struct txn *t, uint32_t keyspace, struct slice key, struct record *r);

/* Elements of this incarnation are read as they were. */
MUST_USE int past_elements(struct txn *t, uint64_t incarnation);

void past_clear(struct past *p);
void past_free(struct past *p);

#endif
