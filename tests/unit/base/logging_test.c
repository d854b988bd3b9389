#include "base/logging.h"

#include "base/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct sink {
	struct buf text;
	enum log_level level;
	int lines;
};

static void sink_write(void *ctx, enum log_level level, const char *text, size_t len)
{
	struct sink *s = ctx;

	buf_clear(&s->text);
	buf_append(&s->text, text, len);
	s->level = level;
	s->lines++;
}

static int evaluated;

static int evaluate(void)
{
	return ++evaluated;
}

static void messages_go_to_the_sink_up_to_the_level(void **state)
{
	struct sink s = {0};
	struct logger l = {.level = LOG_WARNING, .write = sink_write, .ctx = &s};

	(void)state;
	LOG(&l, LOG_WARNING, "disk %d of %s", 3, "five");
	assert_int_equal(s.lines, 1);
	assert_int_equal(s.level, LOG_WARNING);
	assert_true(slice_equal(buf_slice(&s.text), SLICE_LITERAL("disk 3 of five")));
	LOG(&l, LOG_ERROR, "worse");
	assert_int_equal(s.lines, 2);
	LOG(&l, LOG_NOTICE, "not now");
	assert_int_equal(s.lines, 2);
	buf_free(&s.text);
}

static void a_message_that_is_off_does_not_evaluate_its_arguments(void **state)
{
	struct sink s = {0};
	struct logger l = {.level = LOG_NOTICE, .write = sink_write, .ctx = &s};

	(void)state;
	evaluated = 0;
	LOG(&l, LOG_DEBUG, "%d", evaluate());
	LOG(NULL, LOG_ERROR, "%d", evaluate());
	assert_int_equal(evaluated, 0);
	LOG(&l, LOG_NOTICE, "%d", evaluate());
	assert_int_equal(evaluated, 1);
	assert_int_equal(s.lines, 1);
	buf_free(&s.text);
}

static void a_long_message_is_cut(void **state)
{
	struct sink s = {0};
	struct logger l = {.level = LOG_NOTICE, .write = sink_write, .ctx = &s};

	(void)state;
	LOG(&l, LOG_NOTICE, "%0*d", 1023, 7);
	assert_int_equal(s.text.len, 1023);
	assert_int_equal(s.text.data[1022], '7');
	LOG(&l, LOG_NOTICE, "%0*d", 5000, 7);
	assert_int_equal(s.text.len, 1023);
	assert_int_equal(s.text.data[1022], '0');
	buf_free(&s.text);
}

static void a_stream_gets_time_level_and_text(void **state)
{
	char *text = NULL;
	size_t len = 0;
	FILE *stream = open_memstream(&text, &len);
	struct logger l = logger_to_stream(stream, LOG_NOTICE);

	(void)state;
	LOG(&l, LOG_NOTICE, "leads term %d", 5);
	LOG(&l, LOG_DEBUG, "nothing");
	fclose(stream);
	assert_int_equal(len, strlen("2000-01-01T00:00:00.000Z notice  leads term 5\n"));
	assert_int_equal(text[10], 'T');
	assert_string_equal(text + 23, "Z notice  leads term 5\n");
	free(text);
}

static void levels_have_names(void **state)
{
	(void)state;
	assert_string_equal(log_level_name(LOG_ERROR), "error");
	assert_string_equal(log_level_name(LOG_WARNING), "warning");
	assert_string_equal(log_level_name(LOG_NOTICE), "notice");
	assert_string_equal(log_level_name(LOG_DEBUG), "debug");
	assert_string_equal(log_level_name((enum log_level)77), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_go_to_the_sink_up_to_the_level),
		cmocka_unit_test(a_message_that_is_off_does_not_evaluate_its_arguments),
		cmocka_unit_test(a_long_message_is_cut),
		cmocka_unit_test(a_stream_gets_time_level_and_text),
		cmocka_unit_test(levels_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
