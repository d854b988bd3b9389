#include "checker/memo.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"

#include <string.h>

#define MEMO_SLOTS_MIN 256

void memo_init(struct memo *m, size_t words, size_t groups)
{
	*m = (struct memo){.words = words, .groups = groups, .mask = MEMO_SLOTS_MIN - 1};
	m->slots = mem_zalloc(MEMO_SLOTS_MIN, sizeof(*m->slots));
}

void memo_free(struct memo *m)
{
	mem_free(m->rows);
	mem_free(m->sets);
	mem_free(m->used);
	mem_free(m->slots);
	*m = (struct memo){0};
}

static void memo_grow(struct memo *m)
{
	size_t count = (m->mask + 1) * 2;

	mem_free(m->slots);
	m->slots = mem_zalloc(count, sizeof(*m->slots));
	m->mask = count - 1;
	for (size_t i = 0; i < m->len; i++) {
		size_t at = m->rows[i].hash & m->mask;

		while (m->slots[at] != 0)
			at = (at + 1) & m->mask;
		m->slots[at] = (uint32_t)i + 1;
	}
}

/* Whether a row is for the same set and state. */
static bool row_matches(const struct memo *m, size_t row, uint64_t hash,
			const struct memo_config *c)
{
	return m->rows[row].hash == hash && model_state_equal(m->rows[row].state, c->state) &&
	       memcmp(m->sets + row * m->words, c->set, m->words * sizeof(*c->set)) == 0;
}

/* Whether `x` is at most `y` in each group. */
static bool used_covers(const struct memo *m, const uint32_t *x, const uint32_t *y)
{
	for (size_t i = 0; i < m->groups; i++)
		if (x[i] > y[i])
			return false;
	return true;
}

static size_t memo_append(struct memo *m, uint64_t hash, const struct memo_config *c)
{
	CHECK(m->len < UINT32_MAX);
	MEM_GROW(m->rows, m->rows_cap, m->len + 1);
	MEM_GROW(m->sets, m->sets_cap, (m->len + 1) * m->words);
	MEM_GROW(m->used, m->used_cap, (m->len + 1) * m->groups);
	m->rows[m->len] =
		(struct memo_row){.hash = hash, .set_hash = c->set_hash, .state = c->state};
	memcpy(m->sets + m->len * m->words, c->set, m->words * sizeof(*c->set));
	memcpy(m->used + m->len * m->groups, c->used, m->groups * sizeof(*c->used));
	return m->len++;
}

size_t memo_add(struct memo *m, const struct memo_config *c)
{
	uint64_t hash = hash64_pair(c->set_hash ^ c->state.a, c->state.b);
	size_t at = hash & m->mask;
	size_t row;

	for (; m->slots[at] != 0; at = (at + 1) & m->mask) {
		row = m->slots[at] - 1;
		if (!row_matches(m, row, hash, c))
			continue;
		if (used_covers(m, m->used + row * m->groups, c->used))
			return MEMO_COVERED;
		if (used_covers(m, c->used, m->used + row * m->groups))
			m->rows[row].covered = true;
	}
	row = memo_append(m, hash, c);
	m->slots[at] = (uint32_t)row + 1;
	if (m->len > m->mask / 2)
		memo_grow(m);
	return row;
}

struct memo_config memo_get(const struct memo *m, size_t row)
{
	return (struct memo_config){.set = m->sets + row * m->words,
				    .set_hash = m->rows[row].set_hash,
				    .used = m->used + row * m->groups,
				    .state = m->rows[row].state};
}
