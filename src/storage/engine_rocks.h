#ifndef CONCLAVE_STORAGE_ENGINE_ROCKS_H
#define CONCLAVE_STORAGE_ENGINE_ROCKS_H

/* The engine in a directory of its own, kept by RocksDB. docs/disk-format.md says what is in it. */

#include "base/logging.h"
#include "storage/engine.h"

struct engine_rocks_options {
	const char *dir; /* made if it is missing; nobody else puts anything there */

	/* Memory for what was read: rows, and the indexes and filters of the files. */
	size_t block_cache_bytes;

	/*
	 * Files kept open; 0: all of them. With fewer a read may have to open one first, and to
	 * read its end.
	 */
	int max_open_files;

	/* How long files become when they are merged. */
	uint64_t file_bytes;

	const struct logger *logger; /* may be NULL; outlives the engine */
};

/* Options for `dir` with 128 MiB of cache, every file kept open, files of 64 MiB. */
struct engine_rocks_options engine_rocks_defaults(const char *dir);

/*
 * Opens the engine in its directory, or makes an empty one where there is none. The caller closes
 * it with engine_close(). Every row it then answers is durable, whatever an earlier process left
 * behind half done. ERR_LOCKED: it is open elsewhere, in this process or another; ERR_CORRUPT,
 * ERR_NO_SPACE, ERR_IO.
 */
MUST_USE int engine_rocks_open(struct engine **out, const struct engine_rocks_options *o);

/* Removes the directory of an engine that is not open, and all in it. Fine if there is none.
 * ERR_IO. */
MUST_USE int engine_rocks_destroy(const char *dir);

#endif
