#ifndef CONCLAVE_STORAGE_LOG_SURVEY_H
#define CONCLAVE_STORAGE_LOG_SURVEY_H

/*
 * What the segments in a directory say, and what is to be believed of it: which of them make up
 * the log, where it ends, and whether that end is a torn tail or damage. Reads only. The rules
 * stand in docs/disk-format.md, "Opening".
 */

#include "storage/log_internal.h"

struct survey_segment {
	uint64_t sequence;
	uint64_t file_bytes;
	bool header_ok;
	struct log_segment_header header; /* its membership is `membership` */
	uint8_t *membership;
	bool first_known; /* from the header, or from a neighbour */
	uint64_t first;
	bool in_chain;
	bool hole_before;	     /* the segment before it is missing */
	uint64_t limit;		     /* a later segment ends it before this index */
	struct log_segment *segment; /* what it is worth once scanned; NULL when taken */
};

struct log_survey {
	struct disk *disk;
	const char *dir;
	bool direct;
	uint64_t needed_above;
	uint64_t settled;
	uint64_t read_bytes;
	struct survey_segment *segments; /* ascending */
	size_t count;
	size_t cap;
	struct log_identity identity;
	struct log_track track; /* the log that can be served */
	struct log_state state;
	uint64_t torn_bytes;
	size_t skipped; /* so many segments at the front were left out, some of them damaged */
	bool damaged;
	size_t damaged_at; /* position among `segments` */
	struct log_damage damage;
};

/*
 * Surveys the segments among `names`. log_survey_close() after success and failure. ERR_INVALID:
 * of different members; ERR_VERSION; ERR_IO.
 */
MUST_USE int log_survey_run(struct log_survey *sv, struct disk *disk, const char *dir,
			    const struct disk_names *names, const struct log_options *options);

void log_survey_close(struct log_survey *sv);

#endif
