#ifndef CONCLAVE_STORAGE_DISK_H
#define CONCLAVE_STORAGE_DISK_H

/*
 * The disk as this room sees it: a handful of calls, so that tests and the simulator can put one
 * of their own beneath. Every call is one operation on the medium and may block; none of them is
 * repeated or made up for here. Calls on different files may come from different threads at once.
 * Paths are "directory/name". What is promised after a crash is only this: bytes that a
 * disk_sync() of their file covered, and names that a disk_sync_directory() covered.
 */

#include "base/bytes.h"
#include "base/compiler.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

/* Offsets, lengths and memory of every transfer to or from a DISK_DIRECT file: multiples of it. */
#define DISK_BLOCK 4096u

enum disk_open_flags {
	DISK_CREATE = 1, /* the file must not exist; without it, it must */
	DISK_DIRECT = 2, /* past the page cache where the file system can; silently not elsewhere */
	DISK_READ_ONLY = 4, /* never writes, not even metadata */
};

struct disk;

/* An open file. Implementations put more behind it. */
struct disk_file {
	struct disk *disk;
};

/* Names found in a directory, without "." and "..", in no order. */
struct disk_names {
	char **names;
	size_t count;
	size_t cap;
};

struct disk_ops {
	int (*open)(struct disk *disk, const char *path, unsigned flags, struct disk_file **out);
	void (*close)(struct disk_file *file);
	int (*read)(struct disk_file *file, uint64_t offset, void *data, size_t len, size_t *got);
	int (*write)(struct disk_file *file, uint64_t offset, const void *data, size_t len);
	int (*sync)(struct disk_file *file);
	int (*preallocate)(struct disk_file *file, uint64_t size);
	int (*truncate)(struct disk_file *file, uint64_t size);
	int (*size)(struct disk_file *file, uint64_t *size);
	int (*rename)(struct disk *disk, const char *from, const char *to);
	int (*remove)(struct disk *disk, const char *path);
	int (*make_directory)(struct disk *disk, const char *path);
	int (*sync_directory)(struct disk *disk, const char *path);
	int (*list)(struct disk *disk, const char *path, struct disk_names *names);
	int (*lock)(struct disk *disk, const char *path, struct disk_file **out);
	int (*free_space)(struct disk *disk, const char *path, uint64_t *bytes);
	int (*used_space)(struct disk *disk, const char *path, uint64_t *bytes);
};

struct disk {
	const struct disk_ops *ops;
};

/* The machine's own disk. Files refer to the struct: it outlives them. */
struct disk disk_posix(void);

/* Opens `path`; the caller closes. ERR_NOT_FOUND, ERR_EXISTS, ERR_NO_SPACE, ERR_IO. */
static inline MUST_USE int disk_open(struct disk *d, const char *path, unsigned flags,
				     struct disk_file **out)
{
	return d->ops->open(d, path, flags, out);
}

/* Closes; makes nothing durable. NULL is nothing. */
static inline void disk_close(struct disk_file *f)
{
	if (f)
		f->disk->ops->close(f);
}

/* Reads up to `len` bytes; `*got` is less only where the file ends. ERR_IO. */
static inline MUST_USE int disk_read(struct disk_file *f, uint64_t offset, void *data, size_t len,
				     size_t *got)
{
	return f->disk->ops->read(f, offset, data, len, got);
}

/* Writes all `len` bytes or fails: then any part of them may have been written. ERR_IO, ... */
static inline MUST_USE int disk_write(struct disk_file *f, uint64_t offset, const void *data,
				      size_t len)
{
	return f->disk->ops->write(f, offset, data, len);
}

/*
 * Makes what was written to this file, through any handle, durable, its length too. After a
 * failure nothing is known about those bytes, and asking again would not tell the truth.
 */
static inline MUST_USE int disk_sync(struct disk_file *f)
{
	return f->disk->ops->sync(f);
}

/* Gives the file room and a length of at least `size`; new bytes read as zero. ERR_NO_SPACE. */
static inline MUST_USE int disk_preallocate(struct disk_file *f, uint64_t size)
{
	return f->disk->ops->preallocate(f, size);
}

/* Makes the file `size` bytes long and gives back the room behind. */
static inline MUST_USE int disk_truncate(struct disk_file *f, uint64_t size)
{
	return f->disk->ops->truncate(f, size);
}

static inline MUST_USE int disk_size(struct disk_file *f, uint64_t *size)
{
	return f->disk->ops->size(f, size);
}

/* Renames atomically, replacing `to` if it exists. */
static inline MUST_USE int disk_rename(struct disk *d, const char *from, const char *to)
{
	return d->ops->rename(d, from, to);
}

static inline MUST_USE int disk_remove(struct disk *d, const char *path)
{
	return d->ops->remove(d, path);
}

/* Makes the directory and those above it that are missing; one that exists is fine. */
static inline MUST_USE int disk_make_directory(struct disk *d, const char *path)
{
	return d->ops->make_directory(d, path);
}

/* Makes creations, renames and removals in this directory durable. */
static inline MUST_USE int disk_sync_directory(struct disk *d, const char *path)
{
	return d->ops->sync_directory(d, path);
}

/* Fills `names`, which the caller frees with disk_names_free() also after a failure. */
static inline MUST_USE int disk_list(struct disk *d, const char *path, struct disk_names *names)
{
	return d->ops->list(d, path, names);
}

/* Locks through the file at `path`, made if needed, until it is closed. ERR_LOCKED. */
static inline MUST_USE int disk_lock(struct disk *d, const char *path, struct disk_file **out)
{
	return d->ops->lock(d, path, out);
}

/* Bytes that can still be written beneath this directory. */
static inline MUST_USE int disk_free_space(struct disk *d, const char *path, uint64_t *bytes)
{
	return d->ops->free_space(d, path, bytes);
}

/* Bytes that the files beneath this directory take, at any depth. */
static inline MUST_USE int disk_used_space(struct disk *d, const char *path, uint64_t *bytes)
{
	return d->ops->used_space(d, path, bytes);
}

/*
 * The file `dir`/`name` holds these bytes, durably: all of them, or as after any failure what it
 * held before. `dir`/`name`.new is used for it.
 */
MUST_USE int disk_replace(struct disk *d, const char *dir, const char *name, struct slice bytes);

/*
 * Appends what the small file `dir`/`name` holds, and nothing after an error. ERR_NOT_FOUND,
 * ERR_IO; ERR_TOO_LARGE: more than 4 KiB.
 */
MUST_USE int disk_read_small(struct disk *d, const char *dir, const char *name, struct buf *out);

/* Appends a copy of `name`, for implementations of disk_list(). */
void disk_names_add(struct disk_names *names, const char *name);

void disk_names_free(struct disk_names *names);

#endif
