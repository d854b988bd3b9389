#include "support/sim_disk.h"

#include "base/check.h"
#include "base/mem.h"
#include "support/sim_disk_internal.h"

#include <string.h>

struct sim_file {
	struct disk_file file;
	struct sim_inode *inode; /* NULL: a lock */
	uint64_t generation;
	unsigned flags;
	char *lock_path;
	struct list link; /* among the locks */
};

static struct sim_disk *sim_of(struct disk *disk)
{
	return CONTAINER_OF(disk, struct sim_disk, disk);
}

/* Counts the call. OK: it may go on; else the error that it ends with. */
static int call_begin(struct sim_disk *d, enum sim_disk_call kind)
{
	struct sim_fault *f = &d->faults[kind];

	if (d->cut)
		return ERR_IO;
	if (kind != SIM_DISK_READ) {
		if (d->cut_after == 0) {
			d->cut = true;
			return ERR_IO;
		}
		if (d->cut_after != UINT64_MAX)
			d->cut_after--;
	}
	if (++d->calls[kind] != f->at)
		return OK;
	f->at = 0;
	return f->error;
}

static int file_begin(struct disk_file *file, enum sim_disk_call kind, struct sim_file **f)
{
	struct sim_disk *d = sim_of(file->disk);

	*f = CONTAINER_OF(file, struct sim_file, file);
	if ((*f)->generation != d->generation)
		return ERR_IO;
	CHECK(kind == SIM_DISK_READ || !((*f)->flags & DISK_READ_ONLY));
	return call_begin(d, kind);
}

static void check_aligned(const struct sim_file *f, uint64_t offset, const void *data, size_t len)
{
	if (!(f->flags & DISK_DIRECT))
		return;
	CHECK(offset % DISK_BLOCK == 0 && len % DISK_BLOCK == 0);
	CHECK((uintptr_t)data % DISK_BLOCK == 0);
}

static uint64_t bytes_used(const struct sim_disk *d)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < d->current.count; i++)
		bytes += d->current.items[i].inode->size;
	return bytes;
}

static bool room_for(const struct sim_disk *d, const struct sim_inode *n, uint64_t size)
{
	return size <= n->size || d->capacity == UINT64_MAX ||
	       bytes_used(d) + (size - n->size) <= d->capacity;
}

static struct sim_file *file_new(struct sim_disk *d, unsigned flags)
{
	struct sim_file *f = MEM_NEW(struct sim_file);

	f->file.disk = &d->disk;
	f->generation = d->generation;
	f->flags = flags;
	list_init(&f->link);
	d->open_files++;
	return f;
}

static int sim_open(struct disk *disk, const char *path, unsigned flags, struct disk_file **out)
{
	struct sim_disk *d = sim_of(disk);
	struct sim_name *name = sim_name_find(&d->current, path);
	int rc = call_begin(d, flags & DISK_CREATE ? SIM_DISK_OPEN : SIM_DISK_READ);
	struct sim_file *f;

	if (rc != OK)
		return rc;
	if (flags & DISK_CREATE) {
		struct sim_inode *inode;

		if (name)
			return ERR_EXISTS;
		inode = sim_inode_new();
		sim_change_add(d, CHANGE_CREATE, path, NULL, inode);
		sim_inode_release(inode);
		name = sim_name_find(&d->current, path);
	}
	if (!name)
		return ERR_NOT_FOUND;
	f = file_new(d, flags);
	f->inode = sim_inode_hold(name->inode);
	*out = &f->file;
	return OK;
}

static void sim_close(struct disk_file *file)
{
	struct sim_file *f = CONTAINER_OF(file, struct sim_file, file);

	sim_of(file->disk)->open_files--;
	list_remove(&f->link);
	if (f->inode)
		sim_inode_release(f->inode);
	mem_free(f->lock_path);
	mem_free(f);
}

static int sim_read(struct disk_file *file, uint64_t offset, void *data, size_t len, size_t *got)
{
	struct sim_file *f;
	int rc = file_begin(file, SIM_DISK_READ, &f);

	if (rc != OK)
		return rc;
	check_aligned(f, offset, data, len);
	*got = sim_inode_read(f->inode, offset, data, len);
	sim_of(file->disk)->bytes_read += *got;
	return OK;
}

/* A write that fails has written what it liked. */
static void write_some(struct sim_disk *d, struct sim_file *f, uint64_t offset, const uint8_t *data,
		       size_t len)
{
	for (size_t at = 0; at < len; at += SIM_DISK_SECTOR) {
		size_t part = MIN(len - at, (size_t)SIM_DISK_SECTOR);

		if (random_chance(&d->random, 500000) && offset + at + part <= f->inode->size)
			sim_inode_write(f->inode, offset + at, data + at, part);
	}
}

static int sim_write(struct disk_file *file, uint64_t offset, const void *data, size_t len)
{
	struct sim_disk *d = sim_of(file->disk);
	bool cut = d->cut;
	struct sim_file *f;
	int rc = file_begin(file, SIM_DISK_WRITE, &f);

	/* The call in which the power fails may have begun, as one that fails may. */
	if (rc != OK && !cut && f->generation == d->generation)
		write_some(d, f, offset, data, len);
	if (rc != OK)
		return rc;
	check_aligned(f, offset, data, len);
	if (!room_for(d, f->inode, offset + len))
		return ERR_NO_SPACE;
	sim_inode_write(f->inode, offset, data, len);
	return OK;
}

static int sim_sync(struct disk_file *file)
{
	struct sim_disk *d = sim_of(file->disk);
	struct sim_file *f;
	int rc = file_begin(file, SIM_DISK_SYNC, &f);

	if (rc == OK)
		sim_inode_sync(f->inode);
	else if (!d->cut && f->generation == d->generation)
		sim_inode_collapse(f->inode, &d->random);
	return rc;
}

static int sim_preallocate(struct disk_file *file, uint64_t size)
{
	struct sim_file *f;
	int rc = file_begin(file, SIM_DISK_PREALLOCATE, &f);

	if (rc != OK)
		return rc;
	if (!room_for(sim_of(file->disk), f->inode, size))
		return ERR_NO_SPACE;
	if (size > f->inode->size)
		sim_inode_resize(f->inode, size);
	return OK;
}

static int sim_truncate(struct disk_file *file, uint64_t size)
{
	struct sim_file *f;
	int rc = file_begin(file, SIM_DISK_TRUNCATE, &f);

	if (rc == OK)
		sim_inode_resize(f->inode, size);
	return rc;
}

static int sim_size(struct disk_file *file, uint64_t *size)
{
	struct sim_file *f;
	int rc = file_begin(file, SIM_DISK_READ, &f);

	if (rc == OK)
		*size = f->inode->size;
	return rc;
}

static int sim_rename(struct disk *disk, const char *from, const char *to)
{
	struct sim_disk *d = sim_of(disk);
	int rc = call_begin(d, SIM_DISK_RENAME);
	struct sim_name *name = sim_name_find(&d->current, from);

	if (rc == OK && !name)
		rc = ERR_NOT_FOUND;
	if (rc == OK)
		sim_change_add(d, CHANGE_RENAME, from, to, name->inode);
	return rc;
}

static int sim_remove(struct disk *disk, const char *path)
{
	struct sim_disk *d = sim_of(disk);
	int rc = call_begin(d, SIM_DISK_REMOVE);
	struct sim_name *name = sim_name_find(&d->current, path);

	if (rc == OK && !name)
		rc = ERR_NOT_FOUND;
	if (rc == OK)
		sim_change_add(d, CHANGE_REMOVE, path, NULL, name->inode);
	return rc;
}

/* Directories are only the beginnings of paths here: they are always there. */
static int sim_make_directory(struct disk *disk, const char *path)
{
	(void)path;
	return sim_of(disk)->cut ? ERR_IO : OK;
}

static bool is_in(const char *dir, const char *path)
{
	size_t len = strlen(dir);

	return strncmp(dir, path, len) == 0 && path[len] == '/' && !strchr(path + len + 1, '/');
}

static int sim_sync_directory(struct disk *disk, const char *path)
{
	struct sim_disk *d = sim_of(disk);
	int rc = call_begin(d, SIM_DISK_SYNC_DIRECTORY);
	size_t left = 0;

	if (rc != OK)
		return rc;
	for (size_t i = 0; i < d->change_count; i++) {
		struct sim_change *c = &d->changes[i];

		if (!is_in(path, c->path)) {
			d->changes[left++] = *c;
			continue;
		}
		sim_change_apply(&d->durable, c);
		sim_change_free(c);
	}
	d->change_count = left;
	return OK;
}

static int sim_list(struct disk *disk, const char *path, struct disk_names *names)
{
	struct sim_disk *d = sim_of(disk);
	int rc = call_begin(d, SIM_DISK_READ);

	for (size_t i = 0; i < d->current.count && rc == OK; i++) {
		if (is_in(path, d->current.items[i].path))
			disk_names_add(names, d->current.items[i].path + strlen(path) + 1);
	}
	return rc;
}

static int sim_lock(struct disk *disk, const char *path, struct disk_file **out)
{
	struct sim_disk *d = sim_of(disk);
	int rc = call_begin(d, SIM_DISK_READ);
	struct sim_file *f;

	if (rc != OK)
		return rc;
	list_for_each (it, &d->locks) {
		if (strcmp(LIST_ITEM(it, struct sim_file, link)->lock_path, path) == 0)
			return ERR_LOCKED;
	}
	f = file_new(d, 0);
	f->lock_path = sim_text_copy(path);
	list_push_back(&d->locks, &f->link);
	*out = &f->file;
	return OK;
}

static int sim_free_space(struct disk *disk, const char *path, uint64_t *bytes)
{
	struct sim_disk *d = sim_of(disk);
	uint64_t used = bytes_used(d);

	(void)path;
	*bytes = d->capacity > used ? d->capacity - used : 0;
	return d->cut ? ERR_IO : OK;
}

static int sim_used_space(struct disk *disk, const char *path, uint64_t *bytes)
{
	struct sim_disk *d = sim_of(disk);

	(void)path;
	*bytes = bytes_used(d);
	return d->cut ? ERR_IO : OK;
}

struct sim_disk *sim_disk_new(uint64_t seed)
{
	static const struct disk_ops ops = {
		.open = sim_open,
		.close = sim_close,
		.read = sim_read,
		.write = sim_write,
		.sync = sim_sync,
		.preallocate = sim_preallocate,
		.truncate = sim_truncate,
		.size = sim_size,
		.rename = sim_rename,
		.remove = sim_remove,
		.make_directory = sim_make_directory,
		.sync_directory = sim_sync_directory,
		.list = sim_list,
		.lock = sim_lock,
		.free_space = sim_free_space,
		.used_space = sim_used_space,
	};
	struct sim_disk *d = MEM_NEW(struct sim_disk);

	d->disk.ops = &ops;
	random_seed(&d->random, seed);
	list_init(&d->locks);
	d->cut_after = UINT64_MAX;
	d->capacity = UINT64_MAX;
	return d;
}

void sim_disk_free(struct sim_disk *d)
{
	CHECK(d->open_files == 0);
	for (size_t i = 0; i < d->change_count; i++)
		sim_change_free(&d->changes[i]);
	mem_free(d->changes);
	sim_names_clear(&d->current);
	sim_names_clear(&d->durable);
	mem_free(d->current.items);
	mem_free(d->durable.items);
	mem_free(d);
}

struct disk *sim_disk_interface(struct sim_disk *d)
{
	return &d->disk;
}

void sim_disk_kill(struct sim_disk *d)
{
	d->generation++;
	d->cut = false;
	d->cut_after = UINT64_MAX;
	while (list_pop_front(&d->locks))
		;
}

void sim_disk_crash(struct sim_disk *d)
{
	size_t kept = random_below(&d->random, d->change_count + 1);

	for (size_t i = 0; i < d->change_count; i++) {
		if (i < kept)
			sim_change_apply(&d->durable, &d->changes[i]);
		sim_change_free(&d->changes[i]);
	}
	d->change_count = 0;
	sim_names_copy(&d->current, &d->durable);
	for (size_t i = 0; i < d->current.count; i++)
		sim_inode_collapse(d->current.items[i].inode, &d->random);
	sim_disk_kill(d);
}

void sim_disk_cut_at(struct sim_disk *d, uint64_t calls)
{
	d->cut_after = calls;
}

bool sim_disk_is_cut(const struct sim_disk *d)
{
	return d->cut;
}

void sim_disk_fail(struct sim_disk *d, enum sim_disk_call kind, uint64_t nth, int error)
{
	d->faults[kind] = (struct sim_fault){nth ? d->calls[kind] + nth : 0, error};
}

void sim_disk_set_capacity(struct sim_disk *d, uint64_t bytes)
{
	d->capacity = bytes;
}

uint64_t sim_disk_calls(const struct sim_disk *d, enum sim_disk_call kind)
{
	return d->calls[kind];
}

uint64_t sim_disk_bytes_read(const struct sim_disk *d)
{
	return d->bytes_read;
}

uint64_t sim_disk_memory(const struct sim_disk *d)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < d->current.count; i++)
		bytes += sim_inode_memory(d->current.items[i].inode);
	return bytes;
}
