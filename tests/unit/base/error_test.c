#include "base/error.h"

#include "base/compiler.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	int number;
	const char *name;
	const char *text;
} errors[] = {
#define ERROR_ROW(name, number, text) {number, #name, text},
	ERRORS(ERROR_ROW)
#undef ERROR_ROW
};

static void every_error_has_its_own_number_name_and_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		assert_string_equal(error_name(errors[i].number), errors[i].name);
		assert_string_equal(error_text(errors[i].number), errors[i].text);
		assert_true(strlen(errors[i].text) > 0);
		for (size_t j = 0; j < i; j++) {
			assert_int_not_equal(errors[i].number, errors[j].number);
			assert_string_not_equal(errors[i].text, errors[j].text);
		}
	}
	assert_int_equal(OK, 0);
}

static void unknown_numbers_have_a_name_and_a_text_too(void **state)
{
	static const int unknown[] = {-1, 12345, INT32_MAX, INT32_MIN};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(unknown); i++) {
		assert_string_equal(error_name(unknown[i]), "ERR_UNKNOWN");
		assert_string_equal(error_text(unknown[i]), "unknown error");
	}
}

static void what_the_system_says_becomes_the_nearest_error(void **state)
{
	(void)state;
	assert_int_equal(error_from_errno(0), OK);
	assert_int_equal(error_from_errno(ENOSPC), ERR_NO_SPACE);
	assert_int_equal(error_from_errno(EDQUOT), ERR_NO_SPACE);
	assert_int_equal(error_from_errno(ENOENT), ERR_NOT_FOUND);
	assert_int_equal(error_from_errno(EEXIST), ERR_EXISTS);
	assert_int_equal(error_from_errno(EINVAL), ERR_INVALID);
	assert_int_equal(error_from_errno(EFBIG), ERR_TOO_LARGE);
	assert_int_equal(error_from_errno(EIO), ERR_IO);
	assert_int_equal(error_from_errno(EPIPE), ERR_IO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_error_has_its_own_number_name_and_text),
		cmocka_unit_test(unknown_numbers_have_a_name_and_a_text_too),
		cmocka_unit_test(what_the_system_says_becomes_the_nearest_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
