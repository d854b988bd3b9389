#include "base/check.h"
#include "base/mem.h"
#include "storage/log_internal.h"

#include <string.h>

#define READ_CHUNK (256u << 10)

enum read_phase { READ_OPEN, READ_FETCH, READ_CLOSE };

/* What the steps work on; nothing in it is shared with the loop. */
struct log_read_state {
	enum read_phase phase;
	struct disk *disk;
	struct log_path path;
	unsigned flags;
	struct disk_file *file;
	uint64_t salt;
	uint64_t offset; /* of the next group */
	uint64_t stop;	 /* where the segment's groups end */
	uint64_t index;	 /* of the next entry in the segment */
	uint64_t whole;	 /* of the entry behind the last group that was read wholly; 0: none was */
	uint8_t *chunk;
	size_t want; /* bytes to read next */
	size_t chunk_cap;
	size_t payload; /* bytes of payload taken so far */
	size_t cap;
};

/* Takes an entry if it is wanted; false: it is behind the end of what is. */
static bool read_take(struct log_read *read, const struct log_record *r)
{
	struct log_read_state *st = read->state;
	uint64_t index = st->index++;
	struct entry e = {.term = r->term, .stamp = r->stamp, .kind = r->kind};

	if (index < read->first)
		return true;
	if (index >= read->end ||
	    (read->count > 0 && st->payload + r->payload.len > read->max_bytes))
		return false;
	if (r->payload.len > 0) {
		e.blob = blob_copy(r->payload);
		e.data = e.blob->data;
		e.len = (uint32_t)r->payload.len;
	}
	MEM_GROW(read->entries, st->cap, read->count + 1);
	read->entries[read->count++] = e;
	st->payload += r->payload.len;
	return true;
}

/* Takes what is wanted of one whole group. False: enough, or an error. */
static bool read_group(struct log_read *read, const struct log_group_header *g, struct slice group)
{
	struct log_read_state *st = read->state;
	size_t at = LOG_GROUP_SIZE;
	struct log_record r;

	if (g->entries > 0)
		st->index = g->first_index;
	for (uint32_t i = 0; i < g->records; i++) {
		if (!log_record_decode(group, st->salt, st->offset, &at, &r) || !r.intact) {
			read->error = ERR_CORRUPT;
			return false;
		}
		if (r.type == LOG_RECORD_ENTRY && !read_take(read, &r))
			return false;
	}
	return true;
}

/* Goes through the groups of a chunk. False: nothing more is to be fetched. */
static bool read_chunk(struct log_read *read, size_t got)
{
	struct log_read_state *st = read->state;
	size_t used = 0;

	while (st->offset < st->stop && st->index < read->end && used + LOG_GROUP_SIZE <= got) {
		const uint8_t *at = st->chunk + used;
		struct log_group_header g;

		if (!log_group_decode(at, st->salt, st->offset, &g) ||
		    g.length > st->stop - st->offset) {
			read->error = ERR_CORRUPT;
			return false;
		}
		if (g.length > got - used) {
			st->want = MAX(log_blocks(g.length), (uint64_t)READ_CHUNK);
			return used > 0 || st->want > got;
		}
		if (!read_group(read, &g, slice_of(at, g.length)))
			return false;
		st->offset += log_blocks(g.length);
		st->whole = st->index;
		used += log_blocks(g.length);
	}
	if (used == 0)
		read->error = ERR_CORRUPT;
	return used > 0 && st->offset < st->stop && st->index < read->end;
}

static bool read_fetch(struct log_read *read)
{
	struct log_read_state *st = read->state;
	size_t want = MIN(st->want, st->stop - st->offset);
	size_t got = 0;

	if (want > st->chunk_cap) {
		mem_free(st->chunk);
		st->chunk = mem_alloc_aligned(DISK_BLOCK, want);
		st->chunk_cap = want;
	}
	read->error = disk_read(st->file, st->offset, st->chunk, want, &got);
	if (read->error != OK)
		return false;
	/* A file that became shorter must not be asked again and again. */
	if (got < want)
		st->stop = st->offset + got;
	return read_chunk(read, got);
}

static enum job_progress read_step(struct job *job)
{
	struct log_read *read = CONTAINER_OF(job, struct log_read, job);
	struct log_read_state *st = read->state;

	switch (st->phase) {
	case READ_OPEN:
		read->error = disk_open(st->disk, st->path.text, st->flags, &st->file);
		if (read->error != OK)
			return JOB_DONE;
		st->phase = READ_FETCH;
		return JOB_MORE;
	case READ_FETCH:
		if (!read_fetch(read))
			st->phase = READ_CLOSE;
		return JOB_MORE;
	case READ_CLOSE:
		disk_close(st->file);
		st->file = NULL;
		return JOB_DONE;
	}
	CHECK(false);
}

static struct log_segment *segment_of(const struct log *log, uint64_t index)
{
	for (struct list *it = log->chain.prev; it != &log->chain; it = it->prev) {
		struct log_segment *s = LIST_ITEM(it, struct log_segment, link);

		if (s->first <= index)
			return s;
	}
	return NULL;
}

int log_read_start(struct log *log, struct log_read *read, uint64_t first, size_t max_bytes)
{
	struct log_segment *s;
	struct log_read_state *st;

	if (log->status != OK)
		return ERR_STOPPED;
	if (first <= log->track.base_index)
		return ERR_COMPACTED;
	if (first > log->durable_index)
		return ERR_NOT_FOUND;
	s = segment_of(log, first);
	CHECK(s != NULL);
	memset(read, 0, sizeof(*read));
	read->job.step = read_step;
	list_init(&read->job.link);
	read->first = first;
	read->max_bytes = max_bytes;
	read->log = log;
	read->segment = s;
	read->end = MIN(s->end, log->durable_index + 1);
	read->valid_below = UINT64_MAX;
	st = MEM_NEW(struct log_read_state);
	read->state = st;
	st->disk = log->disk;
	st->path = log_path_segment(log->dir, s->sequence);
	st->flags = DISK_READ_ONLY | (log->open_flags & DISK_DIRECT);
	st->salt = log_segment_salt(log->identity.member_id, s->sequence);
	log_segment_find(s, first, &st->offset, &st->stop);
	st->want = MIN(log_blocks(max_bytes), (uint64_t)READ_CHUNK);
	if (!s->unread)
		st->want = MAX(st->want, st->stop - st->offset);
	st->want = MAX(st->want, (uint64_t)DISK_BLOCK);
	st->stop = s->bytes;
	s->pins++;
	list_push_back(&log->reads, &read->link);
	return OK;
}

static void read_unpin(struct log_read *read)
{
	if (!read->log)
		return;
	read->segment->pins--;
	list_remove(&read->link);
	read->log = NULL;
	read->segment = NULL;
}

static void state_free(struct log_read *read)
{
	if (!read->state)
		return;
	disk_close(read->state->file);
	mem_free(read->state->chunk);
	mem_free(read->state);
	read->state = NULL;
}

/* What was not looked at since the log was opened begins later now. */
static void read_counts(const struct log_read *read)
{
	struct log_segment *s = read->segment;

	if (read->first + read->count >= s->end)
		log_segment_was_read(s, s->end, 0);
	else
		log_segment_was_read(s, read->state->whole, read->state->offset);
}

int log_read_complete(struct log *log, struct log_read *read)
{
	CHECK(read->log == log);
	if (read->first == read->segment->unread)
		read_counts(read);
	read_unpin(read);
	state_free(read);
	while (read->count > 0 && read->first + read->count > read->valid_below)
		blob_release(read->entries[--read->count].blob);
	if (read->count > 0)
		return OK;
	if (read->valid_below <= read->first)
		return ERR_UNAVAILABLE;
	return read->error != OK ? read->error : ERR_CORRUPT;
}

void log_read_free(struct log_read *read)
{
	read_unpin(read);
	state_free(read);
	for (size_t i = 0; i < read->count; i++)
		blob_release(read->entries[i].blob);
	mem_free(read->entries);
	read->entries = NULL;
	read->count = 0;
}

void log_reads_truncate(struct log *log, uint64_t first)
{
	list_for_each (it, &log->reads) {
		struct log_read *read = LIST_ITEM(it, struct log_read, link);

		read->valid_below = MIN(read->valid_below, first);
	}
}

void log_reads_detach(struct log *log)
{
	struct list *it;

	while ((it = list_pop_front(&log->reads)) != NULL)
		LIST_ITEM(it, struct log_read, link)->log = NULL;
}
