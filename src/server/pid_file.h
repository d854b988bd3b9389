#ifndef CONCLAVE_SERVER_PID_FILE_H
#define CONCLAVE_SERVER_PID_FILE_H

/* A file with the number of this process, for those who send it signals. */

#include "base/bytes.h"

/* Writes it, in place of an older one. ERR_UNAVAILABLE: `problem` says why. */
MUST_USE int pid_file_write(const char *path, struct buf *problem);

/* Takes it away; one that has another process' number stays. */
void pid_file_remove(const char *path);

#endif
