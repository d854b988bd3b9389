/*
 * What is read of files in which a byte is wrong: the truth or an error, however it is asked, and
 * never less than there was. Each block of each file is damaged in turn, and made whole again.
 */

#include "base/mem.h"
#include "base/random.h"
#include "storage/disk.h"
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

#define KEYS 400

/* A block has some twenty rows. */
#define VALUE_BYTES 180

/* Every block has a place that is damaged. */
#define DAMAGE_STEP 1500

struct world {
	struct engine_tester tester;
	enum engine_family family;
	struct random random;
	uint32_t values[KEYS]; /* the number of each key's value; 0: no row */
	bool ranged[KEYS];     /* a range went over it at some time */
	uint32_t next_value;
	char keys[KEYS][8];
	uint64_t errors; /* that were told */
};

static struct slice key_at(struct world *w, size_t i)
{
	return slice_of_text(w->keys[i]);
}

static void make_value(struct buf *out, uint32_t id)
{
	buf_clear(out);
	for (uint32_t i = 0; i < VALUE_BYTES; i++)
		buf_append_byte(out, (uint8_t)((id * 2654435761u) >> (i % 24)));
}

static bool is_value(struct slice found, uint32_t id)
{
	struct buf value = {0};
	bool equal;

	make_value(&value, id);
	equal = slice_equal(found, buf_slice(&value));
	buf_free(&value);
	return equal;
}

/* ---- the rows -------------------------------------------------------------------------------- */

static void delete_range(struct world *w, struct engine_file *f, size_t a, size_t b)
{
	assert_int_equal(engine_file_delete_range(f, key_at(w, a), key_at(w, b)), OK);
	for (size_t k = a; k < b; k++) {
		w->values[k] = 0;
		w->ranged[k] = true;
	}
}

/* A file of the keys from `from` to `to`, each of them with this chance, and of some ranges. */
static void add_file(struct world *w, size_t from, size_t to, uint32_t chance, unsigned ranges)
{
	struct engine_file *f = engine_tester_begin(&w->tester, w->family);
	struct buf value = {0};

	for (; ranges > 0; ranges--) {
		size_t a = random_between(&w->random, from, to - 1);

		delete_range(w, f, a, MIN(to - 1, a + random_below(&w->random, 40)));
	}
	for (size_t i = from; i < to; i++) {
		if (!random_chance(&w->random, chance))
			continue;
		if (random_chance(&w->random, 100000)) {
			assert_int_equal(engine_file_delete(f, key_at(w, i)), OK);
			w->values[i] = 0;
			continue;
		}
		w->values[i] = ++w->next_value;
		make_value(&value, w->values[i]);
		assert_int_equal(engine_file_put(f, key_at(w, i), buf_slice(&value)), OK);
	}
	buf_free(&value);
	engine_tester_ingest(f);
}

/*
 * Files side by side at the bottom, and above them some that overlap; with ranges or without. They
 * are too few to be merged.
 */
static void make_rows(struct world *w, bool ranges)
{
	for (size_t from = 0; from < KEYS; from += KEYS / 5)
		add_file(w, from, from + KEYS / 5, 900000, ranges);
	for (int i = 0; i < 3; i++) {
		size_t from = random_below(&w->random, KEYS / 2);

		add_file(w, from, from + KEYS / 4, 100000, ranges ? 2 : 0);
		add_file(w, from + KEYS / 4, from + KEYS / 2, 100000, ranges ? 2 : 0);
	}
}

/* ---- what is read ---------------------------------------------------------------------------- */

static void check_get(struct world *w, size_t i, int result, struct slice value)
{
	if (result == ERR_CORRUPT) {
		w->errors++;
		return;
	}
	assert_int_equal(result, w->values[i] ? OK : ERR_NOT_FOUND);
	if (result == OK)
		assert_true(is_value(value, w->values[i]));
}

static void check_gets(struct world *w, struct engine_view *v)
{
	struct engine_get *gets = mem_zalloc(KEYS, sizeof(*gets));

	for (size_t i = 0; i < KEYS; i++)
		gets[i] = (struct engine_get){.family = w->family, .key = key_at(w, i)};
	engine_view_get_many(v, gets, KEYS);
	for (size_t i = 0; i < KEYS; i++) {
		struct buf alone = {0};
		int rc = engine_view_get(v, w->family, gets[i].key, &alone);

		check_get(w, i, rc, buf_slice(&alone));
		check_get(w, i, gets[i].result, buf_slice(&gets[i].value));
		buf_free(&alone);
		buf_free(&gets[i].value);
	}
	mem_free(gets);
}

static int place_of(struct slice key)
{
	char text[8] = {0};

	assert_in_range(key.len, 1, sizeof(text) - 1);
	memcpy(text, key.data, key.len);
	return (int)strtoull(text + 1, NULL, 10);
}

/* The next place with a row, from `at` on; KEYS or -1: none. */
static int next_row(const struct world *w, int at, int step)
{
	while (at >= 0 && at < KEYS && w->values[at] == 0)
		at += step;
	return at;
}

/* Whether it stands at this place, which is in front of `end`, or has failed. */
static bool check_place(struct world *w, const struct engine_cursor *c, int at, int end)
{
	bool there = at >= 0 && at < end;

	if (engine_cursor_error(c) != OK) {
		assert_int_equal(engine_cursor_error(c), ERR_CORRUPT);
		assert_false(engine_cursor_valid(c));
		w->errors++;
		return false;
	}
	assert_int_equal(engine_cursor_valid(c), there);
	if (there) {
		assert_int_equal(place_of(engine_cursor_key(c)), at);
		assert_true(is_value(engine_cursor_value(c), w->values[at]));
	}
	return there;
}

static void move(struct engine_cursor *c, int step)
{
	if (step > 0)
		engine_cursor_next(c);
	else
		engine_cursor_prev(c);
}

/* A cursor that shows all goes on from rows that a range has deleted. */
static void pass_deleted(const struct world *w, struct engine_cursor *c, int step)
{
	for (;;) {
		int at = engine_cursor_valid(c) ? place_of(engine_cursor_key(c)) : -1;

		if (at < 0 || w->values[at] || !w->ranged[at])
			return;
		move(c, step);
	}
}

/* From a place on, or from before it, so many moves, and as many back. */
static void check_walk(struct world *w, struct engine_view *v, int end, int moves)
{
	struct slice limit = end < KEYS ? key_at(w, (size_t)end) : (struct slice){0};
	bool all = random_chance(&w->random, 500000);
	struct engine_cursor *c = all ? engine_cursor_open_all(v, w->family, limit)
				      : engine_cursor_open(v, w->family, limit);
	int from = (int)random_below(&w->random, KEYS);
	int step = random_chance(&w->random, 500000) ? 1 : -1;
	int at = next_row(w, step > 0 ? from : MIN(from, end) - 1, step);

	if (step > 0)
		engine_cursor_seek(c, key_at(w, (size_t)from));
	else
		engine_cursor_seek_before(c, key_at(w, (size_t)from));
	for (int i = 0;; i++) {
		if (all)
			pass_deleted(w, c, step);
		if (!check_place(w, c, at, end) || i == 2 * moves)
			break;
		if (i == moves)
			step = -step;
		move(c, step);
		at = next_row(w, at + step, step);
	}
	engine_cursor_close(c);
}

static void check_all(struct world *w)
{
	struct engine_view *v = engine_view_open(w->tester.engine);

	check_gets(w, v);
	for (int i = 0; i < 60; i++)
		check_walk(w, v, i % 2 ? KEYS : (int)random_below(&w->random, KEYS),
			   i % 3 ? KEYS : 10);
	engine_view_close(v);
}

/* ---- the damage ------------------------------------------------------------------------------ */

/* Nothing of what was read stays in memory but the ends of the files. */
static int open_engine(struct world *w)
{
	struct engine_rocks_options o = engine_tester_options(&w->tester);

	o.block_cache_bytes = 1;
	return engine_rocks_open(&w->tester.engine, &o);
}

static void close_engine(struct world *w)
{
	engine_close(w->tester.engine);
	w->tester.engine = NULL;
}

/* False: the file is not that long. */
static bool flip(const char *path, off_t at)
{
	int fd = open(path, O_RDWR);
	uint8_t byte;
	bool there;

	/* RocksDB has merged it: a row of its own that each start writes. */
	if (fd < 0)
		return false;
	there = pread(fd, &byte, 1, at) == 1;
	byte ^= 1;
	assert_true(!there || pwrite(fd, &byte, 1, at) == 1);
	close(fd);
	return there;
}

/* A byte in each block in turn. */
static void damage_each_place(struct world *w, void (*check)(struct world *))
{
	struct disk disk = disk_posix();
	struct disk_names names = {0};

	assert_int_equal(disk_list(&disk, w->tester.dir, &names), OK);
	for (size_t i = 0; i < names.count; i++) {
		char path[128];

		snprintf(path, sizeof(path), "%s/%s", w->tester.dir, names.names[i]);
		if (strstr(path, ".sst") == NULL)
			continue;
		for (off_t at = 100; flip(path, at); at += DAMAGE_STEP) {
			check(w);
			assert_true(flip(path, at));
		}
	}
	disk_names_free(&names);
	assert_int_not_equal(w->errors, 0);
}

static void copy_file(const char *from, const char *to)
{
	int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_EXCL, 0600);

	assert_true(in >= 0 && out >= 0);
	while (copy_file_range(in, NULL, out, NULL, 1 << 20, 0) > 0)
		;
	close(in);
	close(out);
}

/* Without the directories in it, which are made when they are missing. */
static void copy_dir(const char *from, const char *to)
{
	struct disk disk = disk_posix();
	struct disk_names names = {0};

	assert_int_equal(disk_make_directory(&disk, to), OK);
	assert_int_equal(disk_list(&disk, from, &names), OK);
	for (size_t i = 0; i < names.count; i++) {
		char path[128], copy[128];
		struct stat st;

		snprintf(path, sizeof(path), "%s/%s", from, names.names[i]);
		snprintf(copy, sizeof(copy), "%s/%s", to, names.names[i]);
		if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
			copy_file(path, copy);
	}
	disk_names_free(&names);
}

/* What is read when files are opened cannot be read then; in a copy, as an opening writes. */
static void check_opened(struct world *w)
{
	char dir[64];
	bool more;

	snprintf(dir, sizeof(dir), "%s", w->tester.dir);
	snprintf(w->tester.dir, sizeof(w->tester.dir), "%.*s.copy", 50, dir);
	copy_dir(dir, w->tester.dir);
	if (open_engine(w) == OK) {
		check_all(w);
		/* Files that are merged are not merged without the rows that cannot be read. */
		assert_int_equal(engine_tidy(w->tester.engine, false, &more), OK);
		check_all(w);
	}
	close_engine(w);
	engine_tester_remove(w->tester.dir);
	snprintf(w->tester.dir, sizeof(w->tester.dir), "%s", dir);
}

/* Opens an engine without rows, which are then made. */
static struct world *world_new(enum engine_family family)
{
	struct world *w = mem_zalloc(1, sizeof(*w));

	w->family = family;
	random_seed(&w->random, 1);
	for (size_t i = 0; i < KEYS; i++)
		snprintf(w->keys[i], sizeof(w->keys[i]), "k%03zu", i);
	engine_tester_init(&w->tester, ENGINE_ROCKS);
	close_engine(w);
	assert_int_equal(open_engine(w), OK);
	return w;
}

static void world_free(struct world *w)
{
	engine_tester_close(&w->tester);
	mem_free(w);
}

static void damage_hides_no_rows(void **state)
{
	struct world *w = world_new(FAMILY_STATE);

	(void)state;
	make_rows(w, false);
	damage_each_place(w, check_all);
	world_free(w);
}

static void damage_hides_no_rows_beside_ranges(void **state)
{
	struct world *w = world_new(FAMILY_STATE);

	(void)state;
	make_rows(w, true);
	damage_each_place(w, check_all);
	world_free(w);
}

/* The ends of files, which say where blocks and ranges are, are read when they are opened. */
static void damage_hides_no_rows_after_a_start(void **state)
{
	struct world *w = world_new(FAMILY_STATE);

	(void)state;
	add_file(w, 0, 30, 1000000, 0);
	add_file(w, 10, 30, 300000, 3);
	close_engine(w);
	damage_each_place(w, check_opened);
	world_free(w);
}

static void damage_is_not_merged_away(void **state)
{
	struct world *w = world_new(FAMILY_HISTORY);

	(void)state;
	for (size_t from = 0; from < KEYS; from += KEYS / 10)
		add_file(w, from, from + 5, 1000000, 0);
	close_engine(w);
	damage_each_place(w, check_opened);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(damage_hides_no_rows),
		cmocka_unit_test(damage_hides_no_rows_beside_ranges),
		cmocka_unit_test(damage_hides_no_rows_after_a_start),
		cmocka_unit_test(damage_is_not_merged_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
