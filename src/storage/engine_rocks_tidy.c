/*
 * Files in better order. RocksDB merges what overlaps; two things it leaves as they are.
 *
 * Rows that were deleted keep their room until their deletions reach the lowest level, and those
 * are small: many fit into the levels above before these count as full. So when half of the rows
 * are deleted, all files above the lowest level are marked to be merged downwards, which RocksDB
 * then does in the background, as it has time. That goes for history, whose rows hold the values;
 * when room is short it goes for state as well, and for a single deletion.
 *
 * And what is taken in at the end of the history goes to the lowest level at once, where nothing is
 * ever merged again: small files would stay small, and become many. So neighbours are merged here.
 */

#include "base/check.h"
#include "base/mem.h"
#include "storage/engine_rocks_internal.h"

#include <stdlib.h>
#include <string.h>

/* Fewer deletions than this are not worth a thought. */
#define DELETIONS_MIN 10000

/* A file is small below this part of the size that files get when they are merged. */
#define SMALL_PART 8

/* Fewer small neighbours than this stay as they are: merging reads and writes all of them. */
#define NEIGHBOURS_MIN 8

/* RocksDB's kForce: what is in the lowest level already is merged as well. */
#define LOWEST_LEVEL_TOO 2

struct rocks_table {
	int level;
	uint64_t size;
	uint64_t deletions;
	struct slice first; /* keys, borrowed from the list */
	struct slice last;
};

struct rocks_tables {
	struct rocks_table *list; /* owned; by level, then in order of keys */
	size_t count;
	size_t cap;
	int lowest;	    /* level that has any */
	uint64_t rows;	    /* that are no deletions */
	uint64_t deletions; /* of rows and ranges */
};

static int tables_order(const void *a, const void *b)
{
	const struct rocks_table *one = a, *other = b;

	if (one->level != other->level)
		return one->level - other->level;
	return slice_compare(one->first, other->first);
}

static void tables_read(struct rocks_tables *t, const rocksdb_livefiles_t *files,
			enum engine_family family)
{
	const char *name = rocks_family_name(family);

	*t = (struct rocks_tables){0};
	for (int i = 0; i < rocksdb_livefiles_count(files); i++) {
		struct rocks_table *table;
		size_t first_len, last_len;
		const char *first = rocksdb_livefiles_smallestkey(files, i, &first_len);
		const char *last = rocksdb_livefiles_largestkey(files, i, &last_len);
		uint64_t deletions = rocksdb_livefiles_deletions(files, i);

		if (strcmp(rocksdb_livefiles_column_family_name(files, i), name) != 0)
			continue;
		MEM_GROW(t->list, t->cap, t->count + 1);
		table = &t->list[t->count++];
		table->level = rocksdb_livefiles_level(files, i);
		table->size = rocksdb_livefiles_size(files, i);
		table->first = slice_of((const uint8_t *)first, first_len);
		table->last = slice_of((const uint8_t *)last, last_len);
		t->lowest = MAX(t->lowest, table->level);
		t->rows += rocksdb_livefiles_entries(files, i) - deletions;
		table->deletions = deletions;
		t->deletions += deletions;
	}
	if (t->count)
		qsort(t->list, t->count, sizeof(*t->list), tables_order);
}

/* ---- deletions ------------------------------------------------------------------------------- */

static bool is_half_deleted(const struct rocks_tables *t)
{
	return t->deletions >= DELETIONS_MIN && t->deletions >= t->rows / 2;
}

/* Deletions in the lowest level go by themselves, once no view needs what they delete. */
static bool holds_deletions(const struct rocks_tables *t)
{
	uint64_t deletions = 0;

	for (size_t i = 0; i < t->count; i++)
		if (t->list[i].level < t->lowest || t->lowest == 0)
			deletions += t->list[i].deletions;
	return deletions > 0;
}

static int merge_downwards(struct rocks *r, enum engine_family family)
{
	char *text = NULL;

	rocksdb_suggest_compact_range_cf(r->db, r->families[family], NULL, 0, NULL, 0, &text);
	return rocks_error(r, LOG_WARNING, "merging what is deleted", text);
}

/* ---- small files ----------------------------------------------------------------------------- */

/* A run of small tables of the lowest level that are neighbours: their place and how many. */
static size_t small_neighbours(const struct rocks_tables *t, uint64_t file_bytes, size_t *place)
{
	uint64_t bytes = 0;
	size_t run = 0;

	for (size_t i = 0; i < t->count; i++) {
		const struct rocks_table *table = &t->list[i];
		bool small = table->level == t->lowest && t->lowest > 0 &&
			     table->size < file_bytes / SMALL_PART;

		if (!small || bytes + table->size > file_bytes) {
			if (run >= NEIGHBOURS_MIN)
				break;
			run = 0;
			bytes = 0;
		}
		if (!small)
			continue;
		if (run++ == 0)
			*place = i;
		bytes += table->size;
	}
	return run >= NEIGHBOURS_MIN ? run : 0;
}

static void merge_neighbours(struct rocks *r, const struct rocks_table *first,
			     const struct rocks_table *last)
{
	rocksdb_compactoptions_t *o = rocksdb_compactoptions_create();

	rocksdb_compactoptions_set_exclusive_manual_compaction(o, 0);
	rocksdb_compactoptions_set_bottommost_level_compaction(o, LOWEST_LEVEL_TOO);
	rocksdb_compact_range_cf_opt(r->db, r->families[FAMILY_HISTORY], o,
				     rocks_text(first->first), first->first.len,
				     rocks_text(last->last), last->last.len);
	rocksdb_compactoptions_destroy(o);
}

static int tidy_history(struct rocks *r, const rocksdb_livefiles_t *files, bool *more)
{
	struct rocks_tables t;
	size_t place = 0, run;
	int rc = OK;

	tables_read(&t, files, FAMILY_HISTORY);
	run = small_neighbours(&t, r->file_bytes, &place);
	if (is_half_deleted(&t)) {
		*more = true;
		rc = merge_downwards(r, FAMILY_HISTORY);
	} else if (run) {
		*more = true;
		merge_neighbours(r, &t.list[place], &t.list[place + run - 1]);
	}
	mem_free(t.list);
	return rc;
}

static int tidy_thoroughly(struct rocks *r, const rocksdb_livefiles_t *files, bool *more)
{
	int rc = OK;

	for (unsigned family = 0; family < FAMILY_COUNT && rc == OK; family++) {
		struct rocks_tables t;

		tables_read(&t, files, (enum engine_family)family);
		if (holds_deletions(&t)) {
			*more = true;
			rc = merge_downwards(r, (enum engine_family)family);
		}
		mem_free(t.list);
	}
	return rc;
}

int rocks_tidy(struct engine *e, bool thorough, bool *more)
{
	struct rocks *r = rocks_of(e);
	const rocksdb_livefiles_t *files = rocksdb_livefiles(r->db);
	int rc = thorough ? tidy_thoroughly(r, files, more) : tidy_history(r, files, more);

	rocksdb_livefiles_destroy(files);
	return rc;
}
