#ifndef CONCLAVE_BASE_COMPILER_H
#define CONCLAVE_BASE_COMPILER_H

/* What the compiler is told beyond the language, under one name for gcc and clang. */

#include <stddef.h>
#include <stdint.h>

/* The result says whether the function did its work: ignoring it does not compile. */
#define MUST_USE __attribute__((warn_unused_result))

/* Arguments `fmt` and following are checked as printf's. */
#define PRINTF_LIKE(fmt, first) __attribute__((format(printf, fmt, first)))

#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/*
 * The object of type `type` whose field `member` is at `ptr`. `type` may be const; the detour over
 * a number is what lets a pointer to const through without a warning.
 */
#define CONTAINER_OF(ptr, type, member) ((type *)((uintptr_t)(ptr)-offsetof(type, member)))

/* Bytes that come from memory together. */
#define CACHE_LINE 64

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

#endif
