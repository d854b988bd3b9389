#ifndef CONCLAVE_BASE_HASH_TABLE_H
#define CONCLAVE_BASE_HASH_TABLE_H

/*
 * An intrusive hash table with chains: the caller computes the hash and compares keys, the table
 * links nodes and grows. Finding is a walk over the nodes of one hash:
 *
 *	for (n = hash_table_first(t, hash); n; n = hash_table_next(n))
 *		if (same key) ...
 */

#include "base/compiler.h"

#include <stdint.h>

struct hash_node {
	struct hash_node *next;
	uint64_t hash;
};

struct hash_table {
	struct hash_node **buckets;
	size_t mask; /* number of buckets minus one; buckets NULL: none yet */
	size_t len;
	size_t any; /* the buckets before this one are empty */
};

/* All zero is an empty table. Frees the table's own memory, not the nodes. */
void hash_table_close(struct hash_table *t);

/* Links a node that is in no table. Equal hashes may be there already. */
void hash_table_insert(struct hash_table *t, struct hash_node *node, uint64_t hash);

/* Unlinks a node that is in this table. */
void hash_table_remove(struct hash_table *t, struct hash_node *node);

/* The first node with this hash, or NULL. */
struct hash_node *hash_table_first(const struct hash_table *t, uint64_t hash);

/*
 * Several lookups in a row wait less for memory if all of them call the first of these, then all
 * the second, and then look: buckets and nodes are on their way by then.
 */
void hash_table_expect_bucket(const struct hash_table *t, uint64_t hash);
void hash_table_expect_node(const struct hash_table *t, uint64_t hash);

/* The next node with the same hash, or NULL. */
struct hash_node *hash_table_next(const struct hash_node *node);

/*
 * Any node, or NULL when the table is empty: for emptying it, which takes time in proportion to
 * its size. Changes nothing but where it looks first the next time.
 */
struct hash_node *hash_table_any(struct hash_table *t);

#endif
