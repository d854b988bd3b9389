/*
 * The same commands on RocksDB and on the engine in memory: the same replies, and in the end the
 * same rows. What the simulator proves, it proves on the latter.
 */

#include "base/error.h"
#include "base/mem.h"
#include "node/member_state.h"

#include "storage/engine_rocks.h"
#include "support/keys.h"
#include "support/solo.h"

#include <ctype.h>
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OVERLAY_BYTES 4096

/* Each finds the keys that the one before left. */
#define ROUNDS 3

struct pair {
	char dir[64];
	struct solo memory;
	struct solo rocks;
};

static void pair_start(struct pair *p, size_t overlay_bytes)
{
	p->memory.options.overlay_bytes = overlay_bytes;
	p->rocks.options.overlay_bytes = overlay_bytes;
	assert_int_equal(solo_start(&p->memory), OK);
	assert_int_equal(solo_start(&p->rocks), OK);
}

static void pair_init(struct pair *p)
{
	*p = (struct pair){.dir = "/tmp/conclave-engines-XXXXXX"};
	assert_non_null(mkdtemp(p->dir));
	solo_init(&p->memory);
	solo_init(&p->rocks);
	p->rocks.rocks_dir = p->dir;
	pair_start(p, OVERLAY_BYTES);
}

static void pair_close(struct pair *p)
{
	solo_close(&p->memory);
	solo_close(&p->rocks);
	assert_int_equal(engine_rocks_destroy(p->dir), OK);
}

/* Both die and start again, with nothing in memory. */
static void pair_restart(struct pair *p, size_t overlay_bytes)
{
	solo_stop(&p->memory, true);
	solo_stop(&p->rocks, true);
	pair_start(p, overlay_bytes);
}

static void pair_say(struct pair *p, const char *line)
{
	const char *of_memory = solo_say(&p->memory, line);
	const char *of_rocks = solo_say(&p->rocks, line);

	if (strcmp(of_memory, of_rocks) != 0)
		print_error("after %s\n", line);
	assert_string_equal(of_memory, of_rocks);
}

/* The command of a line; NULL: none, or one that ends the session. */
static const char *command_of(char *line)
{
	char *end;

	line[strcspn(line, "\n")] = '\0';
	if (line[0] == '#' || line[0] == '\0')
		return NULL;
	if (line[0] == '+' && line[1] == ' ')
		line += 2;
	(void)strtoul(line, &end, 10);
	if (end != line && end[0] == '>' && end[1] == ' ')
		line = end + 2;
	return strncmp(line, "QUIT", 4) == 0 ? NULL : line;
}

static void say_file(struct pair *p, const char *name)
{
	char path[512], line[8192];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", TEST_COMMANDS_DIR, name);
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		const char *command = command_of(line);

		if (command)
			pair_say(p, command);
	}
	fclose(f);
	pair_say(p, "RESET");
}

static int is_commands(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 4 && strcmp(entry->d_name + len - 4, ".txt") == 0;
}

static void assert_rows_equal(struct pair *p, enum engine_family family, size_t at_least)
{
	struct slice none = {0};
	struct engine_view *views[] = {engine_view_open(p->memory.engine),
				       engine_view_open(p->rocks.engine)};
	struct engine_cursor *a = engine_cursor_open(views[0], family, none);
	struct engine_cursor *b = engine_cursor_open(views[1], family, none);
	size_t rows = 0;

	engine_cursor_seek(a, none);
	engine_cursor_seek(b, none);
	for (; engine_cursor_valid(a) && engine_cursor_valid(b); rows++) {
		assert_true(slice_equal(engine_cursor_key(a), engine_cursor_key(b)));
		assert_true(slice_equal(engine_cursor_value(a), engine_cursor_value(b)));
		engine_cursor_next(a);
		engine_cursor_next(b);
	}
	assert_false(engine_cursor_valid(a));
	assert_false(engine_cursor_valid(b));
	assert_int_equal(engine_cursor_error(b), OK);
	assert_in_range(rows, at_least, SIZE_MAX);
	engine_cursor_close(a);
	engine_cursor_close(b);
	engine_view_close(views[0]);
	engine_view_close(views[1]);
}

static void the_same_commands_leave_the_same_rows(void **state)
{
	struct dirent **files;
	struct pair p;
	int count;

	(void)state;
	pair_init(&p);
	count = scandir(TEST_COMMANDS_DIR, &files, is_commands, alphasort);
	assert_true(count > 5);
	for (int i = 0; i < ROUNDS * count; i++) {
		say_file(&p, files[i % count]->d_name);
		if (i % 3 == 0)
			pair_restart(&p, OVERLAY_BYTES);
	}
	for (int i = 0; i < count; i++)
		free(files[i]);
	free(files);
	pair_restart(&p, 1); /* whatever is applied is stored */
	keys_store(&p.memory);
	keys_store(&p.rocks);
	assert_rows_equal(&p, FAMILY_HISTORY, 500);
	assert_rows_equal(&p, FAMILY_STATE, 50);
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_commands_leave_the_same_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
