/*
 * What ended at or below the horizon leaves the engine, as ranges: nobody can see it any more,
 * since no state at or above the horizon has it, and nothing is written to it, for ids are not used
 * twice. A view that was opened when the horizon was lower reads an older view of the engine, which
 * still has it. With the records of a keyspace go the changes that stayed because of them.
 */

#include "base/check.h"
#include "base/error.h"
#include "storage/compact.h"

/* Rows that one step looks at. */
#define GARBAGE_SLICE 512

void garbage_place_copy(struct garbage_place *to, const struct garbage_place *from)
{
	buf_clear(&to->row);
	buf_append_slice(&to->row, buf_slice(&from->row));
	buf_clear(&to->record);
	buf_append_slice(&to->record, buf_slice(&from->record));
}

void garbage_place_free(struct garbage_place *p)
{
	buf_free(&p->row);
	buf_free(&p->record);
}

void garbage_drop_begin(struct garbage_drop *g, struct engine_view *view,
			struct garbage_place *place, uint64_t upto, uint64_t records,
			struct dead_list *dead)
{
	garbage_drop_close(g);
	g->view = view;
	g->dead = dead;
	g->place = place;
	g->left = records;
	if (place->row.len)
		buf_append_slice(&g->from, buf_slice(&place->row));
	else
		garbage_key(&g->from, 0, GARBAGE_KEYSPACE, 0);
	garbage_key(&g->until, upto + 1, GARBAGE_KEYSPACE, 0);
	g->garbage = engine_cursor_open(g->view, FAMILY_STATE, buf_slice(&g->until));
	engine_cursor_seek(g->garbage, buf_slice(&g->from));
}

void garbage_drop_close(struct garbage_drop *g)
{
	engine_cursor_close(g->records);
	engine_cursor_close(g->garbage);
	buf_free(&g->row);
	buf_free(&g->from);
	buf_free(&g->to);
	buf_free(&g->limit);
	buf_free(&g->until);
	buf_free(&g->value);
	*g = (struct garbage_drop){0};
}

/* Those collected so far go. */
static int drop_incarnations(struct garbage_drop *g, struct engine_file *file)
{
	struct slice none = {0};
	int rc;

	if (g->first == g->end)
		return OK;
	buf_clear(&g->from);
	buf_clear(&g->to);
	element_key(&g->from, g->first, none, none);
	element_key(&g->to, g->end, none, none);
	rc = engine_file_delete_range(file, buf_slice(&g->from), buf_slice(&g->to));
	g->first = g->end = 0;
	return rc;
}

/* Neighbours go together: what was made in a row often ends in a row. */
static int drop_incarnation(struct garbage_drop *g, struct engine_file *file, uint64_t id)
{
	int rc = OK;

	if (g->first == g->end || id != g->end) {
		rc = drop_incarnations(g, file);
		g->first = id;
	}
	g->end = id + 1;
	return rc;
}

/* The row that says when to look at a record: it alone, so up to the same with a zero behind. */
static int drop_deadline(struct garbage_drop *g, struct engine_file *file, uint64_t at_ms,
			 struct slice key)
{
	buf_clear(&g->from);
	buf_clear(&g->to);
	deadline_key(&g->from, at_ms, g->keyspace, key);
	buf_append_slice(&g->to, buf_slice(&g->from));
	buf_append_byte(&g->to, 0);
	return engine_file_delete_range(file, buf_slice(&g->from), buf_slice(&g->to));
}

/* Its last changes, which nothing came behind. */
static int drop_changes(struct garbage_drop *g, const struct record *r)
{
	if (r->type == RECORD_NONE)
		return OK;
	if (r->value_at.main)
		dead_add(g->dead, r->value_at);
	return history_end_record(g->view, r->mod, r->keep, g->dead, &g->value);
}

/* What belongs to one record of a keyspace that ended. */
static int drop_record(struct garbage_drop *g, struct engine_file *file)
{
	struct slice row = engine_cursor_key(g->records), key;
	struct record r;
	uint32_t keyspace;
	int rc = record_key_decode(row, &keyspace, &key);

	if (rc == OK)
		rc = record_decode(engine_cursor_value(g->records), &r);
	if (rc != OK)
		return rc == ERR_MALFORMED ? ERR_CORRUPT : rc;
	g->left--;
	if (r.incarnation)
		rc = drop_incarnation(g, file, r.incarnation);
	if (rc == OK && r.indexed_ms)
		rc = drop_deadline(g, file, r.indexed_ms, key);
	return rc == OK ? drop_changes(g, &r) : rc;
}

static void keyspace_begin(struct garbage_drop *g, uint32_t id)
{
	struct slice none = {0};

	g->keyspace = id;
	buf_clear(&g->from);
	buf_clear(&g->limit);
	record_key(&g->from, id, none);
	record_key(&g->limit, id + 1, none);
	if (slice_equal(buf_slice(&g->row), buf_slice(&g->place->row)) && g->place->record.len) {
		buf_clear(&g->from);
		buf_append_slice(&g->from, buf_slice(&g->place->record));
	}
	g->records = engine_cursor_open(g->view, FAMILY_STATE, buf_slice(&g->limit));
	engine_cursor_seek(g->records, buf_slice(&g->from));
}

/* Its records that have been looked at go: all, or those up to the last. */
static int keyspace_end(struct garbage_drop *g, struct engine_file *file)
{
	struct slice none = {0};
	bool whole = !engine_cursor_valid(g->records);
	int rc = engine_cursor_error(g->records);

	if (rc == OK && !whole) {
		buf_clear(&g->limit);
		buf_append_slice(&g->limit, engine_cursor_key(g->records));
	}
	engine_cursor_close(g->records);
	g->records = NULL;
	if (rc != OK)
		return rc;
	buf_clear(&g->from);
	record_key(&g->from, g->keyspace, none);
	return engine_file_delete_range(file, buf_slice(&g->from), buf_slice(&g->limit));
}

/* The row of one author, or of all that a run of a member had. */
static int drop_authors(struct garbage_drop *g, struct engine_file *file, enum garbage_kind kind,
			uint64_t incarnation, uint64_t number)
{
	bool all = kind == GARBAGE_AUTHORS_OF;

	buf_clear(&g->from);
	buf_clear(&g->to);
	author_key(&g->from, (struct author){incarnation, all ? 0 : number});
	author_key(&g->to, (struct author){incarnation + all, all ? 0 : number + 1});
	return engine_file_delete_range(file, buf_slice(&g->from), buf_slice(&g->to));
}

static int drop_next(struct garbage_drop *g, struct engine_file *file)
{
	struct slice row = engine_cursor_key(g->garbage);
	enum garbage_kind kind;
	uint64_t ended, id, number;

	if (garbage_key_decode(row, &ended, &kind, &id) != OK)
		return ERR_CORRUPT;
	buf_clear(&g->row);
	buf_append_slice(&g->row, row);
	number = author_garbage_number(row);
	engine_cursor_next(g->garbage);
	if (kind == GARBAGE_INCARNATION)
		return drop_incarnation(g, file, id);
	if (kind == GARBAGE_AUTHOR || kind == GARBAGE_AUTHORS_OF)
		return drop_authors(g, file, kind, id, number);
	keyspace_begin(g, (uint32_t)id);
	return OK;
}

/* Where what is left begins: behind the row at hand and the records that were looked at. */
static void drop_place(struct garbage_drop *g, const struct buf *until, bool rest)
{
	struct garbage_place left = {.row = *until};

	if (rest)
		left.record = g->limit;
	garbage_place_copy(g->place, &left);
}

/*
 * What says so goes last, in the same file: so it is there as long as there is garbage. Where the
 * records of a keyspace are not all gone, its row stays, and all behind it.
 */
static int drop_end(struct garbage_drop *g, struct engine_file *file, bool rest)
{
	int rc = engine_cursor_error(g->garbage);

	if (rc == OK && rest)
		rc = keyspace_end(g, file);
	if (rc == OK)
		rc = drop_incarnations(g, file);
	if (rc == OK) {
		const struct buf *until = rest ? &g->row : &g->until;

		buf_clear(&g->from);
		garbage_key(&g->from, 0, GARBAGE_KEYSPACE, 0);
		rc = engine_file_delete_range(file, buf_slice(&g->from), buf_slice(until));
		drop_place(g, until, rest);
	}
	garbage_drop_close(g);
	return rc;
}

int garbage_drop_step(struct garbage_drop *g, struct engine_file *file, bool *whole, bool *rest)
{
	int rc = OK;

	*whole = false;
	*rest = false;
	for (int i = 0; i < GARBAGE_SLICE && rc == OK; i++) {
		if (g->records && engine_cursor_valid(g->records) && g->left > 0) {
			rc = drop_record(g, file);
			engine_cursor_next(g->records);
		} else if (g->records && !engine_cursor_valid(g->records)) {
			rc = keyspace_end(g, file);
		} else if (!g->records && engine_cursor_valid(g->garbage)) {
			rc = drop_next(g, file);
		} else {
			*whole = true;
			*rest = g->records != NULL;
			return drop_end(g, file, *rest);
		}
	}
	return rc;
}
