#ifndef CONCLAVE_STORAGE_LOG_SEGMENT_H
#define CONCLAVE_STORAGE_LOG_SEGMENT_H

/*
 * One segment in memory: which entries it holds and where their groups begin. That costs eight
 * bytes a group, and a group is at least a block: 2 MiB for 1 GiB of log, whatever the entries.
 */

#include "base/list.h"
#include "storage/log_format.h"

/* Names in the log's directory. */
#define LOG_LOCK_NAME	  "lock"
#define LOG_MARK_NAME	  "damage"
#define LOG_MARK_NEW_NAME "damage.new"
#define LOG_SPARE_PREFIX  "spare-"
#define LOG_SEGMENT_NAME  "%016" PRIx64 ".log"

#define LOG_DIR_MAX 3072

struct log_path {
	char text[LOG_DIR_MAX + 64];
};

/* "dir/name"; dir is shorter than LOG_DIR_MAX. */
struct log_path log_path(const char *dir, const char *name);
struct log_path log_path_segment(const char *dir, uint64_t sequence);
struct log_path log_path_spare(const char *dir, uint64_t number);

/* Whether `name` is a segment's, and its sequence number. */
bool log_segment_name_parse(const char *name, uint64_t *sequence);

/* Where the entries from `first` (counted from the segment's first) begin. */
struct log_place {
	uint32_t first;
	uint32_t block;
};

/*
 * Rules:
 * 1. first <= end: it holds the entries first ... end - 1.
 * 2. places ascend in both numbers; each is the group of at least one entry below `end`.
 * 3. bytes is a multiple of DISK_BLOCK and at most capacity.
 * 4. unread is 0 or among first ... end - 1. Places are known up to the group that it begins; of an
 *    unread segment bytes is the file's length.
 */
struct log_segment {
	struct list link; /* in the chain or among the released */
	uint64_t sequence;
	uint64_t first;
	uint64_t end;
	uint64_t unread; /* from here on no group was looked at yet; 0: all were */
	uint64_t bytes;	 /* in use: where the next group would go */
	uint64_t capacity;
	uint32_t pins;		/* reads under way */
	struct disk_file *file; /* open while it is written to */
	struct log_place *places;
	size_t place_count;
	size_t place_cap;
};

struct log_segment *log_segment_new(uint64_t sequence, uint64_t first);

/* Closes its file too, if it is open. */
void log_segment_free(struct log_segment *s);

/* A group at `offset` begins with entry `index`. */
void log_segment_add_place(struct log_segment *s, uint64_t index, uint64_t offset);

/* All groups before the one at `offset`, which begins with entry `index`, have been looked at. */
void log_segment_was_read(struct log_segment *s, uint64_t index, uint64_t offset);

/* Ends the segment before `first`; nothing if it ends there already. */
void log_segment_cut(struct log_segment *s, uint64_t first);

/* Offset of the group that holds `index`, and where the following group begins. */
void log_segment_find(const struct log_segment *s, uint64_t index, uint64_t *offset,
		      uint64_t *next_offset);

#endif
