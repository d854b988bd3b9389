#ifndef CONCLAVE_COMMAND_SECRET_H
#define CONCLAVE_COMMAND_SECRET_H

/* Which arguments are nobody's business: they stand in no record of what was asked. */

#include "command/command.h"

/* What stands in the place of one. */
#define SECRET_TEXT "(redacted)"

/* Whether argument `at` of this call is a secret. */
bool command_hides(const struct command *command, const struct slice *argv, size_t argc, size_t at);

#endif
