/*
 * What is dead on its way out of the engine. Files go in, one after the other:
 *
 *	records   dead tombstones of the state family; the history that names them is still there
 *	history   dead changes, a piece at a time, from the oldest on
 *	state     garbage, as ranges
 *	dropped   the row that says up to where history was walked through
 *
 * After a crash between two of them the same is found again, as far as it is still there, and what
 * is not needs nothing more. A change that dies is named by a later one, which may be dead itself:
 * it goes in the same piece or in one after it.
 *
 * To merge a file of deletions the engine writes again what lies between its first row and its
 * last. On a disk that is nearly full there is no room for all of history: so pieces are narrow.
 *
 * Rows are deleted one by one, rather than left out when files are merged: so engines' snapshots
 * keep them for views that are open, nothing has to be kept in memory, and all engines do the same.
 */

#include "base/check.h"
#include "base/codec.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/mutant.h"
#include "storage/store_internal.h"

#include <stdlib.h>

#define DROPPED_VERSION 1u

/* Rows that one step writes. */
#define COMPACT_SLICE 512

/* Records that one job asks the engine for at once. */
#define COMPACT_GETS 256

/* A piece of dead changes spans so many bytes of history, or such a part of it if that is more. */
#define PIECE_BYTES ((uint64_t)64 << 20)
#define PIECE_PART  16

/* Records of ended keyspaces that one job looks at. */
#define COMPACT_RECORDS 65536

/* In this order; a crash may come between any two. */
enum compact_phase {
	COMPACT_BEGIN,
	COMPACT_WALK,
	COMPACT_BEGIN_RECORDS,
	COMPACT_FILL_RECORDS,
	COMPACT_BEGIN_STATE,
	COMPACT_FILL_STATE,
	COMPACT_TAKE_RECORDS,
	COMPACT_SORT_HISTORY,
	COMPACT_BEGIN_HISTORY,
	COMPACT_FILL_HISTORY,
	COMPACT_TAKE_HISTORY, /* then from COMPACT_BEGIN_HISTORY on, if there is more */
	COMPACT_TAKE_STATE,
	COMPACT_TAKE_DROPPED,
	COMPACT_TIDY,
	COMPACT_PUBLISH,
};

int store_read_dropped(struct engine_view *view, uint64_t *dropped)
{
	struct buf row = {0};
	int rc = store_read_meta(view, DROPPED_NAME, &row);
	struct cursor c = cursor_of(buf_slice(&row));

	*dropped = 0;
	if (rc == OK && row.len) {
		uint8_t version = cursor_fixed8(&c);

		*dropped = cursor_varint(&c);
		if (version > DROPPED_VERSION)
			rc = ERR_VERSION;
		else if (version != DROPPED_VERSION || !cursor_done(&c))
			rc = ERR_CORRUPT;
	}
	buf_free(&row);
	return rc;
}

/* ---- what is dead ---------------------------------------------------------------------------- */

static int compact_begin(struct store_compact *k)
{
	struct position p = {0};
	struct slice snapshot;
	struct buf row = {0};
	int rc;

	k->view = engine_view_open(k->store->engine);
	rc = store_read_meta(k->view, POSITION_NAME, &row);
	if (rc == OK && row.len)
		rc = position_decode(buf_slice(&row), &p, &snapshot);
	if (rc == ERR_MALFORMED)
		rc = ERR_CORRUPT;
	if (rc == OK)
		rc = store_read_dropped(k->view, &k->dropped);
	k->horizon = MUTANT(dropped_before_durable) ? k->horizon : p.horizon;
	k->index = p.index;
	position_free(&p);
	buf_free(&row);
	if (rc == OK && k->tidies)
		k->phase = COMPACT_TAKE_DROPPED; /* and tidying comes next */
	else if (rc == OK)
		history_walk_begin(&k->walk, k->view, k->dropped, MAX(k->dropped, k->horizon),
				   &k->dead);
	return rc;
}

static int compact_take(struct engine_file **file)
{
	struct engine_file *f = *file;

	*file = NULL;
	return engine_file_ingest(f);
}

/* ---- dead tombstones ------------------------------------------------------------------------- */

static int records_order(const void *a, const void *b)
{
	const struct dead_record *one = a, *other = b;
	int order = slice_compare(one->row, other->row);

	return order ? order : revision_compare(one->at, other->at);
}

static int compact_begin_records(struct store_compact *k)
{
	struct history_walk *w = &k->walk;

	if (w->record_count)
		qsort(w->records, w->record_count, sizeof(*w->records), records_order);
	k->at = 0;
	return engine_file_begin(k->store->engine, FAMILY_STATE, &k->records);
}

/* The key may have been made again since: then the record is another one. */
static bool record_is_dead(const struct engine_get *get, struct revision at, int *rc)
{
	struct record r;

	if (get->result == ERR_NOT_FOUND)
		return false;
	*rc = get->result == OK ? record_decode(buf_slice(&get->value), &r) : get->result;
	if (*rc == ERR_MALFORMED)
		*rc = ERR_CORRUPT;
	if (*rc != OK)
		return false;
	return (r.type == RECORD_NONE && revision_equal(r.mod, at)) ||
	       MUTANT(tombstone_not_looked_at);
}

/* Only the newest tombstone of a key can stand in its record. */
static size_t records_collect(struct store_compact *k, struct engine_get *gets,
			      struct revision *ats)
{
	struct history_walk *w = &k->walk;
	size_t count = 0;

	for (; count < COMPACT_GETS && k->at < w->record_count; k->at++) {
		const struct dead_record *r = &w->records[k->at];

		if (k->at + 1 < w->record_count && slice_equal(r->row, r[1].row))
			continue;
		gets[count] = (struct engine_get){.family = FAMILY_STATE, .key = r->row};
		ats[count++] = r->at;
	}
	return count;
}

static int compact_fill_records(struct store_compact *k, bool *whole)
{
	struct engine_get gets[COMPACT_GETS];
	struct revision ats[COMPACT_GETS];
	size_t count = records_collect(k, gets, ats);
	int rc = OK;

	engine_view_get_many(k->view, gets, count);
	for (size_t i = 0; i < count; i++) {
		if (rc == OK && record_is_dead(&gets[i], ats[i], &rc))
			rc = engine_file_delete(k->records, gets[i].key);
		buf_free(&gets[i].value);
	}
	*whole = k->at == k->walk.record_count;
	return rc == OK && *whole ? engine_file_finish(k->records) : rc;
}

/* ---- garbage, and how far -------------------------------------------------------------------- */

static int compact_begin_state(struct store_compact *k)
{
	int rc = engine_file_begin(k->store->engine, FAMILY_STATE, &k->state);

	if (rc != OK)
		return rc;
	k->dropped = k->walk.limit;
	/* What is garbage has changes that were walked through: none is dropped before that. */
	garbage_place_copy(&k->leaves, &k->left);
	garbage_drop_begin(&k->garbage, k->view, &k->leaves, k->dropped, COMPACT_RECORDS, &k->dead);
	return OK;
}

static int compact_fill_state(struct store_compact *k, bool *whole)
{
	int rc = garbage_drop_step(&k->garbage, k->state, whole, &k->rest);

	return rc == OK && *whole ? engine_file_finish(k->state) : rc;
}

/* ---- dead changes ---------------------------------------------------------------------------- */

/* Bytes of history from this revision on, roughly. */
static uint64_t bytes_from(const struct store_compact *k, uint64_t revision)
{
	uint8_t from[HISTORY_KEY_BYTES];

	history_key_put(from, (struct revision){revision, 0});
	return engine_view_bytes(k->view, FAMILY_HISTORY, slice_of(from, sizeof(from)));
}

static void compact_sort_history(struct store_compact *k)
{
	dead_sort(&k->dead);
	k->at = 0;
	k->piece_bytes = MAX(PIECE_BYTES, bytes_from(k, 0) / PIECE_PART);
}

/* The revision at which a piece ends that begins with this one: never itself. */
static uint64_t piece_end(const struct store_compact *k, uint64_t first)
{
	uint64_t low = first + 1, high = k->dead.list[k->dead.count - 1].main + 1;
	uint64_t bytes = bytes_from(k, first);

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		uint64_t rest = bytes_from(k, middle);

		if (bytes - MIN(bytes, rest) > k->piece_bytes)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static int compact_begin_history(struct store_compact *k)
{
	if (k->at < k->dead.count)
		k->piece_end = piece_end(k, k->dead.list[k->at].main);
	return engine_file_begin(k->store->engine, FAMILY_HISTORY, &k->history);
}

static bool piece_goes_on(const struct store_compact *k)
{
	return k->at < k->dead.count && k->dead.list[k->at].main < k->piece_end;
}

static int compact_fill_history(struct store_compact *k, bool *whole)
{
	int rc = OK;

	for (int i = 0; i < COMPACT_SLICE && piece_goes_on(k) && rc == OK; i++, k->at++) {
		uint8_t key[HISTORY_KEY_BYTES];

		history_key_put(key, k->dead.list[k->at]);
		rc = engine_file_delete(k->history, slice_of(key, sizeof(key)));
	}
	*whole = !piece_goes_on(k);
	return rc == OK && *whole ? engine_file_finish(k->history) : rc;
}

static int compact_take_history(struct store_compact *k, bool *whole)
{
	int rc = compact_take(&k->history);

	*whole = k->at == k->dead.count;
	if (!*whole)
		k->phase = COMPACT_BEGIN_HISTORY;
	return rc;
}

static int compact_take_state(struct store_compact *k)
{
	int rc = compact_take(&k->state);

	if (rc == OK)
		garbage_place_copy(&k->left, &k->leaves);
	return rc;
}

/* A file of its own: the engine can tell whether one with ranges or with rows came in whole. */
static int compact_take_dropped(struct store_compact *k)
{
	struct buf key = {0}, row = {0};
	struct engine_file *file = NULL;
	int rc = engine_file_begin(k->store->engine, FAMILY_STATE, &file);

	meta_key(&key, DROPPED_NAME);
	buf_append_fixed8(&row, DROPPED_VERSION);
	buf_append_varint(&row, k->dropped);
	if (rc == OK)
		rc = engine_file_put(file, buf_slice(&key), buf_slice(&row));
	if (rc == OK)
		rc = engine_file_finish(file);
	buf_free(&key);
	buf_free(&row);
	if (rc == OK)
		return engine_file_ingest(file);
	engine_file_drop(file);
	return rc;
}

/* ---- the job --------------------------------------------------------------------------------- */

static int compact_publish(struct store_compact *k)
{
	history_walk_close(&k->walk);
	engine_view_close(k->view);
	k->view = engine_view_open(k->store->engine);
	return OK;
}

/* One phase, or a part of it. */
static int compact_go_on(struct store_compact *k, bool *whole)
{
	*whole = true;
	switch ((enum compact_phase)k->phase) {
	case COMPACT_BEGIN:
		return compact_begin(k);
	case COMPACT_WALK:
		return history_walk_step(&k->walk, whole);
	case COMPACT_BEGIN_RECORDS:
		return compact_begin_records(k);
	case COMPACT_FILL_RECORDS:
		return compact_fill_records(k, whole);
	case COMPACT_BEGIN_STATE:
		return compact_begin_state(k);
	case COMPACT_FILL_STATE:
		return compact_fill_state(k, whole);
	case COMPACT_TAKE_RECORDS:
		return compact_take(&k->records);
	case COMPACT_SORT_HISTORY:
		compact_sort_history(k);
		return OK;
	case COMPACT_BEGIN_HISTORY:
		return compact_begin_history(k);
	case COMPACT_FILL_HISTORY:
		return compact_fill_history(k, whole);
	case COMPACT_TAKE_HISTORY:
		return compact_take_history(k, whole);
	case COMPACT_TAKE_STATE:
		return compact_take_state(k);
	case COMPACT_TAKE_DROPPED:
		return compact_take_dropped(k);
	case COMPACT_TIDY:
		return engine_tidy(k->store->engine, k->thorough, &k->untidy);
	case COMPACT_PUBLISH:
		break;
	}
	return compact_publish(k);
}

static void compact_drop(struct store_compact *k)
{
	garbage_drop_close(&k->garbage);
	history_walk_close(&k->walk);
	dead_free(&k->dead);
	engine_file_drop(k->records);
	engine_file_drop(k->history);
	engine_file_drop(k->state);
	k->records = k->history = k->state = NULL;
}

static enum job_progress compact_step(struct job *job)
{
	struct store_compact *k = CONTAINER_OF(job, struct store_compact, job);
	bool whole;

	k->error = compact_go_on(k, &whole);
	if (k->error == OK && (!whole || k->phase != COMPACT_PUBLISH)) {
		k->phase += whole;
		return JOB_MORE;
	}
	compact_drop(k);
	if (k->error != OK) {
		engine_view_close(k->view);
		k->view = NULL;
	}
	return JOB_DONE;
}

void store_compact_close(struct store *s)
{
	compact_drop(&s->compact);
	garbage_place_free(&s->compact.left);
	garbage_place_free(&s->compact.leaves);
	engine_view_close(s->compact.view);
	s->compact.view = NULL;
}

uint64_t store_durable_horizon(const struct store *s)
{
	return s->durable_horizon;
}

bool store_wants_compact(const struct store *s)
{
	return s->durable_horizon > s->dropped || s->compact_rest || s->untidy;
}

bool store_compact_goes_on(const struct store *s)
{
	return s->compact_rest;
}

bool store_is_compacting(const struct store *s)
{
	return s->compact.under_way;
}

struct job *store_compact(struct store *s, bool thorough)
{
	struct store_compact *k = &s->compact;

	CHECK(!k->under_way);
	k->job.step = compact_step;
	k->store = s;
	k->phase = COMPACT_BEGIN;
	k->horizon = s->position.horizon;
	k->tidies = s->durable_horizon <= s->dropped && !s->compact_rest;
	k->thorough = thorough;
	k->rest = false;
	k->untidy = false;
	k->under_way = true;
	return &k->job;
}

int store_compacted(struct store *s)
{
	struct store_compact *k = &s->compact;

	CHECK(k->under_way);
	k->under_way = false;
	if (k->error != OK)
		return k->error;
	published_release(s, s->published);
	s->published = published_new(s, k->view, k->index);
	k->view = NULL;
	s->dropped = k->dropped;
	s->compact_rest = k->rest || k->dropped < k->horizon;
	s->untidy = k->untidy;
	return OK;
}
