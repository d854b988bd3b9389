/* The machine's own disk, where it does more than pass a call on. */

#include "storage/disk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static void write_file(struct disk *disk, const char *path)
{
	static const uint8_t block[DISK_BLOCK];
	struct disk_file *file;

	assert_int_equal(disk_open(disk, path, DISK_CREATE, &file), OK);
	assert_int_equal(disk_write(file, 0, block, sizeof(block)), OK);
	assert_int_equal(disk_sync(file), OK);
	disk_close(file);
}

static void what_files_take_is_counted_at_any_depth(void **state)
{
	struct disk disk = disk_posix();
	char dir[] = "/tmp/conclave-disk-XXXXXX";
	char path[3][64];
	uint64_t used;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path[0], sizeof(path[0]), "%s/a/b", dir);
	snprintf(path[1], sizeof(path[1]), "%s/a/b/one", dir);
	snprintf(path[2], sizeof(path[2]), "%s/two", dir);
	assert_int_equal(disk_make_directory(&disk, path[0]), OK);
	assert_int_equal(disk_used_space(&disk, dir, &used), OK);
	assert_int_equal(used, 0);
	write_file(&disk, path[1]);
	write_file(&disk, path[2]);
	assert_int_equal(disk_used_space(&disk, dir, &used), OK);
	assert_true(used >= 2 * (uint64_t)DISK_BLOCK && used < 64 * (uint64_t)DISK_BLOCK);
	assert_int_equal(disk_remove(&disk, path[1]), OK);
	assert_int_equal(disk_remove(&disk, path[2]), OK);
	assert_int_equal(rmdir(path[0]), 0);
	snprintf(path[0], sizeof(path[0]), "%s/a", dir);
	assert_int_equal(rmdir(path[0]), 0);
	assert_int_equal(rmdir(dir), 0);
	assert_int_not_equal(disk_used_space(&disk, dir, &used), OK);
}

static void a_small_file_is_replaced_as_a_whole(void **state)
{
	static const uint8_t large[DISK_BLOCK + 1];
	struct disk disk = disk_posix();
	char dir[] = "/tmp/conclave-disk-XXXXXX";
	char path[64];
	struct buf text = {0};

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(disk_read_small(&disk, dir, "NAME", &text), ERR_NOT_FOUND);
	/* What an earlier try has left is in nobody's way. */
	snprintf(path, sizeof(path), "%s/NAME.new", dir);
	write_file(&disk, path);
	assert_int_equal(disk_replace(&disk, dir, "NAME", SLICE_LITERAL("longer")), OK);
	assert_int_equal(disk_replace(&disk, dir, "NAME", SLICE_LITERAL("text")), OK);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(disk_read_small(&disk, dir, "NAME", &text), OK);
	assert_int_equal(text.len, 4);
	assert_memory_equal(text.data, "text", 4);
	assert_int_equal(disk_replace(&disk, dir, "NAME", slice_of(large, sizeof(large))), OK);
	assert_int_equal(disk_read_small(&disk, dir, "NAME", &text), ERR_TOO_LARGE);
	assert_int_equal(text.len, 4);
	buf_free(&text);
	snprintf(path, sizeof(path), "%s/NAME", dir);
	assert_int_equal(disk_remove(&disk, path), OK);
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_files_take_is_counted_at_any_depth),
		cmocka_unit_test(a_small_file_is_replaced_as_a_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
