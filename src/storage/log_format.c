#include "storage/log_format.h"

#include "base/check.h"
#include "base/codec.h"
#include "base/hash.h"
#include "base/mutant.h"

#include <string.h>

#define PREAMBLE_CHECKSUM_AT (LOG_PREAMBLE_SIZE - 8)

/* A field of eight bits has no function of its own in the codec. */
static void fixed8_put(uint8_t *at, uint8_t v)
{
	*at = v;
}

struct log_preamble {
	LOG_PREAMBLE_FIELDS(LOG_FIELD_MEMBER)
};

#define FIELD_PUT(width, name)              \
	fixed##width##_put(at, from->name); \
	at += (width) / 8;

#define FIELD_GET(width, name) to->name = cursor_fixed##width(&c);

static void preamble_put(const struct log_preamble *from, uint8_t *at)
{
	LOG_PREAMBLE_FIELDS(FIELD_PUT)
}

static void preamble_get(struct slice bytes, struct log_preamble *to)
{
	struct cursor c = cursor_of(bytes);

	LOG_PREAMBLE_FIELDS(FIELD_GET)
}

static uint64_t salt_at(uint64_t salt, uint64_t offset)
{
	if (MUTANT(log_unsalted_checksums))
		return 0;
	return hash64_pair(salt, offset);
}

uint64_t log_segment_salt(uint64_t member_id, uint64_t sequence)
{
	return hash64_pair(member_id, sequence);
}

/* The bytes before the checksum field salt the hash of those behind it. */
static uint64_t preamble_checksum(struct slice bytes)
{
	uint64_t head = hash64(slice_of(bytes.data, PREAMBLE_CHECKSUM_AT));

	return hash64_salted(
		slice_of(bytes.data + LOG_PREAMBLE_SIZE, bytes.len - LOG_PREAMBLE_SIZE), head);
}

/* Puts the preamble before a body that is written already. */
static void preamble_seal(uint64_t magic, uint32_t length, uint8_t *at)
{
	struct log_preamble p = {.magic = magic, .version = LOG_FORMAT_VERSION, .length = length};

	preamble_put(&p, at);
	p.checksum = preamble_checksum(slice_of(at, length));
	preamble_put(&p, at);
}

/* ERR_TRUNCATED and `*need`: the header may be whole, but reaches beyond `bytes`. */
static int preamble_check(struct slice bytes, uint64_t magic, uint32_t least, size_t *need)
{
	struct log_preamble p;

	if (bytes.len < LOG_PREAMBLE_SIZE)
		return ERR_CORRUPT;
	preamble_get(bytes, &p);
	if (p.magic != magic || p.length < LOG_PREAMBLE_SIZE)
		return ERR_CORRUPT;
	*need = p.length;
	if (p.length > bytes.len)
		return ERR_TRUNCATED;
	if (p.checksum != preamble_checksum(slice_of(bytes.data, p.length)))
		return ERR_CORRUPT;
	if (p.version > LOG_FORMAT_VERSION)
		return ERR_VERSION;
	return p.version == LOG_FORMAT_VERSION && p.length >= least ? OK : ERR_CORRUPT;
}

uint64_t log_segment_header_bytes(size_t membership_bytes)
{
	return log_blocks(LOG_SEGMENT_SIZE + membership_bytes);
}

void log_segment_header_encode(const struct log_segment_header *from, uint8_t *block)
{
	uint64_t total = log_segment_header_bytes(from->membership.len);
	uint8_t *at = block + LOG_PREAMBLE_SIZE;

	CHECK(from->membership_bytes == from->membership.len);
	memset(block, 0, total);
	LOG_SEGMENT_FIELDS(FIELD_PUT)
	if (from->membership.len > 0)
		memcpy(at, from->membership.data, from->membership.len);
	preamble_seal(LOG_SEGMENT_MAGIC, LOG_SEGMENT_SIZE + from->membership_bytes, block);
}

static bool segment_header_sane(const struct log_segment_header *h)
{
	return h->sequence > 0 && h->previous < h->sequence && h->first_index > 0 &&
	       h->previous_first <= h->first_index && h->membership_index < h->first_index &&
	       h->durable_upto <= h->capacity;
}

int log_segment_header_decode(struct slice bytes, struct log_segment_header *to, size_t *need)
{
	int rc = preamble_check(bytes, LOG_SEGMENT_MAGIC, LOG_SEGMENT_SIZE, need);
	struct cursor c;

	if (rc != OK)
		return rc;
	c = cursor_of(slice_of(bytes.data + LOG_PREAMBLE_SIZE, *need - LOG_PREAMBLE_SIZE));
	LOG_SEGMENT_FIELDS(FIELD_GET)
	to->membership = cursor_bytes(&c, to->membership_bytes);
	return cursor_done(&c) && segment_header_sane(to) ? OK : ERR_CORRUPT;
}

static void record_header_put(const struct log_record *from, uint8_t *at)
{
	LOG_RECORD_FIELDS(FIELD_PUT)
}

static uint64_t record_checksum(const uint8_t *at, uint64_t length, uint64_t salt, uint64_t offset)
{
	return hash64_salted(slice_of(at + 8, LOG_RECORD_SIZE - 8 + length), salt_at(salt, offset));
}

/* Puts the header before a body that is written already, and zeroes the gap behind it. */
static void record_seal(struct log_record *r, uint64_t salt, uint64_t offset, uint8_t *at)
{
	uint64_t used = LOG_RECORD_SIZE + (uint64_t)r->length;

	record_header_put(r, at);
	r->checksum = record_checksum(at, r->length, salt, offset);
	record_header_put(r, at);
	memset(at + used, 0, log_record_bytes(r->length) - used);
}

void log_record_encode_entry(const struct entry *from, uint64_t salt, uint64_t offset,
			     uint8_t *record)
{
	struct log_record r = {
		.type = LOG_RECORD_ENTRY, .kind = from->kind, .length = LOG_ENTRY_SIZE + from->len};
	uint8_t *at = record + LOG_RECORD_SIZE;

	LOG_ENTRY_FIELDS(FIELD_PUT)
	if (from->len > 0)
		memcpy(at, from->data, from->len);
	record_seal(&r, salt, offset, record);
}

void log_record_encode_state(const struct log_state *from, uint64_t salt, uint64_t offset,
			     uint8_t *record)
{
	struct log_record r = {.type = LOG_RECORD_STATE, .length = LOG_STATE_SIZE};
	uint8_t *at = record + LOG_RECORD_SIZE;

	LOG_STATE_FIELDS(FIELD_PUT)
	record_seal(&r, salt, offset, record);
}

static uint64_t group_checksum(const uint8_t *at, uint64_t salt, uint64_t offset)
{
	return hash64_salted(slice_of(at + 8, LOG_GROUP_SIZE - 8), ~salt_at(salt, offset));
}

static void group_put(const struct log_group_header *from, uint8_t *at)
{
	LOG_GROUP_FIELDS(FIELD_PUT)
}

void log_group_encode(struct log_group_header *g, uint64_t salt, uint64_t offset, uint8_t *at)
{
	CHECK(g->length >= LOG_GROUP_SIZE && offset % DISK_BLOCK == 0);
	CHECK(g->durable_upto <= offset && g->entries <= g->records);
	g->magic = LOG_GROUP_MAGIC;
	group_put(g, at);
	g->checksum = group_checksum(at, salt, offset);
	group_put(g, at);
}

bool log_group_decode(const uint8_t *at, uint64_t salt, uint64_t offset,
		      struct log_group_header *to)
{
	struct cursor c = cursor_of(slice_of(at, LOG_GROUP_SIZE));

	LOG_GROUP_FIELDS(FIELD_GET)
	return to->magic == LOG_GROUP_MAGIC && to->checksum == group_checksum(at, salt, offset) &&
	       to->length >= LOG_GROUP_SIZE && to->durable_upto <= offset &&
	       to->entries <= to->records && to->first_index > 0;
}

static void entry_get(struct cursor c, struct log_record *to)
{
	LOG_ENTRY_FIELDS(FIELD_GET)
	to->payload = cursor_bytes(&c, cursor_left(&c));
}

static void state_get(struct cursor c, struct log_record *r)
{
	struct log_state *to = &r->state;

	LOG_STATE_FIELDS(FIELD_GET)
	r->term = to->term;
}

/* The body of an intact record; one that its type does not fit was written by no version of us. */
static void record_body_get(struct slice body, struct log_record *r)
{
	if (r->type == LOG_RECORD_ENTRY && body.len >= LOG_ENTRY_SIZE)
		entry_get(cursor_of(body), r);
	else if (r->type == LOG_RECORD_STATE && body.len == LOG_STATE_SIZE)
		state_get(cursor_of(body), r);
	else
		r->intact = false;
}

bool log_record_decode(struct slice group, uint64_t salt, uint64_t offset, size_t *at,
		       struct log_record *to)
{
	size_t left = group.len - *at;
	const uint8_t *begin = group.data + *at;
	struct cursor c;

	if (left < LOG_RECORD_SIZE)
		return false;
	memset(to, 0, sizeof(*to));
	c = cursor_of(slice_of(begin, left));
	LOG_RECORD_FIELDS(FIELD_GET)
	if (log_record_bytes(to->length) > left)
		return false;
	to->intact = to->checksum == record_checksum(begin, to->length, salt, offset + *at);
	if (to->intact)
		record_body_get(slice_of(begin + LOG_RECORD_SIZE, to->length), to);
	*at += log_record_bytes(to->length);
	return true;
}

bool log_group_intact(const struct log_group_header *g, struct slice group, uint64_t salt,
		      uint64_t offset)
{
	size_t at = LOG_GROUP_SIZE;
	uint32_t entries = 0;
	struct log_record r;

	for (uint32_t i = 0; i < g->records; i++) {
		if (!log_record_decode(group, salt, offset, &at, &r) || !r.intact)
			return false;
		entries += r.type == LOG_RECORD_ENTRY;
	}
	return at == group.len && entries == g->entries;
}

void log_mark_encode(const struct log_damage *from, uint8_t *block)
{
	uint8_t *at = block + LOG_PREAMBLE_SIZE;

	memset(block, 0, DISK_BLOCK);
	LOG_MARK_FIELDS(FIELD_PUT)
	preamble_seal(LOG_MARK_MAGIC, LOG_MARK_SIZE, block);
}

void log_mark_decode(struct slice bytes, struct log_damage *to)
{
	size_t need;
	struct cursor c;

	memset(to, 0, sizeof(*to));
	if (preamble_check(bytes, LOG_MARK_MAGIC, LOG_MARK_SIZE, &need) != OK)
		return;
	c = cursor_of(slice_of(bytes.data + LOG_PREAMBLE_SIZE, LOG_MARK_SIZE - LOG_PREAMBLE_SIZE));
	LOG_MARK_FIELDS(FIELD_GET)
}
