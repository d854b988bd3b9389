#ifndef CONCLAVE_SIM_KV_H
#define CONCLAVE_SIM_KV_H

/*
 * The state machine that the simulated members replicate: a few keys, each a register or a list.
 * Small, but stored and replaced like a real one: a file beside the log, written anew, synced and
 * renamed, with a checksum.
 */

#include "base/entry.h"
#include "checker/history.h"
#include "consensus/snapshot.h"
#include "node/machine.h"
#include "storage/disk.h"

#define KV_KEYS 16

struct kv_command {
	uint64_t op; /* number in the clients' history */
	enum history_kind kind;
	uint64_t key;
	uint64_t value;
	uint64_t expected;
};

struct kv_result {
	uint64_t value; /* as in the history: see history.h */
};

struct kv_cell {
	uint64_t value; /* register; HISTORY_NONE: absent */
	uint64_t *list;
	size_t len;
	size_t cap;
};

struct kv {
	uint64_t index;
	uint64_t term;
	uint64_t digest; /* over everything ever applied */
	struct kv_cell cells[KV_KEYS];
};

void kv_init(struct kv *kv);
void kv_close(struct kv *kv);

void kv_command_encode(const struct kv_command *c, struct buf *out);
MUST_USE int kv_command_decode(struct slice bytes, struct kv_command *c);

/* Applies an entry of any kind; `c` and `result` are set for commands. True if it was one. */
bool kv_apply(struct kv *kv, uint64_t index, const struct entry *e, struct kv_command *c,
	      struct kv_result *result);

/* The state as bytes, behind the descriptor it belongs to. */
void kv_encode(const struct kv *kv, const struct snapshot *s, struct buf *out);

/* Reads them back; `descriptor` receives the encoded snapshot, borrowed. ERR_CORRUPT. */
MUST_USE int kv_decode(struct slice bytes, struct kv *kv, struct slice *descriptor);

#endif
