#ifndef CONCLAVE_STORAGE_ENGINE_INTERNAL_H
#define CONCLAVE_STORAGE_ENGINE_INTERNAL_H

/*
 * What an engine has to do, and what all engines have in common. Each puts more behind the structs
 * below; engine.c checks what the callers promise, so that no engine has to.
 */

#include "base/list.h"
#include "storage/engine.h"

#include <stdatomic.h>

struct engine_ops {
	int (*file_begin)(struct engine *e, enum engine_family family, struct engine_file **out);
	int (*file_put)(struct engine_file *f, struct slice key, struct slice value);
	int (*file_delete)(struct engine_file *f, struct slice key);
	int (*file_delete_range)(struct engine_file *f, struct slice from, struct slice to);
	int (*file_finish)(struct engine_file *f); /* never of an empty one */
	int (*file_ingest)(struct engine_file *f); /* of a finished one; does not free it */
	void (*file_free)(struct engine_file *f);  /* and what there is of it on disk */

	struct engine_view *(*view_open)(struct engine *e);
	void (*view_close)(struct engine_view *v);
	int (*view_get)(struct engine_view *v, enum engine_family family, struct slice key,
			struct buf *out);
	void (*view_get_many)(struct engine_view *v, struct engine_get *gets, size_t count);

	uint64_t (*view_bytes)(struct engine_view *v, enum engine_family family, struct slice from);

	/*
	 * A cursor's moves leave its row, or why there is none, in struct engine_cursor. With
	 * `all` it may stand at rows that a range has deleted.
	 */
	struct engine_cursor *(*cursor_open)(struct engine_view *v, enum engine_family family,
					     struct slice end, bool all);
	void (*cursor_close)(struct engine_cursor *c);
	void (*cursor_seek)(struct engine_cursor *c, struct slice key);
	void (*cursor_seek_before)(struct engine_cursor *c, struct slice key);
	void (*cursor_next)(struct engine_cursor *c);
	void (*cursor_prev)(struct engine_cursor *c);

	void (*load)(struct engine *e, struct engine_load *out);
	int (*tidy)(struct engine *e, bool thorough,
		    bool *more); /* NULL: there is nothing to be tidied */
	void (*close)(struct engine *e);
};

struct engine {
	const struct engine_ops *ops;
	struct list files;	    /* not taken in yet; used by the writing thread alone */
	bool stopped;		    /* an ingestion failed; likewise */
	atomic_uint_fast64_t views; /* open ones */
};

struct engine_file {
	struct engine *engine;
	struct list in_engine;
	enum engine_family family;
	struct buf last_key;
	uint64_t rows; /* ranges included */
	int failed;    /* the first error: nothing but to drop it */
	bool finished;
};

struct engine_view {
	struct engine *engine;
	atomic_uint_fast64_t cursors; /* open ones */
};

struct engine_cursor {
	struct engine_view *view;
	bool valid;
	int error; /* OK while valid */
	struct slice key;
	struct slice value;
};

/* For the engine's own opening function: what is common, empty. */
void engine_init(struct engine *e, const struct engine_ops *ops);

#endif
