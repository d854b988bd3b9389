#include "base/mem.h"
#include "support/sim_disk_internal.h"

#include <string.h>

char *sim_text_copy(const char *text)
{
	size_t size = strlen(text) + 1;

	return memcpy(mem_alloc(size), text, size);
}

struct sim_name *sim_name_find(const struct sim_names *names, const char *path)
{
	for (size_t i = 0; i < names->count; i++) {
		if (strcmp(names->items[i].path, path) == 0)
			return &names->items[i];
	}
	return NULL;
}

static void name_add(struct sim_names *names, const char *path, struct sim_inode *inode)
{
	MEM_GROW(names->items, names->cap, names->count + 1);
	names->items[names->count++] =
		(struct sim_name){sim_text_copy(path), sim_inode_hold(inode)};
}

void sim_name_remove(struct sim_names *names, const char *path)
{
	struct sim_name *n = sim_name_find(names, path);

	if (!n)
		return;
	sim_inode_release(n->inode);
	mem_free(n->path);
	*n = names->items[--names->count];
}

void sim_names_clear(struct sim_names *names)
{
	while (names->count > 0)
		sim_name_remove(names, names->items[names->count - 1].path);
}

void sim_names_copy(struct sim_names *to, const struct sim_names *from)
{
	sim_names_clear(to);
	for (size_t i = 0; i < from->count; i++)
		name_add(to, from->items[i].path, from->items[i].inode);
}

void sim_change_apply(struct sim_names *names, const struct sim_change *c)
{
	switch (c->kind) {
	case CHANGE_CREATE:
		sim_name_remove(names, c->path);
		name_add(names, c->path, c->inode);
		break;
	case CHANGE_RENAME:
		sim_name_remove(names, c->path);
		sim_name_remove(names, c->to);
		name_add(names, c->to, c->inode);
		break;
	case CHANGE_REMOVE:
		sim_name_remove(names, c->path);
		break;
	}
}

void sim_change_free(struct sim_change *c)
{
	mem_free(c->path);
	mem_free(c->to);
	sim_inode_release(c->inode);
}

void sim_change_add(struct sim_disk *d, enum change_kind kind, const char *path, const char *to,
		    struct sim_inode *inode)
{
	struct sim_change c = {.kind = kind, .inode = sim_inode_hold(inode)};

	c.path = sim_text_copy(path);
	c.to = to ? sim_text_copy(to) : NULL;
	sim_change_apply(&d->current, &c);
	MEM_GROW(d->changes, d->change_cap, d->change_count + 1);
	d->changes[d->change_count++] = c;
}
