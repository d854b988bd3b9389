#ifndef CONCLAVE_BENCH_SUPPORT_USAGE_H
#define CONCLAVE_BENCH_SUPPORT_USAGE_H

/*
 * What this process has used of the machine: of the processor, not of the wall, since others may be
 * at work.
 */

#include <stdint.h>

/* Processor time of the calling thread and of all threads together. */
uint64_t usage_thread_ns(void);
uint64_t usage_process_ns(void);

/* Processor time so far of the threads by what they do. */
struct usage_threads {
	uint64_t engine_ns; /* RocksDB's own: merging */
	uint64_t store_ns;  /* the engine's writer */
	uint64_t log_ns;
	uint64_t read_ns;
};

void usage_threads(struct usage_threads *out);

/* Memory in RAM now, and the most there ever was. */
struct usage_memory {
	uint64_t resident_bytes;
	uint64_t peak_bytes;
};

void usage_memory(struct usage_memory *out);

#endif
