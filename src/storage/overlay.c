#include "storage/overlay.h"

#include "base/check.h"
#include "base/mem.h"

struct overlay *overlay_new(void)
{
	struct overlay *o = MEM_NEW(struct overlay);

	for (int family = 0; family < FAMILY_COUNT; family++)
		tree_init(&o->trees[family], &o->arena);
	o->holders = 1;
	return o;
}

struct overlay *overlay_hold(struct overlay *o)
{
	CHECK(o->holders > 0);
	o->holders++;
	return o;
}

void overlay_release(struct overlay *o)
{
	if (!o)
		return;
	CHECK(o->holders > 0);
	if (--o->holders > 0)
		return;
	arena_free(&o->arena);
	mem_free(o);
}

size_t overlay_bytes(const struct overlay *o)
{
	return o->arena.bytes;
}
