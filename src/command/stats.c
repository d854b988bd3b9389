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
	struct command_stats larger = *s;

	larger.cap = s->cap ? 2 * s->cap : PLACES_MIN;
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

/*
 * Redis counts in nanoseconds: the first bucket goes from 1,024 of them up to what two digits
 * cannot tell from that, and each other one twice as far.
 */
#define FIRST_BUCKET_NSEC 1032

uint64_t command_bucket_usec(size_t bucket)
{
	return (((uint64_t)FIRST_BUCKET_NSEC << bucket) - 1) / 1000;
}

static size_t bucket_of(uint64_t usec)
{
	uint64_t firsts = MIN(usec, (uint64_t)UINT32_MAX) * 1000 / FIRST_BUCKET_NSEC;
	size_t bucket = firsts ? (size_t)(64 - __builtin_clzll(firsts)) : 0;

	return MIN(bucket, (size_t)LATENCY_BUCKETS - 1);
}

void command_stats_ran(struct command_stats *s, const struct command *command, uint64_t usec,
		       bool failed)
{
	struct command_count *count = count_of(s, command);

	count->calls++;
	count->failed += failed;
	count->usec += usec;
	count->took[bucket_of(usec)]++;
	s->calls++;
}

void command_stats_rejected(struct command_stats *s, const struct command *command)
{
	count_of(s, command)->rejected++;
}

static struct error_count *error_count_of(struct command_stats *s, const char *code)
{
	size_t at = 0;

	while (at < s->error_codes && strcmp(s->errors[at].code, code) < 0)
		at++;
	if (at < s->error_codes && strcmp(s->errors[at].code, code) == 0)
		return &s->errors[at];
	if (s->error_codes == ERROR_CODES_MAX)
		return NULL;
	memmove(&s->errors[at + 1], &s->errors[at], (s->error_codes - at) * sizeof(*s->errors));
	s->error_codes++;
	s->errors[at] = (struct error_count){0};
	memcpy(s->errors[at].code, code, strlen(code));
	return &s->errors[at];
}

void command_stats_error(struct command_stats *s, struct slice text)
{
	char code[ERROR_CODE_LEN_MAX + 1] = {0};
	struct error_count *count;

	for (size_t i = 0; i < MIN(text.len, (size_t)ERROR_CODE_LEN_MAX); i++) {
		if (text.data[i] == ' ' || text.data[i] == '\r')
			break;
		code[i] = (char)text.data[i];
	}
	s->error_replies++;
	count = error_count_of(s, code);
	if (count)
		count->count++;
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
	s->error_codes = 0;
	s->error_replies = 0;
}
