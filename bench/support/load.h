#ifndef CONCLAVE_BENCH_SUPPORT_LOAD_H
#define CONCLAVE_BENCH_SUPPORT_LOAD_H

/*
 * What clients ask for: keys "key:000000012345", values of 256 bytes that do not compress, and the
 * batches in which members put such commands into the log.
 */

#include "base/bytes.h"
#include "base/random.h"
#include "node/batch.h"

#define LOAD_KEY_BYTES	 16
#define LOAD_VALUE_BYTES 256
#define LOAD_POOL_BYTES	 ((size_t)64 << 10)

enum load_command {
	LOAD_SET,
	LOAD_INCR,
	LOAD_GET,
};

struct load {
	struct random random;
	uint8_t pool[LOAD_POOL_BYTES]; /* values are parts of it */
	uint8_t key[LOAD_KEY_BYTES];
	struct slice argv[3];
	struct buf batch;
};

void load_init(struct load *l, uint64_t seed);
void load_close(struct load *l);

/* The arguments of a command on this key, borrowed until the next call; returns how many. */
size_t load_command(struct load *l, enum load_command what, uint64_t key);

/* One of so many keys. */
uint64_t load_any(struct load *l, uint64_t keys);

/*
 * A batch of `h->count` commands on random keys out of `keys`, or with `keys` 0 on those from
 * `first` on. The caller releases it.
 */
struct blob *load_batch(struct load *l, const struct batch_header *h, enum load_command what,
			uint64_t keys, uint64_t first);

#endif
