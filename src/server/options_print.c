/* The table of directives as text for people. */

#include "server/directive.h"

/* Where lines of the file end. */
#define LINE_LEN 96

static void put_help_line(const struct directive *d, struct buf *out)
{
	buf_printf(out, "  --%-26s %s", d->name, d->help);
	if (d->value)
		buf_printf(out, " [%s]", d->value);
	buf_printf(out, "\n");
}

void options_put_help(struct buf *out)
{
	const struct directive *d;

	buf_printf(
		out,
		"usage: conclave-server [file] [--directive value ...]\n"
		"       conclave-server --help | --version | --print-conf\n"
		"       conclave-server [file] [--directive value ...] --force-new-cluster\n\n"
		"Directives stand in the file without the dashes, and in the environment as\n"
		"CONCLAVE_PEER_PORT; the command line is stronger than the file, the file is\n"
		"stronger than the environment. --print-conf prints a file with all of them.\n"
		"--force-new-cluster is for the last member that is left when a majority is lost\n"
		"for ever: it goes on alone with what it has, and forgets the others. What they\n"
		"alone had acknowledged is gone; never start them again with their directories.\n");
	for (size_t i = 0; (d = directive_at(i)) != NULL; i++) {
		if (d->section)
			buf_printf(out, "\n%s:\n", d->section);
		put_help_line(d, out);
	}
}

/* As comment lines, broken at blanks. */
static void put_comment(const char *text, struct buf *out)
{
	struct slice rest = slice_of_text(text);

	while (rest.len > 0) {
		size_t len = rest.len, next;

		if (len > LINE_LEN) {
			len = LINE_LEN;
			while (len > 1 && rest.data[len] != ' ')
				len--;
		}
		next = len < rest.len ? len + 1 : len;
		buf_printf(out, "# %.*s\n", (int)len, (const char *)rest.data);
		rest = slice_of(rest.data + next, rest.len - next);
	}
}

static void put_about(const struct directive *d, struct buf *out)
{
	struct buf text = {0};

	buf_printf(&text, "%s.", d->help);
	if (d->kind != OPTION_FACT) {
		buf_printf(&text, " Expected: ");
		directive_expects(d, &text);
		buf_printf(&text, d->flags & DIRECTIVE_LIVE ? ". CONFIG SET takes it." : ".");
	}
	buf_append_byte(&text, '\0');
	put_comment((const char *)text.data, out);
	buf_free(&text);
}

void options_put_conf(struct buf *out)
{
	const struct directive *d;

	buf_printf(out, "# Every directive of conclave-server, with its default; those without one "
			"have no value\n"
			"# behind them. Made by conclave-server --print-conf. Take away the # in "
			"front of what is to\n"
			"# be otherwise. Words with blanks are quoted: \"two words\".\n");
	for (size_t i = 0; (d = directive_at(i)) != NULL; i++) {
		if (d->section)
			buf_printf(out, "\n# ---- %s ----\n", d->section);
		buf_printf(out, "\n");
		put_about(d, out);
		buf_printf(out, "#\n# %s", d->name);
		if (d->value) {
			buf_append_byte(out, ' ');
			if (options_value_is_list(d->kind))
				buf_printf(out, "%s", d->value);
			else
				options_value_quote(slice_of_text(d->value), out);
		}
		buf_append_byte(out, '\n');
	}
}
