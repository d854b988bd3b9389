#include "storage/log_format.h"

#include "base/codec.h"
#include "base/hash.h"
#include "base/mem.h"
#include "support/log_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define EXAMPLE_SEGMENT "log/0000000000000001.log"

static struct log_segment_header sample_header(struct slice membership)
{
	return (struct log_segment_header){.sequence = 9,
					   .previous = 7,
					   .previous_first = 100,
					   .capacity = 65536,
					   .member_id = 0xabcdef,
					   .cluster_id = 5,
					   .first_index = 200,
					   .base_term = 6,
					   .term = 7,
					   .vote = 3,
					   .flags = 1,
					   .membership_bytes = (uint32_t)membership.len,
					   .membership_index = 150,
					   .durable_upto = 8192,
					   .membership = membership};
}

static void a_segment_header_comes_back(void **state)
{
	uint8_t *blocks = mem_alloc(4 * DISK_BLOCK);
	uint8_t *big = mem_zalloc(1, 9000);

	(void)state;
	for (size_t len = 0; len <= 9000; len += 1500) {
		struct log_segment_header h = sample_header(slice_of(big, len));
		struct log_segment_header got;
		size_t need = 0;
		int rc;

		log_segment_header_encode(&h, blocks);
		rc = log_segment_header_decode(slice_of(blocks, DISK_BLOCK), &got, &need);
		if (log_segment_header_bytes(len) > DISK_BLOCK) {
			assert_int_equal(rc, ERR_TRUNCATED);
			rc = log_segment_header_decode(slice_of(blocks, need), &got, &need);
		}
		assert_int_equal(rc, OK);
		assert_int_equal(need, LOG_SEGMENT_SIZE + len);
		assert_int_equal(got.previous_first, 100);
		assert_int_equal(got.durable_upto, 8192);
		assert_int_equal(got.membership.len, len);
	}
	mem_free(blocks);
	mem_free(big);
}

static void every_flipped_bit_of_a_header_is_noticed(void **state)
{
	struct log_segment_header h = sample_header(SLICE_LITERAL("members"));
	struct log_segment_header got;
	uint8_t block[DISK_BLOCK];
	size_t need;

	(void)state;
	log_segment_header_encode(&h, block);
	for (size_t bit = 0; bit < (LOG_SEGMENT_SIZE + 7) * 8; bit++) {
		block[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_not_equal(
			log_segment_header_decode(slice_of(block, sizeof(block)), &got, &need), OK);
		block[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_int_equal(log_segment_header_decode(slice_of(block, sizeof(block)), &got, &need),
			 OK);
}

static void a_newer_version_is_told_from_damage(void **state)
{
	struct log_segment_header h = sample_header(SLICE_LITERAL(""));
	struct log_segment_header got;
	uint8_t block[DISK_BLOCK];
	uint64_t head;
	size_t need;

	(void)state;
	log_segment_header_encode(&h, block);
	fixed32_put(block + 8, LOG_FORMAT_VERSION + 1);
	assert_int_equal(log_segment_header_decode(slice_of(block, sizeof(block)), &got, &need),
			 ERR_CORRUPT);
	head = hash64(slice_of(block, 16));
	fixed64_put(block + 16, hash64_salted(slice_of(block + 24, LOG_SEGMENT_SIZE - 24), head));
	assert_int_equal(log_segment_header_decode(slice_of(block, sizeof(block)), &got, &need),
			 ERR_VERSION);
}

/* A group with a hard state and an entry, as it would stand at `offset`; returns its length. */
static size_t sample_group(uint8_t *at, uint64_t salt, uint64_t offset)
{
	struct log_state s = {4, 5, 6};
	struct entry e = {.term = 4,
			  .stamp = 9,
			  .kind = 17,
			  .len = 11,
			  .data = (const uint8_t *)"hello there"};
	struct log_group_header g = {.first_index = 3, .entries = 1, .records = 2};
	size_t used = LOG_GROUP_SIZE;

	log_record_encode_state(&s, salt, offset + used, at + used);
	used += log_record_bytes(LOG_STATE_SIZE);
	log_record_encode_entry(&e, salt, offset + used, at + used);
	used += log_record_bytes(LOG_ENTRY_SIZE + e.len);
	g.length = (uint32_t)used;
	log_group_encode(&g, salt, offset, at);
	return used;
}

static bool group_valid(const uint8_t *at, size_t len, uint64_t salt, uint64_t offset)
{
	struct log_group_header g;

	return log_group_decode(at, salt, offset, &g) && g.length == len &&
	       log_group_intact(&g, slice_of(at, len), salt, offset);
}

static void every_flipped_bit_of_a_group_is_noticed(void **state)
{
	uint8_t bytes[256] = {0};
	uint64_t salt = log_segment_salt(1, 2);
	size_t len = sample_group(bytes, salt, 8192);
	size_t unnoticed = 0;

	(void)state;
	assert_true(group_valid(bytes, len, salt, 8192));
	for (size_t bit = 0; bit < len * 8; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		unnoticed += group_valid(bytes, len, salt, 8192);
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	/* Only the gaps behind the two records are free. */
	assert_int_equal(unnoticed, 8 * (4 + 5));
}

static void a_group_is_valid_in_its_own_place_only(void **state)
{
	uint8_t bytes[256] = {0};
	uint64_t salt = log_segment_salt(1, 2);
	size_t len = sample_group(bytes, salt, 8192);

	(void)state;
	assert_true(group_valid(bytes, len, salt, 8192));
	assert_false(group_valid(bytes, len, salt, 4096));
	assert_false(group_valid(bytes, len, log_segment_salt(1, 3), 8192));
	assert_false(group_valid(bytes, len, log_segment_salt(2, 2), 8192));
}

static void a_mark_comes_back_and_a_damaged_one_says_nothing(void **state)
{
	struct log_damage d = {1, 2, 3, 4, 5, 6};
	struct log_damage got;
	uint8_t block[DISK_BLOCK];

	(void)state;
	log_mark_encode(&d, block);
	log_mark_decode(slice_of(block, sizeof(block)), &got);
	assert_memory_equal(&d, &got, sizeof(d));
	block[30] ^= 1;
	log_mark_decode(slice_of(block, sizeof(block)), &got);
	assert_int_equal(got.to_index, 0);
	log_mark_decode(slice_of(block, 10), &got);
	assert_int_equal(got.offset, 0);
}

/* Writes the log that the example in docs/disk-format.md shows. */
static void write_example(struct log_tester *t)
{
	struct entry e = {.term = 2, .stamp = 1000, .kind = ENTRY_COMMAND};
	struct log_state s = {.term = 2, .vote = 7, .flags = 1};
	struct log_batch batch = {.first_index = 1, .entries = &e, .count = 1, .state = &s};
	struct job *job;

	log_tester_init(t, 1);
	t->options.identity =
		(struct log_identity){.member_id = 0x1122334455667788, .cluster_id = 0x99};
	t->options.membership = SLICE_LITERAL("n1");
	assert_int_equal(log_open(&t->log, sim_disk_interface(t->disk), &t->options, &t->found),
			 OK);
	e.blob = blob_copy(SLICE_LITERAL("hello"));
	e.data = e.blob->data;
	e.len = 5;
	log_add(t->log, &batch);
	job = log_start(t->log);
	while (job->step(job) == JOB_MORE)
		;
	assert_int_equal(log_complete(t->log), OK);
	blob_release(e.blob);
}

/* Compares a line "OFFSET  BYTE BYTE ..." with the segment; returns how many bytes it had. */
static size_t check_example_line(const struct log_tester *t, char *line)
{
	char *at = line;
	uint64_t offset = strtoull(at, &at, 16);
	size_t count = 0;

	while (at[0] == ' ' && at[1] != '|' && at[1] != '\0') {
		char *end;
		unsigned long expected = strtoul(at, &end, 16);
		uint8_t byte = 0;

		if (end == at)
			break;
		assert_int_equal(sim_disk_peek(t->disk, EXAMPLE_SEGMENT, offset + count, &byte, 1),
				 1);
		if (byte != expected)
			fail_msg("offset %zu: written as %02x, documented as %02lx",
				 (size_t)offset + count, byte, expected);
		count++;
		at = end;
	}
	return count;
}

static void the_documented_example_is_what_is_written(void **state)
{
	FILE *doc = fopen(TEST_DOCS_DIR "/disk-format.md", "r");
	struct log_tester t;
	char line[512];
	size_t bytes = 0;
	bool inside = false;

	(void)state;
	assert_non_null(doc);
	write_example(&t);
	while (fgets(line, sizeof(line), doc)) {
		if (strncmp(line, "```hexdump", 10) == 0)
			inside = true;
		else if (strncmp(line, "```", 3) == 0)
			inside = false;
		else if (inside)
			bytes += check_example_line(&t, line);
	}
	fclose(doc);
	/* The header, the first group, each of their bytes in use. */
	assert_int_equal(bytes, LOG_SEGMENT_SIZE + 2 + 120);
	log_tester_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_segment_header_comes_back),
		cmocka_unit_test(every_flipped_bit_of_a_header_is_noticed),
		cmocka_unit_test(a_newer_version_is_told_from_damage),
		cmocka_unit_test(every_flipped_bit_of_a_group_is_noticed),
		cmocka_unit_test(a_group_is_valid_in_its_own_place_only),
		cmocka_unit_test(a_mark_comes_back_and_a_damaged_one_says_nothing),
		cmocka_unit_test(the_documented_example_is_what_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
