#ifndef CONCLAVE_CTL_PLAYGROUND_H
#define CONCLAVE_CTL_PLAYGROUND_H

/*
 * A whole cluster in one terminal: it starts members on this machine, tells what becomes of them,
 * and kills, stops, pauses and starts them as it is told on its standard input. It ends with quit,
 * Ctrl-C or the end of the input, and with it all its members and, if it made one, their directory.
 */

#include "ctl/arguments.h"

/* ERR_UNAVAILABLE: `problem` says why it could not begin. */
MUST_USE int ctl_playground(const struct arguments *a, const char *const *words,
			    struct buf *problem);

#endif
