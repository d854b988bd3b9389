#include "checker/search.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"
#include "checker/memo.h"

#include <stdlib.h>
#include <string.h>

/*
 * Operations that must take effect stand in a list of events, calls and returns by time. Those
 * called before the first return in the list may be next. What took effect is lifted out of the
 * list; when no operation can be next, the last one is put back and the one behind it tried.
 *
 * Operations that may never take effect have no return and would stand in the way of every step.
 * They are kept in groups of those which differ in the time of their call only. Three rules
 * hold them down. Each is sound because whatever order it forbids can be turned into one that
 * is looked at and has no more of these operations in it:
 *
 *   - Of a group, the earliest called goes first: in any order its members can change places.
 *   - One that leaves the state as it is does not take effect: the order does without it.
 *   - One is not followed by an operation that would be possible without it and lead to the same
 *     state (a write hides what was before it): the order does without the hidden one.
 *
 * An operation that must take effect and, with the result it has, never changes anything (a
 * read) takes effect as soon as it can, and nothing else is tried in its place: in any order
 * where it comes later it can be moved here, as it disturbs nobody.
 */

struct event {
	uint64_t time;
	size_t op;
	uint8_t rank; /* among equal times: calls, then returns that were seen, then derived ones */
	size_t prev;
	size_t next;
};

enum { RANK_CALL, RANK_RETURN, RANK_DERIVED };

/* Interchangeable optional operations: `members[0..used)` took effect. */
struct group {
	const struct model_op **members;
	size_t len;
	size_t used;
};

#define NO_GROUP SIZE_MAX

struct frame {
	size_t op;
	size_t group; /* NO_GROUP for what must take effect */
	struct model_state before;
};

/* What is tried next: an event, and when the events are through, a group. */
struct place {
	size_t event;
	size_t group;
};

struct search {
	const struct model *model;
	const struct model_op *ops;
	struct event *events; /* events[0] is the head of the ring */
	size_t events_len;
	size_t *call_events; /* by operation */
	size_t *return_events;
	const struct model_op **optional; /* group by group */
	struct group *groups;
	size_t groups_len;
	struct frame *frames;
	size_t depth;
	size_t required_left;
	struct model_state state;
	uint64_t *set;
	uint64_t set_hash;
	struct memo memo;
	size_t stuck_event; /* the farthest return that the search got stuck at */
};

static int event_compare(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return (x->op > y->op) - (x->op < y->op);
}

/* Lists the calls and returns of what must take effect, behind the head of the ring. */
static void build_events(struct search *s, size_t count)
{
	size_t len = 1;

	s->events = mem_zalloc(2 * count + 1, sizeof(*s->events));
	s->events[0].rank = RANK_RETURN;
	s->call_events = mem_zalloc(count, sizeof(*s->call_events));
	s->return_events = mem_zalloc(count, sizeof(*s->return_events));
	for (size_t i = 0; i < count; i++) {
		const struct model_op *op = &s->ops[i];

		if (op->optional)
			continue;
		s->events[len++] = (struct event){.time = op->call, .op = i, .rank = RANK_CALL};
		s->events[len++] = (struct event){
			.time = op->ret, .op = i, .rank = op->derived ? RANK_DERIVED : RANK_RETURN};
	}
	qsort(s->events + 1, len - 1, sizeof(*s->events), event_compare);
	for (size_t at = 0; at < len; at++) {
		s->events[at].prev = at > 0 ? at - 1 : len - 1;
		s->events[at].next = at + 1 < len ? at + 1 : 0;
		if (at == 0)
			continue;
		if (s->events[at].rank == RANK_CALL)
			s->call_events[s->events[at].op] = at;
		else
			s->return_events[s->events[at].op] = at;
	}
	s->required_left = (len - 1) / 2;
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

static void build_groups(struct search *s, size_t count)
{
	size_t len = 0;

	s->optional = mem_zalloc(count, sizeof(*s->optional));
	s->groups = mem_zalloc(count, sizeof(*s->groups));
	for (size_t i = 0; i < count; i++)
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

	*s = (struct search){.model = model, .ops = ops, .state = model->initial};
	build_events(s, count);
	build_groups(s, count);
	s->frames = mem_zalloc(count, sizeof(*s->frames));
	s->set = mem_zalloc(words, sizeof(*s->set));
	memo_init(&s->memo, words);
}

static void search_close(struct search *s)
{
	mem_free(s->events);
	mem_free(s->call_events);
	mem_free(s->return_events);
	mem_free(s->optional);
	mem_free(s->groups);
	mem_free(s->frames);
	mem_free(s->set);
	memo_free(&s->memo);
}

static void set_flip(struct search *s, size_t op)
{
	s->set[op / 64] ^= (uint64_t)1 << (op % 64);
	s->set_hash ^= hash64_pair(op, 0);
}

static void event_lift(struct search *s, size_t at)
{
	const struct event *e = &s->events[at];

	s->events[e->prev].next = e->next;
	s->events[e->next].prev = e->prev;
}

/* Puts back what was lifted last. */
static void event_unlift(struct search *s, size_t at)
{
	const struct event *e = &s->events[at];

	s->events[e->prev].next = at;
	s->events[e->next].prev = at;
}

/* Whether the same state is reached without the optional operation that took effect last. */
static bool last_is_hidden(const struct search *s, const struct model_op *op,
			   struct model_state reached)
{
	const struct frame *last = &s->frames[s->depth - 1];
	struct model_state state = last->before;

	return last->group != NO_GROUP && s->model->step(op, &state) &&
	       model_state_equal(state, reached);
}

/* Lets `op` take effect if that is possible and leads to somewhere new. */
static bool search_enter(struct search *s, size_t op, size_t group)
{
	struct model_state state = s->state;

	if (!s->model->step(&s->ops[op], &state))
		return false;
	if (group != NO_GROUP && model_state_equal(state, s->state))
		return false;
	if (s->depth > 0 && last_is_hidden(s, &s->ops[op], state))
		return false;
	set_flip(s, op);
	if (!memo_add(&s->memo, s->set, s->set_hash, state)) {
		set_flip(s, op);
		return false;
	}
	s->frames[s->depth++] = (struct frame){.op = op, .group = group, .before = s->state};
	s->state = state;
	if (group != NO_GROUP) {
		s->groups[group].used++;
		return true;
	}
	event_lift(s, s->call_events[op]);
	event_lift(s, s->return_events[op]);
	s->required_left--;
	return true;
}

/* Takes the last one back; `next` becomes what is to be tried in its place. */
static void search_leave(struct search *s, struct place *next)
{
	const struct frame *f = &s->frames[--s->depth];

	s->state = f->before;
	set_flip(s, f->op);
	if (f->group != NO_GROUP) {
		s->groups[f->group].used--;
		*next = (struct place){.event = s->events[0].next, .group = f->group + 1};
		while (s->events[next->event].rank == RANK_CALL)
			next->event = s->events[next->event].next;
		return;
	}
	event_unlift(s, s->return_events[f->op]);
	event_unlift(s, s->call_events[f->op]);
	s->required_left++;
	*next = (struct place){.event = s->events[s->call_events[f->op]].next};
}

/* Goes on from `next` to an operation that can take effect, and lets it; false: there is none. */
static bool search_advance(struct search *s, struct place *next)
{
	const struct event *e;

	for (;; next->event = e->next) {
		e = &s->events[next->event];
		if (e->rank != RANK_CALL)
			break;
		if (search_enter(s, e->op, NO_GROUP))
			return true;
	}
	for (; next->group < s->groups_len; next->group++) {
		const struct group *g = &s->groups[next->group];

		if (g->used == g->len || g->members[g->used]->call > e->time)
			continue;
		if (search_enter(s, (size_t)(g->members[g->used] - s->ops), next->group))
			return true;
	}
	return false;
}

/* Keeps the order that the search is in when none got stuck at a later return. */
static void note_stuck(struct search *s, size_t event, struct search_trace *trace)
{
	if (event < s->stuck_event || (event == s->stuck_event && s->depth <= trace->order_len))
		return;
	s->stuck_event = event;
	trace->stuck = s->events[event].op;
	trace->order_len = s->depth;
	for (size_t i = 0; i < s->depth; i++)
		trace->order[i] = s->frames[i].op;
}

/* An operation that must take effect and leaves every state in which it is possible as it is. */
static bool is_pure(const struct model_op *op)
{
	if (!op->known || op->optional)
		return false;
	return !history_kind_changes(op->kind) ||
	       ((op->kind == HISTORY_CAS || op->kind == HISTORY_DELETE) && op->result == 0);
}

static enum search_verdict search_run(struct search *s, uint64_t max_steps,
				      struct search_trace *trace)
{
	struct place next = {.event = s->events[0].next};

	while (s->required_left > 0) {
		bool pure;

		if (trace->steps == max_steps)
			return SEARCH_GAVE_UP;
		if (search_advance(s, &next)) {
			trace->steps++;
			next = (struct place){.event = s->events[0].next};
			continue;
		}
		note_stuck(s, next.event, trace);
		do {
			if (s->depth == 0)
				return SEARCH_NONE;
			pure = is_pure(&s->ops[s->frames[s->depth - 1].op]);
			search_leave(s, &next);
		} while (pure);
	}
	return SEARCH_FOUND;
}

enum search_verdict search_order(const struct model *model, const struct model_op *ops,
				 size_t count, uint64_t max_steps, struct search_trace *trace)
{
	struct search s;
	enum search_verdict verdict;

	search_init(&s, model, ops, count);
	*trace = (struct search_trace){.order = mem_zalloc(count, sizeof(*trace->order))};
	verdict = search_run(&s, max_steps, trace);
	search_close(&s);
	return verdict;
}

void search_trace_free(struct search_trace *trace)
{
	mem_free(trace->order);
	*trace = (struct search_trace){0};
}
