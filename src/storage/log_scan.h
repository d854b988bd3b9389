#ifndef CONCLAVE_STORAGE_LOG_SCAN_H
#define CONCLAVE_STORAGE_LOG_SCAN_H

/*
 * Looking at a segment file whose bytes nobody vouches for: its header, and what stands at any
 * block of it. Writes nothing; used at start-up and by the tool that prints a log.
 */

#include "storage/log_format.h"

struct log_scan {
	struct disk_file *file;
	uint64_t file_bytes;
	uint64_t salt; /* set by the caller before it looks at groups */
	size_t ahead;  /* so much is read at once for groups; the caller may lower it */
	uint8_t *window;
	size_t window_cap;
	uint64_t window_at;
	size_t window_len;
};

/* What stands at a block. */
enum log_found {
	LOG_FOUND_NOTHING, /* no valid group header */
	LOG_FOUND_TORN,	   /* a valid group header, but not all of its records */
	LOG_FOUND_GROUP,   /* an intact group */
};

struct log_found_group {
	enum log_found found;
	struct log_group_header header; /* unless LOG_FOUND_NOTHING */
	struct slice bytes;		/* those in use, as far as the file has them */
};

/* Opens the file to read it; on failure there is nothing to close. */
MUST_USE int log_scan_open(struct log_scan *scan, struct disk *disk, const char *path, bool direct);

void log_scan_close(struct log_scan *scan);

/*
 * Reads the segment's header; its membership is borrowed until the next call. ERR_CORRUPT: the
 * header is damaged; ERR_VERSION, ERR_IO.
 */
MUST_USE int log_scan_header(struct log_scan *scan, struct log_segment_header *h);

/* Says what stands at `offset`, a multiple of DISK_BLOCK; bytes are borrowed until the next call.
 */
MUST_USE int log_scan_group(struct log_scan *scan, uint64_t offset, struct log_found_group *out);

#endif
