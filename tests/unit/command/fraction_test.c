/*
 * Numbers with a fraction. Where the machine has them itself, as x86 has, reading, adding and
 * writing are compared with its own: random bits, and texts that are about to be rounded.
 */

#include "command/fraction.h"

#include "base/random.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The sum as text, "" for none. */
static const char *sum_of(const char *a, const char *b, char text[static FRACTION_TEXT_MAX])
{
	struct fraction x, y;

	text[0] = '\0';
	if (!fraction_parse(slice_of_text(a), &x) || !fraction_parse(slice_of_text(b), &y))
		return "?";
	if (fraction_add(&x, &y, &x))
		text[fraction_format(text, &x)] = '\0';
	return text;
}

static void sums_are_those_of_x86(void **state)
{
	static const struct {
		const char *a, *b, *sum;
	} cases[] = {
		{"0.1", "0.2", "0.3"},
		{"3.0", "1.1", "4.1"},
		{"5.0e3", "2.0e2", "5200"},
		{"1", "-1", "0"},
		{"-0", "-0", "0"},
		{"-0.00000000000000000001", "0", "0"},
		{"9223372036854775807", "0.5", "9223372036854775807.5"},
		{"9223372036854775807", "1", "9223372036854775808"},
		{"18446744073709551615", "1", "18446744073709551616"},
		{"18446744073709551616", "1", "18446744073709551616"},
		{"18446744073709551616", "3", "18446744073709551620"},
		{"123456789012345678", "0.00000000000000001", "123456789012345678"},
		{"0x10", "0x.8p1", "17"},
		{".5", "5.", "5.5"},
		{"1e4932", "1e4932", ""},
		{"inf", "-inf", ""},
		{"inf", "1", ""},
		{"1e-4950", "1", "1"},
	};
	char text[FRACTION_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(sum_of(cases[i].a, cases[i].b, text), cases[i].sum);
}

static void what_is_no_number_is_refused(void **state)
{
	static const char *const texts[] = {
		"",	   "-",		"+",	      ".",     "e5",	 "1e",	    "1e+",
		"0x",	   "0x.",	"0x1p",	      "nan",   "in",	 "infinit", "1 ",
		" 1",	   "1e400e",	"--1",	      "1.2.3", "1e5000", "1e-5000", "1e4933",
		"1e-4952", "0x1p16384", "0x1p-16446", "abc",   "1_0",	 "1p3",
	};
	struct fraction f;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (fraction_parse(slice_of_text(texts[i]), &f))
			fail_msg("'%s' is read", texts[i]);
	assert_false(fraction_parse(SLICE_LITERAL("1\0"), &f));
	assert_false(fraction_parse(SLICE_LITERAL("1\0"
						  "2"),
				    &f));
}

#if LDBL_MANT_DIG == 64

#define ROUNDS 3000

/* Any bits that are a number. */
static long double any_number(struct random *r)
{
	static const int spread[] = {1, 10, 70, 200, 16000};
	int most = spread[random_below(r, ARRAY_LEN(spread))];
	int exponent = (int)random_below(r, (uint64_t)most * 2) - most - 63;
	uint64_t mantissa = random_next(r);

	if (random_chance(r, 300000))
		mantissa &= UINT64_MAX << random_below(r, 64);
	if (random_chance(r, 100000))
		exponent = -16445 - (int)random_below(r, 3);
	if (random_chance(r, 100000))
		exponent = 16320 - (int)random_below(r, 3);
	return random_chance(r, 500000) ? ldexpl((long double)mantissa, exponent)
					: -ldexpl((long double)mantissa, exponent);
}

static struct fraction fraction_of(long double value)
{
	struct fraction f = {.negative = signbit(value), .infinite = isinf(value)};
	int exponent = 0, least;
	long double mantissa;

	if (value == 0 || f.infinite)
		return f;
	mantissa = frexpl(fabsl(value), &exponent);
	least = MAX(exponent - 64, -16445);
	f.mantissa = (uint64_t)ldexpl(mantissa, exponent - least);
	f.exponent = least;
	return f;
}

static void expect_equal(const struct fraction *f, long double value, const char *what)
{
	long double have =
		f->infinite ? (long double)INFINITY : ldexpl((long double)f->mantissa, f->exponent);

	if (f->negative)
		have = -have;
	if (have != value || (value != 0 && f->negative != (bool)signbit(value)))
		fail_msg("%s: %La instead of %La", what, have, value);
}

static void sums_are_those_of_the_machine(void **state)
{
	struct random r;

	(void)state;
	random_seed(&r, 1);
	for (int i = 0; i < 30 * ROUNDS; i++) {
		volatile long double a = any_number(&r);
		volatile long double b =
			random_chance(&r, 200000)
				? -a * (1 + LDBL_EPSILON * (long double)random_below(&r, 4))
				: any_number(&r);
		volatile long double sum = a + b;
		struct fraction x = fraction_of(a), y = fraction_of(b), z;
		bool is = fraction_add(&x, &y, &z);

		assert_int_equal(is, isfinite(sum));
		if (is)
			expect_equal(&z, sum, "sum");
	}
}

/* As Redis reads and writes. */
static bool native_parse(const char *text, long double *value)
{
	char *end;

	errno = 0;
	*value = strtold(text, &end);
	return *end == '\0' && !isnan(*value) &&
	       (errno != ERANGE || !(isinf(*value) || *value == 0));
}

static void any_text(struct random *r, char *text, size_t size)
{
	long double value = any_number(r);

	switch (random_below(r, 5)) {
	case 0:
		snprintf(text, size, "%.*Lf", (int)random_below(r, 40), value);
		break;
	case 1:
		snprintf(text, size, "%.*Le", (int)random_below(r, 40), value);
		break;
	case 2:
		snprintf(text, size, "%La", value);
		break;
	case 3:
		/* In the middle between two numbers, or nearly. */
		snprintf(text, size, "%llu.5e%d",
			 (unsigned long long)random_next(r) | UINT64_C(1) << 63,
			 (int)random_below(r, 2));
		break;
	default:
		snprintf(text, size, "%llue%d",
			 (unsigned long long)random_next(r) >> random_below(r, 64),
			 (int)random_below(r, 10000) - 5000);
	}
}

static void texts_are_read_as_the_machine_reads_them(void **state)
{
	char text[FRACTION_TEXT_MAX + 100];
	struct random r;

	(void)state;
	random_seed(&r, 2);
	for (int i = 0; i < ROUNDS; i++) {
		long double value;
		struct fraction f;
		bool is;

		any_text(&r, text, sizeof(text));
		if (strlen(text) >= FRACTION_TEXT_MAX)
			continue;
		is = native_parse(text, &value);
		if (fraction_parse(slice_of_text(text), &f) != is)
			fail_msg("%s: %d", text, is);
		if (is)
			expect_equal(&f, value, text);
	}
}

static void numbers_are_written_as_the_machine_writes_them(void **state)
{
	char have[FRACTION_TEXT_MAX], want[FRACTION_TEXT_MAX];
	struct random r;

	(void)state;
	random_seed(&r, 3);
	for (int i = 0; i < ROUNDS; i++) {
		long double value = any_number(&r);
		struct fraction f = fraction_of(value);
		size_t len;

		if (f.infinite)
			continue;
		have[fraction_format(have, &f)] = '\0';
		len = (size_t)snprintf(want, sizeof(want), "%.17Lf", value);
		while (want[len - 1] == '0')
			len--;
		want[want[len - 1] == '.' ? len - 1 : len] = '\0';
		assert_string_equal(have, strcmp(want, "-0") == 0 ? "0" : want);
	}
}

#endif

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_are_those_of_x86),
		cmocka_unit_test(what_is_no_number_is_refused),
#if LDBL_MANT_DIG == 64
		cmocka_unit_test(sums_are_those_of_the_machine),
		cmocka_unit_test(texts_are_read_as_the_machine_reads_them),
		cmocka_unit_test(numbers_are_written_as_the_machine_writes_them),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
