/* Expiry in a whole member alone: when keys go, what stays, and what is left behind. */

#include "base/error.h"
#include "node/member_state.h"

#include "support/keys.h"
#include "support/solo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* On an idle server a key is gone within this time. */
#define LATE_MS 20

/* Nothing stays in memory. */
static void cold(struct solo *s)
{
	s->options.overlay_bytes = 1;
	s->options.header_cache_bytes = 0;
	s->options.value_cache_bytes = 0;
}

static void assert_rows(struct solo *s, size_t expected)
{
	size_t rows;

	assert_string_equal(keys_broken(s, &rows) ?: "", "");
	assert_int_equal(rows, expected);
}

static void assert_expired(struct solo *s, unsigned database, const char *key, uint64_t deadline_ms)
{
	uint64_t at_ms = keys_expired_ms(s, database, key);

	assert_true(at_ms >= deadline_ms);
	assert_true(at_ms <= deadline_ms + LATE_MS);
}

static void a_key_goes_when_its_time_has_come(bool in_memory)
{
	struct solo s;
	uint64_t now_ms, revision;

	solo_init(&s);
	if (!in_memory)
		cold(&s);
	assert_int_equal(solo_start(&s), OK);
	now_ms = keys_time_ms(&s);
	keys_set(&s, 0, "a", now_ms + 50);
	keys_set(&s, 3, "b", now_ms + 5000);
	keys_set(&s, 3, "stays", 0);
	assert_rows(&s, 2);
	keys_store(&s);
	revision = store_position(s.member->store)->revision;
	keys_wait(&s, 45 - (keys_time_ms(&s) - now_ms));
	assert_true(keys_exist(&s, 0, "a"));
	keys_wait(&s, 5 + LATE_MS);
	assert_false(keys_exist(&s, 0, "a"));
	assert_expired(&s, 0, "a", now_ms + 50);
	assert_int_equal(store_position(s.member->store)->revision, revision + 1);
	assert_rows(&s, 1);
	keys_wait(&s, 5000);
	assert_expired(&s, 3, "b", now_ms + 5000);
	assert_true(keys_exist(&s, 3, "stays"));
	assert_rows(&s, 0);
	assert_int_equal(s.failures, 0);
	solo_close(&s);
}

static void a_key_in_memory_goes_when_its_time_has_come(void **state)
{
	(void)state;
	a_key_goes_when_its_time_has_come(true);
}

static void a_key_on_disk_goes_when_its_time_has_come(void **state)
{
	(void)state;
	a_key_goes_when_its_time_has_come(false);
}

/* The row that says when to look stays where it was, and moves when that time comes. */
static void a_deadline_that_was_put_off_is_kept(void **state)
{
	struct solo s;
	uint64_t now_ms, revision;

	(void)state;
	solo_init(&s);
	assert_int_equal(solo_start(&s), OK);
	now_ms = keys_time_ms(&s);
	keys_set(&s, 0, "a", now_ms + 50);
	keys_put_off(&s, 0, "a", now_ms + 300);
	revision = store_position(s.member->store)->revision;
	keys_wait(&s, 290);
	assert_true(keys_exist(&s, 0, "a"));
	assert_int_equal(store_position(s.member->store)->revision, revision);
	assert_rows(&s, 1);
	keys_wait(&s, 10 + LATE_MS);
	assert_expired(&s, 0, "a", now_ms + 300);
	assert_rows(&s, 0);
	solo_close(&s);
}

static void a_deadline_that_was_put_forward_counts(void **state)
{
	struct solo s;
	uint64_t now_ms;

	(void)state;
	solo_init(&s);
	assert_int_equal(solo_start(&s), OK);
	now_ms = keys_time_ms(&s);
	keys_set(&s, 0, "a", now_ms + 30000);
	keys_wait(&s, 10);
	keys_put_off(&s, 0, "a", now_ms + 100);
	assert_rows(&s, 1);
	keys_wait(&s, 90 + LATE_MS);
	assert_expired(&s, 0, "a", now_ms + 100);
	assert_rows(&s, 0);
	solo_close(&s);
}

static void a_key_without_deadline_any_more_stays(void **state)
{
	struct solo s;
	uint64_t now_ms;

	(void)state;
	solo_init(&s);
	assert_int_equal(solo_start(&s), OK);
	now_ms = keys_time_ms(&s);
	keys_set(&s, 0, "persists", now_ms + 50);
	keys_set(&s, 0, "overwritten", now_ms + 50);
	keys_set(&s, 0, "deleted", now_ms + 50);
	keys_set(&s, 0, "again", now_ms + 50);
	keys_put_off(&s, 0, "persists", 0);
	keys_set(&s, 0, "overwritten", 0);
	keys_delete(&s, 0, "deleted");
	keys_delete(&s, 0, "again");
	keys_set(&s, 0, "again", now_ms + 200);
	keys_wait(&s, 50 + LATE_MS);
	assert_true(keys_exist(&s, 0, "persists"));
	assert_true(keys_exist(&s, 0, "overwritten"));
	assert_true(keys_exist(&s, 0, "again"));
	assert_int_equal(keys_expired_ms(&s, 0, "deleted"), 0);
	assert_rows(&s, 1);
	keys_wait(&s, 150);
	assert_expired(&s, 0, "again", now_ms + 200);
	assert_rows(&s, 0);
	solo_close(&s);
}

/* Rows of a keyspace that no database has go, and tell nobody. */
static void keys_of_an_emptied_database_do_not_expire(void **state)
{
	struct solo s;
	uint64_t now_ms, revision;

	(void)state;
	solo_init(&s);
	assert_int_equal(solo_start(&s), OK);
	now_ms = keys_time_ms(&s);
	keys_set(&s, 1, "a", now_ms + 50);
	keys_flush(&s, 1);
	keys_set(&s, 1, "a", now_ms + 500);
	revision = store_position(s.member->store)->revision;
	keys_wait(&s, 50 + LATE_MS);
	assert_int_equal(store_position(s.member->store)->revision, revision);
	assert_true(keys_exist(&s, 1, "a"));
	assert_true(s.member->expiry.next_ms > now_ms + 50);
	keys_wait(&s, 450);
	assert_expired(&s, 1, "a", now_ms + 500);
	solo_close(&s);
}

static void ten_thousand_keys_go_in_entries_of_bounded_size(void **state)
{
	struct solo s;
	uint64_t now_ms, entries, revision;
	char key[32];

	(void)state;
	solo_init(&s);
	assert_int_equal(solo_start(&s), OK);
	now_ms = keys_time_ms(&s);
	for (int i = 0; i < 10000; i++) {
		snprintf(key, sizeof(key), "key:%d", i);
		keys_set(&s, 0, key, now_ms + 100);
	}
	entries = driver_applied(member_driver(s.member));
	revision = store_position(s.member->store)->revision;
	keys_wait(&s, 100 + 10 * LATE_MS);
	assert_rows(&s, 0);
	assert_int_equal(store_position(s.member->store)->revision, revision + 10000);
	entries = driver_applied(member_driver(s.member)) - entries;
	assert_in_range(entries, 10, 11);
	solo_close(&s);
}

static void what_became_due_while_nobody_ran_goes_at_the_start(void **state)
{
	struct solo s;
	uint64_t now_ms;

	(void)state;
	solo_init(&s);
	cold(&s);
	assert_int_equal(solo_start(&s), OK);
	now_ms = keys_time_ms(&s);
	keys_set(&s, 0, "a", now_ms + 50);
	keys_set(&s, 0, "b", now_ms + 100000);
	keys_store(&s);
	solo_stop(&s, true);
	s.now_ms += 10000;
	assert_int_equal(solo_start(&s), OK);
	keys_wait(&s, LATE_MS);
	assert_false(keys_exist(&s, 0, "a"));
	assert_true(keys_exist(&s, 0, "b"));
	assert_rows(&s, 1);
	keys_wait(&s, 1000);
	keys_put_off(&s, 0, "b", keys_time_ms(&s) + 10);
	keys_wait(&s, 10 + LATE_MS);
	assert_rows(&s, 0);
	solo_close(&s);
}

/* What nobody can read takes nobody's time: the rest of the entry is skipped. */
static void an_entry_that_cannot_be_read_is_skipped(void **state)
{
	static const char *const payloads[] = {"", "\x01\xff", "\x01\x05\x01\x09key", "\x02\x05"};
	struct solo s;
	uint64_t index;

	(void)state;
	solo_init(&s);
	assert_int_equal(solo_start(&s), OK);
	for (size_t i = 0; i < ARRAY_LEN(payloads); i++) {
		struct blob *payload = blob_copy(slice_of_text(payloads[i]));

		assert_int_equal(member_propose(s.member, ENTRY_EXPIRE, payload, 0, &index), OK);
		blob_release(payload);
		solo_work(&s);
		assert_int_equal(store_position(s.member->store)->index, index);
	}
	assert_int_equal(s.failures, 0);
	assert_string_equal(solo_say(&s, "SET a b"), "+OK|");
	solo_close(&s);
}

/* Nobody but the record says whether a key is gone: what an entry claims is looked up. */
static void an_item_without_reason_does_nothing(void **state)
{
	struct solo s;
	struct buf bytes = {0};
	struct blob *payload;
	uint64_t index, now_ms, revision;

	(void)state;
	solo_init(&s);
	assert_int_equal(solo_start(&s), OK);
	now_ms = keys_time_ms(&s);
	keys_set(&s, 0, "lives", now_ms + 500);
	keys_set(&s, 0, "for ever", 0);
	revision = store_position(s.member->store)->revision;
	expiry_entry_begin(&bytes);
	expiry_item_encode(&(struct expiry_item){now_ms + 500, 1, SLICE_LITERAL("lives")}, &bytes);
	expiry_item_encode(&(struct expiry_item){now_ms - 5, 1, SLICE_LITERAL("lives")}, &bytes);
	expiry_item_encode(&(struct expiry_item){now_ms - 5, 1, SLICE_LITERAL("for ever")}, &bytes);
	expiry_item_encode(&(struct expiry_item){now_ms - 5, 1, SLICE_LITERAL("none")}, &bytes);
	expiry_item_encode(&(struct expiry_item){now_ms - 5, 99, SLICE_LITERAL("none")}, &bytes);
	payload = blob_copy(buf_slice(&bytes));
	assert_int_equal(member_propose(s.member, ENTRY_EXPIRE, payload, 0, &index), OK);
	blob_release(payload);
	solo_work(&s);
	assert_int_equal(store_position(s.member->store)->index, index);
	assert_int_equal(store_position(s.member->store)->revision, revision);
	assert_rows(&s, 1);
	keys_wait(&s, 500 + LATE_MS);
	assert_expired(&s, 0, "lives", now_ms + 500);
	buf_free(&bytes);
	solo_close(&s);
}

/* ---- anything -------------------------------------------------------------------------------- */

#define MODEL_KEYS 12

struct model {
	struct solo solo;
	struct random random;
	bool there[MODEL_KEYS];
	uint64_t deadline_ms[MODEL_KEYS];
	char names[MODEL_KEYS][8];
};

static unsigned model_database(size_t i)
{
	return (unsigned)(i % 2);
}

/* Mostly soon, sometimes late, sometimes past already. */
static uint64_t model_deadline(struct model *m)
{
	uint64_t now_ms = keys_time_ms(&m->solo);

	if (random_chance(&m->random, 100000))
		return now_ms - random_below(&m->random, 10);
	if (random_chance(&m->random, 200000))
		return now_ms + random_below(&m->random, 5000);
	return now_ms + random_below(&m->random, 60);
}

/* What must be gone is, and nothing else. */
static void model_check(struct model *m)
{
	uint64_t now_ms = keys_time_ms(&m->solo);
	size_t rows;

	assert_string_equal(keys_broken(&m->solo, &rows) ?: "", "");
	for (size_t i = 0; i < MODEL_KEYS; i++) {
		bool there = keys_exist(&m->solo, model_database(i), m->names[i]);

		if (!m->there[i]) {
			assert_false(there);
		} else if (!m->deadline_ms[i] || now_ms < m->deadline_ms[i]) {
			assert_true(there);
		} else if (!there) {
			assert_true(keys_expired_ms(&m->solo, model_database(i), m->names[i]) >=
				    m->deadline_ms[i]);
			m->there[i] = false;
		} else {
			assert_true(now_ms <= m->deadline_ms[i] + LATE_MS);
		}
	}
}

static void model_change(struct model *m)
{
	size_t i = random_below(&m->random, MODEL_KEYS);
	unsigned database = model_database(i);
	uint64_t deadline_ms = random_chance(&m->random, 250000) ? 0 : model_deadline(m);

	model_check(m); /* who is there still */
	switch (random_below(&m->random, 6)) {
	case 0:
	case 1:
		keys_set(&m->solo, database, m->names[i], deadline_ms);
		m->there[i] = true;
		m->deadline_ms[i] = deadline_ms;
		return;
	case 2:
	case 3:
		if (!m->there[i])
			return;
		keys_put_off(&m->solo, database, m->names[i], deadline_ms);
		m->deadline_ms[i] = deadline_ms;
		return;
	case 4:
		if (m->there[i])
			keys_delete(&m->solo, database, m->names[i]);
		m->there[i] = false;
		return;
	default:
		if (!random_chance(&m->random, 100000))
			return;
		keys_flush(&m->solo, database);
		for (size_t k = 0; k < MODEL_KEYS; k++)
			m->there[k] = m->there[k] && model_database(k) != database;
		return;
	}
}

static void model_run(uint64_t seed, bool is_cold)
{
	struct model m = {0};

	solo_init(&m.solo);
	if (is_cold)
		cold(&m.solo);
	random_seed(&m.random, seed);
	for (size_t i = 0; i < MODEL_KEYS; i++)
		snprintf(m.names[i], sizeof(m.names[i]), "k%zu", i);
	assert_int_equal(solo_start(&m.solo), OK);
	for (int step = 0; step < 400; step++) {
		model_change(&m);
		if (random_chance(&m.random, 500000))
			keys_wait(&m.solo, random_below(&m.random, 30));
		if (!is_cold || !random_chance(&m.random, 20000))
			continue;
		keys_store(&m.solo);
		solo_stop(&m.solo, true);
		m.solo.now_ms += random_below(&m.random, 200);
		assert_int_equal(solo_start(&m.solo), OK);
		keys_wait(&m.solo, LATE_MS);
	}
	keys_wait(&m.solo, 6000);
	model_check(&m);
	assert_int_equal(m.solo.failures, 0);
	solo_close(&m.solo);
}

static void whatever_happens_keys_go_in_time(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 6; seed++)
		model_run(seed, seed % 2);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_in_memory_goes_when_its_time_has_come),
		cmocka_unit_test(a_key_on_disk_goes_when_its_time_has_come),
		cmocka_unit_test(a_deadline_that_was_put_off_is_kept),
		cmocka_unit_test(a_deadline_that_was_put_forward_counts),
		cmocka_unit_test(a_key_without_deadline_any_more_stays),
		cmocka_unit_test(keys_of_an_emptied_database_do_not_expire),
		cmocka_unit_test(ten_thousand_keys_go_in_entries_of_bounded_size),
		cmocka_unit_test(what_became_due_while_nobody_ran_goes_at_the_start),
		cmocka_unit_test(an_entry_that_cannot_be_read_is_skipped),
		cmocka_unit_test(an_item_without_reason_does_nothing),
		cmocka_unit_test(whatever_happens_keys_go_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
