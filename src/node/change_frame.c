#include "node/change_frame.h"

#include "base/error.h"

void change_request_encode(const struct cluster_request *c, struct buf *out)
{
	buf_append_fixed8(out, (uint8_t)c->change);
	buf_append_fixed8(out, c->rises);
	buf_append_string(out, c->who);
	buf_append_string(out, c->name);
	buf_append_string(out, c->address);
}

int change_request_decode(struct cursor *c, struct cluster_request *out)
{
	uint8_t change = cursor_fixed8(c), rises = cursor_fixed8(c);

	*out = (struct cluster_request){.change = (enum cluster_change)change, .rises = rises};
	out->who = cursor_string(c);
	out->name = cursor_string(c);
	out->address = cursor_string(c);
	if (!cursor_done(c) || rises > 1 || change < CLUSTER_ADD || change > CLUSTER_UPDATE)
		return ERR_MALFORMED;
	return OK;
}

void change_frame_put_head(const struct change_frame *f, struct buf *out)
{
	buf_append_fixed64(out, f->from);
	buf_append_fixed64(out, f->number);
	buf_append_fixed64(out, f->term);
}

int change_frame_decode(struct slice bytes, struct change_frame *out)
{
	struct cursor c = cursor_of(bytes);

	out->from = cursor_fixed64(&c);
	out->number = cursor_fixed64(&c);
	out->term = cursor_fixed64(&c);
	return change_request_decode(&c, &out->request);
}

void changed_frame_encode(const struct changed_frame *f, struct buf *out)
{
	buf_append_fixed64(out, f->number);
	buf_append_fixed8(out, (uint8_t)f->outcome);
	buf_append_string(out, f->error);
}

int changed_frame_decode(struct slice bytes, struct changed_frame *out)
{
	struct cursor c = cursor_of(bytes);
	uint8_t outcome;

	out->number = cursor_fixed64(&c);
	outcome = cursor_fixed8(&c);
	out->outcome = (enum change_outcome)outcome;
	out->error = cursor_string(&c);
	if (!cursor_done(&c) || outcome < CHANGE_MADE || outcome > CHANGE_UNKNOWN)
		return ERR_MALFORMED;
	return OK;
}
