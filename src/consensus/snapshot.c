#include "consensus/snapshot.h"

#include "base/error.h"

void snapshot_free(struct snapshot *s)
{
	membership_free(&s->membership);
	*s = (struct snapshot){0};
}

void snapshot_encode(const struct snapshot *s, struct buf *out)
{
	struct buf membership = {0};

	membership_encode(&s->membership, &membership);
	buf_append_varint(out, s->index);
	buf_append_varint(out, s->term);
	buf_append_string(out, buf_slice(&membership));
	buf_append_string(out, s->where);
	buf_free(&membership);
}

int snapshot_decode(struct slice bytes, struct snapshot *s)
{
	struct cursor c = cursor_of(bytes);
	struct slice membership;

	s->index = cursor_varint(&c);
	s->term = cursor_varint(&c);
	membership = cursor_string(&c);
	s->where = cursor_string(&c);
	if (!cursor_done(&c) || s->index == 0 || s->term == 0 ||
	    membership_decode(membership, &s->membership) != OK) {
		*s = (struct snapshot){0};
		return ERR_MALFORMED;
	}
	return OK;
}
