#ifndef CONCLAVE_SERVER_LOG_FILE_H
#define CONCLAVE_SERVER_LOG_FILE_H

/*
 * The standard error as a file: what the logger writes, what a failed check says and the report of
 * a crash all come to the same place.
 */

#include "base/bytes.h"

/*
 * Opens or makes the file, and has the standard error write to its end; again after somebody else
 * has renamed it. ERR_UNAVAILABLE: `problem` says why; then everything stays as it was.
 */
MUST_USE int log_file_open(const char *path, struct buf *problem);

#endif
