#ifndef CONCLAVE_BASE_LOGGING_H
#define CONCLAVE_BASE_LOGGING_H

/*
 * Messages for people, by level. A message whose level is off costs one comparison: its arguments
 * are not evaluated. Where the text goes is up to the sink.
 */

#include "base/compiler.h"

#include <stdbool.h>
#include <stdio.h>

enum log_level {
	LOG_ERROR = 0,	 /* this member cannot go on, or lost something */
	LOG_WARNING = 1, /* somebody should look */
	LOG_NOTICE = 2,	 /* what an operator wants to see of a healthy member */
	LOG_DEBUG = 3,	 /* what a developer wants to see of a sick one */
};

struct logger {
	enum log_level level; /* messages above it are off; changed by logger_set_level alone */
	/* Receives one line without its end; `text` is valid during the call. */
	void (*write)(void *ctx, enum log_level level, const char *text, size_t len);
	void *ctx;
};

/* Any thread may log while another one sets the level. */
static inline void logger_set_level(struct logger *l, enum log_level level)
{
	__atomic_store_n(&l->level, level, __ATOMIC_RELAXED);
}

static inline bool logger_is_on(const struct logger *l, enum log_level level)
{
	return level <= __atomic_load_n(&l->level, __ATOMIC_RELAXED);
}

/* Logs to `l`, which may be NULL for nowhere: LOG(logger, LOG_NOTICE, "leads term %" PRIu64, t). */
#define LOG(l, at, ...)                                            \
	do {                                                       \
		const struct logger *logger_ = (l);                \
		if (logger_ && logger_is_on(logger_, (at)))        \
			logger_printf(logger_, (at), __VA_ARGS__); \
	} while (0)

void logger_printf(const struct logger *l, enum log_level level, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

/* A logger that writes lines to a stream: time, level, text. */
struct logger logger_to_stream(FILE *stream, enum log_level level);

/* "error", "warning", "notice", "debug". */
const char *log_level_name(enum log_level level);

#endif
