#ifndef CONCLAVE_COMMAND_MONITOR_H
#define CONCLAVE_COMMAND_MONITOR_H

/* What MONITOR shows of a request. */

#include "command/command.h"

/* Whether it is shown: what administrators say is not. */
static inline bool monitor_shows(const struct command *command)
{
	return !(command->flags & (COMMAND_FLAG_ADMIN | COMMAND_FLAG_SKIP_MONITOR));
}

/*
 * Appends its line, end and all: when and from where it came, database and arguments in quotes,
 * secrets hidden. Of the call, command, arguments and database count.
 */
void monitor_line(struct buf *out, const struct call *c, uint64_t wall_ms, struct slice address);

#endif
