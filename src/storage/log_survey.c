#include "storage/log_survey.h"

#include "base/check.h"
#include "base/mem.h"
#include "base/mutant.h"
#include "storage/log_scan.h"
#include "storage/log_terms.h"

#include <stdlib.h>
#include <string.h>

static int by_sequence(const void *a, const void *b)
{
	const struct survey_segment *x = a;
	const struct survey_segment *y = b;

	return (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

static void survey_names(struct log_survey *sv, const struct disk_names *names)
{
	for (size_t i = 0; i < names->count; i++) {
		uint64_t sequence;

		if (!log_segment_name_parse(names->names[i], &sequence))
			continue;
		MEM_GROW(sv->segments, sv->cap, sv->count + 1);
		sv->segments[sv->count++] = (struct survey_segment){.sequence = sequence};
	}
	if (sv->count > 0)
		qsort(sv->segments, sv->count, sizeof(*sv->segments), by_sequence);
}

static int scan_segment(const struct log_survey *sv, const struct survey_segment *s,
			struct log_scan *scan)
{
	int rc = log_scan_open(scan, sv->disk, log_path_segment(sv->dir, s->sequence).text,
			       sv->direct);

	if (rc == OK)
		scan->salt = log_segment_salt(sv->identity.member_id, s->sequence);
	return rc;
}

static int survey_header(struct log_survey *sv, struct survey_segment *s)
{
	struct log_scan scan;
	int rc = scan_segment(sv, s, &scan);

	if (rc != OK)
		return rc;
	s->file_bytes = scan.file_bytes;
	rc = log_scan_header(&scan, &s->header);
	s->header_ok = rc == OK && s->header.sequence == s->sequence;
	if (s->header_ok) {
		struct slice membership = s->header.membership;

		s->membership = mem_alloc(membership.len);
		if (membership.len > 0)
			memcpy(s->membership, membership.data, membership.len);
		s->header.membership = slice_of(s->membership, membership.len);
		s->first_known = true;
		s->first = s->header.first_index;
	}
	log_scan_close(&scan);
	return rc == ERR_CORRUPT ? OK : rc;
}

/* All headers that can be read name the same member and cluster. */
static int survey_identity(struct log_survey *sv, const struct log_identity *fallback)
{
	const struct log_segment_header *seen = NULL;

	sv->identity = *fallback;
	for (size_t i = 0; i < sv->count; i++) {
		const struct log_segment_header *h = &sv->segments[i].header;

		if (!sv->segments[i].header_ok)
			continue;
		if (seen && (h->member_id != seen->member_id || h->cluster_id != seen->cluster_id))
			return ERR_INVALID;
		seen = h;
		sv->identity = (struct log_identity){h->member_id, h->cluster_id};
	}
	return OK;
}

/* Behind a damaged header the first group, if it is where it usually is, tells the first index. */
static int survey_first_group(struct log_survey *sv, struct survey_segment *s)
{
	struct log_found_group found;
	struct log_scan scan;
	int rc = scan_segment(sv, s, &scan);

	if (rc != OK)
		return rc;
	rc = log_scan_group(&scan, DISK_BLOCK, &found);
	if (rc == OK && found.found != LOG_FOUND_NOTHING) {
		s->first_known = true;
		s->first = found.header.first_index;
	}
	log_scan_close(&scan);
	return rc;
}

/* How many segments have at most this sequence number. */
static size_t survey_upto(const struct log_survey *sv, uint64_t sequence)
{
	size_t n = 0;

	while (n < sv->count && sv->segments[n].sequence <= sequence)
		n++;
	return n;
}

/*
 * Position, counted from one, of the segment that goes before the one at `at`; 0: it is the first
 * of the log. Lowers `*limit` to what is known of a segment that is missing between them.
 */
static size_t survey_before(struct log_survey *sv, size_t at, uint64_t *limit)
{
	struct survey_segment *s = &sv->segments[at];
	size_t before = at;

	if (s->header_ok) {
		struct survey_segment *previous;

		before = survey_upto(sv, s->header.previous);
		if (before == 0)
			return 0; /* none, or released */
		previous = &sv->segments[before - 1];
		if (previous->sequence == s->header.previous) {
			previous->first_known = true;
			previous->first = s->header.previous_first;
			return before;
		}
		/* Segments leave in order: while there is a lower one, it was not released. */
		s->hole_before = true;
		*limit = MIN(*limit, s->header.previous_first);
	}
	while (before > 0 && sv->segments[before - 1].first_known &&
	       sv->segments[before - 1].first >= *limit)
		before--;
	return before;
}

/* From the newest segment back to the first, each ended by those after it. */
static void survey_chain(struct log_survey *sv)
{
	uint64_t limit = UINT64_MAX;

	for (size_t at = sv->count; at > 0; at = survey_before(sv, at - 1, &limit)) {
		struct survey_segment *s = &sv->segments[at - 1];

		s->in_chain = true;
		s->limit = MUTANT(log_skip_truncation) ? UINT64_MAX : limit;
		if (s->first_known)
			limit = s->first;
	}
}

static void damage_found(struct log_survey *sv, size_t at, uint64_t offset)
{
	const struct survey_segment *s = &sv->segments[at];

	sv->damaged = true;
	sv->damaged_at = at;
	sv->damage.from_index = sv->track.last_index + 1;
	sv->damage.segment = s->sequence;
	sv->damage.offset = offset;
	sv->damage.held = sv->track.last_index - sv->track.base_index;
}

/* An intact group is believed only if it goes on where the log stands. */
static bool group_follows(const struct log_survey *sv, const struct log_found_group *found,
			  uint64_t salt, uint64_t offset)
{
	uint64_t term = log_track_term(&sv->track, sv->track.last_index);
	size_t at = LOG_GROUP_SIZE;
	struct log_record r;

	if (found->found != LOG_FOUND_GROUP ||
	    found->header.first_index != sv->track.last_index + 1)
		return false;
	for (uint32_t i = 0; i < found->header.records; i++) {
		if (!log_record_decode(found->bytes, salt, offset, &at, &r))
			return false;
		if (r.type == LOG_RECORD_ENTRY && r.term < term)
			return false;
		term = r.type == LOG_RECORD_ENTRY ? r.term : term;
	}
	return true;
}

static void take_group(struct log_survey *sv, struct survey_segment *s,
		       const struct log_found_group *found, uint64_t salt, uint64_t offset)
{
	size_t at = LOG_GROUP_SIZE;
	struct log_record r;

	if (found->header.entries > 0)
		log_segment_add_place(s->segment, found->header.first_index, offset);
	for (uint32_t i = 0; i < found->header.records; i++) {
		if (!log_record_decode(found->bytes, salt, offset, &at, &r))
			return;
		if (r.type == LOG_RECORD_STATE)
			sv->state = r.state;
		else if (sv->track.last_index + 1 < s->limit)
			log_track_append(&sv->track, r.term, r.kind, r.payload);
	}
}

/*
 * The newest segment's groups end at `bad`. Damage, if what stands there was known durable by
 * any later group, by the header, or by the file's length; else an append that was cut short.
 */
static int survey_tail(struct log_survey *sv, size_t at, struct log_scan *scan, uint64_t bad)
{
	const struct survey_segment *s = &sv->segments[at];
	uint64_t durable = s->header.durable_upto;
	uint64_t end = bad;

	for (uint64_t offset = bad; offset < scan->file_bytes; offset += DISK_BLOCK) {
		struct log_found_group found;
		int rc = log_scan_group(scan, offset, &found);

		if (rc != OK)
			return rc;
		if (found.found == LOG_FOUND_NOTHING)
			continue;
		durable = MAX(durable, found.header.durable_upto);
		end = MAX(end, offset + log_blocks(found.header.length));
	}
	if (durable > bad || scan->file_bytes < s->header.capacity)
		damage_found(sv, at, bad);
	else
		sv->torn_bytes = end - bad;
	return OK;
}

static bool header_follows(const struct log_survey *sv, const struct survey_segment *s)
{
	return s->header_ok && !s->hole_before && s->first == sv->track.last_index + 1 &&
	       s->header.base_term == log_track_term(&sv->track, sv->track.last_index);
}

/* The segment that ends the one at `at`; NULL: it is the newest. */
static const struct survey_segment *survey_next(const struct log_survey *sv, size_t at,
						uint64_t *bytes)
{
	const struct survey_segment *next = NULL;

	*bytes = 0;
	for (size_t i = sv->count - 1; i > at; i--) {
		if (!sv->segments[i].in_chain)
			continue;
		next = &sv->segments[i];
		*bytes += next->file_bytes;
	}
	return next;
}

/* Whether the membership at the end of a segment is that of its header, or stands in it. */
static bool survey_knows_membership(const struct survey_segment *s,
				    const struct survey_segment *next)
{
	uint64_t index = next->header.membership_index;

	return index == s->header.membership_index || (index >= s->first && index < next->first);
}

/*
 * Nothing of its entries is needed for a start: the header of the segment behind it, which is
 * returned then, says what else is to be known. Of the memberships in it the last one counts,
 * since nothing that is settled is ever cut. NULL: all of it is to be read.
 */
static const struct log_segment_header *survey_may_wait(const struct log_survey *sv, size_t at)
{
	const struct survey_segment *s = &sv->segments[at];
	uint64_t behind;
	const struct survey_segment *next = survey_next(sv, at, &behind);

	if (!next || !next->header_ok || next->hole_before || behind < sv->read_bytes ||
	    next->first != s->limit || s->limit - 1 > sv->settled || s->limit <= s->first ||
	    s->file_bytes <= log_segment_header_bytes(s->header.membership.len) ||
	    !survey_knows_membership(s, next))
		return NULL;
	return &next->header;
}

/* Its terms are known, and so is what it has in memberships: the rest is read afterwards. */
static void survey_leave_unread(struct log_survey *sv, struct survey_segment *s,
				const struct log_segment_header *next)
{
	struct log_segment *segment = s->segment;

	log_segment_add_place(segment, s->first,
			      log_segment_header_bytes(s->header.membership.len));
	segment->unread = s->first;
	segment->end = s->limit;
	segment->bytes = segment->capacity = s->file_bytes / DISK_BLOCK * DISK_BLOCK;
	if (next->membership_index >= s->first)
		log_track_note(&sv->track, next->membership_index, next->membership);
}

/* Finds the terms of a segment that may wait; `*found` is false if all of it is to be read. */
static int survey_terms(struct log_survey *sv, const struct survey_segment *s,
			struct log_scan *scan, const struct log_segment_header *next, bool *found)
{
	int rc = log_terms_find(scan, log_segment_header_bytes(s->header.membership.len), s->limit,
				next->base_term, &sv->track, found);

	if (rc == OK && !*found)
		log_track_truncate(&sv->track, s->first);
	return rc;
}

static int survey_groups(struct log_survey *sv, size_t at, struct log_scan *scan)
{
	struct survey_segment *s = &sv->segments[at];
	uint64_t offset = log_segment_header_bytes(s->header.membership.len);
	int rc = OK;

	while (sv->track.last_index + 1 < s->limit) {
		struct log_found_group found;

		rc = log_scan_group(scan, offset, &found);
		if (rc != OK || !group_follows(sv, &found, scan->salt, offset))
			break;
		take_group(sv, s, &found, scan->salt, offset);
		offset += log_blocks(found.header.length);
	}
	s->segment->end = sv->track.last_index + 1;
	s->segment->bytes = offset;
	s->segment->capacity = MAX(scan->file_bytes / DISK_BLOCK * DISK_BLOCK, offset);
	if (rc != OK || sv->track.last_index + 1 >= s->limit)
		return rc;
	if (at + 1 < sv->count && !MUTANT(log_skip_truncation))
		damage_found(sv, at, offset);
	else
		rc = survey_tail(sv, at, scan, offset);
	return rc;
}

static int survey_read(struct log_survey *sv, size_t at, const struct log_segment_header *next)
{
	struct survey_segment *s = &sv->segments[at];
	struct log_scan scan;
	bool found = false;
	int rc = scan_segment(sv, s, &scan);

	if (rc != OK)
		return rc;
	if (next)
		rc = survey_terms(sv, s, &scan, next, &found);
	if (found)
		survey_leave_unread(sv, s, next);
	else if (rc == OK)
		rc = survey_groups(sv, at, &scan);
	log_scan_close(&scan);
	return rc;
}

static int survey_segment(struct log_survey *sv, size_t at)
{
	struct survey_segment *s = &sv->segments[at];
	const struct log_segment_header *next;

	if (MUTANT(log_skip_truncation) && s->first <= sv->track.last_index)
		return OK;
	if (!header_follows(sv, s)) {
		damage_found(sv, at, 0);
		return OK;
	}
	s->segment = log_segment_new(s->sequence, s->first);
	sv->state = (struct log_state){s->header.term, s->header.vote, s->header.flags};
	next = survey_may_wait(sv, at);
	if (!next || next->base_term != s->header.base_term)
		return survey_read(sv, at, next);
	log_track_extend(&sv->track, next->base_term, s->limit - 1);
	survey_leave_unread(sv, s, next);
	return OK;
}

static void trace_seen(struct log_survey *sv, uint64_t first, uint64_t end)
{
	struct log_damage *d = &sv->damage;

	if (d->to_index == UINT64_MAX && first >= d->from_index)
		d->to_index = first - 1;
	d->last_index = MAX(d->last_index, end - 1);
}

static void trace_group(struct log_survey *sv, const struct log_found_group *found, uint64_t salt,
			uint64_t offset)
{
	size_t at = LOG_GROUP_SIZE;
	struct log_record r;

	trace_seen(sv, found->header.first_index,
		   found->header.first_index + found->header.entries);
	for (uint32_t i = 0; i < found->header.records; i++) {
		if (log_record_decode(found->bytes, salt, offset, &at, &r) &&
		    r.type == LOG_RECORD_STATE)
			sv->state = r.state;
	}
}

/* What is left behind the damage tells how far the log reached, and the newest hard state. */
static int trace_segment(struct log_survey *sv, const struct survey_segment *s, uint64_t offset)
{
	struct log_scan scan;
	int rc = scan_segment(sv, s, &scan);

	if (rc != OK)
		return rc;
	if (offset == 0 && s->header_ok) {
		trace_seen(sv, s->first, s->first);
		sv->state = (struct log_state){s->header.term, s->header.vote, s->header.flags};
	}
	for (; offset < scan.file_bytes && rc == OK; offset += DISK_BLOCK) {
		struct log_found_group found;

		rc = log_scan_group(&scan, offset, &found);
		if (rc == OK && found.found == LOG_FOUND_GROUP)
			trace_group(sv, &found, scan.salt, offset);
	}
	log_scan_close(&scan);
	return rc;
}

static int survey_traces(struct log_survey *sv)
{
	struct log_damage *d = &sv->damage;
	uint64_t offset = d->offset;
	int rc = OK;

	d->to_index = UINT64_MAX;
	d->last_index = sv->track.last_index;
	for (size_t i = sv->damaged_at; i < sv->count && rc == OK; i++) {
		if (sv->segments[i].in_chain)
			rc = trace_segment(sv, &sv->segments[i], offset);
		offset = 0;
	}
	if (d->to_index == UINT64_MAX)
		d->to_index = d->from_index;
	d->last_index = MAX(d->last_index, d->to_index);
	return rc;
}

/* Where the log begins. With the first header damaged: empty, with the oldest membership known. */
static void survey_base(struct log_survey *sv, size_t front)
{
	const struct log_segment_header *h = &sv->segments[front].header;
	struct slice membership = {NULL, 0};

	if (sv->segments[front].header_ok) {
		log_track_reset(&sv->track, h->first_index - 1, h->base_term, h->membership_index,
				h->membership);
		return;
	}
	for (size_t i = sv->count; i > front; i--) {
		if (sv->segments[i - 1].header_ok)
			membership = sv->segments[i - 1].header.membership;
	}
	log_track_reset(&sv->track, 0, 0, 0, membership);
}

/*
 * Damage at `at` takes nothing that is needed if a later segment begins low enough: position of
 * the first such one, or `count`.
 */
static size_t survey_skip(const struct log_survey *sv, size_t at)
{
	for (size_t i = at; i < sv->count; i++) {
		const struct survey_segment *s = &sv->segments[i];

		/* The damaged one itself will do when only what is before it is missing. */
		if (s->in_chain && s->header_ok && (i > at || sv->damage.offset == 0) &&
		    i > sv->skipped && s->first - 1 <= sv->needed_above)
			return i;
	}
	return sv->count;
}

/* Forgets what was taken of the segments before `front`; the log begins there. */
static void survey_restart(struct log_survey *sv, size_t front)
{
	for (size_t i = 0; i < front; i++) {
		log_segment_free(sv->segments[i].segment);
		sv->segments[i].segment = NULL;
		sv->segments[i].in_chain = false;
	}
	sv->segments[front].hole_before = false;
	sv->skipped = front;
	sv->damaged = false;
	memset(&sv->damage, 0, sizeof(sv->damage));
}

static int survey_all(struct log_survey *sv)
{
	size_t front = 0;
	int rc = OK;

	while (!sv->segments[front].in_chain)
		front++;
	survey_base(sv, front);
	for (size_t i = front; i < sv->count && rc == OK && !sv->damaged; i++) {
		if (sv->segments[i].in_chain)
			rc = survey_segment(sv, i);
	}
	return rc;
}

int log_survey_run(struct log_survey *sv, struct disk *disk, const char *dir,
		   const struct disk_names *names, const struct log_options *options)
{
	int rc = OK;

	memset(sv, 0, sizeof(*sv));
	sv->disk = disk;
	sv->dir = dir;
	sv->direct = options->direct;
	sv->needed_above = options->needed_above;
	sv->settled = options->settled;
	sv->read_bytes = options->read_bytes;
	survey_names(sv, names);
	for (size_t i = 0; i < sv->count && rc == OK; i++)
		rc = survey_header(sv, &sv->segments[i]);
	if (rc == OK)
		rc = survey_identity(sv, &options->identity);
	for (size_t i = 0; i < sv->count && rc == OK; i++) {
		if (!sv->segments[i].header_ok)
			rc = survey_first_group(sv, &sv->segments[i]);
	}
	if (rc != OK || sv->count == 0)
		return rc;
	survey_chain(sv);
	rc = survey_all(sv);
	while (rc == OK && sv->damaged) {
		size_t front = survey_skip(sv, sv->damaged_at);

		if (front == sv->count)
			return survey_traces(sv);
		survey_restart(sv, front);
		rc = survey_all(sv);
	}
	return rc;
}

void log_survey_close(struct log_survey *sv)
{
	for (size_t i = 0; i < sv->count; i++) {
		mem_free(sv->segments[i].membership);
		log_segment_free(sv->segments[i].segment);
	}
	mem_free(sv->segments);
	log_track_close(&sv->track);
	memset(sv, 0, sizeof(*sv));
}
