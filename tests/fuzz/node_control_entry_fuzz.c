/*
 * Entries about the cluster, and the frames that lead to them, decoded from any bytes: what decodes
 * is the same bytes when it is written again.
 *
 * Input: the first byte says as what the rest is read.
 */

#include "base/check.h"
#include "base/error.h"
#include "node/control_entry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_same(struct buf *again, struct slice bytes)
{
	CHECK(slice_equal(buf_slice(again), bytes));
	buf_free(again);
}

static void try_level(struct slice bytes)
{
	struct buf again = {0};
	uint32_t level;

	if (level_entry_decode(bytes, &level) != OK)
		return;
	level_entry_encode(level, &again);
	check_same(&again, bytes);
}

static void try_check(struct slice bytes)
{
	struct buf again = {0};

	if (check_entry_decode(bytes) != OK)
		return;
	check_entry_encode(&again);
	check_same(&again, bytes);
}

static void try_digests(struct slice bytes)
{
	struct buf again = {0};
	struct digests d;

	if (digests_decode(bytes, &d) != OK)
		return;
	digests_encode(&d, &again);
	check_same(&again, bytes);
}

static void try_verdict(struct slice bytes)
{
	struct buf again = {0};
	struct verdict v;

	if (verdict_decode(bytes, &v) != OK)
		return;
	verdict_encode(&v, &again);
	check_same(&again, bytes);
}

static void try_alarm(struct slice bytes)
{
	struct buf again = {0};
	struct alarm_change a;

	if (alarm_decode(bytes, &a) != OK)
		return;
	alarm_encode(&a, &again);
	check_same(&again, bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const tries[])(struct slice) = {try_level, try_check, try_digests,
						      try_verdict, try_alarm};

	if (size > 0)
		tries[data[0] % ARRAY_LEN(tries)](slice_of(data + 1, size - 1));
	return 0;
}
