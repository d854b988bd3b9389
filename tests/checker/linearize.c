#include "checker/linearize.h"

#include "base/check.h"
#include "base/mem.h"
#include "checker/report.h"

#include <stdlib.h>

static int op_compare(const void *a, const void *b)
{
	const struct model_op *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	if (x->call != y->call)
		return x->call < y->call ? -1 : 1;
	return (x->number > y->number) - (x->number < y->number);
}

/*
 * Sorts the operations by key and call. Left out is what cannot be part of an order: the refused,
 * and reads without a result, which neither change nor show anything.
 */
static struct model_op *collect(const struct history *h, size_t *len)
{
	struct model_op *all = mem_zalloc(h->len, sizeof(*all));

	*len = 0;
	for (size_t i = 0; i < h->len; i++) {
		const struct history_op *op = &h->ops[i];
		bool open = op->outcome == HISTORY_OPEN;
		bool known = op->outcome == HISTORY_DONE;

		if (op->outcome == HISTORY_REFUSED || (!known && !history_kind_changes(op->kind)))
			continue;
		all[(*len)++] = (struct model_op){
			.kind = op->kind,
			.optional = open,
			.known = known,
			.number = i,
			.key = op->key,
			.call = op->call,
			.ret = open ? MODEL_NEVER : op->ret,
			.value = history_kind_has_value(op->kind) ? op->value : 0,
			.expected = op->kind == HISTORY_CAS ? op->expected : 0,
			.result = op->result,
		};
	}
	qsort(all, *len, sizeof(*all), op_compare);
	return all;
}

static const struct model *model_for(const struct model_op *ops, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (history_kind_is_list(ops[i].kind))
			return &model_list;
	return &model_register;
}

/* Checks one key, whose operations are `ops`, and adds what it found to `result` and `report`. */
static void check_key(const struct history *h, struct model_op *ops, size_t count,
		      uint64_t max_steps, struct linearize_result *result, struct buf *report)
{
	struct report_key key = {h, model_for(ops, count), ops, count, ops[0].key};
	struct search_trace trace;

	enum search_verdict verdict;

	key.model->prepare(h, ops, count);
	verdict = search_order(key.model, ops, count, max_steps, &trace);
	result->steps += trace.steps;
	if (verdict != SEARCH_FOUND) {
		result->key = key.key;
		result->verdict = verdict == SEARCH_NONE ? LINEARIZE_FAIL : LINEARIZE_GAVE_UP;
		if (report_aborted_reads(report, h, key.key))
			result->verdict = LINEARIZE_ABORTED_READ;
		report_failure(report, &key, &trace, verdict);
	}
	search_trace_free(&trace);
}

struct linearize_result linearize_check(const struct history *h, uint64_t max_steps,
					struct buf *report)
{
	struct linearize_result result = {.verdict = LINEARIZE_PASS};
	size_t len, end;
	struct model_op *ops = collect(h, &len);

	for (size_t begin = 0; begin < len; begin = end) {
		for (end = begin + 1; end < len && ops[end].key == ops[begin].key;)
			end++;
		check_key(h, ops + begin, end - begin, max_steps, &result, report);
		if (result.verdict == LINEARIZE_FAIL || result.verdict == LINEARIZE_ABORTED_READ)
			break;
	}
	mem_free(ops);
	return result;
}

const char *linearize_verdict_name(enum linearize_verdict verdict)
{
	static const char *const names[] = {
		[LINEARIZE_PASS] = "pass",
		[LINEARIZE_FAIL] = "fail",
		[LINEARIZE_ABORTED_READ] = "aborted read",
		[LINEARIZE_GAVE_UP] = "gave up",
	};

	return (size_t)verdict < ARRAY_LEN(names) ? names[verdict] : "unknown";
}
