#include "base/check.h"
#include "storage/row_internal.h"

/* Which fields are not what they mostly are, and so are written; the second byte of a record. */
enum record_flag {
	RECORD_HAS_VALUE = 0x01,    /* the value is inlined, and its length is the size */
	RECORD_HAS_CREATE = 0x02,   /* create is not mod */
	RECORD_HAS_VALUE_AT = 0x04, /* value_at of a string is not mod */
	RECORD_HAS_DEADLINE = 0x08,
	RECORD_HAS_INDEXED = 0x10, /* it is not the deadline */
	RECORD_HAS_LEASE = 0x20,
	RECORD_HAS_KEEP = 0x40, /* it is not 1 */
	RECORD_HAS_EXTRA = 0x80,
};

/* All but the bytes of extra and value: two bytes, three revisions, seven numbers, keep, digest. */
#define RECORD_HEAD_MAX (2 + 3 * REVISION_MAX + 7 * VARINT_MAX + 1 + 8)

static bool tombstone_is_bare(const struct record *r)
{
	return (r->create.main | r->create.sub | r->value_at.main | r->value_at.sub | r->version |
		r->incarnation | r->deadline_ms | r->indexed_ms | r->lease | r->digest | r->size |
		r->keep | r->inlined | r->value.len | r->extra.len) == 0;
}

const char *record_broken(const struct record *r)
{
	static const struct revision none;
	bool string = r->type == RECORD_STRING;

	if (r->type == RECORD_NONE)
		return tombstone_is_bare(r) ? NULL : "R1: a tombstone has mod alone";
	if (revision_compare(r->create, r->mod) > 0 || revision_compare(r->value_at, r->mod) > 0)
		return "R1: create <= mod and value_at <= mod";
	if (string ? r->incarnation != 0 : r->inlined || !revision_equal(r->value_at, none))
		return "R2: only strings have value_at and inlined, only collections an "
		       "incarnation";
	if (r->value.len != (r->inlined ? r->size : 0) || r->value.len > RECORD_INLINE_MAX)
		return "R3: inlined implies value.len == size <= RECORD_INLINE_MAX";
	if (r->keep == 0)
		return "R4: keep >= 1 in what lives";
	return NULL;
}

static unsigned record_flags(const struct record *r)
{
	unsigned flags = 0;

	if (r->type == RECORD_NONE)
		return 0;
	if (r->inlined)
		flags |= RECORD_HAS_VALUE;
	if (!revision_equal(r->create, r->mod))
		flags |= RECORD_HAS_CREATE;
	if (r->type == RECORD_STRING && !revision_equal(r->value_at, r->mod))
		flags |= RECORD_HAS_VALUE_AT;
	if (r->deadline_ms != 0)
		flags |= RECORD_HAS_DEADLINE;
	if (r->indexed_ms != r->deadline_ms)
		flags |= RECORD_HAS_INDEXED;
	if (r->lease != 0)
		flags |= RECORD_HAS_LEASE;
	if (r->keep != 1)
		flags |= RECORD_HAS_KEEP;
	if (r->extra.len > 0)
		flags |= RECORD_HAS_EXTRA;
	return flags;
}

/* A revision at or before `mod`, by how far its main is from that of `mod`. */
static uint8_t *earlier_put(uint8_t *at, struct revision mod, struct revision r)
{
	return number_put(number_put(at, mod.main - r.main), r.sub);
}

/* A distance beyond the beginning wraps around to above `mod`, which R1 refuses. */
static struct revision cursor_earlier(struct cursor *c, struct revision mod)
{
	struct revision r = cursor_revision(c);

	r.main = mod.main - r.main;
	return r;
}

/* What only records that are no tombstone have. */
static uint8_t *living_put(uint8_t *at, const struct record *r, unsigned flags)
{
	if (flags & RECORD_HAS_CREATE)
		at = earlier_put(at, r->mod, r->create);
	if (flags & RECORD_HAS_VALUE_AT)
		at = earlier_put(at, r->mod, r->value_at);
	at = number_put(at, r->version);
	if (r->type != RECORD_STRING)
		at = number_put(at, r->incarnation);
	if (flags & RECORD_HAS_DEADLINE)
		at = number_put(at, r->deadline_ms);
	if (flags & RECORD_HAS_INDEXED)
		at = number_put(at, r->indexed_ms);
	if (flags & RECORD_HAS_LEASE)
		at = number_put(at, r->lease);
	if (flags & RECORD_HAS_KEEP)
		*at++ = r->keep;
	fixed64_put(at, r->digest);
	at += 8;
	if (!(flags & RECORD_HAS_VALUE))
		at = number_put(at, r->size);
	if (flags & RECORD_HAS_EXTRA)
		at = string_put(at, r->extra);
	return bytes_put(at, r->value);
}

void record_encode(const struct record *r, struct buf *out)
{
	unsigned flags = record_flags(r);
	uint8_t *begin, *at;

	CHECK(r->type <= RECORD_CHUNKS);
	CHECK_VALID(record_broken(r));
	begin = at = buf_reserve(out, RECORD_HEAD_MAX + r->extra.len + r->value.len);
	*at++ = row_head(r->type);
	*at++ = (uint8_t)flags;
	at = revision_put(at, r->mod);
	if (r->type != RECORD_NONE)
		at = living_put(at, r, flags);
	buf_commit(out, (size_t)(at - begin));
}

static void living_get(struct cursor *c, struct record *r, unsigned flags)
{
	r->create = flags & RECORD_HAS_CREATE ? cursor_earlier(c, r->mod) : r->mod;
	if (flags & RECORD_HAS_VALUE_AT)
		r->value_at = cursor_earlier(c, r->mod);
	else if (r->type == RECORD_STRING)
		r->value_at = r->mod;
	r->version = cursor_varint(c);
	if (r->type != RECORD_STRING)
		r->incarnation = cursor_varint(c);
	if (flags & RECORD_HAS_DEADLINE)
		r->deadline_ms = cursor_varint(c);
	r->indexed_ms = flags & RECORD_HAS_INDEXED ? cursor_varint(c) : r->deadline_ms;
	if (flags & RECORD_HAS_LEASE)
		r->lease = cursor_varint(c);
	r->keep = flags & RECORD_HAS_KEEP ? cursor_fixed8(c) : 1;
	r->digest = cursor_fixed64(c);
	if (!(flags & RECORD_HAS_VALUE))
		r->size = cursor_varint(c);
	if (flags & RECORD_HAS_EXTRA)
		r->extra = cursor_string(c);
	if (flags & RECORD_HAS_VALUE) {
		r->inlined = true;
		r->value = cursor_rest(c);
		r->size = r->value.len;
	}
}

int record_decode(struct slice bytes, struct record *r)
{
	struct cursor c = cursor_of(bytes);
	uint8_t head = cursor_fixed8(&c);
	unsigned flags = cursor_fixed8(&c);
	int rc = row_head_check(head);

	*r = (struct record){.type = head & 0x0f, .row = bytes};
	if (rc == OK && r->type <= RECORD_CHUNKS) {
		r->mod = cursor_revision(&c);
		if (r->type != RECORD_NONE)
			living_get(&c, r, flags);
		/* A flag that its field does not need would make a second form of the record. */
		if (cursor_done(&c) && flags == record_flags(r) && !record_broken(r))
			return OK;
	}
	*r = (struct record){0};
	return rc == OK ? ERR_MALFORMED : rc;
}

const char *record_type_name(enum record_type type)
{
	switch (type) {
	case RECORD_NONE:
		return "none";
	case RECORD_STRING:
	case RECORD_CHUNKS:
		return "string";
	case RECORD_HASH:
		return "hash";
	case RECORD_LIST:
		return "list";
	case RECORD_SET:
		return "set";
	case RECORD_SORTED_SET:
		return "zset";
	case RECORD_STREAM:
		return "stream";
	}
	return "unknown";
}
