#ifndef CONCLAVE_BENCH_SUPPORT_ALLOCATIONS_H
#define CONCLAVE_BENCH_SUPPORT_ALLOCATIONS_H

/*
 * How often this program asked for memory. The build wraps the allocator (bench/CMakeLists.txt), so
 * what libraries ask for by themselves, RocksDB and libc, is not counted.
 */

#include <stdint.h>

/* By the calling thread, since it began. */
uint64_t allocations_here(void);

#endif
