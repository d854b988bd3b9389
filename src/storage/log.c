#include "storage/log.h"

#include "base/check.h"
#include "base/mem.h"
#include "base/mutant.h"
#include "storage/log_internal.h"

#include <inttypes.h>
#include <string.h>

void log_stop(struct log *log, int error, const char *what)
{
	log->status = ERR_STOPPED;
	LOG(log->logger, LOG_ERROR, "log %s: %s failed: %s; nothing more is written", log->dir,
	    what, error_text(error));
}

int log_status(const struct log *log)
{
	return log->status;
}

uint64_t log_durable_index(const struct log *log)
{
	return log->durable_index;
}

uint64_t log_durable_ticket(const struct log *log)
{
	return log->durable_ticket;
}

uint64_t log_base_index(const struct log *log)
{
	return log->track.base_index;
}

uint64_t log_unread(const struct log *log)
{
	list_for_each (it, &log->chain) {
		const struct log_segment *s = LIST_ITEM(it, struct log_segment, link);

		if (s->unread)
			return s->unread;
	}
	return 0;
}

uint64_t log_last_index(const struct log *log)
{
	return log->track.last_index;
}

bool log_marked(const struct log *log)
{
	return log->marked;
}

void log_pending_truncate(struct log *log, uint64_t first)
{
	struct log_pending *p = &log->pending;

	while (p->count > 0 && p->first + p->count > first) {
		p->count--;
		blob_release(p->entries[p->head + p->count].blob);
	}
	if (first < p->first) {
		p->first = first;
		p->cut = true;
	}
}

static void add_reset(struct log *log, const struct log_reset *reset)
{
	struct log_pending *p = &log->pending;

	log_pending_truncate(log, p->first);
	log_reads_truncate(log, 0);
	log_track_reset(&log->track, reset->base_index, reset->base_term, reset->base_index,
			reset->membership);
	log->durable_index = MIN(log->durable_index, reset->base_index);
	p->first = reset->base_index + 1;
	p->cut = true;
	p->reset = true;
}

static void add_truncation(struct log *log, uint64_t first)
{
	if (first > log->track.last_index)
		return;
	log_track_truncate(&log->track, first);
	log_pending_truncate(log, first);
	log_reads_truncate(log, first);
	log->durable_index = MIN(log->durable_index, first - 1);
}

static void add_entry(struct log *log, const struct entry *e)
{
	struct log_pending *p = &log->pending;

	if (p->head > 0 && p->head + p->count == p->cap) {
		memmove(p->entries, p->entries + p->head, p->count * sizeof(*p->entries));
		p->head = 0;
	}
	MEM_GROW(p->entries, p->cap, p->head + p->count + 1);
	p->entries[p->head + p->count] = *e;
	blob_hold(e->blob);
	p->count++;
	log_track_append(&log->track, e->term, e->kind, entry_payload(e));
}

static void add_mark(struct log *log, const struct log_damage *damage)
{
	log->marked = true;
	log->pending.mark = true;
	log->pending.clear_mark = false;
	log->pending.damage = *damage;
}

static void add_clear_mark(struct log *log)
{
	log->marked = false;
	log->pending.mark = false;
	log->pending.clear_mark = true;
}

uint64_t log_add(struct log *log, const struct log_batch *batch)
{
	uint64_t first = batch->first_index;

	if (log->status != OK)
		return ++log->pending.ticket;
	if (batch->mark)
		add_mark(log, batch->mark);
	if (batch->reset)
		add_reset(log, batch->reset);
	CHECK(first > 0 || batch->count == 0);
	if (first > 0) {
		CHECK(first > log->track.base_index && first <= log->track.last_index + 1);
		add_truncation(log, first);
	}
	for (size_t i = 0; i < batch->count; i++)
		add_entry(log, &batch->entries[i]);
	if (batch->state) {
		log->state = *batch->state;
		log->pending.state = true;
	}
	if (batch->clear_mark)
		add_clear_mark(log);
	return ++log->pending.ticket;
}

bool log_idle_cover(struct log *log)
{
	struct log_pending *p = &log->pending;

	if (log->status != OK || log->append.busy || !log->uncovered)
		return false;
	if (p->count > 0 || p->cut || p->state || p->mark || p->clear_mark)
		return false;
	p->cover = true;
	return true;
}

void log_segment_release(struct log *log, struct log_segment *s)
{
	struct list *before = log->released.prev;

	while (before != &log->released &&
	       LIST_ITEM(before, struct log_segment, link)->sequence > s->sequence)
		before = before->prev;
	list_remove(&s->link);
	list_push_front(before, &s->link);
}

void log_hold(struct log *log, uint64_t index)
{
	log->held = index;
}

/* Whether so many bytes without this segment, the oldest, are too few. */
static bool log_keeps(const struct log *log, const struct log_segment *s, uint64_t bytes)
{
	if (log->held < UINT64_MAX && s->end > log->held + 1 && bytes / LOG_HELD < log->max_bytes)
		return true;
	return bytes < log->max_bytes;
}

static void log_release_oldest(struct log *log)
{
	struct log_segment *s = LIST_ITEM(log->chain.next, struct log_segment, link);

	log_track_release(&log->track, s->end - 1);
	log_segment_release(log, s);
	log->spares.refused = false;
}

void log_release(struct log *log, uint64_t upto)
{
	uint64_t bytes = 0;

	if (log->pending.reset || log->append.reset)
		return; /* all that is on disk goes anyway */
	list_for_each (it, &log->chain)
		bytes += LIST_ITEM(it, struct log_segment, link)->bytes;
	if (MUTANT(log_release_too_much))
		upto = log->durable_index;
	for (;;) {
		struct log_segment *s = LIST_ITEM(log->chain.next, struct log_segment, link);

		if (s == log_active(log) || s->end > upto + 1 ||
		    log_keeps(log, s, bytes - s->bytes))
			break;
		bytes -= s->bytes;
		log_release_oldest(log);
	}
}

bool log_let_go(struct log *log, uint64_t index, uint64_t upto)
{
	struct list *it = log->chain.next;

	if (log->pending.reset || log->append.reset || index <= log_base_index(log))
		return true;
	while (it != &log->chain && LIST_ITEM(it, struct log_segment, link)->end <= index)
		it = it->next;
	if (it == &log->chain || it == &log_active(log)->link)
		return false;
	if (LIST_ITEM(it, struct log_segment, link)->end > upto + 1)
		return false;
	while (log_base_index(log) < index)
		log_release_oldest(log);
	return true;
}

void log_set_max_bytes(struct log *log, uint64_t max_bytes)
{
	log->max_bytes = max_bytes;
}

uint64_t log_bytes_written(const struct log *log)
{
	return log->stats.bytes_written;
}

struct log_stats log_stats(const struct log *log)
{
	struct log_stats stats = log->stats;

	list_for_each (it, &log->chain) {
		const struct log_segment *s = LIST_ITEM(it, struct log_segment, link);

		stats.segments++;
		stats.bytes += s->bytes;
		stats.index_memory += sizeof(*s) + s->place_cap * sizeof(*s->places);
	}
	list_for_each (it, &log->released)
		stats.waiting++;
	return stats;
}

static void segments_free(struct list *list)
{
	struct list *it;

	while ((it = list_pop_front(list)) != NULL)
		log_segment_free(LIST_ITEM(it, struct log_segment, link));
}

void log_close(struct log *log)
{
	log_reads_detach(log);
	log_pending_truncate(log, log->pending.first);
	mem_free(log->pending.entries);
	log_segment_free(log->append.fresh);
	disk_close(log->append.mark_file);
	mem_free(log->append.mark_block);
	mem_free(log->append.staging);
	disk_plan_close(&log->append.plan);
	log_chore_close(log);
	while (log->spares.count > 0)
		disk_close(log->spares.ready[--log->spares.count].file);
	segments_free(&log->chain);
	segments_free(&log->released);
	log_track_close(&log->track);
	disk_close(log->lock);
	mem_free(log->zeros);
	mem_free(log->dir);
	mem_free(log);
}

static const char *chain_broken(const struct log *log)
{
	const struct log_segment *before = NULL;

	if (list_empty(&log->chain))
		return "no segments";
	list_for_each (it, &log->chain) {
		const struct log_segment *s = LIST_ITEM(it, struct log_segment, link);

		if (s->end < s->first || s->bytes > s->capacity || s->bytes % DISK_BLOCK != 0)
			return "a segment's bounds are wrong";
		if (s->unread && (s->unread < s->first || s->unread >= s->end))
			return "what is unread lies outside of its segment";
		if (before && (before->sequence >= s->sequence || before->end != s->first))
			return "segments do not follow each other";
		before = s;
	}
	return NULL;
}

const char *log_broken(const struct log *log)
{
	const struct log_pending *p = &log->pending;
	const char *broken = log_track_broken(&log->track);

	if (broken)
		return broken;
	if (p->first + p->count != log->track.last_index + 1)
		return "what waits does not end the log";
	if (p->reset && !p->cut)
		return "a reset without a cut";
	if (log->durable_index > log->track.last_index)
		return "durable beyond the end";
	return chain_broken(log);
}
