#include "node/horizon_entry.h"

#include "base/error.h"

#define HORIZON_VERSION 1u

void horizon_entry_encode(const struct horizon_entry *h, struct buf *out)
{
	buf_append_fixed8(out, HORIZON_VERSION);
	buf_append_varint(out, h->revision);
	buf_append_varint(out, h->at_ms);
}

int horizon_entry_decode(struct slice bytes, struct horizon_entry *h)
{
	struct cursor c = cursor_of(bytes);
	uint8_t version = cursor_fixed8(&c);

	h->revision = cursor_varint(&c);
	h->at_ms = cursor_varint(&c);
	if (version > HORIZON_VERSION)
		return ERR_VERSION;
	return version == HORIZON_VERSION && cursor_done(&c) ? OK : ERR_MALFORMED;
}
