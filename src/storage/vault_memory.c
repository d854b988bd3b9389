#include "storage/vault_memory.h"

#include "base/check.h"
#include "base/error.h"

static struct vault_memory *memory_of(struct vault *v)
{
	return CONTAINER_OF(v, struct vault_memory, vault);
}

static int memory_begin(struct vault *vault, struct engine **fresh)
{
	struct vault_memory *v = memory_of(vault);

	CHECK(!v->fresh_engine);
	engine_memory_free(v->fresh);
	v->fresh = engine_memory_new();
	v->fresh_engine = engine_memory_open(v->fresh);
	*fresh = v->fresh_engine;
	return OK;
}

static int memory_adopt(struct vault *vault, struct engine *fresh)
{
	struct vault_memory *v = memory_of(vault);
	int rc = v->fail_adopt;

	CHECK(fresh == v->fresh_engine && !v->old);
	v->fail_adopt = OK;
	if (rc != OK)
		return rc;
	v->old = v->living;
	v->old_engine = v->living_engine;
	v->living = v->fresh;
	v->living_engine = v->fresh_engine;
	v->fresh = NULL;
	v->fresh_engine = NULL;
	return OK;
}

static void memory_discard(struct vault *vault, struct engine *e)
{
	struct vault_memory *v = memory_of(vault);
	bool is_old = e == v->old_engine;

	CHECK(is_old || e == v->fresh_engine);
	engine_close(e);
	engine_memory_free(is_old ? v->old : v->fresh);
	if (is_old) {
		v->old_engine = NULL;
		v->old = NULL;
	} else {
		v->fresh_engine = NULL;
		v->fresh = NULL;
	}
}

static const struct vault_ops memory_ops = {
	.begin = memory_begin,
	.adopt = memory_adopt,
	.discard = memory_discard,
};

void vault_memory_init(struct vault_memory *v)
{
	*v = (struct vault_memory){.vault = {&memory_ops}, .living = engine_memory_new()};
}

struct engine *vault_memory_open(struct vault_memory *v)
{
	CHECK(!v->living_engine);
	v->living_engine = engine_memory_open(v->living);
	return v->living_engine;
}

void vault_memory_kill(struct vault_memory *v)
{
	engine_close(v->living_engine);
	engine_close(v->fresh_engine);
	engine_close(v->old_engine);
	v->living_engine = NULL;
	v->fresh_engine = NULL;
	v->old_engine = NULL;
	engine_memory_free(v->fresh);
	engine_memory_free(v->old);
	v->fresh = NULL;
	v->old = NULL;
}

void vault_memory_free(struct vault_memory *v)
{
	vault_memory_kill(v);
	engine_memory_free(v->living);
	v->living = NULL;
}
