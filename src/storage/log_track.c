#include "storage/log_track.h"

#include "base/check.h"
#include "base/mem.h"
#include "base/mutant.h"

#include <string.h>

static void memberships_free(struct log_membership *m, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		mem_free(m[i].data);
}

void log_track_close(struct log_track *t)
{
	memberships_free(t->memberships, 0, t->membership_count);
	mem_free(t->memberships);
	mem_free(t->base.data);
	mem_free(t->runs);
	memset(t, 0, sizeof(*t));
}

static struct log_membership membership_copy(uint64_t index, struct slice bytes)
{
	struct log_membership m = {.index = index, .len = bytes.len};

	m.data = mem_alloc(bytes.len);
	if (bytes.len > 0)
		memcpy(m.data, bytes.data, bytes.len);
	return m;
}

void log_track_reset(struct log_track *t, uint64_t base_index, uint64_t base_term,
		     uint64_t membership_index, struct slice membership)
{
	struct log_membership base = membership_copy(membership_index, membership);

	CHECK(membership_index <= base_index);
	log_track_close(t);
	t->base_index = base_index;
	t->base_term = base_term;
	t->last_index = base_index;
	t->base = base;
}

void log_track_append(struct log_track *t, uint64_t term, uint8_t kind, struct slice payload)
{
	uint64_t index = t->last_index + 1;
	uint64_t before = log_track_term(t, t->last_index);

	CHECK(term >= before);
	if (t->run_count == 0 || term > before) {
		MEM_GROW(t->runs, t->run_cap, t->run_count + 1);
		t->runs[t->run_count++] = (struct log_term_run){index, term};
	}
	t->last_index = index;
	if (kind == ENTRY_MEMBERSHIP)
		log_track_note(t, index, payload);
}

void log_track_extend(struct log_track *t, uint64_t term, uint64_t last)
{
	CHECK(last > t->last_index);
	log_track_append(t, term, ENTRY_NOOP, (struct slice){0});
	t->last_index = last;
}

void log_track_note(struct log_track *t, uint64_t index, struct slice membership)
{
	CHECK(index > t->base_index && index <= t->last_index);
	CHECK(t->membership_count == 0 || t->memberships[t->membership_count - 1].index < index);
	MEM_GROW(t->memberships, t->membership_cap, t->membership_count + 1);
	t->memberships[t->membership_count++] = membership_copy(index, membership);
}

void log_track_truncate(struct log_track *t, uint64_t first)
{
	size_t kept = t->membership_count;

	CHECK(first > t->base_index && first <= t->last_index + 1);
	while (t->run_count > 0 && t->runs[t->run_count - 1].first_index >= first)
		t->run_count--;
	while (kept > 0 && t->memberships[kept - 1].index >= first)
		kept--;
	memberships_free(t->memberships, kept, t->membership_count);
	t->membership_count = kept;
	t->last_index = first - 1;
}

static void release_memberships(struct log_track *t, uint64_t index)
{
	size_t gone = 0;

	while (gone < t->membership_count && t->memberships[gone].index <= index)
		gone++;
	if (gone == 0)
		return;
	mem_free(t->base.data);
	t->base = t->memberships[gone - 1];
	memberships_free(t->memberships, 0, gone - 1);
	t->membership_count -= gone;
	memmove(t->memberships, t->memberships + gone,
		t->membership_count * sizeof(*t->memberships));
}

void log_track_release(struct log_track *t, uint64_t index)
{
	size_t gone = 0;

	CHECK(index >= t->base_index && index <= t->last_index);
	t->base_term = log_track_term(t, index);
	t->base_index = index;
	release_memberships(t, index);
	while (gone + 1 < t->run_count && t->runs[gone + 1].first_index <= index + 1)
		gone++;
	t->run_count -= gone;
	memmove(t->runs, t->runs + gone, t->run_count * sizeof(*t->runs));
	if (t->last_index == index)
		t->run_count = 0;
	else
		t->runs[0].first_index = index + 1;
}

uint64_t log_track_term(const struct log_track *t, uint64_t index)
{
	size_t low = 0;
	size_t high = t->run_count;

	CHECK(index >= t->base_index && index <= t->last_index);
	if (index == t->base_index)
		return t->base_term;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (t->runs[middle].first_index <= index)
			low = middle;
		else
			high = middle;
	}
	return t->runs[low].term;
}

const struct log_membership *log_track_membership(const struct log_track *t, uint64_t index)
{
	size_t i = t->membership_count;

	CHECK(index >= t->base_index);
	if (MUTANT(log_membership_from_header_only))
		return &t->base;
	while (i > 0 && t->memberships[i - 1].index > index)
		i--;
	return i > 0 ? &t->memberships[i - 1] : &t->base;
}

const char *log_track_broken(const struct log_track *t)
{
	if (t->base.index > t->base_index)
		return "base membership above the base";
	if (t->last_index < t->base_index)
		return "ends before it begins";
	if ((t->last_index == t->base_index) != (t->run_count == 0))
		return "runs without entries, or entries without runs";
	if (t->run_count > 0 && t->runs[0].first_index != t->base_index + 1)
		return "first run is not at the base";
	for (size_t i = 1; i < t->run_count; i++) {
		if (t->runs[i].first_index <= t->runs[i - 1].first_index ||
		    t->runs[i].term <= t->runs[i - 1].term)
			return "runs do not ascend";
	}
	for (size_t i = 0; i < t->membership_count; i++) {
		if (t->memberships[i].index <= (i ? t->memberships[i - 1].index : t->base_index))
			return "memberships do not ascend";
	}
	return NULL;
}
