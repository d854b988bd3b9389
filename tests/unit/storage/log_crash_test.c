#include "support/log_model.h"

#include "base/mutant.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define ACTIONS 150

/* Fails the test with what is wrong and how to see it again. */
static void expect_nothing(const char *wrong, const char *when, uint64_t seed, uint64_t call)
{
	if (wrong)
		fail_msg("%s: %s (seed %" PRIu64 ", call %" PRIu64 ")", when, wrong, seed, call);
}

static void open_and_check(struct log_tester *t, const char *when, uint64_t seed, uint64_t call)
{
	int rc = log_tester_open(t);

	if (rc != OK)
		fail_msg("%s: cannot open: %s (seed %" PRIu64 ", call %" PRIu64 ")", when,
			 error_text(rc), seed, call);
	expect_nothing(log_tester_check_recovery(t), when, seed, call);
}

static void die(struct log_tester *t, bool crash)
{
	struct job *append = t->append;

	log_tester_drop(t);
	t->append = append; /* only to know that a job was under way */
	if (crash)
		sim_disk_crash(t->disk);
	else
		sim_disk_kill(t->disk);
}

/* Runs a workload that dies at disk call `call`; true: it ended before that. */
static bool crash_once(uint64_t seed, uint64_t call, bool crash, size_t *torn)
{
	struct log_tester t;
	bool cut;

	log_tester_init(&t, seed);
	t.lazy = seed % 2;
	sim_disk_cut_at(t.disk, call);
	if (log_tester_open(&t) == OK) {
		for (int i = 0; i < ACTIONS; i++)
			log_tester_act(&t);
	}
	cut = sim_disk_is_cut(t.disk);
	die(&t, crash);

	/* Opening may die as well, again and again. */
	for (uint64_t at = 0; random_chance(&t.random, 400000); at++) {
		sim_disk_cut_at(t.disk, random_below(&t.random, 12));
		if (log_tester_open(&t) == OK)
			expect_nothing(log_tester_check_recovery(&t), "reopened", seed, call);
		die(&t, true);
	}
	open_and_check(&t, "after the crash", seed, call);
	*torn += t.found.torn_bytes > 0;
	for (int i = 0; i < 30; i++)
		log_tester_act(&t);
	log_tester_settle(&t);
	assert_false(t.failed);
	expect_nothing(log_tester_check_reads(&t), "going on", seed, call);
	die(&t, true);
	open_and_check(&t, "after going on", seed, call);
	log_tester_close(&t);
	return !cut;
}

static void sweep(uint64_t first_seed, uint64_t seeds, bool crash)
{
	size_t torn = 0;

	for (uint64_t seed = first_seed; seed < first_seed + seeds; seed++) {
		for (uint64_t call = 0; !crash_once(seed, call, crash, &torn); call++)
			;
	}
	assert_true(torn > seeds); /* else the sweep would not show much */
}

static void a_power_cut_at_any_disk_call_loses_nothing_acknowledged(void **state)
{
	(void)state;
	sweep(1, 200, true);
}

static void a_process_that_dies_at_any_disk_call_loses_nothing_acknowledged(void **state)
{
	(void)state;
	sweep(1001, 60, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_power_cut_at_any_disk_call_loses_nothing_acknowledged),
		cmocka_unit_test(a_process_that_dies_at_any_disk_call_loses_nothing_acknowledged),
	};

	/* Has an effect in the mutant build only: there these tests have to fail. */
	mutant_choose(getenv("MUTANT"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
