/* The table of commands as a whole. */

#include "command/command.h"
#include "command/syntax.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct command *find(const char *name)
{
	return command_find(slice_of_text(name));
}

/* Everything that is said of it is said. */
static void check_doc(const struct command *c)
{
	struct syntax syntax;
	size_t len = strlen(c->doc.summary);

	/* Who looks for a name in any case compares it with capital letters. */
	for (const char *at = c->name; *at; at++)
		assert_false(*at >= 'a' && *at <= 'z');
	assert_non_null(command_group_name(c->doc.group));
	assert_true(strlen(c->doc.since) >= strlen("0.1.0") && strlen(c->doc.complexity) > 0);
	assert_true(len > 10 && c->doc.summary[0] >= 'A' && c->doc.summary[0] <= 'Z');
	assert_int_not_equal(c->doc.summary[len - 1], '.');
	syntax_parse(c->doc.syntax, &syntax);
	/* Who takes more than its name says what, and who takes no more says nothing. */
	assert_int_equal(c->arity > 0 && c->arity <= 1 + (strchr(c->name, '|') != NULL),
			 c->doc.syntax[0] == '\0' && c->arity > 0);
}

static void check_keys(const struct command *c)
{
	uint32_t modes = KEY_RO | KEY_RW | KEY_OW | KEY_RM;

	assert_int_equal(c->first_key > 0, c->key_step > 0);
	assert_int_equal(c->first_key > 0, c->key_use != 0);
	assert_int_equal(__builtin_popcount(c->key_use & modes), c->first_key > 0);
	assert_int_equal(__builtin_popcount(c->later_use & modes), c->later_use != 0);
	assert_int_equal((c->key_use & KEY_VARIABLE) != 0, c->key_use_in != NULL);
	assert_int_equal((c->flags & COMMAND_FLAG_MOVABLE_KEYS) != 0, c->inner != NULL);
	/* Who only reads changes no key. */
	if (c->class == COMMAND_READ)
		assert_false((c->key_use | c->later_use) & ~(uint32_t)(KEY_RO | KEY_ACCESS));
}

static void check_row(const struct command *c, const struct command *parent)
{
	assert_true(c->class == COMMAND_LOCAL || c->class == COMMAND_READ ||
		    c->class == COMMAND_WRITE || c->class == COMMAND_CLUSTER);
	assert_int_not_equal(c->arity, 0);
	assert_true(c->run || c->role || c->subcommands);
	for (const char *at = c->name; *at; at++)
		assert_false(*at >= 'a' && *at <= 'z');
	/* What COMMAND tells of a command is what becomes of it. */
	assert_int_equal((c->flags & COMMAND_FLAG_WRITE) != 0, c->class == COMMAND_WRITE);
	assert_false((c->flags & COMMAND_FLAG_READONLY) && c->class != COMMAND_READ);
	assert_true(!c->doc.of_member || c->class == COMMAND_READ);
	check_keys(c);
	check_doc(c);
	if (parent)
		assert_int_equal(strncmp(c->name, parent->name, strlen(parent->name)), 0);
}

static void every_row_is_whole_and_found_by_its_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < command_count(); i++) {
		const struct command *c = command_at(i), *sub;

		check_row(c, NULL);
		assert_ptr_equal(find(c->name), c);
		for (size_t j = 0; (sub = command_subcommand_at(c, j)) != NULL; j++) {
			const struct command *parent;
			struct slice argv[2] = {
				slice_of_text(c->name),
				slice_of_text(sub->name + strlen(c->name) + 1),
			};

			check_row(sub, c);
			assert_ptr_equal(command_lookup(argv, 2, &parent), sub);
		}
	}
	assert_null(command_at(command_count()));
}

/* Some line begins with this word. */
static bool has_line_of(const char *lines, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = lines; at; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (strncmp(at, word, len) == 0 && strchr(" \n", at[len]))
			return true;
	}
	return false;
}

static void help_tells_of_every_subcommand(void **state)
{
	(void)state;
	for (size_t i = 0; i < command_count(); i++) {
		const struct command *c = command_at(i), *sub;
		const char *help = command_help(c);
		bool has_help = false;

		for (size_t j = 0; (sub = command_subcommand_at(c, j)) != NULL; j++) {
			const char *word = sub->name + strlen(c->name) + 1;

			has_help = has_help || strcmp(word, "HELP") == 0;
			assert_true(strcmp(word, "HELP") == 0 || has_line_of(help, word));
		}
		assert_int_equal(c->subcommands != NULL, has_help);
		assert_true(has_help <= (help != NULL));
	}
}

static void no_name_stands_there_twice(void **state)
{
	(void)state;
	for (size_t i = 0; i < command_count(); i++) {
		const struct command *c = command_at(i), *a, *b;

		for (size_t j = i + 1; j < command_count(); j++)
			assert_string_not_equal(c->name, command_at(j)->name);
		for (size_t j = 0; (a = command_subcommand_at(c, j)) != NULL; j++)
			for (size_t k = j + 1; (b = command_subcommand_at(c, k)) != NULL; k++)
				assert_string_not_equal(a->name, b->name);
	}
}

static void subcommands_are_named_behind_a_bar(void **state)
{
	(void)state;
	assert_string_equal(command_named(SLICE_LITERAL("Client|id"))->name, "CLIENT|ID");
	assert_ptr_equal(command_named(SLICE_LITERAL("get")), find("GET"));
	assert_null(command_named(SLICE_LITERAL("client|nope")));
	assert_null(command_named(SLICE_LITERAL("client|")));
	assert_null(command_named(SLICE_LITERAL("get|id")));
	assert_null(command_named(SLICE_LITERAL("|")));
	assert_null(command_named(SLICE_LITERAL("")));
}

static void categories_follow_from_flags_and_group(void **state)
{
	(void)state;
	assert_int_equal(command_categories(find("GET")),
			 CATEGORY_STRING | CATEGORY_READ | CATEGORY_FAST);
	assert_int_equal(command_categories(find("FLUSHALL")),
			 CATEGORY_KEYSPACE | CATEGORY_WRITE | CATEGORY_SLOW | CATEGORY_DANGEROUS);
	assert_int_equal(command_categories(find("OBJECT")), CATEGORY_SLOW);
	assert_int_equal(command_categories(command_named(SLICE_LITERAL("member|remove"))),
			 CATEGORY_CONNECTION | CATEGORY_ADMIN | CATEGORY_DANGEROUS | CATEGORY_SLOW);
}

static void names_are_whole_words_in_any_case(void **state)
{
	struct slice argv[2] = {SLICE_LITERAL("cLiEnT"), SLICE_LITERAL("nope")};
	const struct command *parent;

	(void)state;
	assert_ptr_equal(find("gEt"), find("GET"));
	assert_null(find("GE"));
	assert_null(find("GETT"));
	assert_null(find(""));
	assert_null(command_find(SLICE_LITERAL("GET\0")));
	assert_null(command_find(SLICE_LITERAL("\x07"
					       "ET")));
	assert_null(command_lookup(argv, 2, &parent));
	assert_ptr_equal(parent, find("CLIENT"));
	argv[0] = SLICE_LITERAL("nope");
	assert_null(command_lookup(argv, 2, &parent));
	assert_null(parent);
}

static void keys_are_found_among_the_arguments(void **state)
{
	const struct command *mset = find("MSET"), *del = find("DEL"), *ping = find("PING");

	(void)state;
	assert_int_equal(command_next_key(mset, 5, 0), 1);
	assert_int_equal(command_next_key(mset, 5, 1), 3);
	assert_int_equal(command_next_key(mset, 5, 3), 0);
	assert_int_equal(command_next_key(del, 3, 1), 2);
	assert_int_equal(command_next_key(del, 3, 2), 0);
	assert_int_equal(command_next_key(ping, 2, 0), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_whole_and_found_by_its_name),
		cmocka_unit_test(help_tells_of_every_subcommand),
		cmocka_unit_test(no_name_stands_there_twice),
		cmocka_unit_test(subcommands_are_named_behind_a_bar),
		cmocka_unit_test(categories_follow_from_flags_and_group),
		cmocka_unit_test(names_are_whole_words_in_any_case),
		cmocka_unit_test(keys_are_found_among_the_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
