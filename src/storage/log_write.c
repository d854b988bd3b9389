#include "base/check.h"
#include "base/mem.h"
#include "base/mutant.h"
#include "storage/log_internal.h"

#include <string.h>

/* Room for `extra` more bytes of staging; what is staged may move. */
static uint8_t *staging_reserve(struct log_append *a, size_t extra)
{
	size_t need = a->staging_len + extra;
	size_t cap = MAX(a->staging_cap, (size_t)DISK_BLOCK);
	uint8_t *grown;

	if (need > a->staging_cap) {
		while (cap < need)
			cap *= 2;
		grown = mem_alloc_aligned(DISK_BLOCK, cap);
		if (a->staging_len > 0)
			memcpy(grown, a->staging, a->staging_len);
		mem_free(a->staging);
		a->staging = grown;
		a->staging_cap = cap;
	}
	return a->staging + a->staging_len;
}

static uint64_t entry_record_bytes(const struct entry *e)
{
	return log_record_bytes(LOG_ENTRY_SIZE + (uint64_t)e->len);
}

/* Blocks that the next group takes at the least. */
static uint64_t group_least(const struct log_pending *p)
{
	uint64_t bytes = LOG_GROUP_SIZE;

	if (p->state)
		bytes += log_record_bytes(LOG_STATE_SIZE);
	if (p->count > 0)
		bytes += entry_record_bytes(&p->entries[p->head]);
	return log_blocks(bytes);
}

static void encode_next_entry(struct log *log, struct log_segment *s, uint64_t salt,
			      uint64_t record_offset)
{
	struct log_append *a = &log->append;
	struct log_pending *p = &log->pending;
	struct entry *e = &p->entries[p->head];
	uint64_t bytes = entry_record_bytes(e);

	log_record_encode_entry(e, salt, record_offset, staging_reserve(a, bytes));
	a->staging_len += bytes;
	blob_release(e->blob);
	p->count--;
	p->head = p->count > 0 ? p->head + 1 : 0;
	s->end = ++p->first;
}

/* One group at `s->bytes`: the hard state if it waits, and as many entries as fit. */
static void encode_group(struct log *log, struct log_segment *s, uint64_t durable_upto)
{
	struct log_append *a = &log->append;
	struct log_pending *p = &log->pending;
	uint64_t salt = log_segment_salt(log->identity.member_id, s->sequence);
	struct log_group_header g = {.durable_upto = durable_upto, .first_index = p->first};
	size_t begin = a->staging_len;
	uint64_t used = LOG_GROUP_SIZE;
	uint64_t whole;

	staging_reserve(a, LOG_GROUP_SIZE);
	a->staging_len += LOG_GROUP_SIZE;
	if (p->state) {
		used += log_record_bytes(LOG_STATE_SIZE);
		log_record_encode_state(&log->state, salt, s->bytes + LOG_GROUP_SIZE,
					staging_reserve(a, used - LOG_GROUP_SIZE));
		a->staging_len += used - LOG_GROUP_SIZE;
		p->state = false;
		g.records++;
	}
	while (p->count > 0) {
		uint64_t next = used + entry_record_bytes(&p->entries[p->head]);

		if (s->bytes + log_blocks(next) > s->capacity ||
		    (g.entries > 0 && next > LOG_GROUP_BYTES))
			break;
		encode_next_entry(log, s, salt, s->bytes + used);
		used = next;
		g.entries++;
		g.records++;
	}
	whole = log_blocks(used);
	memset(staging_reserve(a, whole - used), 0, whole - used);
	a->staging_len += whole - used;
	g.length = (uint32_t)used;
	log_group_encode(&g, salt, s->bytes, a->staging + begin);
	if (g.entries > 0)
		log_segment_add_place(s, g.first_index, s->bytes);
	s->bytes += whole;
}

/* All groups that this job takes; at least one when there is anything to say. */
static void encode_groups(struct log *log, struct log_segment *s, uint64_t durable_upto)
{
	struct log_append *a = &log->append;
	struct log_pending *p = &log->pending;

	while (p->state || p->count > 0 || p->cover) {
		uint64_t least = group_least(p);

		if (a->staging_len > 0 &&
		    (s->bytes + least > s->capacity || a->staging_len + least > LOG_JOB_BYTES))
			break;
		p->cover = false;
		encode_group(log, s, durable_upto);
	}
}

/* The newest segment that keeps entries below `first`, or NULL. */
static const struct log_segment *chain_before(const struct log *log, uint64_t first)
{
	for (struct list *it = log->chain.prev; it != &log->chain; it = it->prev) {
		const struct log_segment *s = LIST_ITEM(it, struct log_segment, link);

		if (s->first < first)
			return s;
	}
	return NULL;
}

static void encode_segment_header(struct log *log, const struct log_segment *s, size_t staged_at)
{
	const struct log_membership *m = log_track_membership(&log->track, s->first - 1);
	const struct log_segment *before = log->append.reset ? NULL : chain_before(log, s->first);
	struct log_segment_header h = {
		.sequence = s->sequence,
		.previous = before ? before->sequence : 0,
		.previous_first = before ? before->first : 0,
		.capacity = s->capacity,
		.member_id = log->identity.member_id,
		.cluster_id = log->identity.cluster_id,
		.first_index = s->first,
		.base_term = log_track_term(&log->track, s->first - 1),
		.term = log->state.term,
		.vote = log->state.vote,
		.flags = log->state.flags,
		.membership_bytes = (uint32_t)m->len,
		.membership_index = m->index,
		.durable_upto = s->bytes,
		.membership = slice_of(m->data, m->len),
	};

	log_segment_header_encode(&h, log->append.staging + staged_at);
}

static void plan_small_segment(struct log *log, struct log_segment *s, const char *path)
{
	struct disk_plan *plan = &log->append.plan;
	uint64_t step = MIN((uint64_t)LOG_ZERO_BYTES, log->segment_bytes);

	disk_plan_open(plan, path, DISK_CREATE | log->open_flags, &s->file);
	disk_plan_preallocate(plan, &s->file, s->capacity);
	for (uint64_t at = 0; at < s->capacity; at += step)
		disk_plan_write(plan, &s->file, at, log->zeros, MIN(step, s->capacity - at));
}

/*
 * Begins a segment in a file that is not part of the log yet: it gets its name when header and
 * first groups are durable, so that a segment with a name was whole once.
 */
static void plan_fresh_segment(struct log *log)
{
	struct log_append *a = &log->append;
	struct log_pending *p = &log->pending;
	struct log_segment *s = log_segment_new(log->next_sequence++, p->first);
	size_t membership = log_track_membership(&log->track, p->first - 1)->len;
	uint64_t header = log_segment_header_bytes(membership);
	struct log_path path;

	a->fresh = s;
	a->reset = p->reset;
	a->covered = true;
	p->state = p->cover = false; /* the header does both */
	s->capacity = log->segment_bytes;
	s->bytes = header;
	if (log->spares.count > 0 && header + group_least(p) <= s->capacity) {
		log->spares.count--;
		path = log_path_spare(log->dir, log->spares.ready[log->spares.count].number);
		s->file = log->spares.ready[log->spares.count].file;
	} else {
		s->capacity =
			MAX(MIN(s->capacity, (uint64_t)LOG_ZERO_BYTES), header + group_least(p));
		path = log_path_spare(log->dir, ++log->spares.last_number);
		plan_small_segment(log, s, path.text);
	}
	log->spares.refused = false;
	staging_reserve(a, header);
	a->staging_len = header;
	encode_groups(log, s, 0);
	encode_segment_header(log, s, 0);
	disk_plan_write(&a->plan, &s->file, 0, a->staging, a->staging_len);
	if (!MUTANT(log_ack_without_sync))
		disk_plan_sync(&a->plan, &s->file);
	disk_plan_rename(&a->plan, path.text, log_path_segment(log->dir, s->sequence).text);
	disk_plan_sync_directory(&a->plan, log->dir);
}

static void plan_groups(struct log *log, struct log_segment *s)
{
	struct log_append *a = &log->append;
	uint64_t offset = s->bytes;

	a->covered = log->pending.count == 0 && !log->pending.state;
	encode_groups(log, s, offset);
	disk_plan_write(&a->plan, &s->file, offset, a->staging, a->staging_len);
	if (!MUTANT(log_ack_without_sync))
		disk_plan_sync(&a->plan, &s->file);
}

void log_plan_mark(struct disk_plan *plan, struct disk_file **file, const char *dir,
		   const struct log_damage *damage, uint8_t *block)
{
	struct log_path fresh = log_path(dir, LOG_MARK_NEW_NAME);

	log_mark_encode(damage, block);
	disk_plan_open(plan, fresh.text, DISK_CREATE, file);
	disk_plan_write(plan, file, 0, block, DISK_BLOCK);
	disk_plan_sync(plan, file);
	disk_plan_close_file(plan, file);
	disk_plan_rename(plan, fresh.text, log_path(dir, LOG_MARK_NAME).text);
	disk_plan_sync_directory(plan, dir);
}

static void plan_clear_mark(struct log *log)
{
	disk_plan_remove(&log->append.plan, log_path(log->dir, LOG_MARK_NAME).text);
	disk_plan_sync_directory(&log->append.plan, log->dir);
}

void log_append_prepare(struct log *log, bool fresh)
{
	struct log_append *a = &log->append;
	struct log_pending *p = &log->pending;
	struct log_segment *active = list_empty(&log->chain) ? NULL : log_active(log);

	CHECK(!a->busy && !a->fresh);
	a->busy = true;
	disk_plan_clear(&a->plan);
	a->staging_len = 0;
	a->covered = !log->uncovered;
	a->ticket = p->ticket;
	a->mark = p->mark;
	a->clear_mark = p->clear_mark && (log->mark_on_disk || p->mark);
	if (p->mark)
		log_plan_mark(&a->plan, &a->mark_file, log->dir, &p->damage, a->mark_block);
	if (MUTANT(log_lose_hard_state))
		p->state = false;
	if (fresh || p->cut)
		plan_fresh_segment(log);
	else if (p->state || p->count > 0 || p->cover) {
		CHECK(active != NULL);
		if (active->bytes + group_least(p) > active->capacity)
			plan_fresh_segment(log);
		else
			plan_groups(log, active);
	}
	if (a->fresh && active)
		disk_plan_close_file(&a->plan, &active->file);
	if (a->clear_mark)
		plan_clear_mark(log);
	a->last = p->first - 1;
	p->cut = p->reset = p->mark = p->clear_mark = p->cover = false;
}

struct job *log_start(struct log *log)
{
	const struct log_pending *p = &log->pending;

	if (log->status != OK || log->append.busy)
		return NULL;
	if (p->count == 0 && !p->cut && !p->state && !p->cover && !p->mark && !p->clear_mark)
		return NULL;
	log_append_prepare(log, false);
	return &log->append.plan.job;
}

/* The new segment's first index ends those before it. */
static void apply_fresh(struct log *log)
{
	struct log_segment *s = log->append.fresh;

	log->append.fresh = NULL;
	while (!list_empty(&log->chain)) {
		struct log_segment *last = log_active(log);

		if (!log->append.reset && last->first < s->first) {
			log_segment_cut(last, s->first);
			break;
		}
		log_segment_release(log, last);
	}
	log->append.reset = false;
	list_push_back(&log->chain, &s->link);
}

void log_append_apply(struct log *log)
{
	struct log_append *a = &log->append;
	const struct log_pending *p = &log->pending;

	a->busy = false;
	if (a->fresh)
		apply_fresh(log);
	log->uncovered = !a->covered;
	log->durable_index = p->cut ? MIN(a->last, p->first - 1) : a->last;
	log->durable_ticket = a->ticket;
	log->mark_on_disk = (log->mark_on_disk || a->mark) && !a->clear_mark;
	log->stats.jobs++;
	log->stats.bytes_written += a->staging_len;
	if (a->staging_cap > 2 * (size_t)LOG_JOB_BYTES) {
		mem_free(a->staging);
		a->staging = NULL;
		a->staging_cap = 0;
	}
#if CONCLAVE_CHECK_INVARIANTS
	CHECK_VALID(log_broken(log));
#endif
}

int log_complete(struct log *log)
{
	struct log_append *a = &log->append;

	CHECK(a->busy);
	if (log->status != OK) {
		a->busy = false;
		return ERR_STOPPED;
	}
	if (a->plan.error != OK) {
		a->busy = false;
		log_stop(log, a->plan.error, "writing");
		return a->plan.error;
	}
	log_append_apply(log);
	return OK;
}
