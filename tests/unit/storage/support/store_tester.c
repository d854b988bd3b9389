#include "store_tester.h"

#include "base/check.h"
#include "base/error.h"
#include "storage/level.h"

void store_tester_init(struct store_tester *s, uint64_t seed, size_t overlay_bytes,
		       size_t cache_bytes)
{
	*s = (struct store_tester){.time_ms = 1000};
	random_seed(&s->random, seed);
	s->rows = engine_memory_new();
	s->options = (struct store_options){
		.overlay_bytes = overlay_bytes,
		.header_cache_bytes = cache_bytes,
		.value_cache_bytes = cache_bytes,
	};
	s->engine = engine_memory_open(s->rows);
	CHECK(store_open(&s->store, s->engine, &s->options, &(struct buf){0}) == OK);
	store_position(s->store)->level = LEVEL_NEWEST;
	txn_init(&s->txn, s->store);
	txn_init(&s->reads, s->store);
}

static void tester_stop(struct store_tester *s)
{
	struct job *clean = store_clean(s->store);

	txn_close(&s->txn);
	txn_close(&s->reads);
	s->txn = s->reads = (struct txn){0};
	if (clean)
		while (clean->step(clean) == JOB_MORE)
			;
	store_cleaned(clean);
	store_close(s->store);
	engine_close(s->engine);
}

void store_tester_close(struct store_tester *s)
{
	tester_stop(s);
	engine_memory_free(s->rows);
}

/* A flush that found no space is tried again, over the same rows. */
static void flush_done(struct store_tester *s)
{
	int rc = store_flushed(s->store);

	CHECK(rc == OK || rc == ERR_NO_SPACE);
	s->flush = rc == OK ? NULL : store_flush(s->store, SLICE_LITERAL("snapshot"));
	s->flushes += rc == OK;
}

/* Some row of the next file does not fit. */
static void flush_may_fail(struct store_tester *s)
{
	if (random_chance(&s->random, 300000))
		engine_memory_fail(s->rows, ENGINE_MEMORY_ROW, random_between(&s->random, 1, 40),
				   ERR_NO_SPACE);
}

static void flush_finish(struct store_tester *s)
{
	while (s->flush) {
		while (s->flush->step(s->flush) == JOB_MORE)
			;
		flush_done(s);
	}
}

/* Whatever it could not do is left for the next one. */
static int compact_done(struct store_tester *s)
{
	int rc = store_compacted(s->store);

	s->compact = NULL;
	s->compacts += rc == OK;
	return rc;
}

static void compact_finish(struct store_tester *s)
{
	int rc;

	if (!s->compact)
		return;
	while (s->compact->step(s->compact) == JOB_MORE)
		;
	rc = compact_done(s);
	CHECK(rc == OK || rc == ERR_NO_SPACE);
}

void store_tester_flush(struct store_tester *s)
{
	compact_finish(s);
	flush_finish(s);
	flush_may_fail(s);
	s->flush = store_flush(s->store, SLICE_LITERAL("snapshot"));
	flush_finish(s);
}

void store_tester_compact(struct store_tester *s)
{
	store_tester_flush(s);
	while (store_wants_compact(s->store)) {
		s->compact = store_compact(s->store, false);
		compact_finish(s);
	}
}

static void tester_start(struct store_tester *s)
{
	struct buf snapshot = {0};

	s->engine = engine_memory_open(s->rows);
	CHECK(store_open(&s->store, s->engine, &s->options, &snapshot) == OK);
	CHECK(slice_equal(buf_slice(&snapshot), SLICE_LITERAL("snapshot")));
	buf_free(&snapshot);
	txn_init(&s->txn, s->store);
	txn_init(&s->reads, s->store);
}

void store_tester_compact_crash(struct store_tester *s, uint64_t nth, bool counts)
{
	enum engine_memory_call call = counts ? ENGINE_MEMORY_INGESTED : ENGINE_MEMORY_INGEST;

	store_tester_flush(s);
	if (!store_wants_compact(s->store))
		return;
	engine_memory_fail(s->rows, call, nth, ERR_IO);
	s->compact = store_compact(s->store, false);
	while (s->compact->step(s->compact) == JOB_MORE)
		;
	(void)compact_done(s);
	engine_memory_fail(s->rows, call, 0, OK);
	tester_stop(s);
	tester_start(s);
}

void store_tester_reopen(struct store_tester *s)
{
	store_tester_flush(s);
	tester_stop(s);
	tester_start(s);
}

/* The writer does one thing at a time, and chooses what to begin. */
static struct job *writer_begin(struct store_tester *s)
{
	if (store_wants_flush(s->store)) {
		flush_may_fail(s);
		s->flush = store_flush(s->store, SLICE_LITERAL("snapshot"));
	} else if (store_wants_compact(s->store) && random_chance(&s->random, 50000)) {
		s->compact = store_compact(s->store, false);
	}
	return s->flush ? s->flush : s->compact;
}

static void writer_done(struct store_tester *s)
{
	int rc;

	if (s->flush) {
		flush_done(s);
		return;
	}
	rc = compact_done(s);
	CHECK(rc == OK || rc == ERR_NO_SPACE);
}

/* The writer works at its own speed. */
static void flush_some(struct store_tester *s)
{
	struct job *job = s->flush ? s->flush : s->compact;

	if (!job)
		job = writer_begin(s);
	for (uint64_t n = random_below(&s->random, 12); job && n > 0; n--) {
		if (job->step(job) == JOB_DONE) {
			writer_done(s);
			break;
		}
	}
	if (!store_is_full(s->store))
		return;
	compact_finish(s);
	if (!s->flush)
		s->flush = store_flush(s->store, SLICE_LITERAL("snapshot"));
	flush_finish(s);
}

static void tester_limit(const struct store_tester *s, struct txn *t)
{
	if (!s->chunk_bytes)
		return;
	t->chunk_bytes = s->chunk_bytes;
	t->whole_max = s->whole_max;
}

/* In a view of now; what it fetched is returned. */
static struct fetched *run_in_view(struct store_tester *s, store_work work, void *ctx, int *rc)
{
	struct view *v = view_open(s->store);
	struct fetched *note = fetched_new();
	struct txn t = {0};

	flush_some(s);
	txn_init_view(&t, v, note);
	tester_limit(s, &t);
	txn_begin(&t, s->time_ms, 7);
	*rc = work(&t, ctx);
	CHECK(*rc != ERR_MISSING);
	txn_close(&t);
	if (random_chance(&s->random, 500000))
		store_learn(s->store, v, note);
	view_close(v);
	return note;
}

int store_tester_run(struct store_tester *s, store_work work, void *ctx)
{
	struct fetched *pinned = NULL;
	int rc;

	s->time_ms++;
	flush_some(s);
	tester_limit(s, &s->txn);
	txn_begin(&s->txn, s->time_ms, 7);
	/* Again and again: what the view had in an overlay may be in the engine by now. */
	while ((rc = work(&s->txn, ctx)) == ERR_MISSING) {
		s->misses++;
		txn_undo(&s->txn);
		fetched_free(pinned);
		pinned = run_in_view(s, work, ctx, &rc);
		flush_some(s);
		txn_begin(&s->txn, s->time_ms, 7);
		txn_pin(&s->txn, pinned);
	}
	if (rc == OK)
		txn_commit(&s->txn);
	else
		txn_undo(&s->txn);
	txn_pin(&s->txn, NULL);
	fetched_free(pinned);
	CHECK(!position_broken(store_position(s->store)));
	return rc;
}

int store_tester_read_view(struct store_tester *s, store_work work, void *ctx)
{
	int rc;

	fetched_free(run_in_view(s, work, ctx, &rc));
	return rc;
}

int store_tester_read(struct store_tester *s, store_work work, void *ctx)
{
	int rc;

	if (random_chance(&s->random, 200000))
		return store_tester_read_view(s, work, ctx);
	tester_limit(s, &s->reads);
	txn_begin(&s->reads, s->time_ms, 0);
	rc = work(&s->reads, ctx);
	if (rc != ERR_MISSING)
		return rc;
	s->misses++;
	return store_tester_read_view(s, work, ctx);
}
