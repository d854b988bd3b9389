/*
 * Big strings that are changed in place, in a whole member: the same lines and the same replies
 * whether all is in memory, or nothing is, or the member starts anew between any two; and what
 * such a change costs.
 */

#include "node/member_state.h"

#include "base/error.h"
#include "storage/txn_chunks.h"

#include "support/solo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct said {
	const char *line;
	const char *reply;
};

enum around {
	ALL_IN_MEMORY,
	NOTHING_IN_MEMORY, /* the engine holds it all, and each row has to be fetched */
	STARTED_ANEW,	   /* the log holds it all */
	FETCHED_AND_STARTED_ANEW,
	AROUND_COUNT
};

static void solo_begin(struct solo *s, enum around around)
{
	solo_init(s);
	if (around == NOTHING_IN_MEMORY || around == FETCHED_AND_STARTED_ANEW) {
		s->options.overlay_bytes = 1;
		s->options.header_cache_bytes = 0;
		s->options.value_cache_bytes = 0;
	}
	assert_int_equal(solo_start(s), OK);
}

/* What was said, with bytes that are no text as \0, \1, ... */
static const char *say(struct solo *s, const char *line)
{
	static struct buf said;

	buf_clear(&said);
	solo_say(s, line);
	for (size_t i = 0; i + 1 < s->said.len; i++) {
		if (s->said.data[i] < ' ')
			buf_printf(&said, "\\%x", s->said.data[i]);
		else
			buf_append_byte(&said, s->said.data[i]);
	}
	buf_append_byte(&said, '\0');
	return (const char *)said.data;
}

static void expect(struct solo *s, const char *line, const char *reply)
{
	const char *said = say(s, line);

	if (strcmp(said, reply) != 0)
		print_message("%s\n", line);
	assert_string_equal(said, reply);
}

static void say_all(const struct said *said, enum around around)
{
	struct solo s;

	solo_begin(&s, around);
	for (; said->line; said++) {
		expect(&s, said->line, said->reply);
		if (around == ALL_IN_MEMORY || around == NOTHING_IN_MEMORY)
			continue;
		solo_stop(&s, true);
		assert_int_equal(solo_start(&s), OK);
	}
	assert_int_equal(s.failures, 0);
	solo_close(&s);
}

static void in_every_way(const struct said *said)
{
	for (enum around around = 0; around < AROUND_COUNT; around++)
		say_all(said, around);
}

static const struct said on_chunks[] = {
	{"SETRANGE s 100000 middle", ":100006|"}, /* 1 */
	{"SETRANGE s 32766 edge", ":100006|"},	  /* 2 */
	{"APPEND s tail", ":100010|"},		  /* 3 */
	{"SETBIT s 7 1", ":0|"},		  /* 4 */
	{"SETBIT s 7 1", ":1|"},		  /* no change */
	{"GETRANGE s 32765 32770", "$6|\\0edge\\0|"},
	{"GETRANGE s 99998 100009", "$12|\\0\\0middletail|"},
	{"GETRANGE s -5 -1", "$5|etail|"},
	{"GETRANGE s 0 0", "$1|\\1|"},
	{"GETRANGE s 50000 50003", "$4|\\0\\0\\0\\0|"},
	{"GETRANGE s 100010 100020", "$0||"},
	{"SUBSTR s 100000 100001", "$2|mi|"},
	{"STRLEN s", ":100010|"},
	{"TYPE s", "+string|"},
	{"OBJECT ENCODING s", "$3|raw|"},
	{"OBJECT REVISION s", "$3|4-0|"},
	{"EXISTS s", ":1|"},
	{"GETBIT s 7", ":1|"},
	{"GETBIT s 6", ":0|"},
	{"GETBIT s 9000000", ":0|"},
	{"BITCOUNT s", ":55|"},
	{"BITCOUNT s 100000 100005", ":23|"},
	{"BITPOS s 1 1", ":262129|"},
	{"INCR s", "-ERR value is not an integer or out of range|"},
	{"INCRBYFLOAT s 1", "-ERR value is not a valid float|"},
	{"HGET s f", "-WRONGTYPE Operation against a key holding the wrong kind of value|"},
	{"HSET s f 1", "-WRONGTYPE Operation against a key holding the wrong kind of value|"},
	{"SETRANGE s 16777216 x", "-ERR string exceeds maximum allowed size (proto-max-bulk-len)|"},
	{"SETNX s x", ":0|"},
	{"SET s x IFEQ y", "$-1|"},
	{"DELEX s IFEQ y", ":0|"},
	{"EXPIRE s 1000", ":1|"},	  /* 5 */
	{"SETRANGE s 3 abc", ":100010|"}, /* 6 */
	{"TTL s", ":1000|"},
	{"RENAME s t", "+OK|"}, /* 7 */
	{"GETRANGE t 0 6", "$7|\\1\\0\\0abc\\0|"},
	{"TTL t", ":1000|"},
	{"MOVE t 3", ":1|"}, /* 8 */
	{"EXISTS s t", ":0|"},
	{"SWAPDB 0 3", "+OK|"},		 /* 9 */
	{"APPEND t !", ":100011|"},	 /* 10 */
	{"COPY t u", ":1|"},		 /* 11 */
	{"SETRANGE u 0 U", ":100011|"},	 /* 12 */
	{"BITOP XOR x t u", ":100011|"}, /* 13 */
	{"BITCOUNT x", ":3|"},
	{"SET t small KEEPTTL", "+OK|"}, /* 14 */
	{"GET t", "$5|small|"},
	{"TTL t", ":1000|"},
	{"APPEND t er", ":7|"},		   /* 15 */
	{"SETRANGE t 70000 x", ":70001|"}, /* 16 */
	{"GETRANGE t 0 7", "$8|smaller\\0|"},
	{"PERSIST t", ":1|"}, /* 17 */
	{"DEL u", ":1|"},     /* 18 */
	{"GETRANGE t 69999 70001", "$2|\\0x|"},
	{"APPEND t ''", ":70001|"}, /* 19 */
	/* As it was, and when. */
	{"AT 1 STRLEN s", ":100006|"},
	{"AT 1 GETRANGE s 32766 32769", "$4|\\0\\0\\0\\0|"},
	{"AT 1 BITCOUNT s", ":23|"},
	{"AT 2 GETRANGE s 32766 32769", "$4|edge|"},
	{"AT 2 STRLEN s", ":100006|"},
	{"AT 3 GETBIT s 7", ":0|"},
	{"AT 3 GETRANGE s -4 -1", "$4|tail|"},
	{"AT 5 GETRANGE s 3 5", "$3|\\0\\0\\0|"},
	{"AT 6 GETRANGE s 3 5", "$3|abc|"},
	{"AT 7 GETRANGE t -1 -1", "$1|l|"},
	{"AT 7 EXISTS s", ":0|"},
	{"AT 10 GETRANGE t -1 -1", "$1|!|"},
	{"AT 11 GETRANGE u 0 0", "$1|\\1|"},
	{"AT 12 GETRANGE u 0 0", "$1|U|"},
	{"AT 13 GETRANGE t -2 -1", "$2|l!|"},
	{"AT 14 GET t", "$5|small|"},
	{"AT 15 STRLEN t", ":7|"},
	{"AT 17 STRLEN u", ":100011|"},
	{"AT 0 EXISTS s t u", ":0|"},
	{NULL, NULL},
};

static void every_command_works_on_chunks(void **state)
{
	(void)state;
	in_every_way(on_chunks);
}

/* A string that was set as a whole is there as it was before its first change in place, too. */
static void the_way_into_chunks_is_exact_around(enum around around)
{
	static char value[70001], line[70100], reply[70100];
	struct solo s;

	memset(value, 'v', sizeof(value) - 1);
	solo_begin(&s, around);
	snprintf(line, sizeof(line), "SET s %s", value);
	expect(&s, line, "+OK|");
	expect(&s, "SETRANGE s 65535 ABC", ":70000|");
	expect(&s, "APPEND s tail", ":70004|");
	snprintf(reply, sizeof(reply), "$70000|%s|", value);
	expect(&s, "AT 1 GET s", reply);
	memcpy(value + 65535, "ABC", 3);
	snprintf(reply, sizeof(reply), "$70000|%s|", value);
	expect(&s, "AT 2 GET s", reply);
	snprintf(reply, sizeof(reply), "$70004|%stail|", value);
	expect(&s, "GET s", reply);
	snprintf(reply, sizeof(reply), "*2|$70004|%stail|$-1|", value);
	expect(&s, "MGET s nothing", reply);
	snprintf(reply, sizeof(reply), "$70004|%stail|", value);
	expect(&s, "GETEX s EX 100", reply);
	expect(&s, "GETDEL s", reply);
	expect(&s, "GET s", "$-1|");
	expect(&s, "AT 4 GET s", reply);
	solo_close(&s);
}

static void the_way_into_chunks_is_exact(void **state)
{
	(void)state;
	the_way_into_chunks_is_exact_around(ALL_IN_MEMORY);
	the_way_into_chunks_is_exact_around(NOTHING_IN_MEMORY);
}

/* A change in place costs the chunks that it touches, whatever the string's size. */
static void a_change_costs_a_chunk(void **state)
{
	struct store_stats before, after;
	struct solo s;

	(void)state;
	solo_begin(&s, ALL_IN_MEMORY);
	expect(&s, "SETRANGE s 16777214 x", ":16777215|");
	store_stats(s.member->store, &before);
	expect(&s, "SETBIT s 80000000 1", ":0|");
	expect(&s, "APPEND s y", ":16777216|");
	expect(&s, "APPEND s z", "-ERR string exceeds maximum allowed size (proto-max-bulk-len)|");
	store_stats(s.member->store, &after);
	/* The row, and in history the row and what it was before; and what memory is in pieces of.
	 */
	assert_true(after.live_bytes - before.live_bytes < 12 * STRING_CHUNK_BYTES);
	assert_true(s.member->txn.values.bytes + s.member->txn.changed.cap <
		    8 * STRING_CHUNK_BYTES);
	solo_close(&s);
}

static void history_tells_where_a_string_changed(void **state)
{
	struct solo s;
	const char *said;

	(void)state;
	solo_begin(&s, ALL_IN_MEMORY);
	expect(&s, "SETRANGE s 70000 x", ":70001|");
	expect(&s, "SETRANGE s 65536 y", ":70001|");
	said = say(&s, "HISTORY GET s");
	assert_non_null(strstr(said, "*2|*16|$8|revision|$3|1-0|"));
	assert_non_null(strstr(said, "$6|change|$11|element_set|$4|type|$6|string|$7|version|:1|"
				     "$6|offset|:65536|$5|value|$4465|"));
	assert_non_null(strstr(said, "*18|$8|revision|$3|2-0|"));
	assert_non_null(strstr(said, "$6|before|$4465|"));
	solo_close(&s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_command_works_on_chunks),
		cmocka_unit_test(the_way_into_chunks_is_exact),
		cmocka_unit_test(a_change_costs_a_chunk),
		cmocka_unit_test(history_tells_where_a_string_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
