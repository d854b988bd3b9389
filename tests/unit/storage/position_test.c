#include "storage/position.h"

#include "base/error.h"
#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static uint64_t any_number(struct random *r)
{
	return random_chance(r, 200000) ? UINT64_MAX : random_next(r) >> random_below(r, 64);
}

static uint64_t any_upto(struct random *r, uint64_t limit)
{
	uint64_t v = any_number(r);

	return v < limit ? v : limit;
}

/* A position after some mappings and with some origins, all its numbers drawn. */
static void any_position(struct random *r, struct position *p)
{
	position_init(p);
	for (uint64_t i = random_below(r, 20); i > 0; i--) {
		unsigned database = (unsigned)random_below(r, DATABASE_COUNT);

		if (random_chance(r, 500000))
			position_map_new(p, database, any_number(r));
		else
			position_map_swap(p, database, (unsigned)random_below(r, DATABASE_COUNT),
					  any_number(r));
	}
	for (uint64_t i = random_below(r, 10); i > 0; i--)
		*position_origin_add(p, i) = (struct origin_row){i, any_number(r), any_number(r)};
	for (size_t i = 0; i < p->keyspace_count; i++) {
		p->keyspaces[i].keys = any_number(r);
		p->keyspaces[i].deadlines = any_upto(r, p->keyspaces[i].keys);
	}
	p->index = any_number(r);
	p->term = any_number(r);
	p->revision = any_number(r);
	p->horizon = any_upto(r, p->revision);
	p->next_incarnation = any_number(r);
	p->level = (uint32_t)any_number(r);
	p->stamp_ms = any_number(r);
	p->digest_living = any_number(r);
	p->digest_history = any_number(r);
	if (random_chance(r, 300000))
		p->next_keyspace = UINT32_MAX;
}

static void assert_positions_equal(const struct position *a, const struct position *b)
{
	assert_true(a->index == b->index && a->term == b->term);
	assert_true(a->revision == b->revision && a->horizon == b->horizon);
	assert_true(a->next_incarnation == b->next_incarnation);
	assert_int_equal(a->next_keyspace, b->next_keyspace);
	assert_int_equal(a->level, b->level);
	assert_true(a->stamp_ms == b->stamp_ms);
	assert_true(a->digest_living == b->digest_living);
	assert_true(a->digest_history == b->digest_history);
	assert_memory_equal(a->databases, b->databases, sizeof(a->databases));
	assert_memory_equal(a->database_at, b->database_at, sizeof(a->database_at));
	assert_int_equal(a->origin_count, b->origin_count);
	for (size_t i = 0; i < a->origin_count; i++)
		assert_memory_equal(&a->origins[i], &b->origins[i], sizeof(a->origins[i]));
	assert_int_equal(a->keyspace_count, b->keyspace_count);
	for (size_t i = 0; i < a->keyspace_count; i++) {
		assert_int_equal(a->keyspaces[i].id, b->keyspaces[i].id);
		assert_true(a->keyspaces[i].keys == b->keyspaces[i].keys);
		assert_true(a->keyspaces[i].deadlines == b->keyspaces[i].deadlines);
	}
}

static void a_position_comes_back(void **state)
{
	struct slice snapshot = SLICE_LITERAL("a descriptor"), got_snapshot;
	struct buf out = {0};
	struct random r;

	(void)state;
	random_seed(&r, 1);
	for (int i = 0; i < 3000; i++) {
		struct position before, after = {0};

		snapshot.len = random_below(&r, 13);
		any_position(&r, &before);
		assert_null(position_broken(&before));
		buf_clear(&out);
		position_encode(&before, snapshot, &out);
		assert_int_equal(position_decode(buf_slice(&out), &after, &got_snapshot), OK);
		assert_positions_equal(&before, &after);
		assert_true(slice_equal(snapshot, got_snapshot));
		position_free(&before);
		position_free(&after);
	}
	buf_free(&out);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_position_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
