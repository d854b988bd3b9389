/* Strings as rows of bits. */

#include "base/check.h"
#include "base/error.h"
#include "command/bits.h"
#include "command/family.h"
#include "resp/integer.h"
#include "storage/txn_chunks.h"

#include <string.h>

#define BAD_OFFSET "ERR bit offset is not an integer or out of range"

int call_bit_offset(struct call *c, size_t at, unsigned bits, uint64_t *offset)
{
	struct slice text = c->argv[at];
	bool counted = bits && text.len > 0 && text.data[0] == '#';
	int64_t number;

	*offset = 0;
	if (counted)
		text = slice_of(text.data + 1, text.len - 1);
	if (!resp_integer_parse(text, &number) || number < 0)
		return reply_error(c, BAD_OFFSET);
	if (counted && __builtin_mul_overflow(number, (int64_t)bits, &number))
		return reply_error(c, BAD_OFFSET);
	*offset = (uint64_t)number;
	return *offset / 8 < STRING_BYTES_MAX ? OK : reply_error(c, BAD_OFFSET);
}

/* ---- one bit --------------------------------------------------------------------------------- */

/* The byte at a place, zero behind the end. */
static int bit_byte(struct call *c, const struct record *r, uint64_t at, uint8_t *byte)
{
	struct slice part;
	int rc = txn_value_part(c->txn, r, at, 1, &part);

	*byte = rc == OK && part.len ? part.data[0] : 0;
	return rc;
}

static int bit_get(struct call *c)
{
	uint64_t offset;
	struct record r;
	uint8_t byte = 0;
	int rc = call_bit_offset(c, 2, 0, &offset);

	if (rc == OK)
		rc = call_string_record(c, 1, &r);
	if (rc == OK)
		rc = bit_byte(c, &r, offset / 8, &byte);
	return rc == OK ? reply_integer(c, byte >> (7 - offset % 8) & 1) : rc;
}

/* What is so already is no change, unless the string grows to it. */
static int bit_set(struct call *c)
{
	uint64_t offset;
	struct record r;
	uint8_t byte = 0, mask;
	bool is, changes;
	int64_t value;
	int rc = call_bit_offset(c, 2, 0, &offset);

	if (rc != OK)
		return rc;
	if (!resp_integer_parse(c->argv[3], &value) || (value != 0 && value != 1))
		return reply_error(c, "ERR bit is not an integer or out of range");
	rc = call_string_record(c, 1, &r);
	if (rc == OK)
		rc = bit_byte(c, &r, offset / 8, &byte);
	if (rc != OK)
		return rc;
	mask = (uint8_t)(0x80 >> offset % 8);
	is = byte & mask;
	changes = is != (value == 1) || offset / 8 >= r.size;
	byte = value ? byte | mask : byte & (uint8_t)~mask;
	if (changes)
		rc = txn_write_part(c->txn, c->database, c->argv[1], &r, offset / 8,
				    slice_of(&byte, 1));
	return rc == OK ? reply_integer(c, is) : rc;
}

/* ---- ranges of bits -------------------------------------------------------------------------- */

/* Both included; of bits. Empty: last < first. */
struct bit_range {
	int64_t first;
	int64_t last;
};

/* BYTE or BIT. */
static int bit_unit(struct call *c, size_t at, bool *bits)
{
	*bits = argument_is(c->argv[at], "BIT");
	return *bits || argument_is(c->argv[at], "BYTE") ? OK : reply_syntax(c);
}

/* Negative ones count from the end of a string of so many bytes. */
static struct bit_range bit_range_of(int64_t first, int64_t last, bool bits, uint64_t size)
{
	int64_t end = (int64_t)(bits ? size * 8 : size);
	struct bit_range range;

	first = MAX(first < 0 ? first + end : first, 0);
	last = MAX(last < 0 ? last + end : last, 0);
	last = MIN(last, end - 1);
	range = (struct bit_range){first, last};
	if (!bits && first <= last)
		range = (struct bit_range){first * 8, last * 8 + 7};
	return range;
}

/* The bytes that a range, which is not empty, touches; those of its bits that are not in it are cut
 * off by the masks. */
struct bit_bytes {
	struct slice bytes;
	uint8_t first_mask;
	uint8_t last_mask;
};

static int bit_bytes(struct call *c, const struct record *r, struct bit_range range,
		     struct bit_bytes *out)
{
	uint64_t from = (uint64_t)range.first / 8, to = (uint64_t)range.last / 8;
	int rc = txn_value_part(c->txn, r, from, to - from + 1, &out->bytes);

	CHECK(rc != OK || out->bytes.len == to - from + 1);
	out->first_mask = (uint8_t)(0xff >> range.first % 8);
	out->last_mask = (uint8_t)(0xff << (7 - range.last % 8));
	return rc;
}

/* A byte of them, without the bits that are not in the range. */
static uint8_t bit_masked(const struct bit_bytes *b, size_t i)
{
	uint8_t byte = b->bytes.data[i];

	if (i == 0)
		byte &= b->first_mask;
	if (i + 1 == b->bytes.len)
		byte &= b->last_mask;
	return byte;
}

/* ---- BITCOUNT -------------------------------------------------------------------------------- */

static int64_t bit_sum(const struct bit_bytes *b)
{
	size_t i = 1, len = b->bytes.len;
	int64_t sum = __builtin_popcount(bit_masked(b, 0));
	uint64_t word;

	for (; i + sizeof(word) < len; i += sizeof(word)) {
		memcpy(&word, b->bytes.data + i, sizeof(word));
		sum += __builtin_popcountll(word);
	}
	for (; i < len; i++)
		sum += __builtin_popcount(bit_masked(b, i));
	return sum;
}

/* `empty` as well if both ends are counted from the end of the string, in the wrong order. */
static int bit_count_range(struct call *c, const struct record *r, struct bit_range *range)
{
	int64_t first, last;
	bool bits = false;
	int rc;

	*range = bit_range_of(0, -1, false, r->size);
	if (c->argc == 2)
		return OK;
	if (c->argc != 4 && c->argc != 5)
		return reply_syntax(c);
	rc = call_integer(c, 2, &first);
	if (rc == OK)
		rc = call_integer(c, 3, &last);
	if (rc != OK)
		return rc;
	if (first < 0 && last < 0 && first > last) {
		*range = (struct bit_range){0, -1};
		return OK;
	}
	if (c->argc == 5)
		rc = bit_unit(c, 4, &bits);
	if (rc == OK)
		*range = bit_range_of(first, last, bits, r->size);
	return rc;
}

/* As in Redis, where there is no key nothing is said of the other arguments. */
static int bit_count(struct call *c)
{
	struct bit_range range = {0, -1};
	struct bit_bytes bytes;
	struct record r;
	int rc = call_string_record(c, 1, &r);

	if (rc == OK && r.type == RECORD_NONE)
		return reply_integer(c, 0);
	if (rc == OK)
		rc = bit_count_range(c, &r, &range);
	if (rc != OK)
		return rc;
	if (range.first > range.last)
		return reply_integer(c, 0);
	rc = bit_bytes(c, &r, range, &bytes);
	return rc == OK ? reply_integer(c, bit_sum(&bytes)) : rc;
}

/* ---- BITPOS ---------------------------------------------------------------------------------- */

/* Where the first such bit is, from the first byte on; -1: there is none. */
static int64_t bit_find(const struct bit_bytes *b, bool bit)
{
	uint8_t skip = bit ? 0x00 : 0xff;

	for (size_t i = 0; i < b->bytes.len; i++) {
		uint8_t byte = b->bytes.data[i], in = 0xff;

		if (byte == skip)
			continue;
		if (i == 0)
			in &= b->first_mask;
		if (i + 1 == b->bytes.len)
			in &= b->last_mask;
		in &= bit ? byte : (uint8_t)~byte;
		if (in)
			return (int64_t)i * 8 + __builtin_clz(in) - 24;
	}
	return -1;
}

static int bit_pos_range(struct call *c, const struct record *r, struct bit_range *range)
{
	int64_t first = 0, last = -1;
	bool bits = false;
	int rc = OK;

	if (c->argc > 6)
		return reply_syntax(c);
	if (c->argc > 3)
		rc = call_integer(c, 3, &first);
	if (rc == OK && c->argc == 6)
		rc = bit_unit(c, 5, &bits);
	if (rc == OK && c->argc > 4)
		rc = call_integer(c, 4, &last);
	if (rc == OK)
		*range = bit_range_of(first, last, bits, r->size);
	return rc;
}

static int bit_pos(struct call *c)
{
	struct bit_range range = {0, -1};
	struct bit_bytes bytes;
	struct record r;
	int64_t bit, found;
	int rc = call_integer(c, 2, &bit);

	if (rc != OK)
		return rc;
	if (bit != 0 && bit != 1)
		return reply_error(c, "ERR The bit argument must be 1 or 0.");
	rc = call_string_record(c, 1, &r);
	if (rc == OK && r.type == RECORD_NONE)
		return reply_integer(c, bit ? -1 : 0);
	if (rc == OK)
		rc = bit_pos_range(c, &r, &range);
	if (rc != OK)
		return rc;
	if (range.first > range.last)
		return reply_integer(c, -1);
	rc = bit_bytes(c, &r, range, &bytes);
	if (rc != OK)
		return rc;
	found = bit_find(&bytes, bit == 1);
	if (found >= 0)
		return reply_integer(c, range.first / 8 * 8 + found);
	/* A string is followed by zeros, unless it was said where the search ends. */
	return reply_integer(c, bit == 0 && c->argc < 5 ? (int64_t)r.size * 8 : -1);
}

/* ---- BITOP ----------------------------------------------------------------------------------- */

enum bit_operation {
	BIT_AND,
	BIT_OR,
	BIT_XOR,
	BIT_NOT,
	BIT_OPERATIONS,
};

static enum bit_operation bit_operation_of(struct slice word)
{
	static const char *const words[] = {"AND", "OR", "XOR", "NOT"};
	enum bit_operation op = BIT_AND;

	while (op < BIT_OPERATIONS && !argument_is(word, words[op]))
		op++;
	return op;
}

/* `out` is as long as the longest of all; what a source has not is zeros. */
static void bit_combine(enum bit_operation op, struct slice source, struct buf *out)
{
	for (size_t i = 0; i < source.len; i++) {
		if (op == BIT_AND)
			out->data[i] &= source.data[i];
		else if (op == BIT_OR)
			out->data[i] |= source.data[i];
		else
			out->data[i] ^= source.data[i];
	}
	if (op == BIT_AND && source.len < out->len)
		memset(out->data + source.len, 0, out->len - source.len);
}

/* The length of the result, which no source may hinder. */
static int bit_op_length(struct call *c, size_t *len)
{
	*len = 0;
	for (size_t i = 3; i < c->argc; i++) {
		struct record r;
		int rc = call_string_record(c, i, &r);

		if (rc != OK)
			return rc;
		*len = MAX(*len, (size_t)r.size);
	}
	return OK;
}

static int bit_op_sources(struct call *c, enum bit_operation op, struct buf *out)
{
	for (size_t i = 3; i < c->argc; i++) {
		struct slice value;
		struct record r;
		int rc = call_string(c, i, &r, &value);

		if (rc != OK)
			return rc;
		bit_combine(i == 3 ? BIT_OR : op, value, out);
	}
	for (size_t i = 0; op == BIT_NOT && i < out->len; i++)
		out->data[i] = (uint8_t)~out->data[i];
	return OK;
}

static int bit_op(struct call *c)
{
	enum bit_operation op = bit_operation_of(c->argv[1]);
	struct record_terms terms = {0};
	struct buf out = {0};
	struct record r;
	size_t len;
	int rc;

	if (op == BIT_OPERATIONS)
		return reply_syntax(c);
	if (op == BIT_NOT && c->argc != 4)
		return reply_error(c, "ERR BITOP NOT must be called with a single source key.");
	rc = bit_op_length(c, &len);
	if (rc != OK)
		return rc;
	memset(buf_reserve(&out, len), 0, len);
	out.len = len;
	rc = bit_op_sources(c, op, &out);
	if (rc == OK)
		rc = call_record(c, 2, &r);
	if (rc == OK && len > 0)
		txn_set_string(c->txn, c->database, c->argv[2], &r, buf_slice(&out), &terms);
	else if (rc == OK && r.type != RECORD_NONE)
		call_delete(c, 2, &r);
	buf_free(&out);
	return rc == OK ? reply_integer(c, (int64_t)len) : rc;
}

#define READS COMMAND_FLAG_READONLY
#define GROWS (COMMAND_FLAG_WRITE | COMMAND_FLAG_DENYOOM)

static const struct command rows[] = {
	COMMAND_KEY_ROW(
		"BITCOUNT", -2, COMMAND_READ, READS, 1, 1, 1, bit_count,
		.key_use = KEY_RO | KEY_ACCESS,
		COMMAND_DOC(GROUP_BITMAP, "2.6.0", "O(N), N bytes", "key [start end [BYTE|BIT]]",
			    "Counts the bits that are set in a string, or in a part of it")),
	COMMAND_KEY_ROW("BITOP", -4, COMMAND_WRITE, GROWS, 2, -1, 1, bit_op,
			.key_use = KEY_OW | KEY_UPDATE, .later_use = KEY_RO | KEY_ACCESS,
			COMMAND_DOC(GROUP_BITMAP, "2.6.0", "O(N), N bytes",
				    "operation destkey key [key ...]",
				    "Combines strings bit by bit with AND, OR, XOR or NOT, and "
				    "stores the result")),
	COMMAND_KEY_ROW("BITPOS", -3, COMMAND_READ, READS, 1, 1, 1, bit_pos,
			.key_use = KEY_RO | KEY_ACCESS,
			COMMAND_DOC(GROUP_BITMAP, "2.8.7", "O(N), N bytes",
				    "key bit [start [end [BYTE|BIT]]]",
				    "Finds the first bit that is set, or that is not")),
	COMMAND_KEY_ROW("GETBIT", 3, COMMAND_READ, READS | COMMAND_FLAG_FAST, 1, 1, 1, bit_get,
			.key_use = KEY_RO | KEY_ACCESS,
			COMMAND_DOC(GROUP_BITMAP, "2.2.0", "O(1)", "key offset",
				    "Gives one bit of a string")),
	COMMAND_KEY_ROW(
		"SETBIT", 4, COMMAND_WRITE, GROWS, 1, 1, 1, bit_set,
		.key_use = KEY_RW | KEY_ACCESS | KEY_UPDATE,
		COMMAND_DOC(GROUP_BITMAP, "2.2.0", "O(1)", "key offset value:integer",
			    "Sets one bit of a string",
			    .differs = "A string has at most 16 MiB, what one request may bring")),
};

const struct command_family string_bit_family = COMMAND_FAMILY(rows);
