#include "base/check.h"
#include "checker/model.h"

#include <inttypes.h>

/* The state: `a` is the value, HISTORY_NONE or MODEL_UNSEEN; `b` is not used. */

static bool register_step(const struct model_op *op, struct model_state *state)
{
	uint64_t value = state->a;
	uint64_t result = 0;

	switch (op->kind) {
	case HISTORY_WRITE:
		state->a = op->value;
		return true;
	case HISTORY_READ:
		result = value;
		break;
	case HISTORY_CAS:
		result = value == op->expected;
		state->a = result ? op->value : value;
		break;
	case HISTORY_INCR:
		if (value == HISTORY_NONE)
			value = 0;
		result = value == MODEL_UNSEEN ? MODEL_UNSEEN : value + 1;
		state->a = result;
		break;
	case HISTORY_DELETE:
		result = value != HISTORY_NONE;
		state->a = HISTORY_NONE;
		break;
	case HISTORY_APPEND:
	case HISTORY_READ_LIST:
		CHECK(!"a list operation on a register");
	}
	return !op->known || op->result == result;
}

/* The value that an operation proves to have been there right before it; HISTORY_NONE: nothing. */
static uint64_t value_proved(const struct model_op *op)
{
	if (op->kind == HISTORY_READ)
		return op->result;
	if (op->kind == HISTORY_CAS && op->known && op->result)
		return op->expected;
	return HISTORY_NONE;
}

/*
 * `value` was there at `deadline` or earlier. Where one operation alone can have put it there,
 * that one took effect by then, though it may never have been answered; and if it is a cas, it
 * swapped, so that what it expected was there too.
 */
static void narrow_producer(const struct model_index *producers, uint64_t value, uint64_t deadline)
{
	while (value != HISTORY_NONE) {
		struct model_op *op = model_index_only(producers, value);

		if (!op || (!op->optional && op->known && op->ret <= deadline))
			return;
		model_op_narrow(op, deadline);
		op->known = true;
		op->result = 1;
		if (op->kind != HISTORY_CAS)
			return;
		value = op->expected;
		deadline = op->ret;
	}
}

static void narrow_producers(struct model_op *ops, size_t count)
{
	struct model_index producers;

	model_index_init(&producers, count);
	for (size_t i = 0; i < count; i++) {
		struct model_op *op = &ops[i];
		bool swaps = op->kind == HISTORY_CAS && !(op->known && !op->result);

		if (op->kind == HISTORY_WRITE || swaps)
			model_index_add(&producers, op->value, op);
	}
	model_index_sort(&producers);
	for (size_t i = 0; i < count; i++)
		narrow_producer(&producers, value_proved(&ops[i]), ops[i].ret);
	model_index_free(&producers);
}

/*
 * Values that cannot make a difference become one and the same. With n increments on the key, a
 * written value v shows as one of v to v + n; if none of these is read, expected or the result
 * of an increment, no operation answers differently when v is another value of that sort.
 */
static void unify_unseen(struct model_op *ops, size_t count, size_t increments)
{
	struct model_index asked;

	model_index_init(&asked, count);
	for (size_t i = 0; i < count; i++) {
		const struct model_op *op = &ops[i];

		if (op->kind == HISTORY_CAS)
			model_index_add(&asked, op->expected, NULL);
		else if (op->known && (op->kind == HISTORY_READ || op->kind == HISTORY_INCR))
			model_index_add(&asked, op->result, NULL);
	}
	model_index_sort(&asked);
	for (size_t i = 0; i < count; i++) {
		uint64_t low = ops[i].value, high;

		if (ops[i].kind != HISTORY_WRITE && ops[i].kind != HISTORY_CAS)
			continue;
		if (low == HISTORY_NONE)
			continue;
		high = low + MIN(increments, HISTORY_VALUE_MAX - low);
		if (!model_index_has(&asked, low, high))
			ops[i].value = MODEL_UNSEEN;
	}
	model_index_free(&asked);
}

static void register_prepare(const struct history *h, struct model_op *ops, size_t count)
{
	size_t increments = 0;

	(void)h;
	for (size_t i = 0; i < count; i++)
		increments += ops[i].kind == HISTORY_INCR;
	/* An increment may arrive at a value that was written too: then nobody's write is proved.
	 */
	if (increments == 0)
		narrow_producers(ops, count);
	unify_unseen(ops, count, increments);
}

static void register_print(struct buf *out, struct model_state state)
{
	if (state.a == HISTORY_NONE)
		buf_printf(out, "none");
	else if (state.a == MODEL_UNSEEN)
		buf_printf(out, "a value that nobody saw");
	else
		buf_printf(out, "%" PRIu64, state.a);
}

const struct model model_register = {
	.name = "register",
	.initial = {.a = HISTORY_NONE},
	.prepare = register_prepare,
	.step = register_step,
	.print_state = register_print,
};
