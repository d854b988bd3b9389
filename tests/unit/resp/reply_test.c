#include "resp/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static enum resp_reply_outcome take(const char *text, struct resp_item *item)
{
	return resp_item_take((const uint8_t *)text, strlen(text), item);
}

static void every_type_is_read(void **state)
{
	static const struct {
		const char *text;
		const char *shown; /* NULL: no text */
		int64_t integer;
		uint64_t items;
		bool null;
	} rows[] = {
		{"+OK\r\n", "OK", 0, 0, false},
		{"+\r\n", "", 0, 0, false},
		{"-ERR no\r\n", "ERR no", 0, 0, false},
		{":-12\r\n", "-12", -12, 0, false},
		{"$3\r\na\r\n\r\n", "a\r\n", 0, 0, false},
		{"$0\r\n\r\n", "", 0, 0, false},
		{"$-1\r\n", NULL, 0, 0, true},
		{"*-1\r\n", NULL, 0, 0, true},
		{"*0\r\n", NULL, 0, 0, false},
		{"*3\r\n", NULL, 0, 3, false},
		{"_\r\n", NULL, 0, 0, true},
		{"#t\r\n", "t", 1, 0, false},
		{"#f\r\n", "f", 0, 0, false},
		{",1.5\r\n", "1.5", 0, 0, false},
		{"(123456789012345678901\r\n", "123456789012345678901", 0, 0, false},
		{"!5\r\nERR a\r\n", "ERR a", 0, 0, false},
		{"=6\r\ntxt:ab\r\n", "txt:ab", 0, 0, false},
		{"%2\r\n", NULL, 0, 4, false},
		{"~2\r\n", NULL, 0, 2, false},
		{">3\r\n", NULL, 0, 3, false},
		{"|1\r\n", NULL, 0, 2, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct resp_item item;

		assert_int_equal(take(rows[i].text, &item), RESP_REPLY_WHOLE);
		assert_int_equal(item.type, rows[i].text[0]);
		assert_int_equal(item.size, strlen(rows[i].text));
		assert_int_equal(item.null, rows[i].null);
		assert_int_equal(item.integer, rows[i].integer);
		assert_int_equal(item.items, rows[i].items);
		assert_int_equal(resp_item_is_error(&item),
				 rows[i].text[0] == '-' || rows[i].text[0] == '!');
		if (rows[i].shown)
			assert_true(slice_equal(item.text, slice_of_text(rows[i].shown)));
	}
}

static void what_is_no_protocol_is_broken(void **state)
{
	static const char *const broken[] = {
		"\r\n",	   "OK\r\n",	      "+a\rb\r\n",	 ":1.5\r\n", ":\r\n",
		"$x\r\n",  "$-2\r\n",	      "$1\r\nabc",	 "$?\r\n",   "*-2\r\n",
		"%-1\r\n", "~-1\r\n",	      "#x\r\n",		 "#\r\n",    "_x\r\n",
		"!-1\r\n", "*2147483648\r\n", "$1073741825\r\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
		struct resp_item item;

		assert_int_equal(take(broken[i], &item), RESP_REPLY_BROKEN);
	}
}

static void a_line_without_end_is_broken_once_it_is_too_long(void **state)
{
	static uint8_t line[RESP_REPLY_LINE_MAX + 3];
	struct resp_item item;

	(void)state;
	memset(line, 'a', sizeof(line));
	line[0] = '+';
	assert_int_equal(resp_item_take(line, RESP_REPLY_LINE_MAX, &item), RESP_REPLY_MORE);
	assert_int_equal(resp_item_take(line, RESP_REPLY_LINE_MAX + 1, &item), RESP_REPLY_BROKEN);
	memcpy(line + RESP_REPLY_LINE_MAX, "\r\n", 2);
	assert_int_equal(resp_item_take(line, RESP_REPLY_LINE_MAX + 2, &item), RESP_REPLY_WHOLE);
	assert_int_equal(item.text.len, RESP_REPLY_LINE_MAX - 1);
}

static const char stream[] = "+OK\r\n"
			     "*2\r\n*1\r\n$1\r\na\r\n*0\r\n"
			     "%1\r\n+k\r\n~2\r\n:1\r\n_\r\n"
			     "|1\r\n+ttl\r\n:9\r\n$2\r\nhi\r\n"
			     ">2\r\n+message\r\n$-1\r\n"
			     "-ERR x\r\n";
static const size_t sizes[] = {5, 19, 19, 22, 19, 8};

/* However the bytes come, the ends of the replies are the same. */
static void replies_end_where_their_last_item_does(void **state)
{
	size_t len = sizeof(stream) - 1;

	(void)state;
	for (size_t step = 1; step <= len; step++) {
		struct resp_reply reply = {0};
		size_t begin = 0, found = 0, size = 0;

		for (size_t have = MIN(step, len);; have = MIN(have + step, len)) {
			const uint8_t *at = (const uint8_t *)stream + begin;
			enum resp_reply_outcome outcome;

			while ((outcome = resp_reply_next(&reply, at, have - begin, &size)) ==
			       RESP_REPLY_WHOLE) {
				assert_int_equal(size, sizes[found++]);
				begin += size;
				at += size;
			}
			assert_int_equal(outcome, RESP_REPLY_MORE);
			if (have == len)
				break;
		}
		assert_int_equal(found, ARRAY_LEN(sizes));
		assert_int_equal(begin, len);
	}
}

static void a_broken_item_breaks_the_reply(void **state)
{
	struct resp_reply reply = {0};
	const char *text = "*2\r\n+a\r\nb\r\n";
	size_t size;

	(void)state;
	assert_int_equal(resp_reply_next(&reply, (const uint8_t *)text, strlen(text), &size),
			 RESP_REPLY_BROKEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_is_read),
		cmocka_unit_test(what_is_no_protocol_is_broken),
		cmocka_unit_test(a_line_without_end_is_broken_once_it_is_too_long),
		cmocka_unit_test(replies_end_where_their_last_item_does),
		cmocka_unit_test(a_broken_item_breaks_the_reply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
