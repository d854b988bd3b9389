#include "node/expiry_entry.h"

#include "base/error.h"

#define EXPIRY_VERSION 1u

void expiry_entry_begin(struct buf *out)
{
	buf_append_fixed8(out, EXPIRY_VERSION);
}

void expiry_item_encode(const struct expiry_item *item, struct buf *out)
{
	buf_append_varint(out, item->at_ms);
	buf_append_varint(out, item->keyspace);
	buf_append_string(out, item->key);
}

int expiry_entry_decode(struct cursor *c)
{
	uint8_t version = cursor_fixed8(c);

	if (c->failed)
		return ERR_MALFORMED;
	if (version != EXPIRY_VERSION)
		return version > EXPIRY_VERSION ? ERR_VERSION : ERR_MALFORMED;
	return OK;
}

int expiry_item_decode(struct cursor *c, struct expiry_item *item)
{
	item->at_ms = cursor_varint(c);
	item->keyspace = cursor_varint32(c);
	item->key = cursor_string(c);
	return c->failed ? ERR_MALFORMED : OK;
}
