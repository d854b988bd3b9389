#ifndef CONCLAVE_STORAGE_VAULT_MEMORY_H
#define CONCLAVE_STORAGE_VAULT_MEMORY_H

/* Engines in memory, for simulations and tests: the rows outlive the engines, as on a disk. */

#include "storage/engine_memory.h"
#include "storage/vault.h"

struct vault_memory {
	struct vault vault;
	struct engine_memory *living; /* what a start opens; owned */
	struct engine_memory *fresh;  /* NULL: none is being built */
	struct engine_memory *old;    /* lived before; NULL: is discarded */
	struct engine *living_engine; /* NULL: not open */
	struct engine *fresh_engine;
	struct engine *old_engine;
	int fail_adopt; /* the next vault_adopt answers this; OK: it does not fail */
};

void vault_memory_init(struct vault_memory *v);

/* Opens the living engine; the process that had it open before is dead. */
struct engine *vault_memory_open(struct vault_memory *v);

/* The process dies: engines are closed, what was adopted stays. No view is open. */
void vault_memory_kill(struct vault_memory *v);

/* Frees the rows, too. */
void vault_memory_free(struct vault_memory *v);

#endif
