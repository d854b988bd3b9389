#include "base/arena.h"

#include "base/random.h"
#include "expect_abort.h"

#include <stdalign.h>
#include <stdlib.h>

#define PIECES	 500
#define ORDINARY ((size_t)2 << 20) /* no chunk that is kept is larger than about this */

struct piece {
	uint8_t *at;
	size_t len;
	uint8_t fill;
};

static size_t draw_size(struct random *r)
{
	switch (random_below(r, 20)) {
	case 0:
		return 0;
	case 1:
		return random_below(r, 100000);
	case 2:
		return random_below(r, 5000);
	default:
		return random_below(r, 200);
	}
}

/* Fills each piece with a byte of its own; who overlaps is found when all are read again. */
static void fill_and_verify(struct arena *a, struct random *r)
{
	struct piece *pieces = calloc(PIECES, sizeof(*pieces));

	for (size_t i = 0; i < PIECES; i++) {
		struct piece *p = &pieces[i];
		size_t alignment = (size_t)1 << random_below(r, 9);

		p->len = draw_size(r);
		p->fill = (uint8_t)random_next(r);
		if (i % 2) {
			p->at = arena_alloc(a, p->len);
			alignment = alignof(max_align_t);
		} else {
			p->at = arena_alloc_aligned(a, alignment, p->len);
		}
		assert_int_equal((uintptr_t)p->at % alignment, 0);
		memset(p->at, p->fill, p->len);
	}
	for (size_t i = 0; i < PIECES; i++)
		for (size_t j = 0; j < pieces[i].len; j++)
			assert_int_equal(pieces[i].at[j], pieces[i].fill);
	free(pieces);
}

static void pieces_are_aligned_and_do_not_overlap(void **state)
{
	struct arena a = {0};
	struct random r;

	(void)state;
	random_seed(&r, 1);
	for (int round = 0; round < 10; round++) {
		fill_and_verify(&a, &r);
		if (round % 3 == 2)
			arena_free(&a);
		else if (round % 3 == 1)
			arena_clear(&a);
	}
	arena_free(&a);
}

static void copies_are_packed_and_equal(void **state)
{
	struct arena a = {0};
	struct slice first = arena_copy(&a, SLICE_LITERAL("abc"));
	struct slice none = arena_copy(&a, (struct slice){0});
	struct slice second = arena_copy(&a, SLICE_LITERAL("defg"));

	(void)state;
	assert_true(slice_equal(first, SLICE_LITERAL("abc")));
	assert_true(slice_equal(second, SLICE_LITERAL("defg")));
	assert_int_equal(none.len, 0);
	assert_ptr_equal(second.data, first.data + first.len);
	arena_free(&a);
}

static void small_ones_take_little_and_many_take_little_more_than_themselves(void **state)
{
	struct arena a = {0};
	size_t used = 0;

	(void)state;
	arena_alloc(&a, 100);
	assert_true(a.bytes < 20000);
	for (used = 100; used < 64 * ORDINARY; used += 112)
		arena_alloc(&a, 112);
	assert_true(a.bytes >= used);
	assert_true(a.bytes < used + used / 16);
	arena_free(&a);
}

static void a_large_one_leaves_the_newest_chunk_in_use(void **state)
{
	struct arena a = {0};
	uint8_t *before = arena_alloc(&a, 16);
	uint8_t *large = arena_alloc(&a, 8 * ORDINARY);
	uint8_t *after = arena_alloc(&a, 16);

	(void)state;
	memset(large, 1, 8 * ORDINARY);
	assert_ptr_equal(after, before + 16);
	arena_free(&a);
}

static void clearing_keeps_one_chunk_and_uses_it_again(void **state)
{
	struct arena a = {0};
	uint8_t *again;
	size_t kept;

	(void)state;
	arena_clear(&a);
	assert_int_equal(a.bytes, 0);
	for (size_t i = 0; i < 100000; i++)
		arena_alloc(&a, 100);
	arena_alloc(&a, 4 * ORDINARY);
	arena_clear(&a);
	kept = a.bytes;
	assert_true(kept > 0 && kept < ORDINARY + ORDINARY / 4);
	again = arena_alloc(&a, ORDINARY / 2);
	assert_int_equal(a.bytes, kept);
	arena_clear(&a);
	assert_ptr_equal(arena_alloc(&a, 1), again);
	arena_free(&a);
	assert_int_equal(a.bytes, 0);
	assert_null(a.chunks);
}

static void clearing_does_not_keep_what_is_larger_than_ordinary(void **state)
{
	struct arena a = {0};

	(void)state;
	arena_alloc(&a, 16 * ORDINARY);
	arena_clear(&a);
	assert_int_equal(a.bytes, 0);
	arena_alloc(&a, 16);
	assert_true(a.bytes > 0 && a.bytes < ORDINARY);
	arena_free(&a);
}

static void ask_for_too_much(void)
{
	struct arena a = {0};

	arena_alloc(&a, SIZE_MAX - 8);
}

static void align_to_three(void)
{
	struct arena a = {0};

	arena_alloc_aligned(&a, 3, 8);
}

static void what_cannot_be_fails_a_check(void **state)
{
	(void)state;
	expect_abort(ask_for_too_much, "alloc_slow: check failed");
	expect_abort(align_to_three, "alloc_slow: check failed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_aligned_and_do_not_overlap),
		cmocka_unit_test(copies_are_packed_and_equal),
		cmocka_unit_test(small_ones_take_little_and_many_take_little_more_than_themselves),
		cmocka_unit_test(a_large_one_leaves_the_newest_chunk_in_use),
		cmocka_unit_test(clearing_keeps_one_chunk_and_uses_it_again),
		cmocka_unit_test(clearing_does_not_keep_what_is_larger_than_ordinary),
		cmocka_unit_test(what_cannot_be_fails_a_check),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
