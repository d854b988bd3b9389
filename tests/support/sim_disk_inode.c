#include "support/sim_disk_inode.h"

#include "base/mem.h"

#include <string.h>

struct sim_inode *sim_inode_new(void)
{
	struct sim_inode *n = MEM_NEW(struct sim_inode);

	n->refs = 1;
	return n;
}

struct sim_inode *sim_inode_hold(struct sim_inode *n)
{
	n->refs++;
	return n;
}

static void block_clear(struct sim_block *b)
{
	if (b->current != b->durable)
		mem_free(b->current);
	mem_free(b->durable);
	*b = (struct sim_block){0};
}

void sim_inode_release(struct sim_inode *n)
{
	if (--n->refs > 0)
		return;
	for (size_t i = 0; i < n->count; i++)
		block_clear(&n->blocks[i]);
	mem_free(n->blocks);
	mem_free(n->dirty);
	mem_free(n);
}

size_t sim_inode_read(const struct sim_inode *n, uint64_t offset, void *data, size_t len)
{
	uint8_t *out = data;
	size_t done = 0;

	if (offset >= n->size)
		return 0;
	len = MIN(len, n->size - offset);
	while (done < len) {
		size_t number = (offset + done) / DISK_BLOCK;
		size_t at = (offset + done) % DISK_BLOCK;
		size_t part = MIN(len - done, DISK_BLOCK - at);
		const uint8_t *from = number < n->count ? n->blocks[number].current : NULL;

		if (from)
			memcpy(out + done, from + at, part);
		else
			memset(out + done, 0, part);
		done += part;
	}
	return len;
}

static bool all_zero(const uint8_t *data, size_t len)
{
	return len == 0 || (data[0] == 0 && memcmp(data, data + 1, len - 1) == 0);
}

static struct sim_block *block_dirty(struct sim_inode *n, size_t number)
{
	struct sim_block *b;

	if (number >= n->count) {
		MEM_GROW(n->blocks, n->cap, number + 1);
		memset(n->blocks + n->count, 0, (number + 1 - n->count) * sizeof(*n->blocks));
		n->count = number + 1;
	}
	b = &n->blocks[number];
	if (!b->dirty) {
		MEM_GROW(n->dirty, n->dirty_cap, n->dirty_count + 1);
		n->dirty[n->dirty_count++] = number;
		b->dirty = true;
	}
	return b;
}

static void block_write(struct sim_inode *n, size_t number, size_t at, const uint8_t *data,
			size_t len)
{
	struct sim_block *b;
	uint8_t *fresh;

	/* Zero-filling what is zero anyway is most of what a segment sees. */
	if ((number >= n->count || (!n->blocks[number].current && !n->blocks[number].durable)) &&
	    all_zero(data, len))
		return;
	b = block_dirty(n, number);
	if (b->current == b->durable) {
		fresh = mem_alloc(DISK_BLOCK);
		if (b->durable)
			memcpy(fresh, b->durable, DISK_BLOCK);
		else
			memset(fresh, 0, DISK_BLOCK);
		b->current = fresh;
	} else if (!b->current) {
		b->current = mem_zalloc(1, DISK_BLOCK);
	}
	memcpy(b->current + at, data, len);
	if (len == DISK_BLOCK && all_zero(data, len)) {
		mem_free(b->current);
		b->current = NULL;
	}
}

void sim_inode_write(struct sim_inode *n, uint64_t offset, const void *data, size_t len)
{
	const uint8_t *from = data;
	size_t done = 0;

	while (done < len) {
		size_t at = (offset + done) % DISK_BLOCK;
		size_t part = MIN(len - done, DISK_BLOCK - at);

		block_write(n, (offset + done) / DISK_BLOCK, at, from + done, part);
		done += part;
	}
	n->size = MAX(n->size, offset + len);
}

void sim_inode_resize(struct sim_inode *n, uint64_t size)
{
	static const uint8_t zeros[DISK_BLOCK];

	for (size_t i = size / DISK_BLOCK; i < n->count; i++) {
		size_t at = i == size / DISK_BLOCK ? size % DISK_BLOCK : 0;

		block_write(n, i, at, zeros, DISK_BLOCK - at);
	}
	n->size = size;
}

static void block_sync(struct sim_block *b)
{
	if (b->durable != b->current)
		mem_free(b->durable);
	b->durable = b->current;
	b->dirty = false;
}

void sim_inode_sync(struct sim_inode *n)
{
	for (size_t i = 0; i < n->dirty_count; i++)
		block_sync(&n->blocks[n->dirty[i]]);
	n->dirty_count = 0;
	n->durable_size = n->size;
}

/* Mixes into `current`, sector by sector, what is to be durable. */
static void block_collapse(struct sim_block *b, struct random *r, uint64_t keep_per_sector)
{
	static const uint8_t zeros[SIM_DISK_SECTOR];

	if (!b->current && !b->durable)
		return;
	if (b->current == b->durable) {
		b->dirty = false;
		return;
	}
	if (!b->current)
		b->current = mem_zalloc(1, DISK_BLOCK);
	for (size_t at = 0; at < DISK_BLOCK; at += SIM_DISK_SECTOR) {
		if (random_below(r, 8) < keep_per_sector)
			continue;
		memcpy(b->current + at, b->durable ? b->durable + at : zeros, SIM_DISK_SECTOR);
	}
}

void sim_inode_collapse(struct sim_inode *n, struct random *r)
{
	/* Mostly all or nothing makes rare mixtures; so does always half: vary it by file. */
	uint64_t keep = random_below(r, 9);
	bool old_size = n->size != n->durable_size && random_chance(r, 500000);

	for (size_t i = 0; i < n->dirty_count; i++)
		block_collapse(&n->blocks[n->dirty[i]], r, keep);
	if (old_size && n->durable_size < n->size)
		sim_inode_resize(n, n->durable_size);
	if (old_size)
		n->size = n->durable_size;
	sim_inode_sync(n);
}

bool sim_inode_patch(struct sim_inode *n, uint64_t offset, uint8_t byte)
{
	size_t number = offset / DISK_BLOCK;
	bool dirty;

	if (offset >= n->size)
		return false;
	dirty = number < n->count && n->blocks[number].dirty;
	sim_inode_write(n, offset, &byte, 1);
	if (!dirty && number < n->count && n->blocks[number].dirty) {
		block_sync(&n->blocks[number]);
		n->dirty_count--;
	}
	return true;
}

uint64_t sim_inode_memory(const struct sim_inode *n)
{
	uint64_t bytes = n->cap * sizeof(*n->blocks);

	for (size_t i = 0; i < n->count; i++) {
		const struct sim_block *b = &n->blocks[i];

		bytes += b->durable ? DISK_BLOCK : 0;
		bytes += b->current && b->current != b->durable ? DISK_BLOCK : 0;
	}
	return bytes;
}
