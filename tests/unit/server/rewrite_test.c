/* CONFIG REWRITE by another thread, which the test is. */

#include "server/rewrite.h"

#include "base/error.h"
#include "support/text_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct house {
	struct options options;
	struct rewrite *rewrite;
	struct job *job; /* under way */
	char path[TEXT_FILE_PATH];
};

static void take_job(void *ctx, struct job *job)
{
	struct house *h = ctx;

	assert_null(h->job);
	h->job = job;
}

/* The thread does its work, and the loop hears of it. */
static void finish(struct house *h)
{
	struct job *job = h->job;

	assert_non_null(job);
	h->job = NULL;
	assert_int_equal(job->step(job), JOB_DONE);
	job->done(job);
}

static void begin(struct house *h, const char *text)
{
	char *nothing[] = {NULL}, *argv[] = {h->path};
	struct buf problem = {0};

	*h = (struct house){0};
	if (text)
		text_file_new(text, h->path);
	assert_int_equal(options_load(&h->options, text ? 1 : 0, argv, nothing, &problem), OK);
	h->rewrite = rewrite_new(&h->options, h, take_job);
	buf_free(&problem);
}

static void end(struct house *h)
{
	rewrite_free(h->rewrite);
	options_free(&h->options);
	if (*h->path)
		(void)unlink(h->path);
}

static void expect_file(struct house *h, const char *text)
{
	struct buf found = {0};

	text_file_read(h->path, &found);
	assert_string_equal((const char *)found.data, text);
	buf_free(&found);
}

static void it_ends_when_the_thread_has_done_it(void **state)
{
	struct buf problem = {0};
	struct house h;
	uint64_t number;

	(void)state;
	begin(&h, "maxclients 5\n");
	h.options.maxclients = 6;
	number = rewrite_begin(h.rewrite, &problem);
	assert_int_not_equal(number, 0);
	/* What changes from here on is not in it. */
	h.options.maxclients = 7;
	assert_int_equal(rewrite_ended(h.rewrite, number, &problem), ERR_BUSY);
	expect_file(&h, "maxclients 5\n");
	finish(&h);
	assert_int_equal(rewrite_ended(h.rewrite, number, &problem), OK);
	expect_file(&h, "maxclients 6\n");
	end(&h);
	buf_free(&problem);
}

static void one_that_comes_meanwhile_is_done_afterwards(void **state)
{
	struct buf problem = {0};
	uint64_t first, second, third;
	struct house h;

	(void)state;
	begin(&h, "maxclients 5\n");
	h.options.maxclients = 6;
	first = rewrite_begin(h.rewrite, &problem);
	h.options.maxclients = 7;
	second = rewrite_begin(h.rewrite, &problem);
	third = rewrite_begin(h.rewrite, &problem);
	finish(&h);
	expect_file(&h, "maxclients 6\n");
	assert_int_equal(rewrite_ended(h.rewrite, second, &problem), ERR_BUSY);
	finish(&h);
	assert_null(h.job);
	expect_file(&h, "maxclients 7\n");
	assert_int_equal(rewrite_ended(h.rewrite, first, &problem), OK);
	assert_int_equal(rewrite_ended(h.rewrite, second, &problem), OK);
	assert_int_equal(rewrite_ended(h.rewrite, third, &problem), OK);
	end(&h);
	buf_free(&problem);
}

static void what_went_wrong_is_told(void **state)
{
	struct buf problem = {0};
	struct house h;
	uint64_t number;

	(void)state;
	begin(&h, "maxclients 5\n");
	assert_int_equal(unlink(h.path), 0);
	number = rewrite_begin(h.rewrite, &problem);
	finish(&h);
	assert_int_equal(rewrite_ended(h.rewrite, number, &problem), ERR_NOT_FOUND);
	assert_true(slice_equal(buf_slice(&problem),
				SLICE_LITERAL("ERR Rewriting config file: not found")));
	end(&h);
	buf_free(&problem);
}

static void without_a_file_it_does_not_begin(void **state)
{
	struct buf problem = {0};
	struct house h;

	(void)state;
	begin(&h, NULL);
	assert_int_equal(rewrite_begin(h.rewrite, &problem), 0);
	assert_true(slice_equal(buf_slice(&problem),
				SLICE_LITERAL("ERR The server is running without a config file")));
	end(&h);
	buf_free(&problem);
}

/* The process ends while the thread has it. */
static void one_that_is_under_way_can_be_forgotten(void **state)
{
	struct buf problem = {0};
	struct house h;

	(void)state;
	begin(&h, "maxclients 5\n");
	assert_int_not_equal(rewrite_begin(h.rewrite, &problem), 0);
	end(&h);
	buf_free(&problem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_ends_when_the_thread_has_done_it),
		cmocka_unit_test(one_that_comes_meanwhile_is_done_afterwards),
		cmocka_unit_test(what_went_wrong_is_told),
		cmocka_unit_test(without_a_file_it_does_not_begin),
		cmocka_unit_test(one_that_is_under_way_can_be_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
