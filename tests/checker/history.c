#include "checker/history.h"

#include "base/check.h"
#include "base/mem.h"

#include <inttypes.h>
#include <string.h>

/* Longer lists are cut in the middle when printed. */
#define PRINTED_ELEMENTS 12

void history_free(struct history *h)
{
	mem_free(h->ops);
	mem_free(h->values);
	*h = (struct history){0};
}

size_t history_call(struct history *h, uint64_t now, uint32_t client, uint64_t key,
		    enum history_kind kind, uint64_t value)
{
	CHECK(value <= HISTORY_VALUE_MAX || (value == HISTORY_NONE && kind == HISTORY_CAS));
	MEM_GROW(h->ops, h->cap, h->len + 1);
	h->ops[h->len] = (struct history_op){.kind = kind,
					     .outcome = HISTORY_OPEN,
					     .client = client,
					     .key = key,
					     .call = now,
					     .value = value,
					     .expected = HISTORY_NONE};
	return h->len++;
}

size_t history_call_cas(struct history *h, uint64_t now, uint32_t client, uint64_t key,
			uint64_t expected, uint64_t value)
{
	size_t op = history_call(h, now, client, key, HISTORY_CAS, value);

	CHECK(expected <= HISTORY_VALUE_MAX || expected == HISTORY_NONE);
	h->ops[op].expected = expected;
	return op;
}

static struct history_op *history_end(struct history *h, uint64_t now, size_t op,
				      enum history_outcome outcome)
{
	struct history_op *o;

	CHECK(op < h->len);
	o = &h->ops[op];
	CHECK(o->outcome == HISTORY_OPEN && now >= o->call);
	o->outcome = outcome;
	o->ret = now;
	return o;
}

void history_return(struct history *h, uint64_t now, size_t op, uint64_t result)
{
	struct history_op *o = history_end(h, now, op, HISTORY_DONE);

	CHECK(o->kind != HISTORY_READ_LIST);
	CHECK(result <= HISTORY_VALUE_MAX || (result == HISTORY_NONE && o->kind == HISTORY_READ));
	o->result = result;
}

void history_return_list(struct history *h, uint64_t now, size_t op, const uint64_t *elements,
			 size_t count)
{
	struct history_op *o = history_end(h, now, op, HISTORY_DONE);

	CHECK(o->kind == HISTORY_READ_LIST);
	MEM_GROW(h->values, h->values_cap, h->values_len + count);
	if (count > 0)
		memcpy(h->values + h->values_len, elements, count * sizeof(*elements));
	o->list_at = h->values_len;
	o->result = count;
	h->values_len += count;
}

void history_return_applied(struct history *h, uint64_t now, size_t op)
{
	history_end(h, now, op, HISTORY_APPLIED);
}

void history_return_refused(struct history *h, uint64_t now, size_t op)
{
	history_end(h, now, op, HISTORY_REFUSED);
}

const uint64_t *history_list(const struct history *h, const struct history_op *op)
{
	CHECK(op->kind == HISTORY_READ_LIST);
	return op->result > 0 ? h->values + op->list_at : NULL;
}

bool history_kind_is_list(enum history_kind kind)
{
	return kind == HISTORY_APPEND || kind == HISTORY_READ_LIST;
}

bool history_kind_changes(enum history_kind kind)
{
	return kind != HISTORY_READ && kind != HISTORY_READ_LIST;
}

bool history_kind_has_value(enum history_kind kind)
{
	return kind == HISTORY_WRITE || kind == HISTORY_CAS || kind == HISTORY_APPEND;
}

static void print_value(struct buf *out, uint64_t value)
{
	if (value == HISTORY_NONE)
		buf_printf(out, "none");
	else
		buf_printf(out, "%" PRIu64, value);
}

static void print_call(struct buf *out, const struct history_op *op)
{
	static const char *const names[] = {
		[HISTORY_WRITE] = "write",
		[HISTORY_READ] = "read",
		[HISTORY_CAS] = "cas",
		[HISTORY_INCR] = "incr",
		[HISTORY_DELETE] = "delete",
		[HISTORY_APPEND] = "append",
		[HISTORY_READ_LIST] = "read list",
	};

	buf_printf(out, "%s", names[op->kind]);
	if (op->kind == HISTORY_CAS) {
		buf_printf(out, " ");
		print_value(out, op->expected);
	}
	if (history_kind_has_value(op->kind)) {
		buf_printf(out, " ");
		print_value(out, op->value);
	}
}

static void print_list(struct buf *out, const uint64_t *values, uint64_t count)
{
	buf_printf(out, "[");
	for (uint64_t i = 0; i < count; i++) {
		if (count > PRINTED_ELEMENTS && i == PRINTED_ELEMENTS / 2) {
			buf_printf(out, " ...");
			i = count - PRINTED_ELEMENTS / 2;
		}
		buf_printf(out, "%s%" PRIu64, i ? " " : "", values[i]);
	}
	buf_printf(out, "] (%" PRIu64 ")", count);
}

static void print_result(struct buf *out, const struct history *h, const struct history_op *op)
{
	switch (op->outcome) {
	case HISTORY_OPEN:
		buf_printf(out, ": never answered");
		return;
	case HISTORY_APPLIED:
		buf_printf(out, ": applied, result lost");
		return;
	case HISTORY_REFUSED:
		buf_printf(out, ": refused");
		return;
	case HISTORY_DONE:
		break;
	}
	if (op->kind == HISTORY_WRITE)
		return;
	buf_printf(out, " -> ");
	if (op->kind == HISTORY_READ_LIST)
		print_list(out, history_list(h, op), op->result);
	else
		print_value(out, op->result);
}

void history_print_op(struct buf *out, const struct history *h, size_t op)
{
	const struct history_op *o = &h->ops[op];

	CHECK(op < h->len);
	buf_printf(out, "#%zu client %" PRIu32 " [%" PRIu64 "..", op, o->client, o->call);
	if (o->outcome != HISTORY_OPEN)
		buf_printf(out, "%" PRIu64, o->ret);
	buf_printf(out, "] ");
	print_call(out, o);
	print_result(out, h, o);
}
