/*
 * A state on its way between members, decoded from any bytes: nothing is read beyond them, and what
 * decodes must be the same when it is written again.
 *
 * Input: the first byte says what the rest is: a FETCH, a ROWS, or what stands in a ROWS behind its
 * hash, which is made to fit: only so do rows get past it.
 */

#include "base/check.h"
#include "base/error.h"
#include "base/hash.h"
#include "node/transfer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_fetch(struct slice bytes)
{
	struct fetch f, second;
	struct buf again = {0};

	if (fetch_decode(bytes, &f) != OK)
		return;
	fetch_encode(&f, &again);
	CHECK(fetch_decode(buf_slice(&again), &second) == OK);
	CHECK(second.from == f.from && second.index == f.index && second.request == f.request &&
	      second.family == f.family && slice_equal(second.after, f.after));
	buf_free(&again);
}

/* All rows that can be had are the same in what is made of them. */
static void try_rows(struct slice bytes)
{
	struct rows r, second;
	struct slice key, value;
	struct buf again = {0};
	uint32_t count = 0;

	if (rows_decode(bytes, &r) != OK)
		return;
	rows_begin(r.request, &again);
	while (count < r.count && rows_next(&r, &key, &value) == OK) {
		CHECK(key.len > 0 && key.len + value.len <= bytes.len);
		rows_put(key, value, &again);
		count++;
	}
	if (count > 0 || r.kind != ROWS_MORE) {
		rows_end(&again, r.kind, count);
		CHECK(rows_decode(buf_slice(&again), &second) == OK);
		CHECK(second.request == r.request && second.kind == r.kind &&
		      second.count == count);
		while (count-- > 0)
			CHECK(rows_next(&second, &key, &value) == OK);
		CHECK(cursor_done(&second.at));
	}
	buf_free(&again);
}

static void try_rows_hashed(struct slice behind)
{
	struct buf bytes = {0};

	buf_append_fixed64(&bytes, hash64(behind));
	buf_append_slice(&bytes, behind);
	try_rows(buf_slice(&bytes));
	buf_free(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const tries[])(struct slice) = {try_fetch, try_rows, try_rows_hashed};

	if (size > 0)
		tries[data[0] % ARRAY_LEN(tries)](slice_of(data + 1, size - 1));
	return 0;
}
