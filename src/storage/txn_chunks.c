#include "storage/txn_chunks.h"

#include "base/check.h"
#include "base/mutant.h"
#include "storage/level.h"
#include "storage/txn_element.h"
#include "storage/txn_internal.h"

#include <string.h>

#define CHUNK_NAME_BYTES 4

/* Big-endian, so that chunks are kept in their order. */
static struct slice chunk_name(uint8_t name[static CHUNK_NAME_BYTES], uint64_t number)
{
	CHECK(number <= UINT32_MAX);
	for (int i = 0; i < CHUNK_NAME_BYTES; i++)
		name[i] = (uint8_t)(number >> (24 - 8 * i));
	return slice_of(name, CHUNK_NAME_BYTES);
}

int chunk_number(struct slice element, uint32_t *number)
{
	*number = 0;
	if (element.len != CHUNK_NAME_BYTES)
		return ERR_MALFORMED;
	for (int i = 0; i < CHUNK_NAME_BYTES; i++)
		*number = *number << 8 | element.data[i];
	return OK;
}

bool txn_makes_chunks(const struct txn *t)
{
	return t->position.level >= LEVEL_CHUNKS;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* What there is of a chunk, borrowed as txn_element_read says; ERR_NOT_FOUND: nothing. */
static int chunk_get(struct txn *t, const struct record *r, uint64_t number, bool kept,
		     struct slice *chunk)
{
	uint8_t name[CHUNK_NAME_BYTES];
	int rc = txn_element_read(t, r, chunk_name(name, number), kept, chunk);

	return rc == OK && chunk->len > t->chunk_bytes ? ERR_CORRUPT : rc;
}

/* From one chunk into the place of its part that is asked for, which is zeros. */
static int chunk_copy(struct txn *t, const struct record *r, uint64_t number, size_t from,
		      uint8_t *to, size_t len)
{
	struct slice chunk;
	int rc = chunk_get(t, r, number, false, &chunk);

	if (rc == OK && chunk.len > from)
		memcpy(to, chunk.data + from, MIN(len, chunk.len - from));
	return rc == ERR_NOT_FOUND ? OK : rc;
}

int chunks_read(struct txn *t, const struct record *r, uint64_t from, size_t len,
		struct slice *part)
{
	uint8_t *bytes;
	int rc = OK;

	CHECK(r->type == RECORD_CHUNKS && from <= r->size && len <= r->size - from);
	if (from % t->chunk_bytes + len <= t->chunk_bytes) {
		size_t at = (size_t)(from % t->chunk_bytes);

		rc = chunk_get(t, r, from / t->chunk_bytes, true, part);
		if (rc == OK && part->len >= at + len) {
			*part = slice_of(part->data + at, len);
			return OK;
		}
	}
	bytes = arena_alloc_aligned(&t->values, 1, len);
	memset(bytes, 0, len);
	*part = slice_of(bytes, len);
	for (size_t done = 0; done < len && (rc == OK || rc == ERR_NOT_FOUND);) {
		size_t at = (size_t)((from + done) % t->chunk_bytes);
		size_t take = MIN(len - done, t->chunk_bytes - at);

		rc = chunk_copy(t, r, (from + done) / t->chunk_bytes, at, bytes + done, take);
		done += take;
	}
	return rc == ERR_NOT_FOUND ? OK : rc;
}

int txn_value_part(struct txn *t, const struct record *r, uint64_t from, uint64_t len,
		   struct slice *part)
{
	int rc;

	*part = (struct slice){NULL, 0};
	if (from >= r->size || len == 0)
		return OK;
	len = MIN(len, r->size - from);
	if (r->type == RECORD_CHUNKS)
		return chunks_read(t, r, from, (size_t)len, part);
	rc = txn_value(t, r, part);
	if (rc == OK)
		*part = slice_of(part->data + from, (size_t)len);
	return rc;
}

/* ---- changing -------------------------------------------------------------------------------- */

struct chunks {
	struct txn *txn;
	uint32_t keyspace;
	struct slice key;
	struct record old;
	struct record now;
};

static bool all_zeros(struct slice s)
{
	return s.len == 0 || (s.data[0] == 0 && memcmp(s.data, s.data + 1, s.len - 1) == 0);
}

/* The row, and what it adds to the digest; t->key is its key afterwards. */
static void chunk_put(struct chunks *c, struct slice name, const struct slice *before,
		      struct slice value)
{
	struct txn *t = c->txn;
	struct slice row = txn_element_key(t, RECORD_CHUNKS, c->now.incarnation, name);

	if (before)
		c->now.digest -= element_share(row, *before);
	c->now.digest += element_share(row, value);
	txn_put(t, FAMILY_STATE, row, value, false);
}

/* The bytes that are about to be changed; none, where there is no string. */
static int value_before(struct txn *t, const struct record *old, struct slice *value)
{
	struct record r = *old;

	*value = (struct slice){NULL, 0};
	if (r.type != RECORD_STRING)
		return OK;
	if (MUTANT(part_of_stale_value) && t->reader.beside.at.main)
		r.beside = t->reader.beside.value;
	return txn_value(t, &r, value);
}

/*
 * The record as one in chunks, which hold what the string holds. What of it was read stays where it
 * is: neither its change nor its record is written here.
 */
static int chunks_make(struct chunks *c)
{
	struct txn *t = c->txn;
	struct slice value;
	int rc = value_before(t, &c->old, &value);

	if (rc != OK)
		return rc;
	c->now.type = RECORD_CHUNKS;
	c->now.incarnation = t->position.next_incarnation++;
	c->now.keep = (uint8_t)MAX(c->old.keep, 1);
	c->now.value_at = (struct revision){0};
	c->now.digest = 0;
	c->now.inlined = false;
	c->now.value = (struct slice){NULL, 0};
	for (size_t at = 0; at < value.len; at += t->chunk_bytes) {
		struct slice chunk = slice_of(value.data + at, MIN(value.len - at, t->chunk_bytes));
		uint8_t name[CHUNK_NAME_BYTES];

		if (!all_zeros(chunk))
			chunk_put(c, chunk_name(name, at / t->chunk_bytes), NULL, chunk);
	}
	return OK;
}

/* What `before` becomes when `part` is written into it, with zeros between the two. */
static struct slice part_written(struct txn *t, struct slice before, size_t at, struct slice part)
{
	struct buf *out = &t->changed;
	size_t len = MAX(before.len, at + part.len);

	buf_clear(out);
	(void)buf_reserve(out, len);
	buf_append_slice(out, before);
	if (at > before.len)
		memset(out->data + before.len, 0, at - before.len);
	memcpy(out->data + at, part.data, part.len);
	out->len = len;
	return buf_slice(out);
}

/* One chunk is changed from `offset` of the string on, by what does not go beyond it. */
static int chunk_write(struct chunks *c, uint64_t offset, struct slice part)
{
	struct txn *t = c->txn;
	uint8_t bytes[CHUNK_NAME_BYTES];
	struct slice name = chunk_name(bytes, offset / t->chunk_bytes), before, value;
	bool first = revision_equal(c->now.mod, c->old.mod);
	struct record last = first ? c->old : c->now;
	struct change change;
	int rc = chunk_get(t, &c->now, offset / t->chunk_bytes, true, &before);
	bool there = rc == OK;

	if (rc != OK && rc != ERR_NOT_FOUND)
		return rc;
	if (!there)
		before = (struct slice){NULL, 0};
	value = part_written(t, before, (size_t)(offset % t->chunk_bytes), part);
	c->now.mod = txn_next_revision(t);
	if (c->now.version++ == 0)
		c->now.create = c->now.mod;
	c->now.size = MAX(c->now.size, offset + part.len);
	change = txn_change_of(t, CHANGE_ELEMENT_SET, c->keyspace, c->key, &last, &c->now);
	change.element = name;
	change.has_before = there && !MUTANT(chunk_without_before);
	change.before = change.has_before ? before : (struct slice){NULL, 0};
	change.value = value;
	txn_put_change(t, c->now.mod, &change);
	chunk_put(c, name, there ? &before : NULL, value);
	return OK;
}

static int chunks_write(struct chunks *c, uint64_t offset, struct slice part)
{
	struct txn *t = c->txn;
	int rc = c->old.type == RECORD_CHUNKS ? OK : chunks_make(c);

	while (rc == OK && part.len > 0) {
		size_t take = MIN(part.len, t->chunk_bytes - (size_t)(offset % t->chunk_bytes));

		rc = chunk_write(c, offset, slice_of(part.data, take));
		offset += take;
		part = slice_of(part.data + take, part.len - take);
	}
	if (rc == OK)
		txn_put_record(t, c->keyspace, c->key, &c->old, &c->now);
	return rc;
}

static int whole_write(struct txn *t, unsigned database, struct slice key, const struct record *old,
		       size_t offset, struct slice part)
{
	struct record_terms terms = {.deadline_ms = old->deadline_ms, .lease = old->lease};
	struct slice value;
	int rc = value_before(t, old, &value);

	if (rc == OK)
		txn_set_string(t, database, key, old, part_written(t, value, offset, part), &terms);
	return rc;
}

int txn_write_part(struct txn *t, unsigned database, struct slice key, const struct record *old,
		   uint64_t offset, struct slice part)
{
	struct chunks c = {
		.txn = t,
		.keyspace = txn_keyspace(t, database),
		.key = key,
		.old = *old,
		.now = *old,
	};
	uint64_t size = MAX(old->size, offset + part.len);

	CHECK(part.len > 0);
	CHECK(old->type == RECORD_NONE || record_is_string(old));
	if (old->type == RECORD_CHUNKS || (size > t->whole_max && txn_makes_chunks(t)))
		return chunks_write(&c, offset, part);
	return whole_write(t, database, key, old, (size_t)offset, part);
}
