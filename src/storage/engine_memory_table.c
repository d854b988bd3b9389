#include "storage/engine_memory_table.h"

#include "base/check.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct memory_row *memory_row_new(struct slice key, struct slice value)
{
	struct memory_row *row = mem_alloc(sizeof(*row) + key.len + value.len);

	*row = (struct memory_row){.refs = 1, .key_len = key.len, .value_len = value.len};
	memcpy(row->bytes, key.data, key.len);
	if (value.len > 0)
		memcpy(row->bytes + key.len, value.data, value.len);
	return row;
}

void memory_row_release(struct memory_row *row)
{
	CHECK(row->refs > 0);
	if (--row->refs == 0)
		mem_free(row);
}

struct memory_table *memory_table_new(void)
{
	struct memory_table *t = MEM_NEW(struct memory_table);

	t->refs = 1;
	return t;
}

struct memory_table *memory_table_hold(struct memory_table *t)
{
	t->refs++;
	return t;
}

void memory_table_release(struct memory_table *t)
{
	CHECK(t->refs > 0);
	if (--t->refs > 0)
		return;
	for (size_t i = 0; i < t->count; i++)
		memory_row_release(t->rows[i]);
	mem_free(t->rows);
	mem_free(t);
}

void memory_table_append(struct memory_table *t, struct memory_row *row)
{
	CHECK(t->count == 0 ||
	      slice_compare(memory_row_key(t->rows[t->count - 1]), memory_row_key(row)) < 0);
	MEM_GROW(t->rows, t->cap, t->count + 1);
	t->rows[t->count++] = row;
	t->bytes += row->key_len + row->value_len;
}

size_t memory_table_find(const struct memory_table *t, struct slice key)
{
	size_t low = 0;
	size_t high = t->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (slice_compare(memory_row_key(t->rows[middle]), key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct memory_row *memory_table_get(const struct memory_table *t, struct slice key)
{
	size_t at = memory_table_find(t, key);

	if (at == t->count || !slice_equal(memory_row_key(t->rows[at]), key))
		return NULL;
	return t->rows[at];
}

/* Appends a row that stands in another table, too. */
static void memory_table_share(struct memory_table *t, struct memory_row *row)
{
	row->refs++;
	memory_table_append(t, row);
}

static int memory_range_order(const void *a, const void *b)
{
	const struct memory_range *x = a;
	const struct memory_range *y = b;

	return slice_compare(buf_slice(&x->from), buf_slice(&y->from));
}

/* Walks sorted ranges beside ascending keys: whether `key` lies in one that has begun. */
struct memory_sweep {
	const struct memory_range *ranges;
	size_t count;
	size_t next;
	struct slice reach; /* the furthest end of those that have begun */
};

static bool memory_sweep_covers(struct memory_sweep *s, struct slice key)
{
	while (s->next < s->count && slice_compare(buf_slice(&s->ranges[s->next].from), key) <= 0) {
		struct slice to = buf_slice(&s->ranges[s->next++].to);

		if (slice_compare(s->reach, to) < 0)
			s->reach = to;
	}
	return slice_compare(key, s->reach) < 0;
}

struct memory_table *memory_table_merge(const struct memory_table *old,
					const struct memory_table *file,
					struct memory_range *ranges, size_t range_count)
{
	struct memory_table *t = memory_table_new();
	struct memory_sweep sweep = {.ranges = ranges, .count = range_count};
	size_t i = 0;
	size_t k = 0;

	if (range_count > 0)
		qsort(ranges, range_count, sizeof(*ranges), memory_range_order);
	while (i < old->count || k < file->count) {
		int order = i == old->count    ? 1
			    : k == file->count ? -1
					       : slice_compare(memory_row_key(old->rows[i]),
							       memory_row_key(file->rows[k]));

		if (order < 0 && !memory_sweep_covers(&sweep, memory_row_key(old->rows[i])))
			memory_table_share(t, old->rows[i]);
		if (order >= 0 && !file->rows[k]->deleted)
			memory_table_share(t, file->rows[k]);
		i += order <= 0;
		k += order >= 0;
	}
	return t;
}
