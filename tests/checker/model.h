#ifndef CONCLAVE_CHECKER_MODEL_H
#define CONCLAVE_CHECKER_MODEL_H

/*
 * What one key is supposed to do, as the search sees it: a state of two numbers and a function
 * that says whether an operation with its result is possible in it.
 */

#include "checker/history.h"

struct model_state {
	uint64_t a;
	uint64_t b;
};

static inline bool model_state_equal(struct model_state x, struct model_state y)
{
	return x.a == y.a && x.b == y.b;
}

/* The deadline of an operation that may take effect at any later time. */
#define MODEL_NEVER UINT64_MAX

/* An operation as the search works with it: narrowed by what the whole history shows of it. */
struct model_op {
	enum history_kind kind;
	bool optional; /* may never take effect; then `ret` is MODEL_NEVER */
	bool known;    /* `result` is known */
	bool derived;  /* `ret` is what others show, not its own return */
	bool shown;    /* append: some read shows its value */
	bool placed;   /* append: possible in state `place` only */
	size_t number; /* in the history */
	uint64_t key;
	uint64_t call;	   /* takes effect at or after it */
	uint64_t ret;	   /* takes effect at or before it */
	uint64_t value;	   /* write, cas, append; else 0 */
	uint64_t expected; /* cas; else 0 */
	uint64_t result;
	uint64_t list_hash;	  /* read list: hash of the elements */
	struct model_state place; /* append: the list that its value was seen to stand behind */
};

struct model {
	const char *name;
	struct model_state initial;
	/*
	 * Narrows the operations on one key without changing whether they can be ordered. They
	 * come with neither refused ones nor reads without a result.
	 */
	void (*prepare)(const struct history *h, struct model_op *ops, size_t count);
	/* Moves `state` as `op` does, or returns false when `op` is not possible in it. */
	bool (*step)(const struct model_op *op, struct model_state *state);
	void (*print_state)(struct buf *out, struct model_state state);
};

/* A value with write, read, compare-and-swap, increment and delete. */
extern const struct model model_register;

/* A list with append, read and delete. */
extern const struct model model_list;

/* Notes that the operation certainly took effect at `deadline` or before. */
void model_op_narrow(struct model_op *op, uint64_t deadline);

/*
 * Puts in for a value that no operation of the history could tell from another one of its kind:
 * it is never equal to a value that is read or expected.
 */
#define MODEL_UNSEEN (UINT64_MAX - 1)

/* Sorted values, each with the operation that it stands in. */
struct model_index {
	struct model_index_row {
		uint64_t value;
		struct model_op *op;
	} * rows;
	size_t len;
};

/* Index over `count` operations at most, empty. Freed by model_index_free. */
void model_index_init(struct model_index *index, size_t count);
void model_index_free(struct model_index *index);

/* Adds a row; not more than the count given. All rows are added before the index is sorted. */
void model_index_add(struct model_index *index, uint64_t value, struct model_op *op);
void model_index_sort(struct model_index *index);

/* The place of the first row whose value is at least `value`; `len` when there is none. */
size_t model_index_find(const struct model_index *index, uint64_t value);

/* Whether some row has a value from `low` to `high`, both included. */
bool model_index_has(const struct model_index *index, uint64_t low, uint64_t high);

/* The operation of the only row with this value; NULL when there are more or none. */
struct model_op *model_index_only(const struct model_index *index, uint64_t value);

#endif
