/* The table of directives, and all that is told of it, say the same. */

#include "server/directive.h"

#include "base/error.h"
#include "support/text_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define CONF_PATH TEST_DOCS_DIR "/../conf/conclave.conf"
#define DOCS_PATH TEST_DOCS_DIR "/configuration.md"

static char *nothing[] = {NULL};

static void names_stand_once_and_in_lower_case(void **state)
{
	const struct directive *d;

	(void)state;
	for (size_t i = 0; (d = directive_at(i)) != NULL; i++) {
		assert_true(i < DIRECTIVES_MAX);
		assert_int_equal(strspn(d->name, "abcdefghijklmnopqrstuvwxyz-"), strlen(d->name));
		assert_ptr_equal(directive_find(slice_of_text(d->name)), d);
		assert_int_equal(directive_index(d), i);
	}
}

static void help_has_every_one(void **state)
{
	const struct directive *d;
	struct buf help = {0};

	(void)state;
	options_put_help(&help);
	buf_append_byte(&help, '\0');
	for (size_t i = 0; (d = directive_at(i)) != NULL; i++) {
		char option[64];

		snprintf(option, sizeof(option), "\n  --%s ", d->name);
		if (!strstr((const char *)help.data, option))
			fail_msg("--help does not know --%s", d->name);
	}
	buf_free(&help);
}

static void the_file_is_what_the_table_says(void **state)
{
	struct buf text = {0};

	(void)state;
	options_put_conf(&text);
	text_file_expect(CONF_PATH, buf_slice(&text));
	buf_free(&text);
}

/* Comments that are a directive: "# port 6379". Returns how many. */
static size_t uncomment(const struct buf *conf, struct buf *out)
{
	const char *at = (const char *)conf->data, *end;
	size_t found = 0;

	for (; (end = strchr(at, '\n')) != NULL; at = end + 1) {
		struct slice name = slice_of(at + 2, strcspn(at + 2, " \n"));

		/* A paragraph ends with it, behind an empty comment. */
		if (at - (const char *)conf->data < 2 || strncmp(at - 2, "#\n# ", 4) != 0)
			continue;
		assert_non_null(directive_find(name));
		found++;
		if (name.data[name.len] == ' ')
			buf_append(out, at + 2, (size_t)(end + 1 - (at + 2)));
	}
	return found;
}

static void the_file_without_its_marks_says_the_defaults(void **state)
{
	struct buf conf = {0}, plain = {0}, problem = {0}, one = {0}, other = {0};
	struct options defaults, loaded;
	const struct directive *d;
	char path[TEXT_FILE_PATH], *argv[] = {path};
	size_t found, i;

	(void)state;
	text_file_read(CONF_PATH, &conf);
	found = uncomment(&conf, &plain);
	buf_append_byte(&plain, '\0');
	text_file_new((const char *)plain.data, path);
	assert_int_equal(options_load(&defaults, 0, argv, nothing, &problem), OK);
	if (options_load(&loaded, 1, argv, nothing, &problem) != OK)
		fail_msg("%.*s", (int)problem.len, (const char *)problem.data);
	for (i = 0; (d = directive_at(i)) != NULL; i++) {
		buf_clear(&one);
		buf_clear(&other);
		directive_put(d, &defaults, &one);
		directive_put(d, &loaded, &other);
		assert_true(slice_equal(buf_slice(&one), buf_slice(&other)));
	}
	assert_int_equal(found, i);
	assert_int_equal(unlink(path), 0);
	options_free(&defaults);
	options_free(&loaded);
	buf_free(&conf);
	buf_free(&plain);
	buf_free(&problem);
	buf_free(&one);
	buf_free(&other);
}

/* ---- docs/configuration.md ------------------------------------------------------------------- */

static void put_cell(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		buf_printf(out, text.data[i] == '|' ? "\\%c" : "%c", text.data[i]);
	buf_append_slice(out, SLICE_LITERAL(" | "));
}

static void put_row(struct buf *out, const struct directive *d)
{
	struct buf text = {0};

	buf_printf(out, "| `%s` | ", d->name);
	if (d->value && *d->value)
		buf_printf(&text, "`%s`", d->value);
	else if (d->value)
		buf_printf(&text, "empty");
	put_cell(out, buf_slice(&text));
	buf_clear(&text);
	if (d->kind == OPTION_FACT) {
		put_cell(out, SLICE_LITERAL("that and nothing else"));
	} else {
		directive_expects(d, &text);
		put_cell(out, buf_slice(&text));
		put_cell(out,
			 d->flags & DIRECTIVE_LIVE ? SLICE_LITERAL("yes") : SLICE_LITERAL("no"));
	}
	buf_printf(out, "%s |\n", d->help);
	buf_free(&text);
}

/* The words above the tables are written by hand, up to the first title of a section. */
static void the_page_is_what_the_table_says(void **state)
{
	struct buf page = {0}, text = {0};
	const struct directive *d;
	const char *tables;

	(void)state;
	text_file_read(DOCS_PATH, &page);
	tables = strstr((const char *)page.data, "\n## ");
	assert_non_null(tables);
	buf_append(&text, page.data, (size_t)(tables - (const char *)page.data));
	for (size_t i = 0; (d = directive_at(i)) != NULL; i++) {
		if (d->section && d->kind == OPTION_FACT)
			buf_printf(&text,
				   "\n## %s\n\n| directive | value | expected | why |\n"
				   "| --- | --- | --- | --- |\n",
				   d->section);
		else if (d->section)
			buf_printf(&text,
				   "\n## %s\n\n| directive | default | expected | while it runs | "
				   "what it is |\n| --- | --- | --- | --- | --- |\n",
				   d->section);
		put_row(&text, d);
	}
	text_file_expect(DOCS_PATH, buf_slice(&text));
	buf_free(&page);
	buf_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_stand_once_and_in_lower_case),
		cmocka_unit_test(help_has_every_one),
		cmocka_unit_test(the_file_is_what_the_table_says),
		cmocka_unit_test(the_file_without_its_marks_says_the_defaults),
		cmocka_unit_test(the_page_is_what_the_table_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
