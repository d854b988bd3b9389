#include "storage/disk_plan.h"

#include "base/check.h"
#include "base/mem.h"
#include "base/mutant.h"

#include <string.h>

enum call_kind {
	CALL_OPEN,
	CALL_CLOSE,
	CALL_WRITE,
	CALL_SYNC,
	CALL_PREALLOCATE,
	CALL_TRUNCATE,
	CALL_RENAME,
	CALL_REMOVE,
	CALL_SYNC_DIRECTORY,
};

struct disk_call {
	enum call_kind kind;
	unsigned flags;
	struct disk_file **file;
	char *path;
	char *to;
	uint64_t offset; /* or a size */
	const void *data;
	size_t len;
};

static int call_run(struct disk *disk, const struct disk_call *c)
{
	switch (c->kind) {
	case CALL_OPEN:
		return disk_open(disk, c->path, c->flags, c->file);
	case CALL_CLOSE:
		disk_close(*c->file);
		*c->file = NULL;
		return OK;
	case CALL_WRITE:
		return disk_write(*c->file, c->offset, c->data, c->len);
	case CALL_SYNC:
		return disk_sync(*c->file);
	case CALL_PREALLOCATE:
		return disk_preallocate(*c->file, c->offset);
	case CALL_TRUNCATE:
		return disk_truncate(*c->file, c->offset);
	case CALL_RENAME:
		return disk_rename(disk, c->path, c->to);
	case CALL_REMOVE:
		return disk_remove(disk, c->path);
	case CALL_SYNC_DIRECTORY:
		return disk_sync_directory(disk, c->path);
	}
	CHECK(false);
}

static enum job_progress plan_step(struct job *job)
{
	struct disk_plan *p = CONTAINER_OF(job, struct disk_plan, job);

	if (p->next < p->count && p->error == OK)
		p->error = call_run(p->disk, &p->calls[p->next++]);
	return p->next < p->count && p->error == OK ? JOB_MORE : JOB_DONE;
}

void disk_plan_init(struct disk_plan *p, struct disk *disk)
{
	memset(p, 0, sizeof(*p));
	p->disk = disk;
	p->job.step = plan_step;
	list_init(&p->job.link);
}

void disk_plan_clear(struct disk_plan *p)
{
	for (size_t i = 0; i < p->count; i++) {
		mem_free(p->calls[i].path);
		mem_free(p->calls[i].to);
	}
	p->count = 0;
	p->next = 0;
	p->error = OK;
}

void disk_plan_close(struct disk_plan *p)
{
	disk_plan_clear(p);
	mem_free(p->calls);
	p->calls = NULL;
	p->cap = 0;
}

int disk_plan_run(struct disk_plan *p)
{
	while (plan_step(&p->job) == JOB_MORE)
		;
	return p->error;
}

static char *path_copy(const char *path)
{
	size_t size = strlen(path) + 1;

	return memcpy(mem_alloc(size), path, size);
}

static struct disk_call *plan_add(struct disk_plan *p, enum call_kind kind)
{
	struct disk_call *c;

	MEM_GROW(p->calls, p->cap, p->count + 1);
	c = &p->calls[p->count++];
	*c = (struct disk_call){.kind = kind};
	return c;
}

void disk_plan_open(struct disk_plan *p, const char *path, unsigned flags, struct disk_file **file)
{
	struct disk_call *c = plan_add(p, CALL_OPEN);

	c->path = path_copy(path);
	c->flags = flags;
	c->file = file;
}

void disk_plan_close_file(struct disk_plan *p, struct disk_file **file)
{
	plan_add(p, CALL_CLOSE)->file = file;
}

void disk_plan_write(struct disk_plan *p, struct disk_file **file, uint64_t offset,
		     const void *data, size_t len)
{
	struct disk_call *c = plan_add(p, CALL_WRITE);

	c->file = file;
	c->offset = offset;
	c->data = data;
	c->len = len;
}

void disk_plan_sync(struct disk_plan *p, struct disk_file **file)
{
	plan_add(p, CALL_SYNC)->file = file;
}

void disk_plan_preallocate(struct disk_plan *p, struct disk_file **file, uint64_t size)
{
	struct disk_call *c = plan_add(p, CALL_PREALLOCATE);

	c->file = file;
	c->offset = size;
}

void disk_plan_truncate(struct disk_plan *p, struct disk_file **file, uint64_t size)
{
	struct disk_call *c = plan_add(p, CALL_TRUNCATE);

	c->file = file;
	c->offset = size;
}

void disk_plan_rename(struct disk_plan *p, const char *from, const char *to)
{
	struct disk_call *c = plan_add(p, CALL_RENAME);

	c->path = path_copy(from);
	c->to = path_copy(to);
}

void disk_plan_remove(struct disk_plan *p, const char *path)
{
	plan_add(p, CALL_REMOVE)->path = path_copy(path);
}

void disk_plan_sync_directory(struct disk_plan *p, const char *path)
{
	if (MUTANT(log_skip_directory_sync))
		return;
	plan_add(p, CALL_SYNC_DIRECTORY)->path = path_copy(path);
}
