#ifndef CONCLAVE_STORAGE_ENGINE_ROCKS_INTERNAL_H
#define CONCLAVE_STORAGE_ENGINE_ROCKS_INTERNAL_H

/* What the files of the RocksDB engine share among themselves. */

#include "base/logging.h"
#include "storage/engine_internal.h"
#include "storage/engine_rocks.h"

#include <rocksdb/c.h>

/* The engine's families come first, under their own numbers; then the one that RocksDB wants. */
#define ROCKS_DEFAULT	   FAMILY_COUNT
#define ROCKS_FAMILY_COUNT (FAMILY_COUNT + 1)

struct rocks {
	struct engine engine;
	const struct logger *logger;
	struct buf dir;	     /* ends with a zero byte */
	struct buf incoming; /* where files are made; likewise */
	struct buf taking;   /* the name in there of the file that is being taken in; likewise */
	rocksdb_t *db;
	rocksdb_cache_t *cache;
	rocksdb_options_t *options[ROCKS_FAMILY_COUNT];
	rocksdb_options_t *young[FAMILY_COUNT]; /* for files that the writer makes */
	rocksdb_column_family_handle_t *families[ROCKS_FAMILY_COUNT];
	rocksdb_envoptions_t *env;
	rocksdb_ingestexternalfileoptions_t *ingest[FAMILY_COUNT];
	uint64_t next_file;  /* number in the name of the next file that is made */
	uint64_t file_bytes; /* how long files become when they are merged */
};

static inline struct rocks *rocks_of(struct engine *e)
{
	return CONTAINER_OF(e, struct rocks, engine);
}

/* The bytes as RocksDB wants them. */
static inline const char *rocks_text(struct slice s)
{
	return (const char *)s.data;
}

/* A path made by rocks_path() as a C string. */
static inline const char *rocks_path_text(const struct buf *path)
{
	return (const char *)path->data;
}

/* `dir`/`name` and a zero byte into `out`, which is empty. */
void rocks_path(struct buf *out, const char *dir, const char *name);

/*
 * The error that RocksDB's text stands for; NULL is OK. Logs it with what was being done and frees
 * the text.
 */
MUST_USE int rocks_error(const struct rocks *r, enum log_level level, const char *doing,
			 char *text);

/* What RocksDB calls a family. */
const char *rocks_family_name(unsigned family);

/* engine_rocks_start.c: before and after RocksDB opens the directory. */
MUST_USE int rocks_start_before(struct rocks *r);

/*
 * RocksDB did not open and said `text`. If it misses the manifest that CURRENT names, and there is
 * another one, CURRENT names that from now on. False: it does not.
 */
bool rocks_start_name_manifest(const struct rocks *r, const char *text);

/*
 * RocksDB did not open and said `text`. If it misses a table, and a file is there that was to be
 * taken in, gives that file the table's name, which is put into `table`. False: it does not.
 */
bool rocks_start_restore(const struct rocks *r, const char *text, struct buf *table);

MUST_USE int rocks_start_after(struct rocks *r);

/* engine_rocks_files.c: files in. */
int rocks_file_begin(struct engine *e, enum engine_family family, struct engine_file **out);
int rocks_file_put(struct engine_file *f, struct slice key, struct slice value);
int rocks_file_delete(struct engine_file *f, struct slice key);
int rocks_file_delete_range(struct engine_file *f, struct slice from, struct slice to);
int rocks_file_finish(struct engine_file *f);
int rocks_file_ingest(struct engine_file *f);
void rocks_file_free(struct engine_file *f);

/*
 * To know where a file begins and ends that it takes in, RocksDB reads its first row and its last
 * one, and if the first cannot be read it takes the file for one without rows, and says that all
 * went well (7.8.3): nobody finds what is in it, and the next start finds two tables that overlap.
 * Lets such tables go, which never were part of what is told to be stored, and says how many there
 * were. (One that has ranges as well is taken for a file of these alone; the store makes none.)
 */
size_t rocks_drop_unbounded(struct rocks *r);

/* engine_rocks_tidy.c */
int rocks_tidy(struct engine *e, bool thorough, bool *more);

struct rocks_view {
	struct engine_view view;
	struct rocks *rocks;
	const rocksdb_snapshot_t *snapshot;
	rocksdb_readoptions_t *options;
};

static inline struct rocks_view *rocks_view_of(struct engine_view *v)
{
	return CONTAINER_OF(v, struct rocks_view, view);
}

/* rocks_error() of a read. */
static inline int rocks_read_error(const struct rocks *r, char *text)
{
	return rocks_error(r, LOG_ERROR, "reading", text);
}

/* engine_rocks_views.c: rows out, by their keys. */
struct engine_view *rocks_view_open(struct engine *e);
void rocks_view_close(struct engine_view *v);
int rocks_view_get(struct engine_view *v, enum engine_family family, struct slice key,
		   struct buf *out);
void rocks_view_get_many(struct engine_view *v, struct engine_get *gets, size_t count);
uint64_t rocks_view_bytes(struct engine_view *v, enum engine_family family, struct slice from);

/* engine_rocks_cursors.c: rows out, in order. */
struct engine_cursor *rocks_cursor_open(struct engine_view *v, enum engine_family family,
					struct slice end, bool all);
void rocks_cursor_close(struct engine_cursor *c);
void rocks_cursor_seek(struct engine_cursor *c, struct slice key);
void rocks_cursor_seek_before(struct engine_cursor *c, struct slice key);
void rocks_cursor_next(struct engine_cursor *c);
void rocks_cursor_prev(struct engine_cursor *c);

#endif
