#include "sim/kv.h"

#include "base/check.h"
#include "base/codec.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/mem.h"

#include <string.h>

void kv_init(struct kv *kv)
{
	*kv = (struct kv){0};
	for (size_t i = 0; i < KV_KEYS; i++)
		kv->cells[i].value = HISTORY_NONE;
}

void kv_close(struct kv *kv)
{
	for (size_t i = 0; i < KV_KEYS; i++)
		mem_free(kv->cells[i].list);
	kv_init(kv);
}

void kv_command_encode(const struct kv_command *c, struct buf *out)
{
	buf_append_varint(out, c->op);
	buf_append_fixed8(out, (uint8_t)c->kind);
	buf_append_varint(out, c->key);
	buf_append_varint(out, c->value);
	buf_append_varint(out, c->expected);
}

int kv_command_decode(struct slice bytes, struct kv_command *c)
{
	struct cursor cur = cursor_of(bytes);

	c->op = cursor_varint(&cur);
	c->kind = cursor_fixed8(&cur);
	c->key = cursor_varint(&cur);
	c->value = cursor_varint(&cur);
	c->expected = cursor_varint(&cur);
	/* Some commands carry ballast behind, to make entries of many sizes. */
	return cur.failed || c->key >= KV_KEYS ? ERR_MALFORMED : OK;
}

static uint64_t kv_execute(struct kv *kv, const struct kv_command *c)
{
	struct kv_cell *cell = &kv->cells[c->key];
	bool existed = cell->value != HISTORY_NONE || cell->len > 0;

	switch (c->kind) {
	case HISTORY_WRITE:
		cell->value = c->value;
		return 0;
	case HISTORY_CAS:
		if (cell->value != c->expected)
			return 0;
		cell->value = c->value;
		return 1;
	case HISTORY_INCR:
		cell->value = cell->value == HISTORY_NONE ? 1 : cell->value + 1;
		return cell->value;
	case HISTORY_DELETE:
		cell->value = HISTORY_NONE;
		cell->len = 0;
		return existed;
	case HISTORY_APPEND:
		MEM_GROW(cell->list, cell->cap, cell->len + 1);
		cell->list[cell->len++] = c->value;
		return cell->len;
	case HISTORY_READ:
	case HISTORY_READ_LIST:
		break;
	}
	check_failed(__FILE__, __LINE__, __func__, "reads are not in the log", NULL);
}

bool kv_apply(struct kv *kv, uint64_t index, const struct entry *e, struct kv_command *c,
	      struct kv_result *result)
{
	uint64_t hash = hash64_salted(entry_payload(e), e->kind);

	CHECK(index == kv->index + 1);
	kv->index = index;
	kv->term = e->term;
	kv->digest = hash64_pair(kv->digest, hash64_pair(hash, e->stamp));
	if (e->kind < ENTRY_COMMAND)
		return false;
	CHECK(kv_command_decode(entry_payload(e), c) == OK);
	result->value = kv_execute(kv, c);
	return true;
}

void kv_encode(const struct kv *kv, const struct snapshot *s, struct buf *out)
{
	struct buf descriptor = {0};

	snapshot_encode(s, &descriptor);
	buf_append_string(out, buf_slice(&descriptor));
	buf_free(&descriptor);
	buf_append_fixed64(out, kv->index);
	buf_append_fixed64(out, kv->term);
	buf_append_fixed64(out, kv->digest);
	for (size_t i = 0; i < KV_KEYS; i++) {
		buf_append_fixed64(out, kv->cells[i].value);
		buf_append_varint(out, kv->cells[i].len);
		for (size_t j = 0; j < kv->cells[i].len; j++)
			buf_append_varint(out, kv->cells[i].list[j]);
	}
	buf_append_fixed64(out, hash64(buf_slice(out)));
}

static void kv_decode_cell(struct cursor *c, struct kv_cell *cell)
{
	uint64_t len;

	cell->value = cursor_fixed64(c);
	len = cursor_varint(c);
	if (len > cursor_left(c)) {
		cursor_fail(c);
		return;
	}
	MEM_GROW(cell->list, cell->cap, (size_t)len);
	cell->len = (size_t)len;
	for (size_t j = 0; j < cell->len; j++)
		cell->list[j] = cursor_varint(c);
}

int kv_decode(struct slice bytes, struct kv *kv, struct slice *descriptor)
{
	struct cursor c;

	kv_init(kv);
	if (bytes.len < 8 ||
	    fixed64_get(bytes.data + bytes.len - 8) != hash64(slice_of(bytes.data, bytes.len - 8)))
		return ERR_CORRUPT;
	c = cursor_of(slice_of(bytes.data, bytes.len - 8));
	*descriptor = cursor_string(&c);
	kv->index = cursor_fixed64(&c);
	kv->term = cursor_fixed64(&c);
	kv->digest = cursor_fixed64(&c);
	for (size_t i = 0; i < KV_KEYS; i++)
		kv_decode_cell(&c, &kv->cells[i]);
	if (cursor_done(&c))
		return OK;
	kv_close(kv);
	return ERR_CORRUPT;
}
