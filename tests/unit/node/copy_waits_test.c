/* Thousands who wait for copies: who is served, in which order, and how many are looked at. */

#include "node/copy_waits.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define WAITS 10000
#define NEVER UINT64_MAX
#define KINDS 3 /* that the waits below ask for */

/* Disks as they are now, and how often somebody asked. */
struct disks {
	uint64_t here;
	uint64_t others[2]; /* how far one of them is at least, and two */
	size_t looks;
};

static bool enough(void *ctx, const struct copy_wait *w)
{
	struct disks *d = ctx;

	d->looks++;
	assert_true(w->others <= 2);
	return (!w->here || w->index <= d->here) &&
	       (!w->others || w->index <= d->others[w->others - 1]);
}

/* Wait i is for index i + 1: of each three one is for one disk, one for two, one for both kinds. */
static struct copy_wait *many(struct copy_waits *c)
{
	struct copy_wait *w = mem_resize(NULL, WAITS, sizeof(*w));

	copy_waits_init(c);
	for (size_t n = 0; n < WAITS; n++) {
		size_t i = n * 7919 % WAITS; /* in no order */

		w[i] = (struct copy_wait){.index = i + 1,
					  .due_ms = NEVER,
					  .here = i % 3 == 2,
					  .others = i % 3 == 1 ? 2 : 1};
		copy_waits_add(c, &w[i]);
	}
	return w;
}

static void end(struct copy_waits *c, struct copy_wait *w)
{
	for (size_t i = 0; i < WAITS; i++)
		copy_waits_remove(c, &w[i]);
	copy_waits_close(c);
	mem_free(w);
}

static void a_turn_that_serves_nobody_looks_at_one_of_each_kind(void **state)
{
	struct disks d = {0};
	struct copy_waits c;
	struct copy_wait *w = many(&c);

	(void)state;
	copy_waits_begin(&c);
	assert_null(copy_waits_next(&c, 1, enough, &d));
	assert_int_equal(d.looks, KINDS);
	assert_true(copy_waits_due_ms(&c) == NEVER);
	end(&c, w);
}

/* One disk has it up to 300, two up to 90, this one up to 30. */
static void a_turn_looks_at_those_it_serves_and_one_more_of_each_kind(void **state)
{
	struct disks d = {.here = 30, .others = {300, 90}};
	uint64_t newest[2][3] = {0};
	size_t served = 0;
	struct copy_waits c;
	struct copy_wait *w = many(&c), *it;

	(void)state;
	copy_waits_begin(&c);
	while ((it = copy_waits_next(&c, 1, enough, &d)) != NULL) {
		assert_true(it->index > newest[it->here][it->others]); /* in order */
		newest[it->here][it->others] = it->index;
		served++;
	}
	assert_int_equal(served, 100 + 30 + 10);
	assert_true(newest[0][1] == 298 && newest[0][2] == 89 && newest[1][1] == 30);
	assert_int_equal(d.looks, served + KINDS);
	end(&c, w);
}

static void whose_time_is_over_is_served_without_a_look(void **state)
{
	struct disks d = {0};
	struct copy_waits c;
	struct copy_wait *w = many(&c);
	struct copy_wait timed[3];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		timed[i] =
			(struct copy_wait){.index = WAITS, .due_ms = 1000 + 100 * i, .others = 1};
		copy_waits_add(&c, &timed[i]);
	}
	assert_true(copy_waits_due_ms(&c) == 1000);
	copy_waits_begin(&c);
	assert_null(copy_waits_next(&c, 999, enough, &d));
	d.looks = 0;
	copy_waits_begin(&c);
	assert_ptr_equal(copy_waits_next(&c, 1100, enough, &d), &timed[0]);
	assert_ptr_equal(copy_waits_next(&c, 1100, enough, &d), &timed[1]);
	assert_int_equal(d.looks, 0);
	assert_null(copy_waits_next(&c, 1100, enough, &d));
	assert_int_equal(d.looks, KINDS);
	assert_true(copy_waits_due_ms(&c) == 1200);
	copy_waits_remove(&c, &timed[2]);
	end(&c, w);
}

static void whoever_is_taken_out_is_not_served(void **state)
{
	struct disks d = {.here = WAITS, .others = {WAITS, WAITS}};
	struct copy_waits c;
	struct copy_wait *w = many(&c), *it;
	size_t served = 0;

	(void)state;
	for (size_t i = 0; i < WAITS; i += 2)
		copy_waits_remove(&c, &w[i]);
	copy_waits_begin(&c);
	while ((it = copy_waits_next(&c, 1, enough, &d)) != NULL) {
		assert_int_equal((it - w) % 2, 1);
		served++;
	}
	assert_int_equal(served, WAITS / 2);
	end(&c, w);
}

/* To be answered may end what stood before another one's wait. */
static void who_comes_in_the_middle_of_a_turn_is_served_in_it(void **state)
{
	struct disks d = {.here = 1, .others = {1, 0}};
	struct copy_wait first = {.index = 1, .due_ms = NEVER, .here = 1, .others = 1};
	struct copy_wait second = {.index = 1, .due_ms = NEVER, .others = 0};
	struct copy_waits c;

	(void)state;
	copy_waits_init(&c);
	copy_waits_add(&c, &first);
	copy_waits_begin(&c);
	assert_ptr_equal(copy_waits_next(&c, 1, enough, &d), &first);
	copy_waits_add(&c, &second);
	assert_ptr_equal(copy_waits_next(&c, 1, enough, &d), &second);
	assert_null(copy_waits_next(&c, 1, enough, &d));
	copy_waits_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_turn_that_serves_nobody_looks_at_one_of_each_kind),
		cmocka_unit_test(a_turn_looks_at_those_it_serves_and_one_more_of_each_kind),
		cmocka_unit_test(whose_time_is_over_is_served_without_a_look),
		cmocka_unit_test(whoever_is_taken_out_is_not_served),
		cmocka_unit_test(who_comes_in_the_middle_of_a_turn_is_served_in_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
