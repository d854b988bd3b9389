/* Parts of strings. */

#include "base/compiler.h"
#include "base/error.h"
#include "command/family.h"

#include <string.h>

static int string_strlen(struct call *c)
{
	struct record r;
	int rc = call_string_record(c, 1, &r);

	return rc == OK ? reply_integer(c, (int64_t)r.size) : rc;
}

static int string_append(struct call *c)
{
	struct record r;
	struct slice value;
	struct buf grown = {0};
	int rc = call_string_record(c, 1, &r);

	if (rc == OK && r.type == RECORD_STRING)
		rc = call_string_fits(c, r.size + c->argv[2].len);
	if (rc == OK)
		rc = call_string(c, 1, &r, &value);
	if (rc != OK)
		return rc;
	(void)buf_reserve(&grown, value.len + c->argv[2].len);
	buf_append_slice(&grown, value);
	buf_append_slice(&grown, c->argv[2]);
	call_replace_string(c, 1, &r, buf_slice(&grown));
	reply_integer(c, (int64_t)grown.len);
	buf_free(&grown);
	return OK;
}

/* The bytes from `first` to `last`, both included; negative ones count from the end. */
static struct slice part_of(struct slice s, int64_t first, int64_t last)
{
	int64_t len = (int64_t)s.len;

	if (first < 0 && last < 0 && first > last)
		return (struct slice){NULL, 0};
	if (first < 0)
		first = MAX(first + len, 0);
	if (last < 0)
		last = MAX(last + len, 0);
	last = MIN(last, len - 1);
	if (first > last)
		return (struct slice){NULL, 0};
	return slice_of(s.data + first, (size_t)(last - first + 1));
}

static int string_getrange(struct call *c)
{
	struct record r;
	struct slice value;
	int64_t first, last;
	int rc = call_integer(c, 2, &first);

	if (rc == OK)
		rc = call_integer(c, 3, &last);
	if (rc == OK)
		rc = call_string(c, 1, &r, &value);
	if (rc == OK)
		resp_write_bulk(c->reply, part_of(value, first, last));
	return rc;
}

static int string_setrange(struct call *c)
{
	struct slice part = c->argv[3], value;
	struct record r;
	struct buf changed = {0};
	size_t end, len;
	int64_t offset;
	int rc = call_integer(c, 2, &offset);

	if (rc == OK && offset < 0)
		return reply_error(c, "ERR offset is out of range");
	if (rc == OK)
		rc = call_string_record(c, 1, &r);
	if (rc != OK)
		return rc;
	if (part.len == 0)
		return reply_integer(c, (int64_t)r.size);
	rc = call_string_fits(c, (uint64_t)offset + part.len);
	if (rc == OK)
		rc = call_string(c, 1, &r, &value);
	if (rc != OK)
		return rc;
	end = (size_t)offset + part.len;
	len = MAX(end, value.len);
	memset(buf_reserve(&changed, len), 0, len);
	buf_append_slice(&changed, value);
	memcpy(changed.data + offset, part.data, part.len);
	changed.len = len;
	call_replace_string(c, 1, &r, buf_slice(&changed));
	buf_free(&changed);
	return reply_integer(c, (int64_t)len);
}

#define GROWS (COMMAND_FLAG_WRITE | COMMAND_FLAG_DENYOOM)

static const struct command rows[] = {
	COMMAND_KEY_ROW("APPEND", 3, COMMAND_WRITE, GROWS | COMMAND_FLAG_FAST, 1, 1, 1,
			string_append),
	COMMAND_KEY_ROW("GETRANGE", 4, COMMAND_READ, COMMAND_FLAG_READONLY, 1, 1, 1,
			string_getrange),
	COMMAND_KEY_ROW("SETRANGE", 4, COMMAND_WRITE, GROWS, 1, 1, 1, string_setrange),
	COMMAND_KEY_ROW("STRLEN", 2, COMMAND_READ, COMMAND_FLAG_READONLY | COMMAND_FLAG_FAST, 1, 1,
			1, string_strlen),
	COMMAND_KEY_ROW("SUBSTR", 4, COMMAND_READ, COMMAND_FLAG_READONLY, 1, 1, 1, string_getrange),
};

const struct command_family string_part_family = COMMAND_FAMILY(rows);
