#include "sim/trace.h"

#include "base/bytes.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

struct trace_ring {
	struct buf *lines;
	size_t keep;
	size_t next;
	bool live;
};

struct trace_ring *trace_new(size_t keep, bool live)
{
	struct trace_ring *t = MEM_NEW(struct trace_ring);

	t->lines = mem_zalloc(keep, sizeof(*t->lines));
	t->keep = keep;
	t->live = live;
	return t;
}

void trace_free(struct trace_ring *t)
{
	for (size_t i = 0; i < t->keep; i++)
		buf_free(&t->lines[i]);
	mem_free(t->lines);
	mem_free(t);
}

void trace_add(struct trace_ring *t, const char *line)
{
	struct buf *b;

	if (t->live) {
		puts(line);
		return;
	}
	b = &t->lines[t->next++ % t->keep];
	buf_clear(b);
	buf_append(b, line, strlen(line));
}

void trace_print(const struct trace_ring *t)
{
	size_t first = t->next > t->keep ? t->next - t->keep : 0;

	for (size_t i = first; i < t->next; i++) {
		const struct buf *b = &t->lines[i % t->keep];

		printf("%.*s\n", (int)b->len, (const char *)b->data);
	}
}
