#ifndef CONCLAVE_BENCH_GENERATOR_TARGET_H
#define CONCLAVE_BENCH_GENERATOR_TARGET_H

/* A server's address, and what every connection says first. */

#include "base/bytes.h"

#include <sys/socket.h>

struct target {
	char *name; /* host:port, as it was given */
	struct sockaddr_storage address;
	socklen_t address_len;
};

/* Looks up "host:port" or "host" (port 6379). ERR_INVALID: `problem` says why. */
MUST_USE int target_find(struct target *t, const char *name, struct buf *problem);

void target_free(struct target *t);

/*
 * Connects, says `greeting` and reads its `replies` replies, for at most `timeout_s`. ERR_IO:
 * nobody answers; ERR_INVALID: somebody does, with an error or no protocol. `problem` says more.
 */
MUST_USE int target_try(const struct target *t, struct slice greeting, size_t replies,
			unsigned timeout_s, struct buf *problem);

#endif
