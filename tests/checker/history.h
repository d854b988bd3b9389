#ifndef CONCLAVE_CHECKER_HISTORY_H
#define CONCLAVE_CHECKER_HISTORY_H

/*
 * What clients did and saw: one operation each, with the times between which it took effect.
 * Times are any numbers that grow with the order of events. An operation comes before another
 * when it returned at a smaller time than the other was called; equal times count as concurrent,
 * so a run with a coarse clock should number its events and give those numbers.
 *
 * A key is a register (write, read, cas, incr) or a list (append, read list); delete goes with
 * both. A key that was never written has no value and is an empty list.
 */

#include "base/bytes.h"

#include <stdbool.h>
#include <stdint.h>

/* No value: what a read of an absent key answers, and a cas may expect or leave behind. */
#define HISTORY_NONE UINT64_MAX

/* Values and results are at most this. */
#define HISTORY_VALUE_MAX (UINT64_MAX - 2)

enum history_kind {
	HISTORY_WRITE,	   /* value */
	HISTORY_READ,	   /* result: the value or HISTORY_NONE */
	HISTORY_CAS,	   /* expected, value (or HISTORY_NONE); result: 1 swapped, 0 not */
	HISTORY_INCR,	   /* result: the value afterwards; no value counts as 0 */
	HISTORY_DELETE,	   /* result: 1 there was something, 0 not */
	HISTORY_APPEND,	   /* value; result: the length afterwards */
	HISTORY_READ_LIST, /* result: the length; the elements stand in the history */
};

enum history_outcome {
	HISTORY_OPEN,	 /* never answered: took effect at any time after the call, or never */
	HISTORY_DONE,	 /* answered, with its result */
	HISTORY_APPLIED, /* took effect before it returned, but the result was lost */
	HISTORY_REFUSED, /* certainly never took effect */
};

struct history_op {
	enum history_kind kind;
	enum history_outcome outcome;
	uint32_t client;
	uint64_t key;
	uint64_t call;
	uint64_t ret; /* of no meaning while open */
	uint64_t value;
	uint64_t expected;
	uint64_t result;
	size_t list_at; /* read list: place of the first element in the history's values */
};

/* All zero is an empty one. */
struct history {
	struct history_op *ops;
	size_t len;
	size_t cap;
	uint64_t *values; /* the elements that the lists read had, one list after the other */
	size_t values_len;
	size_t values_cap;
};

void history_free(struct history *h);

/* Begins an operation; returns its number, by which it is ended. It stays open until then. */
size_t history_call(struct history *h, uint64_t now, uint32_t client, uint64_t key,
		    enum history_kind kind, uint64_t value);

/* Begins a cas from `expected` to `value`; to HISTORY_NONE: it deletes. */
size_t history_call_cas(struct history *h, uint64_t now, uint32_t client, uint64_t key,
			uint64_t expected, uint64_t value);

/* Ends an open operation with its result; anything but a read list. */
void history_return(struct history *h, uint64_t now, size_t op, uint64_t result);

/* Ends an open read list with the elements it saw, which are copied. */
void history_return_list(struct history *h, uint64_t now, size_t op, const uint64_t *elements,
			 size_t count);

/* Ends an open operation that took effect and whose result is not known. */
void history_return_applied(struct history *h, uint64_t now, size_t op);

/* Ends an open operation that was refused and never takes effect. */
void history_return_refused(struct history *h, uint64_t now, size_t op);

/* The elements that a read list saw, as many as its result says. */
const uint64_t *history_list(const struct history *h, const struct history_op *op);

/* Whether it belongs to lists only; may change what later ones see; puts in a given value. */
bool history_kind_is_list(enum history_kind kind);
bool history_kind_changes(enum history_kind kind);
bool history_kind_has_value(enum history_kind kind);

/* Appends one operation as text: number, client, times, what it did and saw. */
void history_print_op(struct buf *out, const struct history *h, size_t op);

#endif
