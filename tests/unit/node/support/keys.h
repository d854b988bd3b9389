#ifndef CONCLAVE_UNIT_NODE_SUPPORT_KEYS_H
#define CONCLAVE_UNIT_NODE_SUPPORT_KEYS_H

/*
 * Keys of a lone member, written and looked at right in its store, between two turns: what commands
 * do to a record, without the commands.
 */

#include "solo.h"
#include "storage/row.h"

/* Cluster time now. */
uint64_t keys_time_ms(const struct solo *s);

/* The key holds "v", until this time; 0: for ever. */
void keys_set(struct solo *s, unsigned database, const char *key, uint64_t deadline_ms);

/* The key, which is there, has this deadline from now on; 0: none. */
void keys_put_off(struct solo *s, unsigned database, const char *key, uint64_t deadline_ms);

/* The key, which is there, is gone. */
void keys_delete(struct solo *s, unsigned database, const char *key);

/* The database is empty. */
void keys_flush(struct solo *s, unsigned database);

bool keys_exist(struct solo *s, unsigned database, const char *key);

/* When the key expired, as its last change says; 0: that was something else. */
uint64_t keys_expired_ms(struct solo *s, unsigned database, const char *key);

/*
 * NULL, or what is not as it should be: each record of a mapped keyspace has the deadline row that
 * it says it has, no other row is there, and what is counted is right. `*rows` is how many there
 * are.
 */
const char *keys_broken(struct solo *s, size_t *rows);

/* The log moves on, and what is applied goes to the engine, if overlays are small. */
void keys_store(struct solo *s);

/* Milliseconds go by, one by one. */
void keys_wait(struct solo *s, uint64_t ms);

#endif
