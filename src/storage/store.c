#include "storage/store.h"

#include "base/check.h"
#include "base/error.h"
#include "base/logging.h"
#include "base/mem.h"
#include "storage/store_internal.h"

struct view {
	struct store *store;
	struct overlay *overlays[2]; /* newest first */
	struct layer layers[2];
	unsigned layer_count;
	struct published *published;
	struct position position; /* its arrays are not there */
	uint64_t drops;		  /* of the store, when it was opened */
};

struct cleaning {
	struct job job;
	struct list views; /* of struct published */
};

struct published *published_new(struct engine_view *view)
{
	struct published *p = MEM_NEW(struct published);

	p->view = view;
	p->holders = 1;
	list_init(&p->link);
	return p;
}

void published_release(struct store *s, struct published *p)
{
	CHECK(p->holders > 0);
	if (--p->holders == 0)
		list_push_back(&s->retired, &p->link);
}

static int store_read_position(struct store *s, struct buf *snapshot)
{
	struct buf key = {0}, value = {0};
	struct slice descriptor;
	int rc;

	meta_key(&key, POSITION_NAME);
	rc = engine_view_get(s->published->view, FAMILY_STATE, buf_slice(&key), &value);
	if (rc == OK) {
		rc = position_decode(buf_slice(&value), &s->position, &descriptor);
		if (rc == OK)
			buf_append_slice(snapshot, descriptor);
		else if (rc == ERR_MALFORMED)
			rc = ERR_CORRUPT;
	} else if (rc == ERR_NOT_FOUND) {
		position_init(&s->position);
		rc = OK;
	}
	buf_free(&key);
	buf_free(&value);
	return rc;
}

int store_open(struct store **out, struct engine *engine, const struct store_options *options,
	       struct buf *snapshot)
{
	struct store *s = MEM_NEW(struct store);
	int rc;

	s->options = *options;
	s->engine = engine;
	s->live = overlay_new();
	list_init(&s->retired);
	row_cache_init(&s->headers, options->header_cache_bytes);
	row_cache_init(&s->values, options->value_cache_bytes);
	s->published = published_new(engine_view_open(engine));
	rc = store_read_position(s, snapshot);
	if (rc != OK) {
		store_close(s);
		return rc;
	}
	*out = s;
	return OK;
}

static void cleaning_run(struct list *views)
{
	struct list *it;

	while ((it = list_pop_front(views)) != NULL) {
		struct published *p = LIST_ITEM(it, struct published, link);

		engine_view_close(p->view);
		mem_free(p);
	}
}

void store_close(struct store *s)
{
	if (!s)
		return;
	published_release(s, s->published);
	cleaning_run(&s->retired);
	for (int family = 0; family < FAMILY_COUNT; family++)
		engine_file_drop(s->flush.files[family]);
	engine_view_close(s->flush.view);
	buf_free(&s->flush.position);
	overlay_release(s->live);
	overlay_release(s->frozen);
	row_cache_close(&s->headers);
	row_cache_close(&s->values);
	position_free(&s->position);
	mem_free(s);
}

struct position *store_position(struct store *s)
{
	return &s->position;
}

static struct layer overlay_peek(const struct overlay *o)
{
	struct layer l;

	for (int family = 0; family < FAMILY_COUNT; family++) {
		l.trees[family].root = o->trees[family].root;
		l.trees[family].height = o->trees[family].height;
	}
	return l;
}

void store_reader(struct store *s, struct reader *r)
{
	r->layers[0] = (struct layer){0};
	r->layers[1] = overlay_peek(s->live);
	r->layer_count = 2;
	if (s->frozen)
		r->layers[r->layer_count++] = overlay_peek(s->frozen);
	r->headers = &s->headers;
	r->values = &s->values;
}

void store_put(struct store *s, enum engine_family family, struct slice key, struct slice value,
	       bool deleted)
{
	tree_put(&s->live->trees[family], key, value, deleted);
	if (family != FAMILY_STATE)
		return;
	if (key.data[0] == STATE_RECORD && !deleted)
		row_cache_put(&s->headers, key, value);
	else
		row_cache_update(&s->headers, key, value, deleted);
}

/*
 * A row from the engine is what a reader would see only if no overlay holds its key, and none was
 * dropped since the view was opened: its rows are in the engine now, and not in that view.
 */
static void store_learn_row(struct store *s, enum engine_family family, const struct tree_row *row)
{
	struct slice key = tree_row_key(row);
	struct row_cache *cache = family == FAMILY_STATE ? &s->headers : &s->values;

	if (tree_find(&s->live->trees[family], key) ||
	    (s->frozen && tree_find(&s->frozen->trees[family], key)))
		return;
	if (!row->deleted)
		row_cache_put(cache, key, tree_row_value(row));
	else if (family == FAMILY_STATE)
		row_cache_put_absent(cache, key);
}

void store_learn(struct store *s, const struct view *v, const struct fetched *rows)
{
	if (v->drops != s->drops)
		return;
	for (int family = 0; family < FAMILY_COUNT; family++) {
		const struct tree *t = &rows->trees[family];
		struct tree_cursor c;

		if (!t->root)
			continue;
		tree_seek(&c, (struct tree_snapshot){t->root, t->height}, (struct slice){NULL, 0});
		for (; c.row; tree_next(&c))
			store_learn_row(s, (enum engine_family)family, c.row);
	}
}

/* ---- views ----------------------------------------------------------------------------------- */

static void view_add(struct view *v, struct overlay *o)
{
	struct layer *l = &v->layers[v->layer_count];

	for (int family = 0; family < FAMILY_COUNT; family++)
		l->trees[family] = tree_snapshot(&o->trees[family]);
	v->overlays[v->layer_count++] = overlay_hold(o);
}

struct view *view_open(struct store *s)
{
	struct view *v = MEM_NEW(struct view);

	v->store = s;
	view_add(v, s->live);
	if (s->frozen)
		view_add(v, s->frozen);
	v->published = s->published;
	v->published->holders++;
	v->position = s->position;
	v->position.origins = NULL;
	v->position.origin_count = 0;
	v->position.keyspaces = NULL;
	v->position.keyspace_count = 0;
	v->drops = s->drops;
	return v;
}

void view_close(struct view *v)
{
	if (!v)
		return;
	for (unsigned i = 0; i < v->layer_count; i++)
		overlay_release(v->overlays[i]);
	published_release(v->store, v->published);
	mem_free(v);
}

void view_reader(const struct view *v, struct reader *r)
{
	r->layers[0] = (struct layer){0};
	for (unsigned i = 0; i < v->layer_count; i++)
		r->layers[1 + i] = v->layers[i];
	r->layer_count = 1 + v->layer_count;
	r->engine = v->published->view;
}

const struct position *view_position(const struct view *v)
{
	return &v->position;
}

static enum job_progress cleaning_step(struct job *job)
{
	cleaning_run(&CONTAINER_OF(job, struct cleaning, job)->views);
	return JOB_DONE;
}

struct job *store_clean(struct store *s)
{
	struct cleaning *c;
	struct list *it;

	if (list_empty(&s->retired))
		return NULL;
	c = MEM_NEW(struct cleaning);
	list_init(&c->views);
	while ((it = list_pop_front(&s->retired)) != NULL)
		list_push_back(&c->views, it);
	c->job.step = cleaning_step;
	list_init(&c->job.link);
	return &c->job;
}

void store_cleaned(struct job *job)
{
	if (!job)
		return;
	cleaning_run(&CONTAINER_OF(job, struct cleaning, job)->views);
	mem_free(CONTAINER_OF(job, struct cleaning, job));
}

void store_stats(const struct store *s, struct store_stats *out)
{
	*out = (struct store_stats){
		.live_bytes = overlay_bytes(s->live),
		.frozen_bytes = s->frozen ? overlay_bytes(s->frozen) : 0,
		.header_bytes = s->headers.bytes,
		.value_bytes = s->values.bytes,
		.header_hits = s->headers.hits,
		.header_misses = s->headers.misses,
		.value_hits = s->values.hits,
		.value_misses = s->values.misses,
		.flushes = s->flushes,
	};
}
