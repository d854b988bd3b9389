#ifndef CONCLAVE_SUPPORT_SIM_DISK_INODE_H
#define CONCLAVE_SUPPORT_SIM_DISK_INODE_H

/*
 * A simulated file's contents, twice: as durable and as written. Blocks of zeros take no memory,
 * and blocks that are the same in both are there once.
 */

#include "support/sim_disk.h"

struct sim_block {
	uint8_t *durable; /* NULL: zeros */
	uint8_t *current; /* the same pointer as `durable` unless dirty */
	bool dirty;
};

struct sim_inode {
	uint32_t refs;
	uint64_t durable_size;
	uint64_t size;
	struct sim_block *blocks;
	size_t count;
	size_t cap;
	size_t *dirty; /* numbers of the dirty blocks */
	size_t dirty_count;
	size_t dirty_cap;
};

struct sim_inode *sim_inode_new(void);
struct sim_inode *sim_inode_hold(struct sim_inode *n);
void sim_inode_release(struct sim_inode *n);

/* Reads within the size; returns how many bytes there were. */
size_t sim_inode_read(const struct sim_inode *n, uint64_t offset, void *data, size_t len);

/* Writes, growing the file. */
void sim_inode_write(struct sim_inode *n, uint64_t offset, const void *data, size_t len);

void sim_inode_resize(struct sim_inode *n, uint64_t size);

/* What is written is durable. */
void sim_inode_sync(struct sim_inode *n);

/* Of what is not durable, any subset of sectors becomes so; the rest is as it was. */
void sim_inode_collapse(struct sim_inode *n, struct random *r);

/* Changes a durable byte. False: beyond the end. */
bool sim_inode_patch(struct sim_inode *n, uint64_t offset, uint8_t byte);

/* Bytes of memory in blocks. */
uint64_t sim_inode_memory(const struct sim_inode *n);

#endif
