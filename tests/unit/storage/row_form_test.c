#include "storage/row.h"

#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The examples in docs/disk-format.md. */
static void values_are_the_bytes_of_the_format(void **state)
{
	static const struct record record = {.type = RECORD_STRING,
					     .mod = {1234567, 0},
					     .create = {1200000, 3},
					     .value_at = {1234567, 0},
					     .version = 12,
					     .digest = UINT64_C(0x1234567890abcdef),
					     .size = 5,
					     .keep = 1,
					     .inlined = true,
					     .value = {(const uint8_t *)"hello", 5}};
	static const uint8_t record_bytes[] = {0x11, 0x03, 0x87, 0xad, 0x4b, 0x00, 0x87, 0x8e,
					       0x02, 0x03, 0x0c, 0xef, 0xcd, 0xab, 0x90, 0x78,
					       0x56, 0x34, 0x12, 'h',  'e',  'l',  'l',	 'o'};
	static const struct change change = {.kind = CHANGE_SET,
					     .type = RECORD_STRING,
					     .keyspace = 1,
					     .key = {(const uint8_t *)"key", 3},
					     .previous = {1200000, 0},
					     .create = {1100000, 0},
					     .version = 12,
					     .time_ms = 1700000000000,
					     .author = {5, 3},
					     .keep = 1,
					     .value = {(const uint8_t *)"value", 5}};
	static const uint8_t change_bytes[] = {0x11, 0xb1, 0x00, 0x01, 0x03, 'k',  'e',	 'y',
					       0x80, 0x9f, 0x49, 0x00, 0xe0, 0x91, 0x43, 0x00,
					       0x0c, 0x80, 0xd0, 0x95, 0xff, 0xbc, 0x31, 0x05,
					       0x03, 'v',  'a',	 'l',  'u',  'e'};
	struct buf out = {0};

	(void)state;
	record_encode(&record, &out);
	assert_true(slice_equal(buf_slice(&out), slice_of(record_bytes, sizeof(record_bytes))));
	buf_clear(&out);
	change_encode(&change, &out);
	assert_true(slice_equal(buf_slice(&out), slice_of(change_bytes, sizeof(change_bytes))));
	buf_free(&out);
}

/* Only the last field of these has no length of its own: nothing shorter decodes. */
static void what_is_cut_short_fails(void **state)
{
	static const struct record record = {.type = RECORD_LIST,
					     .mod = {300, 1},
					     .create = {200, 0},
					     .version = 3,
					     .incarnation = 70000,
					     .size = 4,
					     .keep = 1,
					     .extra = {(const uint8_t *)"ends", 4}};
	static const struct change change = {.kind = CHANGE_DELETE,
					     .type = RECORD_STRING,
					     .key = {(const uint8_t *)"key", 3},
					     .previous = {300, 1},
					     .time_ms = 1000};
	struct buf out = {0};
	struct record got_record;
	struct change got_change;

	(void)state;
	record_encode(&record, &out);
	for (size_t len = 0; len < out.len; len++)
		assert_int_equal(record_decode(slice_of(out.data, len), &got_record),
				 ERR_MALFORMED);
	buf_clear(&out);
	change_encode(&change, &out);
	for (size_t len = 0; len < out.len; len++)
		assert_int_equal(change_decode(slice_of(out.data, len), &got_change),
				 ERR_MALFORMED);
	buf_free(&out);
}

static void another_version_is_told_from_garbage(void **state)
{
	static const struct record record = {.mod = {1, 0}};
	static const struct change change = {.kind = CHANGE_DELETE};
	struct buf as_record = {0}, as_change = {0};
	struct record got_record;
	struct change got_change;

	(void)state;
	record_encode(&record, &as_record);
	change_encode(&change, &as_change);
	for (unsigned version = 0; version < 16; version++) {
		int expected = version == 0 ? ERR_MALFORMED : version == 1 ? OK : ERR_VERSION;

		as_record.data[0] = (uint8_t)(version << 4 | RECORD_NONE);
		as_change.data[0] = (uint8_t)(version << 4 | CHANGE_DELETE);
		assert_int_equal(record_decode(buf_slice(&as_record), &got_record), expected);
		assert_int_equal(change_decode(buf_slice(&as_change), &got_change), expected);
	}
	buf_free(&as_record);
	buf_free(&as_change);
}

static void assert_rule_broken(struct record r, const char *rule)
{
	const char *broken = record_broken(&r);

	assert_non_null(broken);
	assert_memory_equal(broken, rule, 2);
}

static void every_rule_of_a_record_is_looked_at(void **state)
{
	static const uint8_t bytes[RECORD_INLINE_MAX + 1];
	struct record string = {.type = RECORD_STRING,
				.mod = {9, 3},
				.create = {9, 1},
				.value_at = {8, 7},
				.version = 2,
				.size = 5,
				.keep = 1};
	struct record hash = {
		.type = RECORD_HASH, .mod = {9, 3}, .create = {4, 0}, .incarnation = 6, .keep = 1};
	struct record gone = {.mod = {9, 3}};
	struct record r;

	(void)state;
	assert_null(record_broken(&string));
	assert_null(record_broken(&hash));
	assert_null(record_broken(&gone));
#define WITH(base, change) (r = (base), r.change, r)
	assert_rule_broken(WITH(string, create.sub = 4), "R1");
	assert_rule_broken(WITH(string, value_at.main = 10), "R1");
	assert_rule_broken(WITH(hash, create.main = 10), "R1");
	assert_rule_broken(WITH(gone, create.sub = 1), "R1");
	assert_rule_broken(WITH(gone, version = 1), "R1");
	assert_rule_broken(WITH(gone, deadline_ms = 1), "R1");
	assert_rule_broken(WITH(gone, digest = 1), "R1");
	assert_rule_broken(WITH(gone, keep = 1), "R1");
	assert_rule_broken(WITH(gone, extra.len = 1), "R1");
	assert_rule_broken(WITH(string, incarnation = 1), "R2");
	assert_rule_broken(WITH(hash, value_at.sub = 1), "R2");
	assert_rule_broken(WITH(hash, inlined = true), "R2");
	assert_rule_broken(WITH(string, inlined = true), "R3");
	assert_rule_broken(WITH(string, value = slice_of(bytes, 5)), "R3");
	assert_rule_broken(WITH(hash, value = slice_of(bytes, 1)), "R3");
	string.inlined = true;
	string.size = RECORD_INLINE_MAX;
	string.value = slice_of(bytes, RECORD_INLINE_MAX);
	assert_null(record_broken(&string));
	string.size = RECORD_INLINE_MAX + 1;
	string.value = slice_of(bytes, RECORD_INLINE_MAX + 1);
	assert_rule_broken(string, "R3");
	assert_rule_broken(WITH(hash, keep = 0), "R4");
#undef WITH
}

static void second_forms_of_records_are_refused(void **state)
{
	static const struct {
		const char *what;
		uint8_t bytes[24];
		size_t len;
	} bad[] = {
		{"a tombstone with a flag", {0x10, 0x01, 9, 0}, 4},
		{"create given as mod", {0x11, 0x03, 9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}, 15},
		{"create after mod", {0x11, 0x03, 9, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0}, 15},
		{"create before time", {0x11, 0x03, 9, 0, 10, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}, 15},
		{"a deadline of 0", {0x11, 0x09, 9, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 14},
		{"indexed of no deadline", {0x11, 0x11, 9, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 14},
		{"a lease of 0", {0x11, 0x21, 9, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 14},
		{"keep of 1", {0x11, 0x41, 9, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0}, 14},
		{"keep of 0", {0x11, 0x41, 9, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 14},
		{"extra of nothing", {0x11, 0x81, 9, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 14},
		{"a hash with a value", {0x12, 0x01, 9, 0, 1, 7, 0, 0, 0, 0, 0, 0, 0, 0}, 14},
		{"a hash with value_at",
		 {0x12, 0x04, 9, 0, 1, 0, 1, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0},
		 17},
		{"no such type", {0x18, 0x00, 9, 0, 1, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 15},
		{"a long number", {0x10, 0x00, 0x89, 0, 0}, 5},
		{"a sub of 33 bits", {0x10, 0x00, 9, 0x80, 0x80, 0x80, 0x80, 0x10}, 8},
	};
	static const uint8_t good[] = {0x11, 0x01, 9, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0};
	struct record got;

	(void)state;
	assert_int_equal(record_decode(slice_of(good, sizeof(good)), &got), OK);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (record_decode(slice_of(bad[i].bytes, bad[i].len), &got) != ERR_MALFORMED)
			fail_msg("decodes: %s", bad[i].what);
	}
}

static void second_forms_of_changes_are_refused(void **state)
{
	static const struct {
		const char *what;
		uint8_t bytes[16];
		size_t len;
	} bad[] = {
		{"no kind", {0x10, 0, 0, 1, 0, 1, 0}, 7},
		{"no such kind", {0x1a, 0, 0, 1, 0, 1, 0}, 7},
		{"more flags, and none", {0x11, 8, 0, 0, 1, 0, 1, 0}, 8},
		{"more flags without meaning", {0x11, 8, 0, 4, 1, 0, 1, 0}, 8},
		{"displaced of none", {0x11, 8, 0, 1, 1, 0, 1, 0, 0, 0}, 10},
		{"kept of 0", {0x11, 8, 0, 2, 1, 0, 1, 0, 0}, 9},
		{"a flag without meaning", {0x11, 0, 0x80, 1, 0, 1, 0}, 7},
		{"previous of none", {0x11, 0x10, 0, 1, 0, 0, 0, 1, 0}, 9},
		{"a deadline of 0", {0x11, 0, 0x01, 1, 0, 1, 0, 0}, 8},
		{"a deadline of 0, less than the time",
		 {0x11, 0, 0x01, 1, 0, 1, 1, 255, 255, 255, 255, 255, 255, 255, 255, 255},
		 16},
		{"keep of 1", {0x11, 0, 0x08, 1, 0, 1, 0, 1}, 8},
		{"an element of nothing", {0x11, 0, 0x10, 1, 0, 1, 0, 0}, 8},
		{"another key that is none", {0x11, 0, 0x40, 1, 0, 1, 0, 0, 0}, 9},
		{"a keyspace of 33 bits", {0x11, 0, 0, 0x80, 0x80, 0x80, 0x80, 0x10, 0, 1, 0}, 11},
	};
	static const uint8_t good[] = {0x11, 0, 0x20, 1, 0, 1, 0, 0}; /* was there, and empty */
	struct change got;

	(void)state;
	assert_int_equal(change_decode(slice_of(good, sizeof(good)), &got), OK);
	assert_true(got.has_before && got.before.len == 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (change_decode(slice_of(bad[i].bytes, bad[i].len), &got) != ERR_MALFORMED)
			fail_msg("decodes: %s", bad[i].what);
	}
}

static void names_are_those_of_the_protocol(void **state)
{
	(void)state;
	assert_string_equal(record_type_name(RECORD_NONE), "none");
	assert_string_equal(record_type_name(RECORD_STRING), "string");
	assert_string_equal(record_type_name(RECORD_CHUNKS), "string");
	assert_string_equal(record_type_name(RECORD_SORTED_SET), "zset");
	for (int kind = CHANGE_SET; kind <= CHANGE_KEYSPACE; kind++) {
		for (int other = CHANGE_SET; other < kind; other++)
			assert_string_not_equal(change_kind_name((enum change_kind)kind),
						change_kind_name((enum change_kind)other));
	}
	assert_string_equal(change_kind_name((enum change_kind)200), "unknown");
	assert_string_equal(record_type_name((enum record_type)200), "unknown");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_the_bytes_of_the_format),
		cmocka_unit_test(what_is_cut_short_fails),
		cmocka_unit_test(another_version_is_told_from_garbage),
		cmocka_unit_test(every_rule_of_a_record_is_looked_at),
		cmocka_unit_test(second_forms_of_records_are_refused),
		cmocka_unit_test(second_forms_of_changes_are_refused),
		cmocka_unit_test(names_are_those_of_the_protocol),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
