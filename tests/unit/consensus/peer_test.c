#include "consensus/peer.h"

#include "base/compiler.h"
#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_new_peer_is_probed_behind_the_last_entry(void **state)
{
	struct peer p;

	(void)state;
	peer_init(&p, 7, 11, 4, 500);
	assert_true(p.id == 7 && p.next == 11 && p.match == 0 && p.heard_ms == 500);
	assert_int_equal(p.state, PEER_PROBE);
	assert_null(peer_broken(&p));
	peer_close(&p);
}

static void the_pipeline_is_full_by_messages_or_by_bytes(void **state)
{
	struct peer p;

	(void)state;
	peer_init(&p, 7, 1, 3, 0);
	peer_become_replicate(&p);
	assert_false(peer_full(&p, 100));
	peer_sent(&p, 4, 60);
	assert_false(peer_full(&p, 100));
	peer_sent(&p, 5, 40);
	assert_true(peer_full(&p, 100));
	assert_false(peer_full(&p, 101));
	peer_sent(&p, 6, 0);
	assert_true(peer_full(&p, 101));
	assert_true(p.next == 7);
	peer_close(&p);
}

static void an_acknowledgement_frees_all_messages_up_to_it(void **state)
{
	struct peer p;

	(void)state;
	peer_init(&p, 7, 1, 3, 0);
	peer_become_replicate(&p);
	peer_sent(&p, 4, 10);
	peer_sent(&p, 8, 20);
	peer_sent(&p, 9, 30);
	assert_true(peer_acknowledged(&p, 7));
	assert_true(p.match == 7 && p.inflight_count == 2 && p.inflight_sum == 50);
	assert_false(peer_acknowledged(&p, 7));
	assert_false(peer_acknowledged(&p, 3));
	assert_true(p.match == 7);
	assert_true(peer_acknowledged(&p, 12)); /* more than was sent in this state */
	assert_true(p.inflight_count == 0 && p.inflight_sum == 0 && p.next == 13);
	assert_null(peer_broken(&p));
	peer_close(&p);
}

static void probing_starts_over_behind_what_is_known_to_agree(void **state)
{
	struct peer p;

	(void)state;
	peer_init(&p, 7, 1, 3, 0);
	peer_become_replicate(&p);
	peer_sent(&p, 9, 30);
	peer_acknowledged(&p, 5);
	p.loading = true;
	peer_become_probe(&p);
	assert_int_equal(p.state, PEER_PROBE);
	assert_true(p.next == 6 && p.inflight_count == 0 && !p.paused && !p.loading);
	peer_close(&p);
}

static void after_a_snapshot_probing_starts_behind_it(void **state)
{
	struct peer p;

	(void)state;
	peer_init(&p, 7, 3, 3, 0);
	peer_become_snapshot(&p, 20);
	assert_int_equal(p.state, PEER_SNAPSHOT);
	assert_null(peer_broken(&p));
	peer_become_probe(&p);
	assert_true(p.next == 21 && p.snapshot == 0);
	peer_become_snapshot(&p, 20);
	peer_acknowledged(&p, 30); /* it got further by itself */
	peer_become_probe(&p);
	assert_true(p.next == 31);
	peer_close(&p);
}

static void a_damaged_peer_is_believed_nothing(void **state)
{
	struct peer p;

	(void)state;
	peer_init(&p, 7, 1, 3, 0);
	peer_become_replicate(&p);
	peer_sent(&p, 9, 30);
	peer_acknowledged(&p, 9);
	p.round = 4;
	peer_become_damaged(&p, 5, 10);
	assert_true(p.damaged && p.match == 0 && p.round == 0 && p.nonce == 5 && p.next == 10);
	assert_int_equal(p.state, PEER_PROBE);
	assert_null(peer_broken(&p));
	peer_close(&p);
}

static void a_new_term_keeps_the_id_and_the_ring_and_nothing_else(void **state)
{
	struct peer p;
	struct inflight *ring;

	(void)state;
	peer_init(&p, 7, 1, 3, 0);
	ring = p.inflight;
	peer_become_damaged(&p, 5, 10);
	p.vote = VOTE_GRANTED;
	p.waits_for = 9;
	peer_reset(&p, 33, 44);
	assert_true(p.id == 7 && p.next == 33 && p.heard_ms == 44 && !p.damaged && p.nonce == 0);
	assert_true(p.vote == VOTE_NONE && p.waits_for == 0 && p.inflight == ring);
	peer_close(&p);
}

static void random_step(struct peer *p, struct random *r, uint64_t *last)
{
	switch (random_below(r, 8)) {
	case 0:
		peer_become_probe(p);
		break;
	case 1:
		peer_become_replicate(p);
		break;
	case 2:
		peer_become_snapshot(p, random_between(r, 1, *last));
		break;
	case 3:
		peer_become_damaged(p, random_next(r), *last + 1);
		break;
	case 4:
		peer_acknowledged(p, random_between(r, 0, *last));
		break;
	default:
		if (p->state == PEER_REPLICATE && !peer_full(p, 1000)) {
			uint64_t upto = p->next + random_below(r, 5);

			peer_sent(p, upto, random_below(r, 300));
			*last = MAX(*last, upto);
		}
	}
}

static void any_course_of_events_obeys_the_rules(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 50; seed++) {
		struct random r;
		struct peer p;
		uint64_t last = 1;

		random_seed(&r, seed);
		peer_init(&p, 7, 1, 4, 0);
		for (int step = 0; step < 1000; step++) {
			random_step(&p, &r, &last);
			assert_null(peer_broken(&p));
		}
		peer_close(&p);
	}
}

static void states_have_names(void **state)
{
	(void)state;
	assert_string_equal(peer_state_name(PEER_PROBE), "probe");
	assert_string_equal(peer_state_name(PEER_REPLICATE), "replicate");
	assert_string_equal(peer_state_name(PEER_SNAPSHOT), "snapshot");
	assert_string_equal(peer_state_name((enum peer_state)99), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_peer_is_probed_behind_the_last_entry),
		cmocka_unit_test(the_pipeline_is_full_by_messages_or_by_bytes),
		cmocka_unit_test(an_acknowledgement_frees_all_messages_up_to_it),
		cmocka_unit_test(probing_starts_over_behind_what_is_known_to_agree),
		cmocka_unit_test(after_a_snapshot_probing_starts_behind_it),
		cmocka_unit_test(a_damaged_peer_is_believed_nothing),
		cmocka_unit_test(a_new_term_keeps_the_id_and_the_ring_and_nothing_else),
		cmocka_unit_test(any_course_of_events_obeys_the_rules),
		cmocka_unit_test(states_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
