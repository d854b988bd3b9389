/* The frozen overlay on its way to the engine, step by step. */

#include "base/check.h"
#include "base/error.h"
#include "base/mutant.h"
#include "storage/store_internal.h"

/* What an overlay takes ahead of its rows: with less, a small one would be full from the start. */
#define ARENA_SLACK ((size_t)256 << 10)

/* Rows that one step adds to a file. */
#define FLUSH_SLICE 512

/*
 * The engine is behind with merging when this many files may overlap, for each is looked into by a
 * read of what is not there; or when so many bytes are still to be merged, minutes of a disk's
 * time.
 */
#define LEVEL0_FILES_MAX    32
#define COMPACTION_DEBT_MAX ((uint64_t)8 << 30)

/* In this order; a crash may come between any two. */
enum flush_phase {
	FLUSH_BEGIN_HISTORY,
	FLUSH_FILL_HISTORY,
	FLUSH_BEGIN_STATE,
	FLUSH_FILL_STATE,
	FLUSH_TAKE_HISTORY,
	FLUSH_TAKE_STATE,
	FLUSH_PUBLISH,
};

bool store_wants_flush(const struct store *s)
{
	return overlay_bytes(s->live) >= s->options.overlay_bytes;
}

size_t store_live_bytes(const struct store *s)
{
	return overlay_bytes(s->live);
}

uint64_t store_pressure(const struct store *s)
{
	return s->pressure;
}

bool store_is_full(const struct store *s)
{
	return overlay_bytes(s->live) >= 2 * s->options.overlay_bytes + ARENA_SLACK;
}

bool store_is_writing(const struct store *s)
{
	return s->frozen != NULL;
}

bool store_flush_failed(const struct store *s)
{
	return s->flush.failed;
}

static int flush_begin(struct store_flush *f, enum engine_family family)
{
	const struct tree *t = &f->store->frozen->trees[family];
	int rc = engine_file_begin(f->store->engine, family, &f->files[family]);

	tree_seek(&f->cursor, (struct tree_snapshot){t->root, t->height}, (struct slice){NULL, 0});
	return rc;
}

/* The position is a row like others; no key of the state family sorts before meta rows. */
static int flush_put_position(struct store_flush *f)
{
	struct buf key = {0};
	int rc;

	meta_key(&key, POSITION_NAME);
	rc = engine_file_put(f->files[FAMILY_STATE], buf_slice(&key), buf_slice(&f->position));
	buf_free(&key);
	return rc;
}

/* Some rows of the frozen overlay; `*whole` when there are no more. */
static int flush_fill(struct store_flush *f, enum engine_family family, bool *whole)
{
	struct engine_file *file = f->files[family];
	int rc = OK;

	for (int i = 0; i < FLUSH_SLICE && f->cursor.row && rc == OK; i++) {
		const struct tree_row *row = f->cursor.row;

		rc = row->deleted ? engine_file_delete(file, tree_row_key(row))
				  : engine_file_put(file, tree_row_key(row), tree_row_value(row));
		tree_next(&f->cursor);
	}
	*whole = !f->cursor.row;
	return rc == OK && *whole ? engine_file_finish(file) : rc;
}

static int flush_take(struct store_flush *f, enum engine_family family)
{
	struct engine_file *file = f->files[family];

	f->files[family] = NULL;
	return engine_file_ingest(file);
}

/* One phase, or a part of it. */
static int flush_go_on(struct store_flush *f, bool *whole)
{
	int rc;

	*whole = true;
	switch ((enum flush_phase)f->phase) {
	case FLUSH_BEGIN_HISTORY:
		return flush_begin(f, FAMILY_HISTORY);
	case FLUSH_FILL_HISTORY:
		return flush_fill(f, FAMILY_HISTORY, whole);
	case FLUSH_BEGIN_STATE:
		rc = flush_begin(f, FAMILY_STATE);
		return rc == OK ? flush_put_position(f) : rc;
	case FLUSH_FILL_STATE:
		return flush_fill(f, FAMILY_STATE, whole);
	case FLUSH_TAKE_HISTORY:
		return flush_take(f, MUTANT(state_before_history) ? FAMILY_STATE : FAMILY_HISTORY);
	case FLUSH_TAKE_STATE:
		return flush_take(f, MUTANT(state_before_history) ? FAMILY_HISTORY : FAMILY_STATE);
	case FLUSH_PUBLISH:
		break;
	}
	f->view = engine_view_open(f->store->engine);
	engine_load(f->store->engine, &f->load);
	return OK;
}

static enum job_progress flush_step(struct job *job)
{
	struct store_flush *f = CONTAINER_OF(job, struct store_flush, job);
	bool whole;

	f->error = flush_go_on(f, &whole);
	if (f->error != OK) {
		for (int family = 0; family < FAMILY_COUNT; family++) {
			engine_file_drop(f->files[family]);
			f->files[family] = NULL;
		}
		return JOB_DONE;
	}
	if (!whole)
		return JOB_MORE;
	if (f->phase == FLUSH_PUBLISH)
		return JOB_DONE;
	f->phase++;
	return JOB_MORE;
}

struct job *store_flush(struct store *s, struct slice snapshot)
{
	struct store_flush *f = &s->flush;

	CHECK(!f->under_way);
	CHECK(f->failed == (s->frozen != NULL));
	if (!s->frozen) {
		s->frozen = s->live;
		store_begin_overlay(s);
	}
	if (!f->failed || MUTANT(position_of_retry)) {
		buf_clear(&f->position);
		position_encode(&s->position, snapshot, &f->position);
		f->index = s->position.index;
		f->horizon = s->position.horizon;
		f->bound = engine_bound_of(&s->position);
	}
	f->job.step = flush_step;
	f->store = s;
	f->phase = FLUSH_BEGIN_HISTORY;
	f->error = OK;
	f->under_way = true;
	f->failed = false;
	return &f->job;
}

int store_flushed(struct store *s)
{
	struct store_flush *f = &s->flush;

	CHECK(f->under_way);
	f->under_way = false;
	if (f->error != OK) {
		f->failed = true;
		return f->error;
	}
	/* The engine holds these rows and shows them from now on: in one step, for the loop. */
	if (MUTANT(overlay_dropped_unpublished)) {
		engine_view_close(f->view);
	} else {
		published_release(s, s->published);
		s->published = published_new(s, f->view, f->index);
		s->bound = f->bound;
	}
	s->durable_horizon = f->horizon;
	s->pressure = MAX(f->load.level0_files / LEVEL0_FILES_MAX,
			  f->load.compaction_debt / COMPACTION_DEBT_MAX);
	f->view = NULL;
	overlay_release(s->frozen);
	s->frozen = NULL;
	s->drops++;
	s->flushes++;
	return OK;
}
