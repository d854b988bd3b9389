/* MONITOR, and the lines that it shows. */

#include "command/monitor.h"

#include "base/error.h"
#include "command/desk.h"
#include "command/family.h"
#include "command/secret.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

static void append_byte(struct buf *out, uint8_t byte)
{
	static const char named[] = "\\\"\n\r\t\a\b", names[] = "\\\"nrtab";
	const char *at = byte ? strchr(named, byte) : NULL;

	if (at)
		buf_printf(out, "\\%c", names[at - named]);
	else if (byte < 0x80 && isprint(byte))
		buf_append_byte(out, byte);
	else
		buf_printf(out, "\\x%02x", byte);
}

static void append_quoted(struct buf *out, struct slice text)
{
	buf_append_slice(out, SLICE_LITERAL(" \""));
	for (size_t i = 0; i < text.len; i++)
		append_byte(out, text.data[i]);
	buf_append_byte(out, '"');
}

void monitor_line(struct buf *out, const struct call *c, uint64_t wall_ms, struct slice address)
{
	buf_printf(out, "+%" PRIu64 ".%03" PRIu64 "000 [%u %.*s]", wall_ms / 1000, wall_ms % 1000,
		   c->database, (int)address.len, (const char *)address.data);
	for (size_t i = 0; i < c->argc; i++)
		append_quoted(out, command_hides(c->command, c->argv, c->argc, i)
					   ? SLICE_LITERAL(SECRET_TEXT)
					   : c->argv[i]);
	buf_append_slice(out, SLICE_LITERAL("\r\n"));
}

static int monitor_run(struct call *c)
{
	if (!c->members)
		return reply_error(c, "ERR MONITOR isn't allowed for DENY BLOCKING client");
	c->desk->monitor(c->desk->self);
	return reply_ok(c);
}

static const struct command rows[] = {
	COMMAND_ROW("MONITOR", 1, COMMAND_LOCAL,
		    COMMAND_FLAG_ADMIN | COMMAND_FLAG_NOSCRIPT | COMMAND_FLAG_LOADING |
			    COMMAND_FLAG_STALE,
		    monitor_run,
		    COMMAND_DOC(GROUP_SERVER, "1.0.0", "O(1)", "",
				"Shows every request that comes to this member")),
};

const struct command_family monitor_family = COMMAND_FAMILY(rows);
