#include "storage/disk.h"

#include "base/mem.h"

#include <string.h>

static const char *path_put(struct buf *path, const char *dir, const char *name, const char *end)
{
	buf_clear(path);
	buf_printf(path, "%s/%s%s%c", dir, name, end, '\0');
	return (const char *)path->data;
}

static int write_new(struct disk *d, const char *path, struct slice bytes)
{
	struct disk_file *file;
	int rc = disk_remove(d, path);

	if (rc == OK || rc == ERR_NOT_FOUND)
		rc = disk_open(d, path, DISK_CREATE, &file);
	if (rc != OK)
		return rc;
	rc = disk_write(file, 0, bytes.data, bytes.len);
	if (rc == OK)
		rc = disk_sync(file);
	disk_close(file);
	return rc;
}

int disk_replace(struct disk *d, const char *dir, const char *name, struct slice bytes)
{
	struct buf from = {0}, to = {0};
	int rc = write_new(d, path_put(&from, dir, name, ".new"), bytes);

	if (rc == OK)
		rc = disk_rename(d, (const char *)from.data, path_put(&to, dir, name, ""));
	if (rc == OK)
		rc = disk_sync_directory(d, dir);
	buf_free(&from);
	buf_free(&to);
	return rc;
}

int disk_read_small(struct disk *d, const char *dir, const char *name, struct buf *out)
{
	struct disk_file *file;
	struct buf path = {0};
	uint8_t bytes[DISK_BLOCK + 1];
	size_t got = 0;
	int rc = disk_open(d, path_put(&path, dir, name, ""), DISK_READ_ONLY, &file);

	buf_free(&path);
	if (rc != OK)
		return rc;
	rc = disk_read(file, 0, bytes, sizeof(bytes), &got);
	disk_close(file);
	if (rc == OK && got > DISK_BLOCK)
		return ERR_TOO_LARGE;
	if (rc == OK)
		buf_append(out, bytes, got);
	return rc;
}

void disk_names_add(struct disk_names *names, const char *name)
{
	size_t size = strlen(name) + 1;

	MEM_GROW(names->names, names->cap, names->count + 1);
	names->names[names->count] = mem_alloc(size);
	memcpy(names->names[names->count], name, size);
	names->count++;
}

void disk_names_free(struct disk_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		mem_free(names->names[i]);
	mem_free(names->names);
	*names = (struct disk_names){0};
}
