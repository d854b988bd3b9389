/*
 * What members put into the log, decoded from any bytes: a batch must not read beyond them, and
 * what decodes must decode to the same when it is written again. (Not to the same bytes: a number
 * has longer forms, and a batch may have something behind its commands.)
 *
 * Input: the first byte chooses batch, registration or expiry, the rest is the bytes.
 */

#include "base/check.h"
#include "base/error.h"
#include "base/mem.h"
#include "node/batch.h"
#include "node/expiry_entry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_command(const struct batch_command *a, const struct batch_command *b)
{
	CHECK(a->flags == b->flags && a->database == b->database && a->author == b->author &&
	      a->users_version == b->users_version && a->argc == b->argc);
	for (size_t i = 0; i < a->argc; i++)
		CHECK(slice_equal(a->argv[i], b->argv[i]));
}

/* Writes a command and reads it back. */
static void try_again(const struct batch_command *command)
{
	struct batch_command again;
	struct slice *argv = NULL;
	struct buf bytes = {0};
	size_t argv_cap = 0;
	struct cursor c;

	batch_command_encode(command, &bytes);
	c = cursor_of(buf_slice(&bytes));
	CHECK(batch_command_decode(&c, &again, &argv, &argv_cap) == OK && cursor_done(&c));
	check_command(command, &again);
	mem_free(argv);
	buf_free(&bytes);
}

static void try_batch(struct slice bytes)
{
	struct cursor c = cursor_of(bytes);
	uint8_t again[BATCH_HEADER_BYTES];
	struct slice *argv = NULL;
	size_t argv_cap = 0;
	struct batch_header h;

	if (batch_header_decode(&c, &h) != OK)
		return;
	batch_header_put(again, &h);
	CHECK(slice_equal(slice_of(again, sizeof(again)), slice_of(bytes.data, sizeof(again))));
	for (uint32_t i = 0; i < h.count; i++) {
		struct batch_command command;
		size_t left = cursor_left(&c);

		if (batch_command_decode(&c, &command, &argv, &argv_cap) != OK)
			break;
		CHECK(cursor_left(&c) < left && command.argc > 0 && command.argc <= left);
		try_again(&command);
	}
	mem_free(argv);
}

static void try_registration(struct slice bytes)
{
	struct registration r;
	struct buf again = {0};

	if (registration_decode(bytes, &r) != OK)
		return;
	registration_encode(&r, &again);
	CHECK(slice_equal(buf_slice(&again), bytes));
	buf_free(&again);
}

static void try_expiry(struct slice bytes)
{
	struct cursor c = cursor_of(bytes), second;
	struct expiry_item item, again;
	struct buf written = {0};

	if (expiry_entry_decode(&c) != OK)
		return;
	expiry_entry_begin(&written);
	second = cursor_of(buf_slice(&written));
	CHECK(expiry_entry_decode(&second) == OK && cursor_done(&second));
	while (cursor_left(&c) > 0 && expiry_item_decode(&c, &item) == OK) {
		buf_clear(&written);
		expiry_item_encode(&item, &written);
		second = cursor_of(buf_slice(&written));
		CHECK(expiry_item_decode(&second, &again) == OK && cursor_done(&second));
		CHECK(again.at_ms == item.at_ms && again.keyspace == item.keyspace &&
		      slice_equal(again.key, item.key));
	}
	buf_free(&written);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const tries[])(struct slice) = {try_batch, try_registration, try_expiry};

	if (size > 0)
		tries[data[0] % ARRAY_LEN(tries)](slice_of(data + 1, size - 1));
	return 0;
}
