/* Keys in order: ranges, prefixes, and the deletion of such. */

#include "base/codec.h"
#include "base/error.h"
#include "command/family.h"
#include "command/key_range.h"
#include "resp/integer.h"

#include <inttypes.h>
#include <string.h>

/* ---- bounds ---------------------------------------------------------------------------------- */

/* One bound as the first key that is not before it: that of `(a` follows on `a`. */
static bool range_bound(struct slice text, bool upper, struct buf *out)
{
	bool inclusive;

	if (text.len == 0 || (text.data[0] != '[' && text.data[0] != '('))
		return false;
	inclusive = text.data[0] == '[';
	buf_append(out, text.data + 1, text.len - 1);
	if (inclusive == upper)
		buf_append_byte(out, 0);
	return true;
}

static bool bound_is(struct slice text, char sign)
{
	return text.len == 1 && text.data[0] == (uint8_t)sign;
}

/* Bounds as ZRANGE BYLEX takes them; NULL, or what is wrong with them. */
static const char *range_between(struct slice min, struct slice max, struct key_range *r)
{
	bool nothing = bound_is(min, '+') || bound_is(max, '-');

	*r = (struct key_range){.endless = !nothing && bound_is(max, '+')};
	if (!bound_is(min, '-') && !bound_is(min, '+') && !range_bound(min, false, &r->from))
		return "ERR min or max not valid string range item";
	if (!bound_is(max, '-') && !bound_is(max, '+') && !range_bound(max, true, &r->to))
		return "ERR min or max not valid string range item";
	if (nothing) {
		buf_clear(&r->from);
		buf_clear(&r->to);
	}
	return NULL;
}

/* ---- options --------------------------------------------------------------------------------- */

struct range_options {
	bool backward;
	bool keys_only;
	bool count_only;
	bool with_revision;
	uint64_t offset;
	uint64_t count;
	struct slice delimiter; /* empty: none */
};

static const char *range_limit(const struct call *c, size_t at, struct range_options *o)
{
	int64_t offset, count;

	if (at + 2 >= c->argc)
		return "ERR syntax error";
	if (!resp_integer_parse(c->argv[at + 1], &offset) ||
	    !resp_integer_parse(c->argv[at + 2], &count))
		return "ERR value is not an integer or out of range";
	if (offset < 0)
		return "ERR value is out of range, must be positive";
	o->offset = (uint64_t)offset;
	o->count = count < 0 ? UINT64_MAX : (uint64_t)count;
	return NULL;
}

/* From argument `at` on; NULL, or what is wrong. A delimiter is only for prefixes. */
static const char *range_options(const struct call *c, size_t at, bool prefix,
				 struct range_options *o)
{
	*o = (struct range_options){.count = UINT64_MAX};
	for (; at < c->argc; at++) {
		struct slice word = c->argv[at];
		const char *wrong = NULL;

		if (argument_is(word, "REV")) {
			o->backward = true;
		} else if (argument_is(word, "KEYSONLY")) {
			o->keys_only = true;
		} else if (argument_is(word, "COUNTONLY")) {
			o->count_only = true;
		} else if (argument_is(word, "WITHREV")) {
			o->with_revision = true;
		} else if (argument_is(word, "LIMIT")) {
			wrong = range_limit(c, at, o);
			at += 2;
		} else if (prefix && argument_is(word, "DELIMITER") && at + 1 < c->argc &&
			   c->argv[at + 1].len > 0) {
			o->delimiter = c->argv[++at];
		} else {
			wrong = "ERR syntax error";
		}
		if (wrong)
			return wrong;
	}
	return o->keys_only && o->count_only ? "ERR syntax error" : NULL;
}

/* ---- replies --------------------------------------------------------------------------------- */

struct range_reply {
	struct call *call;
	const struct range_options *options;
	size_t prefix_len;
	struct buf directory; /* the last one, with the delimiter */
	uint64_t passed;
	uint64_t given;
};

static void range_write_revision(struct call *c, struct revision at)
{
	struct buf text = {0};

	buf_printf(&text, "%" PRIu64 "-%" PRIu32, at.main, at.sub);
	resp_write_bulk(c->reply, buf_slice(&text));
	buf_free(&text);
}

/* A key, or a key with what was asked for of it; `r` is NULL for a directory. */
static int range_write(struct range_reply *p, struct slice key, const struct record *r)
{
	const struct range_options *o = p->options;
	struct call *c = p->call;
	size_t parts = 1 + (size_t)!o->keys_only + (size_t)o->with_revision;
	struct slice value;
	int rc;

	if (o->count_only)
		return OK;
	if (parts > 1)
		resp_write_array(c->reply, parts);
	resp_write_bulk(c->reply, key);
	if (!o->keys_only && r && record_is_string(r)) {
		rc = txn_value(c->txn, r, &value);
		if (rc != OK)
			return rc;
		resp_write_bulk(c->reply, value);
	} else if (!o->keys_only) {
		resp_write_null(c->reply);
	}
	if (o->with_revision && r)
		range_write_revision(c, r->mod);
	else if (o->with_revision)
		resp_write_null(c->reply);
	return OK;
}

/* The beginning of the key up to the first delimiter behind the prefix; empty: there is none. */
static struct slice range_directory(const struct range_reply *p, struct slice key)
{
	struct slice delimiter = p->options->delimiter;

	for (size_t at = p->prefix_len; delimiter.len && at + delimiter.len <= key.len; at++)
		if (memcmp(key.data + at, delimiter.data, delimiter.len) == 0)
			return slice_of(key.data, at + delimiter.len);
	return (struct slice){NULL, 0};
}

/* One key that the scan gave. */
static int range_take(struct range_reply *p, struct slice key, const struct record *r)
{
	struct slice directory = range_directory(p, key);

	if (directory.len > 0) {
		if (slice_equal(directory, buf_slice(&p->directory)))
			return OK;
		buf_clear(&p->directory);
		buf_append_slice(&p->directory, directory);
	}
	if (p->passed++ < p->options->offset)
		return OK;
	p->given++;
	return directory.len > 0 ? range_write(p, directory, NULL) : range_write(p, key, r);
}

static int range_walk(struct range_reply *p, const struct key_range *range)
{
	struct record_scan s;
	struct slice key;
	struct record r;
	int rc = key_range_scan(p->call, range, p->options->backward, &s), close;

	if (rc != OK)
		return rc == ERR_NOT_FOUND ? OK : rc;
	while (rc == OK && p->given < p->options->count && record_scan_next(&s, &key, &r))
		rc = range_take(p, key, &r);
	close = record_scan_close(&s);
	return rc == OK ? close : rc;
}

static int range_reply(struct call *c, const struct key_range *range, const struct range_options *o,
		       size_t prefix_len)
{
	struct range_reply p = {.call = c, .options = o, .prefix_len = prefix_len};
	struct resp_open open = {0};
	int rc;

	if (!o->count_only)
		open = resp_open_array(c->reply);
	rc = o->count > 0 ? range_walk(&p, range) : OK;
	if (o->count_only)
		resp_write_integer(c->reply, (int64_t)p.given);
	else
		resp_close(c->reply, open, p.given);
	buf_free(&p.directory);
	return rc;
}

static int range_range(struct call *c)
{
	struct range_options o;
	struct key_range range;
	const char *wrong = range_between(c->argv[1], c->argv[2], &range);
	int rc;

	if (!wrong)
		wrong = range_options(c, 3, false, &o);
	rc = wrong ? reply_error(c, wrong) : range_reply(c, &range, &o, 0);
	key_range_free(&range);
	return rc;
}

static int range_prefix(struct call *c)
{
	struct range_options o;
	struct key_range range;
	const char *wrong = range_options(c, 2, true, &o);
	int rc;

	if (wrong)
		return reply_error(c, wrong);
	key_range_of_prefix(c->argv[1], &range);
	rc = range_reply(c, &range, &o, c->argv[1].len);
	key_range_free(&range);
	return rc;
}

/* ---- deletion -------------------------------------------------------------------------------- */

/* What is walked through must not change meanwhile: so the names first. */
static int range_collect(struct call *c, const struct key_range *range, struct buf *names)
{
	struct record_scan s;
	struct slice key;
	struct record r;
	int rc = key_range_scan(c, range, false, &s);

	if (rc != OK)
		return rc == ERR_NOT_FOUND ? OK : rc;
	while (record_scan_next(&s, &key, &r))
		buf_append_string(names, key);
	return record_scan_close(&s);
}

static int range_delete(struct call *c, const struct key_range *range)
{
	struct buf names = {0};
	struct cursor at;
	int64_t count = 0;
	int rc = range_collect(c, range, &names);

	for (at = cursor_of(buf_slice(&names)); rc == OK && cursor_left(&at) > 0; count++) {
		struct slice key = cursor_string(&at);
		struct record r;

		rc = txn_record(c->txn, c->database, key, &r);
		if (rc == OK)
			txn_delete(c->txn, c->database, key, &r, CHANGE_DELETE);
	}
	buf_free(&names);
	return rc == OK ? reply_integer(c, count) : rc;
}

static int range_delrange(struct call *c)
{
	struct key_range range;
	const char *wrong = range_between(c->argv[1], c->argv[2], &range);
	int rc = wrong ? reply_error(c, wrong) : range_delete(c, &range);

	key_range_free(&range);
	return rc;
}

static int range_delprefix(struct call *c)
{
	struct key_range range;
	int rc;

	key_range_of_prefix(c->argv[1], &range);
	rc = range_delete(c, &range);
	key_range_free(&range);
	return rc;
}

static const struct command rows[] = {
	COMMAND_ROW("DELPREFIX", 2, COMMAND_WRITE, COMMAND_FLAG_WRITE, range_delprefix,
		    COMMAND_DOC(GROUP_GENERIC, "0.1.0", "O(N), N keys", "prefix",
				"Deletes all keys that begin so, in one revision")),
	COMMAND_ROW("DELRANGE", 3, COMMAND_WRITE, COMMAND_FLAG_WRITE, range_delrange,
		    COMMAND_DOC(GROUP_GENERIC, "0.1.0", "O(N), N keys", "min max",
				"Deletes all keys between two bounds, in one revision")),
	COMMAND_ROW("PREFIX", -2, COMMAND_READ, COMMAND_FLAG_READONLY, range_prefix,
		    COMMAND_DOC(GROUP_GENERIC, "0.1.0", "O(N), N keys",
				"prefix [DELIMITER delimiter] [REV] [LIMIT offset count] "
				"[KEYSONLY|COUNTONLY] [WITHREV]",
				"Gives the keys that begin so with their values, or one level of "
				"them, like a directory")),
	COMMAND_ROW("RANGE", -3, COMMAND_READ, COMMAND_FLAG_READONLY, range_range,
		    COMMAND_DOC(GROUP_GENERIC, "0.1.0", "O(N), N keys",
				"min max [REV] [LIMIT offset count] [KEYSONLY|COUNTONLY] [WITHREV]",
				"Gives the keys between two bounds with their values")),
};

const struct command_family range_family = COMMAND_FAMILY(rows);
