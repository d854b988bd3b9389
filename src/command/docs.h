#ifndef CONCLAVE_COMMAND_DOCS_H
#define CONCLAVE_COMMAND_DOCS_H

/* Inside command only: what COMMAND DOCS says of one command. */

#include "command/command.h"

/* A map, with one for each subcommand in it. */
void command_write_docs(struct resp_writer *w, const struct command *c);

#endif
