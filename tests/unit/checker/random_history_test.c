#include "base/check.h"
#include "base/mem.h"
#include "base/random.h"
#include "checker/linearize.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/*
 * Histories made by letting operations take effect one after the other on real objects, at times
 * of their own between call and return. They are linearizable. Changed in one result, they mostly
 * are not: for small ones a search without any cleverness says which.
 */

#define LIST_MAX   64
#define KEYS_MAX   16
#define RECENT_MAX 4

/* A key as it is: a register and a list at once, of which an operation uses one. */
struct object {
	uint64_t value;
	uint64_t list[LIST_MAX];
	size_t len;
};

/* The result of an operation that takes effect now. */
static uint64_t object_apply(struct object *o, const struct history_op *op)
{
	uint64_t result;

	switch (op->kind) {
	case HISTORY_WRITE:
		o->value = op->value;
		return 0;
	case HISTORY_READ:
		return o->value;
	case HISTORY_CAS:
		result = o->value == op->expected;
		if (result)
			o->value = op->value;
		return result;
	case HISTORY_INCR:
		o->value = o->value == HISTORY_NONE ? 1 : o->value + 1;
		return o->value;
	case HISTORY_DELETE:
		result = o->value != HISTORY_NONE || o->len > 0;
		o->value = HISTORY_NONE;
		o->len = 0;
		return result;
	case HISTORY_APPEND:
		CHECK(o->len < LIST_MAX);
		o->list[o->len++] = op->value;
		return o->len;
	case HISTORY_READ_LIST:
		return o->len;
	}
	return 0;
}

/* Whether the operation could take effect now with the result it has. */
static bool object_allows(struct object *o, const struct history *h, const struct history_op *op)
{
	struct object before = *o;
	uint64_t result = object_apply(o, op);

	if (op->outcome != HISTORY_DONE || op->kind == HISTORY_WRITE)
		return true;
	if (result != op->result)
		return false;
	return op->kind != HISTORY_READ_LIST || result == 0 ||
	       memcmp(before.list, history_list(h, op), result * sizeof(uint64_t)) == 0;
}

/* Tries every order of what is not in `done`, over all keys at once. */
static bool brute_force_from(const struct history *h, unsigned done, const struct object *objects)
{
	uint64_t first_return = UINT64_MAX;

	for (size_t i = 0; i < h->len; i++) {
		const struct history_op *op = &h->ops[i];

		if (!(done >> i & 1) &&
		    (op->outcome == HISTORY_DONE || op->outcome == HISTORY_APPLIED))
			first_return = MIN(first_return, op->ret);
	}
	if (first_return == UINT64_MAX)
		return true;
	for (size_t i = 0; i < h->len; i++) {
		const struct history_op *op = &h->ops[i];
		struct object next[2] = {objects[0], objects[1]};

		if (done >> i & 1 || op->outcome == HISTORY_REFUSED || op->call > first_return)
			continue;
		if (object_allows(&next[op->key], h, op) &&
		    brute_force_from(h, done | 1u << i, next))
			return true;
	}
	return false;
}

static bool brute_force(const struct history *h)
{
	struct object objects[2] = {{.value = HISTORY_NONE}, {.value = HISTORY_NONE}};

	CHECK(h->len <= 8);
	return brute_force_from(h, 0, objects);
}

/* How histories are made. Chances are in per million. */
struct recipe {
	size_t ops;
	size_t keys;
	size_t clients;
	size_t list_keys;    /* the first of the keys */
	size_t counter_keys; /* the next; the others are registers */
	uint64_t values;     /* values are below it; 0: each is used once */
	uint64_t gap;	     /* longest time between two operations of a client */
	uint64_t duration;   /* longest time an operation takes */
	uint32_t open;
	uint32_t applied;
	uint32_t refused;
	uint32_t deletes;
};

struct plan {
	struct history_op op;
	uint64_t effect;
	bool effective;
};

static enum history_kind pick_kind(struct random *r, const struct recipe *c, uint64_t key)
{
	if (random_chance(r, c->deletes))
		return HISTORY_DELETE;
	if (key < c->list_keys)
		return random_chance(r, 500000) ? HISTORY_APPEND : HISTORY_READ_LIST;
	if (key < c->list_keys + c->counter_keys)
		return random_chance(r, 700000) ? HISTORY_INCR : HISTORY_READ;
	switch (random_below(r, 4)) {
	case 0:
		return HISTORY_WRITE;
	case 1:
		return HISTORY_CAS;
	default:
		return HISTORY_READ;
	}
}

static void plan_outcome(struct random *r, const struct recipe *c, struct plan *p)
{
	p->effect = random_between(r, p->op.call, p->op.ret);
	p->effective = true;
	p->op.outcome = HISTORY_DONE;
	if (random_chance(r, c->open)) {
		p->op.outcome = HISTORY_OPEN;
		p->effective = random_chance(r, 600000);
		if (random_chance(r, 300000))
			p->effect += random_below(r, 5 * c->duration + 1);
	} else if (random_chance(r, c->applied)) {
		p->op.outcome = HISTORY_APPLIED;
	} else if (random_chance(r, c->refused)) {
		p->op.outcome = HISTORY_REFUSED;
		p->effective = false;
	}
}

static int plan_compare(const void *a, const void *b)
{
	const struct plan *x = a, *y = b;

	if (x->effect != y->effect)
		return x->effect < y->effect ? -1 : 1;
	return (x->op.value > y->op.value) - (x->op.value < y->op.value);
}

/* The value of some operation, which may never have taken effect. */
static uint64_t any_value(struct random *r, const struct recipe *c)
{
	return c->values ? random_below(r, c->values) : 1000 + random_below(r, c->ops);
}

static struct plan *make_plans(struct random *r, const struct recipe *c)
{
	struct plan *plans = mem_zalloc(c->ops, sizeof(*plans));
	uint64_t free_at[64] = {0};

	for (size_t i = 0; i < c->ops; i++) {
		struct history_op *op = &plans[i].op;
		size_t client = random_below(r, c->clients);

		op->client = (uint32_t)client;
		op->key = random_below(r, c->keys);
		op->kind = pick_kind(r, c, op->key);
		op->value = c->values ? random_below(r, c->values) : 1000 + i;
		op->call = free_at[client] + random_below(r, c->gap + 1);
		op->ret = op->call + random_below(r, c->duration + 1);
		free_at[client] = op->ret + 1;
		plan_outcome(r, c, &plans[i]);
	}
	qsort(plans, c->ops, sizeof(*plans), plan_compare);
	return plans;
}

static void record(struct history *h, const struct history_op *op, const struct object *o,
		   uint64_t result)
{
	size_t n;

	if (op->kind == HISTORY_CAS)
		n = history_call_cas(h, op->call, op->client, op->key, op->expected, op->value);
	else
		n = history_call(h, op->call, op->client, op->key, op->kind, op->value);
	if (op->outcome == HISTORY_APPLIED)
		history_return_applied(h, op->ret, n);
	else if (op->outcome == HISTORY_REFUSED)
		history_return_refused(h, op->ret, n);
	else if (op->outcome == HISTORY_DONE && op->kind == HISTORY_READ_LIST)
		history_return_list(h, op->ret, n, o->list, o->len);
	else if (op->outcome == HISTORY_DONE)
		history_return(h, op->ret, n, result);
}

/* A linearizable history. */
static void make_history(struct random *r, const struct recipe *c, struct history *h)
{
	struct plan *plans = make_plans(r, c);
	struct object *objects = mem_zalloc(KEYS_MAX, sizeof(*objects));
	uint64_t recent[KEYS_MAX][RECENT_MAX];

	memset(recent, 0xff, sizeof(recent));
	for (size_t i = 0; i < KEYS_MAX; i++)
		objects[i].value = HISTORY_NONE;
	for (size_t i = 0; i < c->ops; i++) {
		struct history_op *op = &plans[i].op;
		struct object *o = &objects[op->key];
		uint64_t result = 0;

		recent[op->key][0] = o->value;
		op->expected = random_chance(r, 800000)
				       ? recent[op->key][random_below(r, RECENT_MAX)]
				       : any_value(r, c);
		if (o->len == LIST_MAX)
			op->kind = HISTORY_DELETE;
		if (plans[i].effective)
			result = object_apply(o, op);
		if (o->value != recent[op->key][0])
			memmove(recent[op->key] + 1, recent[op->key],
				sizeof(recent[0]) - sizeof(recent[0][0]));
		record(h, op, o, result);
	}
	mem_free(objects);
	mem_free(plans);
}

/* Changes one result to something else; the history may stay linearizable. */
static void corrupt(struct random *r, struct history *h)
{
	struct history_op *op = &h->ops[random_below(r, h->len)];
	const struct history_op *other = &h->ops[random_below(r, h->len)];

	if (op->outcome != HISTORY_DONE)
		return;
	switch (op->kind) {
	case HISTORY_READ:
		op->result = random_chance(r, 200000) ? HISTORY_NONE : other->value;
		break;
	case HISTORY_CAS:
	case HISTORY_DELETE:
		op->result ^= 1;
		break;
	case HISTORY_INCR:
	case HISTORY_APPEND:
		op->result += random_chance(r, 500000) || op->result < 2 ? 1 : (uint64_t)-1;
		break;
	case HISTORY_READ_LIST:
		if (op->result > 0 && random_chance(r, 500000))
			op->result--;
		else if (op->result > 0)
			h->values[op->list_at + random_below(r, op->result)] = other->value;
		break;
	case HISTORY_WRITE:
		op->ret = op->call;
		break;
	}
}

static void fail_with_history(const struct history *h, bool expected, struct buf *report)
{
	buf_printf(report, "expected %s of\n", expected ? "a pass" : "a failure");
	for (size_t i = 0; i < h->len; i++) {
		buf_printf(report, "  key %d ", (int)h->ops[i].key);
		history_print_op(report, h, i);
		buf_printf(report, "\n");
	}
	buf_append_byte(report, 0);
	fail_msg("%s", (const char *)report->data);
}

static bool check_agrees(const struct history *h)
{
	struct buf report = {0};
	bool expected = brute_force(h);
	struct linearize_result result = linearize_check(h, LINEARIZE_STEPS, &report);

	if ((result.verdict == LINEARIZE_PASS) != expected || result.verdict == LINEARIZE_GAVE_UP ||
	    (report.len == 0) != expected)
		fail_with_history(h, expected, &report);
	buf_free(&report);
	return expected;
}

static struct recipe small_recipe(struct random *r)
{
	return (struct recipe){
		.ops = random_between(r, 1, 7),
		.keys = random_between(r, 1, 2),
		.clients = random_between(r, 2, 7),
		.list_keys = random_below(r, 3),
		.counter_keys = random_below(r, 2),
		.values = random_chance(r, 500000) ? 3 : 0,
		.gap = 10,
		.duration = random_between(r, 1, 30),
		.open = (uint32_t)random_below(r, 500000),
		.applied = (uint32_t)random_below(r, 200000),
		.refused = (uint32_t)random_below(r, 100000),
		.deletes = (uint32_t)random_below(r, 300000),
	};
}

static void small_histories_get_the_verdict_of_trying_every_order(void **state)
{
	struct random r;
	unsigned good = 0, bad = 0;

	(void)state;
	random_seed(&r, 1);
	for (int i = 0; i < 20000; i++) {
		struct recipe c = small_recipe(&r);
		struct history h = {0};

		make_history(&r, &c, &h);
		assert_true(check_agrees(&h));
		for (int times = 0; times < 3; times++) {
			corrupt(&r, &h);
			if (check_agrees(&h))
				good++;
			else
				bad++;
		}
		history_free(&h);
	}
	assert_true(good > 10000 && bad > 10000);
}

/* Increments and writes on one key: the results of the ones are values of the others. */
static void mixed_writes_and_increments_get_the_right_verdict_too(void **state)
{
	struct random r;
	unsigned good = 0, bad = 0;

	(void)state;
	random_seed(&r, 2);
	for (int i = 0; i < 20000; i++) {
		struct recipe c = small_recipe(&r);
		struct history h = {0};

		c.list_keys = 0;
		c.values = 4;
		make_history(&r, &c, &h);
		for (size_t op = 0; op < h.len; op++)
			if (h.ops[op].kind == HISTORY_READ && random_chance(&r, 500000)) {
				h.ops[op].kind = HISTORY_INCR;
				h.ops[op].result = random_between(&r, 1, 5);
			}
		if (check_agrees(&h))
			good++;
		else
			bad++;
		history_free(&h);
	}
	assert_true(good > 1000 && bad > 1000);
}

static const struct recipe large = {
	.keys = 8,
	.clients = 8,
	.list_keys = 3,
	.counter_keys = 2,
	.gap = 20,
	.duration = 40,
	.open = 200000,
	.applied = 30000,
	.refused = 50000,
	.deletes = 50000,
};

static void large_linearizable_histories_pass_in_few_steps(void **state)
{
	struct random r;

	(void)state;
	random_seed(&r, 3);
	for (int i = 0; i < 60; i++) {
		struct recipe c = large;
		struct history h = {0};
		struct buf report = {0};
		struct linearize_result result;

		c.ops = random_between(&r, 300, 2000);
		c.keys = random_between(&r, 5, KEYS_MAX);
		c.clients = random_between(&r, 3, 10);
		make_history(&r, &c, &h);
		result = linearize_check(&h, LINEARIZE_STEPS, &report);
		if (result.verdict != LINEARIZE_PASS)
			fail_with_history(&h, true, &report);
		assert_true(result.steps < 20 * c.ops);
		buf_free(&report);
		history_free(&h);
	}
}

static void large_histories_with_a_wrong_result_fail_and_are_never_given_up(void **state)
{
	struct random r;
	unsigned failed = 0;

	(void)state;
	random_seed(&r, 4);
	for (int i = 0; i < 60; i++) {
		struct recipe c = large;
		struct history h = {0};
		struct buf report = {0};
		struct linearize_result result;

		c.ops = random_between(&r, 300, 2000);
		make_history(&r, &c, &h);
		for (int times = 0; times < 5; times++)
			corrupt(&r, &h);
		result = linearize_check(&h, LINEARIZE_STEPS, &report);
		assert_int_not_equal(result.verdict, LINEARIZE_GAVE_UP);
		assert_int_equal(result.verdict == LINEARIZE_PASS, report.len == 0);
		failed += result.verdict == LINEARIZE_FAIL;
		buf_free(&report);
		history_free(&h);
	}
	assert_true(failed > 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_histories_get_the_verdict_of_trying_every_order),
		cmocka_unit_test(mixed_writes_and_increments_get_the_right_verdict_too),
		cmocka_unit_test(large_linearizable_histories_pass_in_few_steps),
		cmocka_unit_test(large_histories_with_a_wrong_result_fail_and_are_never_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
