/* A member whose data was found to differ. How that is found out is for several members. */

#include "base/error.h"
#include "node/member_state.h"
#include "node/transfer.h"

#include "support/control.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define REFUSED	  "-" QUARANTINE_TEXT "|"
#define UNCERTAIN "-UNCERTAIN applied, reply lost"

static uint64_t own_id(const struct solo *s)
{
	return driver_id(s->member->driver);
}

static bool begins_with(const char *text, const char *beginning)
{
	return strncmp(text, beginning, strlen(beginning)) == 0;
}

static void it_serves_nobody_until_it_is_released(void **state)
{
	struct member_stats stats;
	struct solo s;

	(void)state;
	solo_init(&s);
	assert_int_equal(solo_start(&s), OK);
	assert_string_equal(solo_say(&s, "SET a 1"), "+OK|");
	control_verdict(&s, own_id(&s), VERDICT_QUARANTINE);
	member_stats(s.member, &stats);
	assert_true(stats.quarantined && stats.verdicts == 1);
	assert_string_equal(solo_say(&s, "GET a"), REFUSED);
	assert_string_equal(solo_say(&s, "SET a 2"), REFUSED);
	assert_string_equal(solo_say(&s, "PING"), "+PONG|");
	assert_string_equal(solo_say(&s, "READONLY"), "+OK|");
	assert_string_equal(solo_say(&s, "GET a"), REFUSED);
	control_verdict(&s, own_id(&s), VERDICT_RELEASE);
	assert_string_equal(solo_say(&s, "GET a"), "$1|1|");
	assert_string_equal(solo_say(&s, "SET a 3"), "+OK|");
	solo_close(&s);
}

static void its_transactions_are_refused_too(void **state)
{
	struct solo s;

	(void)state;
	solo_init(&s);
	assert_int_equal(solo_start(&s), OK);
	control_verdict(&s, own_id(&s), VERDICT_QUARANTINE);
	solo_say(&s, "MULTI");
	solo_say(&s, "SELECT 2");
	solo_say(&s, "SET a 1");
	assert_string_equal(solo_say(&s, "EXEC"), REFUSED);
	solo_say(&s, "MULTI");
	solo_say(&s, "GET a");
	assert_string_equal(solo_say(&s, "EXEC"), REFUSED);
	assert_string_equal(solo_say(&s, "WATCH a"), REFUSED);
	solo_say(&s, "MULTI");
	assert_true(begins_with(solo_say(&s, "EXEC"), "-EXECABORT"));
	control_verdict(&s, own_id(&s), VERDICT_RELEASE);
	assert_string_equal(solo_say(&s, "EXISTS a"), ":0|");
	solo_close(&s);
}

/* It was numbered before, and is applied: but nobody can tell what it should have answered. */
static void a_write_under_way_is_applied_and_its_reply_is_not_given(void **state)
{
	struct verdict v = {.index = 1, .count = 1, .items = {{0, VERDICT_QUARANTINE}}};
	struct buf bytes = {0};
	const char *said;
	uint64_t index;
	struct solo s;

	(void)state;
	solo_init(&s);
	assert_int_equal(solo_start(&s), OK);
	v.items[0].member = own_id(&s);
	verdict_encode(&v, &bytes);
	assert_int_equal(member_propose_bytes(s.member, ENTRY_VERDICT, &bytes, 0, &index), OK);
	buf_free(&bytes);
	said = solo_say(&s, "INCR n");
	assert_true(begins_with(said, UNCERTAIN));
	assert_string_equal(solo_say(&s, "GET n"), REFUSED);
	control_verdict(&s, own_id(&s), VERDICT_RELEASE);
	assert_string_equal(solo_say(&s, "GET n"), "$1|1|");
	solo_close(&s);
}

static void a_read_that_the_pool_brings_back_is_refused(void **state)
{
	struct solo s;

	(void)state;
	solo_init(&s);
	s.options.overlay_bytes = 1;
	s.options.header_cache_bytes = 0;
	s.options.value_cache_bytes = 0;
	assert_int_equal(solo_start(&s), OK);
	assert_string_equal(solo_say(&s, "SET a 1"), "+OK|");
	assert_string_equal(solo_say(&s, "SET b 1"), "+OK|");
	s.hold_reads = true;
	assert_string_equal(solo_say(&s, "GET a"), "");
	control_verdict(&s, own_id(&s), VERDICT_QUARANTINE);
	s.hold_reads = false;
	solo_work(&s);
	assert_string_equal(solo_take(&s, s.session), REFUSED);
	solo_close(&s);
}

static bool all_is_stored(const struct solo *s)
{
	return store_durable_index(s->member->store) == control_position(s)->index;
}

/* Else it would be in quarantine again when it is started again, or be in none any more. */
static void what_is_said_of_it_is_stored_at_once(void **state)
{
	static const enum verdict_outcome said[] = {VERDICT_QUARANTINE, VERDICT_RELEASE};
	struct solo s;

	(void)state;
	solo_init(&s);
	assert_int_equal(solo_start(&s), OK);
	control_verdict(&s, own_id(&s) ^ 2, VERDICT_QUARANTINE);
	assert_false(all_is_stored(&s));
	for (size_t i = 0; i < ARRAY_LEN(said); i++) {
		/* What was stored just before has nothing of it. */
		assert_string_equal(solo_say(&s, "SAVE"), "+OK|");
		assert_true(all_is_stored(&s));
		control_verdict(&s, own_id(&s), said[i]);
		assert_true(all_is_stored(&s));
		control_verdict(&s, own_id(&s), said[i]);
		assert_false(all_is_stored(&s));
	}
	solo_close(&s);
}

static void it_knows_after_a_restart_and_says_what_to_do(void **state)
{
	struct solo s;

	(void)state;
	solo_init(&s);
	s.options.overlay_bytes = 1;
	assert_int_equal(solo_start(&s), OK);
	control_verdict(&s, own_id(&s), VERDICT_QUARANTINE);
	control_register(&s, 77, 0, LEVEL_NEWEST);
	control_set(&s, 77, 1, "a", 0, LEVEL_NEWEST);
	solo_stop(&s, true);
	buf_clear(&s.log_text);
	assert_int_equal(solo_start(&s), OK);
	buf_append_byte(&s.log_text, 0);
	assert_non_null(strstr((const char *)s.log_text.data, "remove its state"));
	assert_string_equal(solo_say(&s, "GET a"), REFUSED);
	solo_close(&s);
}

/* Whether it looks for rows to give to somebody who asks for the state that it has stored. */
static bool gives_its_state(struct solo *s)
{
	struct fetch f = {.from = 77,
			  .index = store_durable_index(s->member->store),
			  .request = 1,
			  .family = FAMILY_STATE};
	unsigned jobs = s->pool_jobs;
	struct buf question = {0};
	struct blob *body;

	fetch_encode(&f, &question);
	body = blob_copy(buf_slice(&question));
	member_receive(s->member, 77, FRAME_FETCH, body);
	blob_release(body);
	buf_free(&question);
	solo_work(s);
	return s->pool_jobs > jobs;
}

static void it_gives_its_state_to_nobody(void **state)
{
	struct solo s;

	(void)state;
	solo_init(&s);
	s.options.overlay_bytes = 1;
	assert_int_equal(solo_start(&s), OK);
	assert_string_equal(solo_say(&s, "SET a 1"), "+OK|");
	assert_true(gives_its_state(&s));
	control_verdict(&s, own_id(&s), VERDICT_QUARANTINE);
	assert_false(gives_its_state(&s));
	control_verdict(&s, own_id(&s), VERDICT_RELEASE);
	assert_true(gives_its_state(&s));
	solo_close(&s);
}

static void others_in_quarantine_do_not_matter_here(void **state)
{
	struct solo s;

	(void)state;
	solo_init(&s);
	assert_int_equal(solo_start(&s), OK);
	control_verdict(&s, own_id(&s) ^ 2, VERDICT_QUARANTINE);
	assert_string_equal(solo_say(&s, "SET a 1"), "+OK|");
	solo_close(&s);
}

static void a_lone_member_has_nobody_to_compare_with(void **state)
{
	uint64_t index;
	struct solo s;

	(void)state;
	solo_init(&s);
	s.options.check_interval_ms = 10;
	assert_int_equal(solo_start(&s), OK);
	assert_string_equal(solo_say(&s, "SET a 1"), "+OK|");
	index = control_position(&s)->index;
	for (int i = 0; i < 100; i++) {
		s.now_ms += 10;
		solo_work(&s);
	}
	assert_int_equal(control_position(&s)->index, index);
	solo_close(&s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_serves_nobody_until_it_is_released),
		cmocka_unit_test(its_transactions_are_refused_too),
		cmocka_unit_test(a_write_under_way_is_applied_and_its_reply_is_not_given),
		cmocka_unit_test(a_read_that_the_pool_brings_back_is_refused),
		cmocka_unit_test(what_is_said_of_it_is_stored_at_once),
		cmocka_unit_test(it_knows_after_a_restart_and_says_what_to_do),
		cmocka_unit_test(it_gives_its_state_to_nobody),
		cmocka_unit_test(others_in_quarantine_do_not_matter_here),
		cmocka_unit_test(a_lone_member_has_nobody_to_compare_with),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
