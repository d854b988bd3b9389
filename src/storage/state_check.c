#include "storage/state_check.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"
#include "storage/position.h"
#include "storage/txn_chunks.h"

/* Rows that one step looks at. */
#define CHECK_SLICE 128

enum check_phase { CHECK_RECORDS, CHECK_ELEMENTS, CHECK_HISTORY, CHECK_ENDED };

struct state_check {
	struct engine_view *view;
	struct position position;
	enum check_phase phase;
	int error;
	const char *why;
	struct engine_cursor *records;
	struct engine_cursor *elements;
	struct engine_cursor *changes;
	struct keyspace_row *seen; /* beside those of the position */
	uint64_t history;
	struct buf key;
	struct buf row;

	/* the record whose elements are looked at */
	struct buf head; /* what their keys begin with */
	enum record_type type;
	uint64_t size;
	uint64_t digest;
	uint64_t seen_size; /* how many, or where the last chunk ends */
	uint64_t seen_digest;
};

static const uint8_t record_tag[] = {STATE_RECORD}, behind_records[] = {STATE_RECORD + 1};

int state_check_open(struct state_check **out, struct engine_view *view, struct slice position)
{
	struct state_check *c = MEM_NEW(struct state_check);
	struct slice snapshot;
	int rc = position_decode(position, &c->position, &snapshot);

	if (rc != OK) {
		mem_free(c);
		return rc;
	}
	c->view = view;
	c->seen = mem_zalloc(c->position.keyspace_count, sizeof(*c->seen));
	/* What a range deleted is of keyspaces that are not mapped. */
	c->records = engine_cursor_open_all(view, FAMILY_STATE,
					    slice_of(behind_records, sizeof(behind_records)));
	engine_cursor_seek(c->records, slice_of(record_tag, sizeof(record_tag)));
	*out = c;
	return OK;
}

static void check_ends(struct state_check *c, int error, const char *why)
{
	c->phase = CHECK_ENDED;
	c->error = error;
	c->why = why;
}

static void check_finds(struct state_check *c, const char *why)
{
	check_ends(c, ERR_CORRUPT, why);
}

/* False: the row is not there, or cannot be read, and the check has ended. */
static bool check_get(struct state_check *c, enum engine_family family, struct slice key,
		      const char *why)
{
	int rc;

	buf_clear(&c->row);
	rc = engine_view_get(c->view, family, key, &c->row);
	if (rc != OK)
		check_ends(c, rc == ERR_NOT_FOUND ? ERR_CORRUPT : rc, why);
	return rc == OK;
}

/* ---- records --------------------------------------------------------------------------------- */

static void check_value(struct state_check *c, const struct record *r)
{
	static const char why[] = "the value of a string is not what its record says";
	uint8_t key[HISTORY_KEY_BYTES];
	struct change change;

	history_key_put(key, r->value_at);
	if (check_get(c, FAMILY_HISTORY, slice_of(key, sizeof(key)), why) &&
	    (change_decode(buf_slice(&c->row), &change) != OK || change.value.len != r->size ||
	     hash64(change.value) != r->digest))
		check_finds(c, why);
}

static void check_deadline(struct state_check *c, uint32_t keyspace, struct slice name,
			   const struct record *r)
{
	buf_clear(&c->key);
	deadline_key(&c->key, r->indexed_ms, keyspace, name);
	(void)check_get(c, FAMILY_STATE, buf_slice(&c->key), "a deadline has no row");
}

static void check_elements_of(struct state_check *c, const struct record *r)
{
	buf_clear(&c->head);
	element_key(&c->head, r->incarnation, (struct slice){0}, (struct slice){0});
	c->type = r->type;
	c->size = r->size;
	c->digest = r->digest;
	c->seen_size = 0;
	c->seen_digest = 0;
	if (!c->elements)
		c->elements = engine_cursor_open_all(c->view, FAMILY_STATE, (struct slice){0});
	engine_cursor_seek(c->elements, buf_slice(&c->head));
	c->phase = CHECK_ELEMENTS;
}

/* A record of a keyspace that is mapped; what is in others is dead. */
static void check_record(struct state_check *c, struct keyspace_row *seen, struct slice name,
			 const struct record *r, uint64_t share)
{
	uint32_t keyspace = c->position.keyspaces[seen - c->seen].id;

	seen->keys++;
	seen->deadlines += r->deadline_ms != 0;
	seen->digest += share;
	if (r->type == RECORD_STRING && !r->inlined)
		check_value(c, r);
	if (c->phase == CHECK_RECORDS && r->indexed_ms)
		check_deadline(c, keyspace, name, r);
	if (c->phase == CHECK_RECORDS && r->incarnation)
		check_elements_of(c, r);
}

static void check_sums(struct state_check *c)
{
	for (size_t i = 0; i < c->position.keyspace_count; i++) {
		const struct keyspace_row *said = &c->position.keyspaces[i], *seen = &c->seen[i];

		if (said->keys != seen->keys || said->deadlines != seen->deadlines)
			check_finds(c, "a database has other keys than its position counts");
		else if (said->digest != seen->digest)
			check_finds(c, "the records of a database have another digest");
	}
}

static void check_history_begins(struct state_check *c)
{
	uint8_t first[HISTORY_KEY_BYTES];

	c->phase = CHECK_HISTORY;
	c->changes = engine_cursor_open_all(c->view, FAMILY_HISTORY, (struct slice){0});
	history_key_put(first, (struct revision){0, 0});
	engine_cursor_seek(c->changes, slice_of(first, sizeof(first)));
	check_sums(c);
}

static void check_next_record(struct state_check *c)
{
	struct slice row, name, key;
	uint32_t keyspace;
	struct record r;

	if (!engine_cursor_valid(c->records)) {
		int rc = engine_cursor_error(c->records);

		if (rc != OK)
			check_ends(c, rc, "its records cannot be read");
		else
			check_history_begins(c);
		return;
	}
	key = engine_cursor_key(c->records);
	row = engine_cursor_value(c->records);
	if (record_key_decode(key, &keyspace, &name) != OK || record_decode(row, &r) != OK) {
		check_finds(c, "a record is none");
		return;
	}
	for (size_t i = 0; i < c->position.keyspace_count && r.type != RECORD_NONE; i++)
		if (c->position.keyspaces[i].id == keyspace)
			check_record(c, &c->seen[i], name, &r, hash64_salted(row, hash64(key)));
	if (c->phase != CHECK_ENDED)
		engine_cursor_next(c->records);
}

/* ---- elements -------------------------------------------------------------------------------- */

static void check_elements_end(struct state_check *c)
{
	/* A string may end with zeros that no chunk has. */
	bool size = c->type == RECORD_CHUNKS ? c->seen_size <= c->size : c->seen_size == c->size;
	int rc = engine_cursor_valid(c->elements) ? OK : engine_cursor_error(c->elements);

	c->phase = CHECK_RECORDS;
	if (rc != OK)
		check_ends(c, rc, "its elements cannot be read");
	else if (!size || c->seen_digest != c->digest)
		check_finds(c, "the elements of a key are not what its record says");
}

static void check_next_element(struct state_check *c)
{
	struct slice key, value, name;
	uint64_t incarnation;
	uint32_t chunk;

	if (!engine_cursor_valid(c->elements)) {
		check_elements_end(c);
		return;
	}
	key = engine_cursor_key(c->elements);
	if (!slice_equal(slice_of(key.data, MIN(key.len, c->head.len)), buf_slice(&c->head))) {
		check_elements_end(c);
		return;
	}
	value = engine_cursor_value(c->elements);
	if (element_key_decode(key, c->type, &incarnation, &name) != OK ||
	    (c->type == RECORD_CHUNKS &&
	     (chunk_number(name, &chunk) != OK || value.len > STRING_CHUNK_BYTES))) {
		check_finds(c, "an element is none");
		return;
	}
	c->seen_digest += element_share(key, value);
	if (c->type == RECORD_CHUNKS)
		c->seen_size = (uint64_t)chunk * STRING_CHUNK_BYTES + value.len;
	else
		c->seen_size++;
	engine_cursor_next(c->elements);
}

/* ---- history --------------------------------------------------------------------------------- */

/* History is folded from its beginning: once some of it is gone nothing can be said. */
static void check_history_end(struct state_check *c)
{
	int rc = engine_cursor_valid(c->changes) ? OK : engine_cursor_error(c->changes);

	if (rc != OK)
		check_ends(c, rc, "its history cannot be read");
	else if (c->position.horizon == 0 && c->history != c->position.digest_history)
		check_finds(c, "its history has another digest");
	else
		check_ends(c, OK, NULL);
}

static void check_next_change(struct state_check *c)
{
	struct revision at;
	struct change change;
	struct slice row;

	if (!engine_cursor_valid(c->changes)) {
		check_history_end(c);
		return;
	}
	row = engine_cursor_value(c->changes);
	if (history_key_decode(engine_cursor_key(c->changes), &at) != OK) {
		check_finds(c, "a change is none");
		return;
	}
	/* What lies behind the position is written again by who replays the log. */
	if (at.main > c->position.revision) {
		check_history_end(c);
		return;
	}
	if (change_decode_at(row, at, &change) != OK) {
		check_finds(c, "a change is none");
		return;
	}
	c->history = hash64_salted(row, c->history ^ at.main);
	engine_cursor_next(c->changes);
}

/* ---- the whole ------------------------------------------------------------------------------- */

bool state_check_step(struct state_check *c)
{
	for (unsigned n = 0; n < CHECK_SLICE && c->phase != CHECK_ENDED; n++) {
		if (c->phase == CHECK_RECORDS)
			check_next_record(c);
		else if (c->phase == CHECK_ELEMENTS)
			check_next_element(c);
		else
			check_next_change(c);
	}
	return c->phase != CHECK_ENDED;
}

int state_check_close(struct state_check *c, const char **why)
{
	int error = c->error;

	*why = c->why;
	engine_cursor_close(c->records);
	engine_cursor_close(c->elements);
	engine_cursor_close(c->changes);
	position_free(&c->position);
	mem_free(c->seen);
	buf_free(&c->key);
	buf_free(&c->row);
	buf_free(&c->head);
	mem_free(c);
	return error;
}
