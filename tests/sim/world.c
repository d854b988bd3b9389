/* Time and events, and what is said when something is found. */

#include "sim/world.h"

#include "base/check.h"
#include "base/mem.h"
#include "sim/trace.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void world_at(struct world *w, struct event *e, uint64_t at_us,
	      void (*fire)(struct world *, struct event *))
{
	e->at_us = MAX(at_us, w->now_us);
	e->order = w->order++;
	e->fire = fire;
	heap_push(&w->events, &e->node);
}

void world_cancel(struct world *w, struct event *e)
{
	if (e->node.place)
		heap_remove(&w->events, &e->node);
}

static PRINTF_LIKE(3, 0) void world_line(struct world *w, const struct host *h, const char *fmt,
					 va_list args)
{
	char line[512];
	int n;

	n = snprintf(line, sizeof(line), "%10.3f ms  %-4s ", (double)w->now_us / 1000.0,
		     h ? h->name : "");
	vsnprintf(line + n, sizeof(line) - (size_t)n, fmt, args);
	trace_add(w->ring, line);
}

void world_fail(struct world *w, const char *fmt, ...)
{
	va_list args;

	if (w->failure[0])
		return;
	va_start(args, fmt);
	vsnprintf(w->failure, sizeof(w->failure), fmt, args);
	va_end(args);
	TRACE(w, NULL, "FOUND: %s", w->failure);
	w->done = true;
}

void world_trace(struct world *w, const struct host *h, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	world_line(w, h, fmt, args);
	va_end(args);
}
