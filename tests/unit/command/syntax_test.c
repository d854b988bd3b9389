/* The text of arguments as a tree. */

#include "command/syntax.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void show_marks(const struct syntax_node *n, struct buf *out)
{
	buf_printf(out, "%s%s", n->optional ? "?" : "", n->multiple ? "*" : "");
}

/* All but the parts and the marks behind. */
static void show_head(const struct syntax_node *n, struct buf *out)
{
	buf_append_slice(out, n->word);
	if (n->word.len && n->kind != SYNTAX_WORD)
		buf_append_byte(out, '=');
	buf_append_slice(out, n->name);
	if (n->type.len)
		buf_append_byte(out, ':');
	buf_append_slice(out, n->type);
	if (n->kind == SYNTAX_ONE_OF || n->kind == SYNTAX_ALL_OF)
		buf_printf(out, n->kind == SYNTAX_ONE_OF ? "(one" : "(all");
}

/* The tree as text that shows its form: (all a b), (one a b), ? for optional, * for multiple. */
static void show(const struct syntax *s, struct buf *out)
{
	size_t open[SYNTAX_NODES_MAX], depth = 0, at = 0;

	show_head(&s->nodes[0], out);
	open[depth++] = 0;
	at = s->nodes[0].parts;
	while (depth > 0) {
		if (!at) {
			const struct syntax_node *n = &s->nodes[open[--depth]];

			buf_append_byte(out, ')');
			show_marks(n, out);
			at = n->next;
			continue;
		}
		buf_append_byte(out, ' ');
		show_head(&s->nodes[at], out);
		if (s->nodes[at].parts) {
			open[depth++] = at;
			at = s->nodes[at].parts;
		} else {
			show_marks(&s->nodes[at], out);
			at = s->nodes[at].next;
		}
	}
}

static void expect(const char *text, const char *form)
{
	struct syntax s;
	struct buf out = {0};

	syntax_parse(text, &s);
	show(&s, &out);
	buf_append_byte(&out, 0);
	assert_string_equal((char *)out.data, form);
	buf_free(&out);
}

static void values_and_words_stand_one_after_the_other(void **state)
{
	(void)state;
	expect("", "(all)");
	expect("key", "(all key)");
	expect("key value:integer", "(all key value:integer)");
	expect("id name address [LEARNER]", "(all id name address LEARNER?)");
}

static void a_word_in_brackets_takes_what_follows_it(void **state)
{
	(void)state;
	expect("[COUNT count]", "(all COUNT=count?)");
	expect("[LIMIT offset count]", "(all LIMIT=(all offset count)?)");
	expect("[start end [BYTE|BIT]]", "(all (all start end (one BYTE BIT)?)?)");
	expect("[FILTERBY <MODULE name|PATTERN pattern>]",
	       "(all FILTERBY=(one MODULE=name PATTERN=pattern)?)");
}

static void one_of_several_is_chosen(void **state)
{
	(void)state;
	expect("<ON|OFF>", "(all (one ON OFF))");
	expect("key [EX seconds|KEEPTTL]", "(all key (one EX=seconds KEEPTTL)?)");
	expect("<revision|TIME ms> command [arg ...]",
	       "(all (one revision TIME=ms) command arg?*)");
}

static void what_is_repeated_comes_once_or_more(void **state)
{
	(void)state;
	expect("key [key ...]", "(all key*)");
	expect("destkey key [key ...]", "(all destkey key*)");
	expect("key field value [field value ...]", "(all key (all field value)*)");
	expect("key [GET type at [GET type at ...]]", "(all key GET=(all type at)?*)");
	expect("key [BIT] [key ...]", "(all key BIT? key?*)");
}

static void people_read_it_without_types(void **state)
{
	struct buf out = {0};

	(void)state;
	syntax_append_text("key value:integer [BY step:double|n:x ...]", &out);
	buf_append_byte(&out, 0);
	assert_string_equal((char *)out.data, "key value [BY step|n ...]");
	buf_free(&out);
}

static void a_node_is_called_by_the_first_name_in_it(void **state)
{
	struct syntax s;

	(void)state;
	syntax_parse("[LIMIT offset count] [NX|XX]", &s);
	assert_true(slice_equal(syntax_name(&s, s.nodes[0].parts), SLICE_LITERAL("offset")));
	assert_true(
		slice_equal(syntax_name(&s, s.nodes[s.nodes[0].parts].next), SLICE_LITERAL("NX")));
	assert_int_equal(syntax_length(&s, s.nodes[0].parts), 2);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_and_words_stand_one_after_the_other),
		cmocka_unit_test(a_word_in_brackets_takes_what_follows_it),
		cmocka_unit_test(one_of_several_is_chosen),
		cmocka_unit_test(what_is_repeated_comes_once_or_more),
		cmocka_unit_test(people_read_it_without_types),
		cmocka_unit_test(a_node_is_called_by_the_first_name_in_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
