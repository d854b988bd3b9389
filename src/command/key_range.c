#include "command/key_range.h"

#include "base/error.h"

void key_range_free(struct key_range *r)
{
	buf_free(&r->from);
	buf_free(&r->to);
}

/* It ends at the same with its last byte one higher, those that are 255 left out. */
void key_range_of_prefix(struct slice prefix, struct key_range *r)
{
	*r = (struct key_range){0};
	buf_append_slice(&r->from, prefix);
	while (prefix.len > 0 && prefix.data[prefix.len - 1] == UINT8_MAX)
		prefix.len--;
	r->endless = prefix.len == 0;
	buf_append_slice(&r->to, prefix);
	if (!r->endless)
		r->to.data[r->to.len - 1]++;
}

void key_range_of_key(struct slice key, struct key_range *r)
{
	*r = (struct key_range){0};
	buf_append_slice(&r->from, key);
	buf_append_slice(&r->to, key);
	buf_append_byte(&r->to, 0);
}

void key_range_begin_behind(struct key_range *r, struct slice key)
{
	if (slice_compare(key, buf_slice(&r->from)) < 0)
		return;
	buf_clear(&r->from);
	buf_append_slice(&r->from, key);
	buf_append_byte(&r->from, 0);
}

int key_range_scan(struct call *c, const struct key_range *r, bool backward, struct record_scan *s)
{
	struct slice from = buf_slice(&r->from), to = buf_slice(&r->to);

	if (!r->endless && slice_compare(from, to) >= 0)
		return ERR_NOT_FOUND;
	return record_scan_open(s, c->txn, c->database, from, r->endless ? NULL : &to, backward);
}
