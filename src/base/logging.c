#include "base/logging.h"

#include "base/bytes.h"
#include "base/clock.h"

#include <stdarg.h>
#include <string.h>
#include <time.h>

void logger_printf(const struct logger *l, enum log_level level, const char *fmt, ...)
{
	char text[1024];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (len < 0)
		return;
	l->write(l->ctx, level, text, MIN((size_t)len, sizeof(text) - 1));
}

static void stream_write(void *ctx, enum log_level level, const char *text, size_t len)
{
	struct clock clock = clock_system();
	uint64_t wall_ms = clock_wall_ms(&clock);
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm tm;
	char when[32];

	gmtime_r(&seconds, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
	fprintf(ctx, "%s.%03uZ %-7s %.*s\n", when, (unsigned)(wall_ms % 1000),
		log_level_name(level), (int)len, text);
}

struct logger logger_to_stream(FILE *stream, enum log_level level)
{
	return (struct logger){.level = level, .write = stream_write, .ctx = stream};
}

const char *log_level_name(enum log_level level)
{
	static const char *const names[] = {"error", "warning", "notice", "debug"};

	return (size_t)level < ARRAY_LEN(names) ? names[level] : "unknown";
}
