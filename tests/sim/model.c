#include "sim/model.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"
#include "storage/row.h"

#include <string.h>

/* ---- values ---------------------------------------------------------------------------------- */

struct model_value *value_text(struct slice text)
{
	return text_written(NULL, 0, text);
}

struct model_value *value_hash(const struct model_value *from)
{
	struct model_value *v = MEM_NEW(struct model_value);

	v->holders = 1;
	v->is_hash = true;
	for (size_t i = 0; from && i < from->count; i++)
		value_set_field(v, buf_slice(&from->fields[i].name),
				buf_slice(&from->fields[i].text));
	return v;
}

struct model_value *value_hold(struct model_value *v)
{
	if (v)
		v->holders++;
	return v;
}

static void field_free(struct model_field *f)
{
	buf_free(&f->name);
	buf_free(&f->text);
}

void value_release(struct model_value *v)
{
	if (!v || --v->holders)
		return;
	for (size_t i = 0; i < v->count; i++)
		field_free(&v->fields[i]);
	mem_free(v->fields);
	text_release(v);
	mem_free(v);
}

/* Replies have fields in the order of their hashes. */
static int field_order(struct slice a, struct slice b)
{
	uint64_t x = hash64(a), y = hash64(b);

	return x == y ? slice_compare(a, b) : (x < y ? -1 : 1);
}

static size_t field_place(const struct model_value *v, struct slice name)
{
	size_t i = 0;

	while (i < v->count && field_order(buf_slice(&v->fields[i].name), name) < 0)
		i++;
	return i;
}

const struct model_field *value_field(const struct model_value *v, struct slice name)
{
	size_t i = field_place(v, name);

	return i < v->count && slice_equal(buf_slice(&v->fields[i].name), name) ? &v->fields[i]
										: NULL;
}

bool value_set_field(struct model_value *v, struct slice name, struct slice text)
{
	size_t i = field_place(v, name);
	bool is_new = value_field(v, name) == NULL;
	struct model_field *f;

	if (is_new) {
		MEM_GROW(v->fields, v->cap, v->count + 1);
		memmove(v->fields + i + 1, v->fields + i, (v->count++ - i) * sizeof(*v->fields));
		v->fields[i] = (struct model_field){0};
		buf_append_slice(&v->fields[i].name, name);
	}
	f = &v->fields[i];
	buf_clear(&f->text);
	buf_append_slice(&f->text, text);
	return is_new;
}

bool value_remove_field(struct model_value *v, struct slice name)
{
	size_t i = field_place(v, name);

	if (!value_field(v, name))
		return false;
	field_free(&v->fields[i]);
	memmove(v->fields + i, v->fields + i + 1, (--v->count - i) * sizeof(*v->fields));
	return true;
}

/* ---- cells ----------------------------------------------------------------------------------- */

struct model_cell *model_cell(struct model *m, unsigned database, struct slice key)
{
	uint64_t hash = hash64_salted(key, database);
	struct hash_node *n = hash_table_first(&m->cells, hash);
	struct model_cell *c;

	for (; n; n = hash_table_next(n)) {
		c = CONTAINER_OF(n, struct model_cell, node);
		if (c->database == database && slice_equal(buf_slice(&c->key), key))
			return c;
	}
	c = MEM_NEW(struct model_cell);
	c->database = database;
	buf_append_slice(&c->key, key);
	MEM_GROW(c->versions, c->cap, 1);
	c->versions[c->count++] = (struct model_version){0};
	hash_table_insert(&m->cells, &c->node, hash);
	MEM_GROW(m->all, m->cell_cap, m->cell_count + 1);
	m->all[m->cell_count++] = c;
	return c;
}

static void cell_free(struct model_cell *c)
{
	for (size_t i = 0; i < c->count; i++)
		value_release(c->versions[i].value);
	mem_free(c->versions);
	buf_free(&c->key);
	mem_free(c);
}

const struct model_version *cell_at(const struct model_cell *c, uint64_t revision)
{
	size_t low = 0, high = c->count - 1;

	while (low < high) {
		size_t middle = (low + high + 1) / 2;

		if (c->versions[middle].at <= revision)
			low = middle;
		else
			high = middle - 1;
	}
	return &c->versions[low];
}

/* From the revision that is being made on; takes the value over. */
static void cell_becomes(struct model *m, struct model_cell *c, struct model_version v)
{
	struct model_version *last = &c->versions[c->count - 1];

	m->changes = true;
	v.at = m->revision + 1;
	if (last->at == v.at) {
		value_release(last->value);
		*last = v;
		return;
	}
	MEM_GROW(c->versions, c->cap, c->count + 1);
	c->versions[c->count++] = v;
}

/* A row of deadlines stays where it is when the deadline is put off. */
void cell_put(struct model *m, struct model_cell *c, struct model_value *value,
	      uint64_t deadline_ms)
{
	bool stays = c->indexed_ms && value && (!deadline_ms || deadline_ms >= c->indexed_ms);

	if (!stays)
		c->indexed_ms = value ? deadline_ms : 0;
	cell_becomes(m, c, (struct model_version){0, m->revision + 1, value, deadline_ms});
}

/* ---- the whole ------------------------------------------------------------------------------- */

struct model *model_new(struct world *w)
{
	struct model *m = MEM_NEW(struct model);

	m->world = w;
	for (unsigned i = 0; i < DATABASE_COUNT; i++)
		m->keyspaces[i] = i + 1;
	m->next_keyspace = DATABASE_COUNT + 1;
	MEM_GROW(m->revisions, m->revisions_cap, 1);
	m->revisions[0] = 0;
	MEM_GROW(m->times, m->times_cap, 1);
	m->times[0] = 0;
	MEM_GROW(m->moves, m->move_cap, 1);
	m->moves[m->move_count++] = (struct model_horizon){0};
	return m;
}

void model_free(struct model *m)
{
	struct hash_node *n;

	if (!m)
		return;
	for (size_t i = 0; i < m->cell_count; i++)
		cell_free(m->all[i]);
	while ((n = hash_table_any(&m->results)) != NULL) {
		struct model_result *r = CONTAINER_OF(n, struct model_result, node);

		hash_table_remove(&m->results, n);
		buf_free(&r->reply);
		mem_free(r);
	}
	hash_table_close(&m->results);
	hash_table_close(&m->cells);
	mem_free(m->all);
	mem_free(m->revisions);
	mem_free(m->times);
	mem_free(m->origins);
	mem_free(m->moves);
	mem_free(m->horizons);
	mem_free(m->in_need);
	mem_free(m);
}

uint64_t model_horizon(const struct model *m)
{
	return m->moves[m->move_count - 1].horizon;
}

void model_compact(struct model *m, uint64_t horizon)
{
	if (horizon <= model_horizon(m))
		return;
	MEM_GROW(m->moves, m->move_cap, m->move_count + 1);
	m->moves[m->move_count++] = (struct model_horizon){m->revision, horizon};
}

void model_begin(struct model *m)
{
	m->changes = false;
}

void model_end(struct model *m)
{
	if (!m->changes)
		return;
	m->revision++;
	MEM_GROW(m->times, m->times_cap, (size_t)m->revision + 1);
	m->times[m->revision] = m->now_ms;
}

size_t model_key_count(const struct model *m, unsigned database, uint64_t revision)
{
	size_t n = 0;

	for (size_t i = 0; i < m->cell_count; i++)
		n += m->all[i]->database == database && cell_at(m->all[i], revision)->value != NULL;
	return n;
}

/* A new keyspace: no key of it was ever there. */
void model_flush(struct model *m, unsigned database)
{
	if (!model_key_count(m, database, MODEL_NOW))
		return;
	m->changes = true;
	m->keyspaces[database] = m->next_keyspace++;
	m->mapped_at[database] = m->revision + 1;
	for (size_t i = 0; i < m->cell_count; i++) {
		if (m->all[i]->database != database)
			continue;
		cell_becomes(m, m->all[i], (struct model_version){0});
		m->all[i]->indexed_ms = 0;
	}
}

static void cells_swap(struct model *m, struct model_cell *a, struct model_cell *b)
{
	struct model_version x = *cell_at(a, MODEL_NOW), y = *cell_at(b, MODEL_NOW);
	uint64_t indexed_ms = a->indexed_ms;

	value_hold(x.value);
	value_hold(y.value);
	cell_becomes(m, a, y);
	cell_becomes(m, b, x);
	a->indexed_ms = b->indexed_ms;
	b->indexed_ms = indexed_ms;
}

void model_swap(struct model *m, unsigned a, unsigned b)
{
	uint32_t keyspace = m->keyspaces[a];

	if (a == b)
		return;
	m->changes = true;
	m->keyspaces[a] = m->keyspaces[b];
	m->keyspaces[b] = keyspace;
	m->mapped_at[a] = m->mapped_at[b] = m->revision + 1;
	/* Every key of one gets a cell in the other; those that are made meanwhile come last. */
	for (size_t i = 0, n = m->cell_count; i < n; i++)
		if (m->all[i]->database == b)
			model_cell(m, a, buf_slice(&m->all[i]->key));
	for (size_t i = 0, n = m->cell_count; i < n; i++)
		if (m->all[i]->database == a)
			cells_swap(m, m->all[i], model_cell(m, b, buf_slice(&m->all[i]->key)));
}

void model_expire(struct model *m, uint64_t row_ms, uint32_t keyspace, struct slice key)
{
	const struct model_version *v;
	struct model_cell *c;
	unsigned database = 0;

	while (database < DATABASE_COUNT && m->keyspaces[database] != keyspace)
		database++;
	if (m->now_ms < row_ms || database == DATABASE_COUNT)
		return;
	c = model_cell(m, database, key);
	v = cell_at(c, MODEL_NOW);
	if (c->indexed_ms != row_ms)
		return;
	if (v->value && v->deadline_ms && v->deadline_ms <= m->now_ms)
		cell_put(m, c, NULL, 0);
	else
		c->indexed_ms = v->deadline_ms;
}
