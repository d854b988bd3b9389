#ifndef CONCLAVE_SERVER_DATA_DIR_H
#define CONCLAVE_SERVER_DATA_DIR_H

/* The directories of one member: looked at before anything is written into them. */

#include "base/bytes.h"
#include "storage/disk.h"

/*
 * Makes the directory if it is missing. ERR_INVALID, `problem` says why and what to do: it cannot
 * be made, is none, or this process may not write there.
 */
MUST_USE int data_dir_prepare(struct disk *disk, const char *path, struct buf *problem);

/*
 * Locks a directory that is prepared for this process alone, until `lock` is closed. ERR_LOCKED:
 * another process works there; ERR_INVALID: what is in it is not a member's.
 */
MUST_USE int data_dir_lock(struct disk *disk, const char *path, struct disk_file **lock,
			   struct buf *problem);

#endif
