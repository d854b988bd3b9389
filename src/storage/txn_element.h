#ifndef CONCLAVE_STORAGE_TXN_ELEMENT_H
#define CONCLAVE_STORAGE_TXN_ELEMENT_H

/*
 * Collections: their elements are rows of their own, kept under the collection's incarnation, not
 * under its key, so that a key of a million elements is moved or deleted by changing its record.
 * Each element that changes is a change in history, with what the element was before. The record is
 * written once for all that a command does; it carries the revision of the last of these changes.
 */

#include "storage/txn.h"

/* ---- reading --------------------------------------------------------------------------------- */

/* What an element holds; `r` is a collection that txn_record gave. ERR_NOT_FOUND: it is not there.
 */
MUST_USE int txn_element(struct txn *t, const struct record *r, struct slice element,
			 struct slice *value);

/*
 * All elements, in the order in which they are kept.
 *
 *	rc = element_scan_open(&s, t, &r);
 *	if (rc != OK)
 *		return rc;
 *	while (element_scan_next(&s, &element, &value))
 *		...
 *	return element_scan_close(&s);
 *
 * Nothing else is read or changed in between.
 */
struct element_scan {
	struct txn *txn;
	struct scan scan;
	enum record_type type;
	uint8_t from[ELEMENT_KEY_HEAD + ELEMENT_ORDER_MAX];
	uint8_t to[ELEMENT_KEY_HEAD];
	uint64_t hash; /* what the element that came last is sorted by, if its type has that */
	int error;
};

/* As scan_open. The struct stays where it is; after an error there is nothing to close. */
MUST_USE int element_scan_open(struct element_scan *s, struct txn *t, const struct record *r);

/* From a hash on, for a type that sorts by hashes. */
MUST_USE int element_scan_open_at(struct element_scan *s, struct txn *t, const struct record *r,
				  uint64_t hash);

/* The next one, borrowed until the next call. */
MUST_USE bool element_scan_next(struct element_scan *s, struct slice *element, struct slice *value);

/* Ends it; what went wrong on the way, or OK. */
MUST_USE int element_scan_close(struct element_scan *s);

/* ---- changing -------------------------------------------------------------------------------- */

/*
 * A collection that a command changes: opened once, closed once, with nothing else done to its key
 * in between. If a function fails, the command is undone as a whole and nothing is closed.
 */
struct collection {
	struct txn *txn;
	uint32_t keyspace;
	struct slice key;  /* borrowed */
	struct record old; /* before the command */
	struct record now; /* as the record will be */
};

/*
 * What stands under the key is `old`, as for the functions of txn.h; unless it is of this type, it
 * is replaced by a new and empty collection, as soon as that has an element.
 */
void collection_open(struct collection *c, struct txn *t, unsigned database, struct slice key,
		     const struct record *old, enum record_type type);

/* The element's value; ERR_NOT_FOUND, or as txn_element. */
MUST_USE int collection_get(struct collection *c, struct slice element, struct slice *value);

/* The element holds this from now on; `*added`: it was not there before. ERR_MISSING, ... */
MUST_USE int collection_set(struct collection *c, struct slice element, struct slice value,
			    bool *added);

/* The element is gone; `*removed`: it was there. ERR_MISSING, ... */
MUST_USE int collection_remove(struct collection *c, struct slice element, bool *removed);

/* What was changed comes into the record; a collection without elements is deleted. */
void collection_close(struct collection *c);

#endif
