#include "checker/memo.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"

#include <string.h>

#define MEMO_SLOTS_MIN 256

void memo_init(struct memo *m, size_t words)
{
	*m = (struct memo){.words = words, .mask = MEMO_SLOTS_MIN - 1};
	m->slots = mem_zalloc(MEMO_SLOTS_MIN, sizeof(*m->slots));
}

void memo_free(struct memo *m)
{
	mem_free(m->rows);
	mem_free(m->sets);
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

bool memo_add(struct memo *m, const uint64_t *set, uint64_t set_hash, struct model_state state)
{
	uint64_t hash = hash64_pair(set_hash ^ state.a, state.b);
	size_t at = hash & m->mask;

	for (; m->slots[at] != 0; at = (at + 1) & m->mask) {
		size_t row = m->slots[at] - 1;

		if (m->rows[row].hash == hash && model_state_equal(m->rows[row].state, state) &&
		    memcmp(m->sets + row * m->words, set, m->words * sizeof(*set)) == 0)
			return false;
	}
	CHECK(m->len < UINT32_MAX);
	MEM_GROW(m->rows, m->rows_cap, m->len + 1);
	MEM_GROW(m->sets, m->sets_cap, (m->len + 1) * m->words);
	m->rows[m->len] = (struct memo_row){hash, state};
	memcpy(m->sets + m->len * m->words, set, m->words * sizeof(*set));
	m->slots[at] = (uint32_t)++m->len;
	if (m->len > m->mask / 2)
		memo_grow(m);
	return true;
}
