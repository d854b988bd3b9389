/* The horizon in a whole member alone: how the leader moves it, by age and by size. */

#include "base/error.h"
#include "node/horizon_entry.h"
#include "node/member_state.h"

#include "support/keys.h"
#include "support/solo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct position *position_of(const struct solo *s)
{
	return store_position(s->member->store);
}

static void wait_ms(struct solo *s, uint64_t ms)
{
	while (ms > 0) {
		uint64_t step = MIN(ms, 20);

		s->now_ms += step;
		solo_work(s);
		ms -= step;
	}
}

static void the_past_is_kept_for_its_time(void **state)
{
	struct solo s;
	uint64_t first_ms, entries;

	(void)state;
	solo_init(&s);
	s.options.history_retention_ms = 10000;
	assert_int_equal(solo_start(&s), OK);
	assert_string_equal(solo_say(&s, "SET a 1"), "+OK|");
	first_ms = keys_time_ms(&s);
	wait_ms(&s, 5000);
	assert_string_equal(solo_say(&s, "SET a 2"), "+OK|");
	/* What was there ten seconds ago can be read, and no more. */
	wait_ms(&s, 4900);
	assert_int_equal(position_of(&s)->horizon, 0);
	wait_ms(&s, 2000);
	assert_int_equal(position_of(&s)->horizon, 1);
	assert_true(position_of(&s)->horizon_ms >= first_ms);
	assert_true(position_of(&s)->horizon_ms < first_ms + 100);
	assert_string_equal(solo_say(&s, "AT 1 GET a"), "$1|1|");
	assert_memory_equal(solo_say(&s, "AT 0 GET a"), "-COMPACTED", 10);
	wait_ms(&s, 5000);
	assert_int_equal(position_of(&s)->horizon, 2);
	/* Where nothing is left to be given up nothing is proposed. */
	entries = position_of(&s)->index;
	wait_ms(&s, 30000);
	assert_int_equal(position_of(&s)->index, entries);
	assert_int_equal(s.failures, 0);
	solo_close(&s);
}

static void a_shorter_time_holds_at_once(void **state)
{
	struct member_limits limits;
	struct solo s;

	(void)state;
	solo_init(&s);
	s.options.history_retention_ms = 3600 * 1000;
	assert_int_equal(solo_start(&s), OK);
	assert_string_equal(solo_say(&s, "SET a 1"), "+OK|");
	wait_ms(&s, 10000);
	assert_int_equal(position_of(&s)->horizon, 0);
	limits = (struct member_limits){.request_timeout_ms = s.options.request_timeout_ms,
					.history_retention_ms = 5000,
					.history_max_bytes = s.options.history_max_bytes,
					.check_interval_ms = s.options.check_interval_ms};
	member_set_limits(s.member, &limits);
	wait_ms(&s, 100);
	assert_int_equal(position_of(&s)->horizon, 1);
	solo_close(&s);
}

static void only_so_much_of_the_past_is_kept(void **state)
{
	struct solo s;
	char line[400];
	uint64_t horizon;

	(void)state;
	solo_init(&s);
	s.options.overlay_bytes = 1;
	s.options.history_max_bytes = 20000;
	assert_int_equal(solo_start(&s), OK);
	for (int i = 0; i < 100; i++) {
		snprintf(line, sizeof(line), "SET key %0300d", i);
		assert_string_equal(solo_say(&s, line), "+OK|");
	}
	wait_ms(&s, 2500);
	horizon = position_of(&s)->horizon;
	assert_true(horizon > 30 && horizon < 50);
	for (int i = 0; i < 10; i++)
		assert_string_equal(solo_say(&s, "SET key small"), "+OK|");
	wait_ms(&s, 2500);
	assert_true(position_of(&s)->horizon > horizon);
	assert_int_equal(s.failures, 0);
	solo_close(&s);
}

static unsigned rows_of(struct solo *s, enum engine_family family)
{
	struct engine_view *v = engine_view_open(s->engine);
	struct engine_cursor *c = engine_cursor_open(v, family, (struct slice){NULL, 0});
	unsigned rows = 0;

	engine_cursor_seek(c, (struct slice){NULL, 0});
	for (; engine_cursor_valid(c); engine_cursor_next(c))
		rows++;
	engine_cursor_close(c);
	engine_view_close(v);
	return rows;
}

/* Nobody has to write for it: first the horizon is stored, then what is below it goes. */
static void what_is_dead_leaves_the_engine(void **state)
{
	struct solo s;

	(void)state;
	solo_init(&s);
	assert_int_equal(solo_start(&s), OK);
	for (int i = 0; i < 50; i++)
		assert_string_equal(solo_say(&s, "SET key value"), "+OK|");
	assert_string_equal(solo_say(&s, "HSET hash a 1 b 2"), ":2|");
	assert_string_equal(solo_say(&s, "DEL hash"), ":1|");
	assert_string_equal(solo_say(&s, "HSET other a 1 b 2"), ":2|");
	assert_string_equal(solo_say(&s, "FLUSHDB"), "+OK|");
	assert_string_equal(solo_say(&s, "SET last one"), "+OK|");
	assert_string_equal(solo_say(&s, "HISTORY COMPACT 55"), "+OK|");
	wait_ms(&s, 2 * s.options.compact_pace_ms + 1000);
	assert_int_equal(store_durable_horizon(s.member->store), 55);
	/* The key and the mapping; the record, the position, and how far this is. */
	assert_int_equal(rows_of(&s, FAMILY_HISTORY), 2);
	assert_int_equal(rows_of(&s, FAMILY_STATE), 3);
	assert_string_equal(solo_say(&s, "GET last"), "$3|one|");
	assert_int_equal(s.failures, 0);
	solo_close(&s);
}

/* So many keys that a round does not come to all; the next one goes on behind them. */
static void what_is_much_leaves_in_parts(void **state)
{
	struct buf line = {0};
	struct solo s;

	(void)state;
	solo_init(&s);
	assert_int_equal(solo_start(&s), OK);
	for (int i = 0; i < 140; i++) {
		buf_clear(&line);
		buf_printf(&line, "MSET");
		for (int k = 0; k < 1000; k++)
			buf_printf(&line, " %d:%d v", k, i);
		buf_append_byte(&line, 0);
		assert_string_equal(solo_say(&s, (const char *)line.data), "+OK|");
	}
	assert_string_equal(solo_say(&s, "FLUSHDB"), "+OK|");
	/* Another database ends as well, and one between the two goes on. */
	assert_string_equal(solo_say(&s, "SELECT 2"), "+OK|");
	assert_string_equal(solo_say(&s, "HSET hash a 1 b 2"), ":2|");
	assert_string_equal(solo_say(&s, "FLUSHDB"), "+OK|");
	assert_string_equal(solo_say(&s, "SELECT 1"), "+OK|");
	assert_string_equal(solo_say(&s, "HSET hash a 1"), ":1|");
	assert_string_equal(solo_say(&s, "HISTORY COMPACT 144"), "+OK|");
	wait_ms(&s, 4 * s.options.compact_pace_ms + 1000);
	/* The record and its field; the position, and how far this is. */
	assert_int_equal(rows_of(&s, FAMILY_STATE), 4);
	assert_string_equal(solo_say(&s, "HGETALL hash"), "*2|$1|a|$1|1|");
	/* And what ends later is found where that ended. */
	assert_string_equal(solo_say(&s, "FLUSHDB"), "+OK|");
	assert_string_equal(solo_say(&s, "HISTORY COMPACT 145"), "+OK|");
	wait_ms(&s, 2 * s.options.compact_pace_ms + 1000);
	assert_int_equal(rows_of(&s, FAMILY_STATE), 2);
	assert_int_equal(s.failures, 0);
	buf_free(&line);
	solo_close(&s);
}

/* A disk without room for it is tried again, later. */
static void what_finds_no_room_waits(void **state)
{
	struct solo s;

	(void)state;
	solo_init(&s);
	s.options.overlay_bytes = 1;
	assert_int_equal(solo_start(&s), OK);
	for (int i = 0; i < 20; i++)
		assert_string_equal(solo_say(&s, "SET key value"), "+OK|");
	assert_string_equal(solo_say(&s, "HISTORY COMPACT 20"), "+OK|");
	wait_ms(&s, 1000);
	engine_memory_fail(s.rows, ENGINE_MEMORY_ROW, 3, ERR_NO_SPACE);
	wait_ms(&s, s.options.compact_pace_ms);
	wait_ms(&s, 2 * s.options.compact_pace_ms);
	assert_int_equal(rows_of(&s, FAMILY_HISTORY), 1);
	assert_int_equal(s.failures, 0);
	solo_close(&s);
}

/* A move is part of what is applied: a member that starts again stands where it stood. */
static void without_space_no_past_is_kept(void **state)
{
	struct solo s;

	(void)state;
	solo_init(&s);
	s.options.history_retention_ms = 3600 * 1000;
	s.options.compact_pace_ms = 1000000;
	assert_int_equal(solo_start(&s), OK);
	for (unsigned i = 0; i < 10; i++)
		assert_string_equal(solo_say(&s, "SET a 1"), "+OK|");
	wait_ms(&s, 3000);
	assert_int_equal(position_of(&s)->horizon, 0);
	member_note_space(s.member, true);
	wait_ms(&s, 3000);
	assert_int_equal(position_of(&s)->horizon, 10);
	assert_int_equal(rows_of(&s, FAMILY_HISTORY), 1);
	/* Also what is deleted from there on makes room. */
	assert_string_equal(solo_say(&s, "DEL a"), ":1|");
	wait_ms(&s, 3000);
	assert_int_equal(position_of(&s)->horizon, 11);
	assert_int_equal(rows_of(&s, FAMILY_HISTORY), 0);
	member_note_space(s.member, false);
	solo_work(&s);
	assert_string_equal(solo_say(&s, "SET a 1"), "+OK|");
	wait_ms(&s, 3000);
	assert_int_equal(position_of(&s)->horizon, 11);
	assert_int_equal(s.failures, 0);
	solo_close(&s);
}

static void it_outlives_a_restart(void **state)
{
	struct solo s;

	(void)state;
	solo_init(&s);
	assert_int_equal(solo_start(&s), OK);
	assert_string_equal(solo_say(&s, "SET a 1"), "+OK|");
	assert_string_equal(solo_say(&s, "SET a 2"), "+OK|");
	assert_string_equal(solo_say(&s, "HISTORY COMPACT 2"), "+OK|");
	solo_stop(&s, true);
	assert_int_equal(solo_start(&s), OK);
	assert_int_equal(position_of(&s)->horizon, 2);
	assert_true(position_of(&s)->horizon_ms > 0);
	assert_string_equal(solo_say(&s, "GET a"), "$1|2|");
	assert_memory_equal(solo_say(&s, "AT 1 GET a"), "-COMPACTED", 10);
	solo_close(&s);
}

/* What it moves past is forgotten at once, for those that watch and for those that come again. */
static void what_was_deleted_below_it_never_was(void **state)
{
	struct solo s;

	(void)state;
	solo_init(&s);
	assert_int_equal(solo_start(&s), OK);
	assert_string_equal(solo_say(&s, "SET a 1"), "+OK|");
	assert_string_equal(solo_say(&s, "DEL a"), ":1|");
	assert_string_equal(solo_say(&s, "WATCH a"), "+OK|");
	assert_string_equal(solo_say(&s, "SET b 1"), "+OK|");
	assert_string_equal(solo_say(&s, "HISTORY COMPACT 3"), "+OK|");
	assert_string_equal(solo_say(&s, "MULTI"), "+OK|");
	assert_string_equal(solo_say(&s, "SET c 1"), "+QUEUED|");
	assert_string_equal(solo_say(&s, "EXEC"), "*-1|");
	assert_string_equal(solo_say(&s, "SET a 2"), "+OK|");
	assert_memory_equal(solo_say(&s, "HISTORY GET a"), "*1|", 3);
	solo_close(&s);
}

/* Within a transaction, it moves for what comes behind. */
static void a_transaction_may_move_it(void **state)
{
	struct solo s;

	(void)state;
	solo_init(&s);
	assert_int_equal(solo_start(&s), OK);
	assert_string_equal(solo_say(&s, "SET a 1"), "+OK|");
	assert_string_equal(solo_say(&s, "MULTI"), "+OK|");
	solo_say(&s, "SET a 2");
	solo_say(&s, "HISTORY COMPACT 2");
	solo_say(&s, "AT 0 GET a");
	solo_say(&s, "HISTORY COMPACT 1");
	solo_say(&s, "AT 0 GET a");
	assert_string_equal(solo_say(&s, "EXEC"),
			    "*5|+OK|-ERR revision 2 is not there yet, the newest is 1|$-1|+OK|"
			    "-COMPACTED revision 0 is below the horizon, 1|");
	assert_int_equal(position_of(&s)->horizon, 1);
	solo_close(&s);
}

static void an_entry_is_read_as_it_was_written(void **state)
{
	struct horizon_entry h = {1234567, 1700000000000}, got;
	struct buf bytes = {0};

	(void)state;
	horizon_entry_encode(&h, &bytes);
	assert_int_equal(horizon_entry_decode(buf_slice(&bytes), &got), OK);
	assert_int_equal(got.revision, h.revision);
	assert_int_equal(got.at_ms, h.at_ms);
	for (size_t len = 0; len < bytes.len; len++)
		assert_int_equal(horizon_entry_decode(slice_of(bytes.data, len), &got),
				 ERR_MALFORMED);
	buf_append_byte(&bytes, 0);
	assert_int_equal(horizon_entry_decode(buf_slice(&bytes), &got), ERR_MALFORMED);
	bytes.data[0] = 2;
	assert_int_equal(horizon_entry_decode(buf_slice(&bytes), &got), ERR_VERSION);
	buf_free(&bytes);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_past_is_kept_for_its_time),
		cmocka_unit_test(a_shorter_time_holds_at_once),
		cmocka_unit_test(only_so_much_of_the_past_is_kept),
		cmocka_unit_test(what_is_dead_leaves_the_engine),
		cmocka_unit_test(what_is_much_leaves_in_parts),
		cmocka_unit_test(what_finds_no_room_waits),
		cmocka_unit_test(without_space_no_past_is_kept),
		cmocka_unit_test(it_outlives_a_restart),
		cmocka_unit_test(what_was_deleted_below_it_never_was),
		cmocka_unit_test(a_transaction_may_move_it),
		cmocka_unit_test(an_entry_is_read_as_it_was_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
