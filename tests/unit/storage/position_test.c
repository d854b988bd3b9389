#include "storage/position.h"

#include "base/codec.h"
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

static struct revision any_revision(struct random *r)
{
	return (struct revision){any_number(r), (uint32_t)any_number(r) & INT32_MAX};
}

/* A position after some mappings and with some origins, all its numbers drawn. */
static void any_position(struct random *r, struct position *p)
{
	position_init(p);
	for (uint64_t i = random_below(r, 20); i > 0; i--) {
		unsigned database = (unsigned)random_below(r, DATABASE_COUNT);

		if (random_chance(r, 500000))
			position_map_new(p, database, any_revision(r));
		else
			position_map_swap(p, database, (unsigned)random_below(r, DATABASE_COUNT),
					  any_revision(r));
	}
	p->level = (uint32_t)any_number(r);
	for (uint64_t i = random_below(r, 10); i > 0; i--)
		*position_origin_add(p, i) = (struct origin_row){
			i, any_number(r), any_number(r),
			p->level + (uint32_t)any_upto(r, UINT32_MAX - p->level)};
	for (uint64_t i = random_below(r, 5); i > 0; i--) {
		position_alarm_raise(p, any_number(r), ALARM_NO_SPACE);
		position_quarantine_put(p, any_number(r), any_number(r));
	}
	for (size_t i = 0; i < p->keyspace_count; i++) {
		p->keyspaces[i].keys = any_number(r);
		p->keyspaces[i].deadlines = any_upto(r, p->keyspaces[i].keys);
		p->keyspaces[i].digest = any_number(r);
	}
	p->index = any_number(r);
	p->term = any_number(r);
	p->revision = any_number(r);
	p->horizon = any_upto(r, p->revision);
	p->horizon_ms = any_number(r);
	p->next_incarnation = any_number(r);
	p->work_limit = any_number(r);
	p->stamp_ms = any_number(r);
	p->digest_history = any_number(r);
	if (random_chance(r, 300000))
		p->next_keyspace = UINT32_MAX;
}

static void assert_origins_equal(const struct origin_row *a, const struct origin_row *b)
{
	assert_true(a->member == b->member && a->incarnation == b->incarnation);
	assert_true(a->seq == b->seq && a->level == b->level);
}

static void assert_positions_equal(const struct position *a, const struct position *b)
{
	assert_true(a->index == b->index && a->term == b->term);
	assert_true(a->revision == b->revision && a->horizon == b->horizon);
	assert_true(a->horizon_ms == b->horizon_ms);
	assert_true(a->next_incarnation == b->next_incarnation);
	assert_int_equal(a->next_keyspace, b->next_keyspace);
	assert_int_equal(a->level, b->level);
	assert_true(a->work_limit == b->work_limit);
	assert_true(a->stamp_ms == b->stamp_ms);
	assert_true(position_digest_living(a) == position_digest_living(b));
	assert_true(a->digest_history == b->digest_history);
	assert_memory_equal(a->databases, b->databases, sizeof(a->databases));
	assert_memory_equal(a->database_at, b->database_at, sizeof(a->database_at));
	assert_memory_equal(a->database_sub, b->database_sub, sizeof(a->database_sub));
	assert_int_equal(a->origin_count, b->origin_count);
	for (size_t i = 0; i < a->origin_count; i++)
		assert_origins_equal(&a->origins[i], &b->origins[i]);
	assert_int_equal(a->alarm_count, b->alarm_count);
	for (size_t i = 0; i < a->alarm_count; i++) {
		assert_true(a->alarms[i].member == b->alarms[i].member);
		assert_int_equal(a->alarms[i].kind, b->alarms[i].kind);
	}
	assert_int_equal(a->quarantine_count, b->quarantine_count);
	for (size_t i = 0; i < a->quarantine_count; i++)
		assert_memory_equal(&a->quarantines[i], &b->quarantines[i],
				    sizeof(a->quarantines[i]));
	assert_int_equal(a->keyspace_count, b->keyspace_count);
	for (size_t i = 0; i < a->keyspace_count; i++) {
		assert_int_equal(a->keyspaces[i].id, b->keyspaces[i].id);
		assert_true(a->keyspaces[i].keys == b->keyspaces[i].keys);
		assert_true(a->keyspaces[i].deadlines == b->keyspaces[i].deadlines);
		assert_true(a->keyspaces[i].digest == b->keyspaces[i].digest);
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

static void a_damaged_position_fails_or_is_another_one(void **state)
{
	static const struct position nothing;
	struct slice snapshot = SLICE_LITERAL("d");
	struct buf out = {0}, again = {0};
	struct random r;

	(void)state;
	random_seed(&r, 2);
	for (int i = 0; i < 8; i++) {
		struct position p;

		any_position(&r, &p);
		buf_clear(&out);
		position_encode(&p, snapshot, &out);
		position_free(&p);
		for (size_t at = 0; at < out.len * 256; at++) {
			uint8_t flip = (uint8_t)(at % 256);
			size_t len = flip ? out.len : at / 256; /* no change: cut here instead */
			struct slice bytes = slice_of(out.data, len), got;
			int rc;

			out.data[at / 256] ^= flip;
			rc = position_decode(bytes, &p, &got);
			if (rc == OK) {
				buf_clear(&again);
				position_encode(&p, got, &again);
				assert_true(slice_equal(buf_slice(&again), bytes));
				position_free(&p);
			}
			assert_true(rc == OK || rc == ERR_MALFORMED || rc == ERR_VERSION);
			assert_memory_equal(&p, &nothing, sizeof(p));
			out.data[at / 256] ^= flip;
		}
	}
	buf_free(&out);
	buf_free(&again);
}

static void another_version_is_told_from_garbage(void **state)
{
	struct position p, got = {0};
	struct buf out = {0};
	struct slice snapshot;

	(void)state;
	position_init(&p);
	position_encode(&p, (struct slice){0}, &out);
	position_free(&p);
	out.data[0] = 3;
	assert_int_equal(position_decode(buf_slice(&out), &got, &snapshot), ERR_VERSION);
	out.data[0] = 1; /* without levels, alarms and quarantines */
	assert_int_equal(position_decode(buf_slice(&out), &got, &snapshot), ERR_MALFORMED);
	out.data[0] = 0;
	assert_int_equal(position_decode(buf_slice(&out), &got, &snapshot), ERR_MALFORMED);
	assert_null(got.keyspaces);
	buf_free(&out);
}

/* Counts that promise more than the bytes can hold are refused before anything is allocated. */
static void a_count_beyond_the_input_is_refused(void **state)
{
	struct position p, got = {0};
	struct buf out = {0};
	struct slice snapshot;

	(void)state;
	position_init(&p);
	position_encode(&p, (struct slice){0}, &out);
	position_free(&p);
	out.len -= 3; /* no origins, no alarms, no quarantines */
	for (size_t before = 0; before < 3; before++) {
		for (unsigned bit = 0; bit < 64; bit++) {
			size_t len = out.len;

			buf_append_varint(&out, (uint64_t)1 << bit);
			assert_int_equal(position_decode(buf_slice(&out), &got, &snapshot),
					 ERR_MALFORMED);
			assert_true(!got.origins && !got.alarms && !got.quarantines);
			out.len = len;
		}
		buf_append_varint(&out, 0);
	}
	assert_int_equal(position_decode(buf_slice(&out), &got, &snapshot), OK);
	position_free(&got);
	buf_free(&out);
}

static void the_first_position_is_empty(void **state)
{
	struct position p;

	(void)state;
	position_init(&p);
	assert_null(position_broken(&p));
	for (uint32_t i = 0; i < DATABASE_COUNT; i++)
		assert_int_equal(p.databases[i], i + 1);
	assert_int_equal(p.next_keyspace, DATABASE_COUNT + 1);
	assert_int_equal(p.origin_count, 0);
	assert_int_equal(p.level, LEVEL_FIRST);
	assert_int_equal(p.alarm_count, 0);
	assert_int_equal(p.quarantine_count, 0);
	assert_null(position_origin(&p, 0));
	assert_null(position_keyspace(&p, 0));
	assert_null(position_keyspace(&p, DATABASE_COUNT + 1));
	position_free(&p);
	assert_null(p.keyspaces);
}

static void assert_rule_broken(const struct position *p, const char *rule)
{
	const char *broken = position_broken(p);

	assert_non_null(broken);
	assert_memory_equal(broken, rule, 2);
}

static void every_rule_of_a_position_is_looked_at(void **state)
{
	struct position p;

	(void)state;
	position_init(&p);
	position_origin_add(&p, 5);
	position_origin_add(&p, 7);
	assert_null(position_broken(&p));
	p.origins[1].member = 5;
	assert_rule_broken(&p, "Q1");
	p.origins[1].member = 7;
	p.keyspaces[3].id = 3;
	assert_rule_broken(&p, "Q1");
	p.keyspaces[3].id = 4;
	p.databases[9] = 1;
	assert_rule_broken(&p, "Q2");
	p.databases[9] = 99;
	assert_rule_broken(&p, "Q2");
	p.databases[9] = 10;
	p.horizon = 1;
	assert_rule_broken(&p, "Q3");
	p.revision = 1;
	p.next_keyspace = DATABASE_COUNT;
	assert_rule_broken(&p, "Q4");
	p.next_keyspace = DATABASE_COUNT + 1;
	p.keyspaces[2].deadlines = 1;
	assert_rule_broken(&p, "Q4");
	p.keyspaces[2].keys = 1;
	assert_null(position_broken(&p));
	p.origins[0].incarnation = 1;
	assert_rule_broken(&p, "Q5");
	p.origins[0].level = LEVEL_FIRST;
	assert_null(position_broken(&p));
	position_alarm_raise(&p, 5, ALARM_NO_SPACE);
	position_alarm_raise(&p, 7, ALARM_NO_SPACE);
	p.alarms[1].member = 5;
	assert_rule_broken(&p, "Q6");
	p.alarms[1].member = 7;
	p.alarms[1].kind = (enum alarm_kind)(ALARM_KIND_MAX + 1);
	assert_rule_broken(&p, "Q6");
	p.alarms[1].kind = ALARM_NO_SPACE;
	position_quarantine_put(&p, 5, 1);
	position_quarantine_put(&p, 7, 1);
	p.quarantines[0].member = 8;
	assert_rule_broken(&p, "Q6");
	p.quarantines[0].member = 5;
	assert_null(position_broken(&p));
	position_free(&p);
}

#define MEMBERS 12

static void origins_are_as_in_a_simple_model(void **state)
{
	struct origin_row model[MEMBERS] = {0};
	bool there[MEMBERS] = {0};
	struct position p;
	struct random r;

	(void)state;
	random_seed(&r, 3);
	position_init(&p);
	for (int i = 0; i < 20000; i++) {
		size_t at = random_below(&r, MEMBERS), count = 0;
		uint64_t member = at * at * UINT64_C(0x0123456789abcdef);
		struct origin_row *row;

		if (random_chance(&r, 600000)) {
			row = position_origin_add(&p, member);
			if (!there[at])
				model[at] = (struct origin_row){.member = member};
			there[at] = true;
			assert_origins_equal(row, &model[at]);
			*row = model[at] = (struct origin_row){member, random_next(&r), (uint64_t)i,
							       LEVEL_FIRST};
		} else {
			position_origin_remove(&p, member);
			there[at] = false;
		}
		assert_null(position_broken(&p));
		for (size_t m = 0; m < MEMBERS; m++) {
			row = position_origin(&p, m * m * UINT64_C(0x0123456789abcdef));
			assert_int_equal(row != NULL, there[m]);
			if (row)
				assert_origins_equal(row, &model[m]);
			count += there[m];
		}
		assert_int_equal(p.origin_count, count);
	}
	position_free(&p);
}

static void alarms_and_quarantines_are_as_in_a_simple_model(void **state)
{
	bool raised[MEMBERS] = {0};
	uint64_t found[MEMBERS] = {0};
	struct position p;
	struct random r;

	(void)state;
	random_seed(&r, 5);
	position_init(&p);
	for (uint64_t i = 1; i <= 20000; i++) {
		size_t member = random_below(&r, MEMBERS), alarms = 0, quarantines = 0;

		switch (random_below(&r, 4)) {
		case 0:
			position_alarm_raise(&p, member, ALARM_NO_SPACE);
			raised[member] = true;
			break;
		case 1:
			position_alarm_clear(&p, member, ALARM_NO_SPACE);
			raised[member] = false;
			break;
		case 2:
			position_quarantine_put(&p, member, i);
			found[member] = i;
			break;
		default:
			position_quarantine_end(&p, member);
			found[member] = 0;
		}
		assert_null(position_broken(&p));
		for (size_t m = 0; m < MEMBERS; m++) {
			const struct quarantine_row *row = position_quarantine(&p, m);

			assert_int_equal(position_alarm(&p, m, ALARM_NO_SPACE), raised[m]);
			assert_true((row ? row->index : 0) == found[m]);
			alarms += raised[m];
			quarantines += found[m] != 0;
		}
		assert_int_equal(p.alarm_count, alarms);
		assert_int_equal(p.quarantine_count, quarantines);
		assert_int_equal(position_alarm_stands(&p, ALARM_NO_SPACE), alarms > 0);
	}
	position_free(&p);
}

static void mappings_are_as_in_a_simple_model(void **state)
{
	uint64_t keys[DATABASE_COUNT] = {0}, at[DATABASE_COUNT] = {0}, swap;
	struct position p;
	struct random r;

	(void)state;
	random_seed(&r, 4);
	position_init(&p);
	for (uint64_t i = 1; i <= 20000; i++) {
		unsigned a = (unsigned)random_below(&r, DATABASE_COUNT);
		unsigned b = (unsigned)random_below(&r, DATABASE_COUNT);
		uint32_t old = p.databases[a], expected = p.next_keyspace;

		if (random_chance(&r, 500000)) {
			assert_int_equal(position_map_new(&p, a, (struct revision){i, 1}),
					 expected);
			assert_null(position_keyspace(&p, old));
			keys[a] = 0;
		} else {
			position_map_swap(&p, a, b, (struct revision){i, 1});
			swap = keys[a];
			keys[a] = keys[b];
			keys[b] = swap;
			at[b] = i;
		}
		at[a] = i;
		assert_null(position_broken(&p));
		keys[b] = i * 1000;
		position_keyspace(&p, p.databases[b])->keys = i * 1000;
		for (unsigned d = 0; d < DATABASE_COUNT; d++) {
			assert_true(position_keyspace(&p, p.databases[d])->keys == keys[d]);
			assert_true(p.database_at[d] == at[d]);
		}
	}
	position_free(&p);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_position_comes_back),
		cmocka_unit_test(a_damaged_position_fails_or_is_another_one),
		cmocka_unit_test(another_version_is_told_from_garbage),
		cmocka_unit_test(a_count_beyond_the_input_is_refused),
		cmocka_unit_test(the_first_position_is_empty),
		cmocka_unit_test(every_rule_of_a_position_is_looked_at),
		cmocka_unit_test(origins_are_as_in_a_simple_model),
		cmocka_unit_test(alarms_and_quarantines_are_as_in_a_simple_model),
		cmocka_unit_test(mappings_are_as_in_a_simple_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
