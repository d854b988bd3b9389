#include "base/check.h"
#include "base/hash.h"
#include "checker/model.h"

#include <inttypes.h>

/*
 * The state: `a` is the length, `b` a hash of the elements in their order, so that equal states
 * are equal lists but for a chance of 2^-64. A list with an element that no read shows has
 * MODEL_UNSEEN as its hash: no read can match it, whatever else stands in it.
 */

static uint64_t hash_with(uint64_t hash, uint64_t value)
{
	return hash64_pair(hash, value);
}

static bool append_step(const struct model_op *op, struct model_state *state)
{
	if (op->placed && !model_state_equal(*state, op->place))
		return false;
	state->a++;
	if (op->value == MODEL_UNSEEN || state->b == MODEL_UNSEEN)
		state->b = MODEL_UNSEEN;
	else
		state->b = hash_with(state->b, op->value);
	return !op->known || op->result == state->a;
}

static bool list_step(const struct model_op *op, struct model_state *state)
{
	bool existed = state->a > 0;

	switch (op->kind) {
	case HISTORY_APPEND:
		return append_step(op, state);
	case HISTORY_READ_LIST:
		return state->a == op->result && state->b == op->list_hash;
	case HISTORY_DELETE:
		*state = model_list.initial;
		return !op->known || op->result == existed;
	default:
		CHECK(!"a register operation on a list");
		return false;
	}
}

/*
 * Notes what one read shows. An element of a list keeps its place until the list is deleted and
 * never comes back. So if one append alone can have put it there, that one took effect before
 * the read returned, though it may never have been answered, and it did so exactly behind the
 * elements that stand before it. Should two reads place it differently, no order satisfies both.
 */
static void narrow_by_read(const struct history *h, struct model_op *read,
			   const struct model_index *appends)
{
	const uint64_t *list = history_list(h, &h->ops[read->number]);
	struct model_state state = model_list.initial;

	for (; state.a < read->result; state.a++) {
		uint64_t value = list[state.a];
		size_t at = model_index_find(appends, value);
		struct model_op *only = model_index_only(appends, value);

		for (; at < appends->len && appends->rows[at].value == value; at++)
			appends->rows[at].op->shown = true;
		if (only) {
			model_op_narrow(only, read->ret);
			only->placed = true;
			only->place = state;
		}
		state.b = hash_with(state.b, value);
	}
	read->list_hash = state.b;
}

static void list_prepare(const struct history *h, struct model_op *ops, size_t count)
{
	struct model_index appends;

	model_index_init(&appends, count);
	for (size_t i = 0; i < count; i++)
		if (ops[i].kind == HISTORY_APPEND)
			model_index_add(&appends, ops[i].value, &ops[i]);
	model_index_sort(&appends);
	for (size_t i = 0; i < count; i++)
		if (ops[i].kind == HISTORY_READ_LIST)
			narrow_by_read(h, &ops[i], &appends);
	for (size_t i = 0; i < count; i++)
		if (ops[i].kind == HISTORY_APPEND && !ops[i].shown)
			ops[i].value = MODEL_UNSEEN;
	model_index_free(&appends);
}

static void list_print(struct buf *out, struct model_state state)
{
	buf_printf(out, "%" PRIu64 " elements%s", state.a,
		   state.b == MODEL_UNSEEN ? ", some that nobody saw" : "");
}

const struct model model_list = {
	.name = "list",
	.initial = {0},
	.prepare = list_prepare,
	.step = list_step,
	.print_state = list_print,
};
