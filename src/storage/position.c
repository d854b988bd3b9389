#include "storage/position.h"

#include "base/check.h"
#include "base/codec.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/mutant.h"

#include <string.h>

#define POSITION_VERSION 2u

/* Rows take at least this much: a member, and numbers of a byte each. */
#define ORIGIN_MIN     11
#define ALARM_MIN      9
#define QUARANTINE_MIN 9

void position_init(struct position *p)
{
	*p = (struct position){.next_incarnation = 1,
			       .next_keyspace = DATABASE_COUNT + 1,
			       .level = LEVEL_FIRST,
			       .work_limit = WORK_LIMIT_DEFAULT};
	MEM_GROW(p->keyspaces, p->keyspace_cap, DATABASE_COUNT);
	for (uint32_t i = 0; i < DATABASE_COUNT; i++) {
		p->databases[i] = i + 1;
		p->keyspaces[i] = (struct keyspace_row){.id = i + 1};
	}
	p->keyspace_count = DATABASE_COUNT;
}

void position_free(struct position *p)
{
	mem_free(p->origins);
	mem_free(p->keyspaces);
	mem_free(p->alarms);
	mem_free(p->quarantines);
	*p = (struct position){0};
}

void position_numbers(const struct position *p, struct position *out)
{
	*out = *p;
	out->origins = NULL;
	out->origin_count = 0;
	out->keyspaces = NULL;
	out->keyspace_count = 0;
	out->alarms = NULL;
	out->alarm_count = 0;
	out->quarantines = NULL;
	out->quarantine_count = 0;
}

/* Where the row of this member is, or would be. */
static size_t origin_place(const struct position *p, uint64_t member)
{
	size_t low = 0, high = p->origin_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (p->origins[middle].member < member)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct origin_row *position_origin(const struct position *p, uint64_t member)
{
	size_t place = origin_place(p, member);

	return place < p->origin_count && p->origins[place].member == member ? &p->origins[place]
									     : NULL;
}

struct origin_row *position_origin_add(struct position *p, uint64_t member)
{
	size_t place = origin_place(p, member);
	struct origin_row *row;

	if (place < p->origin_count && p->origins[place].member == member)
		return &p->origins[place];
	MEM_GROW(p->origins, p->origin_cap, p->origin_count + 1);
	row = &p->origins[place];
	memmove(row + 1, row, (p->origin_count - place) * sizeof(*row));
	*row = (struct origin_row){.member = member};
	p->origin_count++;
	return row;
}

void position_origin_remove(struct position *p, uint64_t member)
{
	struct origin_row *row = position_origin(p, member);

	if (!row)
		return;
	p->origin_count--;
	memmove(row, row + 1, (size_t)(p->origins + p->origin_count - row) * sizeof(*row));
}

struct keyspace_row *position_keyspace(const struct position *p, uint32_t id)
{
	for (size_t i = 0; i < p->keyspace_count && p->keyspaces[i].id <= id; i++) {
		if (p->keyspaces[i].id == id)
			return &p->keyspaces[i];
	}
	return NULL;
}

uint32_t position_map_new(struct position *p, unsigned database, struct revision at)
{
	struct keyspace_row *old, *last;
	uint32_t id = p->next_keyspace;
	uint64_t keys;

	CHECK(database < DATABASE_COUNT && id < UINT32_MAX);
	old = position_keyspace(p, p->databases[database]);
	CHECK(old);
	keys = MUTANT(flush_keeps_counts) ? old->keys : 0;
	last = &p->keyspaces[p->keyspace_count - 1];
	memmove(old, old + 1, (size_t)(last - old) * sizeof(*old));
	*last = (struct keyspace_row){.id = id,
				      .keys = keys}; /* the largest so far, so it stands last */
	p->next_keyspace = id + 1;
	p->databases[database] = id;
	p->database_at[database] = at.main;
	p->database_sub[database] = at.sub;
	return id;
}

void position_map_swap(struct position *p, unsigned a, unsigned b, struct revision at)
{
	uint32_t id;

	CHECK(a < DATABASE_COUNT && b < DATABASE_COUNT);
	id = p->databases[a];
	p->databases[a] = p->databases[b];
	p->databases[b] = MUTANT(swap_one_side) ? p->databases[b] : id;
	p->database_at[a] = at.main;
	p->database_at[b] = at.main;
	p->database_sub[a] = at.sub;
	p->database_sub[b] = at.sub + 1;
}

void position_move_horizon(struct position *p, uint64_t horizon, uint64_t at_ms)
{
	CHECK(horizon <= p->revision);
	if (horizon <= p->horizon)
		return;
	p->horizon = horizon;
	p->horizon_ms = at_ms;
}

uint64_t position_digest_living(const struct position *p)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < p->keyspace_count; i++)
		sum += p->keyspaces[i].digest;
	return sum;
}

/* Sixteen different keyspaces that are there are all that are there. */
static bool databases_match_keyspaces(const struct position *p)
{
	for (unsigned i = 0; i < DATABASE_COUNT; i++) {
		if (!position_keyspace(p, p->databases[i]))
			return false;
		for (unsigned other = 0; other < i; other++) {
			if (p->databases[other] == p->databases[i])
				return false;
		}
	}
	return p->keyspace_count == DATABASE_COUNT;
}

static const char *member_rows_broken(const struct position *p)
{
	for (size_t i = 0; i < p->origin_count; i++) {
		if (p->origins[i].incarnation && p->origins[i].level < p->level)
			return "Q5: no registered run supports less than the level";
	}
	for (size_t i = 0; i < p->alarm_count; i++) {
		const struct alarm_row *row = &p->alarms[i];

		if (row->kind < 1 || row->kind > ALARM_KIND_MAX)
			return "Q6: alarms are of known kinds";
		if (i > 0 && (row[-1].member > row->member ||
			      (row[-1].member == row->member && row[-1].kind >= row->kind)))
			return "Q6: alarms ascend by member and kind";
	}
	for (size_t i = 1; i < p->quarantine_count; i++) {
		if (p->quarantines[i - 1].member >= p->quarantines[i].member)
			return "Q6: quarantines ascend by member";
	}
	return NULL;
}

const char *position_broken(const struct position *p)
{
	for (size_t i = 1; i < p->origin_count; i++) {
		if (p->origins[i - 1].member >= p->origins[i].member)
			return "Q1: origins ascend by member";
	}
	for (size_t i = 1; i < p->keyspace_count; i++) {
		if (p->keyspaces[i - 1].id >= p->keyspaces[i].id)
			return "Q1: keyspaces ascend by id";
	}
	if (!databases_match_keyspaces(p))
		return "Q2: the keyspaces are those of the databases";
	if (p->horizon > p->revision)
		return "Q3: horizon <= revision";
	if (p->keyspaces[p->keyspace_count - 1].id >= p->next_keyspace)
		return "Q4: next_keyspace is above the id of every keyspace";
	for (size_t i = 0; i < p->keyspace_count; i++) {
		if (p->keyspaces[i].deadlines > p->keyspaces[i].keys)
			return "Q4: no keyspace has more deadlines than keys";
	}
	return member_rows_broken(p);
}

static void member_rows_encode(const struct position *p, struct buf *out)
{
	buf_append_varint(out, p->origin_count);
	for (size_t i = 0; i < p->origin_count; i++) {
		buf_append_fixed64(out, p->origins[i].member);
		buf_append_varint(out, p->origins[i].incarnation);
		buf_append_varint(out, p->origins[i].seq);
		buf_append_varint(out, p->origins[i].level);
	}
	buf_append_varint(out, p->alarm_count);
	for (size_t i = 0; i < p->alarm_count; i++) {
		buf_append_fixed64(out, p->alarms[i].member);
		buf_append_varint(out, p->alarms[i].kind);
	}
	buf_append_varint(out, p->quarantine_count);
	for (size_t i = 0; i < p->quarantine_count; i++) {
		buf_append_fixed64(out, p->quarantines[i].member);
		buf_append_varint(out, p->quarantines[i].index);
	}
}

void position_encode(const struct position *p, struct slice snapshot, struct buf *out)
{
	CHECK_VALID(position_broken(p));
	buf_append_fixed8(out, POSITION_VERSION);
	buf_append_varint(out, p->index);
	buf_append_varint(out, p->term);
	buf_append_varint(out, p->revision);
	buf_append_varint(out, p->revision - p->horizon);
	buf_append_varint(out, p->horizon_ms);
	buf_append_varint(out, p->next_incarnation);
	buf_append_varint(out, p->next_keyspace);
	buf_append_varint(out, p->level);
	buf_append_varint(out, p->work_limit);
	buf_append_varint(out, p->stamp_ms);
	buf_append_fixed64(out, p->digest_history);
	for (unsigned i = 0; i < DATABASE_COUNT; i++) {
		const struct keyspace_row *row = position_keyspace(p, p->databases[i]);

		buf_append_varint(out, row->id);
		buf_append_varint(out, p->database_at[i]);
		buf_append_varint(out, p->database_sub[i]);
		buf_append_varint(out, row->keys);
		buf_append_varint(out, row->deadlines);
		buf_append_fixed64(out, row->digest);
	}
	member_rows_encode(p, out);
	buf_append_slice(out, snapshot);
}

/* Puts a row where its id belongs. */
static void keyspace_insert(struct position *p, struct keyspace_row row)
{
	size_t place = p->keyspace_count++;

	for (; place > 0 && p->keyspaces[place - 1].id > row.id; place--)
		p->keyspaces[place] = p->keyspaces[place - 1];
	p->keyspaces[place] = row;
}

static void databases_decode(struct cursor *c, struct position *p)
{
	MEM_GROW(p->keyspaces, p->keyspace_cap, DATABASE_COUNT);
	for (unsigned i = 0; i < DATABASE_COUNT; i++) {
		struct keyspace_row row = {.id = cursor_varint32(c)};

		p->databases[i] = row.id;
		p->database_at[i] = cursor_varint(c);
		p->database_sub[i] = cursor_varint32(c);
		row.keys = cursor_varint(c);
		row.deadlines = cursor_varint(c);
		row.digest = cursor_fixed64(c);
		keyspace_insert(p, row);
	}
}

/* How many rows follow, each of so many bytes at least: no count can ask for more than came. */
static size_t count_decode(struct cursor *c, size_t row_min)
{
	uint64_t count = cursor_varint(c);

	if (count > cursor_left(c) / row_min) {
		cursor_fail(c);
		return 0;
	}
	return (size_t)count;
}

static void origins_decode(struct cursor *c, struct position *p)
{
	size_t count = count_decode(c, ORIGIN_MIN);

	MEM_GROW(p->origins, p->origin_cap, count);
	for (size_t i = 0; i < count; i++) {
		struct origin_row *row = &p->origins[i];

		row->member = cursor_fixed64(c);
		row->incarnation = cursor_varint(c);
		row->seq = cursor_varint(c);
		row->level = cursor_varint32(c);
	}
	p->origin_count = count;
}

static void alarms_decode(struct cursor *c, struct position *p)
{
	size_t count = count_decode(c, ALARM_MIN);

	MEM_GROW(p->alarms, p->alarm_cap, count);
	for (size_t i = 0; i < count; i++) {
		uint64_t member = cursor_fixed64(c);
		uint32_t kind = cursor_varint32(c);

		if (kind < 1 || kind > ALARM_KIND_MAX)
			cursor_fail(c);
		p->alarms[i] = (struct alarm_row){member, (enum alarm_kind)kind};
	}
	p->alarm_count = count;
}

static void quarantines_decode(struct cursor *c, struct position *p)
{
	size_t count = count_decode(c, QUARANTINE_MIN);

	MEM_GROW(p->quarantines, p->quarantine_cap, count);
	for (size_t i = 0; i < count; i++) {
		p->quarantines[i].member = cursor_fixed64(c);
		p->quarantines[i].index = cursor_varint(c);
	}
	p->quarantine_count = count;
}

int position_decode(struct slice bytes, struct position *p, struct slice *snapshot)
{
	struct cursor c = cursor_of(bytes);
	uint8_t version = cursor_fixed8(&c);
	uint64_t past;

	*snapshot = (struct slice){0};
	if (version != POSITION_VERSION)
		return version > POSITION_VERSION ? ERR_VERSION : ERR_MALFORMED;
	p->index = cursor_varint(&c);
	p->term = cursor_varint(&c);
	p->revision = cursor_varint(&c);
	past = cursor_varint(&c);
	p->horizon_ms = cursor_varint(&c);
	p->next_incarnation = cursor_varint(&c);
	p->next_keyspace = cursor_varint32(&c);
	p->level = cursor_varint32(&c);
	p->work_limit = cursor_varint(&c);
	p->stamp_ms = cursor_varint(&c);
	p->digest_history = cursor_fixed64(&c);
	databases_decode(&c, p);
	origins_decode(&c, p);
	alarms_decode(&c, p);
	quarantines_decode(&c, p);
	p->horizon = p->revision - past; /* above the revision, if that is less than `past` */
	if (c.failed || position_broken(p)) {
		position_free(p);
		return ERR_MALFORMED;
	}
	*snapshot = cursor_bytes(&c, cursor_left(&c));
	return OK;
}
