#ifndef CONCLAVE_CTL_PLAYGROUND_PLACE_H
#define CONCLAVE_CTL_PLAYGROUND_PLACE_H

/* Where a playground lives: its directory, its ports, its program. */

#include "ctl/arguments.h"

/*
 * The directory: the one that was named, made if it is not there, or a new one below TMPDIR.
 * `*path` is the caller's, absolute. ERR_UNAVAILABLE.
 */
MUST_USE int place_directory(const struct arguments *a, char **path, struct buf *problem);

/* How many members' directories are in it, n1 and those that follow without a gap. */
size_t place_members(const char *path);

/* Removes a directory with all that is in it. */
void place_remove(const char *path);

/* That nobody listens at the port. ERR_UNAVAILABLE: somebody does. */
MUST_USE int place_check_port(uint16_t port, struct buf *problem);

/*
 * The program of the members: the one that was named, or conclave-server beside this one. `*path`
 * is the caller's. ERR_UNAVAILABLE: it cannot be run.
 */
MUST_USE int place_server(const struct arguments *a, char **path, struct buf *problem);

/*
 * The environment for members: without what would be directives of theirs. The caller frees the
 * array, not what is in it.
 */
char **place_environment(const struct arguments *a);

#endif
