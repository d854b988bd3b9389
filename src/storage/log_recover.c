#include "base/check.h"
#include "base/mem.h"
#include "base/mutant.h"
#include "storage/log_internal.h"
#include "storage/log_survey.h"

#include <inttypes.h>
#include <string.h>

#define SEGMENT_BYTES_MIN (16u << 10)
#define SEGMENT_BYTES_MAX (1u << 30)

static bool options_valid(const struct log_options *o)
{
	return o->dir && strlen(o->dir) < LOG_DIR_MAX && o->segment_bytes % DISK_BLOCK == 0 &&
	       o->segment_bytes >= SEGMENT_BYTES_MIN && o->segment_bytes <= SEGMENT_BYTES_MAX;
}

static struct log *log_new(struct disk *disk, const struct log_options *o)
{
	struct log *log = MEM_NEW(struct log);
	size_t dir_size = strlen(o->dir) + 1;
	size_t zeros = MIN((size_t)LOG_ZERO_BYTES, o->segment_bytes);

	log->disk = disk;
	log->logger = o->logger;
	log->dir = memcpy(mem_alloc(dir_size), o->dir, dir_size);
	log->segment_bytes = o->segment_bytes;
	log->max_bytes = o->max_bytes;
	log->held = UINT64_MAX;
	log->open_flags = o->direct ? DISK_DIRECT : 0;
	log->zeros = memset(mem_alloc_aligned(DISK_BLOCK, zeros), 0, zeros);
	log->append.mark_block = mem_alloc_aligned(DISK_BLOCK, DISK_BLOCK);
	list_init(&log->chain);
	list_init(&log->released);
	list_init(&log->reads);
	disk_plan_init(&log->append.plan, disk);
	disk_plan_init(&log->chore.plan, disk);
	return log;
}

/* Whatever is not a segment, the mark or the lock is left over from work that a crash ended. */
static int remove_leftovers(struct log *log, const struct disk_names *names)
{
	int rc = OK;

	for (size_t i = 0; i < names->count && rc == OK; i++) {
		const char *name = names->names[i];

		if (strncmp(name, LOG_SPARE_PREFIX, strlen(LOG_SPARE_PREFIX)) == 0 ||
		    strcmp(name, LOG_MARK_NEW_NAME) == 0)
			rc = disk_remove(log->disk, log_path(log->dir, name).text);
	}
	return rc;
}

static int read_mark(struct log *log, const struct disk_names *names, struct log_damage *damage)
{
	struct disk_file *file;
	size_t got = 0;
	bool there = false;
	int rc;

	for (size_t i = 0; i < names->count; i++)
		there = there || strcmp(names->names[i], LOG_MARK_NAME) == 0;
	if (!there)
		return OK;
	log->marked = log->mark_on_disk = true;
	rc = disk_open(log->disk, log_path(log->dir, LOG_MARK_NAME).text, DISK_READ_ONLY, &file);
	if (rc != OK)
		return rc;
	rc = disk_read(file, 0, log->append.mark_block, DISK_BLOCK, &got);
	disk_close(file);
	if (rc == OK)
		log_mark_decode(slice_of(log->append.mark_block, got), damage);
	return rc;
}

/* The mark is durable before anything that it speaks of is cut. */
static int mark_damage(struct log *log, const struct log_survey *sv, struct log_recovery *rec)
{
	const struct log_damage *d = &sv->damage;
	struct disk_plan *plan = &log->append.plan;

	LOG(log->logger, LOG_ERROR,
	    "log %s: damage in segment %" PRIu64 " at offset %" PRIu64 ": entries %" PRIu64
	    " to %" PRIu64 " cannot be read, traces reach to %" PRIu64 ", %" PRIu64
	    " entries before are held",
	    log->dir, d->segment, d->offset, d->from_index, d->to_index, d->last_index, d->held);
	if (MUTANT(log_no_mark_before_cut))
		return OK;
	rec->damage_found = true;
	rec->damage = *d;
	log_plan_mark(plan, &log->append.mark_file, log->dir, d, log->append.mark_block);
	log->marked = log->mark_on_disk = true;
	return disk_plan_run(plan);
}

/* Takes over the surveyed segments: those that hold the log, the others as released. */
static void adopt_segments(struct log *log, struct log_survey *sv)
{
	for (size_t i = 0; i < sv->count; i++) {
		struct survey_segment *s = &sv->segments[i];

		if (s->segment) {
			list_push_back(&log->chain, &s->segment->link);
		} else {
			s->segment = log_segment_new(s->sequence, s->first);
			s->segment->capacity = s->file_bytes;
			log_segment_release(log, s->segment);
		}
		s->segment = NULL;
		log->next_sequence = s->sequence + 1;
	}
	log->identity = sv->identity;
	log->state = sv->state;
	log->track = sv->track;
	memset(&sv->track, 0, sizeof(sv->track));
}

/*
 * The process that wrote the newest segment may have died before it synced it, the machine still
 * running: what was read of it counts as durable from here on, so it has to be.
 */
static int sync_newest(struct log *log)
{
	struct disk_file *file;
	int rc;

	if (list_empty(&log->chain))
		return OK;
	rc = disk_open(log->disk, log_path_segment(log->dir, log_active(log)->sequence).text, 0,
		       &file);
	if (rc != OK)
		return rc;
	rc = disk_sync(file);
	disk_close(file);
	return rc;
}

/*
 * Always a new segment: what a crash left behind the end of the old one stays where it is, and
 * never mixes with what is written from now on.
 */
static int begin_writing(struct log *log)
{
	int rc;

	log->pending.first = log->track.last_index + 1;
	log->durable_index = log->track.last_index;
	if (MUTANT(log_write_over_cut_tail) && !list_empty(&log->chain))
		return disk_open(log->disk,
				 log_path_segment(log->dir, log_active(log)->sequence).text,
				 log->open_flags, &log_active(log)->file);
	log_append_prepare(log, true);
	rc = disk_plan_run(&log->append.plan);
	if (rc == OK)
		log_append_apply(log);
	return rc;
}

static void create(struct log *log, const struct log_options *o)
{
	log->identity = o->identity;
	log->state = o->state;
	log->next_sequence = 1;
	log_track_reset(&log->track, 0, 0, 0, o->membership);
}

static int open_segments(struct log *log, const struct log_options *o,
			 const struct disk_names *names, struct log_recovery *rec)
{
	struct log_options options = *o;
	struct log_survey sv;
	int rc;

	if (log->marked)
		options.settled = 0;
	rc = log_survey_run(&sv, log->disk, log->dir, names, &options);

	if (rc == ERR_INVALID)
		LOG(log->logger, LOG_ERROR,
		    "log %s: segments of different members in one directory", log->dir);
	if (rc == OK && sv.skipped > 0)
		LOG(log->logger, LOG_WARNING,
		    "log %s: damage in segments before %" PRIu64 ", whose entries are not needed",
		    log->dir, sv.segments[sv.skipped].sequence);
	if (rc == OK && sv.damaged)
		rc = mark_damage(log, &sv, rec);
	rec->created = sv.count == 0;
	rec->torn_bytes = sv.torn_bytes;
	if (rc == OK && rec->created)
		create(log, o);
	else if (rc == OK)
		adopt_segments(log, &sv);
	log_survey_close(&sv);
	return rc;
}

static struct log_membership recovered_membership(const struct log_membership *from)
{
	struct log_membership m = {.index = from->index, .len = from->len};

	m.data = mem_alloc(from->len);
	if (from->len > 0)
		memcpy(m.data, from->data, from->len);
	return m;
}

static void report(const struct log *log, struct log_recovery *rec)
{
	const struct log_track *t = &log->track;

	rec->identity = log->identity;
	rec->state = log->state;
	rec->base_index = t->base_index;
	rec->base_term = t->base_term;
	rec->base_membership = recovered_membership(&t->base);
	rec->last_index = t->last_index;
	rec->run_count = t->run_count;
	rec->runs = mem_zalloc(t->run_count, sizeof(*rec->runs));
	if (t->run_count > 0)
		memcpy(rec->runs, t->runs, t->run_count * sizeof(*rec->runs));
	if (!MUTANT(log_membership_from_header_only))
		rec->membership_count = t->membership_count;
	rec->memberships = mem_zalloc(t->membership_count, sizeof(*rec->memberships));
	for (size_t i = 0; i < rec->membership_count; i++)
		rec->memberships[i] = recovered_membership(&t->memberships[i]);
	rec->marked = log->marked;
	if (rec->torn_bytes > 0)
		LOG(log->logger, LOG_NOTICE,
		    "log %s: %" PRIu64
		    " bytes of an unfinished append were cut off behind entry %" PRIu64,
		    log->dir, rec->torn_bytes, t->last_index);
}

static int log_open_locked(struct log *log, const struct log_options *o, struct log_recovery *rec)
{
	struct disk_names names = {0};
	int rc = disk_list(log->disk, log->dir, &names);

	if (rc == OK)
		rc = read_mark(log, &names, &rec->damage);
	if (rc == OK)
		rc = remove_leftovers(log, &names);
	if (rc == OK)
		rc = open_segments(log, o, &names, rec);
	disk_names_free(&names);
	if (rc == OK)
		rc = sync_newest(log);
	if (rc == OK)
		rc = begin_writing(log);
	return rc;
}

int log_open(struct log **out, struct disk *disk, const struct log_options *options,
	     struct log_recovery *rec)
{
	struct log *log;
	int rc;

	if (!options_valid(options))
		return ERR_INVALID;
	memset(rec, 0, sizeof(*rec));
	log = log_new(disk, options);
	rc = disk_make_directory(disk, log->dir);
	if (rc == OK)
		rc = disk_lock(disk, log_path(log->dir, LOG_LOCK_NAME).text, &log->lock);
	if (rc == OK)
		rc = log_open_locked(log, options, rec);
	if (rc != OK) {
		LOG(options->logger, LOG_ERROR, "log %s cannot be opened: %s", options->dir,
		    error_text(rc));
		log_close(log);
		return rc;
	}
	report(log, rec);
	*out = log;
	return OK;
}

void log_recovery_free(struct log_recovery *rec)
{
	for (size_t i = 0; i < rec->membership_count; i++)
		mem_free(rec->memberships[i].data);
	mem_free(rec->memberships);
	mem_free(rec->base_membership.data);
	mem_free(rec->runs);
	memset(rec, 0, sizeof(*rec));
}
