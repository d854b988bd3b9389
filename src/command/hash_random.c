/*
 * HRANDFIELD. Fields are kept in the order of their hashes, and each is drawn as likely as any
 * other: of a hash that is not large all fields are read; of a large one a part, which has to be
 * drawn again if the field of it that was drawn is not there.
 */

#include "base/codec.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/random.h"
#include "command/family.h"
#include "resp/integer.h"
#include "storage/txn_element.h"

/* So many at once: what a reply may come to has a bound. */
#define DRAW_MAX 1000000

/* Hashes up to this are read as a whole, and larger ones for more draws than these. */
#define WHOLE_MAX 4096
#define PARTS_MAX 128

/* Places in a part that are drawn from; a part has 16 to 32 fields on the average. */
#define PART_PLACES 128
#define PART_BITS   5

/* For one draw; only where hashes were chosen to lie together it takes as many. */
#define TRIES_MAX 200

/* One after the other: name and value; `at` says where each begins. */
struct fields {
	struct buf bytes;
	size_t *at;
	size_t cap;
	size_t count;
};

static void fields_add(struct fields *f, struct slice field, struct slice value)
{
	MEM_GROW(f->at, f->cap, f->count + 1);
	f->at[f->count++] = f->bytes.len;
	buf_append_string(&f->bytes, field);
	buf_append_string(&f->bytes, value);
}

static void fields_get(const struct fields *f, size_t i, struct slice *field, struct slice *value)
{
	struct cursor at = cursor_of(slice_of(f->bytes.data + f->at[i], f->bytes.len - f->at[i]));

	*field = cursor_string(&at);
	*value = cursor_string(&at);
}

static void fields_clear(struct fields *f)
{
	buf_clear(&f->bytes);
	f->count = 0;
}

static void fields_free(struct fields *f)
{
	buf_free(&f->bytes);
	mem_free(f->at);
}

static bool fields_have(const struct fields *f, struct slice name)
{
	for (size_t i = 0; i < f->count; i++) {
		struct slice field, value;

		fields_get(f, i, &field, &value);
		if (slice_equal(field, name))
			return true;
	}
	return false;
}

/* The fields whose hashes are from `from` to `last`, at most so many. */
static int fields_read(struct call *c, const struct record *r, uint64_t from, uint64_t last,
		       uint64_t most, struct fields *f)
{
	struct slice field, value;
	struct element_scan s;
	int rc = element_scan_open_at(&s, c->txn, r, from);

	fields_clear(f);
	if (rc != OK)
		return rc;
	while (f->count < most && element_scan_next(&s, &field, &value) && s.hash <= last)
		fields_add(f, field, value);
	return element_scan_close(&s);
}

/* ---- drawing --------------------------------------------------------------------------------- */

struct draw {
	struct call *call;
	const struct record *record;
	struct random random;
	uint64_t count;
	bool again; /* a field may come more than once */
	struct fields drawn;
};

/* From all fields at once; without repetition in any order, which is that of a shuffle. */
static int draw_whole(struct draw *d)
{
	struct fields all = {.count = 0};
	int rc = fields_read(d->call, d->record, 0, UINT64_MAX, UINT64_MAX, &all);

	if (rc == OK && all.count != d->record->size)
		rc = ERR_CORRUPT;
	for (uint64_t i = 0; rc == OK && i < d->count; i++) {
		size_t place = (size_t)random_between(&d->random, d->again ? 0 : i, all.count - 1);
		struct slice field, value;

		fields_get(&all, place, &field, &value);
		fields_add(&d->drawn, field, value);
		if (!d->again) {
			size_t other = all.at[place];

			all.at[place] = all.at[i];
			all.at[i] = other;
		}
	}
	fields_free(&all);
	return rc;
}

/*
 * Parts are equally wide, and each place of each is as likely as any. `*done` is not set if that
 * takes too long.
 */
static int draw_by_parts(struct draw *d, bool *done)
{
	uint64_t width = UINT64_C(1) << (__builtin_clzll(d->record->size) + PART_BITS);
	struct fields part = {.count = 0};
	uint64_t tries = TRIES_MAX * d->count;
	int rc = OK;

	for (; rc == OK && tries > 0 && d->drawn.count < d->count; tries--) {
		uint64_t from = random_next(&d->random) & ~(width - 1);
		size_t place = (size_t)random_below(&d->random, PART_PLACES);
		struct slice field, value;

		rc = fields_read(d->call, d->record, from, from + (width - 1), PART_PLACES, &part);
		if (rc != OK || place >= part.count)
			continue;
		fields_get(&part, place, &field, &value);
		if (d->again || !fields_have(&d->drawn, field))
			fields_add(&d->drawn, field, value);
	}
	*done = d->drawn.count == d->count;
	fields_free(&part);
	return rc;
}

static int draw(struct draw *d)
{
	bool whole = d->record->size <= WHOLE_MAX || d->count > PARTS_MAX, done = false;
	int rc = OK;

	if (!d->again)
		d->count = MIN(d->count, d->record->size);
	if (call_is_long(d->call, whole ? MAX(d->record->size, d->count) : d->count * PART_PLACES))
		return ERR_MISSING;
	random_seed(&d->random, call_random_seed(d->call));
	if (!whole)
		rc = draw_by_parts(d, &done);
	if (rc != OK || done)
		return rc;
	fields_clear(&d->drawn);
	return draw_whole(d);
}

/* ---- HRANDFIELD ------------------------------------------------------------------------------ */

/* With values: pairs in protocol 3, one after the other in protocol 2. */
static void reply_fields(struct call *c, const struct fields *f, bool with_values)
{
	bool pairs = with_values && c->reply->protocol == 3;

	resp_write_array(c->reply, with_values && !pairs ? 2 * f->count : f->count);
	for (size_t i = 0; i < f->count; i++) {
		struct slice field, value;

		fields_get(f, i, &field, &value);
		if (pairs)
			resp_write_array(c->reply, 2);
		resp_write_bulk(c->reply, field);
		if (with_values)
			resp_write_bulk(c->reply, value);
	}
}

static int random_options(struct call *c, int64_t *count, bool *with_values)
{
	if (!resp_integer_parse(c->argv[2], count))
		return reply_not_integer(c);
	if (*count == INT64_MIN)
		return reply_error(c, "ERR value is out of range, value must between "
				      "-9223372036854775807 and 9223372036854775807");
	*with_values = c->argc == 4 && argument_is(c->argv[3], "WITHVALUES");
	if (c->argc > 4 || (c->argc == 4 && !*with_values))
		return reply_syntax(c);
	if (*with_values && (*count < -INT64_MAX / 2 || *count > INT64_MAX / 2))
		return reply_error(c, "ERR value is out of range");
	return OK;
}

static int hash_one_random(struct call *c)
{
	struct slice field, value;
	struct record r;
	struct draw d = {.call = c, .record = &r, .count = 1};
	int rc = call_hash(c, &r);

	if (rc == OK && r.type == RECORD_NONE) {
		resp_write_null(c->reply);
		return OK;
	}
	if (rc == OK)
		rc = draw(&d);
	if (rc == OK) {
		fields_get(&d.drawn, 0, &field, &value);
		resp_write_bulk(c->reply, field);
	}
	fields_free(&d.drawn);
	return rc;
}

static int hash_random(struct call *c)
{
	struct record r;
	struct draw d = {.call = c, .record = &r};
	bool with_values = false;
	int64_t count;
	int rc;

	if (c->argc == 2)
		return hash_one_random(c);
	rc = random_options(c, &count, &with_values);
	if (rc == OK)
		rc = call_hash(c, &r);
	if (rc == OK && count < -DRAW_MAX && r.type != RECORD_NONE)
		return reply_error(c, "ERR value is out of range");
	if (rc != OK)
		return rc;
	d.again = count < 0;
	d.count = count < 0 ? (uint64_t)-count : (uint64_t)count;
	if (d.count > 0 && r.type != RECORD_NONE)
		rc = draw(&d);
	if (rc == OK)
		reply_fields(c, &d.drawn, with_values);
	fields_free(&d.drawn);
	return rc;
}

static const struct command rows[] = {
	COMMAND_KEY_ROW(
		"HRANDFIELD", -2, COMMAND_READ, COMMAND_FLAG_READONLY, 1, 1, 1, hash_random,
		.key_use = KEY_RO | KEY_ACCESS,
		COMMAND_DOC(GROUP_HASH, "6.2.0", "O(N), N fields", "key [count [WITHVALUES]]",
			    "Draws fields of a hash at random", .tips = "nondeterministic_output",
			    .differs = "A negative count is at least -1000000: replies are bounded",
			    .of_member = true)),
};

const struct command_family hash_random_family = COMMAND_FAMILY(rows);
