#include "storage/engine_rocks.h"

#include "base/check.h"
#include "base/mem.h"
#include "storage/disk.h"
#include "storage/engine_rocks_internal.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* RocksDB's highest level of messages; its C API has no name for it. */
#define ROCKS_LOG_HEADERS 5

/* Files of the state family that wait in level 0 before they are merged into the next one. */
#define ROCKS_LEVEL0_FILES 16

/* How long blocks of history become before they are compressed. */
#define ROCKS_HISTORY_BLOCK ((size_t)16 << 10)

struct engine_rocks_options engine_rocks_defaults(const char *dir)
{
	return (struct engine_rocks_options){
		.dir = dir,
		.block_cache_bytes = (size_t)128 << 20,
		.file_bytes = (uint64_t)64 << 20,
	};
}

void rocks_path(struct buf *out, const char *dir, const char *name)
{
	buf_printf(out, "%s/%s", dir, name);
	buf_append_byte(out, 0);
}

/* RocksDB tells its errors as text: the kind, sometimes a cause, then the details. */
static int rocks_error_kind(const char *text)
{
	static const struct {
		const char *part;
		int error;
	} kinds[] = {
		{"IO error: No space left on device", ERR_NO_SPACE},
		{"Disk quota exceeded", ERR_NO_SPACE},
		{"IO error: lock ", ERR_LOCKED},
		{"IO error: While lock file", ERR_LOCKED},
		{"Corruption: ", ERR_CORRUPT},
	};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (strstr(text, kinds[i].part))
			return kinds[i].error;
	}
	return ERR_IO;
}

int rocks_error(const struct rocks *r, enum log_level level, const char *doing, char *text)
{
	int rc;

	if (!text)
		return OK;
	rc = rocks_error_kind(text);
	LOG(r->logger, level, "engine: %s: %s", doing, text);
	rocksdb_free(text);
	return rc;
}

/* How many files stand in level 0 of a family. */
static uint64_t rocks_level0_files(const struct rocks *r, unsigned family)
{
	char *text = rocksdb_property_value_cf(r->db, r->families[family],
					       "rocksdb.num-files-at-level0");
	uint64_t files = text ? strtoull(text, NULL, 10) : 0;

	rocksdb_free(text);
	return files;
}

static uint64_t rocks_number(const struct rocks *r, unsigned family, const char *property)
{
	uint64_t value = 0;

	CHECK(rocksdb_property_int_cf(r->db, r->families[family], property, &value) == 0);
	return value;
}

static void rocks_load(struct engine *e, struct engine_load *out)
{
	struct rocks *r = rocks_of(e);

	for (unsigned family = 0; family < FAMILY_COUNT; family++) {
		uint64_t files = rocks_level0_files(r, family);

		out->level0_files = MAX(out->level0_files, files);
		out->compaction_debt +=
			rocks_number(r, family, "rocksdb.estimate-pending-compaction-bytes");
		out->live_bytes += rocks_number(r, family, "rocksdb.live-sst-files-size");
	}
}

/* Blocks, filters and cache of one family. */
static void rocks_set_tables(const struct rocks *r, unsigned family, rocksdb_options_t *o)
{
	rocksdb_block_based_table_options_t *table = rocksdb_block_based_options_create();

	rocksdb_block_based_options_set_block_cache(table, r->cache);
	/* Else indexes and filters of all open files stand beside the cache, without a limit. */
	rocksdb_block_based_options_set_cache_index_and_filter_blocks(table, 1);
	rocksdb_block_based_options_set_cache_index_and_filter_blocks_with_high_priority(table, 1);
	rocksdb_block_based_options_set_pin_l0_filter_and_index_blocks_in_cache(table, 1);
	/*
	 * Both in parts of some kilobytes. As wholes they have half a megabyte and more for each
	 * file, and a read of a file whose whole has left the cache has to fetch all of it.
	 */
	rocksdb_block_based_options_set_index_type(
		table, rocksdb_block_based_table_index_type_two_level_index_search);
	rocksdb_block_based_options_set_partition_filters(table, 1);
	rocksdb_block_based_options_set_pin_top_level_index_and_filter(table, 1);
	/* A row of history is asked for because a record names it; one of state may not be there.
	 */
	if (family == FAMILY_STATE)
		rocksdb_block_based_options_set_filter_policy(
			table, rocksdb_filterpolicy_create_bloom_full(10));
	/* Most of the data is history: with few blocks its index is small and the writer fast. */
	if (family == FAMILY_HISTORY)
		rocksdb_block_based_options_set_block_size(table, ROCKS_HISTORY_BLOCK);
	rocksdb_options_set_block_based_table_factory(o, table);
	rocksdb_block_based_options_destroy(table);
}

/* What a directory has once, for all families: memory, threads, and files that are no tables. */
static void rocks_set_directory(rocksdb_options_t *o, const struct engine_rocks_options *from)
{
	rocksdb_options_set_create_if_missing(o, 1);
	rocksdb_options_set_create_missing_column_families(o, 1);
	rocksdb_options_set_paranoid_checks(o, 1);
	/*
	 * With all tables open a read never waits for one to be opened; and a read of what is in
	 * the cache only, of a table that is not open, would answer an empty value (7.8.3).
	 */
	rocksdb_options_set_max_open_files(o, from->max_open_files > 0 ? from->max_open_files : -1);
	rocksdb_options_set_max_background_jobs(o, 2);
	/* A start would read the end of every file to learn what only merging by size asks for. */
	rocksdb_options_set_skip_stats_update_on_db_open(o, 1);
	/* Closing a view or a cursor never removes files itself. */
	rocksdb_options_set_avoid_unnecessary_blocking_io(o, 1);
	rocksdb_options_set_max_manifest_file_size(o, (size_t)16 << 20);
	/*
	 * RocksDB's own log, the file LOG, gets what is written at a start and no more: Debian's
	 * library is built with its assertions on, and one of them ends the process at the first
	 * line after one that the disk had no room for. Errors come back from the calls and go to
	 * our log. No log at all cannot be had: without LOG RocksDB does not open, and a level
	 * above the highest cannot be written into its OPTIONS.
	 */
	rocksdb_options_set_info_log_level(o, ROCKS_LOG_HEADERS);
	rocksdb_options_set_keep_log_file_num(o, 4);
	rocksdb_options_set_stats_dump_period_sec(o, 0);
	rocksdb_options_set_stats_persist_period_sec(o, 0);
}

/*
 * History is taken in at its end, so above its lowest level there are only deletions. With a level
 * of their own early on, what comes in piece by piece is merged downwards piece by piece.
 */
static uint64_t rocks_level_bytes(unsigned family, const struct engine_rocks_options *from)
{
	return family == FAMILY_HISTORY ? from->file_bytes : 4 * from->file_bytes;
}

/*
 * RocksDB lets no put through while much is still to be merged, in whatever family. It has one put
 * alone, at a start (engine_rocks_start.c), and a start does not wait for a merge. Who writes looks
 * at the load (engine_load()) and holds itself back.
 */
static void rocks_set_no_waiting(rocksdb_options_t *o)
{
	rocksdb_options_set_level0_slowdown_writes_trigger(o, INT_MAX);
	rocksdb_options_set_level0_stop_writes_trigger(o, INT_MAX);
	rocksdb_options_set_soft_pending_compaction_bytes_limit(o, 0);
	rocksdb_options_set_hard_pending_compaction_bytes_limit(o, 0);
}

/*
 * What is young is not compressed: the writer has little time, and most of it dies before it is
 * written again. History that is written again stays for long, and LZ4 costs less than the space;
 * the library must have it, as Debian's has, else opening fails. Rows of state are written again
 * and again, each time that others come between them, and hardly become shorter.
 */
static rocksdb_options_t *rocks_make_options(const struct rocks *r, unsigned family,
					     const struct engine_rocks_options *from)
{
	rocksdb_options_t *o = rocksdb_options_create();

	rocks_set_directory(o, from);
	rocks_set_tables(r, family, o);
	rocksdb_options_set_compression(o, family == FAMILY_HISTORY ? rocksdb_lz4_compression
								    : rocksdb_no_compression);
	rocksdb_options_set_target_file_size_base(o, from->file_bytes);
	rocksdb_options_set_max_bytes_for_level_base(o, rocks_level_bytes(family, from));
	rocksdb_options_set_level_compaction_dynamic_level_bytes(o, 1);
	/* What a merge writes needs room beside what it reads: so none is large, if it can be. */
	rocksdb_options_set_max_compaction_bytes(o, rocks_level_bytes(family, from));
	/*
	 * A merge of level 0 writes the whole next level again, whose keys lie all over it: the
	 * more files share one, the less each row costs. Lookups pass most of them by their
	 * filters.
	 */
	if (family == FAMILY_STATE)
		rocksdb_options_set_level0_file_num_compaction_trigger(o, ROCKS_LEVEL0_FILES);
	/* No row goes through memory but the one at the start. */
	rocksdb_options_set_write_buffer_size(o, 64 << 10);
	rocks_set_no_waiting(o);
	return o;
}

/*
 * A file that is taken in while a view is open gets a sequence number, so that the view does not
 * show it; and a file with such a number, once it stands in the last level, is written again as a
 * whole to be rid of it. All of history would be written twice. Its rows are new ones, under keys
 * that none had before, so open views may show them (engine.h), and the file stays as it came.
 */
static rocksdb_ingestexternalfileoptions_t *rocks_make_ingest(unsigned family)
{
	rocksdb_ingestexternalfileoptions_t *o = rocksdb_ingestexternalfileoptions_create();

	rocksdb_ingestexternalfileoptions_set_move_files(o, 1);
	if (family == FAMILY_HISTORY)
		rocksdb_ingestexternalfileoptions_set_snapshot_consistency(o, 0);
	return o;
}

static void rocks_close(struct engine *e)
{
	struct rocks *r = rocks_of(e);

	for (unsigned i = 0; i < ROCKS_FAMILY_COUNT; i++) {
		if (r->families[i])
			rocksdb_column_family_handle_destroy(r->families[i]);
	}
	if (r->db)
		rocksdb_close(r->db);
	for (unsigned i = 0; i < ROCKS_FAMILY_COUNT; i++)
		rocksdb_options_destroy(r->options[i]);
	for (unsigned i = 0; i < FAMILY_COUNT; i++)
		rocksdb_ingestexternalfileoptions_destroy(r->ingest[i]);
	for (unsigned i = 0; i < FAMILY_COUNT; i++)
		rocksdb_options_destroy(r->young[i]);
	rocksdb_envoptions_destroy(r->env);
	rocksdb_cache_destroy(r->cache);
	buf_free(&r->taking);
	buf_free(&r->incoming);
	buf_free(&r->dir);
	mem_free(r);
}

static struct rocks *rocks_new(const struct engine_rocks_options *o)
{
	static const struct engine_ops ops = {
		.file_begin = rocks_file_begin,
		.file_put = rocks_file_put,
		.file_delete = rocks_file_delete,
		.file_delete_range = rocks_file_delete_range,
		.file_finish = rocks_file_finish,
		.file_ingest = rocks_file_ingest,
		.file_free = rocks_file_free,
		.view_open = rocks_view_open,
		.view_close = rocks_view_close,
		.view_get = rocks_view_get,
		.view_get_many = rocks_view_get_many,
		.view_bytes = rocks_view_bytes,
		.cursor_open = rocks_cursor_open,
		.cursor_close = rocks_cursor_close,
		.cursor_seek = rocks_cursor_seek,
		.cursor_seek_before = rocks_cursor_seek_before,
		.cursor_next = rocks_cursor_next,
		.cursor_prev = rocks_cursor_prev,
		.load = rocks_load,
		.tidy = rocks_tidy,
		.close = rocks_close,
	};
	struct rocks *r = MEM_NEW(struct rocks);

	engine_init(&r->engine, &ops);
	r->logger = o->logger;
	r->file_bytes = o->file_bytes;
	buf_printf(&r->dir, "%s", o->dir);
	buf_append_byte(&r->dir, 0);
	rocks_path(&r->incoming, o->dir, "incoming");
	rocks_path(&r->taking, o->dir, "incoming/taking.sst");
	r->cache = rocksdb_cache_create_lru(o->block_cache_bytes);
	for (unsigned i = 0; i < ROCKS_FAMILY_COUNT; i++)
		r->options[i] = rocks_make_options(r, i, o);
	for (unsigned i = 0; i < FAMILY_COUNT; i++) {
		r->young[i] = rocks_make_options(r, i, o);
		rocksdb_options_set_compression(r->young[i], rocksdb_no_compression);
	}
	r->env = rocksdb_envoptions_create();
	for (unsigned i = 0; i < FAMILY_COUNT; i++)
		r->ingest[i] = rocks_make_ingest(i);
	return r;
}

/* The names are on disk and stay. */
const char *rocks_family_name(unsigned family)
{
	static const char *const names[ROCKS_FAMILY_COUNT] = {
		[FAMILY_HISTORY] = "history",
		[FAMILY_STATE] = "state",
		[ROCKS_DEFAULT] = "default",
	};

	return names[family];
}

/* NULL, or what RocksDB says against it. */
static char *rocks_open_families(struct rocks *r)
{
	const char *names[ROCKS_FAMILY_COUNT];
	const rocksdb_options_t *options[ROCKS_FAMILY_COUNT];
	char *text = NULL;

	for (unsigned i = 0; i < ROCKS_FAMILY_COUNT; i++) {
		names[i] = rocks_family_name(i);
		options[i] = r->options[i];
	}
	r->db = rocksdb_open_column_families(r->options[ROCKS_DEFAULT], rocks_path_text(&r->dir),
					     ROCKS_FAMILY_COUNT, names, options, r->families,
					     &text);
	return text;
}

/*
 * Opens, if need be with the manifest before the one that was lost, and with the file back in place
 * that an earlier process could not take in.
 */
static int rocks_open(struct rocks *r)
{
	struct disk disk = disk_posix();
	struct buf table = {0};
	char *text = rocks_open_families(r);
	int rc;

	if (text && rocks_start_name_manifest(r, text)) {
		rocksdb_free(text);
		text = rocks_open_families(r);
	}
	if (text && rocks_start_restore(r, text, &table)) {
		LOG(r->logger, LOG_WARNING, "engine: %s: opening with %s", text,
		    rocks_path_text(&table));
		rocksdb_free(text);
		text = rocks_open_families(r);
		if (text && (rc = disk_remove(&disk, rocks_path_text(&table))) != OK)
			LOG(r->logger, LOG_WARNING, "engine: cannot remove %s: %s",
			    rocks_path_text(&table), error_text(rc));
	}
	buf_free(&table);
	return rocks_error(r, LOG_ERROR, "opening", text);
}

int engine_rocks_open(struct engine **out, const struct engine_rocks_options *o)
{
	struct rocks *r = rocks_new(o);
	int rc = rocks_start_before(r);

	if (rc == OK)
		rc = rocks_open(r);
	if (rc == OK)
		rc = rocks_start_after(r);
	if (rc != OK) {
		rocks_close(&r->engine);
		return rc;
	}
	*out = &r->engine;
	return OK;
}
