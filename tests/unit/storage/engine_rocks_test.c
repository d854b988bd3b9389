/* What is RocksDB's alone: its directory, and what is found there at a start. */

#include "storage/disk.h"
#include "storage/engine_rocks_internal.h"
#include "support/engine_tester.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* The path of one of the engine's tables that are `bytes` long at least; false: there is none. */
static bool find_table(const struct engine_tester *t, off_t bytes, char *path, size_t size)
{
	struct disk disk = disk_posix();
	struct disk_names names = {0};
	bool found = false;

	assert_int_equal(disk_list(&disk, t->dir, &names), OK);
	for (size_t i = 0; i < names.count && !found; i++) {
		struct stat st;

		snprintf(path, size, "%s/%s", t->dir, names.names[i]);
		found = strstr(path, ".sst") && stat(path, &st) == 0 && st.st_size >= bytes;
	}
	disk_names_free(&names);
	return found;
}

/* An engine with one table of some 100 KiB in the state family. */
static void init_with_table(struct engine_tester *t, char *path, size_t size)
{
	struct engine_file *f;
	struct buf value = {0};

	engine_tester_init(t, ENGINE_ROCKS);
	f = engine_tester_begin(t, FAMILY_STATE);
	for (uint32_t i = 0; i < 1000; i++) {
		char key[16];
		size_t len = (size_t)snprintf(key, sizeof(key), "key%04u", i);

		buf_clear(&value);
		for (uint32_t k = 0; k < 100; k++)
			buf_append_byte(&value, (uint8_t)((i * 2654435761u) >> (k % 24)));
		assert_int_equal(engine_file_put(f, slice_of(key, len), buf_slice(&value)), OK);
	}
	engine_tester_ingest(f);
	buf_free(&value);
	assert_true(find_table(t, 20000, path, size));
}

static void leftovers_are_removed_and_never_written_to(void **state)
{
	struct engine_tester t;
	char table[128];
	char left[128];
	struct stat before;
	struct stat after;
	int fd;

	(void)state;
	init_with_table(&t, table, sizeof(table));
	engine_close(t.engine);
	t.engine = NULL;
	/* As after a crash between link and unlink: under the name that comes first anew. */
	snprintf(left, sizeof(left), "%s/incoming/%016x.sst", t.dir, 0);
	assert_int_equal(link(table, left), 0);
	snprintf(left, sizeof(left), "%s/incoming/%016x.sst", t.dir, 1);
	fd = open(left, O_WRONLY | O_CREAT, 0640);
	assert_int_equal(write(fd, "half", 4), 4);
	close(fd);
	assert_int_equal(stat(table, &before), 0);

	engine_tester_reopen(&t);
	assert_int_equal(engine_tester_count_files(t.dir, "incoming"), 0);
	for (int i = 0; i < 3; i++)
		engine_tester_set(&t, FAMILY_HISTORY, "a", "1");
	assert_int_equal(stat(table, &after), 0);
	assert_int_equal(after.st_size, before.st_size);
	assert_int_equal(after.st_nlink, 1);
	engine_tester_reopen(&t);
	engine_tester_expect_rows(&t, FAMILY_HISTORY, "a=1 ");
	engine_tester_close(&t);
}

static void files_move_and_leave_nothing_behind(void **state)
{
	struct engine_tester t;
	struct engine_file *f;

	(void)state;
	engine_tester_init(&t, ENGINE_ROCKS);
	f = engine_tester_begin(&t, FAMILY_STATE);
	assert_int_equal(engine_tester_count_files(t.dir, "incoming"), 1);
	engine_tester_put(f, "a", "1");
	engine_tester_ingest(f);
	assert_int_equal(engine_tester_count_files(t.dir, "incoming"), 0);
	f = engine_tester_begin(&t, FAMILY_STATE);
	engine_tester_put(f, "b", "1");
	engine_file_drop(f);
	engine_tester_ingest(engine_tester_begin(&t, FAMILY_STATE));
	assert_int_equal(engine_tester_count_files(t.dir, "incoming"), 0);
	engine_tester_close(&t);
}

/* Tables, logs, manifests, options: without the row at each start a log would be left by each. */
static void starts_do_not_pile_up_files(void **state)
{
	struct engine_tester t;
	size_t most = 0;

	(void)state;
	engine_tester_init(&t, ENGINE_ROCKS);
	engine_tester_set(&t, FAMILY_STATE, "a", "1");
	for (int i = 0; i < 50; i++) {
		engine_tester_reopen(&t);
		most = MAX(most, engine_tester_count_files(t.dir, "."));
	}
	assert_in_range(most, 1, 24);
	engine_tester_expect_rows(&t, FAMILY_STATE, "a=1 ");
	engine_tester_close(&t);
}

static void a_directory_has_one_user(void **state)
{
	struct engine_tester t;
	struct engine_rocks_options o;
	struct engine *second;
	struct engine_file *f;

	(void)state;
	engine_tester_init(&t, ENGINE_ROCKS);
	o = engine_tester_options(&t);
	f = engine_tester_begin(&t, FAMILY_STATE);
	engine_tester_put(f, "a", "1");
	assert_int_equal(engine_rocks_open(&second, &o), ERR_LOCKED);
	engine_tester_ingest(f); /* the second one did not take it for a leftover */
	engine_tester_expect_rows(&t, FAMILY_STATE, "a=1 ");
	engine_tester_close(&t);
}

static void a_missing_directory_is_made(void **state)
{
	struct engine_tester t;
	struct engine_rocks_options o;
	struct engine *e;
	char dir[128];

	(void)state;
	engine_tester_init(&t, ENGINE_ROCKS);
	snprintf(dir, sizeof(dir), "%s/below/deeper", t.dir);
	o = engine_rocks_defaults(dir);
	o.max_open_files = 100;
	assert_int_equal(engine_rocks_open(&e, &o), OK);
	engine_close(e);
	/* Where a directory cannot be: a file is in the way. */
	snprintf(dir, sizeof(dir), "%s/CURRENT/below", t.dir);
	assert_int_equal(engine_rocks_open(&e, &o), ERR_IO);
	engine_tester_close(&t);
}

static void lost_names_of_tables_are_not_an_empty_engine(void **state)
{
	struct engine_tester t;
	struct engine_rocks_options o;
	char table[128];
	char current[128];
	char away[128];

	(void)state;
	init_with_table(&t, table, sizeof(table));
	o = engine_tester_options(&t);
	engine_close(t.engine);
	t.engine = NULL;
	snprintf(current, sizeof(current), "%s/CURRENT", t.dir);
	snprintf(away, sizeof(away), "%s/incoming/CURRENT", t.dir);
	assert_int_equal(rename(current, away), 0);
	assert_int_equal(engine_rocks_open(&t.engine, &o), ERR_CORRUPT);
	assert_int_equal(access(table, F_OK), 0);
	assert_int_equal(rename(away, current), 0);
	engine_tester_reopen(&t);
	engine_close(t.engine);
	t.engine = NULL;
	/* A table is gone, and what was last to be taken in is not it. */
	snprintf(away, sizeof(away), "%s/incoming/taking.sst", t.dir);
	assert_int_equal(rename(table, away), 0);
	assert_int_equal(truncate(away, 5000), 0);
	assert_int_equal(engine_rocks_open(&t.engine, &o), ERR_CORRUPT);
	assert_int_equal(access(table, F_OK), -1);
	engine_tester_close(&t);
}

static void write_current(const struct engine_tester *t, const char *text)
{
	char current[128];
	FILE *f;

	snprintf(current, sizeof(current), "%s/CURRENT", t->dir);
	f = fopen(current, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void remove_manifests(const struct engine_tester *t)
{
	struct disk disk = disk_posix();
	struct disk_names names = {0};
	char path[256];
	int removed = 0;

	assert_int_equal(disk_list(&disk, t->dir, &names), OK);
	for (size_t i = 0; i < names.count; i++) {
		if (strncmp(names.names[i], "MANIFEST-", 9) != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", t->dir, names.names[i]);
		assert_int_equal(disk_remove(&disk, path), OK);
		removed++;
	}
	disk_names_free(&names);
	assert_true(removed > 0);
}

/* The power went off between CURRENT's new name and the sync of the directory. */
static void a_manifest_that_was_lost_with_its_name_is_made_up_for(void **state)
{
	struct engine_tester t;
	struct engine_rocks_options o;

	(void)state;
	engine_tester_init(&t, ENGINE_ROCKS);
	engine_tester_set(&t, FAMILY_STATE, "a", "1");
	for (int i = 0; i < 3; i++) {
		engine_close(t.engine);
		t.engine = NULL;
		write_current(&t, "MANIFEST-000999\n");
		engine_tester_reopen(&t);
		engine_tester_expect_rows(&t, FAMILY_STATE, "a=1 ");
		engine_tester_set(&t, FAMILY_STATE, "a", "1");
	}
	o = engine_tester_options(&t);
	engine_close(t.engine);
	t.engine = NULL;
	remove_manifests(&t);
	assert_int_equal(engine_rocks_open(&t.engine, &o), ERR_IO);
	engine_tester_close(&t);
}

/* While the engine is closed. */
static void damage_first_block(struct engine_tester *t, const char *table)
{
	int fd;

	engine_close(t->engine);
	t->engine = NULL;
	fd = open(table, O_WRONLY);
	assert_int_equal(pwrite(fd, "!?!?", 4, 100), 4);
	close(fd);
	engine_tester_reopen(t);
}

static void damage_is_seen_by_who_reads_it(void **state)
{
	struct engine_get get = {.family = FAMILY_STATE, .key = SLICE_LITERAL("key0000")};
	struct engine_tester t;
	struct engine_cursor *c;
	struct engine_view *v;
	struct buf out = {0};
	char table[128];

	(void)state;
	init_with_table(&t, table, sizeof(table));
	damage_first_block(&t, table);
	v = engine_view_open(t.engine);
	assert_int_equal(engine_view_get(v, FAMILY_STATE, get.key, &out), ERR_CORRUPT);
	assert_int_equal(out.len, 0);
	engine_view_get_many(v, &get, 1);
	assert_int_equal(get.result, ERR_CORRUPT);
	c = engine_cursor_open(v, FAMILY_STATE, (struct slice){0});
	engine_cursor_seek(c, get.key);
	assert_false(engine_cursor_valid(c));
	assert_int_equal(engine_cursor_error(c), ERR_CORRUPT);
	/* Elsewhere nothing is wrong, and the cursor can be used again. */
	engine_cursor_seek(c, SLICE_LITERAL("key0900"));
	assert_true(engine_cursor_valid(c));
	assert_int_equal(engine_cursor_error(c), OK);
	assert_int_equal(engine_view_get(v, FAMILY_STATE, SLICE_LITERAL("key0900"), &out), OK);
	engine_cursor_close(c);
	engine_view_close(v);
	buf_free(&out);
	engine_tester_close(&t);
}

/* The first lies at the bottom; those above it are too few to be merged. */
static void the_load_tells_of_files_that_overlap(void **state)
{
	struct engine_tester t;
	struct engine_load load;

	(void)state;
	engine_tester_init(&t, ENGINE_ROCKS);
	for (int i = 0; i < 3; i++)
		engine_tester_set(&t, FAMILY_STATE, "a", "1");
	engine_tester_set(&t, FAMILY_HISTORY, "a", "1");
	engine_load(t.engine, &load);
	assert_int_equal(load.level0_files, 2);
	assert_in_range(load.live_bytes, 4 * 500, 4 * 5000);
	engine_tester_close(&t);
}

static uint64_t rocks_property(struct engine *e, const char *name)
{
	struct rocks *r = rocks_of(e);
	uint64_t value = 0;

	assert_int_equal(rocksdb_property_int_cf(r->db, r->families[FAMILY_STATE], name, &value),
			 0);
	return value;
}

/* The put of a start is one: it would wait until enough of these files are merged. */
static void no_put_waits_for_merging(void **state)
{
	static const char *const trigger[] = {"level0_file_num_compaction_trigger"};
	static const char *const never[] = {"1000000"};
	struct engine_tester t;
	struct engine_load load;
	struct rocks *r;
	char *text = NULL;

	(void)state;
	engine_tester_init(&t, ENGINE_ROCKS);
	r = rocks_of(t.engine);
	rocksdb_set_options_cf(r->db, r->families[FAMILY_STATE], 1, trigger, never, &text);
	assert_null(text);
	for (int i = 0; i < 50; i++)
		engine_tester_set(&t, FAMILY_STATE, "a", "1");
	engine_load(t.engine, &load);
	assert_int_equal(load.level0_files, 49);
	assert_int_equal(rocks_property(t.engine, "rocksdb.is-write-stopped"), 0);
	assert_int_equal(rocks_property(t.engine, "rocksdb.actual-delayed-write-rate"), 0);
	engine_tester_close(&t);
}

/* A table that begins with an empty key, past the engine, which takes none in. */
static void take_in_unbounded(struct rocks *r, struct buf *path)
{
	rocksdb_sstfilewriter_t *writer =
		rocksdb_sstfilewriter_create(r->env, r->options[FAMILY_STATE]);
	const char *file;
	char *text = NULL;

	rocks_path(path, rocks_path_text(&r->incoming), "unbounded.sst");
	file = rocks_path_text(path);
	rocksdb_sstfilewriter_open(writer, file, &text);
	assert_null(text);
	rocksdb_sstfilewriter_put(writer, "", 0, "nothing", 7, &text);
	assert_null(text);
	rocksdb_sstfilewriter_finish(writer, &text);
	assert_null(text);
	rocksdb_sstfilewriter_destroy(writer);
	rocksdb_ingest_external_file_cf(r->db, r->families[FAMILY_STATE], &file, 1,
					r->ingest[FAMILY_STATE], &text);
	assert_null(text);
}

/* Of a process that ended between taking a file in and finding out that its rows were not read. */
static void a_table_without_its_rows_is_let_go_at_the_start(void **state)
{
	struct engine_tester t;
	struct buf path = {0};

	(void)state;
	engine_tester_init(&t, ENGINE_ROCKS);
	engine_tester_set(&t, FAMILY_STATE, "a", "1");
	engine_tester_set(&t, FAMILY_HISTORY, "b", "2");
	take_in_unbounded(rocks_of(t.engine), &path);
	engine_tester_expect_rows(&t, FAMILY_STATE, "=nothing a=1 ");
	engine_tester_reopen(&t);
	engine_tester_expect_rows(&t, FAMILY_STATE, "a=1 ");
	engine_tester_expect_rows(&t, FAMILY_HISTORY, "b=2 ");
	engine_tester_set(&t, FAMILY_STATE, "c", "3");
	engine_tester_expect_rows(&t, FAMILY_STATE, "a=1 c=3 ");
	engine_tester_close(&t);
	buf_free(&path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leftovers_are_removed_and_never_written_to),
		cmocka_unit_test(files_move_and_leave_nothing_behind),
		cmocka_unit_test(starts_do_not_pile_up_files),
		cmocka_unit_test(a_directory_has_one_user),
		cmocka_unit_test(a_missing_directory_is_made),
		cmocka_unit_test(lost_names_of_tables_are_not_an_empty_engine),
		cmocka_unit_test(a_manifest_that_was_lost_with_its_name_is_made_up_for),
		cmocka_unit_test(damage_is_seen_by_who_reads_it),
		cmocka_unit_test(the_load_tells_of_files_that_overlap),
		cmocka_unit_test(no_put_waits_for_merging),
		cmocka_unit_test(a_table_without_its_rows_is_let_go_at_the_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
