#include "checker/search.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"
#include "checker/memo.h"

#include <stdlib.h>
#include <string.h>

/*
 * A configuration is a set of operations that took effect and the state they left. Next can be
 * any operation that was called before the first return of one that has not taken effect yet.
 * The search goes on from the configuration that ranks best until nothing is left to take effect
 * or no configuration to go on from.
 *
 * Operations that may never take effect have no return, so each of them could be next at every
 * step. They are kept in groups of those which differ in the time of their call only. Four rules
 * hold them down. Each is sound because whatever order it forbids can be turned into one that
 * is looked at and has no more of these operations in it:
 *
 *   - Of a group, the earliest called goes first: in any order its members can change places.
 *   - One that leaves the state as it is does not take effect: the order does without it.
 *   - One is not followed by an operation that would be possible without it and lead to the same
 *     state (a write hides what was before it): the order does without the hidden one.
 *   - Where the rest of the configuration is equal, the one that used up less of each group
 *     stands for both (the memo does this).
 *
 * An operation that must take effect and, with the result it has, never changes anything (a
 * read) takes effect as soon as it can, and nothing else is tried in its place: in any order
 * where it comes later it can be moved here, as it disturbs nobody.
 */

struct event {
	uint64_t time;
	size_t op;
	enum { EVENT_CALL, EVENT_RETURN, EVENT_DERIVED_RETURN } kind; /* order at equal times */
};

/* Interchangeable optional operations, by call. */
struct group {
	const struct model_op **members;
	size_t len;
};

#define NO_GROUP UINT32_MAX
#define NO_NODE	 UINT32_MAX

/* A configuration of the memo (same place) as a step of the search. */
struct node {
	uint32_t parent; /* NO_NODE: the beginning */
	uint32_t op;	 /* that led here from the parent */
	uint32_t group;	 /* of that one; NO_GROUP when it must take effect */
	uint32_t first;	 /* no event before this one belongs to an operation still to take effect */
	uint32_t done;	 /* how many that must take effect did */
	uint32_t spent;	 /* how many optional ones did */
	uint32_t next;	 /* of the same rank */
};

/*
 * How many steps ahead make up for one more optional operation. Without such a price the search
 * runs deep into far-fetched explanations (a delete and ten increments that nobody confirmed,
 * where one reordering would do), to find out late that it has used up what it needs. With a
 * high price it looks at everything that is cheap before it takes the next step.
 */
#define OPTIONAL_PRICE 4

struct search {
	const struct model *model;
	const struct model_op *ops;
	size_t count;
	struct event *events; /* of what must take effect, by time */
	size_t events_len;
	const struct model_op **optional; /* group by group */
	struct group *groups;
	size_t groups_len;
	struct memo memo;
	struct node *nodes;
	size_t nodes_cap;
	uint32_t *ranks; /* by rank: the node that came last; smaller ranks go first */
	size_t ranks_len;
	size_t best_rank; /* no node has a smaller one */
	/* the configuration that is gone on from */
	size_t at;
	uint64_t *set;
	uint64_t set_hash;
	uint32_t *used;
	struct model_state state;
	/* the farthest return that was not passed, and the node that stood there */
	size_t stuck_event;
	size_t stuck_node;
};

static int event_compare(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return (x->op > y->op) - (x->op < y->op);
}

static void build_events(struct search *s)
{
	s->events = mem_zalloc(2 * s->count, sizeof(*s->events));
	for (size_t i = 0; i < s->count; i++) {
		const struct model_op *op = &s->ops[i];

		if (op->optional)
			continue;
		s->events[s->events_len++] = (struct event){op->call, i, EVENT_CALL};
		s->events[s->events_len++] = (struct event){
			op->ret, i, op->derived ? EVENT_DERIVED_RETURN : EVENT_RETURN};
	}
	qsort(s->events, s->events_len, sizeof(*s->events), event_compare);
}

/* Whether two optional operations differ in their calls only: 0; otherwise any fixed order. */
static int group_compare(const struct model_op *x, const struct model_op *y)
{
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->value != y->value)
		return x->value < y->value ? -1 : 1;
	return (x->expected > y->expected) - (x->expected < y->expected);
}

static int optional_compare(const void *a, const void *b)
{
	const struct model_op *x = *(const struct model_op *const *)a;
	const struct model_op *y = *(const struct model_op *const *)b;
	int order = group_compare(x, y);

	if (order != 0)
		return order;
	if (x->call != y->call)
		return x->call < y->call ? -1 : 1;
	return (x > y) - (x < y);
}

static void build_groups(struct search *s)
{
	size_t len = 0;

	s->optional = mem_zalloc(s->count, sizeof(*s->optional));
	s->groups = mem_zalloc(s->count, sizeof(*s->groups));
	for (size_t i = 0; i < s->count; i++)
		if (s->ops[i].optional)
			s->optional[len++] = &s->ops[i];
	qsort(s->optional, len, sizeof(*s->optional), optional_compare);
	for (size_t i = 0; i < len; i++) {
		if (i == 0 || group_compare(s->optional[i - 1], s->optional[i]) != 0)
			s->groups[s->groups_len++].members = s->optional + i;
		s->groups[s->groups_len - 1].len++;
	}
}

static void search_init(struct search *s, const struct model *model, const struct model_op *ops,
			size_t count)
{
	size_t words = count / 64 + 1;
	size_t groups;

	*s = (struct search){.model = model, .ops = ops, .count = count};
	CHECK(count < UINT32_MAX / (2 * OPTIONAL_PRICE));
	build_events(s);
	build_groups(s);
	groups = MAX(s->groups_len, (size_t)1);
	s->set = mem_zalloc(words, sizeof(*s->set));
	s->used = mem_zalloc(groups, sizeof(*s->used));
	memo_init(&s->memo, words, groups);
	s->ranks_len = (OPTIONAL_PRICE + 1) * count + 1;
	s->ranks = mem_alloc(s->ranks_len * sizeof(*s->ranks));
	memset(s->ranks, 0xff, s->ranks_len * sizeof(*s->ranks));
}

static void search_close(struct search *s)
{
	mem_free(s->events);
	mem_free(s->optional);
	mem_free(s->groups);
	memo_free(&s->memo);
	mem_free(s->nodes);
	mem_free(s->ranks);
	mem_free(s->set);
	mem_free(s->used);
}

static bool is_done(const struct search *s, size_t op)
{
	return s->set[op / 64] >> (op % 64) & 1;
}

/* Counts an operation in, or out again. */
static void flip(struct search *s, size_t op, uint32_t group, bool in)
{
	if (group != NO_GROUP) {
		s->used[group] += in ? 1u : -1u;
		return;
	}
	s->set[op / 64] ^= (uint64_t)1 << (op % 64);
	s->set_hash ^= hash64_pair(op, 0);
}

/* Queues a node by its rank. */
static void node_queue(struct search *s, size_t node)
{
	struct node *n = &s->nodes[node];
	size_t rank = s->count - n->done + (size_t)OPTIONAL_PRICE * n->spent;

	n->next = s->ranks[rank];
	s->ranks[rank] = (uint32_t)node;
	s->best_rank = MIN(s->best_rank, rank);
}

/* Takes the best node; NO_NODE when none is left. */
static uint32_t node_take(struct search *s)
{
	for (; s->best_rank < s->ranks_len; s->best_rank++) {
		uint32_t node = s->ranks[s->best_rank];

		if (node == NO_NODE)
			continue;
		s->ranks[s->best_rank] = s->nodes[node].next;
		return node;
	}
	return NO_NODE;
}

/* Makes the node the configuration that is gone on from. */
static void node_load(struct search *s, size_t node)
{
	struct memo_config c = memo_get(&s->memo, node);

	s->at = node;
	s->set_hash = c.set_hash;
	s->state = c.state;
	memcpy(s->set, c.set, s->memo.words * sizeof(*s->set));
	memcpy(s->used, c.used, s->memo.groups * sizeof(*s->used));
	while (s->nodes[node].first < s->events_len &&
	       is_done(s, s->events[s->nodes[node].first].op))
		s->nodes[node].first++;
}

/* Adds what the loaded configuration became, with `state`, unless it is nothing new. */
static void node_add(struct search *s, const struct node *n, struct model_state state)
{
	struct memo_config c = {s->set, s->set_hash, s->used, state};
	size_t node = memo_add(&s->memo, &c);

	if (node == MEMO_COVERED)
		return;
	MEM_GROW(s->nodes, s->nodes_cap, node + 1);
	s->nodes[node] = *n;
	node_queue(s, node);
}

/* Whether the state is also reached without the optional operation that took effect last. */
static bool last_is_hidden(const struct search *s, const struct model_op *op,
			   struct model_state reached)
{
	const struct node *last = &s->nodes[s->at];
	struct model_state state;

	if (last->group == NO_GROUP)
		return false;
	state = memo_get(&s->memo, last->parent).state;
	return s->model->step(op, &state) && model_state_equal(state, reached);
}

/* Lets `op` take effect in the loaded configuration if that is of use; false: not possible. */
static bool try_op(struct search *s, size_t op, uint32_t group)
{
	const struct node *last = &s->nodes[s->at];
	struct model_state state = s->state;
	struct node n;

	if (!s->model->step(&s->ops[op], &state))
		return false;
	if (group != NO_GROUP && model_state_equal(state, s->state))
		return true;
	if (last_is_hidden(s, &s->ops[op], state))
		return true;
	n = (struct node){.parent = (uint32_t)s->at,
			  .op = (uint32_t)op,
			  .group = group,
			  .first = last->first,
			  .done = last->done + (group == NO_GROUP),
			  .spent = last->spent + (group != NO_GROUP)};
	flip(s, op, group, true);
	node_add(s, &n, state);
	flip(s, op, group, false);
	return true;
}

/* An operation that leaves every state in which it is possible as it is. */
static bool is_pure(const struct model_op *op)
{
	if (!op->known)
		return false;
	return !history_kind_changes(op->kind) ||
	       ((op->kind == HISTORY_CAS || op->kind == HISTORY_DELETE) && op->result == 0);
}

/* Notes that the loaded configuration has yet to pass the return `event`. */
static void note_stuck(struct search *s, size_t event)
{
	const struct node *best = &s->nodes[s->stuck_node], *n = &s->nodes[s->at];

	if (event < s->stuck_event || (event == s->stuck_event && n->done <= best->done))
		return;
	s->stuck_event = event;
	s->stuck_node = s->at;
}

/* Goes on from the loaded configuration in every way that may be needed. */
static void expand(struct search *s)
{
	size_t first = s->nodes[s->at].first, end = first;

	for (; s->events[end].kind == EVENT_CALL || is_done(s, s->events[end].op); end++) {
		size_t op = s->events[end].op;

		if (s->events[end].kind != EVENT_CALL || is_done(s, op) || !is_pure(&s->ops[op]))
			continue;
		if (try_op(s, op, NO_GROUP))
			return;
	}
	note_stuck(s, end);
	for (uint32_t g = 0; g < s->groups_len; g++) {
		const struct group *group = &s->groups[g];
		uint32_t used = s->used[g];

		if (used < group->len && group->members[used]->call <= s->events[end].time)
			try_op(s, (size_t)(group->members[used] - s->ops), g);
	}
	/* Of equal rank, what is queued last is taken first: the earliest call. */
	for (size_t at = end; at-- > first;)
		if (s->events[at].kind == EVENT_CALL && !is_done(s, s->events[at].op))
			try_op(s, s->events[at].op, NO_GROUP);
}

static enum search_verdict search_run(struct search *s, uint64_t max_steps)
{
	const struct node beginning = {.parent = NO_NODE, .group = NO_GROUP};
	uint32_t node;

	node_add(s, &beginning, s->model->initial);
	while ((node = node_take(s)) != NO_NODE) {
		if (s->memo.rows[node].covered)
			continue;
		if (s->nodes[node].done == s->events_len / 2)
			return SEARCH_FOUND;
		if (s->memo.len > max_steps)
			return SEARCH_GAVE_UP;
		node_load(s, node);
		expand(s);
	}
	return SEARCH_NONE;
}

/* Writes down how the node was reached. */
static void trace_back(const struct search *s, size_t node, struct search_trace *trace)
{
	size_t len = s->nodes[node].done + s->nodes[node].spent;

	trace->order = mem_zalloc(len, sizeof(*trace->order));
	trace->order_len = len;
	for (; len > 0; node = s->nodes[node].parent)
		trace->order[--len] = s->nodes[node].op;
}

enum search_verdict search_order(const struct model *model, const struct model_op *ops,
				 size_t count, uint64_t max_steps, struct search_trace *trace)
{
	struct search s;
	enum search_verdict verdict;

	search_init(&s, model, ops, count);
	verdict = search_run(&s, max_steps);
	*trace = (struct search_trace){.steps = s.memo.len};
	trace_back(&s, s.stuck_node, trace);
	if (s.events_len > 0)
		trace->stuck = s.events[s.stuck_event].op;
	search_close(&s);
	return verdict;
}

void search_trace_free(struct search_trace *trace)
{
	mem_free(trace->order);
	*trace = (struct search_trace){0};
}
