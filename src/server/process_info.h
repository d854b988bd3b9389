#ifndef CONCLAVE_SERVER_PROCESS_INFO_H
#define CONCLAVE_SERVER_PROCESS_INFO_H

/* What INFO tells of the process as the system sees it. */

#include "base/random.h"
#include "command/host.h"

#define RUN_ID_LEN 40

struct process_info {
	char run_id[RUN_ID_LEN + 1];
	char os[256];
	char executable[4096];
	uint64_t started_ms; /* on the monotonic clock */
	uint64_t machine_bytes;
};

/* Asks the system for what never changes; `now_ms` on the monotonic clock. */
void process_info_init(struct process_info *p, struct random *random, uint64_t now_ms);

/*
 * Sets what the system says of the process: identity, age, memory, time spent. `out` points into
 * `p`.
 */
void process_info_fill(const struct process_info *p, uint64_t now_ms, struct info_process *out);

#endif
