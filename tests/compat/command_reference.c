/*
 * Writes what is made from the table of commands and nothing else: docs/commands.md or, called with
 * "index", src/command/table_index.c.
 */

#include "command/command.h"
#include "command/syntax.h"
#include "command/table_index.h"

#include <stdio.h>
#include <string.h>

static const char head[] =
	"# Commands\n"
	"\n"
	"<!-- Made by `make reference` from the rows in `src/command/`; not to be edited. -->\n"
	"\n"
	"All commands, by group. *Since* is the version of Redis that has the command, or of "
	"Conclave if Redis has it not. How each\n"
	"answers is that of Redis 7.0, byte for byte, in both versions of the protocol, unless "
	"something else is said here.\n"
	"\n"
	"What becomes of a command:\n"
	"\n"
	"- **write**: goes through the log, and is answered when it is applied on this member.\n"
	"- **read**: waits until this member has all that was acknowledged anywhere, then reads "
	"its own state; after `READONLY`\n"
	"  it does not wait.\n"
	"- **member**: is about the connection or this member; answered at once, with or without "
	"a majority.\n"
	"- **cluster**: changes who takes part; done by whoever leads.\n"
	"\n"
	"*Differs between members*: the reply is about this member, or drawn by it; all others "
	"follow from the state alone.\n"
	"\n"
	"What holds of all: a request that would do too much at once is refused as a whole, before "
	"it "
	"has changed anything; an outcome\n"
	"that is not known in time is `UNCERTAIN`, on a connection that stays open; nothing is "
	"ever "
	"evicted.\n";

static const char *class_name(enum command_class class)
{
	switch (class) {
	case COMMAND_LOCAL:
		return "member";
	case COMMAND_READ:
		return "read";
	case COMMAND_WRITE:
		return "write";
	case COMMAND_CLUSTER:
		break;
	}
	return "cluster";
}

/* "CLIENT|ID" as it is typed. */
static void print_name(const struct command *c)
{
	for (const char *at = c->name; *at; at++)
		putchar(*at == '|' ? ' ' : *at);
}

static void print_syntax(const struct command *c)
{
	struct buf text = {0};

	if (!*c->doc.syntax)
		return;
	syntax_append_text(c->doc.syntax, &text);
	printf(" %.*s", (int)text.len, (const char *)text.data);
	buf_free(&text);
}

static void print_command(const struct command *c)
{
	printf("\n### ");
	print_name(c);
	printf("\n\n    ");
	print_name(c);
	print_syntax(c);
	printf("\n\n%s.\n\n", c->doc.summary);
	printf("Since %s, %s, %s.", c->doc.since, class_name(c->class), c->doc.complexity);
	if (c->doc.of_member)
		printf(" Differs between members.");
	putchar('\n');
	if (c->doc.differs)
		printf("\nUnlike Redis 7.0: %s.\n", c->doc.differs);
}

/* What has only subcommands is told by them. */
static void print_all(const struct command *c)
{
	const struct command *sub;

	if (c->run || c->role)
		print_command(c);
	for (size_t i = 0; (sub = command_subcommand_at(c, i)) != NULL; i++)
		print_command(sub);
}

/* The next one by name behind `last`. */
static const struct command *next_of(enum command_group group, const struct command *last)
{
	const struct command *best = NULL;

	for (size_t i = 0; i < command_count(); i++) {
		const struct command *c = command_at(i);

		if (c->doc.group != group || (last && strcmp(c->name, last->name) <= 0))
			continue;
		if (!best || strcmp(c->name, best->name) < 0)
			best = c;
	}
	return best;
}

static void print_index(void)
{
	uint16_t index[COMMAND_INDEX_SIZE] = {0};

	for (size_t i = 0; i < command_count(); i++) {
		size_t at = command_name_hash(slice_of_text(command_at(i)->name));

		while (index[at])
			at = (at + 1) % COMMAND_INDEX_SIZE;
		index[at] = command_place(i);
	}
	printf("/* Made by `make reference` from the rows of all families; not to be edited. */\n\n"
	       "#include \"command/table_index.h\"\n\n"
	       "/* clang-format off */\n"
	       "const uint16_t command_index[COMMAND_INDEX_SIZE] = {\n");
	for (size_t i = 0; i < COMMAND_INDEX_SIZE; i++)
		printf("%s0x%04x,%s", i % 12 ? " " : "\t", index[i], i % 12 == 11 ? "\n" : "");
	printf("\n};\n");
}

static void print_reference(void)
{
	fputs(head, stdout);
	for (enum command_group g = GROUP_STRING; g <= GROUP_CLUSTER; g++) {
		const char *name = command_group_name(g);

		printf("\n## %c%s\n", name[0] & ~0x20, name + 1);
		for (const struct command *c = NULL; (c = next_of(g, c)) != NULL;)
			print_all(c);
	}
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "index") == 0)
		print_index();
	else
		print_reference();
	return ferror(stdout) ? 1 : 0;
}
