#include "mix.h"

#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void expect_named(const char *text, int rc, const char *problem)
{
	struct mix m;
	struct buf said = {0};

	mix_init(&m, 3);
	assert_int_equal(mix_add_named(&m, text, &said), rc);
	buf_append_byte(&said, '\0');
	assert_true(!problem || strstr((const char *)said.data, problem));
	buf_free(&said);
	mix_free(&m);
}

static void mixes_are_read(void **state)
{
	struct mix m;
	struct buf problem = {0};

	(void)state;
	mix_init(&m, 3);
	assert_int_equal(mix_add_named(&m, "get=90,set=10,ping", &problem), OK);
	assert_int_equal(m.count, 3);
	assert_int_equal(m.weight, 101);
	assert_string_equal(m.commands[0].name, "get");
	assert_int_equal(m.commands[0].weight, 90);
	assert_string_equal(m.commands[2].name, "ping");
	assert_int_equal(problem.len, 0);
	mix_free(&m);
}

static void what_is_no_mix_is_refused(void **state)
{
	(void)state;
	expect_named("", ERR_INVALID, "there is no ''");
	expect_named("get=1,", ERR_INVALID, "there is no ''");
	expect_named("fetch=1", ERR_INVALID, "there is no 'fetch' in a mix; there are: get set");
	expect_named("get=0", ERR_INVALID, "a weight is a number from 1");
	expect_named("get=", ERR_INVALID, "'get=' in a mix");
	expect_named("get=1x,set=1", ERR_INVALID, "'get=1x' in a mix");
	expect_named("get=-1", ERR_INVALID, "weight");
	expect_named("get=1000001", ERR_INVALID, "weight");
}

/* The request of a mix's only command, with keys one after the other from 41 on. */
static void expect_request(struct mix *m, const char *expected)
{
	struct picker_choice in_order = {.kind = PICKER_SEQUENTIAL};
	struct mix_source source = {.values = (const uint8_t *)"xyz", .values_len = 3};
	struct buf out = {0};

	assert_int_equal(m->count, 1);
	random_seed(&source.random, 1);
	picker_init(&source.picker, &in_order, 1000, 41);
	mix_put(m, 0, &source, &out);
	assert_true(slice_equal(buf_slice(&out), slice_of_text(expected)));
	buf_free(&out);
}

static void expect_line(const char *line, const char *expected)
{
	struct buf problem = {0};
	struct mix m;

	mix_init(&m, 3);
	assert_int_equal(mix_add_line(&m, line, &problem), OK);
	expect_request(&m, expected);
	mix_free(&m);
}

static void places_are_filled(void **state)
{
	(void)state;
	expect_line("PING", "*1\r\n$4\r\nPING\r\n");
	expect_line("SET {key} {value}",
		    "*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000041\r\n$3\r\nxyz\r\n");
	expect_line("MSET {key} 1 {key} 2",
		    "*5\r\n$4\r\nMSET\r\n$16\r\nkey:000000000041\r\n$1\r\n1\r\n"
		    "$16\r\nkey:000000000042\r\n$1\r\n2\r\n");
	expect_line("DEL 'a {number} b{value}c'",
		    "*2\r\n$3\r\nDEL\r\n$20\r\na 000000000041 bxyzc\r\n");
	expect_line("GET {keys} {", "*3\r\n$3\r\nGET\r\n$6\r\n{keys}\r\n$1\r\n{\r\n");
	expect_line("ECHO \"\\x41\\n\"", "*2\r\n$4\r\nECHO\r\n$2\r\nA\n\r\n");
}

static void lines_have_weights(void **state)
{
	struct buf problem = {0};
	struct mix m;

	(void)state;
	mix_init(&m, 3);
	assert_int_equal(mix_add_line(&m, "7=PING", &problem), OK);
	assert_int_equal(mix_add_line(&m, "ECHO 7=1", &problem), OK);
	assert_int_equal(m.weight, 8);
	assert_string_equal(m.commands[0].name, "PING");
	assert_string_equal(m.commands[1].name, "ECHO 7=1");
	assert_int_equal(mix_add_line(&m, "0=PING", &problem), ERR_INVALID);
	assert_int_equal(mix_add_line(&m, "PING 'a", &problem), ERR_INVALID);
	assert_int_equal(mix_add_line(&m, "  ", &problem), ERR_INVALID);
	assert_int_equal(mix_add_line(&m, "3=", &problem), ERR_INVALID);
	assert_int_equal(m.count, 2);
	buf_free(&problem);
	mix_free(&m);
}

static void commands_come_by_their_weights(void **state)
{
	struct buf problem = {0};
	struct random random;
	struct mix m;
	unsigned counts[3] = {0};

	(void)state;
	random_seed(&random, 3);
	mix_init(&m, 3);
	assert_int_equal(mix_add_named(&m, "get=70,set=25,incr=5", &problem), OK);
	for (int i = 0; i < 100000; i++)
		counts[mix_choose(&m, &random)]++;
	assert_in_range(counts[0], 69000, 71000);
	assert_in_range(counts[1], 24000, 26000);
	assert_in_range(counts[2], 4500, 5500);
	mix_free(&m);
}

static void expect_fillings(const char *mix, const char *first, const char *second)
{
	struct buf problem = {0};
	struct mix m;

	mix_init(&m, 3);
	assert_int_equal(mix_add_named(&m, mix, &problem), OK);
	for (size_t i = 0; i < 2; i++) {
		const char *wanted = i ? second : first, *found = mix_filling(&m, i);

		assert_true(wanted ? found && strcmp(found, wanted) == 0 : !found);
	}
	mix_free(&m);
}

static void what_is_asked_for_can_be_made(void **state)
{
	static const char strings[] = "SET {key} {value}";
	static const char hashes[] = "HSET hash:{number} field {value}";

	(void)state;
	expect_fillings("get", strings, NULL);
	expect_fillings("hget,incr", hashes, NULL);
	expect_fillings("hset,set", strings, hashes);
	expect_fillings("ping,incr", NULL, NULL);
}

static void values_differ_and_have_their_length(void **state)
{
	static const uint8_t values[] = "0123456789abcdef";
	struct picker_choice in_order = {.kind = PICKER_SEQUENTIAL};
	struct mix_source source = {.values = values, .values_len = 16};
	struct buf out = {0}, problem = {0};
	struct mix m;
	bool seen[16] = {false};

	(void)state;
	random_seed(&source.random, 1);
	picker_init(&source.picker, &in_order, 1, 0);
	mix_init(&m, 4);
	assert_int_equal(mix_add_line(&m, "ECHO {value}", &problem), OK);
	for (int i = 0; i < 1000; i++) {
		const uint8_t *at;

		buf_clear(&out);
		mix_put(&m, 0, &source, &out);
		assert_int_equal(out.len, strlen("*2\r\n$4\r\nECHO\r\n$4\r\n0123\r\n"));
		at = memchr(values, out.data[out.len - 6], 16);
		assert_non_null(at);
		assert_memory_equal(at, out.data + out.len - 6, 4);
		seen[at - values] = true;
	}
	for (int i = 0; i <= 12; i++)
		assert_true(seen[i]);
	buf_free(&out);
	mix_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mixes_are_read),
		cmocka_unit_test(what_is_no_mix_is_refused),
		cmocka_unit_test(places_are_filled),
		cmocka_unit_test(lines_have_weights),
		cmocka_unit_test(commands_come_by_their_weights),
		cmocka_unit_test(what_is_asked_for_can_be_made),
		cmocka_unit_test(values_differ_and_have_their_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
