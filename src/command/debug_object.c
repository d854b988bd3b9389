/* DEBUG OBJECT: what is known of a key beside its value, in the line that tools take apart. */

#include "base/error.h"
#include "command/debug.h"
#include "command/family.h"

#include <inttypes.h>

/* Seconds since 1970 as Redis keeps them with each key. */
#define LRU_MASK 0xffffff

/* Nothing is shared and no place in memory is anyone's business, so those two are always the same.
 */
static int debug_object(struct call *c)
{
	const char *encoding = NULL;
	struct buf line = {0};
	uint64_t bytes = 0, idle_s = 0;
	struct record r;
	int rc = call_record(c, 2, &r);

	if (rc == OK && r.type == RECORD_NONE)
		return reply_error(c, "ERR no such key");
	if (rc == OK)
		rc = call_encoding(c, &r, &encoding);
	if (rc == OK)
		rc = call_idle_s(c, &r, &idle_s);
	if (rc == OK)
		rc = call_record_bytes(c, 2, &r, &bytes);
	if (rc != OK)
		return rc;
	buf_printf(&line,
		   "Value at:0x0 refcount:1 encoding:%s serializedlength:%" PRIu64 " lru:%" PRIu64
		   " lru_seconds_idle:%" PRIu64,
		   encoding, bytes, (c->txn->time_ms / 1000 - idle_s) & LRU_MASK, idle_s);
	resp_write_simple(c->reply, buf_slice(&line));
	buf_free(&line);
	return OK;
}

static const struct command object_command = {
	.name = "DEBUG",
	.arity = 3,
	.class = COMMAND_READ,
	.flags = COMMAND_FLAG_READONLY,
	.first_key = 2,
	.last_key = 2,
	.key_step = 1,
	.key_use = KEY_RO,
	.run = debug_object,
};

const struct command *debug_read(const struct slice *argv, size_t argc)
{
	return argc == 3 && argument_is(argv[1], "object") ? &object_command : NULL;
}
