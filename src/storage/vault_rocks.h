#ifndef CONCLAVE_STORAGE_VAULT_ROCKS_H
#define CONCLAVE_STORAGE_VAULT_ROCKS_H

/*
 * Engines on RocksDB in one directory: engine-1, engine-2 ..., and a file `ENGINE` that names the
 * one that lives.
 */

#include "storage/disk.h"
#include "storage/engine_rocks.h"
#include "storage/vault.h"

struct vault_rocks;

/*
 * Opens the engine that lives in `dir`, or makes the first; removes what others left there.
 * `options` are those of every engine, but for their directory; `disk` outlives the vault. Errors
 * as engine_rocks_open; ERR_CORRUPT also for a file `ENGINE` that names none.
 */
MUST_USE int vault_rocks_open(struct vault_rocks **out, struct disk *disk, const char *dir,
			      const struct engine_rocks_options *options);

/* Closes the living engine, too. NULL is nothing. */
void vault_rocks_close(struct vault_rocks *v);

struct vault *vault_rocks_vault(struct vault_rocks *v);

/* The living one. */
struct engine *vault_rocks_engine(struct vault_rocks *v);

#endif
