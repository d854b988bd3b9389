/* HELP of a command with subcommands: what its table says of each, in the form that Redis has. */

#include "base/error.h"
#include "command/family.h"
#include "command/syntax.h"

#include <string.h>

/* Text in lines of at most so many bytes, behind four blanks. */
#define HELP_LINE_MAX 76

static void help_line(struct call *c, struct buf *line, size_t *lines)
{
	resp_write_simple(c->reply, buf_slice(line));
	buf_clear(line);
	++*lines;
}

/* A sentence, with its point, broken between words. */
static void help_text(struct call *c, const char *text, size_t *lines)
{
	struct buf line = {0};

	buf_printf(&line, "   ");
	while (*text) {
		size_t len = strcspn(text, " ");

		if (line.len > 4 && line.len + 1 + len > HELP_LINE_MAX) {
			help_line(c, &line, lines);
			buf_printf(&line, "   ");
		}
		buf_append_byte(&line, ' ');
		buf_append(&line, text, len);
		text += len;
		text += strspn(text, " ");
	}
	buf_append_byte(&line, '.');
	help_line(c, &line, lines);
	buf_free(&line);
}

int reply_help(struct call *c)
{
	size_t len = (size_t)(strchr(c->command->name, '|') - c->command->name), lines = 0;
	const struct command *parent = command_find(slice_of(c->command->name, len)), *sub;
	struct resp_open open = resp_open_array(c->reply);
	struct buf line = {0};

	buf_printf(&line,
		   "%s <subcommand> [<arg> [value] [opt] ...]. Subcommands are:", parent->name);
	help_line(c, &line, &lines);
	if (parent->run) {
		buf_printf(&line, "(no subcommand)");
		help_line(c, &line, &lines);
		help_text(c, parent->doc.summary, &lines);
	}
	for (size_t i = 0; (sub = command_subcommand_at(parent, i)) != NULL; i++) {
		buf_printf(&line, "%s%s", sub->name + len + 1, *sub->doc.syntax ? " " : "");
		syntax_append_text(sub->doc.syntax, &line);
		help_line(c, &line, &lines);
		help_text(c, sub->doc.summary, &lines);
	}
	buf_free(&line);
	resp_close(c->reply, open, lines);
	return OK;
}
