#ifndef CONCLAVE_CTL_LOG_DUMP_H
#define CONCLAVE_CTL_LOG_DUMP_H

/*
 * Prints the segments of a log's directory, byte for byte what stands there: for a person looking
 * at a damaged or a running member. Takes no lock and writes nothing.
 */

#include "storage/disk.h"

#include <stdio.h>

/*
 * Dumps the log in `dir` to `out`, as text or as one JSON object a line. What cannot be read is
 * said in the output. ERR_NOT_FOUND: no such directory, or no segments in it; ERR_IO.
 */
MUST_USE int log_dump(struct disk *disk, const char *dir, bool json, FILE *out);

#endif
