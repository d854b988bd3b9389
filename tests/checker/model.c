#include "checker/model.h"
#include "base/check.h"
#include "base/mem.h"

#include <stdlib.h>

void model_op_narrow(struct model_op *op, uint64_t deadline)
{
	op->optional = false;
	if (deadline < op->ret) {
		op->ret = deadline;
		op->derived = true;
	}
}

void model_index_init(struct model_index *index, size_t count)
{
	index->rows = mem_zalloc(count, sizeof(*index->rows));
	index->len = 0;
}

void model_index_free(struct model_index *index)
{
	mem_free(index->rows);
	*index = (struct model_index){0};
}

void model_index_add(struct model_index *index, uint64_t value, struct model_op *op)
{
	index->rows[index->len++] = (struct model_index_row){value, op};
}

static int row_compare(const void *a, const void *b)
{
	const struct model_index_row *x = a, *y = b;

	return (x->value > y->value) - (x->value < y->value);
}

void model_index_sort(struct model_index *index)
{
	if (index->len > 1)
		qsort(index->rows, index->len, sizeof(*index->rows), row_compare);
}

size_t model_index_find(const struct model_index *index, uint64_t value)
{
	size_t low = 0, high = index->len;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (index->rows[middle].value < value)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool model_index_has(const struct model_index *index, uint64_t low, uint64_t high)
{
	size_t at = model_index_find(index, low);

	return at < index->len && index->rows[at].value <= high;
}

struct model_op *model_index_only(const struct model_index *index, uint64_t value)
{
	size_t at = model_index_find(index, value);

	if (at == index->len || index->rows[at].value != value)
		return NULL;
	if (at + 1 < index->len && index->rows[at + 1].value == value)
		return NULL;
	return index->rows[at].op;
}
