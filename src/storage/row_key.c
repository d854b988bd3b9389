#include "base/error.h"
#include "base/hash.h"
#include "storage/row.h"

#define RECORD_KEY_HEAD	  (1 + 4)
#define DEADLINE_KEY_HEAD (1 + 8 + 4)
#define GARBAGE_KEY_BYTES (1 + 8 + 1 + 8)

/* Numbers in keys are big-endian, so that bytes sort as they do. */
static void big32_put(uint8_t *at, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(v >> (24 - 8 * i));
}

static void big64_put(uint8_t *at, uint64_t v)
{
	big32_put(at, (uint32_t)(v >> 32));
	big32_put(at + 4, (uint32_t)v);
}

static uint32_t big32_get(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static uint64_t big64_get(const uint8_t *at)
{
	return (uint64_t)big32_get(at) << 32 | big32_get(at + 4);
}

int revision_compare(struct revision a, struct revision b)
{
	if (a.main != b.main)
		return a.main < b.main ? -1 : 1;
	return (a.sub > b.sub) - (a.sub < b.sub);
}

void history_key_put(uint8_t at[static HISTORY_KEY_BYTES], struct revision r)
{
	big64_put(at, r.main);
	big32_put(at + 8, r.sub);
}

int history_key_decode(struct slice key, struct revision *r)
{
	*r = (struct revision){0};
	if (key.len != HISTORY_KEY_BYTES)
		return ERR_MALFORMED;
	r->main = big64_get(key.data);
	r->sub = big32_get(key.data + 8);
	return OK;
}

void meta_key(struct buf *out, struct slice name)
{
	buf_append_byte(out, STATE_META);
	buf_append_slice(out, name);
}

void record_key(struct buf *out, uint32_t keyspace, struct slice key)
{
	uint8_t *at = buf_reserve(out, RECORD_KEY_HEAD + key.len);

	at[0] = STATE_RECORD;
	big32_put(at + 1, keyspace);
	buf_commit(out, RECORD_KEY_HEAD);
	buf_append_slice(out, key);
}

void element_key(struct buf *out, uint64_t incarnation, struct slice order, struct slice element)
{
	uint8_t *at = buf_reserve(out, ELEMENT_KEY_HEAD + order.len + element.len);

	at[0] = STATE_ELEMENT;
	big64_put(at + 1, incarnation);
	buf_commit(out, ELEMENT_KEY_HEAD);
	buf_append_slice(out, order);
	buf_append_slice(out, element);
}

void deadline_key(struct buf *out, uint64_t deadline_ms, uint32_t keyspace, struct slice key)
{
	uint8_t *at = buf_reserve(out, DEADLINE_KEY_HEAD + key.len);

	at[0] = STATE_DEADLINE;
	big64_put(at + 1, deadline_ms);
	big32_put(at + 9, keyspace);
	buf_commit(out, DEADLINE_KEY_HEAD);
	buf_append_slice(out, key);
}

int record_key_decode(struct slice row, uint32_t *keyspace, struct slice *key)
{
	*keyspace = 0;
	*key = (struct slice){0};
	if (row.len < RECORD_KEY_HEAD || row.data[0] != STATE_RECORD)
		return ERR_MALFORMED;
	*keyspace = big32_get(row.data + 1);
	*key = slice_of(row.data + RECORD_KEY_HEAD, row.len - RECORD_KEY_HEAD);
	return OK;
}

int deadline_key_decode(struct slice row, uint64_t *deadline_ms, uint32_t *keyspace,
			struct slice *key)
{
	*deadline_ms = 0;
	*keyspace = 0;
	*key = (struct slice){0};
	if (row.len < DEADLINE_KEY_HEAD || row.data[0] != STATE_DEADLINE)
		return ERR_MALFORMED;
	*deadline_ms = big64_get(row.data + 1);
	*keyspace = big32_get(row.data + 9);
	*key = slice_of(row.data + DEADLINE_KEY_HEAD, row.len - DEADLINE_KEY_HEAD);
	return OK;
}

void garbage_key(struct buf *out, uint64_t ended, enum garbage_kind kind, uint64_t id)
{
	uint8_t *at = buf_reserve(out, GARBAGE_KEY_BYTES);

	at[0] = STATE_GARBAGE;
	big64_put(at + 1, ended);
	at[9] = (uint8_t)kind;
	big64_put(at + 10, id);
	buf_commit(out, GARBAGE_KEY_BYTES);
}

int garbage_key_decode(struct slice row, uint64_t *ended, enum garbage_kind *kind, uint64_t *id)
{
	*ended = 0;
	*kind = GARBAGE_KEYSPACE;
	*id = 0;
	if (row.len < GARBAGE_KEY_BYTES || row.data[0] != STATE_GARBAGE)
		return ERR_MALFORMED;
	if (row.data[9] != GARBAGE_KEYSPACE && row.data[9] != GARBAGE_INCARNATION &&
	    row.data[9] != GARBAGE_AUTHOR && row.data[9] != GARBAGE_AUTHORS_OF)
		return ERR_MALFORMED;
	if (row.len != GARBAGE_KEY_BYTES + (row.data[9] == GARBAGE_AUTHOR ? 8 : 0))
		return ERR_MALFORMED;
	*ended = big64_get(row.data + 1);
	*kind = (enum garbage_kind)row.data[9];
	*id = big64_get(row.data + 10);
	return OK;
}

void author_garbage_key(struct buf *out, uint64_t ended, struct author a)
{
	uint8_t number[8];

	garbage_key(out, ended, GARBAGE_AUTHOR, a.incarnation);
	big64_put(number, a.number);
	buf_append(out, number, sizeof(number));
}

uint64_t author_garbage_number(struct slice row)
{
	return row.len == GARBAGE_KEY_BYTES + 8 ? big64_get(row.data + GARBAGE_KEY_BYTES) : 0;
}

static size_t element_order_len(enum record_type type)
{
	bool by_hash = type == RECORD_HASH || type == RECORD_SET || type == RECORD_SORTED_SET;

	return by_hash ? ELEMENT_ORDER_MAX : 0;
}

size_t element_order_put(enum record_type type, struct slice element,
			 uint8_t order[static ELEMENT_ORDER_MAX])
{
	if (element_order_len(type) > 0)
		big64_put(order, hash64(element));
	return element_order_len(type);
}

int element_key_decode(struct slice row, enum record_type type, uint64_t *incarnation,
		       struct slice *element)
{
	size_t head = ELEMENT_KEY_HEAD + element_order_len(type);

	*incarnation = 0;
	*element = (struct slice){0};
	if (row.len < head || row.data[0] != STATE_ELEMENT)
		return ERR_MALFORMED;
	*incarnation = big64_get(row.data + 1);
	*element = slice_of(row.data + head, row.len - head);
	return OK;
}

uint64_t element_share(struct slice row, struct slice value)
{
	struct slice name = slice_of(row.data + ELEMENT_KEY_HEAD, row.len - ELEMENT_KEY_HEAD);

	return hash64_salted(value, hash64(name));
}
