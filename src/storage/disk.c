#include "storage/disk.h"

#include "base/mem.h"

#include <string.h>

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
