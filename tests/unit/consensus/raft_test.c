/* What stories do not show well: starting from a disk, deadlines, notes, who is asked what. */

#include "consensus/raft.h"

#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct raft_options options_of(uint64_t id)
{
	struct raft_options o = raft_options_default();

	o.id = id;
	return o;
}

static struct membership voters(uint64_t count)
{
	struct membership m = {0};

	for (uint64_t id = 1; id <= count; id++)
		assert_int_equal(membership_add_first(&m, id, SLICE_LITERAL("")), OK);
	return m;
}

static int start(const struct raft_restore *restore)
{
	struct raft_options o = options_of(1);
	struct raft *r;
	int rc = raft_new(&r, &o, restore, 0);

	if (rc == OK) {
		assert_null(raft_broken(r));
		raft_free(r);
	}
	return rc;
}

/* One core that was started from `restore` and a clock. */
static struct raft *started(uint64_t id, const struct raft_restore *restore)
{
	struct raft_options o = options_of(id);
	struct raft *r;

	assert_int_equal(raft_new(&r, &o, restore, 1000), OK);
	return r;
}

static void advance(struct raft *r, struct raft_ready *rd)
{
	raft_ready(r, rd);
	raft_advance(r);
	if (rd->persist.seq)
		raft_persisted(r, 1000, rd->persist.seq);
}

static void a_disk_that_contradicts_itself_is_refused(void **state)
{
	static const struct term_run good[] = {{4, 2}, {6, 3}};
	static const struct term_run gap[] = {{5, 2}, {6, 3}};
	static const struct term_run back[] = {{4, 3}, {6, 2}};
	static const struct term_run same[] = {{4, 2}, {6, 2}};
	static const struct term_run beyond[] = {{4, 2}, {9, 3}};
	static const struct term_run disorder[] = {{4, 2}, {4, 3}};
	static const struct term_run early[] = {{4, 1}, {6, 3}};
	static const struct term_run timeless[] = {{1, 0}};
	struct membership m = voters(3);
	struct raft_restore r = {.base = 3, .base_term = 2, .base_membership = &m, .last = 8};

	(void)state;
	r.runs = good;
	r.run_count = 2;
	assert_int_equal(start(&r), OK);
	r.applied = 9;
	assert_int_equal(start(&r), ERR_CORRUPT);
	r.applied = 8;
	assert_int_equal(start(&r), OK);
	r.runs = gap;
	assert_int_equal(start(&r), ERR_CORRUPT);
	r.runs = back;
	assert_int_equal(start(&r), ERR_CORRUPT);
	r.runs = same;
	assert_int_equal(start(&r), ERR_CORRUPT);
	r.runs = beyond;
	assert_int_equal(start(&r), ERR_CORRUPT);
	r.runs = disorder;
	assert_int_equal(start(&r), ERR_CORRUPT);
	r.runs = early;
	assert_int_equal(start(&r), ERR_CORRUPT);
	r.run_count = 0;
	assert_int_equal(start(&r), ERR_CORRUPT);
	r = (struct raft_restore){.last = 1, .runs = timeless, .run_count = 1};
	assert_int_equal(start(&r), ERR_CORRUPT);
	r = (struct raft_restore){.base = 5, .last = 5};
	assert_int_equal(start(&r), ERR_CORRUPT);
	membership_free(&m);
}

static void memberships_on_disk_have_to_be_readable_and_in_order(void **state)
{
	static const struct term_run runs[] = {{1, 1}};
	struct membership m = voters(3);
	struct buf bytes = {0};
	struct raft_restored_membership found[2];
	struct raft_restore r = {.base_membership = &m,
				 .last = 8,
				 .runs = runs,
				 .run_count = 1,
				 .memberships = found};

	(void)state;
	membership_encode(&m, &bytes);
	found[0] = (struct raft_restored_membership){2, buf_slice(&bytes)};
	found[1] = (struct raft_restored_membership){5, buf_slice(&bytes)};
	r.membership_count = 2;
	assert_int_equal(start(&r), OK);
	found[1].index = 2;
	assert_int_equal(start(&r), ERR_CORRUPT);
	found[1].index = 9;
	assert_int_equal(start(&r), ERR_CORRUPT);
	found[1] = (struct raft_restored_membership){5, slice_of(bytes.data, bytes.len - 1)};
	assert_int_equal(start(&r), ERR_CORRUPT);
	membership_free(&m);
	buf_free(&bytes);
}

/* The entries were written, the term was not: it is the entries' at least, and no vote is known. */
static void the_term_is_never_older_than_the_log(void **state)
{
	static const struct term_run runs[] = {{1, 7}};
	struct membership m = voters(3);
	struct raft_restore restore = {.hard = {.term = 5, .vote = 2, .born = true},
				       .base_membership = &m,
				       .last = 1,
				       .runs = runs,
				       .run_count = 1};
	struct raft *r = started(1, &restore);
	struct raft_status s;
	struct raft_ready rd;

	(void)state;
	raft_status(r, &s);
	assert_true(s.term == 7 && s.vote == 0);
	raft_ready(r, &rd);
	assert_true(rd.persist.hard_changed && rd.persist.hard.term == 7);
	raft_advance(r);
	raft_free(r);
	membership_free(&m);
}

static void what_changes_nothing_need_not_be_synced(void **state)
{
	struct raft_persist p = {0};

	(void)state;
	assert_false(raft_must_sync(&p));
	p.count = 1;
	assert_true(raft_must_sync(&p));
	p = (struct raft_persist){.hard_changed = true};
	assert_true(raft_must_sync(&p));
	p = (struct raft_persist){.reset = true};
	assert_true(raft_must_sync(&p));
	p = (struct raft_persist){.clear_damage = true};
	assert_true(raft_must_sync(&p));
}

static void election_timeouts_lie_between_one_and_one_and_a_half(void **state)
{
	struct membership m = voters(3);
	struct raft_restore restore = {.hard = {.born = true}, .base_membership = &m};
	bool early = false, late = false;

	(void)state;
	for (uint64_t seed = 0; seed < 200; seed++) {
		struct raft_options o = options_of(1);
		struct raft *r;
		uint64_t due;

		o.seed = seed;
		assert_int_equal(raft_new(&r, &o, &restore, 1000), OK);
		due = raft_deadline(r);
		assert_true(due >= 2000 && due <= 2500);
		early |= due < 2050;
		late |= due > 2450;
		raft_free(r);
	}
	assert_true(early && late);
	membership_free(&m);
}

/* Nothing is due at once for ever: a loop that sleeps until the deadline must not spin. */
static void a_deadline_that_has_passed_is_gone_after_a_tick(void **state)
{
	struct membership m = voters(1);
	struct raft_restore restore = {
		.hard = {.born = true}, .base_membership = &m, .damaged = true};
	struct raft *r = started(1, &restore);
	uint64_t now = 1000;

	(void)state;
	for (int i = 0; i < 10; i++) {
		struct raft_ready rd;

		raft_tick(r, now);
		advance(r, &rd);
		assert_true(raft_deadline(r) > now);
		now = raft_deadline(r);
	}
	raft_free(r);
	membership_free(&m);
}

static void who_is_not_born_waits_for_nothing(void **state)
{
	struct membership m = voters(3);
	struct raft_restore restore = {.base_membership = &m};
	struct raft *r = started(1, &restore);

	(void)state;
	assert_true(raft_deadline(r) == UINT64_MAX);
	assert_int_equal(raft_read_index(r, 1000, 1), ERR_UNAVAILABLE);
	assert_int_equal(raft_transfer(r, 1000, 2), ERR_UNAVAILABLE);
	raft_free(r);
	membership_free(&m);
}

static void only_a_leader_takes_proposals_and_changes(void **state)
{
	struct membership m = voters(3);
	struct raft_restore restore = {.hard = {.born = true}, .base_membership = &m};
	struct raft *r = started(1, &restore);
	struct member_change c = {.kind = MEMBER_REMOVE, .id = 2};
	struct entry e = {.kind = ENTRY_COMMAND};
	uint64_t first;

	(void)state;
	assert_int_equal(raft_propose(r, 1000, &e, 1, &first), ERR_NOT_LEADER);
	assert_int_equal(raft_change(r, 1000, &c, 1), ERR_NOT_LEADER);
	raft_free(r);
	membership_free(&m);
}

/* A leader of one, with its first entry committed. */
static struct raft *leader_of_one(void)
{
	struct membership m = voters(1);
	struct raft_restore restore = {.hard = {.born = true}, .base_membership = &m};
	struct raft *r = started(1, &restore);
	struct raft_ready rd;

	raft_tick(r, 1000);
	advance(r, &rd);
	advance(r, &rd);
	assert_true(rd.persist.count == 1);
	membership_free(&m);
	return r;
}

static void committed_entries_are_handed_out_from_memory_until_they_are_released(void **state)
{
	struct raft *r = leader_of_one();
	struct entry e[2] = {{.kind = ENTRY_COMMAND, .stamp = 77}, {.kind = ENTRY_COMMAND}};
	const struct entry *got;
	struct raft_ready rd;
	uint64_t first;
	size_t n;

	(void)state;
	assert_int_equal(raft_propose(r, 1000, e, 2, &first), OK);
	assert_true(first == 2);
	assert_null(raft_committed(r, 2, &n));
	advance(r, &rd);
	got = raft_committed(r, 2, &n);
	assert_int_equal(n, 2);
	assert_true(got[0].stamp == 77 && got[0].term == 1);
	assert_null(raft_committed(r, 4, &n));
	raft_applied(r, 3);
	raft_release(r, 2);
	assert_null(raft_committed(r, 2, &n));
	assert_non_null(raft_committed(r, 3, &n));
	assert_true(raft_term_at(r, 2) == 1 && raft_term_at(r, 1) == 0);
	raft_free(r);
}

static void the_leaders_own_entries_bear_the_stamp_that_was_set(void **state)
{
	struct membership m = voters(1);
	struct raft_restore restore = {.hard = {.born = true}, .base_membership = &m};
	struct raft *r = started(1, &restore);
	struct raft_ready rd;

	(void)state;
	raft_set_stamp(r, 4711);
	raft_tick(r, 1000);
	advance(r, &rd);
	raft_ready(r, &rd);
	assert_int_equal(rd.persist.count, 1);
	assert_int_equal(rd.persist.entries[0].kind, ENTRY_NOOP);
	assert_true(rd.persist.entries[0].stamp == 4711);
	raft_advance(r);
	raft_free(r);
	membership_free(&m);
}

static void notes_go_with_vote_replies_and_reach_the_other_side(void **state)
{
	struct membership m = voters(3);
	struct raft_restore restore = {.hard = {.born = true}, .base_membership = &m};
	struct raft *voter = started(2, &restore), *candidate = started(1, &restore);
	struct raft_message ask, reply;
	struct raft_ready rd;

	(void)state;
	raft_set_note(voter, SLICE_LITERAL("half past six"));
	raft_tick(candidate, 5000);
	raft_ready(candidate, &rd);
	ask = rd.now[0];
	raft_advance(candidate);
	assert_int_equal(raft_step(voter, 1000, &ask), OK);
	raft_ready(voter, &rd);
	reply = rd.now[0];
	raft_advance(voter);
	assert_int_equal(reply.type, RAFT_PREVOTE_RESP);
	assert_int_equal(raft_step(candidate, 5000, &reply), OK);
	raft_ready(candidate, &rd);
	assert_int_equal(rd.note_count, 1);
	assert_true(rd.notes[0].from == 2 && rd.notes[0].type == RAFT_PREVOTE_RESP);
	assert_true(slice_equal(slice_of(rd.notes[0].bytes, rd.notes[0].len),
				SLICE_LITERAL("half past six")));
	raft_advance(candidate);
	raft_free(voter);
	raft_free(candidate);
	membership_free(&m);
}

static void a_message_for_somebody_else_is_not_listened_to(void **state)
{
	struct membership m = voters(3);
	struct raft_restore restore = {.hard = {.born = true}, .base_membership = &m};
	struct raft *r = started(1, &restore);
	struct raft_message message = {.type = RAFT_HEARTBEAT, .from = 2, .to = 3, .term = 9};
	struct raft_status s;

	(void)state;
	assert_int_equal(raft_step(r, 1000, &message), OK);
	raft_status(r, &s);
	assert_true(s.term == 0);
	raft_free(r);
	membership_free(&m);
}

static void roles_have_names(void **state)
{
	(void)state;
	assert_string_equal(raft_role_name(RAFT_FOLLOWER), "follower");
	assert_string_equal(raft_role_name(RAFT_PRE_CANDIDATE), "pre-candidate");
	assert_string_equal(raft_role_name(RAFT_CANDIDATE), "candidate");
	assert_string_equal(raft_role_name(RAFT_LEADER), "leader");
	assert_string_equal(raft_role_name((enum raft_role)99), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_disk_that_contradicts_itself_is_refused),
		cmocka_unit_test(memberships_on_disk_have_to_be_readable_and_in_order),
		cmocka_unit_test(the_term_is_never_older_than_the_log),
		cmocka_unit_test(what_changes_nothing_need_not_be_synced),
		cmocka_unit_test(election_timeouts_lie_between_one_and_one_and_a_half),
		cmocka_unit_test(a_deadline_that_has_passed_is_gone_after_a_tick),
		cmocka_unit_test(who_is_not_born_waits_for_nothing),
		cmocka_unit_test(only_a_leader_takes_proposals_and_changes),
		cmocka_unit_test(
			committed_entries_are_handed_out_from_memory_until_they_are_released),
		cmocka_unit_test(the_leaders_own_entries_bear_the_stamp_that_was_set),
		cmocka_unit_test(notes_go_with_vote_replies_and_reach_the_other_side),
		cmocka_unit_test(a_message_for_somebody_else_is_not_listened_to),
		cmocka_unit_test(roles_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
