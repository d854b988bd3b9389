#include "checker/report.h"

#include <inttypes.h>

/* Longer lists of operations are cut. */
#define LINES_MAX 16

static void print_line(struct buf *out, const struct history *h, size_t op)
{
	buf_printf(out, "    ");
	history_print_op(out, h, op);
}

/* The end of the longest order, with the states in between. */
static void print_order(struct buf *out, const struct report_key *k,
			const struct search_trace *trace)
{
	struct model_state state = k->model->initial;

	buf_printf(out, "  the longest order found has %zu operations%s:\n", trace->order_len,
		   trace->order_len > LINES_MAX ? ", the last of them" : "");
	for (size_t i = 0; i < trace->order_len; i++) {
		const struct model_op *op = &k->ops[trace->order[i]];

		k->model->step(op, &state);
		if (i + LINES_MAX < trace->order_len)
			continue;
		print_line(out, k->history, op->number);
		buf_printf(out, "   then: ");
		k->model->print_state(out, state);
		buf_printf(out, "\n");
	}
}

static bool overlaps(const struct history_op *x, const struct history_op *y)
{
	return (x->outcome == HISTORY_OPEN || y->call <= x->ret) &&
	       (y->outcome == HISTORY_OPEN || x->call <= y->ret);
}

static void print_concurrent(struct buf *out, const struct report_key *k, size_t stuck)
{
	const struct history *h = k->history;
	size_t lines = 0;

	buf_printf(out, "  concurrent with it:\n");
	for (size_t i = 0; i < h->len; i++) {
		if (i == stuck || h->ops[i].key != k->key || !overlaps(&h->ops[i], &h->ops[stuck]))
			continue;
		if (lines++ == LINES_MAX) {
			buf_printf(out, "    and more\n");
			return;
		}
		print_line(out, h, i);
		buf_printf(out, "\n");
	}
	if (lines == 0)
		buf_printf(out, "    nothing\n");
}

void report_failure(struct buf *out, const struct report_key *k, const struct search_trace *trace,
		    enum search_verdict verdict)
{
	const struct model_op *stuck = &k->ops[trace->stuck];

	buf_printf(out, "key %" PRIu64 " (%s, %zu operations) ", k->key, k->model->name, k->count);
	if (verdict == SEARCH_GAVE_UP)
		buf_printf(out,
			   "was given up after %" PRIu64 " steps\n"
			   "  no order was found that explains everything up to and with\n",
			   trace->steps);
	else
		buf_printf(out, "is not linearizable\n"
				"  no order explains everything up to and with\n");
	print_line(out, k->history, stuck->number);
	if (stuck->derived)
		buf_printf(out, ", whose effect was seen at %" PRIu64, stuck->ret);
	buf_printf(out, "\n");
	print_concurrent(out, k, stuck->number);
	print_order(out, k, trace);
}

/* Whether a result of `op` shows `value`. */
static bool shows(const struct history *h, const struct history_op *op, uint64_t value)
{
	const uint64_t *list;

	if (op->outcome != HISTORY_DONE)
		return false;
	if (op->kind == HISTORY_READ)
		return op->result == value;
	if (op->kind == HISTORY_CAS)
		return op->result != 0 && op->expected == value;
	if (op->kind != HISTORY_READ_LIST)
		return false;
	list = history_list(h, op);
	for (uint64_t i = 0; i < op->result; i++)
		if (list[i] == value)
			return true;
	return false;
}

/* Whether an operation that was not refused may have put the value there. */
static bool has_other_source(const struct history *h, uint64_t key, uint64_t value)
{
	for (size_t i = 0; i < h->len; i++) {
		const struct history_op *op = &h->ops[i];

		if (op->key != key || op->outcome == HISTORY_REFUSED)
			continue;
		if (op->kind == HISTORY_INCR ||
		    (history_kind_has_value(op->kind) && op->value == value))
			return true;
	}
	return false;
}

static bool report_shown(struct buf *out, const struct history *h, size_t refused)
{
	const struct history_op *r = &h->ops[refused];
	bool found = false;

	for (size_t i = 0; i < h->len; i++) {
		if (h->ops[i].key != r->key || !shows(h, &h->ops[i], r->value))
			continue;
		buf_printf(out, "key %" PRIu64 ": aborted read: the effect of\n", r->key);
		print_line(out, h, refused);
		buf_printf(out, "\n  is seen by\n");
		print_line(out, h, i);
		buf_printf(out, "\n");
		found = true;
	}
	return found;
}

bool report_aborted_reads(struct buf *out, const struct history *h, uint64_t key)
{
	bool found = false;

	for (size_t i = 0; i < h->len; i++) {
		const struct history_op *op = &h->ops[i];

		if (op->key != key || op->outcome != HISTORY_REFUSED ||
		    !history_kind_has_value(op->kind) || op->value == HISTORY_NONE)
			continue;
		if (!has_other_source(h, key, op->value) && report_shown(out, h, i))
			found = true;
	}
	return found;
}
