#ifndef CONCLAVE_STORAGE_ENGINE_MEMORY_H
#define CONCLAVE_STORAGE_ENGINE_MEMORY_H

/*
 * The engine in memory, for simulations and tests: the rows belong to whoever plays the disk and
 * outlive the engines that are opened on them, one after the other. A file is nothing before it is
 * taken in, and then it is durable at once; so closing the engine at any point is a crash.
 * Small on purpose: taking a file in costs time in proportion to its family's rows.
 */

#include "storage/engine.h"

struct engine_memory;

/* What can be made to fail. */
enum engine_memory_call {
	ENGINE_MEMORY_BEGIN,	/* engine_file_begin */
	ENGINE_MEMORY_ROW,	/* engine_file_put, _delete, _delete_range */
	ENGINE_MEMORY_FINISH,	/* engine_file_finish of a file with rows */
	ENGINE_MEMORY_INGEST,	/* engine_file_ingest of such a one: its rows are not in */
	ENGINE_MEMORY_INGESTED, /* the same, but they are: only the answer is an error */
	ENGINE_MEMORY_READ,	/* a row asked for, a cursor's move */
	ENGINE_MEMORY_CALL_COUNT,
};

/* No rows, no faults. The caller frees it. */
struct engine_memory *engine_memory_new(void);

/* No engine is open on it. NULL is nothing. */
void engine_memory_free(struct engine_memory *m);

/* The engine on these rows; one at a time. The caller closes it with engine_close(). */
struct engine *engine_memory_open(struct engine_memory *m);

/* The nth next call of this kind (1: the next) fails with `error`, once; 0: none does. */
void engine_memory_fail(struct engine_memory *m, enum engine_memory_call call, uint64_t nth,
			int error);

/* What engine_load tells from now on beside the bytes: as if files were waiting to be merged. */
void engine_memory_press(struct engine_memory *m, uint64_t level0_files, uint64_t compaction_debt);

/*
 * The row is damaged on the disk: views opened from now on answer ERR_CORRUPT where they meet it,
 * until a file overwrites it or deletes it. False: there is no such row.
 */
bool engine_memory_damage(struct engine_memory *m, enum engine_family family, struct slice key);

/*
 * One bit of the row's value is another one, and no engine can tell: views opened from now on see
 * it so. `bit` counts from the value's beginning, and over again at its end. False: there is no
 * such row, or it has no value.
 */
bool engine_memory_flip(struct engine_memory *m, enum engine_family family, struct slice key,
			uint64_t bit);

#endif
