#include "storage/engine.h"

#include "base/check.h"
#include "storage/engine_internal.h"

void engine_init(struct engine *e, const struct engine_ops *ops)
{
	e->ops = ops;
	list_init(&e->files);
	e->stopped = false;
	atomic_init(&e->views, 0);
}

static bool family_known(enum engine_family family)
{
	return family == FAMILY_HISTORY || family == FAMILY_STATE;
}

int engine_file_begin(struct engine *e, enum engine_family family, struct engine_file **out)
{
	struct engine_file *f;
	int rc;

	CHECK(family_known(family));
	if (e->stopped)
		return ERR_STOPPED;
	rc = e->ops->file_begin(e, family, &f);
	if (rc != OK)
		return rc;
	f->engine = e;
	f->family = family;
	list_push_back(&e->files, &f->in_engine);
	*out = f;
	return OK;
}

/* Whether the file takes a row under `key` now; counts it. */
static bool engine_file_takes(struct engine_file *f, struct slice key)
{
	CHECK(!f->finished);
	CHECK(key.len > 0);
	CHECK(f->last_key.len == 0 || slice_compare(buf_slice(&f->last_key), key) < 0);
	if (f->failed != OK)
		return false;
	buf_clear(&f->last_key);
	buf_append_slice(&f->last_key, key);
	f->rows++;
	return true;
}

int engine_file_put(struct engine_file *f, struct slice key, struct slice value)
{
	if (engine_file_takes(f, key))
		f->failed = f->engine->ops->file_put(f, key, value);
	return f->failed;
}

int engine_file_delete(struct engine_file *f, struct slice key)
{
	if (engine_file_takes(f, key))
		f->failed = f->engine->ops->file_delete(f, key);
	return f->failed;
}

int engine_file_delete_range(struct engine_file *f, struct slice from, struct slice to)
{
	int order = slice_compare(from, to);

	CHECK(!f->finished);
	CHECK(order <= 0);
	if (f->failed == OK && order < 0) {
		f->rows++;
		f->failed = f->engine->ops->file_delete_range(f, from, to);
	}
	return f->failed;
}

int engine_file_finish(struct engine_file *f)
{
	CHECK(!f->finished);
	if (f->failed == OK && f->rows > 0)
		f->failed = f->engine->ops->file_finish(f);
	f->finished = f->failed == OK;
	return f->failed;
}

int engine_file_ingest(struct engine_file *f)
{
	struct engine *e = f->engine;
	int rc = OK;

	CHECK(f->finished);
	if (e->stopped)
		rc = ERR_STOPPED;
	else if (f->rows > 0)
		rc = e->ops->file_ingest(f);
	e->stopped = rc != OK;
	engine_file_drop(f);
	return rc;
}

void engine_file_drop(struct engine_file *f)
{
	if (!f)
		return;
	list_remove(&f->in_engine);
	buf_free(&f->last_key);
	f->engine->ops->file_free(f);
}

struct engine_view *engine_view_open(struct engine *e)
{
	struct engine_view *v = e->ops->view_open(e);

	v->engine = e;
	atomic_init(&v->cursors, 0);
	atomic_fetch_add(&e->views, 1);
	return v;
}

void engine_view_close(struct engine_view *v)
{
	struct engine *e;

	if (!v)
		return;
	e = v->engine;
	CHECK(atomic_load(&v->cursors) == 0);
	e->ops->view_close(v);
	atomic_fetch_sub(&e->views, 1);
}

int engine_view_get(struct engine_view *v, enum engine_family family, struct slice key,
		    struct buf *out)
{
	CHECK(family_known(family));
	return v->engine->ops->view_get(v, family, key, out);
}

void engine_view_get_many(struct engine_view *v, struct engine_get *gets, size_t count)
{
	for (size_t i = 0; i < count; i++)
		CHECK(family_known(gets[i].family));
	v->engine->ops->view_get_many(v, gets, count);
}

uint64_t engine_view_bytes(struct engine_view *v, enum engine_family family, struct slice from)
{
	CHECK(family_known(family));
	return v->engine->ops->view_bytes(v, family, from);
}

static struct engine_cursor *cursor_open(struct engine_view *v, enum engine_family family,
					 struct slice end, bool all)
{
	struct engine_cursor *c;

	CHECK(family_known(family));
	c = v->engine->ops->cursor_open(v, family, end, all);
	c->view = v;
	atomic_fetch_add(&v->cursors, 1);
	return c;
}

struct engine_cursor *engine_cursor_open(struct engine_view *v, enum engine_family family,
					 struct slice end)
{
	return cursor_open(v, family, end, false);
}

struct engine_cursor *engine_cursor_open_all(struct engine_view *v, enum engine_family family,
					     struct slice end)
{
	return cursor_open(v, family, end, true);
}

void engine_cursor_close(struct engine_cursor *c)
{
	if (!c)
		return;
	atomic_fetch_sub(&c->view->cursors, 1);
	c->view->engine->ops->cursor_close(c);
}

void engine_cursor_seek(struct engine_cursor *c, struct slice key)
{
	c->view->engine->ops->cursor_seek(c, key);
}

void engine_cursor_seek_before(struct engine_cursor *c, struct slice key)
{
	c->view->engine->ops->cursor_seek_before(c, key);
}

void engine_cursor_next(struct engine_cursor *c)
{
	CHECK(c->valid);
	c->view->engine->ops->cursor_next(c);
}

void engine_cursor_prev(struct engine_cursor *c)
{
	CHECK(c->valid);
	c->view->engine->ops->cursor_prev(c);
}

bool engine_cursor_valid(const struct engine_cursor *c)
{
	return c->valid;
}

int engine_cursor_error(const struct engine_cursor *c)
{
	return c->error;
}

struct slice engine_cursor_key(const struct engine_cursor *c)
{
	CHECK(c->valid);
	return c->key;
}

struct slice engine_cursor_value(const struct engine_cursor *c)
{
	CHECK(c->valid);
	return c->value;
}

void engine_load(struct engine *e, struct engine_load *out)
{
	*out = (struct engine_load){0};
	e->ops->load(e, out);
}

int engine_tidy(struct engine *e, bool thorough, bool *more)
{
	*more = false;
	return e->ops->tidy ? e->ops->tidy(e, thorough, more) : OK;
}

void engine_close(struct engine *e)
{
	if (!e)
		return;
	CHECK(atomic_load(&e->views) == 0);
	list_for_each_safe (it, &e->files)
		engine_file_drop(LIST_ITEM(it, struct engine_file, in_engine));
	e->ops->close(e);
}
