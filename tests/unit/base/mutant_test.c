#include "base/mutant.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void only_the_mutant_build_breaks_rules(void **state)
{
	bool broken;

	(void)state;
	mutant_choose("break_this_rule");
	broken = MUTANT(break_this_rule);
	mutant_choose(NULL);
#ifdef CONCLAVE_MUTANTS
	assert_true(broken);
#else
	assert_false(broken);
#endif
	assert_false(MUTANT(break_this_rule));
}

static void one_mutant_is_chosen_by_its_whole_name(void **state)
{
	(void)state;
	assert_false(mutant_is("one"));
	mutant_choose("one");
	assert_true(mutant_is("one"));
	assert_false(mutant_is("on"));
	assert_false(mutant_is("one_more"));
	mutant_choose("two");
	assert_false(mutant_is("one"));
	mutant_choose(NULL);
	assert_false(mutant_is("two"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_mutant_build_breaks_rules),
		cmocka_unit_test(one_mutant_is_chosen_by_its_whole_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
