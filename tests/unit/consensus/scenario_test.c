/*
 * Runs every tests/data/raft/ *.txt, each a story about one cluster. A file is a list of steps with
 * blank lines between them and comments (#) before them:
 *
 *	campaign 1                one or more commands
 *	settle
 *	----
 *	  1: candidate ...        what came of them, up to the next blank line
 *
 * Commands (support/scenario_commands.c has the table):
 *
 *	cluster N [setting ...]   nodes 1 to N, born and started; `unborn N`: not born; `nodes N`:
 *	                          not started, so that `given` can say what their disks hold
 *	given N term T [vote V] [base I of T] [log T text ...], start N ... | all, join N
 *	crash N ..., restart N ..., damage N INDEX
 *	tick N|all MS             time passes for a node and it notices; `pause N MS`, `time MS`:
 *	                          it does not notice before the next event
 *	campaign N, beat N        as much time as it takes to its next deadline, or heartbeat
 *	elect N                   campaign, settle, beat, settle; not shown
 *	run MS                    all at once: time, messages, disks
 *	deliver [FROM>TO] [type]  what is on its way now arrives; either side may be left out
 *	drop, hold, duplicate     the same selection is lost, put aside, or sent twice (the copy is
 *	                          put aside); `release` brings back what was put aside
 *	settle                    everything arrives until nothing is on its way
 *	cut FROM>TO ..., isolate N ..., heal
 *	propose N [for WAITER] text ..., read N REQUEST [times COUNT], change N kind ID ...,
 *	transfer N [TO], gone N PEER, resting N PEER, born N ...
 *	disk N hold|go, persist N, loads N hold|go, load N [fail]
 *	snapshot N, compact N INDEX, install N [begin|fail]
 *	send FROM>TO type [field=value ...] [entries T text ...]
 *	status, log, members [N], peers N, network, trace all|roles|nothing
 *
 * With REWRITE=1 in the environment the files are written anew with what comes out: read the
 * difference, it is the review.
 */

#include "support/scenario_commands.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FILES_MAX 256

static const char folder[] = TEST_DATA_DIR "/raft";

/* Takes the first line off `rest`, without its end. */
static struct slice take_line(struct slice *rest)
{
	const uint8_t *end = rest->len ? memchr(rest->data, '\n', rest->len) : NULL;
	struct slice line = {rest->data, end ? (size_t)(end - rest->data) : rest->len};
	size_t taken = line.len + (end ? 1 : 0);

	*rest = slice_of(rest->data + taken, rest->len - taken);
	return line;
}

static void keep_line(struct buf *copy, struct slice line)
{
	buf_append_slice(copy, line);
	buf_append_byte(copy, '\n');
}

/* Runs the commands up to the rule; false when the file ends before there is one. */
static bool run_step(struct scenario *s, struct slice *rest, struct buf *copy)
{
	while (rest->len > 0) {
		struct slice line = take_line(rest);

		keep_line(copy, line);
		if (slice_equal(line, SLICE_LITERAL("----")))
			return true;
		if (line.len > 0 && line.data[0] != '#')
			scenario_line(s, line);
	}
	return false;
}

static struct slice take_expected(struct slice *rest)
{
	struct slice expected = {rest->data, 0};

	while (rest->len > 0 && rest->data[0] != '\n') {
		take_line(rest);
		expected.len = (size_t)(rest->data - expected.data);
	}
	return expected;
}

static void read_file(const char *path, struct buf *b)
{
	FILE *f = fopen(path, "r");
	size_t n;

	assert_non_null(f);
	while ((n = fread(buf_reserve(b, 4096), 1, 4096, f)) > 0)
		buf_commit(b, n);
	fclose(f);
}

static void write_file(const char *path, struct slice bytes)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes.data, 1, bytes.len, f), bytes.len);
	assert_int_equal(fclose(f), 0);
}

static void the_story_goes_as_its_file_says(void **state)
{
	const char *path = *state;
	bool rewrite = getenv("REWRITE") != NULL, wrong = false;
	struct buf file = {0}, copy = {0};
	struct slice rest;
	struct scenario s;

	read_file(path, &file);
	rest = buf_slice(&file);
	scenario_init(&s);
	while (!wrong && run_step(&s, &rest, &copy)) {
		struct buf *out = &s.world->out;
		struct slice expected = take_expected(&rest);

		if (out->len == 0)
			buf_append(out, "ok\n", 3);
		buf_append_slice(&copy, buf_slice(out));
		wrong = !rewrite && !slice_equal(buf_slice(out), expected);
		if (wrong)
			print_error("%.*s^ this step gives\n%.*s", (int)expected.len,
				    (const char *)expected.data, (int)out->len,
				    (const char *)out->data);
		buf_clear(out);
	}
	if (rewrite)
		write_file(path, buf_slice(&copy));
	if (s.world->broken.len)
		print_error("%s\n", (const char *)s.world->broken.data);
	wrong = wrong || s.world->broken.len;
	scenario_close(&s);
	buf_free(&file);
	buf_free(&copy);
	assert_false(wrong);
}

static int is_story(const struct dirent *e)
{
	const char *dot = strrchr(e->d_name, '.');

	return dot && strcmp(dot, ".txt") == 0;
}

/* One test for each file, under the file's name. Arguments: the files to run, else all. */
int main(int argc, char **argv)
{
	static struct CMUnitTest tests[FILES_MAX];
	static char paths[FILES_MAX][512];
	struct dirent **files;
	int found = scandir(folder, &files, is_story, alphasort), failed;
	size_t count = 0;

	for (int i = 0; i < found && i < FILES_MAX; i++) {
		bool wanted = argc < 2;

		for (int a = 1; a < argc; a++)
			wanted |= strcmp(argv[a], files[i]->d_name) == 0;
		if (!wanted)
			continue;
		snprintf(paths[count], sizeof(paths[count]), "%s/%s", folder, files[i]->d_name);
		tests[count] = (struct CMUnitTest){
			.name = strrchr(paths[count], '/') + 1,
			.test_func = the_story_goes_as_its_file_says,
			.initial_state = paths[count],
		};
		count++;
	}
	failed = count ? _cmocka_run_group_tests("stories", tests, count, NULL, NULL) : 1;
	for (int i = 0; i < found; i++)
		free(files[i]);
	if (found >= 0)
		free(files);
	return failed;
}
