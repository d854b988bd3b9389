/*
 * Commands on hashes, moved keys, ranges and the past, in a whole member: the same lines and the
 * same replies whether all is in memory, or nothing is, or the member starts anew between any two.
 */

#include "node/member_state.h"

#include "base/error.h"

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
};

/* The time of a change is what it is: its digits become one T. */
static const char *without_time(const char *reply, char *room, size_t len)
{
	const char *name = "$4|time|:";
	size_t at = 0;

	while (*reply && at + 1 < len) {
		bool time = strncmp(reply, name, strlen(name)) == 0;

		if (!time) {
			room[at++] = *reply++;
			continue;
		}
		reply += strlen(name);
		reply += strspn(reply, "0123456789");
		at += (size_t)snprintf(room + at, len - at, "%sT", name);
	}
	room[at] = '\0';
	return room;
}

static void say_all(const struct said *said, enum around around)
{
	struct solo s;

	solo_init(&s);
	if (around == NOTHING_IN_MEMORY || around == FETCHED_AND_STARTED_ANEW) {
		s.options.overlay_bytes = 1;
		s.options.header_cache_bytes = 0;
		s.options.value_cache_bytes = 0;
	}
	assert_int_equal(solo_start(&s), OK);
	for (; said->line; said++) {
		char room[4096];
		const char *reply = without_time(solo_say(&s, said->line), room, sizeof(room));

		if (strcmp(reply, said->reply) != 0)
			print_message("%s\n", said->line);
		assert_string_equal(reply, said->reply);
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
	say_all(said, ALL_IN_MEMORY);
	say_all(said, NOTHING_IN_MEMORY);
	say_all(said, STARTED_ANEW);
	say_all(said, FETCHED_AND_STARTED_ANEW);
}

static void hashes(void **state)
{
	static const struct said said[] = {
		{"HGET h a", "$-1|"},
		{"HGETALL h", "*0|"},
		{"HKEYS h", "*0|"},
		{"HLEN h", ":0|"},
		{"HDEL h a", ":0|"},
		{"HMGET h a b", "*2|$-1|$-1|"},
		{"HSET h a 1 b 2 a 3", ":2|"},
		{"HSET h a 4 c ''", ":1|"},
		{"HGET h a", "$1|4|"},
		{"HGET h c", "$0||"},
		{"HMGET h a x b", "*3|$1|4|$-1|$1|2|"},
		{"HGETALL h", "*6|$1|b|$1|2|$1|c|$0||$1|a|$1|4|"},
		{"HKEYS h", "*3|$1|b|$1|c|$1|a|"},
		{"HVALS h", "*3|$1|2|$0||$1|4|"},
		{"HLEN h", ":3|"},
		{"HEXISTS h c", ":1|"},
		{"HEXISTS h d", ":0|"},
		{"HSTRLEN h a", ":1|"},
		{"HSTRLEN h d", ":0|"},
		{"HSETNX h a 5", ":0|"},
		{"HSETNX h d 5", ":1|"},
		{"HINCRBY h d -7", ":-2|"},
		{"HINCRBY h e 9223372036854775807", ":9223372036854775807|"},
		{"HINCRBY h e 1", "-ERR increment or decrement would overflow|"},
		{"HINCRBY h c 1", "-ERR hash value is not an integer|"},
		{"HINCRBY h z x", "-ERR value is not an integer or out of range|"},
		{"HSET h a", "-ERR wrong number of arguments for 'hset' command|"},
		{"HSET h a 1 b", "-ERR wrong number of arguments for 'hset' command|"},
		{"HMSET h a 1 b", "-ERR wrong number of arguments for 'hmset' command|"},
		{"HMSET h b hello", "+OK|"},
		{"HDEL h a a c x", ":2|"},
		{"HGETALL h", "*6|$1|d|$2|-2|$1|b|$5|hello|$1|e|$19|9223372036854775807|"},
		{"HDEL h b d e", ":3|"},
		{"HLEN h", ":0|"},
		{"HGETALL h", "*0|"},
		{"HSET h a again", ":1|"},
		{"HGETALL h", "*2|$1|a|$5|again|"},
		{"SET s x", "+OK|"},
		{"HGET s a", "-WRONGTYPE Operation against a key holding the wrong kind of value|"},
		{"HSET s a 1",
		 "-WRONGTYPE Operation against a key holding the wrong kind of value|"},
		{"HMSET s a 1",
		 "-WRONGTYPE Operation against a key holding the wrong kind of value|"},
		{"HDEL s a", "-WRONGTYPE Operation against a key holding the wrong kind of value|"},
		{"HLEN s", "-WRONGTYPE Operation against a key holding the wrong kind of value|"},
		{"HGETALL s",
		 "-WRONGTYPE Operation against a key holding the wrong kind of value|"},
		{"HMGET s a",
		 "-WRONGTYPE Operation against a key holding the wrong kind of value|"},
		{"HEXISTS s a",
		 "-WRONGTYPE Operation against a key holding the wrong kind of value|"},
		{"HSETNX s a 1",
		 "-WRONGTYPE Operation against a key holding the wrong kind of value|"},
		{"HINCRBY s a 1",
		 "-WRONGTYPE Operation against a key holding the wrong kind of value|"},
		{"HINCRBY s a x", "-ERR value is not an integer or out of range|"},
		{"GET h", "-WRONGTYPE Operation against a key holding the wrong kind of value|"},
		{"SET h string", "+OK|"},
		{"GET h", "$6|string|"},
		{"HGET h a", "-WRONGTYPE Operation against a key holding the wrong kind of value|"},
		{NULL, NULL},
	};

	(void)state;
	in_every_way(said);
}

static void moves(void **state)
{
	static const struct said said[] = {
		{"RENAME nothing b", "-ERR no such key|"},
		{"RENAMENX nothing b", "-ERR no such key|"},
		{"MOVE nothing 1", ":0|"},
		{"COPY nothing b", ":0|"},
		{"COPY nothing nothing", "-ERR source and destination objects are the same|"},
		{"SET a 1", "+OK|"},
		{"RENAME a a", "+OK|"},
		{"RENAMENX a a", ":0|"},
		{"RENAME a b", "+OK|"},
		{"GET a", "$-1|"},
		{"GET b", "$1|1|"},
		{"SET c 2", "+OK|"},
		{"RENAMENX b c", ":0|"},
		{"RENAMENX b d", ":1|"},
		{"GET d", "$1|1|"},
		{"HSET h f 1 g 2", ":2|"},
		{"RENAME h d", "+OK|"},
		{"HGETALL d", "*4|$1|f|$1|1|$1|g|$1|2|"},
		{"HGETALL h", "*0|"},
		{"HSET d f 3", ":0|"},
		{"RENAME d c", "+OK|"},
		{"HGET c f", "$1|3|"},
		{"MOVE c 99", "-ERR DB index is out of range|"},
		{"MOVE c x", "-ERR value is not an integer or out of range|"},
		{"MOVE c 99999999999",
		 "-ERR value is out of range, value must between -2147483648 and 2147483647|"},
		{"MOVE c 0", "-ERR source and destination objects are the same|"},
		{"MOVE c 1", ":1|"},
		{"MOVE c 1", ":0|"},
		{"HLEN c", ":0|"},
		{"HSET c own 1", ":1|"},
		{"MOVE c 1", ":0|"},
		{"HLEN c", ":1|"},
		{NULL, NULL},
	};

	(void)state;
	in_every_way(said);
}

static void copies(void **state)
{
	static const struct said said[] = {
		{"COPY nothing b", ":0|"},
		{"HSET c own 1", ":1|"},
		{"COPY c c", "-ERR source and destination objects are the same|"},
		{"COPY c c2", ":1|"},
		{"COPY c c2", ":0|"},
		{"COPY c c2 REPLACE", ":1|"},
		{"HDEL c own", ":1|"},
		{"HGETALL c", "*0|"},
		{"HGETALL c2", "*2|$3|own|$1|1|"},
		{"SET big "
		 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		 "xxxxxxx",
		 "+OK|"},
		{"COPY big big2", ":1|"},
		{"GET big2", "$88|"
			     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
			     "xxxxxxxxxxxxxxxxxxx|"},
		{"RENAME big2 big3", "+OK|"},
		{"GET big3", "$88|"
			     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
			     "xxxxxxxxxxxxxxxxxxx|"},
		{"COPY big c2 REPLACE", ":1|"},
		{"GET c2", "$88|"
			   "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
			   "xxxxxxxxxxxxxxxxx|"},
		{"COPY big c2 DB 99", "-ERR DB index is out of range|"},
		{"COPY big c2 DB x", "-ERR value is not an integer or out of range|"},
		{"COPY big c2 DB", "-ERR syntax error|"},
		{"COPY big c2 BAD", "-ERR syntax error|"},
		{"COPY big big DB 3", ":1|"},
		{"COPY big big DB 3", ":0|"},
		{NULL, NULL},
	};

	(void)state;
	in_every_way(said);
}

static void past(void **state)
{
	static const struct said said[] = {
		{"SET a 1", "+OK|"},
		{"SET a 2", "+OK|"},
		{"HSET h f 1 g 1", ":2|"},
		{"HSET h f 2", ":0|"},
		{"HDEL h g", ":1|"},
		{"RENAME h k", "+OK|"},
		{"HSET k f 9 z 9", ":1|"},
		{"DELRANGE [k [k", ":1|"},
		{"SET h str", "+OK|"},
		{"AT 0 GET a", "$-1|"},
		{"AT 1 GET a", "$1|1|"},
		{"AT 2 GET a", "$1|2|"},
		{"AT 3 HGETALL h", "*4|$1|f|$1|1|$1|g|$1|1|"},
		{"AT 3 HGET h f", "$1|1|"},
		{"AT 3 HLEN h", ":2|"},
		{"AT 4 HGET h f", "$1|2|"},
		{"AT 4 HKEYS h", "*2|$1|f|$1|g|"},
		{"AT 5 HGETALL h", "*2|$1|f|$1|2|"},
		{"AT 6 HGETALL h", "*0|"},
		{"AT 6 HGETALL k", "*2|$1|f|$1|2|"},
		{"AT 7 HLEN k", ":2|"},
		{"AT 7 HVALS k", "*2|$1|9|$1|9|"},
		{"AT 8 HGETALL k", "*0|"},
		{"AT 8 GET a", "$1|2|"},
		{"AT 9 GET h", "$3|str|"},
		{"AT 9 HGET h f",
		 "-WRONGTYPE Operation against a key holding the wrong kind of value|"},
		{"AT 10 GET a", "-ERR revision 10 is not there yet, the newest is 9|"},
		{"AT x GET a", "-ERR value is not an integer or out of range|"},
		{"AT -1 GET a", "-ERR value is not an integer or out of range|"},
		{"AT 1 SET a b", "-ERR AT takes a command that reads|"},
		{"AT 1 AT 1 GET a", "-ERR AT takes a command that reads|"},
		{"AT 1 WATCH a", "-ERR AT takes a command that reads|"},
		{"AT 1 OBJECT", "-ERR AT takes a command that reads|"},
		{"AT 1 HISTORY NOPE", "-ERR AT takes a command that reads|"},
		{"AT 1 PING", "-ERR AT takes a command that reads|"},
		{"AT 1 OBJECT REVISION a", "$3|1-0|"},
		{"AT 1 EXISTS a h", ":1|"},
		{"AT 4 TYPE h", "+hash|"},
		{"AT 3 DBSIZE", ":2|"},
		{"AT 1 NOPE", "-ERR AT takes a command that reads|"},
		{"AT 1 GET", "-ERR wrong number of arguments for 'get' command|"},
		{"AT TIME 99999999999999 GET a", "-ERR that time is not there yet|"},
		{"AT TIME 0 GET a", "$-1|"},
		{"AT TIME x GET a", "-ERR value is not an integer or out of range|"},
		{"AT TIME 1", "-ERR wrong number of arguments for 'at' command|"},
		{"GET a", "$1|2|"},
		{"RANGE - + KEYSONLY WITHREV", "*2|*2|$1|a|$3|2-0|*2|$1|h|$3|9-0|"},
		{"AT 7 RANGE - + WITHREV", "*2|*3|$1|a|$1|2|$3|2-0|*3|$1|k|$-1|$3|7-1|"},
		{"AT 1 RANGE - +", "*1|*2|$1|a|$1|1|"},
		{"AT 0 RANGE - + COUNTONLY", ":0|"},
		{NULL, NULL},
	};

	(void)state;
	in_every_way(said);
}

static void history(void **state)
{
	static const struct said said[] = {
		{"SET a 1", "+OK|"},
		{"SET a 2", "+OK|"},
		{"HSET h f 1", ":1|"},
		{"HSET h f 2 g 3", ":1|"},
		{"HDEL h f g", ":2|"},
		{"RENAME a b", "+OK|"},
		{"HISTORY GET a",
		 "*3|*14|$8|revision|$3|1-0|$4|time|:T|$6|author|:0|$6|change|$3|set|$4|type|$6|"
		 "string|$7|version|:1|$5|value|$1|1|*14|$8|revision|$3|2-0|$4|time|:T|$6|author|:"
		 "0|$6|change|$3|set|$4|type|$6|string|$7|version|:2|$5|value|$1|2|*12|$8|revision|"
		 "$3|6-0|$4|time|:T|$6|author|:0|$6|change|$10|moved_away|$4|type|$6|string|$2|to|$"
		 "1|b|"},
		{"HISTORY GET b", "*1|*14|$8|revision|$3|6-1|$4|time|:T|$6|author|:0|$6|change|$10|"
				  "moved_here|$4|type|$6|string|$7|version|:1|$4|from|$1|a|"},
		{"HISTORY GET h COUNT 2",
		 "*2|*16|$8|revision|$3|3-0|$4|time|:T|$6|author|:0|$6|change|$11|element_set|$4|"
		 "type|$4|hash|$7|version|:1|$7|element|$1|f|$5|value|$1|1|*18|$8|revision|$3|4-0|$"
		 "4|time|:T|$6|author|:0|$6|change|$11|element_set|$4|type|$4|hash|$7|version|:2|$"
		 "7|element|$1|f|$5|value|$1|2|$6|before|$1|1|"},
		{"HISTORY GET h REV COUNT 3",
		 "*3|*10|$8|revision|$3|5-2|$4|time|:T|$6|author|:0|$6|change|$6|delete|$4|type|$4|"
		 "hash|*16|$8|revision|$3|5-1|$4|time|:T|$6|author|:0|$6|change|$14|element_delete|"
		 "$4|type|$4|hash|$7|version|:5|$7|element|$1|g|$6|before|$1|3|*16|$8|revision|$3|"
		 "5-0|$4|time|:T|$6|author|:0|$6|change|$14|element_delete|$4|type|$4|hash|$7|"
		 "version|:4|$7|element|$1|f|$6|before|$1|2|"},
		{"HISTORY GET h FROM 4-1 TO 5-0",
		 "*2|*16|$8|revision|$3|4-1|$4|time|:T|$6|author|:0|$6|change|$11|element_set|$4|"
		 "type|$4|hash|$7|version|:3|$7|element|$1|g|$5|value|$1|3|*16|$8|revision|$3|5-0|$"
		 "4|time|:T|$6|author|:0|$6|change|$14|element_delete|$4|type|$4|hash|$7|version|:"
		 "4|$7|element|$1|f|$6|before|$1|2|"},
		{"HISTORY GET h FROM 4 TO 4",
		 "*2|*18|$8|revision|$3|4-0|$4|time|:T|$6|author|:0|$6|change|$11|element_set|$4|"
		 "type|$4|hash|$7|version|:2|$7|element|$1|f|$5|value|$1|2|$6|before|$1|1|*16|$8|"
		 "revision|$3|4-1|$4|time|:T|$6|author|:0|$6|change|$11|element_set|$4|type|$4|"
		 "hash|$7|version|:3|$7|element|$1|g|$5|value|$1|3|"},
		{"HISTORY GET nothing", "*0|"},
		{"HISTORY GET a FROM x", "-ERR invalid revision|"},
		{"HISTORY GET a FROM", "-ERR syntax error|"},
		{"HISTORY GET a BAD 1", "-ERR syntax error|"},
		{"HISTORY GET a COUNT -1", "-ERR value is out of range, must be positive|"},
		{"HISTORY", "-ERR wrong number of arguments for 'history' command|"},
		{"HISTORY NOPE", "-ERR unknown subcommand 'NOPE'. Try HISTORY HELP.|"},
		{"HISTORY INFO", "*8|$8|revision|:6|$7|horizon|:0|$12|horizon_time|:0|$4|time|:T|"},
		{NULL, NULL},
	};

	(void)state;
	in_every_way(said);
}

static void ranges(void **state)
{
	static const struct said said[] = {
		{"SET a 1", "+OK|"},
		{"SET b 2", "+OK|"},
		{"SET dir/a 3", "+OK|"},
		{"SET dir/b 4", "+OK|"},
		{"SET dir/sub/x 5", "+OK|"},
		{"HSET h f 1", ":1|"},
		{"RANGE - +", "*6|*2|$1|a|$1|1|*2|$1|b|$1|2|*2|$5|dir/a|$1|3|*2|$5|dir/"
			      "b|$1|4|*2|$9|dir/sub/x|$1|5|*2|$1|h|$-1|"},
		{"RANGE - + REV KEYSONLY", "*6|$1|h|$9|dir/sub/x|$5|dir/b|$5|dir/a|$1|b|$1|a|"},
		{"RANGE [b (h KEYSONLY", "*4|$1|b|$5|dir/a|$5|dir/b|$9|dir/sub/x|"},
		{"RANGE (b [h KEYSONLY", "*4|$5|dir/a|$5|dir/b|$9|dir/sub/x|$1|h|"},
		{"RANGE - + LIMIT 1 2 KEYSONLY", "*2|$1|b|$5|dir/a|"},
		{"RANGE - + LIMIT 1 -1 KEYSONLY", "*5|$1|b|$5|dir/a|$5|dir/b|$9|dir/sub/x|$1|h|"},
		{"RANGE - + LIMIT 0 0", "*0|"},
		{"RANGE - + LIMIT 9 5", "*0|"},
		{"RANGE - + REV LIMIT 1 1 WITHREV", "*1|*3|$9|dir/sub/x|$1|5|$3|5-0|"},
		{"RANGE - + COUNTONLY", ":6|"},
		{"RANGE + - COUNTONLY", ":0|"},
		{"RANGE [h [a KEYSONLY", "*0|"},
		{"RANGE a b", "-ERR min or max not valid string range item|"},
		{"RANGE - + NOPE", "-ERR syntax error|"},
		{"RANGE - + LIMIT 1", "-ERR syntax error|"},
		{"RANGE - + LIMIT -1 1", "-ERR value is out of range, must be positive|"},
		{"RANGE - + KEYSONLY COUNTONLY", "-ERR syntax error|"},
		{"PREFIX dir/ KEYSONLY", "*3|$5|dir/a|$5|dir/b|$9|dir/sub/x|"},
		{"PREFIX dir/ DELIMITER / KEYSONLY", "*3|$5|dir/a|$5|dir/b|$8|dir/sub/|"},
		{"PREFIX '' DELIMITER / KEYSONLY", "*4|$1|a|$1|b|$4|dir/|$1|h|"},
		{"PREFIX '' DELIMITER / WITHREV", "*4|*3|$1|a|$1|1|$3|1-0|*3|$1|b|$1|2|$3|2-0|*3|$"
						  "4|dir/|$-1|$-1|*3|$1|h|$-1|$3|6-0|"},
		{"PREFIX '' DELIMITER / COUNTONLY", ":4|"},
		{"PREFIX '' DELIMITER / REV KEYSONLY LIMIT 1 2", "*2|$4|dir/|$1|b|"},
		{"PREFIX \\xff KEYSONLY", "*0|"},
		{"PREFIX dir/ DELIMITER ''", "-ERR syntax error|"},
		{"DELPREFIX dir/s", ":1|"},
		{"RANGE - + KEYSONLY", "*5|$1|a|$1|b|$5|dir/a|$5|dir/b|$1|h|"},
		{"DELRANGE - (dir/b", ":3|"},
		{"DELRANGE - (dir/b", ":0|"},
		{"HISTORY INFO", "*8|$8|revision|:8|$7|horizon|:0|$12|horizon_time|:0|$4|time|:T|"},
		{"RANGE - + KEYSONLY", "*2|$5|dir/b|$1|h|"},
		{"DELRANGE x y", "-ERR min or max not valid string range item|"},
		{"DELPREFIX ''", ":2|"},
		{"RANGE - +", "*0|"},
		{NULL, NULL},
	};

	(void)state;
	in_every_way(said);
}

static void protocol_3_has_maps(void **state)
{
	struct solo s;

	(void)state;
	solo_init(&s);
	assert_int_equal(solo_start(&s), OK);
	assert_memory_equal(solo_say(&s, "HELLO 3"), "%7|", 3);
	assert_string_equal(solo_say(&s, "HGETALL h"), "%0|");
	assert_string_equal(solo_say(&s, "HKEYS h"), "*0|");
	assert_string_equal(solo_say(&s, "HGET h f"), "_|");
	assert_string_equal(solo_say(&s, "HSET h f 1"), ":1|");
	assert_string_equal(solo_say(&s, "HGETALL h"), "%1|$1|f|$1|1|");
	assert_string_equal(solo_say(&s, "HVALS h"), "*1|$1|1|");
	assert_string_equal(solo_say(&s, "HMGET h f g"), "*2|$1|1|_|");
	assert_memory_equal(solo_say(&s, "HISTORY INFO"), "%4|", 3);
	assert_memory_equal(solo_say(&s, "HISTORY GET h"), "*1|%8|", 6);
	solo_close(&s);
}

/* What the transaction itself has done is later than any revision that can be named. */
static void the_past_is_read_within_a_transaction(void **state)
{
	struct solo s;

	(void)state;
	solo_init(&s);
	assert_int_equal(solo_start(&s), OK);
	assert_string_equal(solo_say(&s, "SET a 1"), "+OK|");
	assert_string_equal(solo_say(&s, "HSET h f 1"), ":1|");
	assert_string_equal(solo_say(&s, "MULTI"), "+OK|");
	solo_say(&s, "SET a 2");
	solo_say(&s, "HSET h f 2 g 2");
	solo_say(&s, "RENAME h k");
	solo_say(&s, "FLUSHDB");
	solo_say(&s, "AT 2 GET a");
	solo_say(&s, "AT 2 HGETALL h");
	solo_say(&s, "AT 2 DBSIZE");
	solo_say(&s, "AT 3 GET a");
	solo_say(&s, "GET a");
	solo_say(&s, "SET a 3");
	assert_string_equal(solo_say(&s, "EXEC"),
			    "*10|+OK|:1|+OK|+OK|$1|1|*2|$1|f|$1|1|:2|"
			    "-ERR revision 3 is not there yet, the newest is 2|$-1|+OK|");
	assert_string_equal(solo_say(&s, "AT 2 HGETALL h"), "*2|$1|f|$1|1|");
	assert_string_equal(solo_say(&s, "AT 3 GET a"), "$1|3|");
	assert_string_equal(solo_say(&s, "DBSIZE"), ":1|");
	solo_close(&s);
}

/* What was made since the last flush is in overlays alone: scans of it need nobody's help. */
static void young_rows_are_scanned_on_the_loop(void **state)
{
	struct solo s;

	(void)state;
	solo_init(&s);
	assert_int_equal(solo_start(&s), OK);
	assert_string_equal(solo_say(&s, "HSET h f 1 g 2"), ":2|");
	s.hold_pool = true;
	assert_string_equal(solo_say(&s, "HLEN h"), ":2|");
	assert_string_equal(solo_say(&s, "HKEYS h"), "*2|$1|f|$1|g|");
	assert_string_equal(solo_say(&s, "HGET h nothing"), "$-1|");
	assert_string_equal(solo_say(&s, "RANGE - + KEYSONLY"), "*1|$1|h|");
	assert_string_equal(solo_say(&s, "AT 1 HLEN h"), ":2|");
	assert_string_equal(solo_say(&s, "AT 0 HLEN h"), ":0|");
	solo_close(&s);
}

static void what_is_below_the_horizon_is_compacted(void **state)
{
	struct solo s;

	(void)state;
	solo_init(&s);
	assert_int_equal(solo_start(&s), OK);
	for (const char *const *line =
		     (const char *const[]){"SET a 1", "SET a 2", "SET b 1", "SET a 3", "SET c 1",
					   "RENAME c d", NULL};
	     *line; line++)
		assert_string_equal(solo_say(&s, *line), "+OK|");
	assert_string_equal(solo_say(&s, "HISTORY COMPACT 3"), "+OK|");
	assert_string_equal(solo_say(&s, "AT 2 GET a"),
			    "-COMPACTED revision 2 is below the horizon, 3|");
	assert_string_equal(solo_say(&s, "AT TIME 1 GET a"),
			    "-COMPACTED that time is below the horizon|");
	assert_string_equal(solo_say(&s, "AT 3 GET a"), "$1|2|");
	assert_string_equal(solo_say(&s, "HISTORY GET a FROM 2"),
			    "-COMPACTED that revision is below the horizon|");
	/* The version that was current at the horizon is the last one. */
	assert_memory_equal(solo_say(&s, "HISTORY GET a"), "*2|*14|$8|revision|$3|2-0|", 26);
	assert_memory_equal(solo_say(&s, "HISTORY GET a COUNT 1 REV"), "*1|*14|$8|revision|$3|4-0|",
			    26);
	assert_memory_equal(solo_say(&s, "HISTORY GET c"), "*2|", 3);
	assert_string_equal(solo_say(&s, "HISTORY COMPACT 7"),
			    "-ERR revision 7 is not there yet, the newest is 6|");
	assert_string_equal(solo_say(&s, "HISTORY COMPACT -1"),
			    "-ERR revision -1 is not there yet, the newest is 6|");
	assert_string_equal(solo_say(&s, "HISTORY COMPACT x"),
			    "-ERR value is not an integer or out of range|");
	assert_string_equal(solo_say(&s, "HISTORY COMPACT 2"),
			    "-COMPACTED revision 2 is below the horizon, 3|");
	assert_string_equal(solo_say(&s, "HISTORY COMPACT 3"), "+OK|");
	assert_string_equal(solo_say(&s, "HISTORY COMPACT 6"), "+OK|");
	/* A tombstone at the horizon is dead. */
	assert_string_equal(solo_say(&s, "HISTORY GET c"), "*0|");
	assert_memory_equal(solo_say(&s, "HISTORY GET d"), "*1|", 3);
	solo_close(&s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes),
		cmocka_unit_test(moves),
		cmocka_unit_test(copies),
		cmocka_unit_test(past),
		cmocka_unit_test(history),
		cmocka_unit_test(ranges),
		cmocka_unit_test(protocol_3_has_maps),
		cmocka_unit_test(the_past_is_read_within_a_transaction),
		cmocka_unit_test(young_rows_are_scanned_on_the_loop),
		cmocka_unit_test(what_is_below_the_horizon_is_compacted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
