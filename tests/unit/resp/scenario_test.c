/*
 * Runs every tests/data/resp/ *.txt. A file is a list of cases with blank lines between them and
 * comments (#) before them:
 *
 *	parse max-request=64            a verb, with settings
 *	*1\r\n$4\r\n                    its input: escapes as in escape.h; the ends of these
 *	PING\r\n                        lines are not part of it
 *	----
 *	request 'PING'                  what comes out, up to the next blank line
 *	left 0
 *
 * `parse` gives the bytes to the parser and shows each outcome, then how many bytes are left
 * unconsumed. Settings: max-request, max-elements, max-bulk, max-line, unauthenticated=1.
 * `write` has one call of the writer on each line (the table `calls` below) and shows the bytes
 * in protocol 2 and in protocol 3.
 *
 * With REWRITE=1 in the environment the files are written anew with what comes out: read the
 * difference, it is the review.
 */

#include "feed.h"
#include "resp/integer.h"
#include "resp/writer.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

struct scenario {
	const char *path;
	unsigned line;
	struct slice verb; /* the first line */
	struct slice body; /* the lines up to the rule */
	struct slice expected;
};

/* Takes the first line off `rest`, without its end. */
static struct slice take_line(struct slice *rest)
{
	const uint8_t *end = memchr(rest->data, '\n', rest->len);
	struct slice line = {rest->data, end ? (size_t)(end - rest->data) : rest->len};
	size_t taken = line.len + (end ? 1 : 0);

	*rest = slice_of(rest->data + taken, rest->len - taken);
	return line;
}

/* Takes the first word off `rest` and the one blank behind it. */
static struct slice take_word(struct slice *rest)
{
	const uint8_t *end = rest->len ? memchr(rest->data, ' ', rest->len) : NULL;
	struct slice word = {rest->data, end ? (size_t)(end - rest->data) : rest->len};
	size_t taken = word.len + (end ? 1 : 0);

	*rest = slice_of(rest->data + taken, rest->len - taken);
	return word;
}

static bool is_text(struct slice s, const char *text)
{
	return slice_equal(s, slice_of_text(text));
}

static size_t number_of(struct slice s)
{
	int64_t n;

	CHECK(resp_integer_parse(s, &n));
	return (size_t)n;
}

static void read_settings(struct slice settings, struct resp_limits *limits, bool *unauthenticated)
{
	*limits = RESP_LIMITS_DEFAULT;
	*unauthenticated = false;
	while (settings.len > 0) {
		struct slice value = take_word(&settings);
		const uint8_t *equals = memchr(value.data, '=', value.len);
		struct slice name = {value.data, equals ? (size_t)(equals - value.data) : 0};
		size_t n = number_of(slice_of(equals + 1, value.len - name.len - 1));

		if (is_text(name, "max-request"))
			limits->max_request_bytes = n;
		else if (is_text(name, "max-elements"))
			limits->max_elements = n;
		else if (is_text(name, "max-bulk"))
			limits->max_bulk_bytes = n;
		else if (is_text(name, "max-line"))
			limits->max_line_bytes = n;
		else if (is_text(name, "unauthenticated"))
			*unauthenticated = n != 0;
		else
			fail_msg("no such setting: %.*s", (int)name.len, (const char *)name.data);
	}
}

static void read_input(struct slice body, struct buf *input)
{
	while (body.len > 0)
		unescape_bytes(input, take_line(&body));
}

static void run_parse(const struct scenario *s, struct slice settings, struct buf *out)
{
	struct resp_limits limits;
	struct buf input = {0};
	struct feed f;
	bool unauthenticated;

	read_settings(settings, &limits, &unauthenticated);
	read_input(s->body, &input);
	feed_init(&f, &limits, unauthenticated);
	feed_push(&f, buf_slice(&input));
	buf_append_slice(out, feed_end(&f));
	feed_close(&f);
	buf_free(&input);
}

/* The state of a `write` case: headers opened and not closed yet. */
struct writing {
	struct resp_writer writer;
	struct resp_open open[8];
	size_t depth;
};

static void call_integer(struct writing *w, struct slice arg)
{
	int64_t n;

	assert_true(resp_integer_parse(arg, &n));
	resp_write_integer(&w->writer, n);
}

static void call_double(struct writing *w, struct slice arg)
{
	char text[64] = {0};

	assert_true(arg.len < sizeof(text));
	memcpy(text, arg.data, arg.len);
	resp_write_double(&w->writer, strtod(text, NULL));
}

static void call_verbatim(struct writing *w, struct slice arg)
{
	struct slice format = take_word(&arg);

	assert_int_equal(format.len, 3);
	resp_write_verbatim(&w->writer, (const char *)format.data, arg);
}

static void call_open(struct writing *w, struct slice arg)
{
	assert_true(w->depth < ARRAY_LEN(w->open));
	if (is_text(arg, "array"))
		w->open[w->depth++] = resp_open_array(&w->writer);
	else if (is_text(arg, "set"))
		w->open[w->depth++] = resp_open_set(&w->writer);
	else if (is_text(arg, "push"))
		w->open[w->depth++] = resp_open_push(&w->writer);
	else
		w->open[w->depth++] = resp_open_map(&w->writer);
}

static void call_close(struct writing *w, struct slice arg)
{
	assert_true(w->depth > 0);
	resp_close(&w->writer, w->open[--w->depth], number_of(arg));
}

static void call_errorf(struct writing *w, struct slice arg)
{
	resp_write_errorf(&w->writer, "ERR no '%.*s'", (int)arg.len, (const char *)arg.data);
}

#define CALL(name, expr)                                              \
	static void call_##name(struct writing *w_, struct slice arg) \
	{                                                             \
		struct resp_writer *w = &w_->writer;                  \
		(void)arg;                                            \
		expr;                                                 \
	}

CALL(simple, resp_write_simple(w, arg))
CALL(error, resp_write_error(w, arg))
CALL(bulk, resp_write_bulk(w, arg))
CALL(null, resp_write_null(w))
CALL(null_array, resp_write_null_array(w))
CALL(boolean, resp_write_boolean(w, is_text(arg, "true")))
CALL(big_number, resp_write_big_number(w, arg))
CALL(raw, resp_write_raw(w, arg))
CALL(array, resp_write_array(w, number_of(arg)))
CALL(set, resp_write_set(w, number_of(arg)))
CALL(push, resp_write_push(w, number_of(arg)))
CALL(map, resp_write_map(w, number_of(arg)))

static const struct {
	const char *name;
	void (*call)(struct writing *w, struct slice arg);
} calls[] = {
	{"simple", call_simple},
	{"error", call_error},
	{"errorf", call_errorf},
	{"integer", call_integer},
	{"bulk", call_bulk},
	{"null", call_null},
	{"null-array", call_null_array},
	{"double", call_double},
	{"boolean", call_boolean},
	{"big-number", call_big_number},
	{"verbatim", call_verbatim},
	{"raw", call_raw},
	{"array", call_array},
	{"set", call_set},
	{"push", call_push},
	{"map", call_map},
	{"open", call_open},
	{"close", call_close},
};

static void run_call(struct writing *w, struct slice line)
{
	struct slice name = take_word(&line);
	struct buf arg = {0};

	unescape_bytes(&arg, line);
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		if (is_text(name, calls[i].name)) {
			calls[i].call(w, buf_slice(&arg));
			buf_free(&arg);
			return;
		}
	}
	fail_msg("no such call: %.*s", (int)name.len, (const char *)name.data);
}

static void run_write(const struct scenario *s, struct buf *out)
{
	for (int protocol = 2; protocol <= 3; protocol++) {
		struct buf reply = {0};
		struct writing w = {.writer = {.out = &reply, .protocol = protocol}};
		struct slice body = s->body;

		while (body.len > 0)
			run_call(&w, take_line(&body));
		assert_int_equal(w.depth, 0);
		buf_printf(out, "%d: ", protocol);
		escape_bytes(out, buf_slice(&reply));
		buf_append_byte(out, '\n');
		buf_free(&reply);
	}
}

static void run_scenario(const struct scenario *s, struct buf *out)
{
	struct slice rest = s->verb;
	struct slice verb = take_word(&rest);

	if (is_text(verb, "parse"))
		run_parse(s, rest, out);
	else if (is_text(verb, "write"))
		run_write(s, out);
	else
		fail_msg("%s:%u: no such verb", s->path, s->line);
}

/*
 * Reads one case off `rest`, copying everything but the expectation to `copy`. False at the end.
 */
static bool take_scenario(struct slice *rest, struct scenario *s, struct buf *copy)
{
	struct slice line;
	const uint8_t *begin = rest->data;

	do {
		if (rest->len == 0)
			return false;
		line = take_line(rest);
		s->line++;
		if (line.len == 0 || line.data[0] == '#')
			buf_append(copy, line.data, line.len + 1);
	} while (line.len == 0 || line.data[0] == '#');
	s->verb = line;
	s->body = slice_of(rest->data, 0);
	for (line = take_line(rest), s->line++; !is_text(line, "----"); s->line++) {
		CHECK(rest->len > 0);
		s->body.len = (size_t)(rest->data - s->body.data);
		line = take_line(rest);
	}
	begin = s->verb.data;
	buf_append(copy, begin, (size_t)(rest->data - begin));
	s->expected = slice_of(rest->data, 0);
	while (rest->len > 0 && rest->data[0] != '\n') {
		take_line(rest);
		s->line++;
		s->expected.len = (size_t)(rest->data - s->expected.data);
	}
	return true;
}

static struct buf read_file(const char *path)
{
	struct buf b = {0};
	FILE *f = fopen(path, "r");
	size_t n;

	assert_non_null(f);
	while ((n = fread(buf_reserve(&b, 4096), 1, 4096, f)) > 0)
		buf_commit(&b, n);
	fclose(f);
	return b;
}

static void write_file(const char *path, struct slice bytes)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes.data, 1, bytes.len, f), bytes.len);
	assert_int_equal(fclose(f), 0);
}

/* Calls `visit` for each file of scenarios. */
static void each_file(void (*visit)(const char *path))
{
	static const char folder[] = TEST_DATA_DIR "/resp";
	DIR *dir = opendir(folder);
	unsigned files = 0;

	assert_non_null(dir);
	for (struct dirent *e; (e = readdir(dir)) != NULL;) {
		const char *dot = strrchr(e->d_name, '.');
		char path[4096];

		if (!dot || strcmp(dot, ".txt") != 0)
			continue;
		assert_true(snprintf(path, sizeof(path), "%s/%s", folder, e->d_name) <
			    (int)sizeof(path));
		visit(path);
		files++;
	}
	closedir(dir);
	assert_true(files > 0);
}

static void compare_file(const char *path)
{
	bool rewrite = getenv("REWRITE") != NULL;
	struct buf file = read_file(path);
	struct slice rest = buf_slice(&file);
	struct scenario s = {.path = path};
	struct buf out = {0}, copy = {0};

	while (take_scenario(&rest, &s, &copy)) {
		buf_clear(&out);
		run_scenario(&s, &out);
		buf_append_slice(&copy, buf_slice(&out));
		if (!rewrite && !slice_equal(buf_slice(&out), s.expected))
			fail_msg("%s: the case that ends in line %u gives\n%.*s", path, s.line,
				 (int)out.len, (const char *)out.data);
	}
	if (rewrite)
		write_file(path, buf_slice(&copy));
	buf_free(&file);
	buf_free(&out);
	buf_free(&copy);
}

static void every_scenario_gives_what_its_file_says(void **state)
{
	(void)state;
	each_file(compare_file);
}

/* The input in pieces of `size` bytes, the first of `first`. */
static void compare_cut(const struct scenario *s, struct slice settings, struct slice input,
			size_t first, size_t size)
{
	struct resp_limits limits;
	struct feed f;
	bool unauthenticated;
	struct slice log;

	read_settings(settings, &limits, &unauthenticated);
	feed_init(&f, &limits, unauthenticated);
	feed_push(&f, slice_of(input.data, first));
	for (size_t at = first; at < input.len; at += size)
		feed_push(&f, slice_of(input.data + at, MIN(size, input.len - at)));
	log = feed_end(&f);
	if (!slice_equal(log, s->expected))
		fail_msg("%s: the case that ends in line %u, cut at %zu and each %zu, gives\n%.*s",
			 s->path, s->line, first, size, (int)log.len, (const char *)log.data);
	feed_close(&f);
}

/* Short inputs at every byte. Long ones in few ways, or the copying would take minutes. */
static void cut_scenario(const struct scenario *s, struct slice settings)
{
	struct buf input = {0};
	struct slice bytes;

	read_input(s->body, &input);
	bytes = buf_slice(&input);
	if (bytes.len <= 2048) {
		for (size_t at = 0; at <= bytes.len; at++)
			compare_cut(s, settings, bytes, at, SIZE_MAX / 2);
		compare_cut(s, settings, bytes, 0, 1);
		compare_cut(s, settings, bytes, 0, 2);
		compare_cut(s, settings, bytes, 0, 7);
	} else {
		for (size_t at = 0; at <= 32; at++) {
			compare_cut(s, settings, bytes, at, SIZE_MAX / 2);
			compare_cut(s, settings, bytes, bytes.len - at, SIZE_MAX / 2);
		}
		compare_cut(s, settings, bytes, 1, bytes.len / 100);
	}
	buf_free(&input);
}

static void cut_file(const char *path)
{
	struct buf file = read_file(path);
	struct slice rest = buf_slice(&file);
	struct scenario s = {.path = path};
	struct buf copy = {0};

	while (take_scenario(&rest, &s, &copy)) {
		struct slice settings = s.verb;

		if (is_text(take_word(&settings), "parse"))
			cut_scenario(&s, settings);
	}
	buf_free(&file);
	buf_free(&copy);
}

static void every_input_gives_the_same_however_it_is_cut(void **state)
{
	(void)state;
	each_file(cut_file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_scenario_gives_what_its_file_says),
		cmocka_unit_test(every_input_gives_the_same_however_it_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
