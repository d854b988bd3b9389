#include "consensus/membership.h"

#include "base/error.h"
#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define LABEL(text) SLICE_LITERAL(text)

static struct membership voters(uint64_t count)
{
	struct membership m = {0};

	for (uint64_t id = 1; id <= count; id++)
		assert_int_equal(membership_add_first(&m, id, LABEL("n")), OK);
	return m;
}

static uint8_t random_roles(struct random *r, bool joint)
{
	static const uint8_t plain[] = {MEMBER_VOTER, MEMBER_LEARNER,
					MEMBER_LEARNER | MEMBER_RISES};
	static const uint8_t both[] = {MEMBER_VOTER, MEMBER_LEARNER, MEMBER_VOTER_OLD,
				       MEMBER_VOTER | MEMBER_VOTER_OLD,
				       MEMBER_LEARNER | MEMBER_VOTER_OLD};

	return joint ? both[random_below(r, ARRAY_LEN(both))]
		     : plain[random_below(r, ARRAY_LEN(plain))];
}

/* A valid membership of up to seven members with gaps between ids. */
static struct membership random_membership(struct random *r)
{
	struct membership m;

	do {
		uint64_t id = 0;

		m = (struct membership){.joint = random_below(r, 2) != 0};
		m.count = (uint32_t)random_between(r, 1, 7);
		for (uint32_t i = 0; i < m.count; i++) {
			id += random_between(r, 1, 3);
			m.members[i].id = id;
			m.members[i].roles = random_roles(r, m.joint);
			m.members[i].label_len = (uint8_t)random_below(r, 4);
		}
	} while (membership_broken(&m));
	return m;
}

static bool naive_half(const struct membership *m, uint8_t role, uint32_t holds)
{
	int balance = 0;

	for (uint32_t i = 0; i < m->count; i++)
		if (m->members[i].roles & role)
			balance += holds & (uint32_t)1 << i ? 1 : -1;
	return balance > 0;
}

static bool naive_majority(const struct membership *m, uint32_t holds)
{
	return naive_half(m, MEMBER_VOTER, holds) &&
	       (!m->joint || naive_half(m, MEMBER_VOTER_OLD, holds));
}

static void majorities_are_those_that_counting_finds(void **state)
{
	struct random r;

	(void)state;
	random_seed(&r, 1);
	for (int round = 0; round < 2000; round++) {
		struct membership m = random_membership(&r);

		for (uint32_t holds = 0; holds < (uint32_t)1 << m.count; holds++)
			assert_int_equal(membership_majority(&m, holds), naive_majority(&m, holds));
	}
}

static void the_agreed_value_is_the_largest_that_a_majority_has(void **state)
{
	struct random r;

	(void)state;
	random_seed(&r, 2);
	for (int round = 0; round < 5000; round++) {
		struct membership m = random_membership(&r);
		uint64_t values[MEMBERSHIP_MAX] = {0}, best = 0;

		for (uint32_t i = 0; i < m.count; i++)
			values[i] = random_below(&r, 6);
		for (uint64_t v = 1; v < 6; v++) {
			uint32_t holds = 0;

			for (uint32_t i = 0; i < m.count; i++)
				holds |= (uint32_t)(values[i] >= v) << i;
			if (naive_majority(&m, holds))
				best = v;
		}
		assert_true(membership_agreed(&m, values) == best);
	}
}

/* The members of `m` whose bit is set in `holds`, as bits by id. */
static uint64_t by_id(const struct membership *m, uint32_t holds)
{
	uint64_t ids = 0;

	for (uint32_t i = 0; i < m->count; i++)
		if (holds & (uint32_t)1 << i)
			ids |= (uint64_t)1 << m->members[i].id;
	return ids;
}

static void check_overlap(const struct membership *a, const struct membership *b)
{
	for (uint32_t x = 0; x < (uint32_t)1 << a->count; x++) {
		if (!membership_majority(a, x))
			continue;
		for (uint32_t y = 0; y < (uint32_t)1 << b->count; y++)
			if (membership_majority(b, y) && !(by_id(a, x) & by_id(b, y)))
				fail_msg("two majorities without a common member");
	}
}

static struct member_change random_change(struct random *r, uint64_t id)
{
	return (struct member_change){
		.kind = (enum member_change_kind)random_below(r, MEMBER_RELABEL + 1),
		.id = id,
		.label = LABEL("x"),
	};
}

/* The rule all memberships rest on: from one to the next, any two majorities have a common voter.
 */
static void majorities_before_and_after_a_change_overlap(void **state)
{
	struct random r;
	int changed = 0, joint = 0;

	(void)state;
	random_seed(&r, 3);
	for (int round = 0; round < 20000; round++) {
		struct membership m = voters(random_between(&r, 1, 4)), next = {0}, last = {0};
		struct member_change changes[4];
		size_t count = random_between(&r, 1, 4);

		for (size_t i = 0; i < count; i++)
			changes[i] = random_change(&r, random_between(&r, 1, 6));
		if (membership_change(&m, changes, count, &next) == OK) {
			changed++;
			assert_null(membership_broken(&next));
			check_overlap(&m, &next);
			if (next.joint) {
				joint++;
				membership_leave(&next, &last);
				assert_null(membership_broken(&last));
				check_overlap(&next, &last);
			}
		}
		membership_free(&m);
		membership_free(&next);
		membership_free(&last);
	}
	assert_true(changed > 1000 && joint > 100);
}

static int change(struct membership *m, const struct member_change *changes, size_t count)
{
	struct membership next = {0};
	int rc = membership_change(m, changes, count, &next);

	if (rc == OK)
		membership_copy(m, &next);
	membership_free(&next);
	return rc;
}

static int change_one(struct membership *m, enum member_change_kind kind, uint64_t id)
{
	struct member_change c = {.kind = kind, .id = id, .label = LABEL("new")};

	return change(m, &c, 1);
}

static void a_change_of_one_vote_is_plain_and_of_two_is_joint(void **state)
{
	struct membership m = voters(3), left = {0};
	struct member_change replace[] = {{.kind = MEMBER_ADD_VOTER, .id = 4, .label = LABEL("")},
					  {.kind = MEMBER_REMOVE, .id = 1}};

	(void)state;
	assert_int_equal(change_one(&m, MEMBER_ADD_LEARNER, 5), OK);
	assert_false(m.joint);
	assert_false(membership_votes(&m, 5));
	assert_int_equal(change_one(&m, MEMBER_PROMOTE, 5), OK);
	assert_false(m.joint);
	assert_true(membership_votes(&m, 5));
	assert_int_equal(change_one(&m, MEMBER_DEMOTE, 5), OK);
	assert_false(m.joint);
	assert_int_equal(change(&m, replace, 2), OK);
	assert_true(m.joint);
	assert_true(membership_votes(&m, 1) && membership_votes(&m, 4));
	assert_false(membership_was_removed(&m, 1));
	assert_int_equal(change_one(&m, MEMBER_REMOVE, 2), ERR_BUSY);
	membership_leave(&m, &left);
	assert_null(membership_find(&left, 1));
	assert_true(membership_was_removed(&left, 1));
	membership_free(&m);
	membership_free(&left);
}

static void whoever_stands_in_neither_half_of_a_joint_membership_is_out_at_once(void **state)
{
	struct membership m = voters(2);
	struct member_change changes[] = {{.kind = MEMBER_REMOVE, .id = 3},
					  {.kind = MEMBER_ADD_VOTER, .id = 4},
					  {.kind = MEMBER_REMOVE, .id = 2}};

	(void)state;
	assert_int_equal(change_one(&m, MEMBER_ADD_LEARNER, 3), OK);
	assert_int_equal(change(&m, changes, 3), OK);
	assert_true(m.joint);
	assert_null(membership_broken(&m));
	assert_null(membership_find(&m, 3));
	assert_true(membership_was_removed(&m, 3));
	membership_free(&m);
}

static void what_makes_no_sense_is_refused(void **state)
{
	struct membership m = voters(2);
	struct member_change twice[] = {{.kind = MEMBER_REMOVE, .id = 2},
					{.kind = MEMBER_ADD_VOTER, .id = 2}};
	struct member_change everybody[] = {{.kind = MEMBER_REMOVE, .id = 1},
					    {.kind = MEMBER_DEMOTE, .id = 2}};
	uint8_t text[MEMBER_LABEL_MAX + 1] = {0};
	struct member_change wordy = {
		.kind = MEMBER_ADD_LEARNER, .id = 3, .label = slice_of(text, sizeof(text))};

	(void)state;
	assert_int_equal(change(&m, twice, 0), ERR_INVALID);
	assert_int_equal(change(&m, twice, 2), ERR_INVALID);
	assert_int_equal(change(&m, everybody, 2), ERR_INVALID);
	assert_int_equal(change(&m, &wordy, 1), ERR_INVALID);
	wordy.kind = MEMBER_RELABEL;
	wordy.id = 1;
	assert_int_equal(change(&m, &wordy, 1), ERR_INVALID);
	assert_int_equal(change_one(&m, MEMBER_ADD_VOTER, 1), ERR_EXISTS);
	assert_int_equal(change_one(&m, MEMBER_ADD_LEARNER, 0), ERR_INVALID);
	assert_int_equal(change_one(&m, MEMBER_PROMOTE, 1), ERR_INVALID);
	assert_int_equal(change_one(&m, MEMBER_PROMOTE, 9), ERR_NOT_FOUND);
	assert_int_equal(change_one(&m, MEMBER_RELABEL, 9), ERR_NOT_FOUND);
	assert_int_equal(change_one(&m, MEMBER_REMOVE, 2), OK);
	assert_int_equal(change_one(&m, MEMBER_DEMOTE, 1), ERR_INVALID);
	assert_int_equal(change_one(&m, MEMBER_REMOVE, 1), ERR_INVALID);
	membership_free(&m);
}

static void a_removed_id_never_comes_back(void **state)
{
	struct membership m = voters(4);

	(void)state;
	assert_int_equal(change_one(&m, MEMBER_REMOVE, 3), OK);
	assert_int_equal(change_one(&m, MEMBER_REMOVE, 2), OK);
	assert_int_equal(change_one(&m, MEMBER_ADD_LEARNER, 3), ERR_INVALID);
	assert_int_equal(change_one(&m, MEMBER_ADD_VOTER, 2), ERR_INVALID);
	assert_int_equal(membership_add_first(&m, 2, LABEL("")), ERR_INVALID);
	assert_true(membership_was_removed(&m, 2) && membership_was_removed(&m, 3));
	assert_false(membership_was_removed(&m, 1));
	membership_free(&m);
}

static void there_is_room_for_so_many_and_no_more(void **state)
{
	struct membership m = voters(MEMBERSHIP_MAX);
	uint64_t values[MEMBERSHIP_MAX];

	(void)state;
	assert_int_equal(membership_add_first(&m, 99, LABEL("")), ERR_TOO_LARGE);
	assert_int_equal(change_one(&m, MEMBER_ADD_LEARNER, 99), ERR_TOO_LARGE);
	assert_false(membership_majority(&m, 0x0000ffff));
	assert_true(membership_majority(&m, 0x8000ffff));
	for (uint32_t i = 0; i < MEMBERSHIP_MAX; i++)
		values[i] = i;
	assert_true(membership_agreed(&m, values) == 15);
	membership_free(&m);
}

static void nobody_is_no_majority(void **state)
{
	struct membership m = {0};
	uint64_t values[1] = {7};

	(void)state;
	assert_false(membership_majority(&m, UINT32_MAX));
	assert_true(membership_agreed(&m, values) == 0);
	assert_non_null(membership_broken(&m));
}

static struct membership with_history(void)
{
	struct membership m = voters(3);
	struct member_change changes[] = {
		{.kind = MEMBER_ADD_VOTER, .id = UINT64_MAX, .label = LABEL("far away")},
		{.kind = MEMBER_REMOVE, .id = 1}};

	assert_int_equal(change_one(&m, MEMBER_ADD_LEARNER, 7), OK);
	assert_int_equal(change_one(&m, MEMBER_REMOVE, 3), OK);
	assert_int_equal(change_one(&m, MEMBER_ADD_LEARNER, 4), OK);
	assert_int_equal(change_one(&m, MEMBER_REMOVE, 4), OK);
	assert_int_equal(change(&m, changes, 2), OK);
	return m;
}

static void a_membership_comes_back_from_its_bytes(void **state)
{
	struct membership m = with_history(), back = {0};
	struct buf bytes = {0}, again = {0};

	(void)state;
	membership_encode(&m, &bytes);
	assert_int_equal(membership_decode(buf_slice(&bytes), &back), OK);
	membership_encode(&back, &again);
	assert_true(slice_equal(buf_slice(&bytes), buf_slice(&again)));
	assert_true(back.joint && back.count == m.count && back.removed_count == 2);
	membership_free(&m);
	membership_free(&back);
	buf_free(&bytes);
	buf_free(&again);
}

static void bytes_cut_anywhere_or_followed_by_more_are_malformed(void **state)
{
	struct membership m = with_history(), back = {0};
	struct buf bytes = {0};

	(void)state;
	membership_encode(&m, &bytes);
	for (size_t cut = 0; cut < bytes.len; cut++) {
		assert_int_equal(membership_decode(slice_of(bytes.data, cut), &back),
				 ERR_MALFORMED);
		assert_true(back.count == 0 && back.removed == NULL);
	}
	buf_append_byte(&bytes, 0);
	assert_int_equal(membership_decode(buf_slice(&bytes), &back), ERR_MALFORMED);
	membership_free(&m);
	buf_free(&bytes);
}

/* Whatever is accepted obeys the rules and says the same when it is written again. */
static void a_changed_byte_is_malformed_or_another_valid_membership(void **state)
{
	struct membership m = with_history();
	struct buf bytes = {0};

	(void)state;
	membership_encode(&m, &bytes);
	for (size_t at = 0; at < bytes.len; at++) {
		for (unsigned value = 0; value < 256; value++) {
			uint8_t saved = bytes.data[at];
			struct membership back = {0};
			struct buf again = {0};

			bytes.data[at] = (uint8_t)value;
			if (membership_decode(buf_slice(&bytes), &back) == OK) {
				assert_null(membership_broken(&back));
				membership_encode(&back, &again);
				assert_true(slice_equal(buf_slice(&bytes), buf_slice(&again)));
			}
			bytes.data[at] = saved;
			membership_free(&back);
			buf_free(&again);
		}
	}
	membership_free(&m);
	buf_free(&bytes);
}

static void a_copy_stands_for_itself(void **state)
{
	struct membership m = with_history(), copy = {0};

	(void)state;
	membership_copy(&copy, &m);
	membership_free(&m);
	assert_true(membership_was_removed(&copy, 3));
	membership_copy(&copy, &m);
	assert_true(copy.count == 0 && copy.removed_count == 0);
	membership_free(&copy);
}

static void one_alone_is_left_of_any_membership(void **state)
{
	struct random r;

	(void)state;
	random_seed(&r, 5);
	for (int round = 0; round < 1000; round++) {
		struct membership m = random_membership(&r), alone = {0};
		const struct participant *self = &m.members[random_below(&r, m.count)];

		assert_int_equal(membership_alone(&m, self->id, &alone), OK);
		assert_null(membership_broken(&alone));
		assert_false(alone.joint);
		assert_int_equal(alone.count, 1);
		assert_int_equal(alone.members[0].id, self->id);
		assert_int_equal(alone.members[0].roles, MEMBER_VOTER);
		assert_int_equal(alone.members[0].label_len, self->label_len);
		for (uint32_t i = 0; i < m.count; i++)
			assert_int_equal(membership_was_removed(&alone, m.members[i].id),
					 m.members[i].id != self->id);
		membership_free(&alone);
		assert_int_equal(membership_alone(&m, 1000, &alone), ERR_INVALID);
		assert_int_equal(alone.count, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(majorities_are_those_that_counting_finds),
		cmocka_unit_test(the_agreed_value_is_the_largest_that_a_majority_has),
		cmocka_unit_test(majorities_before_and_after_a_change_overlap),
		cmocka_unit_test(a_change_of_one_vote_is_plain_and_of_two_is_joint),
		cmocka_unit_test(
			whoever_stands_in_neither_half_of_a_joint_membership_is_out_at_once),
		cmocka_unit_test(what_makes_no_sense_is_refused),
		cmocka_unit_test(a_removed_id_never_comes_back),
		cmocka_unit_test(there_is_room_for_so_many_and_no_more),
		cmocka_unit_test(nobody_is_no_majority),
		cmocka_unit_test(a_membership_comes_back_from_its_bytes),
		cmocka_unit_test(bytes_cut_anywhere_or_followed_by_more_are_malformed),
		cmocka_unit_test(a_changed_byte_is_malformed_or_another_valid_membership),
		cmocka_unit_test(a_copy_stands_for_itself),
		cmocka_unit_test(one_alone_is_left_of_any_membership),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
