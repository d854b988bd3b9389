#include "command/stats.h"

#include "base/hash.h"
#include "base/mem.h"

#include <string.h>

#define PLACES_MIN 64

void command_stats_free(struct command_stats *s)
{
	mem_free(s->counts);
	*s = (struct command_stats){0};
}

/* Its place, or the free one where it would stand. */
static struct command_count *place_of(const struct command_stats *s, const struct command *command)
{
	uint64_t hash = hash64(slice_of(&command, sizeof(command)));
	size_t at = hash & (s->cap - 1);

	while (s->counts[at].command && s->counts[at].command != command)
		at = (at + 1) & (s->cap - 1);
	return &s->counts[at];
}

static void stats_grow(struct command_stats *s)
{
	struct command_stats larger = {
		.cap = s->cap ? 2 * s->cap : PLACES_MIN, .len = s->len, .calls = s->calls};

	larger.counts = mem_zalloc(larger.cap, sizeof(*larger.counts));
	for (size_t i = 0; i < s->cap; i++)
		if (s->counts[i].command)
			*place_of(&larger, s->counts[i].command) = s->counts[i];
	mem_free(s->counts);
	*s = larger;
}

static struct command_count *count_of(struct command_stats *s, const struct command *command)
{
	struct command_count *count;

	if (2 * (s->len + 1) > s->cap)
		stats_grow(s);
	count = place_of(s, command);
	s->len += !count->command;
	count->command = command;
	return count;
}

void command_stats_ran(struct command_stats *s, const struct command *command, uint64_t usec,
		       bool failed)
{
	struct command_count *count = count_of(s, command);

	count->calls++;
	count->failed += failed;
	count->usec += usec;
	s->calls++;
}

void command_stats_rejected(struct command_stats *s, const struct command *command)
{
	count_of(s, command)->rejected++;
}

const struct command_count *command_stats_of(const struct command_stats *s,
					     const struct command *command)
{
	const struct command_count *count = s->cap ? place_of(s, command) : NULL;

	return count && count->command ? count : NULL;
}

void command_stats_reset(struct command_stats *s)
{
	if (s->counts)
		memset(s->counts, 0, s->cap * sizeof(*s->counts));
	s->len = 0;
	s->calls = 0;
}
