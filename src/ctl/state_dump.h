#ifndef CONCLAVE_CTL_STATE_DUMP_H
#define CONCLAVE_CTL_STATE_DUMP_H

/*
 * Prints the state that an engine holds: position, records, and whether all of it fits together.
 * The digests that the position states are computed anew from the rows.
 */

#include "storage/disk.h"
#include "storage/engine.h"

#include <stdio.h>

/*
 * Dumps `e` to `out`, as text or as one JSON object a line; a last line sums up. Bytes of keys that
 * are not printable ASCII are escaped. ERR_CORRUPT: something does not fit, and the output says
 * what; ERR_VERSION, ERR_IO.
 */
MUST_USE int state_dump(struct engine *e, bool json, FILE *out);

/*
 * The same for the engine that lives in a member's directory; the member must not run. Opening it
 * does what every start does: it ends what was left half done. ERR_NOT_FOUND: there is no engine;
 * ERR_LOCKED: somebody works in that directory; otherwise as above.
 */
MUST_USE int state_dump_directory(struct disk *disk, const char *dir, bool json, FILE *out);

#endif
