#include "consensus/snapshot.h"

#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void encode_sample(struct buf *bytes)
{
	struct snapshot s = {.index = 300, .term = 7, .where = SLICE_LITERAL("over there")};

	assert_int_equal(membership_add_first(&s.membership, 1, SLICE_LITERAL("n1")), OK);
	assert_int_equal(membership_add_first(&s.membership, 2, SLICE_LITERAL("n2")), OK);
	snapshot_encode(&s, bytes);
	snapshot_free(&s);
}

static void a_descriptor_comes_back_from_its_bytes(void **state)
{
	struct buf bytes = {0};
	struct snapshot s = {0};

	(void)state;
	encode_sample(&bytes);
	assert_int_equal(snapshot_decode(buf_slice(&bytes), &s), OK);
	assert_true(s.index == 300 && s.term == 7 && s.membership.count == 2);
	assert_true(slice_equal(s.where, SLICE_LITERAL("over there")));
	assert_true(s.where.data > bytes.data && s.where.data < bytes.data + bytes.len);
	snapshot_free(&s);
	assert_true(s.index == 0 && s.membership.count == 0);
	buf_free(&bytes);
}

static void bytes_cut_anywhere_or_followed_by_more_are_malformed(void **state)
{
	struct buf bytes = {0};
	struct snapshot s = {0};

	(void)state;
	encode_sample(&bytes);
	for (size_t cut = 0; cut < bytes.len; cut++) {
		assert_int_equal(snapshot_decode(slice_of(bytes.data, cut), &s), ERR_MALFORMED);
		assert_true(s.index == 0 && s.membership.count == 0 && s.where.data == NULL);
	}
	buf_append_byte(&bytes, 0);
	assert_int_equal(snapshot_decode(buf_slice(&bytes), &s), ERR_MALFORMED);
	buf_free(&bytes);
}

static void assert_malformed(uint64_t index, uint64_t term)
{
	struct buf bytes = {0};
	struct snapshot s = {.index = index, .term = term}, back = {0};

	assert_int_equal(membership_add_first(&s.membership, 1, SLICE_LITERAL("n1")), OK);
	snapshot_encode(&s, &bytes);
	assert_int_equal(snapshot_decode(buf_slice(&bytes), &back), ERR_MALFORMED);
	snapshot_free(&s);
	buf_free(&bytes);
}

static void a_snapshot_of_nothing_or_of_no_term_is_malformed(void **state)
{
	(void)state;
	assert_malformed(0, 7);
	assert_malformed(7, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_descriptor_comes_back_from_its_bytes),
		cmocka_unit_test(bytes_cut_anywhere_or_followed_by_more_are_malformed),
		cmocka_unit_test(a_snapshot_of_nothing_or_of_no_term_is_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
