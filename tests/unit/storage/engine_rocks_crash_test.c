/*
 * A process that takes files in, one after the other, is killed at any moment; what is found
 * afterwards must be the state after some whole number of them. It is this program again, called
 * with a directory.
 */

#include "base/codec.h"
#include "base/random.h"
#include "support/engine_tester.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define KILLS	 20
#define ROWS	 60
#define ROW_SIZE 2000

static struct slice row_key(char *key, size_t size, unsigned i)
{
	return slice_of(key, (size_t)snprintf(key, size, "row%03u", i));
}

/* The number that stands in a row; 0: there is none. */
static uint64_t number_of(struct engine_view *v, enum engine_family family, struct slice key)
{
	struct buf value = {0};
	uint64_t number = 0;
	int rc = engine_view_get(v, family, key, &value);

	assert_true(rc == OK || rc == ERR_NOT_FOUND);
	if (rc == OK) {
		assert_int_equal(value.len, ROW_SIZE);
		number = fixed64_get(value.data);
	}
	buf_free(&value);
	return number;
}

static struct slice history_key(uint8_t *key, uint64_t number)
{
	for (int i = 0; i < 8; i++)
		key[i] = (uint8_t)(number >> (56 - 8 * i));
	return slice_of(key, 8);
}

/* ---- the one that is killed */

static int take_in(struct engine *e, uint64_t number)
{
	uint8_t value[ROW_SIZE] = {0};
	struct engine_file *f;
	uint8_t number_key[8];
	char key[16];
	int rc;

	fixed64_put(value, number);
	rc = engine_file_begin(e, FAMILY_HISTORY, &f);
	if (rc == OK)
		rc = engine_file_put(f, history_key(number_key, number), slice_of(value, ROW_SIZE));
	if (rc == OK)
		rc = engine_file_finish(f);
	if (rc == OK)
		rc = engine_file_ingest(f);
	if (rc == OK)
		rc = engine_file_begin(e, FAMILY_STATE, &f);
	if (rc == OK)
		rc = engine_file_delete_range(f, SLICE_LITERAL("row"), SLICE_LITERAL("rox"));
	/* With every number another row is missing. */
	for (unsigned i = 0; i < ROWS && rc == OK; i++) {
		if (i != number % ROWS)
			rc = engine_file_put(f, row_key(key, sizeof(key), i),
					     slice_of(value, ROW_SIZE));
	}
	if (rc == OK)
		rc = engine_file_finish(f);
	return rc == OK ? engine_file_ingest(f) : rc;
}

/* Goes on from where the rows stand, and writes a byte for each number that is in. */
static int run_child(const char *dir)
{
	struct engine_rocks_options o = engine_rocks_defaults(dir);
	struct engine_view *v;
	struct engine *e;
	uint64_t number;

	o.file_bytes = 64 << 10;
	if (engine_rocks_open(&e, &o) != OK)
		return 1;
	v = engine_view_open(e);
	number = MAX(number_of(v, FAMILY_STATE, SLICE_LITERAL("row000")),
		     number_of(v, FAMILY_STATE, SLICE_LITERAL("row001")));
	engine_view_close(v);
	for (;;) {
		if (take_in(e, ++number) != OK || write(STDOUT_FILENO, "+", 1) != 1)
			return 2;
	}
}

/* ---- the one that kills and looks */

static pid_t start_child(const char *dir, int *said)
{
	int fds[2];
	pid_t child;

	assert_int_equal(pipe(fds), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		dup2(fds[1], STDOUT_FILENO);
		close(fds[0]);
		close(fds[1]);
		execl("/proc/self/exe", "engine_rocks_crash_test", dir, (char *)NULL);
		_exit(127);
	}
	close(fds[1]);
	*said = fds[0];
	return child;
}

/* All of the state is of one number, and history reaches as far or one further. */
static uint64_t check_rows(struct engine *e)
{
	struct engine_view *v = engine_view_open(e);
	uint64_t number = MAX(number_of(v, FAMILY_STATE, SLICE_LITERAL("row000")),
			      number_of(v, FAMILY_STATE, SLICE_LITERAL("row001")));
	uint8_t number_key[8];
	char key[16];

	for (unsigned i = 0; i < ROWS && number > 0; i++)
		assert_int_equal(number_of(v, FAMILY_STATE, row_key(key, sizeof(key), i)),
				 i == number % ROWS ? 0 : number);
	for (uint64_t i = 1; i <= number; i++)
		assert_int_equal(number_of(v, FAMILY_HISTORY, history_key(number_key, i)), i);
	assert_int_equal(number_of(v, FAMILY_HISTORY, history_key(number_key, number + 2)), 0);
	engine_view_close(v);
	return number;
}

static void a_killed_process_leaves_whole_files(void **state)
{
	struct engine_tester t;
	struct engine_rocks_options o;
	struct random r;
	uint64_t in = 0; /* numbers of which it is known that they are in */
	size_t leftovers = 0;

	(void)state;
	engine_tester_init(&t, ENGINE_ROCKS);
	o = engine_tester_options(&t);
	random_seed(&r, 1);
	for (int kill_nr = 0; kill_nr < KILLS; kill_nr++) {
		uint64_t wanted = random_between(&r, 1, 10);
		volatile uint64_t spin = random_below(&r, 20000000);
		uint64_t found;
		pid_t child;
		char byte;
		int said;

		engine_close(t.engine);
		t.engine = NULL;
		child = start_child(t.dir, &said);
		for (uint64_t i = 0; i < wanted; i++)
			assert_int_equal(read(said, &byte, 1), 1);
		assert_int_equal(engine_rocks_open(&t.engine, &o), ERR_LOCKED);
		while (spin > 0)
			spin--;
		assert_int_equal(kill(child, SIGKILL), 0);
		assert_int_equal(waitpid(child, NULL, 0), child);
		in += wanted;
		while (read(said, &byte, 1) == 1)
			in++;
		close(said);
		leftovers += engine_tester_count_files(t.dir, "incoming");
		engine_tester_reopen(&t);
		found = check_rows(t.engine);
		assert_in_range(found, in, in + 1);
		in = found;
	}
	print_message("%u kills, %zu files left half done\n", KILLS, leftovers);
	engine_tester_close(&t);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_killed_process_leaves_whole_files),
	};

	return argc > 1 ? run_child(argv[1]) : cmocka_run_group_tests(tests, NULL, NULL);
}
