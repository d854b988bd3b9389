#include "ctl/state_dump.h"

#include "base/hash.h"
#include "base/mem.h"
#include "ctl/state_elements.h"
#include "storage/store.h"
#include "storage/txn_chunks.h"
#include "storage/vault_rocks.h"

#include <inttypes.h>

/* For what is in no overlay and need not be found again. */
#define CACHE_BYTES ((size_t)1 << 20)

struct state_dump {
	struct engine_view *view;
	const struct position *position;
	bool json;
	FILE *out;
	struct buf text; /* of one key */
	struct buf value;
	uint64_t records; /* tombstones, too */
	uint64_t keys;	  /* records of what exists */
	uint64_t others;  /* rows of other kinds */
	uint64_t changes; /* up to the position's revision */
	uint64_t beyond;  /* changes behind that: the log still has them, too */
	struct element_sums elements;
	uint64_t bad; /* rows that cannot be read, values that are not what their record says */
	struct keyspace_row *seen; /* what the position says of each keyspace, counted anew */
	uint64_t history;
};

/* The bytes for people, and for both forms of the output. */
static const char *escaped(struct state_dump *d, struct slice bytes)
{
	buf_clear(&d->text);
	for (size_t i = 0; i < bytes.len; i++) {
		uint8_t c = bytes.data[i];

		if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\')
			buf_append_byte(&d->text, c);
		else
			buf_printf(&d->text, d->json ? "\\u%04x" : "\\x%02x", c);
	}
	buf_append_byte(&d->text, '\0');
	return (const char *)d->text.data;
}

/* ---- position -------------------------------------------------------------------------------- */

static void dump_member_rows(const struct state_dump *d)
{
	const struct position *p = d->position;

	for (size_t i = 0; i < p->alarm_count; i++)
		fprintf(d->out,
			d->json ? "{\"type\":\"alarm\",\"member\":\"%016" PRIx64 "\",\"kind\":%u}\n"
				: "alarm of %016" PRIx64 ": kind %u\n",
			p->alarms[i].member, (unsigned)p->alarms[i].kind);
	for (size_t i = 0; i < p->quarantine_count; i++)
		fprintf(d->out,
			d->json ? "{\"type\":\"quarantine\",\"member\":\"%016" PRIx64
				  "\",\"index\":%" PRIu64 "}\n"
				: "quarantine of %016" PRIx64 ": found at entry %" PRIu64 "\n",
			p->quarantines[i].member, p->quarantines[i].index);
}

static void dump_position(const struct state_dump *d)
{
	const struct position *p = d->position;

	fprintf(d->out,
		d->json ? "{\"type\":\"position\",\"index\":%" PRIu64 ",\"term\":%" PRIu64
			  ",\"revision\":%" PRIu64 ",\"horizon\":%" PRIu64 ",\"stamp_ms\":%" PRIu64
			  ",\"level\":%" PRIu32 ",\"next_incarnation\":%" PRIu64
			  ",\"next_keyspace\":%" PRIu32 ",\"history\":\"%016" PRIx64 "\"}\n"
			: "position: index %" PRIu64 ", term %" PRIu64 ", revision %" PRIu64
			  ", horizon %" PRIu64 ", time %" PRIu64 ", level %" PRIu32
			  ", next incarnation %" PRIu64 ", next keyspace %" PRIu32
			  ", digest of history %016" PRIx64 "\n",
		p->index, p->term, p->revision, p->horizon, p->stamp_ms, p->level,
		p->next_incarnation, p->next_keyspace, p->digest_history);
	for (unsigned i = 0; i < DATABASE_COUNT; i++)
		fprintf(d->out,
			d->json ? "{\"type\":\"database\",\"number\":%u,\"keyspace\":%" PRIu32
				  ",\"since\":%" PRIu64 "}\n"
				: "database %u: keyspace %" PRIu32 " since revision %" PRIu64 "\n",
			i, p->databases[i], p->database_at[i]);
	for (size_t i = 0; i < p->keyspace_count; i++)
		fprintf(d->out,
			d->json ? "{\"type\":\"keyspace\",\"id\":%" PRIu32 ",\"keys\":%" PRIu64
				  ",\"deadlines\":%" PRIu64 ",\"digest\":\"%016" PRIx64 "\"}\n"
				: "keyspace %" PRIu32 ": %" PRIu64 " keys, %" PRIu64
				  " with a deadline, digest %016" PRIx64 "\n",
			p->keyspaces[i].id, p->keyspaces[i].keys, p->keyspaces[i].deadlines,
			p->keyspaces[i].digest);
	for (size_t i = 0; i < p->origin_count; i++)
		fprintf(d->out,
			d->json ? "{\"type\":\"origin\",\"member\":\"%016" PRIx64
				  "\",\"incarnation\":%" PRIu64 ",\"seq\":%" PRIu64
				  ",\"level\":%" PRIu32 "}\n"
				: "origin %016" PRIx64 ": run %" PRIu64 ", commands up to %" PRIu64
				  ", supports level %" PRIu32 "\n",
			p->origins[i].member, p->origins[i].incarnation, p->origins[i].seq,
			p->origins[i].level);
	dump_member_rows(d);
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* Whether the change that holds a record's value is there and holds that. */
static bool value_is_there(struct state_dump *d, const struct record *r)
{
	uint8_t key[HISTORY_KEY_BYTES];
	struct change c;

	if (r->type != RECORD_STRING || r->inlined)
		return true;
	history_key_put(key, r->value_at);
	buf_clear(&d->value);
	return engine_view_get(d->view, FAMILY_HISTORY, slice_of(key, sizeof(key)), &d->value) ==
		       OK &&
	       change_decode(buf_slice(&d->value), &c) == OK && c.value.len == r->size &&
	       hash64(c.value) == r->digest;
}

/* Keyspaces that are mapped no more are dead, with all that is in them. */
static void count_living(struct state_dump *d, uint32_t keyspace, const struct record *r,
			 uint64_t share)
{
	for (size_t i = 0; i < d->position->keyspace_count; i++) {
		if (d->position->keyspaces[i].id != keyspace || r->type == RECORD_NONE)
			continue;
		d->keys++;
		d->seen[i].keys++;
		d->seen[i].deadlines += r->deadline_ms != 0;
		d->seen[i].digest += share;
		element_sums_expect(&d->elements, r);
	}
}

static const char *type_shown(enum record_type type)
{
	return type == RECORD_CHUNKS ? "string in chunks" : record_type_name(type);
}

static bool dump_record(struct state_dump *d, struct slice row, struct slice bytes)
{
	uint32_t keyspace;
	struct slice key;
	struct record r;
	bool whole;

	if (record_key_decode(row, &keyspace, &key) != OK || record_decode(bytes, &r) != OK)
		return false;
	/* What is in a keyspace that is none any more may be on its way out. */
	whole = !position_keyspace(d->position, keyspace) || value_is_there(d, &r);
	d->records++;
	count_living(d, keyspace, &r, hash64_salted(bytes, hash64(row)));
	fprintf(d->out,
		d->json ? "{\"type\":\"record\",\"keyspace\":%" PRIu32
			  ",\"key\":\"%s\",\"holds\":\"%s\",\"mod\":\"%" PRIu64 "-%" PRIu32
			  "\",\"create\":\"%" PRIu64 "-%" PRIu32 "\",\"version\":%" PRIu64
			  ",\"deadline_ms\":%" PRIu64 ",\"lease\":%" PRIu64 ",\"size\":%" PRIu64
			  ",\"digest\":\"%016" PRIx64 "\",\"whole\":%s}\n"
			: "record %" PRIu32 "/%s: %s, mod %" PRIu64 "-%" PRIu32 ", create %" PRIu64
			  "-%" PRIu32 ", version %" PRIu64 ", deadline %" PRIu64 ", lease %" PRIu64
			  ", size %" PRIu64 ", digest %016" PRIx64 ", whole: %s\n",
		keyspace, escaped(d, key), type_shown(r.type), r.mod.main, r.mod.sub, r.create.main,
		r.create.sub, r.version, r.deadline_ms, r.lease, r.size, hash64(bytes),
		whole ? "true" : "false");
	return whole;
}

static bool dump_element(struct state_dump *d, struct slice row, struct slice bytes)
{
	enum record_type type;
	uint64_t incarnation;
	struct slice name;
	uint32_t chunk;
	bool chunked;

	if (element_sums_see(&d->elements, row, bytes, &incarnation, &type, &name) != OK)
		return false;
	chunked = type == RECORD_CHUNKS && chunk_number(name, &chunk) == OK;
	fprintf(d->out,
		d->json ? "{\"type\":\"element\",\"incarnation\":%" PRIu64 ",\"of\":\"%s\","
			: "element of %" PRIu64 ", %s, ",
		incarnation, type_shown(type));
	if (chunked)
		fprintf(d->out, d->json ? "\"chunk\":%" PRIu32 : "chunk %" PRIu32, chunk);
	else
		fprintf(d->out, d->json ? "\"name\":\"%s\"" : "%s", escaped(d, name));
	fprintf(d->out,
		d->json ? ",\"size\":%zu,\"digest\":\"%016" PRIx64 "\"}\n"
			: ": size %zu, digest %016" PRIx64 "\n",
		bytes.len, hash64(bytes));
	return true;
}

static bool dump_row(struct state_dump *d, struct slice row, struct slice bytes)
{
	static const char *const names[] = {
		[STATE_META] = "meta",	     [STATE_DEADLINE] = "deadline", [STATE_LEASE] = "lease",
		[STATE_GARBAGE] = "garbage", [STATE_AUTHOR] = "author",
	};
	uint8_t tag = row.data[0];

	if (tag == STATE_RECORD)
		return dump_record(d, row, bytes);
	d->others++;
	if (tag == STATE_ELEMENT)
		return dump_element(d, row, bytes);
	if (tag >= ARRAY_LEN(names) || !names[tag])
		return false;
	fprintf(d->out,
		d->json ? "{\"type\":\"%s\",\"row\":\"%s\",\"digest\":\"%016" PRIx64 "\"}\n"
			: "%s %s: digest %016" PRIx64 "\n",
		names[tag], escaped(d, slice_of(row.data + 1, row.len - 1)), hash64(bytes));
	return true;
}

/* A change counts in the digest of history, in its order; those beyond the position do not yet. */
static bool walk_change(struct state_dump *d, struct slice row, struct slice bytes)
{
	struct revision at;
	struct change c;

	if (history_key_decode(row, &at) != OK || change_decode_at(bytes, at, &c) != OK)
		return false;
	if (at.main > d->position->revision) {
		d->beyond++;
		return true;
	}
	d->changes++;
	d->history = hash64_salted(bytes, d->history ^ at.main);
	return true;
}

static int walk(struct state_dump *d, enum engine_family family,
		bool (*look)(struct state_dump *, struct slice, struct slice))
{
	struct engine_cursor *c = engine_cursor_open(d->view, family, (struct slice){NULL, 0});
	int rc;

	for (engine_cursor_seek(c, SLICE_LITERAL("\0")); engine_cursor_valid(c);
	     engine_cursor_next(c)) {
		struct slice row = engine_cursor_key(c);

		if (look(d, row, engine_cursor_value(c)))
			continue;
		d->bad++;
		fprintf(d->out,
			d->json ? "{\"type\":\"bad\",\"family\":%d,\"row\":\"%s\"}\n"
				: "bad row in family %d: %s\n",
			family, escaped(d, row));
	}
	rc = engine_cursor_error(c);
	engine_cursor_close(c);
	return rc;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static bool living_agrees(const struct state_dump *d)
{
	bool agrees = true;

	for (size_t i = 0; i < d->position->keyspace_count; i++) {
		const struct keyspace_row *said = &d->position->keyspaces[i], *seen = &d->seen[i];

		agrees = agrees && said->keys == seen->keys && said->digest == seen->digest &&
			 said->deadlines == seen->deadlines;
	}
	return agrees;
}

/* History is folded from its beginning, so once some of it is gone nothing can be said. */
static bool history_agrees(const struct state_dump *d)
{
	return d->position->horizon > 0 || d->history == d->position->digest_history;
}

static int dump_summary(const struct state_dump *d)
{
	bool living = living_agrees(d);
	bool history = history_agrees(d);

	fprintf(d->out,
		d->json ? "{\"type\":\"summary\",\"records\":%" PRIu64 ",\"keys\":%" PRIu64
			  ",\"other_rows\":%" PRIu64 ",\"changes\":%" PRIu64
			  ",\"changes_beyond\":%" PRIu64 ",\"bad\":%" PRIu64
			  ",\"living_agrees\":%s,\"history_agrees\":%s}\n"
			: "%" PRIu64 " records of %" PRIu64 " keys, %" PRIu64
			  " other rows, %" PRIu64 " changes, %" PRIu64
			  " beyond the position, %" PRIu64
			  " bad; what is said of the living agrees: %s, of history: %s\n",
		d->records, d->keys, d->others, d->changes, d->beyond, d->bad,
		living ? "true" : "false", history ? "true" : "false");
	return d->bad == 0 && living && history ? OK : ERR_CORRUPT;
}

int state_dump(struct engine *e, bool json, FILE *out)
{
	struct store_options options = {.overlay_bytes = CACHE_BYTES,
					.header_cache_bytes = CACHE_BYTES,
					.value_cache_bytes = CACHE_BYTES};
	struct state_dump d = {.json = json, .out = out};
	struct buf snapshot = {0};
	struct store *store;
	int rc = store_open(&store, e, &options, &snapshot);

	buf_free(&snapshot);
	if (rc != OK)
		return rc;
	d.position = store_position(store);
	d.seen = mem_zalloc(d.position->keyspace_count, sizeof(*d.seen));
	d.view = engine_view_open(e);
	dump_position(&d);
	rc = walk(&d, FAMILY_STATE, dump_row);
	d.bad += element_sums_wrong(&d.elements);
	if (rc == OK)
		rc = walk(&d, FAMILY_HISTORY, walk_change);
	if (rc == OK)
		rc = dump_summary(&d);
	engine_view_close(d.view);
	store_close(store);
	mem_free(d.seen);
	element_sums_free(&d.elements);
	buf_free(&d.text);
	buf_free(&d.value);
	return rc;
}

/* Nothing is made in a directory that holds no state. */
static int look_for_engine(struct disk *disk, const char *dir)
{
	struct disk_names names = {0};
	int rc = disk_list(disk, dir, &names);
	bool found = false;

	for (size_t i = 0; i < names.count; i++)
		found = found ||
			slice_equal(slice_of_text(names.names[i]), SLICE_LITERAL("ENGINE"));
	disk_names_free(&names);
	return rc == OK && !found ? ERR_NOT_FOUND : rc;
}

int state_dump_directory(struct disk *disk, const char *dir, bool json, FILE *out)
{
	struct engine_rocks_options options = engine_rocks_defaults(NULL);
	struct disk_file *lock = NULL;
	struct vault_rocks *vault;
	struct buf path = {0};
	int rc = look_for_engine(disk, dir);

	buf_printf(&path, "%s/LOCK%c", dir, '\0');
	if (rc == OK)
		rc = disk_lock(disk, (const char *)path.data, &lock);
	if (rc == OK)
		rc = vault_rocks_open(&vault, disk, dir, &options);
	if (rc == OK) {
		rc = state_dump(vault_rocks_engine(vault), json, out);
		vault_rocks_close(vault);
	}
	disk_close(lock);
	buf_free(&path);
	return rc;
}
