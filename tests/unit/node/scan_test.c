/*
 * SCAN and its kin in a whole member: what a page says, and what a scan promises while others
 * write. Most runs are repeated with nothing in memory and with a member that starts anew between
 * pages: the cursor is all that a scan has.
 */

#include "node/member_state.h"

#include "base/check.h"
#include "base/error.h"
#include "base/random.h"

#include "support/solo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PAGE_MAX 4096
#define NAME_MAX 32

enum around {
	ALL_IN_MEMORY,
	NOTHING_IN_MEMORY, /* the engine holds it all, and each row has to be fetched */
	STARTED_ANEW,	   /* between any two pages */
	FETCHED_AND_STARTED_ANEW,
	AROUND_COUNT
};

static bool keeps_nothing(enum around around)
{
	return around == NOTHING_IN_MEMORY || around == FETCHED_AND_STARTED_ANEW;
}

static void solo_begin(struct solo *s, enum around around)
{
	solo_init(s);
	if (keeps_nothing(around)) {
		s->options.overlay_bytes = 1;
		s->options.header_cache_bytes = 0;
		s->options.value_cache_bytes = 0;
	}
	assert_int_equal(solo_start(s), OK);
}

static void between_pages(struct solo *s, enum around around)
{
	if (around != STARTED_ANEW && around != FETCHED_AND_STARTED_ANEW)
		return;
	solo_stop(s, true);
	assert_int_equal(solo_start(s), OK);
}

/* ---- pages ----------------------------------------------------------------------------------- */

struct page {
	uint64_t cursor;
	size_t count;
	char names[PAGE_MAX][NAME_MAX];
};

static const char *line_behind(const char *at)
{
	at = strchr(at, '|');
	assert_non_null(at);
	return at + 1;
}

static void page_parse(const char *reply, struct page *p)
{
	const char *at = reply;

	assert_memory_equal(at, "*2|$", 4);
	at = line_behind(line_behind(at));
	p->cursor = strtoull(at, NULL, 10);
	at = line_behind(at);
	assert_int_equal(*at, '*');
	p->count = strtoull(at + 1, NULL, 10);
	assert_true(p->count <= PAGE_MAX);
	for (size_t i = 0; i < p->count; i++) {
		size_t len = strtoull(line_behind(at) + 1, NULL, 10);

		at = line_behind(line_behind(at));
		assert_true(len < NAME_MAX);
		memcpy(p->names[i], at, len);
		p->names[i][len] = '\0';
	}
}

/* The next page: `command` has one %llu for the cursor. */
static void page_get(struct solo *s, const char *before, uint64_t cursor, const char *behind,
		     struct page *p)
{
	char line[200];

	snprintf(line, sizeof(line), "%s %llu %s", before, (unsigned long long)cursor, behind);
	page_parse(solo_say(s, line), p);
}

static void expect(struct solo *s, const char *line, const char *reply)
{
	const char *said = solo_say(s, line);

	if (strcmp(said, reply) != 0)
		print_message("%s\n", line);
	assert_string_equal(said, reply);
}

/* ---- what a page says ------------------------------------------------------------------------ */

static void cursors_are_revisions_around(enum around around)
{
	static const char *const said[][2] = {
		{"SCAN 0", "*2|$1|0|*0|"},
		{"SET b 1", "+OK|"}, /* 1 */
		{"SET a 1", "+OK|"}, /* 2 */
		{"HSET d f 1 g 1", ":2|"},
		{"SET c 1", "+OK|"}, /* 4 */
		{"SCAN 0 COUNT 1", "*2|$1|2|*1|$1|a|"},
		{"SCAN 2 COUNT 1", "*2|$1|1|*1|$1|b|"},
		{"SCAN 1 COUNT 2", "*2|$14|17592186044419|*2|$1|c|$1|d|"}, /* 3-1 */
		{"SCAN 17592186044419", "*2|$1|0|*0|"},
		{"SCAN 0 COUNT 4", "*2|$14|17592186044419|*4|$1|a|$1|b|$1|c|$1|d|"},
		{"SCAN 0 COUNT 5", "*2|$1|0|*4|$1|a|$1|b|$1|c|$1|d|"},
		/* Whatever becomes of the key, the cursor goes on behind it. */
		{"DEL b", ":1|"},	/* 5 */
		{"RENAME a e", "+OK|"}, /* 6 */
		{"SET a anew", "+OK|"}, /* 7 */
		{"SCAN 2", "*2|$1|0|*3|$1|c|$1|d|$1|e|"},
		{"SCAN 1", "*2|$1|0|*3|$1|c|$1|d|$1|e|"},
		{"SCAN 5", "*2|$1|0|*3|$1|c|$1|d|$1|e|"},
		{"SCAN 0 COUNT 1 MATCH c", "*2|$1|4|*1|$1|c|"},
		{"SCAN 4 COUNT 1 MATCH c", "*2|$1|0|*0|"},
		{"SCAN 0 MATCH [cd]", "*2|$1|0|*2|$1|c|$1|d|"},
		{"SCAN 0 TYPE hash", "*2|$1|0|*1|$1|d|"},
		{"SCAN 4 TYPE string", "*2|$1|0|*1|$1|e|"},
		/* One that was never given begins anew; so does one of a revision to come. */
		{"SCAN 9", "*2|$1|0|*4|$1|a|$1|c|$1|d|$1|e|"},
		{"SCAN 17592186044418", "*2|$1|0|*4|$1|a|$1|c|$1|d|$1|e|"},
		{"SCAN 18446744073709551615", "*2|$1|0|*4|$1|a|$1|c|$1|d|$1|e|"},
		{"SCAN 17592186044416", "*2|$1|0|*4|$1|a|$1|c|$1|d|$1|e|"},
		/* As it was, with the same cursors. */
		{"AT 4 SCAN 0", "*2|$1|0|*4|$1|a|$1|b|$1|c|$1|d|"},
		{"AT 4 SCAN 1", "*2|$1|0|*2|$1|c|$1|d|"},
		{"AT 4 KEYS [^a]", "*3|$1|b|$1|c|$1|d|"},
		{"KEYS *", "*4|$1|a|$1|c|$1|d|$1|e|"},
		{"FLUSHALL", "+OK|"}, /* 8 */
		{"SCAN 2", "*2|$1|0|*0|"},
		{"SET d 1", "+OK|"}, /* 9 */
		{"SCAN 2", "*2|$1|0|*1|$1|d|"},
		{"SCAN 8", "*2|$1|0|*1|$1|d|"},
		{"SELECT 1", "+OK|"},
		{"SCAN 0", "*2|$1|0|*0|"},
	};
	struct solo s;

	solo_begin(&s, around);
	for (size_t i = 0; i < ARRAY_LEN(said); i++) {
		expect(&s, said[i][0], said[i][1]);
		if (strcmp(said[i][0], "SELECT 1") != 0)
			between_pages(&s, around);
	}
	solo_close(&s);
}

static void cursors_are_revisions(void **state)
{
	(void)state;
	for (enum around around = 0; around < AROUND_COUNT; around++)
		cursors_are_revisions_around(around);
}

/* The keys k0000, k0001, ... in one command, so that each has a sub of its own. */
static void set_many(struct solo *s, unsigned from, unsigned count)
{
	struct buf line = {0};

	buf_printf(&line, "MSET");
	for (unsigned i = from; i < from + count; i++)
		buf_printf(&line, " k%04u x", i);
	buf_append_byte(&line, '\0');
	expect(s, (const char *)line.data, "+OK|");
	buf_free(&line);
}

/* Walks through all that begins with k; how many, and the largest cursor on the way. */
static size_t walk(struct solo *s, const char *count, uint64_t *largest)
{
	static struct page p;
	size_t seen = 0;

	*largest = p.cursor = 0;
	do {
		page_get(s, "SCAN", p.cursor, count, &p);
		if (p.cursor > *largest)
			*largest = p.cursor;
		seen += p.count;
	} while (p.cursor);
	return seen;
}

static void a_page_runs_on_to_a_small_cursor(void **state)
{
	uint64_t largest;
	struct solo s;

	(void)state;
	solo_begin(&s, ALL_IN_MEMORY);
	set_many(&s, 0, 1500);
	assert_int_equal(walk(&s, "COUNT 7", &largest), 1500);
	assert_true(largest < UINT64_C(1) << 53);
	/* With so many in a row a page ends all the same, and its cursor is as good. */
	set_many(&s, 2000, 3000);
	assert_int_equal(walk(&s, "COUNT 7", &largest), 4500);
	assert_true(largest > UINT64_C(1) << 53);
	assert_int_equal(walk(&s, "COUNT 7 MATCH k4*", &largest), 1000);
	solo_close(&s);
}

/* The loop has better to do, even if it could. */
static void long_walks_go_to_the_pool(void **state)
{
	uint64_t largest;
	unsigned before;
	struct solo s;

	(void)state;
	solo_begin(&s, ALL_IN_MEMORY);
	set_many(&s, 0, 1000);
	before = s.pool_jobs;
	assert_memory_equal(solo_say(&s, "KEYS *"), "*1000|", 6);
	assert_int_equal(walk(&s, "COUNT 100", &largest), 1000);
	assert_int_equal(s.pool_jobs, before);
	set_many(&s, 1000, 1);
	assert_memory_equal(solo_say(&s, "KEYS *"), "*1001|", 6);
	assert_int_equal(s.pool_jobs, before + 1);
	assert_int_equal(walk(&s, "COUNT 5000", &largest), 1001);
	assert_int_equal(s.pool_jobs, before + 2);
	/* In a transaction it is what is applied. */
	expect(&s, "MULTI", "+OK|");
	expect(&s, "KEYS k0000", "+QUEUED|");
	expect(&s, "SCAN 0 COUNT 5000 MATCH k0000", "+QUEUED|");
	expect(&s, "EXEC", "*2|*1|$5|k0000|*2|$1|0|*1|$5|k0000|");
	solo_close(&s);
}

/* ---- what a scan promises -------------------------------------------------------------------- */

#define STAYING 60
#define OTHERS	40

static void write_something(struct solo *s, struct random *r)
{
	unsigned a = (unsigned)random_below(r, OTHERS), b = (unsigned)random_below(r, OTHERS);
	char line[100];

	switch (random_below(r, 8)) {
	case 0:
		snprintf(line, sizeof(line), "DEL o%02u o%02u", a, b);
		break;
	case 1:
		snprintf(line, sizeof(line), "RENAME o%02u o%02u", a, b);
		break;
	case 2:
		snprintf(line, sizeof(line), "MSET o%02u x o%02u y", a, b);
		break;
	case 3:
		snprintf(line, sizeof(line), "HSET h%02u f%u x", a, b);
		break;
	case 4:
		snprintf(line, sizeof(line), "RENAME h%02u o%02u", a, b);
		break;
	default: /* who stays may change */
		snprintf(line, sizeof(line), "SET s%02u new", (unsigned)random_below(r, STAYING));
		break;
	}
	solo_say(s, line);
}

/* From the whole of one database into another and back: names stay, keyspaces do not. */
static void swap(struct solo *s)
{
	expect(s, "SWAPDB 0 5", "+OK|");
	expect(s, "SWAPDB 5 0", "+OK|");
}

static void one_scan_among_writers(struct solo *s, struct random *r, enum around around)
{
	static struct page p;
	bool seen[STAYING] = {0};
	unsigned number;
	char behind[20];

	p.cursor = 0;
	do {
		snprintf(behind, sizeof(behind), "COUNT %u", 1 + (unsigned)random_below(r, 20));
		page_get(s, "SCAN", p.cursor, behind, &p);
		for (size_t i = 0; i < p.count; i++)
			if (sscanf(p.names[i], "s%u", &number) == 1)
				seen[number] = true;
		for (unsigned i = (unsigned)random_below(r, 6); i-- > 0;)
			write_something(s, r);
		if (random_below(r, 8) == 0)
			swap(s);
		if (random_below(r, 3) == 0)
			between_pages(s, around);
	} while (p.cursor);
	for (unsigned i = 0; i < STAYING; i++)
		assert_true(seen[i]);
}

static void what_stays_is_seen_around(enum around around, uint64_t seed)
{
	struct random r;
	struct solo s;

	random_seed(&r, seed);
	solo_begin(&s, around);
	for (unsigned i = 0; i < STAYING; i++) {
		char line[50];

		snprintf(line, sizeof(line), "SET s%02u x", i);
		expect(&s, line, "+OK|");
	}
	for (int i = 0; i < 10; i++)
		one_scan_among_writers(&s, &r, around);
	solo_close(&s);
}

static void what_stays_is_seen_whatever_others_write(void **state)
{
	(void)state;
	for (enum around around = 0; around < AROUND_COUNT; around++)
		for (uint64_t seed = 1; seed <= 3; seed++)
			what_stays_is_seen_around(around, seed);
}

/* ---- a change that is gone ------------------------------------------------------------------- */

/* As when the horizon has passed it. */
static void forget_change(struct solo *s, uint64_t main)
{
	uint8_t key[HISTORY_KEY_BYTES];

	history_key_put(key, (struct revision){main, 0});
	store_put(s->member->store, FAMILY_HISTORY, slice_of(key, sizeof(key)),
		  (struct slice){NULL, 0}, true);
}

static void the_name_behind_a_cursor_is_remembered_around(enum around around)
{
	struct solo s;

	solo_begin(&s, around);
	expect(&s, "SET a 1", "+OK|");
	expect(&s, "SET b 1", "+OK|");
	expect(&s, "SET c 1", "+OK|");
	expect(&s, "SCAN 0 COUNT 2", "*2|$1|2|*2|$1|a|$1|b|");
	expect(&s, "DEL b", ":1|");
	forget_change(&s, 2);
	expect(&s, "SCAN 2", "*2|$1|0|*1|$1|c|");
	/* Another run of the member does not know it, and the scan begins anew. */
	solo_stop(&s, true);
	assert_int_equal(solo_start(&s), OK);
	forget_change(&s, 2);
	expect(&s, "SCAN 2", "*2|$1|0|*2|$1|a|$1|c|");
	solo_close(&s);
}

static void the_name_behind_a_cursor_is_remembered(void **state)
{
	(void)state;
	the_name_behind_a_cursor_is_remembered_around(ALL_IN_MEMORY);
	the_name_behind_a_cursor_is_remembered_around(NOTHING_IN_MEMORY);
}

/* A tombstone at the horizon may be gone with the next step: no page ends there. */
static void no_page_ends_with_what_is_dead(void **state)
{
	struct solo s;

	(void)state;
	solo_begin(&s, ALL_IN_MEMORY);
	for (const char *const *line =
		     (const char *const[]){"SET a 1", "SET b 1", "SET c 1", "SET d 1", NULL};
	     *line; line++)
		expect(&s, *line, "+OK|");
	expect(&s, "DEL b", ":1|");
	expect(&s, "DEL c", ":1|");
	expect(&s, "SCAN 0 COUNT 2", "*2|$1|5|*1|$1|a|");
	store_position(s.member->store)->horizon = 5;
	expect(&s, "SCAN 0 COUNT 2", "*2|$1|6|*1|$1|a|");
	store_position(s.member->store)->horizon = 6;
	expect(&s, "SCAN 0 COUNT 2", "*2|$1|4|*2|$1|a|$1|d|");
	solo_close(&s);
}

/* ---- RANDOMKEY ------------------------------------------------------------------------------- */

static void every_key_can_be_drawn_around(enum around around)
{
	static const char *const names[] = {
		"''",	   "a",	     "aa",	  "aaa",	   "ab", "b", "user:1",
		"user:10", "user:2", "\"\\xff\"", "\"\\xff\\xff\""};
	static const char *const replies[] = {
		"$0||",	      "$1|a|",	     "$2|aa|",	   "$3|aaa|",  "$2|ab|",      "$1|b|",
		"$6|user:1|", "$7|user:10|", "$6|user:2|", "$1|\xff|", "$2|\xff\xff|"};
	unsigned seen[ARRAY_LEN(names)] = {0};
	struct solo s;

	solo_begin(&s, around);
	expect(&s, "RANDOMKEY", "$-1|");
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char line[50];

		snprintf(line, sizeof(line), "SET %s x", names[i]);
		expect(&s, line, "+OK|");
	}
	expect(&s, "SET gone x", "+OK|");
	expect(&s, "DEL gone", ":1|");
	for (int i = 0; i < 3000; i++) {
		const char *said = solo_say(&s, "RANDOMKEY");
		size_t at = 0;

		while (at < ARRAY_LEN(names) && strcmp(said, replies[at]) != 0)
			at++;
		assert_true(at < ARRAY_LEN(names));
		seen[at]++;
	}
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_true(seen[i] > 0);
	expect(&s, "AT 1 RANDOMKEY", "$0||");
	solo_close(&s);
}

static void every_key_can_be_drawn(void **state)
{
	(void)state;
	every_key_can_be_drawn_around(ALL_IN_MEMORY);
	every_key_can_be_drawn_around(NOTHING_IN_MEMORY);
}

/* ---- hashes ---------------------------------------------------------------------------------- */

#define FIELDS 300

static void hash_fill(struct solo *s)
{
	for (unsigned i = 0; i < FIELDS; i++) {
		char line[50];

		snprintf(line, sizeof(line), "HSET h f%03u %u", i, i);
		expect(s, line, ":1|");
	}
}

static void a_large_hash_comes_in_pages_around(enum around around)
{
	static struct page p;
	bool seen[FIELDS] = {0};
	unsigned pages = 0, number;
	struct solo s;

	solo_begin(&s, around);
	hash_fill(&s);
	p.cursor = 0;
	do {
		page_get(&s, "HSCAN h", p.cursor, "COUNT 20", &p);
		assert_true(p.cursor < UINT64_C(1) << 53);
		for (size_t i = 0; i < p.count; i += 2) {
			assert_int_equal(sscanf(p.names[i], "f%u", &number), 1);
			assert_false(seen[number]);
			assert_int_equal(strtoul(p.names[i + 1], NULL, 10), number);
			seen[number] = true;
		}
		pages++;
		between_pages(&s, around);
		/* Made anew, with the same fields: the cursor is a place in their order. */
		if (pages == 3) {
			expect(&s, "DEL h", ":1|");
			hash_fill(&s);
		}
	} while (p.cursor);
	assert_int_equal(pages, FIELDS / 20);
	for (unsigned i = 0; i < FIELDS; i++)
		assert_true(seen[i]);
	expect(&s, "HSCAN h 9007199254740992", "*2|$1|0|*0|");
	expect(&s, "HSCAN h 18446744073709551615", "*2|$1|0|*0|");
	expect(&s, "HSCAN h 0 COUNT 1000 MATCH f29[3]", "*2|$1|0|*2|$4|f293|$3|293|");
	solo_close(&s);
}

static void a_large_hash_comes_in_pages(void **state)
{
	(void)state;
	for (enum around around = 0; around < AROUND_COUNT; around++)
		a_large_hash_comes_in_pages_around(around);
}

/* A cursor has 53 bits, and these two names have the same in their hashes. */
static void fields_with_one_place_come_together(void **state)
{
	static struct page p;
	struct solo s;

	(void)state;
	solo_begin(&s, ALL_IN_MEMORY);
	hash_fill(&s);
	expect(&s, "HSET h 2f858e2c 1 64898de6 2", ":2|");
	p.cursor = 0;
	do {
		bool first = false, second = false;

		page_get(&s, "HSCAN h", p.cursor, "COUNT 1", &p);
		for (size_t i = 0; i < p.count; i += 2) {
			first |= strcmp(p.names[i], "2f858e2c") == 0;
			second |= strcmp(p.names[i], "64898de6") == 0;
		}
		assert_int_equal(first, second);
		assert_int_equal(p.count, first ? 4 : p.cursor ? 2 : p.count);
	} while (p.cursor);
	solo_close(&s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(cursors_are_revisions),
		cmocka_unit_test(a_page_runs_on_to_a_small_cursor),
		cmocka_unit_test(long_walks_go_to_the_pool),
		cmocka_unit_test(what_stays_is_seen_whatever_others_write),
		cmocka_unit_test(the_name_behind_a_cursor_is_remembered),
		cmocka_unit_test(no_page_ends_with_what_is_dead),
		cmocka_unit_test(every_key_can_be_drawn),
		cmocka_unit_test(a_large_hash_comes_in_pages),
		cmocka_unit_test(fields_with_one_place_come_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
