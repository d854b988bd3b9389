#ifndef CONCLAVE_UNIT_STORAGE_SUPPORT_ENGINE_TESTER_H
#define CONCLAVE_UNIT_STORAGE_SUPPORT_ENGINE_TESTER_H

/* One engine of either kind, in a place of its own, and short ways to fill and read it. */

#include "storage/engine.h"
#include "storage/engine_memory.h"
#include "storage/engine_rocks.h"

enum engine_kind {
	ENGINE_MEMORY,
	ENGINE_ROCKS,
};

struct engine_tester {
	enum engine_kind kind;
	struct engine *engine;
	struct engine_memory *memory; /* ENGINE_MEMORY */
	char dir[64];		      /* ENGINE_ROCKS; made by _init, removed by _close */
};

/* An open engine without rows. */
void engine_tester_init(struct engine_tester *t, enum engine_kind kind);

/* Closes the engine if it is open and removes all there is of it. */
void engine_tester_close(struct engine_tester *t);

/* Closes the engine and opens it on what was durable. */
void engine_tester_reopen(struct engine_tester *t);

/* Options for the tester's directory with a small cache and small files. */
struct engine_rocks_options engine_tester_options(const struct engine_tester *t);

/* A new, empty file; it must work. */
struct engine_file *engine_tester_begin(struct engine_tester *t, enum engine_family family);

/* Rows with text for key and value into a file, and the file in; all must work. */
void engine_tester_put(struct engine_file *f, const char *key, const char *value);
void engine_tester_ingest(struct engine_file *f);

/* Takes in a file of one row. */
void engine_tester_set(struct engine_tester *t, enum engine_family family, const char *key,
		       const char *value);

/* Checks that `key` has this text for its value in the view; NULL: that there is no row. */
void engine_tester_expect(struct engine_view *v, enum engine_family family, const char *key,
			  const char *value);

/* The same in the engine as it is now. */
void engine_tester_expect_now(struct engine_tester *t, enum engine_family family, const char *key,
			      const char *value);

/* Appends "key=value " for every row of the family, in order. */
void engine_tester_dump(struct engine_view *v, enum engine_family family, struct buf *out);

/* Checks that the family's rows, as of now, are these, in the form of a dump. */
void engine_tester_expect_rows(struct engine_tester *t, enum engine_family family,
			       const char *rows);

/* How many names are in `dir`/`sub`. */
size_t engine_tester_count_files(const char *dir, const char *sub);

/* Removes a directory with all that is in it. */
void engine_tester_remove(const char *dir);

#endif
