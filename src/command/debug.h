#ifndef CONCLAVE_COMMAND_DEBUG_H
#define CONCLAVE_COMMAND_DEBUG_H

/* What DEBUG says of the state. DEBUG itself is about the member, and needs no majority. */

#include "command/command.h"

/* The row that runs this request, a read; NULL: it is run by DEBUG's own. */
const struct command *debug_read(const struct slice *argv, size_t argc);

#endif
