#include "storage/store.h"

#include "base/check.h"
#include "base/error.h"
#include "base/logging.h"
#include "base/mem.h"
#include "base/mutant.h"
#include "storage/store_internal.h"

#include <string.h>

struct view {
	struct store *store;
	struct overlay *overlays[2]; /* newest first */
	struct layer layers[2];
	unsigned layer_count;
	struct published *published;
	struct position position; /* of its rows, those of keyspaces alone */
	struct keyspace_row keyspaces[DATABASE_COUNT];
	uint64_t drops; /* of the store, when it was opened */
};

struct cleaning {
	struct job job;
	struct store *store;
	struct list views; /* of struct published */
};

struct published *published_new(struct store *s, struct engine_view *view, uint64_t index)
{
	struct published *p = MEM_NEW(struct published);

	s->views++;
	p->engine = s->engine;
	p->view = view;
	p->index = index;
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

struct engine_bound engine_bound_of(const struct position *p)
{
	return (struct engine_bound){p->revision, p->next_incarnation, p->next_keyspace};
}

int store_read_meta(struct engine_view *view, struct slice name, struct buf *out)
{
	struct buf key = {0};
	int rc;

	meta_key(&key, name);
	rc = engine_view_get(view, FAMILY_STATE, buf_slice(&key), out);
	buf_free(&key);
	return rc == ERR_NOT_FOUND ? OK : rc;
}

/* All zero before. */
static int take_position(struct slice bytes, struct position *p, struct buf *snapshot)
{
	struct slice descriptor;
	int rc;

	if (bytes.len == 0) {
		position_init(p);
		return OK;
	}
	rc = position_decode(bytes, p, &descriptor);
	if (rc == OK)
		buf_append_slice(snapshot, descriptor);
	return rc == ERR_MALFORMED ? ERR_CORRUPT : rc;
}

static int store_start(struct store *s, struct buf *snapshot)
{
	struct engine_view *view = engine_view_open(s->engine);
	struct buf position = {0};
	int rc = store_read_meta(view, POSITION_NAME, &position);

	if (rc == OK)
		rc = take_position(buf_slice(&position), &s->position, snapshot);
	if (rc == OK)
		rc = store_read_dropped(view, &s->dropped);
	if (rc == OK && position.len)
		s->bound = engine_bound_of(&s->position);
	s->durable_horizon = s->position.horizon;
	s->compact_rest = s->durable_horizon > 0; /* it may be; nobody knows before it is tried */
	s->published = published_new(s, view, s->position.index);
	buf_free(&position);
	return rc;
}

int store_stored_index(struct engine *engine, uint64_t *index)
{
	struct engine_view *view = engine_view_open(engine);
	struct buf bytes = {0}, snapshot = {0};
	struct position p = {0};
	int rc = store_read_meta(view, POSITION_NAME, &bytes);

	if (rc == OK)
		rc = take_position(buf_slice(&bytes), &p, &snapshot);
	*index = p.index;
	position_free(&p);
	buf_free(&bytes);
	buf_free(&snapshot);
	engine_view_close(view);
	return rc;
}

void store_begin_overlay(struct store *s)
{
	s->live = overlay_new();
	s->overlays++;
}

int store_open(struct store **out, struct engine *engine, const struct store_options *options,
	       struct buf *snapshot)
{
	struct store *s = MEM_NEW(struct store);
	int rc;

	s->options = *options;
	s->engine = engine;
	store_begin_overlay(s);
	list_init(&s->retired);
	store_init_caches(s);
	rc = store_start(s, snapshot);
	if (rc != OK) {
		store_close(s);
		return rc;
	}
	*out = s;
	return OK;
}

static void cleaning_run(struct list *views)
{
	list_for_each (it, views) {
		struct published *p = LIST_ITEM(it, struct published, link);

		engine_view_close(p->view);
		p->view = NULL;
	}
}

static void cleaning_end(struct store *s, struct list *views)
{
	struct list *it;

	cleaning_run(views);
	while ((it = list_pop_front(views)) != NULL) {
		struct published *p = LIST_ITEM(it, struct published, link);

		if (p->engine == s->engine)
			s->views--;
		else
			s->abandoned_views--;
		mem_free(p);
	}
}

void store_close(struct store *s)
{
	if (!s)
		return;
	published_release(s, s->published);
	cleaning_end(s, &s->retired);
	for (int family = 0; family < FAMILY_COUNT; family++)
		engine_file_drop(s->flush.files[family]);
	engine_view_close(s->flush.view);
	store_compact_close(s);
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
	if (s->frozen && !MUTANT(reader_without_frozen))
		r->layers[r->layer_count++] = overlay_peek(s->frozen);
	r->drops = s->drops;
	r->bound = s->bound;
	r->headers = &s->headers;
	r->values = &s->values;
}

uint64_t store_deadline_ms(const struct store *s)
{
	return s->deadline_ms;
}

uint64_t store_take_deadline_ms(struct store *s)
{
	uint64_t at_ms = s->deadline_ms;

	s->deadline_ms = UINT64_MAX;
	return at_ms;
}

void store_lower_deadline_ms(struct store *s, uint64_t at_ms)
{
	s->deadline_ms = MIN(s->deadline_ms, at_ms);
}

static void store_note_deadline(struct store *s, struct slice row)
{
	struct slice key;
	uint64_t at_ms;
	uint32_t keyspace;
	int rc = deadline_key_decode(row, &at_ms, &keyspace, &key);

	CHECK(rc == OK);
	store_lower_deadline_ms(s, at_ms);
}

static bool store_is_live(const struct store *s, const struct row_place *place)
{
	if (MUTANT(renew_in_frozen) && s->frozen && place->holder + 1 == s->overlays)
		return true;
	return place->holder == s->overlays;
}

/*
 * The cache remembers where the living overlay holds a record: what is changed again and again is
 * looked for once.
 */
static void store_put_record(struct store *s, struct slice key, struct slice value)
{
	struct tree *t = &s->live->trees[FAMILY_STATE];
	struct row_place *place = row_cache_put(&s->headers, key, value);
	struct tree_row *row;

	if (place && store_is_live(s, place) && tree_renew(t, place->row, value))
		return;
	row = tree_put(t, key, value, false);
	if (place)
		*place = (struct row_place){row, s->overlays};
}

static void store_put_state(struct store *s, struct slice key, struct slice value, bool deleted)
{
	tree_put(&s->live->trees[FAMILY_STATE], key, value, deleted);
	if (key.data[0] == STATE_DEADLINE && !deleted)
		store_note_deadline(s, key);
	if (!MUTANT(change_leaves_cache))
		row_cache_update(&s->headers, key, value, deleted);
}

void store_put(struct store *s, enum engine_family family, struct slice key, struct slice value,
	       bool deleted)
{
	if (family != FAMILY_STATE)
		tree_put(&s->live->trees[family], key, value, deleted);
	else if (key.data[0] == STATE_RECORD && !deleted && !MUTANT(change_leaves_cache))
		store_put_record(s, key, value);
	else
		store_put_state(s, key, value, deleted);
}

/* ---- views ----------------------------------------------------------------------------------- */

static void view_add(struct view *v, struct overlay *o)
{
	struct layer *l = &v->layers[v->layer_count];

	for (int family = 0; family < FAMILY_COUNT; family++)
		l->trees[family] = MUTANT(view_goes_on) ? overlay_peek(o).trees[family]
							: tree_snapshot(&o->trees[family]);
	v->overlays[v->layer_count++] = overlay_hold(o);
}

struct view *view_open_engine(struct store *s)
{
	struct view *v = MEM_NEW(struct view);

	v->store = s;
	v->published = s->published;
	v->published->holders++;
	v->drops = s->drops;
	return v;
}

void view_get_many(struct view *v, struct engine_get *gets, size_t count)
{
	engine_view_get_many(v->published->view, gets, count);
}

struct view *view_open(struct store *s)
{
	struct view *v = view_open_engine(s);

	view_add(v, s->live);
	if (s->frozen && !MUTANT(view_without_frozen))
		view_add(v, s->frozen);
	position_numbers(&s->position, &v->position);
	CHECK(s->position.keyspace_count == DATABASE_COUNT);
	memcpy(v->keyspaces, s->position.keyspaces, sizeof(v->keyspaces));
	v->position.keyspaces = v->keyspaces;
	v->position.keyspace_count = DATABASE_COUNT;
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
	r->drops = v->drops;
	r->engine = v->published->view;
}

uint64_t view_drops(const struct view *v)
{
	return v->drops;
}

const struct position *view_position(const struct view *v)
{
	return &v->position;
}

uint64_t view_history_bytes(const struct view *v, uint64_t revision)
{
	uint8_t from[HISTORY_KEY_BYTES];

	history_key_put(from, (struct revision){revision + 1, 0});
	return engine_view_bytes(v->published->view, FAMILY_HISTORY, slice_of(from, sizeof(from)));
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
	c->store = s;
	list_init(&c->views);
	while ((it = list_pop_front(&s->retired)) != NULL)
		list_push_back(&c->views, it);
	c->job.step = cleaning_step;
	list_init(&c->job.link);
	return &c->job;
}

void store_cleaned(struct job *job)
{
	struct cleaning *c;

	if (!job)
		return;
	c = CONTAINER_OF(job, struct cleaning, job);
	cleaning_end(c->store, &c->views);
	mem_free(c);
}

/* ---- the whole ------------------------------------------------------------------------------- */

uint64_t store_durable_index(const struct store *s)
{
	return s->published->index;
}

struct published *store_share(struct store *s)
{
	s->published->holders++;
	return s->published;
}

void store_share_end(struct store *s, struct published *p)
{
	published_release(s, p);
}

struct engine_view *store_share_view(const struct published *p)
{
	return p->view;
}

int store_intake_read(struct store_intake *in, struct engine *engine)
{
	struct position p = {0};
	int rc;

	in->engine = engine;
	in->view = engine_view_open(engine);
	rc = store_read_meta(in->view, POSITION_NAME, &in->position);
	if (rc == OK && in->position.len == 0)
		rc = ERR_CORRUPT;
	if (rc == OK)
		rc = take_position(buf_slice(&in->position), &p, &in->snapshot);
	if (rc == OK)
		rc = store_read_dropped(in->view, &in->dropped);
	in->index = p.index;
	in->level = p.level;
	position_free(&p);
	if (rc != OK)
		store_intake_drop(in);
	return rc;
}

void store_intake_drop(struct store_intake *in)
{
	engine_view_close(in->view);
	buf_free(&in->position);
	buf_free(&in->snapshot);
	*in = (struct store_intake){0};
}

void store_replace(struct store *s, struct store_intake *in)
{
	struct position p = {0};
	struct buf snapshot = {0};
	int rc = take_position(buf_slice(&in->position), &p, &snapshot);

	CHECK(rc == OK && !s->abandoned && !s->flush.under_way && !s->compact.under_way);
	buf_free(&snapshot);
	s->abandoned = s->engine;
	s->abandoned_views = s->views;
	published_release(s, s->published);
	s->engine = in->engine;
	s->views = 0;
	s->published = published_new(s, in->view, p.index);
	in->view = NULL;
	s->durable_horizon = p.horizon;
	s->dropped = in->dropped;
	s->compact_rest = p.horizon > 0;
	garbage_place_free(&s->compact.left);
	store_intake_drop(in);
	position_free(&s->position);
	s->position = p;
	s->bound = engine_bound_of(&p);
	overlay_release(s->live);
	overlay_release(s->frozen);
	store_begin_overlay(s);
	s->frozen = NULL;
	s->flush.failed = false;
	if (!MUTANT(install_keeps_cache))
		row_cache_clear(&s->headers);
	row_cache_clear(&s->values);
	s->drops++;
}

struct engine *store_take_abandoned(struct store *s)
{
	struct engine *e = s->abandoned;

	if (!e || s->abandoned_views)
		return NULL;
	s->abandoned = NULL;
	return e;
}

bool store_has_abandoned(const struct store *s)
{
	return s->abandoned != NULL;
}

void store_stats(const struct store *s, struct store_stats *out)
{
	*out = (struct store_stats){
		.live_bytes = overlay_bytes(s->live),
		.frozen_bytes = s->frozen ? overlay_bytes(s->frozen) : 0,
		.header_bytes = s->headers.bytes,
		.value_bytes = s->headers.value_bytes + s->values.bytes,
		.header_hits = s->headers.hits,
		.header_misses = s->headers.misses,
		.value_hits = s->headers.value_hits + s->values.hits,
		.value_misses = s->values.misses,
		.flushes = s->flushes,
		.dropped = s->dropped,
	};
}
