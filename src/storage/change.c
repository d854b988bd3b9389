#include "base/check.h"
#include "storage/row_internal.h"

/*
 * Which fields are not what they mostly are, and so are written. With the type the first are 16
 * bits; one of those says that a byte with the others follows.
 */
enum change_flag {
	CHANGE_HAS_PREVIOUS = 0x0010,
	CHANGE_HAS_CREATE = 0x0020,
	CHANGE_HAS_VALUE_AT = 0x0040,
	CHANGE_HAS_AUTHOR = 0x0080,
	CHANGE_HAS_DEADLINE = 0x0100,
	CHANGE_HAS_LEASE = 0x0200,
	CHANGE_HAS_INCARNATION = 0x0400,
	CHANGE_HAS_KEEP = 0x0800, /* it is not 1 */
	CHANGE_HAS_ELEMENT = 0x1000,
	CHANGE_HAS_BEFORE = 0x2000,
	CHANGE_HAS_OTHER = 0x4000,
	CHANGE_HAS_SIZE = 0x8000,
	CHANGE_HAS_DISPLACED = 0x010000,
	CHANGE_HAS_KEPT = 0x020000,
};

#define CHANGE_TYPE_MASK  0x0007u
#define CHANGE_HAS_MORE	  0x0008u /* the byte with the others follows */
#define CHANGE_MORE_SHIFT 16

/*
 * All but the bytes of slices: four bytes, four revisions, keep and kept, and numbers: two
 * keyspaces, version, time, two of the author, deadline, lease, incarnation, size, and the lengths
 * of four slices.
 */
#define CHANGE_HEAD_MAX (4 + 4 * REVISION_MAX + 2 + 14 * VARINT_MAX)

_Static_assert(RECORD_CHUNKS <= CHANGE_TYPE_MASK, "types have three bits");

static bool revision_given(struct revision r)
{
	return (r.main | r.sub) != 0;
}

static unsigned change_flags(const struct change *c)
{
	unsigned flags = 0;

	if (revision_given(c->previous))
		flags |= CHANGE_HAS_PREVIOUS;
	if (revision_given(c->create))
		flags |= CHANGE_HAS_CREATE;
	if (revision_given(c->value_at))
		flags |= CHANGE_HAS_VALUE_AT;
	if (c->author.number != 0)
		flags |= CHANGE_HAS_AUTHOR;
	if (c->deadline_ms != 0)
		flags |= CHANGE_HAS_DEADLINE;
	if (c->lease != 0)
		flags |= CHANGE_HAS_LEASE;
	if (c->incarnation != 0)
		flags |= CHANGE_HAS_INCARNATION;
	if (c->keep != 1)
		flags |= CHANGE_HAS_KEEP;
	if (c->element.len > 0)
		flags |= CHANGE_HAS_ELEMENT;
	if (c->has_before)
		flags |= CHANGE_HAS_BEFORE;
	if (c->other_keyspace != 0 || c->other_key.len > 0)
		flags |= CHANGE_HAS_OTHER;
	if (c->size != 0)
		flags |= CHANGE_HAS_SIZE;
	if (revision_given(c->displaced))
		flags |= CHANGE_HAS_DISPLACED;
	if (c->kept != 0)
		flags |= CHANGE_HAS_KEPT;
	return flags;
}

/* A deadline is written by its distance from the time, which wraps around if it is earlier. */
static uint8_t *change_put(uint8_t *at, const struct change *c, unsigned flags)
{
	at = number_put(at, c->keyspace);
	at = string_put(at, c->key);
	if (flags & CHANGE_HAS_PREVIOUS)
		at = revision_put(at, c->previous);
	if (flags & CHANGE_HAS_CREATE)
		at = revision_put(at, c->create);
	if (flags & CHANGE_HAS_VALUE_AT)
		at = revision_put(at, c->value_at);
	at = number_put(at, c->version);
	at = number_put(at, c->time_ms);
	if (flags & CHANGE_HAS_AUTHOR)
		at = number_put(number_put(at, c->author.incarnation), c->author.number);
	if (flags & CHANGE_HAS_DEADLINE)
		at = number_put(at, c->deadline_ms - c->time_ms);
	if (flags & CHANGE_HAS_LEASE)
		at = number_put(at, c->lease);
	if (flags & CHANGE_HAS_INCARNATION)
		at = number_put(at, c->incarnation);
	if (flags & CHANGE_HAS_KEEP)
		*at++ = c->keep;
	if (flags & CHANGE_HAS_ELEMENT)
		at = string_put(at, c->element);
	if (flags & CHANGE_HAS_BEFORE)
		at = string_put(at, c->before);
	if (flags & CHANGE_HAS_OTHER)
		at = string_put(number_put(at, c->other_keyspace), c->other_key);
	if (flags & CHANGE_HAS_SIZE)
		at = number_put(at, c->size);
	if (flags & CHANGE_HAS_DISPLACED)
		at = revision_put(at, c->displaced);
	if (flags & CHANGE_HAS_KEPT)
		*at++ = c->kept;
	return bytes_put(at, c->value);
}

void change_encode(const struct change *c, struct buf *out)
{
	unsigned flags = change_flags(c), more = flags >> CHANGE_MORE_SHIFT;
	size_t slices =
		c->key.len + c->value.len + c->element.len + c->before.len + c->other_key.len;
	uint8_t *begin, *at;

	CHECK(c->kind >= CHANGE_SET && c->kind <= CHANGE_KEYSPACE && c->type <= RECORD_CHUNKS);
	CHECK(c->has_before || c->before.len == 0);
	begin = at = buf_reserve(out, CHANGE_HEAD_MAX + slices);
	*at++ = row_head(c->kind);
	fixed16_put(at, (uint16_t)(flags | (more ? CHANGE_HAS_MORE : 0) | c->type));
	at += 2;
	if (more)
		*at++ = (uint8_t)more;
	at = change_put(at, c, flags);
	buf_commit(out, (size_t)(at - begin));
}

static struct author cursor_author(struct cursor *in)
{
	struct author a = {.incarnation = cursor_varint(in)};

	a.number = cursor_varint(in);
	return a;
}

static void change_get(struct cursor *in, struct change *c, unsigned flags)
{
	c->keyspace = cursor_varint32(in);
	c->key = cursor_string(in);
	if (flags & CHANGE_HAS_PREVIOUS)
		c->previous = cursor_revision(in);
	if (flags & CHANGE_HAS_CREATE)
		c->create = cursor_revision(in);
	if (flags & CHANGE_HAS_VALUE_AT)
		c->value_at = cursor_revision(in);
	c->version = cursor_varint(in);
	c->time_ms = cursor_varint(in);
	if (flags & CHANGE_HAS_AUTHOR)
		c->author = cursor_author(in);
	if (flags & CHANGE_HAS_DEADLINE)
		c->deadline_ms = c->time_ms + cursor_varint(in);
	if (flags & CHANGE_HAS_LEASE)
		c->lease = cursor_varint(in);
	if (flags & CHANGE_HAS_INCARNATION)
		c->incarnation = cursor_varint(in);
	c->keep = flags & CHANGE_HAS_KEEP ? cursor_fixed8(in) : 1;
	if (flags & CHANGE_HAS_ELEMENT)
		c->element = cursor_string(in);
	c->has_before = (flags & CHANGE_HAS_BEFORE) != 0;
	if (c->has_before)
		c->before = cursor_string(in);
	if (flags & CHANGE_HAS_OTHER) {
		c->other_keyspace = cursor_varint32(in);
		c->other_key = cursor_string(in);
	}
	if (flags & CHANGE_HAS_SIZE)
		c->size = cursor_varint(in);
	if (flags & CHANGE_HAS_DISPLACED)
		c->displaced = cursor_revision(in);
	if (flags & CHANGE_HAS_KEPT)
		c->kept = cursor_fixed8(in);
	c->value = cursor_rest(in);
}

int change_decode(struct slice bytes, struct change *c)
{
	struct cursor in = cursor_of(bytes);
	uint8_t head = cursor_fixed8(&in);
	unsigned shape = cursor_fixed16(&in), flags = shape & ~(CHANGE_TYPE_MASK | CHANGE_HAS_MORE);
	int rc = row_head_check(head);

	*c = (struct change){.kind = head & 0x0f, .type = shape & CHANGE_TYPE_MASK};
	if (shape & CHANGE_HAS_MORE)
		flags |= (unsigned)cursor_fixed8(&in) << CHANGE_MORE_SHIFT;
	if (rc == OK && c->kind >= CHANGE_SET && c->kind <= CHANGE_KEYSPACE &&
	    c->type <= RECORD_CHUNKS) {
		change_get(&in, c, flags);
		/* A flag that its field does not need would make a second form of the change. */
		if (cursor_done(&in) && flags == change_flags(c) &&
		    (flags >> CHANGE_MORE_SHIFT != 0) == ((shape & CHANGE_HAS_MORE) != 0))
			return OK;
	}
	*c = (struct change){0};
	return rc == OK ? ERR_MALFORMED : rc;
}

static bool is_before(struct revision r, struct revision at)
{
	return !revision_given(r) || revision_compare(r, at) < 0;
}

int change_decode_at(struct slice bytes, struct revision at, struct change *c)
{
	int rc = change_decode(bytes, c);

	if (rc == OK && is_before(c->previous, at) && is_before(c->value_at, at) &&
	    is_before(c->displaced, at))
		return OK;
	*c = (struct change){0};
	return rc == OK ? ERR_MALFORMED : rc;
}

bool change_ends_record(const struct change *c)
{
	return c->kind == CHANGE_DELETE || c->kind == CHANGE_EXPIRE || c->kind == CHANGE_MOVED_AWAY;
}

const char *change_kind_name(enum change_kind kind)
{
	switch (kind) {
	case CHANGE_SET:
		return "set";
	case CHANGE_DELETE:
		return "delete";
	case CHANGE_EXPIRE:
		return "expire";
	case CHANGE_DEADLINE:
		return "deadline";
	case CHANGE_ELEMENT_SET:
		return "element_set";
	case CHANGE_ELEMENT_DELETE:
		return "element_delete";
	case CHANGE_MOVED_AWAY:
		return "moved_away";
	case CHANGE_MOVED_HERE:
		return "moved_here";
	case CHANGE_KEYSPACE:
		return "keyspace";
	}
	return "unknown";
}
