#include "storage/engine_memory.h"

#include "base/check.h"
#include "base/mem.h"
#include "storage/engine_internal.h"
#include "storage/engine_memory_table.h"

#include <pthread.h>

struct memory_fault {
	uint64_t nth; /* 0: none */
	int error;
};

struct engine_memory {
	pthread_mutex_t lock; /* over everything here, and the counts of rows and tables */
	struct memory_table *tables[FAMILY_COUNT];
	struct memory_fault faults[ENGINE_MEMORY_CALL_COUNT];
	uint64_t level0_files; /* as engine_load tells them */
	uint64_t compaction_debt;
	bool open;
};

struct memory_engine {
	struct engine engine;
	struct engine_memory *durable;
};

struct memory_file {
	struct engine_file file;
	struct engine_memory *durable;
	struct memory_table *rows; /* deleted ones among them */
	struct memory_range *ranges;
	size_t range_count;
	size_t range_cap;
};

struct memory_view {
	struct engine_view view;
	struct engine_memory *durable;
	struct memory_table *tables[FAMILY_COUNT];
};

struct memory_cursor {
	struct engine_cursor cursor;
	struct engine_memory *durable;
	const struct memory_table *table; /* the view holds it */
	size_t limit;			  /* place of the first row that it does not look at */
	size_t at;			  /* while it stands at a row */
};

static void memory_lock(struct engine_memory *m)
{
	CHECK(pthread_mutex_lock(&m->lock) == 0);
}

static void memory_unlock(struct engine_memory *m)
{
	CHECK(pthread_mutex_unlock(&m->lock) == 0);
}

struct engine_memory *engine_memory_new(void)
{
	struct engine_memory *m = MEM_NEW(struct engine_memory);

	CHECK(pthread_mutex_init(&m->lock, NULL) == 0);
	for (unsigned i = 0; i < FAMILY_COUNT; i++)
		m->tables[i] = memory_table_new();
	return m;
}

void engine_memory_free(struct engine_memory *m)
{
	if (!m)
		return;
	CHECK(!m->open);
	for (unsigned i = 0; i < FAMILY_COUNT; i++)
		memory_table_release(m->tables[i]);
	pthread_mutex_destroy(&m->lock);
	mem_free(m);
}

void engine_memory_fail(struct engine_memory *m, enum engine_memory_call call, uint64_t nth,
			int error)
{
	memory_lock(m);
	m->faults[call] = (struct memory_fault){.nth = nth, .error = error};
	memory_unlock(m);
}

void engine_memory_press(struct engine_memory *m, uint64_t level0_files, uint64_t compaction_debt)
{
	memory_lock(m);
	m->level0_files = level0_files;
	m->compaction_debt = compaction_debt;
	memory_unlock(m);
}

/* The error that this call is to end with, OK mostly. The caller holds the lock. */
static int memory_fault_locked(struct engine_memory *m, enum engine_memory_call call)
{
	struct memory_fault *fault = &m->faults[call];

	if (fault->nth == 0 || --fault->nth > 0)
		return OK;
	return fault->error;
}

static int memory_fault(struct engine_memory *m, enum engine_memory_call call)
{
	int rc;

	memory_lock(m);
	rc = memory_fault_locked(m, call);
	memory_unlock(m);
	return rc;
}

/* Puts what the file says in place of the family's table. The caller holds the lock. */
static void memory_merge_locked(struct engine_memory *m, enum engine_family family,
				const struct memory_table *file, struct memory_range *ranges,
				size_t range_count)
{
	struct memory_table *old = m->tables[family];

	m->tables[family] = memory_table_merge(old, file, ranges, range_count);
	memory_table_release(old);
}

/* A file of one row is taken in, whatever the engine may do meanwhile. */
static void memory_replace_locked(struct engine_memory *m, enum engine_family family,
				  struct memory_row *row)
{
	struct memory_table *file = memory_table_new();

	memory_table_append(file, row);
	memory_merge_locked(m, family, file, NULL, 0);
	memory_table_release(file);
}

bool engine_memory_damage(struct engine_memory *m, enum engine_family family, struct slice key)
{
	struct memory_row *row, *damaged;

	memory_lock(m);
	row = memory_table_get(m->tables[family], key);
	if (row) {
		damaged = memory_row_new(key, memory_row_value(row));
		damaged->damaged = true;
		memory_replace_locked(m, family, damaged);
	}
	memory_unlock(m);
	return row != NULL;
}

bool engine_memory_flip(struct engine_memory *m, enum engine_family family, struct slice key,
			uint64_t bit)
{
	struct memory_row *row, *flipped;
	bool done;

	memory_lock(m);
	row = memory_table_get(m->tables[family], key);
	done = row && row->value_len;
	if (done) {
		flipped = memory_row_new(key, memory_row_value(row));
		flipped->bytes[row->key_len + bit / 8 % row->value_len] ^= (uint8_t)(1 << bit % 8);
		memory_replace_locked(m, family, flipped);
	}
	memory_unlock(m);
	return done;
}

/* ---- files in */

static struct memory_file *memory_file_of(struct engine_file *f)
{
	return CONTAINER_OF(f, struct memory_file, file);
}

static int memory_file_begin(struct engine *e, enum engine_family family, struct engine_file **out)
{
	struct engine_memory *m = CONTAINER_OF(e, struct memory_engine, engine)->durable;
	int rc = memory_fault(m, ENGINE_MEMORY_BEGIN);
	struct memory_file *f;

	(void)family;
	if (rc != OK)
		return rc;
	f = MEM_NEW(struct memory_file);
	f->durable = m;
	f->rows = memory_table_new();
	*out = &f->file;
	return OK;
}

static int memory_file_put(struct engine_file *file, struct slice key, struct slice value)
{
	struct memory_file *f = memory_file_of(file);
	int rc = memory_fault(f->durable, ENGINE_MEMORY_ROW);

	if (rc == OK)
		memory_table_append(f->rows, memory_row_new(key, value));
	return rc;
}

static int memory_file_delete(struct engine_file *file, struct slice key)
{
	struct memory_file *f = memory_file_of(file);
	int rc = memory_fault(f->durable, ENGINE_MEMORY_ROW);
	struct memory_row *row;

	if (rc != OK)
		return rc;
	row = memory_row_new(key, (struct slice){0});
	row->deleted = true;
	memory_table_append(f->rows, row);
	return OK;
}

static int memory_file_delete_range(struct engine_file *file, struct slice from, struct slice to)
{
	struct memory_file *f = memory_file_of(file);
	int rc = memory_fault(f->durable, ENGINE_MEMORY_ROW);
	struct memory_range *range;

	if (rc != OK)
		return rc;
	MEM_GROW(f->ranges, f->range_cap, f->range_count + 1);
	range = &f->ranges[f->range_count++];
	*range = (struct memory_range){0};
	buf_append_slice(&range->from, from);
	buf_append_slice(&range->to, to);
	return OK;
}

static int memory_file_finish(struct engine_file *file)
{
	return memory_fault(memory_file_of(file)->durable, ENGINE_MEMORY_FINISH);
}

static int memory_file_ingest(struct engine_file *file)
{
	struct memory_file *f = memory_file_of(file);
	struct engine_memory *m = f->durable;
	int rc;

	memory_lock(m);
	rc = memory_fault_locked(m, ENGINE_MEMORY_INGEST);
	if (rc == OK) {
		memory_merge_locked(m, file->family, f->rows, f->ranges, f->range_count);
		rc = memory_fault_locked(m, ENGINE_MEMORY_INGESTED);
	}
	memory_unlock(m);
	return rc;
}

static void memory_file_free(struct engine_file *file)
{
	struct memory_file *f = memory_file_of(file);

	memory_lock(f->durable);
	memory_table_release(f->rows);
	memory_unlock(f->durable);
	for (size_t i = 0; i < f->range_count; i++) {
		buf_free(&f->ranges[i].from);
		buf_free(&f->ranges[i].to);
	}
	mem_free(f->ranges);
	mem_free(f);
}

/* ---- rows out */

static struct engine_view *memory_view_open(struct engine *e)
{
	struct memory_view *v = MEM_NEW(struct memory_view);

	v->durable = CONTAINER_OF(e, struct memory_engine, engine)->durable;
	memory_lock(v->durable);
	for (unsigned i = 0; i < FAMILY_COUNT; i++)
		v->tables[i] = memory_table_hold(v->durable->tables[i]);
	memory_unlock(v->durable);
	return &v->view;
}

static void memory_view_close(struct engine_view *view)
{
	struct memory_view *v = CONTAINER_OF(view, struct memory_view, view);

	memory_lock(v->durable);
	for (unsigned i = 0; i < FAMILY_COUNT; i++)
		memory_table_release(v->tables[i]);
	memory_unlock(v->durable);
	mem_free(v);
}

static int memory_view_get(struct engine_view *view, enum engine_family family, struct slice key,
			   struct buf *out)
{
	const struct memory_view *v = CONTAINER_OF(view, struct memory_view, view);
	const struct memory_row *row;
	int rc = memory_fault(v->durable, ENGINE_MEMORY_READ);

	if (rc != OK)
		return rc;
	row = memory_table_get(v->tables[family], key);
	if (!row)
		return ERR_NOT_FOUND;
	if (row->damaged)
		return ERR_CORRUPT;
	buf_append_slice(out, memory_row_value(row));
	return OK;
}

static void memory_view_get_many(struct engine_view *view, struct engine_get *gets, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		buf_clear(&gets[i].value);
		gets[i].result = memory_view_get(view, gets[i].family, gets[i].key, &gets[i].value);
	}
}

static uint64_t memory_view_bytes(struct engine_view *view, enum engine_family family,
				  struct slice from)
{
	const struct memory_table *t = CONTAINER_OF(view, struct memory_view, view)->tables[family];
	uint64_t bytes = 0;

	for (size_t i = memory_table_find(t, from); i < t->count; i++)
		bytes += memory_row_key(t->rows[i]).len + memory_row_value(t->rows[i]).len;
	return bytes;
}

static struct memory_cursor *memory_cursor_of(struct engine_cursor *c)
{
	return CONTAINER_OF(c, struct memory_cursor, cursor);
}

/* What was deleted is not there any more. */
static struct engine_cursor *memory_cursor_open(struct engine_view *view, enum engine_family family,
						struct slice end, bool all)
{
	const struct memory_view *v = CONTAINER_OF(view, struct memory_view, view);
	struct memory_cursor *c = MEM_NEW(struct memory_cursor);

	(void)all;
	c->durable = v->durable;
	c->table = v->tables[family];
	c->limit = end.len > 0 ? memory_table_find(c->table, end) : c->table->count;
	return &c->cursor;
}

static void memory_cursor_close(struct engine_cursor *c)
{
	mem_free(memory_cursor_of(c));
}

/* Stands at the row at this place, if there is one. */
static void memory_cursor_set(struct memory_cursor *c, size_t at)
{
	struct engine_cursor *cursor = &c->cursor;
	const struct memory_row *row = at < c->limit ? c->table->rows[at] : NULL;

	cursor->error = memory_fault(c->durable, ENGINE_MEMORY_READ);
	if (cursor->error == OK && row && row->damaged)
		cursor->error = ERR_CORRUPT;
	cursor->valid = row && cursor->error == OK;
	if (!cursor->valid)
		return;
	c->at = at;
	cursor->key = memory_row_key(row);
	cursor->value = memory_row_value(row);
}

static void memory_cursor_seek(struct engine_cursor *cursor, struct slice key)
{
	struct memory_cursor *c = memory_cursor_of(cursor);

	memory_cursor_set(c, memory_table_find(c->table, key));
}

/* Place 0 has none before it; the place that comes out is behind the end, as any other that is. */
static void memory_cursor_seek_before(struct engine_cursor *cursor, struct slice key)
{
	struct memory_cursor *c = memory_cursor_of(cursor);
	size_t at = key.len > 0 ? memory_table_find(c->table, key) : c->limit;

	memory_cursor_set(c, MIN(at, c->limit) - 1);
}

static void memory_cursor_next(struct engine_cursor *cursor)
{
	struct memory_cursor *c = memory_cursor_of(cursor);

	memory_cursor_set(c, c->at + 1);
}

static void memory_cursor_prev(struct engine_cursor *cursor)
{
	struct memory_cursor *c = memory_cursor_of(cursor);

	memory_cursor_set(c, c->at - 1);
}

/* ---- the whole */

static void memory_load(struct engine *e, struct engine_load *out)
{
	struct engine_memory *m = CONTAINER_OF(e, struct memory_engine, engine)->durable;

	memory_lock(m);
	for (unsigned i = 0; i < FAMILY_COUNT; i++)
		out->live_bytes += m->tables[i]->bytes;
	out->level0_files = m->level0_files;
	out->compaction_debt = m->compaction_debt;
	memory_unlock(m);
}

static void memory_close(struct engine *e)
{
	struct memory_engine *engine = CONTAINER_OF(e, struct memory_engine, engine);

	engine->durable->open = false;
	mem_free(engine);
}

struct engine *engine_memory_open(struct engine_memory *m)
{
	static const struct engine_ops ops = {
		.file_begin = memory_file_begin,
		.file_put = memory_file_put,
		.file_delete = memory_file_delete,
		.file_delete_range = memory_file_delete_range,
		.file_finish = memory_file_finish,
		.file_ingest = memory_file_ingest,
		.file_free = memory_file_free,
		.view_open = memory_view_open,
		.view_close = memory_view_close,
		.view_get = memory_view_get,
		.view_get_many = memory_view_get_many,
		.view_bytes = memory_view_bytes,
		.cursor_open = memory_cursor_open,
		.cursor_close = memory_cursor_close,
		.cursor_seek = memory_cursor_seek,
		.cursor_seek_before = memory_cursor_seek_before,
		.cursor_next = memory_cursor_next,
		.cursor_prev = memory_cursor_prev,
		.load = memory_load,
		.close = memory_close,
	};
	struct memory_engine *engine = MEM_NEW(struct memory_engine);

	CHECK(!m->open);
	m->open = true;
	engine_init(&engine->engine, &ops);
	engine->durable = m;
	return &engine->engine;
}
