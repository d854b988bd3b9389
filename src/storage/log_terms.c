#include "storage/log_terms.h"

/* What is no further away than this is found by reading on. */
#define NEAR_BYTES ((uint64_t)128 << 10)

/* Of most groups that are looked at little else is of use. */
#define AHEAD_BYTES ((size_t)64 << 10)

struct terms {
	struct log_scan *scan;
	struct log_track *track;
	uint64_t end;
	uint64_t offset; /* the group of the track's next entry */
	bool broken;	 /* what stands there is none that may follow */
};

/* A group somewhere in the segment. */
struct sight {
	uint64_t offset; /* 0: there is none */
	uint64_t index;	 /* of its first entry */
	uint64_t term;
};

static uint64_t terms_now(const struct terms *t)
{
	return log_track_term(t->track, t->track->last_index);
}

/* The first entry of an intact group. */
static bool group_first_entry(const struct terms *t, const struct log_found_group *found,
			      uint64_t offset, struct log_record *r)
{
	size_t at = LOG_GROUP_SIZE;

	for (uint32_t i = 0; i < found->header.records; i++) {
		if (!log_record_decode(found->bytes, t->scan->salt, offset, &at, r))
			return false;
		if (r->type == LOG_RECORD_ENTRY)
			return true;
	}
	return false;
}

/* The first intact group with entries from `offset` on, if one begins before `high`. */
static int terms_look(const struct terms *t, uint64_t offset, uint64_t high, struct sight *s)
{
	*s = (struct sight){0};
	for (; offset < high; offset += DISK_BLOCK) {
		struct log_found_group found;
		struct log_record r;
		int rc = log_scan_group(t->scan, offset, &found);

		if (rc != OK)
			return rc;
		if (found.found != LOG_FOUND_GROUP || !group_first_entry(t, &found, offset, &r))
			continue;
		*s = (struct sight){offset, found.header.first_index, r.term};
		return OK;
	}
	return OK;
}

/* Goes on where the last group begins that can be seen to begin with the present term. */
static int terms_halve(struct terms *t)
{
	uint64_t low = t->offset;
	uint64_t high = t->scan->file_bytes;

	while (high > low && high - low > NEAR_BYTES) {
		uint64_t middle = low + (high - low) / 2 / DISK_BLOCK * DISK_BLOCK;
		struct sight s;
		int rc = terms_look(t, middle, high, &s);

		if (rc != OK)
			return rc;
		if (s.offset == 0 || s.index >= t->end || s.term != terms_now(t)) {
			high = middle;
			continue;
		}
		low = t->offset = s.offset;
		if (s.index > t->track->last_index + 1)
			log_track_extend(t->track, s.term, s.index - 1);
	}
	return OK;
}

/* Takes the terms of one group. */
static int terms_take(struct terms *t)
{
	struct log_found_group found;
	size_t at = LOG_GROUP_SIZE;
	struct log_record r;
	int rc = log_scan_group(t->scan, t->offset, &found);

	if (rc != OK)
		return rc;
	t->broken = found.found != LOG_FOUND_GROUP ||
		    found.header.first_index != t->track->last_index + 1;
	for (uint32_t i = 0; !t->broken && i < found.header.records; i++) {
		t->broken = !log_record_decode(found.bytes, t->scan->salt, t->offset, &at, &r) ||
			    (r.type == LOG_RECORD_ENTRY &&
			     (r.term < terms_now(t) || t->track->last_index + 1 >= t->end));
		if (!t->broken && r.type == LOG_RECORD_ENTRY)
			log_track_extend(t->track, r.term, t->track->last_index + 1);
	}
	t->offset += log_blocks(found.header.length);
	return OK;
}

int log_terms_find(struct log_scan *scan, uint64_t offset, uint64_t end, uint64_t last_term,
		   struct log_track *track, bool *found)
{
	struct terms t = {.scan = scan, .track = track, .end = end, .offset = offset};
	uint64_t halved = 0; /* the newest term whose end was looked for */
	size_t ahead = scan->ahead;
	int rc = OK;

	scan->ahead = AHEAD_BYTES;
	while (rc == OK && !t.broken && terms_now(&t) != last_term) {
		rc = terms_take(&t);
		if (rc != OK || t.broken || terms_now(&t) == halved || terms_now(&t) == last_term)
			continue;
		halved = terms_now(&t);
		rc = terms_halve(&t);
	}
	scan->ahead = ahead;
	*found = rc == OK && !t.broken;
	if (*found && track->last_index + 1 < end)
		log_track_extend(track, last_term, end - 1);
	return rc;
}
