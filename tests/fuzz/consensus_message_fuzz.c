/*
 * Decodes what the input says: messages, memberships, snapshots' descriptors, hellos. What decodes
 * must obey its rules, and be the same bytes when it is written again: nothing has two forms.
 *
 * Input: the first byte chooses what, the rest is the bytes.
 */

#include "base/check.h"
#include "base/error.h"
#include "base/mem.h"
#include "consensus/birth.h"
#include "consensus/message.h"
#include "consensus/snapshot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_message(struct slice bytes)
{
	struct blob *frame = blob_copy(bytes);
	struct entry *entries = NULL;
	struct raft_message m;
	size_t cap = 0;

	if (raft_message_decode(frame, 0, &m, &entries, &cap) == OK) {
		struct buf again = {0};
		size_t payload = raft_message_encode(&m, &again), head = again.len;

		for (uint32_t i = 0; i < m.count; i++)
			buf_append_slice(&again, entry_payload(&m.entries[i]));
		CHECK(again.len == head + payload);
		CHECK(slice_equal(buf_slice(&again), bytes));
		buf_free(&again);
	}
	CHECK(frame->refs == 1);
	mem_free(entries);
	blob_release(frame);
}

static void try_membership(struct slice bytes)
{
	struct membership m = {0};

	if (membership_decode(bytes, &m) == OK) {
		struct buf again = {0};

		CHECK_VALID(membership_broken(&m));
		membership_encode(&m, &again);
		CHECK(slice_equal(buf_slice(&again), bytes));
		buf_free(&again);
	}
	membership_free(&m);
}

static void try_snapshot(struct slice bytes)
{
	struct snapshot s = {0};

	if (snapshot_decode(bytes, &s) == OK) {
		struct buf again = {0};

		CHECK_VALID(membership_broken(&s.membership));
		snapshot_encode(&s, &again);
		CHECK(slice_equal(buf_slice(&again), bytes));
		buf_free(&again);
	}
	snapshot_free(&s);
}

static void try_hello(struct slice bytes)
{
	struct birth_hello hello;

	if (birth_hello_decode(bytes, &hello) == OK) {
		struct buf again = {0};

		birth_hello_encode(&hello, &again);
		CHECK(slice_equal(buf_slice(&again), bytes));
		buf_free(&again);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const tries[])(struct slice) = {try_message, try_membership, try_snapshot,
						      try_hello};

	if (size > 0)
		tries[data[0] % ARRAY_LEN(tries)](slice_of(data + 1, size - 1));
	return 0;
}
