/* The table of commands as a whole. */

#include "command/command.h"

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
	assert_int_equal(c->first_key > 0, c->key_step > 0);
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
		cmocka_unit_test(names_are_whole_words_in_any_case),
		cmocka_unit_test(keys_are_found_among_the_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
