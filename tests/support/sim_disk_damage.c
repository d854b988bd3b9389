#include "base/mem.h"
#include "support/sim_disk_internal.h"

#include <string.h>

static bool path_matches(const char *path, const char *wanted)
{
	size_t len = strlen(path);
	size_t tail = strlen(wanted);

	if (wanted[0] != '.')
		return strcmp(path, wanted) == 0;
	return len >= tail && strcmp(path + len - tail, wanted) == 0;
}

bool sim_disk_flip(struct sim_disk *d, const char *path, uint64_t *offset)
{
	struct sim_inode *chosen = NULL;
	size_t block = 0;
	uint64_t seen = 0;
	uint8_t byte;

	/* Every written block of every such file is as likely as any other. */
	for (size_t i = 0; i < d->durable.count; i++) {
		struct sim_inode *n = d->durable.items[i].inode;

		if (!path_matches(d->durable.items[i].path, path))
			continue;
		for (size_t b = 0; b < n->count; b++) {
			if (n->blocks[b].durable && random_below(&d->random, ++seen) == 0) {
				chosen = n;
				block = b;
			}
		}
	}
	if (!chosen)
		return false;
	*offset = block * DISK_BLOCK + random_below(&d->random, DISK_BLOCK);
	if (*offset >= chosen->size)
		*offset = block * DISK_BLOCK;
	sim_inode_read(chosen, *offset, &byte, 1);
	return sim_inode_patch(chosen, *offset,
			       (uint8_t)(byte ^ 1u << random_below(&d->random, 8)));
}

bool sim_disk_patch(struct sim_disk *d, const char *path, uint64_t offset, const void *data,
		    size_t len)
{
	struct sim_name *name = sim_name_find(&d->durable, path);
	const uint8_t *bytes = data;

	for (size_t i = 0; i < len; i++) {
		if (!name || !sim_inode_patch(name->inode, offset + i, bytes[i]))
			return false;
	}
	return true;
}

size_t sim_disk_peek(const struct sim_disk *d, const char *path, uint64_t offset, void *data,
		     size_t len)
{
	const struct sim_name *name = sim_name_find(&d->current, path);

	return name ? sim_inode_read(name->inode, offset, data, len) : 0;
}

bool sim_disk_lose(struct sim_disk *d, const char *path)
{
	if (!sim_name_find(&d->durable, path))
		return false;
	sim_name_remove(&d->durable, path);
	sim_name_remove(&d->current, path);
	return true;
}

bool sim_disk_shorten(struct sim_disk *d, const char *path, uint64_t size)
{
	struct sim_name *name = sim_name_find(&d->durable, path);

	if (!name || name->inode->size < size)
		return false;
	sim_inode_resize(name->inode, size);
	sim_inode_sync(name->inode);
	return true;
}
