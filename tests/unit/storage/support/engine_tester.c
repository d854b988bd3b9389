#include "engine_tester.h"

#include "storage/disk.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void engine_tester_remove(const char *dir)
{
	assert_int_equal(nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

struct engine_rocks_options engine_tester_options(const struct engine_tester *t)
{
	struct engine_rocks_options o = engine_rocks_defaults(t->dir);

	o.block_cache_bytes = 4 << 20;
	o.file_bytes = 256 << 10;
	return o;
}

static void tester_open(struct engine_tester *t)
{
	struct engine_rocks_options o = engine_tester_options(t);

	if (t->kind == ENGINE_MEMORY)
		t->engine = engine_memory_open(t->memory);
	else
		assert_int_equal(engine_rocks_open(&t->engine, &o), OK);
}

void engine_tester_init(struct engine_tester *t, enum engine_kind kind)
{
	*t = (struct engine_tester){.kind = kind};
	if (kind == ENGINE_MEMORY) {
		t->memory = engine_memory_new();
	} else {
		snprintf(t->dir, sizeof(t->dir), "/tmp/conclave-engine-XXXXXX");
		assert_non_null(mkdtemp(t->dir));
	}
	tester_open(t);
}

void engine_tester_close(struct engine_tester *t)
{
	engine_close(t->engine);
	engine_memory_free(t->memory);
	if (t->kind == ENGINE_ROCKS)
		engine_tester_remove(t->dir);
}

void engine_tester_reopen(struct engine_tester *t)
{
	engine_close(t->engine);
	t->engine = NULL;
	tester_open(t);
}

struct engine_file *engine_tester_begin(struct engine_tester *t, enum engine_family family)
{
	struct engine_file *f;

	assert_int_equal(engine_file_begin(t->engine, family, &f), OK);
	return f;
}

void engine_tester_put(struct engine_file *f, const char *key, const char *value)
{
	assert_int_equal(engine_file_put(f, slice_of_text(key), slice_of_text(value)), OK);
}

void engine_tester_ingest(struct engine_file *f)
{
	assert_int_equal(engine_file_finish(f), OK);
	assert_int_equal(engine_file_ingest(f), OK);
}

void engine_tester_set(struct engine_tester *t, enum engine_family family, const char *key,
		       const char *value)
{
	struct engine_file *f = engine_tester_begin(t, family);

	engine_tester_put(f, key, value);
	engine_tester_ingest(f);
}

void engine_tester_expect(struct engine_view *v, enum engine_family family, const char *key,
			  const char *value)
{
	struct buf found = {0};
	int rc = engine_view_get(v, family, slice_of_text(key), &found);

	assert_int_equal(rc, value ? OK : ERR_NOT_FOUND);
	if (value)
		assert_true(slice_equal(buf_slice(&found), slice_of_text(value)));
	buf_free(&found);
}

void engine_tester_expect_now(struct engine_tester *t, enum engine_family family, const char *key,
			      const char *value)
{
	struct engine_view *v = engine_view_open(t->engine);

	engine_tester_expect(v, family, key, value);
	engine_view_close(v);
}

void engine_tester_dump(struct engine_view *v, enum engine_family family, struct buf *out)
{
	struct engine_cursor *c = engine_cursor_open(v, family, (struct slice){0});

	for (engine_cursor_seek(c, (struct slice){0}); engine_cursor_valid(c);
	     engine_cursor_next(c)) {
		buf_append_slice(out, engine_cursor_key(c));
		buf_append_byte(out, '=');
		buf_append_slice(out, engine_cursor_value(c));
		buf_append_byte(out, ' ');
	}
	assert_int_equal(engine_cursor_error(c), OK);
	engine_cursor_close(c);
}

void engine_tester_expect_rows(struct engine_tester *t, enum engine_family family, const char *rows)
{
	struct engine_view *v = engine_view_open(t->engine);
	struct buf found = {0};

	engine_tester_dump(v, family, &found);
	buf_append_byte(&found, 0);
	assert_string_equal((const char *)found.data, rows);
	buf_free(&found);
	engine_view_close(v);
}

size_t engine_tester_count_files(const char *dir, const char *sub)
{
	struct disk disk = disk_posix();
	struct disk_names names = {0};
	char path[128];
	size_t count;

	snprintf(path, sizeof(path), "%s/%s", dir, sub);
	assert_int_equal(disk_list(&disk, path, &names), OK);
	count = names.count;
	disk_names_free(&names);
	return count;
}
