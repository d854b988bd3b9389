#include "consensus/message.h"

#include "base/check.h"
#include "base/error.h"
#include "base/mem.h"

#include <string.h>

/* The numbers of a message in wire order: written and read by the same list. */
#define MESSAGE_NUMBERS(X) \
	X(from)            \
	X(to)              \
	X(term)            \
	X(index)           \
	X(log_term)        \
	X(commit)          \
	X(context)         \
	X(hint)

/* Type, flags and numbers take at most this much on the wire. */
#define HEAD_COUNT(field) +1
#define HEAD_WIRE_MAX	  (2 + (0 MESSAGE_NUMBERS(HEAD_COUNT)) * VARINT_MAX)

/* An entry takes at least this much on the wire: term, kind, length (a byte each) and stamp. */
#define ENTRY_WIRE_MIN 11

const char *raft_message_name(unsigned type)
{
	switch (type) {
#define RAFT_MESSAGE_NAME(id, number, name) \
	case id:                            \
		return name;
		RAFT_MESSAGES(RAFT_MESSAGE_NAME)
#undef RAFT_MESSAGE_NAME
	default:
		return "unknown";
	}
}

size_t raft_message_encode(const struct raft_message *m, struct buf *out)
{
	uint8_t *head = buf_reserve(out, HEAD_WIRE_MAX);
	size_t used = 0, payload = 0;

	head[used++] = m->type;
	head[used++] = m->flags;
#define NUMBER_ENCODE(field) used += varint_put(head + used, m->field);
	MESSAGE_NUMBERS(NUMBER_ENCODE)
#undef NUMBER_ENCODE
	buf_commit(out, used);
	buf_append_string(out, slice_of(m->note, m->note_len));
	buf_append_string(out, m->descriptor);
	buf_append_varint(out, m->count);
	for (uint32_t i = 0; i < m->count; i++) {
		const struct entry *e = &m->entries[i];
		uint8_t *at = buf_reserve(out, 2 * VARINT_MAX + 9);
		size_t n = varint_put(at, e->term);

		at[n++] = e->kind;
		fixed64_put(at + n, e->stamp);
		n += 8;
		n += varint_put(at + n, e->len);
		buf_commit(out, n);
		payload += e->len;
	}
	return payload;
}

static void message_decode_entries(struct cursor *c, struct blob *frame, struct raft_message *m,
				   struct entry **entries, size_t *cap)
{
	uint64_t count = cursor_varint(c);

	if (count > cursor_left(c) / ENTRY_WIRE_MIN) {
		cursor_fail(c);
		return;
	}
	MEM_GROW(*entries, *cap, (size_t)count);
	for (uint64_t i = 0; i < count; i++) {
		struct entry *e = &(*entries)[i];
		uint64_t len;

		*e = (struct entry){.term = cursor_varint(c)};
		e->kind = cursor_fixed8(c);
		e->stamp = cursor_fixed64(c);
		len = cursor_varint(c);
		if (len > cursor_left(c) || len > UINT32_MAX)
			cursor_fail(c);
		e->len = (uint32_t)len;
	}
	for (uint64_t i = 0; i < count; i++) {
		struct entry *e = &(*entries)[i];

		if (e->len == 0)
			continue;
		e->data = cursor_bytes(c, e->len).data;
		e->blob = frame;
	}
	m->entries = *entries;
	m->count = (uint32_t)count;
}

int raft_message_decode(struct blob *frame, size_t offset, struct raft_message *m,
			struct entry **entries, size_t *cap)
{
	struct cursor c;
	struct slice note;

	CHECK(offset <= frame->len);
	c = cursor_of(slice_of(frame->data + offset, frame->len - offset));
	*m = (struct raft_message){.type = cursor_fixed8(&c)};
	m->flags = cursor_fixed8(&c);
#define NUMBER_DECODE(field) m->field = cursor_varint(&c);
	MESSAGE_NUMBERS(NUMBER_DECODE)
#undef NUMBER_DECODE
	note = cursor_string(&c);
	m->descriptor = cursor_string(&c);
	message_decode_entries(&c, frame, m, entries, cap);
	if (!cursor_done(&c) || note.len > RAFT_NOTE_MAX || m->type == 0 ||
	    m->type > RAFT_MESSAGE_TYPE_MAX)
		return ERR_MALFORMED;
	m->note_len = (uint8_t)note.len;
	if (note.len)
		memcpy(m->note, note.data, note.len);
	return OK;
}
