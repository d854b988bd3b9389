#ifndef CONCLAVE_SERVER_MEMBER_FILE_H
#define CONCLAVE_SERVER_MEMBER_FILE_H

/*
 * The file MEMBER in the data directory: whose data it is. The log has the member's id, too, but
 * may live elsewhere, on a disk that was not mounted, or that is another member's. With the wrong
 * log the data must not be opened: entries of one would be applied to the state of the other.
 */

#include "base/bytes.h"
#include "storage/disk.h"

/*
 * Before the log is opened: whether this directory belongs to a cluster with this token, and, if it
 * is a member's already, by the file or since it `has_state`, whether there is a log in `log_dir`;
 * `*id` is that member, or 0. ERR_INVALID, or as disk_read_small; `problem` says what is wrong and
 * what to do.
 */
MUST_USE int member_file_check(struct disk *disk, const char *dir, const char *log_dir,
			       const char *token, bool has_state, uint64_t *id,
			       struct buf *problem);

/*
 * When the log is open, which is this member's: whether the directory is, too; one that is nobody's
 * becomes so. Errors as above, and as disk_replace.
 */
MUST_USE int member_file_claim(struct disk *disk, const char *dir, const char *log_dir,
			       const char *token, uint64_t id, struct buf *problem);

#endif
