/* BITFIELD: integers of any width at any place of a string. */

#include "base/check.h"
#include "base/error.h"
#include "command/bits.h"
#include "command/family.h"
#include "resp/integer.h"
#include "storage/txn_chunks.h"

#include <string.h>

/* ---- arguments ------------------------------------------------------------------------------- */

enum field_action {
	FIELD_GET,
	FIELD_SET,
	FIELD_INCRBY,
};

/* What becomes of a number that its field has no room for. */
enum field_overflow {
	OVERFLOW_WRAP,
	OVERFLOW_SAT,
	OVERFLOW_FAIL,
};

struct field {
	enum field_action action;
	enum field_overflow overflow;
	bool is_signed;
	unsigned bits;
	uint64_t offset;
	int64_t operand;
};

/* One action that begins with argument `*at`, which moves behind it. */
static int field_type(struct call *c, struct slice text, struct field *f)
{
	int64_t bits;

	f->is_signed = text.len > 0 && text.data[0] == 'i';
	if ((!f->is_signed && (text.len == 0 || text.data[0] != 'u')) ||
	    !resp_integer_parse(slice_of(text.data + 1, text.len - 1), &bits) || bits < 1 ||
	    bits > (f->is_signed ? 64 : 63))
		return reply_error(c, "ERR Invalid bitfield type. Use something like i16 u8. Note "
				      "that u64 is not supported but i64 is.");
	f->bits = (unsigned)bits;
	return OK;
}

static int field_overflow(struct call *c, size_t at, enum field_overflow *overflow)
{
	static const char *const words[] = {"WRAP", "SAT", "FAIL"};

	for (*overflow = OVERFLOW_WRAP; *overflow <= OVERFLOW_FAIL; ++*overflow)
		if (argument_is(c->argv[at], words[*overflow]))
			return OK;
	return reply_error(c, "ERR Invalid OVERFLOW type specified");
}

static int field_parse(struct call *c, size_t *at, struct field *f)
{
	struct slice word = c->argv[*at];
	size_t left = c->argc - *at - 1;
	int rc;

	if (argument_is(word, "GET") && left >= 2)
		f->action = FIELD_GET;
	else if (argument_is(word, "SET") && left >= 3)
		f->action = FIELD_SET;
	else if (argument_is(word, "INCRBY") && left >= 3)
		f->action = FIELD_INCRBY;
	else
		return reply_syntax(c);
	rc = field_type(c, c->argv[*at + 1], f);
	if (rc == OK)
		rc = call_bit_offset(c, *at + 2, f->bits, &f->offset);
	if (rc == OK && f->action != FIELD_GET)
		rc = call_integer(c, *at + 3, &f->operand);
	*at += f->action == FIELD_GET ? 3 : 4;
	return rc;
}

/* The next action; `*at` behind the last argument: there is none. `f` keeps how to overflow. */
static int field_next(struct call *c, size_t *at, struct field *f, bool *there)
{
	int rc = OK;

	while (rc == OK && c->argc - *at >= 2 && argument_is(c->argv[*at], "OVERFLOW")) {
		rc = field_overflow(c, *at + 1, &f->overflow);
		*at += 2;
	}
	*there = rc == OK && *at < c->argc;
	return *there ? field_parse(c, at, f) : rc;
}

/* What all actions come to. */
struct field_sum {
	size_t count;
	uint64_t end; /* bytes that the string has at least, if anything is written; else 0 */
};

static int field_survey(struct call *c, struct field_sum *sum)
{
	struct field f = {0};
	size_t at = 2;
	bool there;
	int rc;

	*sum = (struct field_sum){0};
	while ((rc = field_next(c, &at, &f, &there)) == OK && there) {
		sum->count++;
		if (f.action != FIELD_GET)
			sum->end = MAX(sum->end, (f.offset + f.bits + 7) / 8);
	}
	return rc;
}

/* ---- a window on the string ------------------------------------------------------------------ */

/*
 * Bytes of the string that are being worked on: what lies close together is written once. Its own
 * changes are read again through it.
 */
#define WINDOW_MAX STRING_CHUNK_BYTES

struct window {
	struct call *call;
	uint64_t from;
	struct buf bytes; /* with zeros behind the end of the string */
	size_t first;	  /* changed are those from here up to, not including, `end` */
	size_t end;
};

static int window_write(struct window *w)
{
	struct call *c = w->call;
	struct record r;
	int rc;

	if (w->first == w->end)
		return OK;
	rc = call_record(c, 1, &r);
	if (rc == OK)
		rc = txn_write_part(c->txn, c->database, c->argv[1], &r, w->from + w->first,
				    slice_of(w->bytes.data + w->first, w->end - w->first));
	w->first = w->end = 0;
	return rc;
}

/* More of the string behind what it shows. */
static int window_read(struct window *w, uint64_t to)
{
	size_t len = (size_t)(to - w->from) - w->bytes.len;
	struct slice part = {0};
	struct record r;
	int rc = call_record(w->call, 1, &r);

	if (rc == OK && r.type != RECORD_NONE)
		rc = txn_value_part(w->call->txn, &r, w->from + w->bytes.len, len, &part);
	if (rc != OK)
		return rc;
	memset(buf_reserve(&w->bytes, len), 0, len);
	if (part.len)
		memcpy(w->bytes.data + w->bytes.len, part.data, part.len);
	buf_commit(&w->bytes, len);
	return OK;
}

/* It shows these bytes, and what it showed before if that is close. */
static int window_show(struct window *w, uint64_t from, uint64_t to)
{
	int rc = OK;

	if (w->bytes.len > 0 && from >= w->from && to <= w->from + w->bytes.len)
		return OK;
	if (w->bytes.len == 0 || from < w->from || to - w->from > WINDOW_MAX) {
		rc = window_write(w);
		w->from = from;
		buf_clear(&w->bytes);
	}
	return rc == OK ? window_read(w, to) : rc;
}

/* ---- numbers --------------------------------------------------------------------------------- */

static uint64_t field_get(const struct window *w, const struct field *f)
{
	uint64_t at = f->offset - w->from * 8, value = 0;

	CHECK(f->bits >= 1 && f->bits <= 64);
	for (unsigned i = 0; i < f->bits; i++, at++)
		value = value << 1 | (w->bytes.data[at / 8] >> (7 - at % 8) & 1);
	if (f->is_signed && f->bits < 64 && value >> (f->bits - 1))
		value |= UINT64_MAX << f->bits;
	return value;
}

static void field_put(struct window *w, const struct field *f, uint64_t value)
{
	uint64_t at = f->offset - w->from * 8;
	size_t first = (size_t)at / 8, end = (size_t)(at + f->bits + 7) / 8;
	bool changed = w->first < w->end;

	w->first = changed ? MIN(w->first, first) : first;
	w->end = changed ? MAX(w->end, end) : end;

	for (unsigned i = f->bits; i-- > 0; at++) {
		uint8_t mask = (uint8_t)(0x80 >> at % 8), *byte = &w->bytes.data[at / 8];

		*byte = value >> i & 1 ? *byte | mask : *byte & (uint8_t)~mask;
	}
}

/* The bits that the field has, with the sign in front. */
static uint64_t field_wrap(const struct field *f, uint64_t value)
{
	uint64_t above = f->bits < 64 ? UINT64_MAX << f->bits : 0;

	CHECK(f->bits >= 1 && f->bits <= 64);
	if (f->is_signed && value >> (f->bits - 1) & 1)
		return value | above;
	return value & ~above;
}

/*
 * value + amount as the field takes it; false if it takes it not at all. A number that is set is
 * taken as unsigned by a field without a sign, and so is never too low for it. For a field with one
 * it is too high if the room above it is more than a number has, as Redis counts it: -2^63 for i5.
 */
static bool field_fit(const struct field *f, uint64_t value, int64_t amount, uint64_t *fit)
{
	uint64_t max = UINT64_MAX >> (64 - f->bits) >> f->is_signed;
	uint64_t min = f->is_signed ? ~max : 0;
	bool above, below;

	if (f->is_signed) {
		int64_t sum;
		bool over = __builtin_add_overflow((int64_t)value, amount, &sum);

		above = over ? amount > 0 : sum > (int64_t)max;
		above = above || (f->bits < 64 && (int64_t)(max - value) < 0);
		below = over ? amount < 0 : sum < (int64_t)min;
	} else {
		below = amount < 0 && value <= max && 0 - (uint64_t)amount > value;
		above = value > max || (amount > 0 && (uint64_t)amount > max - value);
	}
	if (!above && !below)
		*fit = value + (uint64_t)amount;
	else if (f->overflow == OVERFLOW_WRAP)
		*fit = field_wrap(f, value + (uint64_t)amount);
	else
		*fit = above ? max : min;
	return (!above && !below) || f->overflow != OVERFLOW_FAIL;
}

/* ---- running --------------------------------------------------------------------------------- */

static int field_run(struct window *w, const struct field *f)
{
	struct resp_writer *reply = w->call->reply;
	uint64_t from = f->offset / 8, to = (f->offset + f->bits + 7) / 8, old, new;
	int rc = window_show(w, from, to);

	if (rc != OK)
		return rc;
	old = field_get(w, f);
	if (f->action == FIELD_GET) {
		resp_write_integer(reply, (int64_t)old);
		return OK;
	}
	if (!(f->action == FIELD_SET ? field_fit(f, (uint64_t)f->operand, 0, &new)
				     : field_fit(f, old, f->operand, &new))) {
		resp_write_null(reply);
		return OK;
	}
	resp_write_integer(reply, (int64_t)(f->action == FIELD_SET ? old : new));
	if (new == old)
		return OK;
	field_put(w, f, new);
	return OK;
}

/* As in Redis, the string grows to all that was to be written, whatever became of it. */
static int field_grow(struct call *c, uint64_t end)
{
	static const uint8_t zero;
	struct record r;
	int rc = call_record(c, 1, &r);

	if (rc != OK || r.size >= end)
		return rc;
	return txn_write_part(c->txn, c->database, c->argv[1], &r, end - 1, slice_of(&zero, 1));
}

static int field_all(struct call *c, const struct field_sum *sum)
{
	struct window w = {.call = c};
	struct field f = {0};
	size_t at = 2;
	bool there = true;
	int rc = OK;

	resp_write_array(c->reply, sum->count);
	while (rc == OK && there) {
		rc = field_next(c, &at, &f, &there);
		if (rc == OK && there)
			rc = field_run(&w, &f);
	}
	if (rc == OK)
		rc = window_write(&w);
	if (rc == OK && sum->end > 0)
		rc = field_grow(c, sum->end);
	buf_free(&w.bytes);
	return rc;
}

static int field_field(struct call *c)
{
	struct field_sum sum;
	struct record r;
	int rc = field_survey(c, &sum);

	/* As in Redis, a field that begins within bounds may end a few bytes beyond them. */
	if (rc == OK)
		rc = call_string_record(c, 1, &r);
	return rc == OK ? field_all(c, &sum) : rc;
}

static int field_field_ro(struct call *c)
{
	struct field_sum sum;
	struct record r;
	int rc = field_survey(c, &sum);

	if (rc == OK && sum.end > 0)
		return reply_error(c, "ERR BITFIELD_RO only supports the GET subcommand");
	if (rc == OK)
		rc = call_string_record(c, 1, &r);
	return rc == OK ? field_all(c, &sum) : rc;
}

/* Whether anything may be written; where the arguments are wrong, that is taken for granted. */
static uint32_t field_key_use(const struct slice *argv, size_t argc)
{
	for (size_t i = 2; i < argc; i += argument_is(argv[i], "OVERFLOW") ? 2 : 3)
		if (!argument_is(argv[i], argument_is(argv[i], "OVERFLOW") ? "OVERFLOW" : "GET") ||
		    argc - i <= 2 - (size_t)argument_is(argv[i], "OVERFLOW"))
			return KEY_RW | KEY_ACCESS | KEY_UPDATE;
	return KEY_RO | KEY_ACCESS;
}

static const struct command rows[] = {
	COMMAND_KEY_ROW(
		"BITFIELD", -2, COMMAND_WRITE, COMMAND_FLAG_WRITE | COMMAND_FLAG_DENYOOM, 1, 1, 1,
		field_field, .key_use = KEY_RW | KEY_ACCESS | KEY_UPDATE | KEY_VARIABLE,
		.key_use_in = field_key_use,
		COMMAND_DOC(GROUP_BITMAP, "3.2.0", "O(N), N actions",
			    "key [GET encoding offset|[OVERFLOW <WRAP|SAT|FAIL>] <SET "
			    "encoding offset value:integer|INCRBY encoding offset increment> ...]",
			    "Reads, sets and increments integers of any width at any place "
			    "of a string",
			    .differs = "A string has at most 16 MiB, what one request may bring")),
	COMMAND_KEY_ROW("BITFIELD_RO", -2, COMMAND_READ, COMMAND_FLAG_READONLY | COMMAND_FLAG_FAST,
			1, 1, 1, field_field_ro, .key_use = KEY_RO | KEY_ACCESS,
			COMMAND_DOC(GROUP_BITMAP, "6.0.0", "O(N), N actions",
				    "key [GET encoding offset [GET encoding offset ...]]",
				    "Reads integers of any width at any place of a string")),
};

const struct command_family string_bitfield_family = COMMAND_FAMILY(rows);
