#include "storage/log_segment.h"

#include "base/check.h"
#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct log_path log_path(const char *dir, const char *name)
{
	struct log_path p;

	snprintf(p.text, sizeof(p.text), "%s/%s", dir, name);
	return p;
}

struct log_path log_path_segment(const char *dir, uint64_t sequence)
{
	char name[32];

	snprintf(name, sizeof(name), LOG_SEGMENT_NAME, sequence);
	return log_path(dir, name);
}

struct log_path log_path_spare(const char *dir, uint64_t number)
{
	char name[32];

	snprintf(name, sizeof(name), LOG_SPARE_PREFIX "%" PRIu64, number);
	return log_path(dir, name);
}

bool log_segment_name_parse(const char *name, uint64_t *sequence)
{
	uint64_t number = 0;

	if (strlen(name) != 20 || strcmp(name + 16, ".log") != 0)
		return false;
	for (int i = 0; i < 16; i++) {
		const char *digits = "0123456789abcdef";
		const char *found = strchr(digits, name[i]);

		if (!found)
			return false;
		number = number << 4 | (uint64_t)(found - digits);
	}
	*sequence = number;
	return number > 0;
}

struct log_segment *log_segment_new(uint64_t sequence, uint64_t first)
{
	struct log_segment *s = MEM_NEW(struct log_segment);

	list_init(&s->link);
	s->sequence = sequence;
	s->first = first;
	s->end = first;
	return s;
}

void log_segment_free(struct log_segment *s)
{
	if (!s)
		return;
	list_remove(&s->link);
	disk_close(s->file);
	mem_free(s->places);
	mem_free(s);
}

void log_segment_add_place(struct log_segment *s, uint64_t index, uint64_t offset)
{
	CHECK(index >= s->first && index - s->first <= UINT32_MAX);
	CHECK(offset / DISK_BLOCK <= UINT32_MAX);
	MEM_GROW(s->places, s->place_cap, s->place_count + 1);
	s->places[s->place_count++] =
		(struct log_place){(uint32_t)(index - s->first), (uint32_t)(offset / DISK_BLOCK)};
}

void log_segment_was_read(struct log_segment *s, uint64_t index, uint64_t offset)
{
	if (!s->unread || index <= s->unread)
		return;
	s->unread = index < s->end ? index : 0;
	if (s->unread)
		log_segment_add_place(s, index, offset);
}

void log_segment_cut(struct log_segment *s, uint64_t first)
{
	CHECK(first >= s->first);
	if (first >= s->end)
		return;
	s->end = first;
	if (s->unread >= first)
		s->unread = 0;
	while (s->place_count > 0 && s->first + s->places[s->place_count - 1].first >= first)
		s->place_count--;
}

void log_segment_find(const struct log_segment *s, uint64_t index, uint64_t *offset,
		      uint64_t *next_offset)
{
	size_t low = 0;
	size_t high = s->place_count;

	CHECK(index >= s->first && index < s->end && s->place_count > 0);
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (s->first + s->places[middle].first <= index)
			low = middle;
		else
			high = middle;
	}
	*offset = (uint64_t)s->places[low].block * DISK_BLOCK;
	*next_offset = low + 1 < s->place_count ? (uint64_t)s->places[low + 1].block * DISK_BLOCK
						: s->bytes;
}
