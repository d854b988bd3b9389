/*
 * Walks through all keys, or all fields of a hash, page by page.
 *
 * The cursor of SCAN is a revision: that of the newest change of the last record that the page
 * looked at. Keys are walked through in their order, and that change names the key, so any member
 * can go on behind it, whatever has become of the key since. Nothing is kept for a scan. Only when
 * the change is no longer in history, and this member does not remember the name either, the scan
 * starts again: what stays throughout is seen at least once, and that is all that is promised.
 *
 * The cursor of HSCAN is a place in the order of fields, which is that of their hashes.
 */

#include "base/error.h"
#include "base/mutant.h"
#include "command/family.h"
#include "command/glob.h"
#include "command/key_range.h"
#include "command/scan_names.h"
#include "resp/integer.h"
#include "storage/txn_element.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#define SCAN_COUNT 10

/*
 * Many clients make a number of a cursor whose 53 bits a double can hold. So a page runs on until
 * it comes to a record whose cursor is that small, but not for longer than so many records; then
 * the cursor may be larger.
 */
#define SCAN_RUN_MAX	 1000
#define CURSOR_MAIN_BITS 44
#define CURSOR_SMALL	 (UINT64_C(1) << 53)

/* A collection up to this comes as one page, as it does in Redis. */
#define SCAN_WHOLE_MAX 128

/* Of an element's hash, what a cursor has room for. */
#define HASH_CURSOR_SHIFT (64 - 53)

/* ---- arguments ------------------------------------------------------------------------------- */

struct scan_options {
	uint64_t count;
	bool matches;
	struct slice pattern;
	bool typed;
	struct slice type;
};

/* As strtoul reads it, in full, but for blanks before it. */
static int scan_cursor(struct call *c, struct slice text, uint64_t *cursor)
{
	struct buf copy = {0};
	bool valid;
	char *end;

	buf_append_slice(&copy, text);
	buf_append_byte(&copy, 0);
	errno = 0;
	*cursor = strtoull((const char *)copy.data, &end, 10);
	valid = *end == '\0' && errno != ERANGE && !isspace(copy.data[0]);
	buf_free(&copy);
	return valid ? OK : reply_error(c, "ERR invalid cursor");
}

static int scan_count(struct call *c, size_t at, struct scan_options *o)
{
	int64_t count;
	int rc = call_integer(c, at, &count);

	if (rc == OK && count < 1)
		return reply_syntax(c);
	o->count = (uint64_t)count;
	return rc;
}

static int scan_options(struct call *c, size_t at, bool keys, struct scan_options *o)
{
	*o = (struct scan_options){.count = SCAN_COUNT};
	for (; at + 1 < c->argc; at += 2) {
		struct slice word = c->argv[at], value = c->argv[at + 1];
		int rc = OK;

		if (argument_is(word, "COUNT")) {
			rc = scan_count(c, at + 1, o);
		} else if (argument_is(word, "MATCH")) {
			o->matches = !slice_equal(value, SLICE_LITERAL("*"));
			o->pattern = value;
		} else if (keys && argument_is(word, "TYPE")) {
			o->typed = true;
			o->type = value;
		} else {
			rc = reply_syntax(c);
		}
		if (rc != OK)
			return rc;
	}
	return at == c->argc ? OK : reply_syntax(c);
}

static bool scan_wants(const struct scan_options *o, struct slice name)
{
	return !o->matches || glob_matches(o->pattern, name);
}

/* ---- pages ----------------------------------------------------------------------------------- */

struct scan_result {
	uint64_t cursor; /* 0: the end */
	struct buf names;
	size_t count;
};

static void scan_add(struct scan_result *p, struct slice name)
{
	struct buf *out = &p->names;
	struct resp_writer w = {.out = out, .protocol = 2};

	resp_write_bulk(&w, name);
	p->count++;
}

/* Frees the result. */
static int scan_reply(struct call *c, int rc, struct scan_result *p)
{
	struct buf cursor = {0};

	if (rc == OK) {
		buf_printf(&cursor, "%" PRIu64, p->cursor);
		resp_write_array(c->reply, 2);
		resp_write_bulk(c->reply, buf_slice(&cursor));
		resp_write_array(c->reply, p->count);
		resp_write_raw(c->reply, buf_slice(&p->names));
	}
	buf_free(&cursor);
	buf_free(&p->names);
	return rc;
}

/* ---- keys ------------------------------------------------------------------------------------ */

/* Where all keys are that the pattern can match. */
static void scan_range_of(const struct scan_options *o, struct key_range *r)
{
	struct buf prefix = {0};
	bool whole = o->matches && glob_prefix(o->pattern, &prefix);

	if (whole)
		key_range_of_key(buf_slice(&prefix), r);
	else
		key_range_of_prefix(buf_slice(&prefix), r);
	buf_free(&prefix);
}

/* 0: the revision has no cursor. */
static uint64_t cursor_of_revision(struct revision at)
{
	if (at.main >> CURSOR_MAIN_BITS || at.sub >> (64 - CURSOR_MAIN_BITS))
		return 0;
	return at.main | (uint64_t)at.sub << CURSOR_MAIN_BITS;
}

static struct revision revision_of_cursor(uint64_t cursor)
{
	return (struct revision){
		cursor & ((UINT64_C(1) << CURSOR_MAIN_BITS) - 1),
		(uint32_t)(cursor >> CURSOR_MAIN_BITS),
	};
}

static void scan_page_take(struct scan_page *page, uint64_t cursor, struct slice name)
{
	if (!page)
		return;
	page->cursor = cursor;
	buf_clear(&page->name);
	buf_append_slice(&page->name, name);
}

/* The name behind a cursor; ERR_NOT_FOUND: nobody knows it any more. Borrowed. */
static int scan_name(struct call *c, uint64_t cursor, struct slice *name)
{
	struct revision at = revision_of_cursor(cursor);
	struct change change;
	int rc;

	if (c->page && c->page->known && scan_names_find(c->page->known, cursor, name))
		scan_page_take(c->page, cursor, *name);
	if (c->page && c->page->cursor == cursor) {
		*name = buf_slice(&c->page->name);
		return OK;
	}
	if (!at.main || at.main > c->txn->position.revision)
		return ERR_NOT_FOUND;
	rc = txn_change_at(c->txn, at, &change);
	if (rc == OK)
		*name = change.key;
	return rc;
}

/* The range begins behind the cursor, unless it begins behind that anyway. */
static int scan_seek(struct call *c, uint64_t cursor, struct key_range *r)
{
	struct slice name;
	int rc;

	if (!cursor)
		return OK;
	rc = scan_name(c, cursor, &name);
	if (rc == ERR_NOT_FOUND && MUTANT(scan_lost_goes_on)) {
		name = SLICE_LITERAL("m");
		rc = OK;
	}
	if (rc == OK)
		key_range_begin_behind(r, name);
	return rc == ERR_NOT_FOUND ? OK : rc;
}

/*
 * Whether a page that has looked at so many records can end with this one, and its cursor. What is
 * dead, a tombstone at or below the horizon, may be gone from history any moment.
 */
static uint64_t scan_ends(const struct call *c, const struct scan_options *o, uint64_t looked,
			  const struct record *r)
{
	uint64_t cursor = cursor_of_revision(r->mod);

	if (r->type == RECORD_NONE && r->mod.main <= c->txn->position.horizon)
		return 0;
	if (looked < o->count)
		return 0;
	return cursor < CURSOR_SMALL || looked - o->count >= SCAN_RUN_MAX ? cursor : 0;
}

static bool scan_wants_record(const struct scan_options *o, struct slice key,
			      const struct record *r)
{
	return r->type != RECORD_NONE &&
	       (!o->typed || argument_is(o->type, record_type_name(r->type))) && scan_wants(o, key);
}

static int scan_walk(struct call *c, const struct scan_options *o, const struct key_range *range,
		     struct scan_result *result)
{
	uint64_t looked = 0;
	struct record_scan s;
	struct slice key;
	struct record r;
	int rc = key_range_scan(c, range, false, &s);

	if (rc != OK)
		return rc == ERR_NOT_FOUND ? OK : rc;
	while (!result->cursor && !(MUTANT(scan_ends_early) && looked > o->count) &&
	       record_scan_next_any(&s, &key, &r)) {
		if (scan_wants_record(o, key, &r))
			scan_add(result, key);
		result->cursor = scan_ends(c, o, ++looked, &r);
		if (result->cursor)
			scan_page_take(c->page, result->cursor, key);
	}
	return record_scan_close(&s);
}

static int scan_scan(struct call *c)
{
	struct scan_result result = {0};
	struct key_range range;
	struct scan_options o;
	uint64_t cursor;
	int rc = scan_cursor(c, c->argv[1], &cursor);

	if (rc == OK)
		rc = scan_options(c, 2, true, &o);
	if (rc != OK)
		return rc;
	scan_range_of(&o, &range);
	rc = scan_seek(c, cursor, &range);
	if (rc == OK && call_is_long(c, o.count))
		rc = ERR_MISSING;
	if (rc == OK)
		rc = scan_walk(c, &o, &range, &result);
	key_range_free(&range);
	return scan_reply(c, rc, &result);
}

static int scan_keys_reply(struct call *c, const struct scan_options *o,
			   const struct key_range *range)
{
	struct resp_open open = resp_open_array(c->reply);
	struct record_scan s;
	struct slice key;
	struct record r;
	size_t count = 0;
	int rc = key_range_scan(c, range, false, &s);

	if (rc == OK) {
		while (record_scan_next(&s, &key, &r)) {
			if (!scan_wants(o, key))
				continue;
			resp_write_bulk(c->reply, key);
			count++;
		}
		rc = record_scan_close(&s);
	}
	resp_close(c->reply, open, count);
	return rc == ERR_NOT_FOUND ? OK : rc;
}

static int scan_keys(struct call *c)
{
	struct scan_options o = {
		.matches = !slice_equal(c->argv[1], SLICE_LITERAL("*")),
		.pattern = c->argv[1],
	};
	struct key_range range;
	uint64_t count = UINT64_MAX;
	int rc = OK;

	if (!c->txn->past.on)
		rc = txn_key_count(c->txn, c->database, &count);
	if (rc == OK && call_is_long(c, count))
		rc = ERR_MISSING;
	if (rc != OK)
		return rc;
	scan_range_of(&o, &range);
	rc = scan_keys_reply(c, &o, &range);
	key_range_free(&range);
	return rc;
}

/* ---- hashes ---------------------------------------------------------------------------------- */

/*
 * The cursor is the first place that is not looked at yet. A place is the beginning of a hash, and
 * fields that share one are never parted.
 */
static int scan_fields(struct call *c, const struct scan_options *o, const struct record *r,
		       uint64_t cursor, struct scan_result *result)
{
	uint64_t count = r->size <= SCAN_WHOLE_MAX ? UINT64_MAX : o->count, looked = 0, last = 0;
	struct slice field, value;
	struct element_scan s;
	int rc;

	if (cursor >= CURSOR_SMALL)
		return OK;
	rc = element_scan_open_at(&s, c->txn, r, cursor << HASH_CURSOR_SHIFT);
	if (rc != OK)
		return rc;
	for (; element_scan_next(&s, &field, &value); looked++) {
		uint64_t place = s.hash >> HASH_CURSOR_SHIFT;

		if (looked >= count && place != last) {
			result->cursor = last + 1;
			break;
		}
		last = place;
		if (!scan_wants(o, field))
			continue;
		scan_add(result, field);
		scan_add(result, value);
	}
	return element_scan_close(&s);
}

/* As Redis does, options are read only where there is something that they could be for. */
static int scan_hscan(struct call *c)
{
	struct scan_result result = {0};
	struct scan_options o;
	struct record r;
	uint64_t cursor;
	int rc = scan_cursor(c, c->argv[2], &cursor);

	if (rc == OK)
		rc = call_record(c, 1, &r);
	if (rc != OK)
		return rc;
	if (r.type == RECORD_NONE)
		return scan_reply(c, OK, &result);
	if (r.type != RECORD_HASH)
		return reply_wrong_type(c);
	rc = scan_options(c, 3, false, &o);
	if (rc == OK && call_is_long(c, MIN(o.count, r.size)))
		rc = ERR_MISSING;
	if (rc != OK)
		return rc;
	rc = scan_fields(c, &o, &r, cursor, &result);
	return scan_reply(c, rc, &result);
}

#define READS COMMAND_FLAG_READONLY

static const struct command rows[] = {
	COMMAND_KEY_ROW("HSCAN", -3, COMMAND_READ, READS, 1, 1, 1, scan_hscan,
			.key_use = KEY_RO | KEY_ACCESS,
			COMMAND_DOC(GROUP_HASH, "2.8.0", "O(1) a page",
				    "key cursor [MATCH pattern] [COUNT count]",
				    "Walks through the fields of a hash, page by page",
				    .tips = "nondeterministic_output")),
	COMMAND_ROW("KEYS", 2, COMMAND_READ, READS, scan_keys, .categories = CATEGORY_DANGEROUS,
		    COMMAND_DOC(GROUP_GENERIC, "1.0.0", "O(N), N keys of the database", "pattern",
				"Gives the names of all keys that match a pattern",
				.tips = "request_policy:all_shards nondeterministic_output_order",
				.differs = "Names come in the order of their bytes")),
	COMMAND_ROW("SCAN", -2, COMMAND_READ, READS, scan_scan,
		    COMMAND_DOC(GROUP_GENERIC, "2.8.0", "O(1) a page",
				"cursor [MATCH pattern] [COUNT count] [TYPE type]",
				"Walks through the keys of the database, page by page",
				.tips = "nondeterministic_output request_policy:special",
				.differs = "A cursor is good on every member and after a restart",
				.of_member = true)),
};

const struct command_family scan_family = COMMAND_FAMILY(rows);
