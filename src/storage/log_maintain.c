#include "base/check.h"
#include "base/mem.h"
#include "storage/log_internal.h"

/*
 * Housekeeping, one piece at a time. It touches files that are not part of the log: spares, and
 * segments that were released; and cuts off what was never used of sealed ones.
 */

static void chore_recycle(struct log *log, struct log_segment *s)
{
	struct log_chore *c = &log->chore;
	struct log_path spare = log_path_spare(log->dir, ++log->spares.last_number);

	c->gone = s;
	c->spare = log->spares.last_number;
	disk_plan_rename(&c->plan, log_path_segment(log->dir, s->sequence).text, spare.text);
	disk_plan_sync_directory(&c->plan, log->dir);
	disk_plan_open(&c->plan, spare.text, log->open_flags, &c->file);
}

static void chore_remove(struct log *log, struct log_segment *s)
{
	struct log_chore *c = &log->chore;

	c->gone = s;
	disk_plan_remove(&c->plan, log_path_segment(log->dir, s->sequence).text);
	disk_plan_sync_directory(&c->plan, log->dir);
}

/* While the damage mark stands released segments are evidence, up to max_bytes of them. */
static bool released_is_kept(const struct log *log)
{
	uint64_t bytes = 0;

	if (!log->marked && !log->mark_on_disk)
		return false;
	list_for_each (it, &log->released)
		bytes += LIST_ITEM(it, struct log_segment, link)->capacity;
	return bytes <= log->max_bytes;
}

/*
 * Only the lowest-numbered one, and only after the one before is durably gone: so a segment that
 * is missing while a lower one is there was lost, not released.
 */
static bool chore_for_released(struct log *log)
{
	struct log_segment *s;

	if (list_empty(&log->released) || released_is_kept(log))
		return false;
	s = LIST_ITEM(log->released.next, struct log_segment, link);
	if (s->pins > 0)
		return false;
	if (log->spares.count < LOG_SPARES && s->capacity == log->segment_bytes)
		chore_recycle(log, s);
	else
		chore_remove(log, s);
	return true;
}

static bool chore_for_spare(struct log *log)
{
	struct log_chore *c = &log->chore;
	struct log_path path;
	size_t step = MIN((size_t)LOG_ZERO_BYTES, log->segment_bytes);

	if (log->spares.litter > 0) {
		path = log_path_spare(log->dir, log->spares.litter);
		log->spares.litter = 0;
		disk_plan_remove(&c->plan, path.text);
		return true;
	}
	if (log->spares.count > 0 || log->spares.refused)
		return false;
	c->spare = ++log->spares.last_number;
	path = log_path_spare(log->dir, c->spare);
	disk_plan_open(&c->plan, path.text, DISK_CREATE | log->open_flags, &c->file);
	disk_plan_preallocate(&c->plan, &c->file, log->segment_bytes);
	for (size_t at = 0; at < log->segment_bytes; at += step)
		disk_plan_write(&c->plan, &c->file, at, log->zeros,
				MIN(step, log->segment_bytes - at));
	disk_plan_sync(&c->plan, &c->file);
	return true;
}

/* A segment that ended early, at a restart or a truncation, keeps only what it uses. */
static bool chore_for_sealed(struct log *log)
{
	struct log_chore *c = &log->chore;

	if (log->marked || log->mark_on_disk)
		return false;
	list_for_each (it, &log->chain) {
		struct log_segment *s = LIST_ITEM(it, struct log_segment, link);

		if (s == log_active(log) || s->capacity - s->bytes < log->segment_bytes / 4)
			continue;
		c->shrunk = s;
		s->pins++;
		disk_plan_open(&c->plan, log_path_segment(log->dir, s->sequence).text, 0, &c->file);
		disk_plan_truncate(&c->plan, &c->file, s->bytes);
		disk_plan_close_file(&c->plan, &c->file);
		return true;
	}
	return false;
}

struct job *log_maintain(struct log *log)
{
	struct log_chore *c = &log->chore;

	if (log->status != OK || c->busy)
		return NULL;
	disk_plan_clear(&c->plan);
	if (!chore_for_released(log) && !chore_for_spare(log) && !chore_for_sealed(log))
		return NULL;
	c->busy = true;
	return &c->plan.job;
}

static void chore_apply(struct log *log)
{
	struct log_chore *c = &log->chore;

	log_segment_free(c->gone);
	c->gone = NULL;
	if (c->spare > 0) {
		log->spares.ready[log->spares.count].file = c->file;
		log->spares.ready[log->spares.count].number = c->spare;
		log->spares.count++;
		c->file = NULL;
		c->spare = 0;
	}
	if (c->shrunk)
		c->shrunk->capacity = c->shrunk->bytes;
}

/* What could not be finished for want of space is removed by the next piece of housekeeping. */
static void chore_give_up(struct log *log)
{
	struct log_chore *c = &log->chore;

	disk_close(c->file);
	c->file = NULL;
	log->spares.litter = c->spare;
	log->spares.refused = true;
	c->spare = 0;
}

int log_maintain_complete(struct log *log)
{
	struct log_chore *c = &log->chore;
	int rc = c->plan.error;

	CHECK(c->busy);
	c->busy = false;
	if (log->status != OK)
		return ERR_STOPPED;
	if (rc == OK)
		chore_apply(log);
	else if (rc == ERR_NO_SPACE && c->spare > 0 && !c->gone)
		chore_give_up(log);
	else
		log_stop(log, rc, "housekeeping");
	if (c->shrunk)
		c->shrunk->pins--;
	c->shrunk = NULL;
	return rc;
}

void log_chore_close(struct log *log)
{
	disk_close(log->chore.file);
	disk_plan_close(&log->chore.plan);
}
