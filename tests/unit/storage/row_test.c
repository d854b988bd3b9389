#include "storage/row.h"

#include "base/error.h"
#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ROUNDS 20000

/* Numbers of every length, small and largest ones often. */
static uint64_t any_number(struct random *r)
{
	uint64_t v = random_next(r) >> random_below(r, 64);

	switch (random_below(r, 8)) {
	case 0:
		return 0;
	case 1:
		return UINT64_MAX;
	case 2:
		return random_below(r, 3);
	default:
		return v;
	}
}

static struct slice any_bytes(struct random *r, uint8_t *room, size_t most)
{
	size_t len = random_below(r, most + 1);

	for (size_t i = 0; i < len; i++)
		room[i] = (uint8_t)random_below(r, 3) * 127;
	return slice_of(room, len);
}

static struct revision any_revision(struct random *r)
{
	return (struct revision){any_number(r), (uint32_t)any_number(r)};
}

static struct revision any_upto(struct random *r, struct revision limit)
{
	struct revision low = any_revision(r);

	if (random_chance(r, 300000) || revision_compare(low, limit) > 0)
		low = limit;
	if (random_chance(r, 300000) && low.sub > 0)
		low.sub--;
	return low;
}

struct record_room {
	uint8_t value[RECORD_INLINE_MAX];
	uint8_t extra[200];
};

static struct record any_record(struct random *r, struct record_room *room)
{
	struct record got = {.type = (enum record_type)random_below(r, RECORD_CHUNKS + 1),
			     .mod = any_revision(r)};

	if (got.type == RECORD_NONE)
		return got;
	got.create = any_upto(r, got.mod);
	got.version = any_number(r);
	got.deadline_ms = any_number(r);
	got.indexed_ms = random_chance(r, 500000) ? got.deadline_ms : any_number(r);
	got.lease = any_number(r);
	got.digest = any_number(r);
	got.size = any_number(r);
	got.keep = (uint8_t)random_between(r, 1, random_chance(r, 500000) ? 1 : 255);
	if (random_chance(r, 300000))
		got.extra = any_bytes(r, room->extra, sizeof(room->extra));
	if (got.type != RECORD_STRING) {
		got.incarnation = any_number(r);
		return got;
	}
	got.value_at = any_upto(r, got.mod);
	if (random_chance(r, 500000)) {
		got.inlined = true;
		got.value = any_bytes(r, room->value, sizeof(room->value));
		got.size = got.value.len;
	}
	return got;
}

static void assert_slices_equal(struct slice a, struct slice b)
{
	assert_true(slice_equal(a, b));
}

static void assert_records_equal(const struct record *a, const struct record *b)
{
	assert_int_equal(a->type, b->type);
	assert_true(revision_equal(a->mod, b->mod));
	assert_true(revision_equal(a->create, b->create));
	assert_true(revision_equal(a->value_at, b->value_at));
	assert_true(a->version == b->version);
	assert_true(a->incarnation == b->incarnation);
	assert_true(a->deadline_ms == b->deadline_ms);
	assert_true(a->indexed_ms == b->indexed_ms);
	assert_true(a->lease == b->lease);
	assert_true(a->digest == b->digest);
	assert_true(a->size == b->size);
	assert_int_equal(a->keep, b->keep);
	assert_int_equal(a->inlined, b->inlined);
	assert_slices_equal(a->value, b->value);
	assert_slices_equal(a->extra, b->extra);
}

static void a_record_comes_back(void **state)
{
	struct record_room room;
	struct buf out = {0};
	struct random r;

	(void)state;
	random_seed(&r, 1);
	for (int i = 0; i < ROUNDS; i++) {
		struct record before = any_record(&r, &room), after;

		assert_null(record_broken(&before));
		buf_clear(&out);
		record_encode(&before, &out);
		assert_int_equal(record_decode(buf_slice(&out), &after), OK);
		assert_records_equal(&before, &after);
	}
	buf_free(&out);
}

struct change_room {
	uint8_t key[300], value[300], element[300], before[300], other[300];
};

static struct change any_change(struct random *r, struct change_room *room)
{
	struct change got = {
		.kind = (enum change_kind)random_between(r, CHANGE_SET, CHANGE_KEYSPACE),
		.type = (enum record_type)random_below(r, RECORD_CHUNKS + 1),
		.keyspace = (uint32_t)any_number(r),
		.key = any_bytes(r, room->key, sizeof(room->key)),
		.previous = any_revision(r),
		.create = any_revision(r),
		.value_at = any_revision(r),
		.version = any_number(r),
		.time_ms = any_number(r),
		.author = {any_number(r), any_number(r)},
		.deadline_ms = any_number(r),
		.lease = any_number(r),
		.incarnation = any_number(r),
		.keep = (uint8_t)any_number(r),
		.has_before = random_chance(r, 500000),
		.size = any_number(r),
		.displaced = any_revision(r),
		.kept = (uint8_t)any_number(r),
	};

	if (!got.author.number)
		got.author.incarnation = 0; /* nobody is of no run */

	if (random_chance(r, 500000))
		got.value = any_bytes(r, room->value, sizeof(room->value));
	if (random_chance(r, 500000))
		got.element = any_bytes(r, room->element, sizeof(room->element));
	if (got.has_before)
		got.before = any_bytes(r, room->before, sizeof(room->before));
	if (random_chance(r, 500000)) {
		got.other_keyspace = (uint32_t)any_number(r);
		got.other_key = any_bytes(r, room->other, random_below(r, sizeof(room->other)));
	}
	return got;
}

static void assert_changes_equal(const struct change *a, const struct change *b)
{
	assert_int_equal(a->kind, b->kind);
	assert_int_equal(a->type, b->type);
	assert_int_equal(a->keyspace, b->keyspace);
	assert_slices_equal(a->key, b->key);
	assert_true(revision_equal(a->previous, b->previous));
	assert_true(revision_equal(a->create, b->create));
	assert_true(revision_equal(a->value_at, b->value_at));
	assert_true(a->version == b->version);
	assert_true(a->time_ms == b->time_ms);
	assert_true(a->author.incarnation == b->author.incarnation);
	assert_true(a->author.number == b->author.number);
	assert_true(a->deadline_ms == b->deadline_ms);
	assert_true(a->lease == b->lease);
	assert_true(a->incarnation == b->incarnation);
	assert_int_equal(a->keep, b->keep);
	assert_slices_equal(a->value, b->value);
	assert_slices_equal(a->element, b->element);
	assert_int_equal(a->has_before, b->has_before);
	assert_slices_equal(a->before, b->before);
	assert_int_equal(a->other_keyspace, b->other_keyspace);
	assert_slices_equal(a->other_key, b->other_key);
	assert_true(a->size == b->size);
	assert_true(revision_equal(a->displaced, b->displaced));
	assert_int_equal(a->kept, b->kept);
}

static void a_change_comes_back(void **state)
{
	struct change_room room;
	struct buf out = {0};
	struct random r;

	(void)state;
	random_seed(&r, 2);
	for (int i = 0; i < ROUNDS; i++) {
		struct change before = any_change(&r, &room), after;

		buf_clear(&out);
		change_encode(&before, &out);
		assert_int_equal(change_decode(buf_slice(&out), &after), OK);
		assert_changes_equal(&before, &after);
	}
	buf_free(&out);
}

/* Whoever follows what changes name would go on for ever. */
static void a_change_names_older_ones(void **state)
{
	struct revision at = {7, 3}, before = {7, 2};
	struct change c = {.kind = CHANGE_SET,
			   .type = RECORD_STRING,
			   .key = SLICE_LITERAL("k"),
			   .create = at,
			   .version = 1,
			   .keep = 1};
	struct revision *named[] = {&c.previous, &c.value_at, &c.displaced};
	struct buf out = {0};
	struct change got;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(named); i++) {
		*named[i] = before;
		buf_clear(&out);
		change_encode(&c, &out);
		assert_int_equal(change_decode_at(buf_slice(&out), at, &got), OK);
		assert_int_equal(change_decode_at(buf_slice(&out), before, &got), ERR_MALFORMED);
		assert_int_equal(got.kind, 0);
		*named[i] = (struct revision){0};
	}
	assert_int_equal(change_decode_at((struct slice){0}, at, &got), ERR_MALFORMED);
	buf_free(&out);
}

/* What decodes is written again as the same bytes; what does not leaves nothing behind. */
static void assert_one_form_record(struct slice bytes)
{
	static const struct record nothing;
	struct buf again = {0};
	struct record got;
	int rc = record_decode(bytes, &got);

	if (rc == OK) {
		assert_null(record_broken(&got));
		record_encode(&got, &again);
		assert_slices_equal(buf_slice(&again), bytes);
	} else {
		assert_true(rc == ERR_MALFORMED || rc == ERR_VERSION);
		assert_records_equal(&got, &nothing);
	}
	buf_free(&again);
}

static void assert_one_form_change(struct slice bytes)
{
	static const struct change nothing;
	struct buf again = {0};
	struct change got;
	int rc = change_decode(bytes, &got);

	if (rc == OK) {
		change_encode(&got, &again);
		assert_slices_equal(buf_slice(&again), bytes);
	} else {
		assert_true(rc == ERR_MALFORMED || rc == ERR_VERSION);
		assert_changes_equal(&got, &nothing);
	}
	buf_free(&again);
}

/* Every beginning of the bytes, the bytes with one more, and every other value of each byte. */
static void damage(struct buf *bytes, void (*assert_one_form)(struct slice))
{
	size_t len = bytes->len;

	for (size_t cut = 0; cut < len; cut++)
		assert_one_form(slice_of(bytes->data, cut));
	for (size_t i = 0; i < len; i++) {
		for (unsigned flip = 1; flip < 256; flip++) {
			bytes->data[i] ^= (uint8_t)flip;
			assert_one_form(buf_slice(bytes));
			bytes->data[i] ^= (uint8_t)flip;
		}
	}
	buf_append_byte(bytes, 0);
	assert_one_form(buf_slice(bytes));
}

static void a_damaged_record_fails_or_is_another_one(void **state)
{
	struct record_room room;
	struct buf out = {0};
	struct random r;

	(void)state;
	random_seed(&r, 3);
	for (int i = 0; i < 60; i++) {
		struct record sample = any_record(&r, &room);

		buf_clear(&out);
		record_encode(&sample, &out);
		damage(&out, assert_one_form_record);
	}
	buf_free(&out);
}

static void a_damaged_change_fails_or_is_another_one(void **state)
{
	struct change_room room;
	struct buf out = {0};
	struct random r;

	(void)state;
	random_seed(&r, 4);
	for (int i = 0; i < 12; i++) {
		struct change sample = any_change(&r, &room);

		buf_clear(&out);
		change_encode(&sample, &out);
		damage(&out, assert_one_form_change);
	}
	buf_free(&out);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_change_names_older_ones),
		cmocka_unit_test(a_record_comes_back),
		cmocka_unit_test(a_change_comes_back),
		cmocka_unit_test(a_damaged_record_fails_or_is_another_one),
		cmocka_unit_test(a_damaged_change_fails_or_is_another_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
