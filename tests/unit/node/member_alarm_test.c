/* A member that is short of space: what may make the data grow is refused, and nothing else. */

#include "base/error.h"

#include "support/control.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define STRANGER 77
#define OOM_TEXT                                                                  \
	"OOM command not allowed: a member is short of disk space; delete keys, " \
	"or give it more room (disk-reserve, quota-bytes)|"
#define OOM	  "-" OOM_TEXT
#define EXECABORT "-EXECABORT Transaction discarded because of: " OOM_TEXT

static bool short_of_space(const struct solo *s)
{
	return position_alarm_stands(control_position(s), ALARM_NO_SPACE);
}

static void tell(struct solo *s, bool low)
{
	member_note_space(s->member, low);
	solo_work(s);
}

static void growing_commands_are_refused_and_others_are_not(void **state)
{
	struct member_stats stats;
	struct solo s;

	(void)state;
	solo_init(&s);
	assert_int_equal(solo_start(&s), OK);
	assert_string_equal(solo_say(&s, "MSET a 1 b 2 c 3"), "+OK|");
	tell(&s, true);
	member_stats(s.member, &stats);
	assert_true(stats.no_space);
	assert_string_equal(solo_say(&s, "SET a 2"), OOM);
	assert_string_equal(solo_say(&s, "INCR n"), OOM);
	assert_string_equal(solo_say(&s, "HSET h f v"), OOM);
	assert_string_equal(solo_say(&s, "GET a"), "$1|1|");
	assert_string_equal(solo_say(&s, "EXISTS n h"), ":0|");
	assert_string_equal(solo_say(&s, "DEL b"), ":1|");
	assert_string_equal(solo_say(&s, "EXPIRE c 100"), ":1|");
	tell(&s, false);
	assert_string_equal(solo_say(&s, "SET a 2"), "+OK|");
	solo_close(&s);
}

static void a_transaction_with_a_growing_element_is_refused_whole(void **state)
{
	struct solo s;

	(void)state;
	solo_init(&s);
	assert_int_equal(solo_start(&s), OK);
	assert_string_equal(solo_say(&s, "MSET a 1 b 2"), "+OK|");
	tell(&s, true);
	solo_say(&s, "MULTI");
	solo_say(&s, "DEL a");
	solo_say(&s, "SET b 3");
	assert_string_equal(solo_say(&s, "EXEC"), EXECABORT);
	assert_string_equal(solo_say(&s, "MGET a b"), "*2|$1|1|$1|2|");
	solo_say(&s, "MULTI");
	solo_say(&s, "DEL a");
	solo_say(&s, "GET b");
	assert_string_equal(solo_say(&s, "EXEC"), "*2|:1|$1|2|");
	solo_close(&s);
}

static void what_is_watched_is_not_looked_at_first(void **state)
{
	struct solo s;

	(void)state;
	solo_init(&s);
	assert_int_equal(solo_start(&s), OK);
	assert_string_equal(solo_say(&s, "SET a 1"), "+OK|");
	assert_string_equal(solo_say(&s, "WATCH a"), "+OK|");
	assert_string_equal(solo_say(&s, "SET a 2"), "+OK|");
	tell(&s, true);
	solo_say(&s, "MULTI");
	solo_say(&s, "SELECT 3");
	solo_say(&s, "APPEND a 3");
	assert_string_equal(solo_say(&s, "EXEC"), EXECABORT);
	assert_string_equal(solo_say(&s, "GET a"), "$1|2|"); /* and no other database is selected */
	solo_close(&s);
}

/* A start forgets what the process told, and not what stands in the rows. */
static void an_alarm_stands_until_its_member_ends_it(void **state)
{
	struct solo s;

	(void)state;
	solo_init(&s);
	assert_int_equal(solo_start(&s), OK);
	tell(&s, true);
	solo_stop(&s, true);
	assert_int_equal(solo_start(&s), OK);
	assert_true(short_of_space(&s));
	assert_string_equal(solo_say(&s, "SET a 1"), OOM);
	tell(&s, true);
	assert_true(short_of_space(&s));
	tell(&s, false);
	assert_false(short_of_space(&s));
	assert_string_equal(solo_say(&s, "SET a 1"), "+OK|");
	solo_close(&s);
}

static void all_alarms_have_to_end(void **state)
{
	struct solo s;

	(void)state;
	solo_init(&s);
	assert_int_equal(solo_start(&s), OK);
	control_alarm(&s, STRANGER, true);
	control_alarm(&s, STRANGER + 1, true);
	control_alarm(&s, STRANGER, false);
	assert_string_equal(solo_say(&s, "SET a 1"), OOM);
	control_alarm(&s, STRANGER + 1, false);
	assert_string_equal(solo_say(&s, "SET a 1"), "+OK|");
	solo_close(&s);
}

static void members_speak_for_themselves_and_take_part(void **state)
{
	struct alarm_change a = {STRANGER, ALARM_NO_SPACE, true};
	struct buf bytes = {0};
	struct blob *body;
	struct solo s;

	(void)state;
	solo_init(&s);
	assert_int_equal(solo_start(&s), OK);
	for (unsigned i = 0; i < 3; i++) {
		buf_clear(&bytes);
		alarm_encode(&a, &bytes);
		bytes.len -= i == 2; /* and one that is none */
		body = blob_copy(buf_slice(&bytes));
		member_receive(s.member, STRANGER, FRAME_ALARM, body);
		blob_release(body);
		solo_work(&s);
		assert_false(short_of_space(&s));
		a.member = driver_id(member_driver(s.member));
	}
	buf_free(&bytes);
	solo_close(&s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(growing_commands_are_refused_and_others_are_not),
		cmocka_unit_test(a_transaction_with_a_growing_element_is_refused_whole),
		cmocka_unit_test(what_is_watched_is_not_looked_at_first),
		cmocka_unit_test(an_alarm_stands_until_its_member_ends_it),
		cmocka_unit_test(all_alarms_have_to_end),
		cmocka_unit_test(members_speak_for_themselves_and_take_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
