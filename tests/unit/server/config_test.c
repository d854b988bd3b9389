#include "server/config.h"

#include "base/error.h"
#include "support/text_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct owner {
	struct options options;
	struct config_events events;
	uint64_t maxclients_max;
	unsigned changes;
	char path[TEXT_FILE_PATH]; /* empty: no file */
};

static int owner_check(void *ctx, const struct options *wanted, struct buf *problem)
{
	struct owner *w = ctx;

	if (wanted->maxclients <= w->maxclients_max)
		return OK;
	buf_printf(problem, "too many");
	return ERR_INVALID;
}

static void owner_changed(void *ctx)
{
	struct owner *w = ctx;

	w->changes++;
}

static void owner_begin(struct owner *w, const char *text)
{
	char *nothing[] = {NULL}, *argv[] = {w->path, (char[]){"--tcp-backlog"}, (char[]){"7"},
					     (char[]){"--name"}, (char[]){"n1"}};
	struct buf problem = {0};
	int skip = text ? 0 : 1;

	*w = (struct owner){.maxclients_max = 20000};
	w->events =
		(struct config_events){.ctx = w, .check = owner_check, .changed = owner_changed};
	if (text)
		text_file_new(text, w->path);
	assert_int_equal(options_load(&w->options, 5 - skip, argv + skip, nothing, &problem), OK);
	buf_free(&problem);
}

static void owner_end(struct owner *w)
{
	options_free(&w->options);
	if (*w->path)
		assert_int_equal(unlink(w->path), 0);
}

/* Sets name, value, name, value, up to NULL; expects this error, or OK. */
static void expect_set(struct owner *w, const char *const words[], const char *error)
{
	struct slice pairs[8];
	struct buf problem = {0};
	size_t n = 0;
	int rc;

	for (; words[n]; n++)
		pairs[n] = slice_of_text(words[n]);
	rc = config_set(&w->options, &w->events, pairs, n / 2, &problem);
	buf_append_byte(&problem, '\0');
	assert_string_equal((const char *)problem.data, error ? error : "");
	assert_int_equal(rc, error ? ERR_INVALID : OK);
	buf_free(&problem);
}

#define SET(...) ((const char *const[]){__VA_ARGS__, NULL})

#define FAILED(name, why) "ERR CONFIG SET failed (possibly related to argument '" name "') - " why

static void several_are_set_at_once(void **state)
{
	struct owner w;

	(void)state;
	owner_begin(&w, NULL);
	expect_set(&w, SET("MaxClients", "500", "log-level", "debug"), NULL);
	assert_int_equal(w.options.maxclients, 500);
	assert_int_equal(w.options.log_level, LOG_DEBUG);
	assert_int_equal(w.changes, 1);
	owner_end(&w);
}

static void one_that_fails_leaves_all_as_they_were(void **state)
{
	struct owner w;

	(void)state;
	owner_begin(&w, NULL);
	w.options.maxclients = 400;
	expect_set(&w, SET("maxclients", "500", "log-level", "loud"),
		   FAILED("log-level", "argument(s) must be one of the following: error, warning, "
				       "notice, debug"));
	expect_set(&w, SET("maxclients", "500", "port", "7"),
		   FAILED("port", "can't set immutable config"));
	expect_set(&w, SET("maxclients", "500", "maxclients", "501"),
		   FAILED("maxclients", "duplicate parameter"));
	expect_set(&w, SET("maxclients", "500", "what", "1"),
		   "ERR Unknown option or number of arguments for CONFIG SET - 'what'");
	expect_set(&w, SET("maxclients", "500", "maxmemory", "1gb"),
		   FAILED("maxmemory", "it is always '0': values live on the disk; caches have "
				       "limits of their own"));
	expect_set(&w, SET("maxclients", "20001"), FAILED("maxclients", "too many"));
	assert_int_equal(w.options.maxclients, 400);
	assert_int_equal(w.changes, 0);
	owner_end(&w);
}

static void numbers_are_refused_in_the_words_of_redis(void **state)
{
	struct owner w;

	(void)state;
	owner_begin(&w, NULL);
	expect_set(&w, SET("maxclients", "many"),
		   FAILED("maxclients", "argument couldn't be parsed into an integer"));
	expect_set(&w, SET("maxclients", ""),
		   FAILED("maxclients", "argument couldn't be parsed into an integer"));
	expect_set(&w, SET("maxclients", "0"),
		   FAILED("maxclients", "argument must be between 1 and 1000000 inclusive"));
	expect_set(&w, SET("maxclients", "-5"),
		   FAILED("maxclients", "argument must be between 1 and 1000000 inclusive"));
	owner_end(&w);
}

static void one_that_may_be_never_takes_minus_one(void **state)
{
	struct owner w;

	(void)state;
	owner_begin(&w, NULL);
	expect_set(&w, SET("slowlog-log-slower-than", "-1"), NULL);
	assert_int_equal(w.options.slowlog_log_slower_than, -1);
	expect_set(&w, SET("slowlog-log-slower-than", "-2"),
		   FAILED("slowlog-log-slower-than",
			  "argument must be between -1 and 9223372036854775807 inclusive"));
	owner_end(&w);
}

static void limits_of_one_class_leave_the_others(void **state)
{
	static const char name[] = "client-output-buffer-limit";
	struct owner w;

	(void)state;
	owner_begin(&w, NULL);
	expect_set(&w, SET(name, "replica 1mb 0 0 NORMAL 5 6 7"), NULL);
	assert_int_equal(w.options.output_limits.classes[OUTPUT_REPLICA].hard, 1 << 20);
	assert_int_equal(w.options.output_limits.classes[OUTPUT_NORMAL].soft_s, 7);
	assert_int_equal(w.options.output_limits.classes[OUTPUT_PUBSUB].hard, 32 << 20);
	expect_set(&w, SET(name, "normal 1 2"),
		   FAILED("client-output-buffer-limit",
			  "Wrong number of arguments in buffer limit configuration."));
	expect_set(&w, SET(name, "foo 1 2 3"),
		   FAILED("client-output-buffer-limit",
			  "Invalid client class specified in buffer limit configuration."));
	expect_set(&w, SET(name, "normal -1 2 3"),
		   FAILED("client-output-buffer-limit",
			  "Error in hard, soft or soft_seconds setting in buffer limit "
			  "configuration."));
	owner_end(&w);
}

/* A secret is told to those who may ask for it, and not in what is written to a log. */
static void a_secret_is_not_repeated(void **state)
{
	char path[TEXT_FILE_PATH], *nothing[] = {NULL}, *argv[] = {path};
	struct buf problem = {0};
	struct options o;

	(void)state;
	text_file_new("requirepass hunter2 hunter3\n", path);
	assert_int_equal(options_load(&o, 1, argv, nothing, &problem), ERR_INVALID);
	buf_append_byte(&problem, '\0');
	assert_non_null(strstr((const char *)problem.data, ":1: requirepass: what was given"));
	assert_null(strstr((const char *)problem.data, "hunter"));
	options_free(&o);
	buf_free(&problem);
	assert_int_equal(unlink(path), 0);
}

static void what_is_always_so_may_be_asked_for(void **state)
{
	struct owner w;

	(void)state;
	owner_begin(&w, NULL);
	expect_set(&w, SET("save", "", "appendonly", "yes", "maxclients", "5"), NULL);
	assert_int_equal(w.options.maxclients, 5);
	owner_end(&w);
}

static void expect_rewrite(struct owner *w, const char *text)
{
	struct buf problem = {0}, found = {0};

	assert_int_equal(config_rewrite(&w->options, &problem), OK);
	text_file_read(w->path, &found);
	assert_string_equal((const char *)found.data, text);
	buf_free(&found);
	buf_free(&problem);
}

static void a_rewritten_file_keeps_its_comments_and_its_order(void **state)
{
	struct stat st;
	struct owner w;

	(void)state;
	owner_begin(&w,
		    "# one\n  maxclients 300 \n\n# two\nHISTORY-RETENTION 10m\nbind ::1 127.0.0.1\n"
		    "cluster-token \"a b\"");
	assert_int_equal(chmod(w.path, 0600), 0);
	expect_rewrite(&w, "# one\n  maxclients 300 \n\n# two\nHISTORY-RETENTION 10m\n"
			   "bind ::1 127.0.0.1\ncluster-token \"a b\"\n"
			   "# Generated by CONFIG REWRITE\ntcp-backlog 7\n");
	expect_set(&w, SET("maxclients", "200", "log-level", "debug"), NULL);
	expect_rewrite(&w, "# one\nmaxclients 200\n\n# two\nHISTORY-RETENTION 10m\n"
			   "bind ::1 127.0.0.1\ncluster-token \"a b\"\n"
			   "# Generated by CONFIG REWRITE\ntcp-backlog 7\nlog-level debug\n");
	assert_int_equal(stat(w.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	owner_end(&w);
}

static void lines_that_add_up_stay_and_are_replaced_as_one(void **state)
{
	struct owner w;

	(void)state;
	owner_begin(&w, "client-output-buffer-limit normal 1mb 0 0\n"
			"client-output-buffer-limit replica 2mb 0 0\ntcp-backlog 7\n");
	assert_int_equal(w.options.output_limits.classes[OUTPUT_NORMAL].hard, 1 << 20);
	assert_int_equal(w.options.output_limits.classes[OUTPUT_REPLICA].hard, 2 << 20);
	expect_rewrite(&w, "client-output-buffer-limit normal 1mb 0 0\n"
			   "client-output-buffer-limit replica 2mb 0 0\ntcp-backlog 7\n");
	expect_set(&w, SET("client-output-buffer-limit", "replica 3 0 0"), NULL);
	expect_rewrite(&w, "client-output-buffer-limit normal 1mb 0 0\n"
			   "client-output-buffer-limit normal 1048576 0 0 slave 3 0 0 pubsub "
			   "33554432 8388608 60\ntcp-backlog 7\n");
	owner_end(&w);
}

static void without_a_file_nothing_is_rewritten(void **state)
{
	struct buf problem = {0};
	struct owner w;

	(void)state;
	owner_begin(&w, NULL);
	assert_int_equal(config_rewrite(&w.options, &problem), ERR_INVALID);
	assert_true(slice_equal(buf_slice(&problem),
				SLICE_LITERAL("ERR The server is running without a config file")));
	buf_free(&problem);
	owner_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(several_are_set_at_once),
		cmocka_unit_test(one_that_fails_leaves_all_as_they_were),
		cmocka_unit_test(numbers_are_refused_in_the_words_of_redis),
		cmocka_unit_test(one_that_may_be_never_takes_minus_one),
		cmocka_unit_test(limits_of_one_class_leave_the_others),
		cmocka_unit_test(a_secret_is_not_repeated),
		cmocka_unit_test(what_is_always_so_may_be_asked_for),
		cmocka_unit_test(a_rewritten_file_keeps_its_comments_and_its_order),
		cmocka_unit_test(lines_that_add_up_stay_and_are_replaced_as_one),
		cmocka_unit_test(without_a_file_nothing_is_rewritten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
