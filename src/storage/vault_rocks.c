#include "storage/vault_rocks.h"

#include "base/bytes.h"
#include "base/check.h"
#include "base/error.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

#define POINTER_NAME "ENGINE"

struct vault_rocks {
	struct vault vault;
	struct disk *disk;
	char *dir;
	struct engine_rocks_options options;
	uint64_t number; /* of the living engine */
	struct engine *living;
	struct engine *fresh; /* engine-<number + 1> */
	struct engine *old;   /* engine-<number - 1> */
};

static struct vault_rocks *rocks_of(struct vault *v)
{
	return CONTAINER_OF(v, struct vault_rocks, vault);
}

static const char *engine_path(const struct vault_rocks *v, uint64_t number, struct buf *out)
{
	buf_clear(out);
	buf_printf(out, "%s/engine-%llu%c", v->dir, (unsigned long long)number, '\0');
	return (const char *)out->data;
}

/* 1 to 19 digits and nothing else behind "engine-"; 0: it is no such name. */
static uint64_t number_in(const char *name, size_t len)
{
	static const char prefix[] = "engine-";
	uint64_t number = 0;

	if (len <= sizeof(prefix) - 1 || len > sizeof(prefix) - 1 + 18 ||
	    memcmp(name, prefix, sizeof(prefix) - 1) != 0)
		return 0;
	for (size_t i = sizeof(prefix) - 1; i < len; i++) {
		if (name[i] < '0' || name[i] > '9')
			return 0;
		number = number * 10 + (uint64_t)(name[i] - '0');
	}
	return number;
}

/* Which engine lives: 0 when none was ever made. */
static int pointer_read(struct vault_rocks *v)
{
	struct buf text = {0};
	int rc = disk_read_small(v->disk, v->dir, POINTER_NAME, &text);

	if (rc == ERR_NOT_FOUND)
		return OK;
	if (rc == OK && text.len >= 2 && text.data[text.len - 1] == '\n')
		v->number = number_in((const char *)text.data, text.len - 1);
	buf_free(&text);
	if (rc == ERR_TOO_LARGE || (rc == OK && !v->number)) {
		LOG(v->options.logger, LOG_ERROR, "%s/" POINTER_NAME " names no engine", v->dir);
		return ERR_CORRUPT;
	}
	return rc;
}

/* A new file beside the old, renamed over it: one of the two is there at any time. */
static int pointer_write(struct vault_rocks *v, uint64_t number)
{
	struct buf text = {0};
	int rc;

	buf_printf(&text, "engine-%llu\n", (unsigned long long)number);
	rc = disk_replace(v->disk, v->dir, POINTER_NAME, buf_slice(&text));
	buf_free(&text);
	return rc;
}

static int open_number(struct vault_rocks *v, uint64_t number, struct engine **out)
{
	struct buf path = {0};
	int rc;

	v->options.dir = engine_path(v, number, &path);
	rc = engine_rocks_open(out, &v->options);
	v->options.dir = NULL;
	buf_free(&path);
	return rc;
}

static int remove_number(struct vault_rocks *v, uint64_t number)
{
	struct buf path = {0};
	int rc = engine_rocks_destroy(engine_path(v, number, &path));

	buf_free(&path);
	return rc;
}

static int rocks_begin(struct vault *vault, struct engine **fresh)
{
	struct vault_rocks *v = rocks_of(vault);
	int rc;

	CHECK(!v->fresh);
	rc = remove_number(v, v->number + 1);
	if (rc == OK)
		rc = open_number(v, v->number + 1, &v->fresh);
	if (rc == OK)
		*fresh = v->fresh;
	return rc;
}

static int rocks_adopt(struct vault *vault, struct engine *fresh)
{
	struct vault_rocks *v = rocks_of(vault);
	int rc;

	CHECK(fresh == v->fresh && !v->old);
	rc = pointer_write(v, v->number + 1);
	if (rc != OK)
		return rc;
	v->number++;
	v->old = v->living;
	v->living = v->fresh;
	v->fresh = NULL;
	return OK;
}

static void rocks_discard(struct vault *vault, struct engine *e)
{
	struct vault_rocks *v = rocks_of(vault);
	bool is_old = e == v->old;
	int rc;

	CHECK(is_old || e == v->fresh);
	engine_close(e);
	/* What cannot be removed now is removed by the next start. */
	rc = remove_number(v, is_old ? v->number - 1 : v->number + 1);
	if (rc != OK)
		LOG(v->options.logger, LOG_WARNING,
		    "an engine that lives no more is left behind: %s", error_text(rc));
	if (is_old)
		v->old = NULL;
	else
		v->fresh = NULL;
}

static const struct vault_ops rocks_ops = {
	.begin = rocks_begin,
	.adopt = rocks_adopt,
	.discard = rocks_discard,
};

/*
 * Engines that were being built, or lived before, when an earlier process ended. The name of the
 * living one is written before the first is made: where there are engines and no name, it was lost.
 */
static int remove_others(struct vault_rocks *v)
{
	struct disk_names names = {0};
	int rc = disk_list(v->disk, v->dir, &names);

	for (size_t i = 0; rc == OK && i < names.count; i++) {
		uint64_t number = number_in(names.names[i], strlen(names.names[i]));

		if (number && !v->number)
			rc = ERR_CORRUPT;
		else if (number && number != v->number)
			rc = remove_number(v, number);
	}
	disk_names_free(&names);
	return rc;
}

/*
 * A start that was killed between rename and sync may be the one that reads the name now; it counts
 * from here on, so it has to be durable.
 */
static int rocks_start(struct vault_rocks *v)
{
	int rc = disk_make_directory(v->disk, v->dir);

	if (rc == OK)
		rc = pointer_read(v);
	if (rc == OK)
		rc = remove_others(v);
	if (rc == OK && v->number)
		rc = disk_sync_directory(v->disk, v->dir);
	else if (rc == OK)
		rc = pointer_write(v, 1);
	if (rc != OK)
		return rc;
	v->number = MAX(v->number, (uint64_t)1);
	return open_number(v, v->number, &v->living);
}

int vault_rocks_open(struct vault_rocks **out, struct disk *disk, const char *dir,
		     const struct engine_rocks_options *options)
{
	struct vault_rocks *v = MEM_NEW(struct vault_rocks);
	int rc;

	v->vault.ops = &rocks_ops;
	v->disk = disk;
	v->dir = mem_alloc(strlen(dir) + 1);
	memcpy(v->dir, dir, strlen(dir) + 1);
	v->options = *options;
	rc = rocks_start(v);
	if (rc != OK) {
		vault_rocks_close(v);
		return rc;
	}
	*out = v;
	return OK;
}

void vault_rocks_close(struct vault_rocks *v)
{
	if (!v)
		return;
	engine_close(v->fresh);
	engine_close(v->old);
	engine_close(v->living);
	mem_free(v->dir);
	mem_free(v);
}

struct vault *vault_rocks_vault(struct vault_rocks *v)
{
	return &v->vault;
}

struct engine *vault_rocks_engine(struct vault_rocks *v)
{
	return v->living;
}
