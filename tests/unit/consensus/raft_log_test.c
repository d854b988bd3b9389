#include "consensus/raft_log.h"

#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define MODEL_MAX 4096

/* What a log is, said in the simplest way: a term for each index. */
struct model {
	uint64_t base;
	uint64_t last;
	uint64_t handed;
	uint64_t durable;
	uint64_t terms[MODEL_MAX]; /* [index], base included */
};

struct pair {
	struct raft_log log;
	struct model model;
	struct random random;
};

static void append(struct pair *p, uint64_t term)
{
	struct blob *blob = blob_new(random_below(&p->random, 20));
	struct entry e = {
		.term = term, .blob = blob, .data = blob->data, .len = (uint32_t)blob->len};

	raft_log_append(&p->log, &e);
	blob_release(blob);
	p->model.terms[++p->model.last] = term;
}

static void do_append(struct pair *p)
{
	uint64_t term = p->model.terms[p->model.last];
	uint64_t count = random_between(&p->random, 1, 10);

	if (p->model.last + count >= MODEL_MAX)
		return;
	if (term == 0 || random_below(&p->random, 3) == 0)
		term += random_between(&p->random, 1, 3);
	for (uint64_t i = 0; i < count; i++)
		append(p, term);
}

static void do_truncate(struct pair *p)
{
	struct model *m = &p->model;
	uint64_t index = random_between(&p->random, m->base, m->last);

	if (m->last - index > 20)
		index = m->last - 20;
	raft_log_truncate(&p->log, index);
	m->last = index;
	m->handed = MIN(m->handed, index);
	m->durable = MIN(m->durable, index);
}

static void do_hand(struct pair *p)
{
	p->log.handed = p->log.last;
	p->model.handed = p->model.last;
}

static void do_persist(struct pair *p)
{
	struct model *m = &p->model;
	uint64_t index = random_between(&p->random, m->base, m->handed);

	raft_log_persisted(&p->log, index);
	m->durable = MAX(m->durable, index);
}

static void do_trim(struct pair *p)
{
	raft_log_trim(&p->log, random_between(&p->random, p->model.base, p->model.last),
		      random_below(&p->random, 2000));
}

static void do_release(struct pair *p)
{
	struct model *m = &p->model;
	uint64_t index = random_between(&p->random, m->base, m->durable);

	if (random_below(&p->random, 4) != 0)
		return;
	raft_log_release(&p->log, index);
	m->base = MAX(m->base, index);
}

static void do_reset(struct pair *p)
{
	struct model *m = &p->model;

	if (random_below(&p->random, 50) != 0 || m->last + 20 >= MODEL_MAX)
		return;
	m->base = m->last = m->handed = m->durable = m->last + random_between(&p->random, 1, 9);
	m->terms[m->base] = m->base;
	raft_log_reset(&p->log, m->base, m->base);
}

static uint64_t model_last_at_most(const struct model *m, uint64_t index, uint64_t term)
{
	index = MIN(index, m->last);
	while (index > m->base && m->terms[index] > term)
		index--;
	return MAX(index, m->base);
}

static void check_span(const struct pair *p, uint64_t first, uint64_t last)
{
	size_t n;
	const struct entry *e = raft_log_span(&p->log, first, last, &n);

	if (first < p->log.tail_first || first > p->model.last) {
		assert_null(e);
		assert_int_equal(n, 0);
		return;
	}
	assert_non_null(e);
	assert_int_equal(n, last < first ? 0 : MIN(last, p->model.last) - first + 1);
	for (size_t i = 0; i < n; i++)
		assert_true(e[i].term == p->model.terms[first + i]);
}

static void check(struct pair *p)
{
	const struct model *m = &p->model;
	uint64_t index = random_below(&p->random, m->last + 3);
	uint64_t term = random_below(&p->random, m->terms[m->last] + 2);
	bool known = index >= m->base && index <= m->last;

	assert_null(raft_log_broken(&p->log));
	assert_true(p->log.base == m->base && p->log.last == m->last);
	assert_true(p->log.handed == m->handed && p->log.durable == m->durable);
	assert_true(raft_log_last_term(&p->log) == m->terms[m->last]);
	assert_true(raft_log_term(&p->log, index) == (known ? m->terms[index] : 0));
	assert_int_equal(raft_log_matches(&p->log, index, term), known && m->terms[index] == term);
	assert_true(raft_log_last_at_most(&p->log, index, term) ==
		    model_last_at_most(m, index, term));
	check_span(p, index, random_below(&p->random, m->last + 3));
}

/* L2 says which entries are in memory; their cost is what they say together. */
static void check_cost(const struct raft_log *l)
{
	size_t n, cost = 0;
	const struct entry *e = raft_log_span(l, l->tail_first, l->last, &n);

	for (size_t i = 0; i < n; i++)
		cost += sizeof(*e) + e[i].len;
	assert_int_equal(cost, l->tail_bytes);
}

static void any_course_of_events_leaves_what_a_simple_list_would_hold(void **state)
{
	static void (*const steps[])(struct pair *) = {do_append,  do_append,  do_truncate,
						       do_hand,	   do_persist, do_trim,
						       do_release, do_reset};
	static struct pair p;

	(void)state;
	for (uint64_t seed = 0; seed < 60; seed++) {
		p = (struct pair){0};
		random_seed(&p.random, seed);
		raft_log_init(&p.log, 0, 0);
		for (int step = 0; step < 2000; step++) {
			steps[random_below(&p.random, ARRAY_LEN(steps))](&p);
			check(&p);
		}
		check_cost(&p.log);
		raft_log_close(&p.log);
	}
}

static void a_restored_log_has_terms_and_no_entries(void **state)
{
	static const struct term_run runs[] = {{11, 3}, {15, 5}};
	struct raft_log l;
	size_t n;

	(void)state;
	raft_log_init(&l, 10, 2);
	raft_log_restore(&l, runs, 2, 20);
	assert_null(raft_log_broken(&l));
	assert_true(raft_log_term(&l, 10) == 2 && raft_log_term(&l, 14) == 3);
	assert_true(raft_log_term(&l, 15) == 5 && raft_log_term(&l, 20) == 5);
	assert_true(raft_log_term(&l, 9) == 0 && raft_log_term(&l, 21) == 0);
	assert_null(raft_log_span(&l, 15, 20, &n));
	raft_log_truncate(&l, 12);
	assert_null(raft_log_broken(&l));
	assert_true(l.last == 12 && raft_log_last_term(&l) == 3);
	raft_log_release(&l, 12);
	assert_null(raft_log_broken(&l));
	assert_true(l.base == 12 && l.base_term == 3 && l.run_count == 0);
	raft_log_close(&l);
}

static void payloads_are_held_as_long_as_they_are_in_memory(void **state)
{
	struct blob *blob = blob_copy(SLICE_LITERAL("payload"));
	struct entry e = {.term = 1, .blob = blob, .data = blob->data, .len = 7};
	struct raft_log l;

	(void)state;
	raft_log_init(&l, 0, 0);
	for (int i = 0; i < 10; i++)
		raft_log_append(&l, &e);
	assert_int_equal(blob->refs, 11);
	raft_log_truncate(&l, 8);
	assert_int_equal(blob->refs, 9);
	l.handed = 8;
	raft_log_persisted(&l, 5);
	raft_log_trim(&l, 8, 0); /* what is not on disk stays */
	assert_int_equal(blob->refs, 4);
	raft_log_reset(&l, 20, 1);
	assert_int_equal(blob->refs, 1);
	raft_log_close(&l);
	blob_release(blob);
}

static void trimming_stops_at_the_bytes_to_be_kept(void **state)
{
	struct entry e = {.term = 1};
	struct raft_log l;

	(void)state;
	raft_log_init(&l, 0, 0);
	for (int i = 0; i < 10; i++)
		raft_log_append(&l, &e);
	l.handed = 10;
	raft_log_persisted(&l, 10);
	raft_log_trim(&l, 10, 4 * sizeof(e));
	assert_true(l.tail_first == 7 && l.tail_bytes == 4 * sizeof(e));
	raft_log_trim(&l, 8, 0);
	assert_true(l.tail_first == 9);
	raft_log_close(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_course_of_events_leaves_what_a_simple_list_would_hold),
		cmocka_unit_test(a_restored_log_has_terms_and_no_entries),
		cmocka_unit_test(payloads_are_held_as_long_as_they_are_in_memory),
		cmocka_unit_test(trimming_stops_at_the_bytes_to_be_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
