/*
 * Decodes what the input says: records, changes, positions, keys. What decodes must obey its
 * rules, and be the same bytes when it is written again: nothing has two forms.
 *
 * Input: the first byte chooses what, the rest is the bytes.
 */

#include "base/check.h"
#include "base/error.h"
#include "storage/position.h"
#include "storage/row.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_same(struct buf *again, struct slice bytes)
{
	CHECK(slice_equal(buf_slice(again), bytes));
	buf_free(again);
}

static void try_record(struct slice bytes)
{
	struct buf again = {0};
	struct record r;

	if (record_decode(bytes, &r) != OK)
		return;
	CHECK_VALID(record_broken(&r));
	record_encode(&r, &again);
	check_same(&again, bytes);
}

static void try_change(struct slice bytes)
{
	struct buf again = {0};
	struct change c;

	if (change_decode(bytes, &c) != OK)
		return;
	change_encode(&c, &again);
	check_same(&again, bytes);
}

static void try_position(struct slice bytes)
{
	struct position p = {0};
	struct buf again = {0};
	struct slice snapshot;

	if (position_decode(bytes, &p, &snapshot) == OK) {
		CHECK_VALID(position_broken(&p));
		position_encode(&p, snapshot, &again);
		check_same(&again, bytes);
		position_free(&p);
	}
	CHECK(!p.origins && !p.keyspaces);
}

static void try_keys(struct slice bytes)
{
	uint8_t history[HISTORY_KEY_BYTES];
	struct buf again = {0};
	struct revision revision;
	uint64_t deadline_ms;
	uint32_t keyspace;
	struct slice key;

	if (record_key_decode(bytes, &keyspace, &key) == OK) {
		record_key(&again, keyspace, key);
		check_same(&again, bytes);
	}
	if (deadline_key_decode(bytes, &deadline_ms, &keyspace, &key) == OK) {
		deadline_key(&again, deadline_ms, keyspace, key);
		check_same(&again, bytes);
	}
	if (history_key_decode(bytes, &revision) == OK) {
		history_key_put(history, revision);
		CHECK(slice_equal(slice_of(history, sizeof(history)), bytes));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const tries[])(struct slice) = {try_record, try_change, try_position,
						      try_keys};

	if (size > 0)
		tries[data[0] % ARRAY_LEN(tries)](slice_of(data + 1, size - 1));
	return 0;
}
