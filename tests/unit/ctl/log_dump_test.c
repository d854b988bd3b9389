#include "ctl/log_dump.h"

#include "support/log_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* A log with entries, hard states and more than one segment. */
static void make_log(struct log_tester *t)
{
	assert_null(log_tester_start(t, 3));
	for (int i = 0; i < 12; i++)
		log_tester_append(t, 3);
}

static size_t count(const char *text, const char *what)
{
	size_t n = 0;

	while ((text = strstr(text, what)) != NULL) {
		n++;
		text += strlen(what);
	}
	return n;
}

/* The dump as text that the caller frees. */
static char *dump(struct log_tester *t, bool json)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	assert_int_equal(log_dump(sim_disk_interface(t->disk), "log", json, out), OK);
	fclose(out);
	return text;
}

static void every_entry_of_a_running_log_is_shown(void **state)
{
	struct log_tester t;
	char *text;

	(void)state;
	make_log(&t);
	text = dump(&t, false); /* the log is open and locked */
	assert_int_equal(count(text, "entry at "), 36);
	assert_int_equal(count(text, "index 36, term 1, kind "), 1);
	assert_int_equal(count(text, "checksum BAD"), 0);
	assert_true(count(text, "segment ") > 1);
	free(text);
	text = dump(&t, true);
	assert_int_equal(count(text, "{\"type\":\"entry\""), 36);
	assert_int_equal(count(text, "\n"), count(text, "{"));
	assert_int_equal(count(text, "\n"), count(text, "}\n"));
	free(text);
	log_tester_append(&t, 1); /* and nothing was disturbed */
	assert_null(log_tester_check_reads(&t));
	log_tester_close(&t);
}

static void damage_is_shown_and_what_is_behind_it_too(void **state)
{
	struct log_tester t;
	char *text;

	(void)state;
	make_log(&t);
	log_tester_drop(&t);
	sim_disk_crash(t.disk);
	assert_true(sim_disk_patch(t.disk, "log/0000000000000001.log", 4096 + 60, "junk", 4));
	assert_true(sim_disk_patch(t.disk, "log/0000000000000002.log", 30, "junk", 4));
	text = dump(&t, false);
	assert_int_equal(count(text, "checksum BAD"), 1);
	assert_int_equal(count(text, "intact: false"), 1);
	assert_int_equal(count(text, "segment 2: 16384 bytes, header cannot be read"), 1);
	assert_int_equal(count(text, "entry at "), 35);
	free(text);
	assert_int_equal(log_tester_open(&t), OK);
	text = dump(&t, false);
	assert_int_equal(count(text, "damage mark: entries 1 to "), 1);
	free(text);
	log_tester_close(&t);
}

static void a_directory_without_a_log_is_not_found(void **state)
{
	struct log_tester t;

	(void)state;
	log_tester_init(&t, 1);
	assert_int_equal(log_dump(sim_disk_interface(t.disk), "log", false, stdout), ERR_NOT_FOUND);
	log_tester_close(&t);
}

/* Runs the program itself; its output goes nowhere. */
static int run(const char *arguments)
{
	char command[1024];

	snprintf(command, sizeof(command), "%s %s >/dev/null 2>&1", CONCLAVE_CTL, arguments);
	return WEXITSTATUS(system(command));
}

static void a_command_line_that_makes_no_sense_ends_with_2(void **state)
{
	static const char *const bad[] = {"",
					  "log",
					  "log dump",
					  "logs dump",
					  "log print /",
					  "log dump / /",
					  "log dump / --jsno",
					  "--json",
					  "log dump ''"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(run(bad[i]), 2);
	assert_int_equal(run("--help"), 0);
	assert_int_equal(run("log dump /nowhere"), 1);
	assert_int_equal(run("log dump / --json"), 1);
}

static void the_program_dumps_a_real_log(void **state)
{
	struct disk posix = disk_posix();
	char dir[] = "/tmp/conclave-dump-XXXXXX";
	struct log_options options = {.dir = dir, .segment_bytes = 65536, .direct = true};
	struct log_recovery rec;
	char arguments[64];
	struct log *log;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(log_open(&log, &posix, &options, &rec), OK);
	log_recovery_free(&rec);
	snprintf(arguments, sizeof(arguments), "log dump %s --json", dir);
	assert_int_equal(run(arguments), 0);
	log_close(log);
	snprintf(arguments, sizeof(arguments), "%s/0000000000000001.log", dir);
	unlink(arguments);
	snprintf(arguments, sizeof(arguments), "%s/lock", dir);
	unlink(arguments);
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_entry_of_a_running_log_is_shown),
		cmocka_unit_test(damage_is_shown_and_what_is_behind_it_too),
		cmocka_unit_test(a_directory_without_a_log_is_not_found),
		cmocka_unit_test(a_command_line_that_makes_no_sense_ends_with_2),
		cmocka_unit_test(the_program_dumps_a_real_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
