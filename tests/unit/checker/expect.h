#ifndef CONCLAVE_UNIT_CHECKER_EXPECT_H
#define CONCLAVE_UNIT_CHECKER_EXPECT_H

/* Histories written by hand on one key, and what the checker is expected to say of them. */

#include "checker/linearize.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define KEY 7

/* Each of these adds one operation by a client of its own. */

static inline void done(struct history *h, uint64_t call, uint64_t ret, enum history_kind kind,
			uint64_t value, uint64_t result)
{
	uint32_t client = (uint32_t)h->len;

	history_return(h, ret, history_call(h, call, client, KEY, kind, value), result);
}

static inline void done_write(struct history *h, uint64_t call, uint64_t ret, uint64_t value)
{
	done(h, call, ret, HISTORY_WRITE, value, 0);
}

static inline void done_read(struct history *h, uint64_t call, uint64_t ret, uint64_t result)
{
	done(h, call, ret, HISTORY_READ, 0, result);
}

static inline void done_cas(struct history *h, uint64_t call, uint64_t ret, uint64_t expected,
			    uint64_t value, uint64_t result)
{
	size_t op = history_call_cas(h, call, (uint32_t)h->len, KEY, expected, value);

	history_return(h, ret, op, result);
}

static inline void done_incr(struct history *h, uint64_t call, uint64_t ret, uint64_t result)
{
	done(h, call, ret, HISTORY_INCR, 0, result);
}

static inline void done_delete(struct history *h, uint64_t call, uint64_t ret, uint64_t existed)
{
	done(h, call, ret, HISTORY_DELETE, 0, existed);
}

static inline void done_append(struct history *h, uint64_t call, uint64_t ret, uint64_t value,
			       uint64_t length)
{
	done(h, call, ret, HISTORY_APPEND, value, length);
}

#define done_list(h, call, ret, ...)                           \
	list_of(h, call, ret, (const uint64_t[]){__VA_ARGS__}, \
		ARRAY_LEN(((const uint64_t[]){__VA_ARGS__})))

static inline void list_of(struct history *h, uint64_t call, uint64_t ret, const uint64_t *elements,
			   size_t count)
{
	size_t op = history_call(h, call, (uint32_t)h->len, KEY, HISTORY_READ_LIST, 0);

	history_return_list(h, ret, op, elements, count);
}

static inline void open_call(struct history *h, uint64_t call, enum history_kind kind,
			     uint64_t value)
{
	history_call(h, call, (uint32_t)h->len, KEY, kind, value);
}

/* Checks and frees the history; `texts` ends with NULL and has to stand in the report. */
static inline void expect_report(struct history *h, enum linearize_verdict verdict,
				 const char *const *texts)
{
	struct buf report = {0};
	struct linearize_result result = linearize_check(h, LINEARIZE_STEPS, &report);

	assert_int_equal(result.verdict == LINEARIZE_PASS, report.len == 0);
	buf_append_byte(&report, 0);
	if (result.verdict != verdict)
		fail_msg("verdict %s\n%s", linearize_verdict_name(result.verdict),
			 (const char *)report.data);
	for (; *texts; texts++)
		if (!strstr((const char *)report.data, *texts))
			fail_msg("\"%s\" is not in\n%s", *texts, (const char *)report.data);
	buf_free(&report);
	history_free(h);
}

static inline void expect(struct history *h, enum linearize_verdict verdict)
{
	expect_report(h, verdict, (const char *const[]){NULL});
}

#endif
