/* Scans: the rows of all layers in one order, of equal keys the newest layer's. */

#include "base/check.h"
#include "base/error.h"
#include "base/mem.h"
#include "storage/reader.h"

/* A scan that stopped on its way is of use only to one that begins where it began. */
static bool range_serves(const struct fetched_range *range, const struct scan *s)
{
	if (range->family != s->family)
		return false;
	if (!range->whole)
		return range->backward == s->backward && slice_equal(range->from, s->from) &&
		       slice_equal(range->to, s->to);
	if (slice_compare(range->from, s->from) > 0)
		return false;
	if (range->to.len == 0)
		return true;
	return s->to.len > 0 && slice_compare(s->to, range->to) <= 0;
}

/* Of two that serve the same scan. */
static bool range_goes_further(const struct fetched_range *a, const struct fetched_range *b)
{
	if (a->whole || b->whole)
		return a->whole && !b->whole;
	return a->backward ? slice_compare(a->last, b->last) < 0
			   : slice_compare(a->last, b->last) > 0;
}

/*
 * A transaction may walk the same way twice, and the second time further, when it has deleted what
 * it had found first. So that the next run gets as far, it takes the longest of those ways.
 */
static const struct fetched_range *scan_pinned(const struct scan *s)
{
	const struct fetched *f = s->reader->pinned;
	const struct fetched_range *longest = NULL;

	for (size_t i = 0; f && i < f->range_count; i++) {
		const struct fetched_range *range = &f->ranges[i];

		if (range_serves(range, s) && (!longest || range_goes_further(range, longest)))
			longest = range;
	}
	return longest;
}

static void scan_add(struct scan *s, struct tree_snapshot tree)
{
	struct tree_cursor *c = &s->cursors[s->cursor_count];

	if (!tree.root)
		return;
	if (!s->backward)
		tree_seek(c, tree, s->from);
	else if (s->to.len)
		tree_seek_before(c, tree, s->to);
	else
		tree_seek_last(c, tree);
	s->cursor_count++;
}

/*
 * Ranges go over what ended (garbage.c), and nobody scans that: records are those of a keyspace
 * that is mapped, elements those of one record. Deadlines alone stand in one order with those of
 * all keyspaces, and history has no ranges.
 */
static struct engine_cursor *scan_cursor(const struct scan *s)
{
	if (s->family == FAMILY_STATE && s->from.len && s->from.data[0] == STATE_DEADLINE)
		return engine_cursor_open(s->reader->engine, s->family, s->to);
	return engine_cursor_open_all(s->reader->engine, s->family, s->to);
}

int scan_open(struct scan *s, struct reader *r, enum engine_family family, struct slice from,
	      struct slice to, bool backward)
{
	*s = (struct scan){
		.reader = r, .family = family, .from = from, .to = to, .backward = backward};
	if (!r->engine) {
		s->range = scan_pinned(s);
		if (!s->range && !reader_bound_excludes(r, family, from, to))
			return ERR_MISSING;
	}
	if (family == FAMILY_STATE)
		scan_add(s, r->past);
	for (unsigned i = 0; i < r->layer_count; i++)
		scan_add(s, r->layers[i].trees[family]);
	if (!r->engine) {
		const struct tree *pinned = r->pinned ? &r->pinned->trees[family] : NULL;

		if (pinned)
			scan_add(s, (struct tree_snapshot){pinned->root, pinned->height});
		return OK;
	}
	s->engine = scan_cursor(s);
	if (backward)
		engine_cursor_seek_before(s->engine, to);
	else
		engine_cursor_seek(s->engine, from);
	return OK;
}

static bool scan_within(const struct scan *s, struct slice key)
{
	if (s->backward)
		return slice_compare(key, s->from) >= 0;
	return s->to.len == 0 || slice_compare(key, s->to) < 0;
}

static bool scan_sooner(const struct scan *s, struct slice a, struct slice b)
{
	int order = slice_compare(a, b);

	return s->backward ? order > 0 : order < 0;
}

static bool engine_stands(const struct scan *s)
{
	return s->engine && engine_cursor_valid(s->engine);
}

/* The key that comes next, and the topmost layer that has it; NULL: the engine. */
static bool scan_choose(const struct scan *s, struct slice *key, const struct tree_row **row)
{
	bool found = false;

	*row = NULL;
	for (unsigned i = 0; i < s->cursor_count; i++) {
		const struct tree_row *at = s->cursors[i].row;

		if (!at || (found && !scan_sooner(s, tree_row_key(at), *key)))
			continue;
		*row = at;
		*key = tree_row_key(at);
		found = true;
	}
	if (engine_stands(s) && (!found || scan_sooner(s, engine_cursor_key(s->engine), *key))) {
		*row = NULL;
		*key = engine_cursor_key(s->engine);
		found = true;
	}
	return found;
}

/* Everybody who stands at this key goes on. */
static void scan_pass(struct scan *s, struct slice key)
{
	/* The engine last: the key may be its own bytes. */
	for (unsigned i = 0; i < s->cursor_count; i++) {
		struct tree_cursor *c = &s->cursors[i];

		if (!c->row || !slice_equal(tree_row_key(c->row), key))
			continue;
		if (s->backward)
			tree_prev(c);
		else
			tree_next(c);
	}
	if (!engine_stands(s) || !slice_equal(engine_cursor_key(s->engine), key))
		return;
	if (s->backward)
		engine_cursor_prev(s->engine);
	else
		engine_cursor_next(s->engine);
}

static void scan_note(struct scan *s, struct slice key, struct slice value)
{
	struct fetched *note = s->reader->note;

	if (note && !fetched_is_full(note))
		tree_put(&note->trees[s->family], key, value, false);
}

/* A copy: where the key stands, other reads may put theirs before the scan is closed. */
static void scan_note_last(struct scan *s, struct slice key)
{
	if (!s->reader->note)
		return;
	buf_clear(&s->last);
	buf_append_slice(&s->last, key);
}

/* Whether what is pinned says nothing about this place any more; `found`: there is a row at `at`.
 */
static bool scan_leaves_pinned(const struct scan *s, bool found, struct slice at)
{
	if (!s->range || s->range->whole)
		return false;
	return !found || scan_sooner(s, s->range->last, at);
}

bool scan_next(struct scan *s, struct slice *key, struct slice *value)
{
	const struct tree_row *row;
	struct slice at;

	for (;;) {
		bool found = scan_choose(s, &at, &row) && scan_within(s, at);

		if (scan_leaves_pinned(s, found, at)) {
			s->error = ERR_MISSING;
			return false;
		}
		if (!found)
			break;
		if (row) {
			*key = tree_row_key(row);
			*value = tree_row_value(row);
		} else {
			/* The engine's own bytes end with its next move. */
			struct buf *kept = &s->reader->value;

			buf_clear(kept);
			buf_append_slice(kept, at);
			buf_append_slice(kept, engine_cursor_value(s->engine));
			*key = slice_of(kept->data, at.len);
			*value = slice_of(kept->data + at.len, kept->len - at.len);
			scan_note(s, *key, *value);
		}
		scan_pass(s, *key);
		scan_note_last(s, *key);
		if (!row || !row->deleted)
			return true;
	}
	s->ended = true;
	return false;
}

/* What was walked through is known, for a run on the loop. */
static void scan_note_range(const struct scan *s)
{
	struct fetched *note = s->reader->note;

	if (!note || fetched_is_full(note) || (!s->ended && s->last.len == 0))
		return;
	MEM_GROW(note->ranges, note->range_cap, note->range_count + 1);
	note->ranges[note->range_count++] = (struct fetched_range){
		.family = s->family,
		.from = arena_copy(&note->arena, s->from),
		.to = arena_copy(&note->arena, s->to),
		.backward = s->backward,
		.whole = s->ended,
		.last = arena_copy(&note->arena, buf_slice(&s->last)),
	};
}

int scan_close(struct scan *s)
{
	int rc = s->error;

	if (!s->engine)
		return rc;
	if (rc == OK)
		rc = engine_cursor_error(s->engine);
	if (rc == OK)
		scan_note_range(s);
	buf_free(&s->last);
	engine_cursor_close(s->engine);
	s->engine = NULL;
	return rc;
}
