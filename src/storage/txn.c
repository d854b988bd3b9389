#include "storage/txn.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/mutant.h"
#include "storage/txn_chunks.h"
#include "storage/txn_internal.h"

static void txn_empty(struct txn *t)
{
	txn_rows_clear(&t->rows);
	t->reader.layers[0] = (struct layer){0};
	t->sub = 0;
	t->delta_count = 0;
	t->mapping_count = 0;
	t->string_count = 0;
}

static bool txn_moves_horizon(const struct txn *t)
{
	return t->position.horizon != t->base->horizon;
}

/* Rows of the state may change without a revision (txn_expire). */
static bool txn_is_empty(const struct txn *t)
{
	return t->sub == 0 && txn_rows_are_none(&t->rows) && !txn_moves_horizon(t);
}

static void txn_take_position(struct txn *t, const struct position *p)
{
	t->base = p;
	position_numbers(p, &t->position);
}

static void txn_init_memory(struct txn *t)
{
	t->chunk_bytes = STRING_CHUNK_BYTES;
	t->whole_max = STRING_WHOLE_MAX;
	tree_init(&t->past.rows, &t->past.arena);
	txn_empty(t);
}

void txn_init(struct txn *t, struct store *s)
{
	t->store = s;
	t->base = store_position(s);
	txn_init_memory(t);
}

void txn_init_view(struct txn *t, const struct view *v, struct fetched *note)
{
	txn_init_memory(t);
	txn_take_position(t, view_position(v));
	view_reader(v, &t->reader);
	t->reader.note = note;
	if (note)
		note->drops = t->reader.drops;
}

void txn_close(struct txn *t)
{
	reader_close(&t->reader);
	txn_rows_free(&t->rows);
	arena_free(&t->values);
	buf_free(&t->changed);
	mem_free(t->deltas);
	mem_free(t->mappings);
	mem_free(t->strings);
	past_free(&t->past);
	buf_free(&t->key);
	buf_free(&t->row);
}

void txn_begin(struct txn *t, uint64_t time_ms, uint64_t author)
{
	if (!txn_is_empty(t))
		txn_empty(t);
	txn_now(t);
	arena_clear(&t->values);
	arena_clear(&t->reader.arena);
	if (t->store)
		store_reader(t->store, &t->reader);
	txn_take_position(t, t->base);
	t->time_ms = time_ms;
	t->author = (struct author){.number = author};
	t->work = 0;
	t->work_limit = 0;
}

void txn_limit(struct txn *t, uint64_t units)
{
	t->work_limit = units;
}

bool txn_is_overworked(const struct txn *t)
{
	return t->work_limit && t->work > t->work_limit;
}

uint64_t txn_worked(const struct txn *t)
{
	return t->work;
}

uint64_t txn_work_pause(struct txn *t)
{
	uint64_t limit = t->work_limit;

	t->work_limit = 0;
	return limit;
}

void txn_work_resume(struct txn *t, uint64_t limit)
{
	t->work_limit = limit;
}

void txn_of_run(struct txn *t, uint64_t incarnation)
{
	t->author.incarnation = incarnation;
}

void txn_pin(struct txn *t, const struct fetched *rows)
{
	t->reader.pinned = rows && rows->drops == t->reader.drops ? rows : NULL;
}

bool txn_changed(const struct txn *t)
{
	return t->sub > 0 || txn_moves_horizon(t);
}

struct revision txn_revision(const struct txn *t)
{
	return (struct revision){t->position.revision + 1, t->sub};
}

static void txn_commit_position(struct txn *t)
{
	struct position *p = store_position(t->store);

	if (t->sub)
		p->revision = t->position.revision + 1;
	position_move_horizon(p, t->position.horizon, t->position.horizon_ms);
	p->digest_history = t->position.digest_history;
	p->next_incarnation = t->position.next_incarnation;
	for (size_t i = 0; i < t->mapping_count; i++) {
		const struct mapping *m = &t->mappings[i];

		struct revision at = {p->revision, m->sub};

		if (m->database == m->other)
			position_map_new(p, m->database, at);
		else
			position_map_swap(p, m->database, m->other, at);
	}
	for (size_t i = 0; i < t->delta_count; i++) {
		struct keyspace_row *k = position_keyspace(p, t->deltas[i].id);

		if (!k)
			continue; /* emptied later in the same transaction */
		k->keys += (uint64_t)t->deltas[i].keys;
		k->deadlines += (uint64_t)t->deltas[i].deadlines;
		k->digest += t->deltas[i].digest;
	}
}

void txn_commit(struct txn *t)
{
	CHECK(t->store);
	if (txn_is_empty(t))
		return;
	txn_rows_commit(&t->rows, t->store);
	for (size_t i = 0; i < t->string_count; i++)
		store_keep_value(t->store, t->strings[i].row, t->strings[i].at,
				 t->strings[i].value);
	txn_commit_position(t);
	txn_empty(t);
}

void txn_undo(struct txn *t)
{
	if (!txn_is_empty(t))
		txn_empty(t);
}

/* ---- reading --------------------------------------------------------------------------------- */

uint32_t txn_keyspace(const struct txn *t, unsigned database)
{
	CHECK(database < DATABASE_COUNT);
	return t->position.databases[database];
}

struct reader *txn_reader(struct txn *t)
{
	txn_rows_show(&t->rows, &t->reader.layers[0]);
	return &t->reader;
}

int txn_newest_record(struct txn *t, uint32_t keyspace, struct slice key, struct record *r)
{
	struct slice row;
	int rc;

	*r = (struct record){0};
	buf_clear(&t->key);
	record_key(&t->key, keyspace, key);
	if (txn_work(t, 1) != OK)
		return ERR_WORK;
	rc = reader_get(txn_reader(t), FAMILY_STATE, buf_slice(&t->key), &row);
	if (rc == ERR_NOT_FOUND)
		return OK;
	if (rc == OK)
		rc = row_decoded(record_decode(row, r));
	if (rc == OK && r->type == RECORD_STRING &&
	    (revision_equal(t->reader.beside.at, r->value_at) || MUTANT(kept_value_unchecked)))
		r->beside = t->reader.beside.value;
	/* Each member drops dead tombstones at its own time: so none is there for any of them. */
	if (rc == OK && r->type == RECORD_NONE && r->mod.main <= t->position.horizon &&
	    !MUTANT(dead_tombstone_seen))
		*r = (struct record){0};
	return rc;
}

int txn_record(struct txn *t, unsigned database, struct slice key, struct record *r)
{
	uint32_t keyspace = txn_keyspace(t, database);
	int rc = OK;

	if (t->past.on)
		rc = past_keyspace(t, database, &keyspace);
	if (rc == OK)
		rc = txn_newest_record(t, keyspace, key, r);
	if (rc == OK && t->past.on)
		rc = past_record(t, keyspace, key, r);
	return rc == OK && r->type == RECORD_NONE ? ERR_NOT_FOUND : rc;
}

int txn_change_at(struct txn *t, struct revision at, struct change *c)
{
	uint8_t key[HISTORY_KEY_BYTES];
	struct slice row;
	int rc;

	history_key_put(key, at);
	rc = reader_get(txn_reader(t), FAMILY_HISTORY, slice_of(key, sizeof(key)), &row);
	return rc == OK ? row_decoded(change_decode_at(row, at, c)) : rc;
}

int txn_value(struct txn *t, const struct record *r, struct slice *value)
{
	struct change c;
	int rc;

	CHECK(record_is_string(r));
	if (r->type == RECORD_CHUNKS)
		return chunks_read(t, r, 0, (size_t)r->size, value);
	if (r->inlined) {
		*value = r->value;
		return OK;
	}
	if (r->beside.data) {
		*value = r->beside;
		return OK;
	}
	rc = txn_change_at(t, r->value_at, &c);
	/* A record without its value: the two are written together, so the engine has lost one. */
	if (rc == ERR_NOT_FOUND || (rc == OK && c.value.len != r->size))
		rc = ERR_CORRUPT;
	if (rc == OK)
		*value = c.value;
	return rc;
}

/* ---- changing -------------------------------------------------------------------------------- */

const struct tree_row *txn_put(struct txn *t, enum engine_family family, struct slice key,
			       struct slice value, bool deleted)
{
	CHECK(t->store || t->reader.note);
	CHECK(!t->past.on);
	return txn_rows_put(&t->rows, family, key, value, deleted);
}

struct keyspace_delta *txn_delta(struct txn *t, uint32_t keyspace)
{
	for (size_t i = 0; i < t->delta_count; i++)
		if (t->deltas[i].id == keyspace)
			return &t->deltas[i];
	MEM_GROW(t->deltas, t->delta_cap, t->delta_count + 1);
	t->deltas[t->delta_count] = (struct keyspace_delta){.id = keyspace};
	return &t->deltas[t->delta_count++];
}

static void txn_count(struct txn *t, uint32_t keyspace, const struct record *old,
		      const struct record *new, uint64_t digest)
{
	struct keyspace_delta *d = txn_delta(t, keyspace);

	d->keys += (new->type != RECORD_NONE) - (old->type != RECORD_NONE);
	d->deadlines += (new->deadline_ms != 0) - (old->deadline_ms != 0);
	d->digest += digest;
}

/*
 * What a record adds to the digest of the living: tombstones nothing. `row` is how it is written,
 * `key` the hash of its row's key.
 */
static uint64_t record_share(uint64_t key, const struct record *r, struct slice row)
{
	return r->type == RECORD_NONE ? 0 : hash64_salted(row, key);
}

static void txn_put_deadline_row(struct txn *t, uint32_t keyspace, struct slice key, uint64_t at_ms,
				 bool deleted)
{
	buf_clear(&t->key);
	deadline_key(&t->key, at_ms, keyspace, key);
	txn_put(t, FAMILY_STATE, buf_slice(&t->key), (struct slice){NULL, 0}, deleted);
}

/*
 * A record has at most one row that says when to look at it. A later deadline leaves that row where
 * it is: when its time comes, it moves.
 */
static void txn_index_deadline(struct txn *t, uint32_t keyspace, struct slice key,
			       const struct record *old, struct record *new)
{
	bool needed = new->type != RECORD_NONE &&new->deadline_ms;
	bool stays = old->indexed_ms && new->type != RECORD_NONE &&
		     (!needed || new->deadline_ms >= old->indexed_ms ||
		      MUTANT(earlier_deadline_keeps_row));

	new->indexed_ms = stays ? old->indexed_ms : (needed ? new->deadline_ms : 0);
	if (old->indexed_ms && !stays)
		txn_put_deadline_row(t, keyspace, key, old->indexed_ms, true);
	if (new->indexed_ms && !stays)
		txn_put_deadline_row(t, keyspace, key, new->indexed_ms, false);
}

const struct tree_row *txn_put_change(struct txn *t, struct revision at, const struct change *c)
{
	uint8_t key[HISTORY_KEY_BYTES];

	(void)txn_work(t, 1 + (c->value.len + c->before.len) / 1024);
	history_key_put(key, at);
	buf_clear(&t->row);
	change_encode(c, &t->row);
	t->position.digest_history =
		hash64_salted(buf_slice(&t->row), t->position.digest_history ^ at.main);
	return txn_put(t, FAMILY_HISTORY, slice_of(key, sizeof(key)), buf_slice(&t->row), false);
}

/* The record's row, and what it counts for. */
static const struct tree_row *txn_put_record_row(struct txn *t, uint32_t keyspace, struct slice key,
						 const struct record *old, const struct record *new)
{
	const struct tree_row *row;
	uint64_t digest, salt;

	buf_clear(&t->key);
	record_key(&t->key, keyspace, key);
	salt = hash64(buf_slice(&t->key));
	CHECK(old->type == RECORD_NONE || old->row.len > 0);
	buf_clear(&t->row);
	record_encode(new, &t->row);
	digest = record_share(salt, new, buf_slice(&t->row)) - record_share(salt, old, old->row);
	row = txn_put(t, FAMILY_STATE, buf_slice(&t->key), buf_slice(&t->row), false);
	txn_count(t, keyspace, old, new, digest);
	return row;
}

const struct tree_row *txn_put_record(struct txn *t, uint32_t keyspace, struct slice key,
				      const struct record *old, struct record *new)
{
	txn_index_deadline(t, keyspace, key, old, new);
	return txn_put_record_row(t, keyspace, key, old, new);
}

void txn_put_garbage(struct txn *t, enum garbage_kind kind, uint64_t id)
{
	buf_clear(&t->key);
	garbage_key(&t->key, t->position.revision + 1, kind, id);
	txn_put(t, FAMILY_STATE, buf_slice(&t->key), (struct slice){NULL, 0}, false);
}

void txn_bury(struct txn *t, const struct record *old)
{
	if (old->incarnation)
		txn_put_garbage(t, GARBAGE_INCARNATION, old->incarnation);
}

struct revision txn_next_revision(struct txn *t)
{
	struct revision r = txn_revision(t);

	t->sub++;
	return r;
}

/* What of the record before has an end with this change: read when both are below the horizon. */
static void change_tell_end(struct change *c, const struct record *old, const struct record *new)
{
	bool elsewhere = old->type == RECORD_STRING && !revision_equal(old->value_at, old->mod);

	if (old->keep > c->keep)
		c->kept = old->keep;
	if (c->kind == CHANGE_MOVED_AWAY)
		c->value_at = old->value_at;
	else if (elsewhere && !revision_equal(old->value_at, new->value_at))
		c->displaced = old->value_at;
}

struct change txn_change_of(const struct txn *t, enum change_kind kind, uint32_t keyspace,
			    struct slice key, const struct record *old, const struct record *new)
{
	const struct record *is = new->type == RECORD_NONE ? old : new;
	struct change c = {
		.kind = kind,
		.type = is->type,
		.keyspace = keyspace,
		.key = key,
		.previous = MUTANT(change_without_previous) ? new->create : old->mod,
		.create = new->create,
		.version = new->version,
		.time_ms = t->time_ms,
		.author = t->author,
		.deadline_ms = new->deadline_ms,
		.lease = new->lease,
		.incarnation = is->incarnation,
		.keep = (uint8_t)MAX(new->keep, 1),
	};

	if (!revision_equal(new->value_at, new->mod))
		c.value_at = new->value_at;
	if (new->incarnation)
		c.size = new->size;
	change_tell_end(&c, old, new);
	return c;
}

/* A change of a key that changes its record at once. */
static void txn_put_change_of(struct txn *t, const struct change *c, const struct record *old,
			      struct record *new)
{
	txn_put_change(t, new->mod, c);
	txn_put_record(t, c->keyspace, c->key, old, new);
}

/* The value of a string is to be kept in memory when it is committed. */
static void txn_note_string(struct txn *t, const struct tree_row *record,
			    const struct tree_row *change, struct revision at, size_t len)
{
	struct slice row = tree_row_value(change);

	MEM_GROW(t->strings, t->string_cap, t->string_count + 1);
	/* A change ends with the value. */
	t->strings[t->string_count++] = (struct string_set){
		.row = tree_row_key(record),
		.at = at,
		.value = slice_of(row.data + row.len - len, len),
	};
}

void txn_set_string(struct txn *t, unsigned database, struct slice key, const struct record *old,
		    struct slice value, const struct record_terms *terms)
{
	bool is_new = old->type == RECORD_NONE;
	struct revision at = txn_next_revision(t);
	struct record new = {
		.type = RECORD_STRING,
		.mod = at,
		.create = is_new ? at : old->create,
		.value_at = at,
		.version = is_new ? 1 : old->version + 1,
		.deadline_ms = terms->deadline_ms,
		.lease = terms->lease,
		.keep = terms->keep ? terms->keep : (uint8_t)MAX(old->keep, 1),
		.size = value.len,
		.inlined = value.len <= RECORD_INLINE_MAX,
	};
	struct change c = txn_change_of(t, CHANGE_SET, txn_keyspace(t, database), key, old, &new);
	const struct tree_row *change, *record;

	c.value = value;
	if (new.inlined)
		new.value = value;
	else
		new.digest = hash64(value);
	txn_bury(t, old);
	change = txn_put_change(t, at, &c);
	record = txn_put_record(t, c.keyspace, key, old, &new);
	if (t->store && !new.inlined)
		txn_note_string(t, record, change, at, value.len);
}

void txn_set_deadline(struct txn *t, unsigned database, struct slice key, const struct record *old,
		      uint64_t deadline_ms)
{
	struct record new = *old;
	struct change c;

	CHECK(old->type != RECORD_NONE);
	new.mod = txn_next_revision(t);
	new.version++;
	new.deadline_ms = deadline_ms;
	c = txn_change_of(t, CHANGE_DEADLINE, txn_keyspace(t, database), key, old, &new);
	txn_put_change_of(t, &c, old, &new);
}

static void txn_delete_record(struct txn *t, uint32_t keyspace, struct slice key,
			      const struct record *old, enum change_kind kind)
{
	struct record new = {.type = RECORD_NONE, .mod = txn_next_revision(t)};
	struct change c;

	CHECK(old->type != RECORD_NONE);
	CHECK(kind == CHANGE_DELETE || kind == CHANGE_EXPIRE);
	c = txn_change_of(t, kind, keyspace, key, old, &new);
	txn_bury(t, old);
	txn_put_change_of(t, &c, old, &new);
}

void txn_delete(struct txn *t, unsigned database, struct slice key, const struct record *old,
		enum change_kind kind)
{
	txn_delete_record(t, txn_keyspace(t, database), key, old, kind);
}

static bool txn_is_mapped(const struct txn *t, uint32_t keyspace)
{
	for (unsigned i = 0; i < DATABASE_COUNT; i++)
		if (t->position.databases[i] == keyspace)
			return true;
	return false;
}

int txn_expire(struct txn *t, uint64_t row_ms, uint32_t keyspace, struct slice key)
{
	struct record old, new;
	int rc;

	if (t->time_ms < row_ms)
		return OK;
	if (!txn_is_mapped(t, keyspace) && !MUTANT(expiry_of_gone_keyspace)) {
		txn_put_deadline_row(t, keyspace, key, row_ms, true);
		return OK;
	}
	rc = txn_newest_record(t, keyspace, key, &old);
	if (rc != OK)
		return rc;
	if (old.indexed_ms == row_ms && old.deadline_ms &&
	    (old.deadline_ms <= t->time_ms || MUTANT(expiry_without_deadline))) {
		txn_delete_record(t, keyspace, key, &old, CHANGE_EXPIRE);
		return OK;
	}
	txn_put_deadline_row(t, keyspace, key, row_ms, true);
	if (old.indexed_ms != row_ms)
		return OK;
	new = old;
	new.indexed_ms = MUTANT(put_off_deadline_forgotten) ? 0 : old.deadline_ms;
	if (new.indexed_ms)
		txn_put_deadline_row(t, keyspace, key, new.indexed_ms, false);
	txn_put_record_row(t, keyspace, key, &old, &new);
	return OK;
}
