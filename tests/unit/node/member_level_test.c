/* The feature level, and what a state or a log holds that is above it. */

#include "base/error.h"
#include "node/member_state.h"
#include "node/transfer.h"
#include "storage/vault_memory.h"

#include "support/control.h"
#include "support/keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define STRANGER 77

static void begin(struct solo *s, uint32_t level)
{
	solo_init(s);
	s->options.level = level;
	assert_int_equal(solo_start(s), OK);
}

static void a_new_cluster_rises_to_what_its_members_support(void **state)
{
	struct solo s;

	(void)state;
	begin(&s, LEVEL_NEWEST);
	assert_int_equal(control_position(&s)->level, LEVEL_NEWEST);
	solo_close(&s);
}

static void the_level_rises_when_a_newer_version_registers(void **state)
{
	struct solo s;

	(void)state;
	begin(&s, LEVEL_FIRST);
	assert_int_equal(control_position(&s)->level, LEVEL_FIRST);
	solo_stop(&s, true);
	s.options.level = LEVEL_FIRST + 1;
	assert_int_equal(solo_start(&s), OK);
	assert_int_equal(control_position(&s)->level, LEVEL_FIRST + 1);
	solo_close(&s);
}

static void an_older_version_does_not_start_on_a_state_of_a_newer_level(void **state)
{
	struct solo s;

	(void)state;
	solo_init(&s);
	s.options.overlay_bytes = 1;
	assert_int_equal(solo_start(&s), OK);
	keys_store(&s);
	solo_stop(&s, true);
	s.options.level = LEVEL_NEWEST - 1;
	assert_int_equal(solo_start(&s), ERR_VERSION);
	solo_close(&s);
}

static void an_older_version_stops_where_its_log_raises_the_level(void **state)
{
	struct solo s;

	(void)state;
	begin(&s, LEVEL_NEWEST);
	solo_stop(&s, true);
	s.options.level = LEVEL_NEWEST - 1;
	assert_int_equal(solo_start(&s), OK); /* nothing is stored yet: its log says it */
	assert_true(member_stopped(s.member));
	assert_int_equal(s.failures, 1);
	assert_int_equal(control_position(&s)->level, LEVEL_NEWEST - 1);
	solo_close(&s);
}

/* What another member answers to the question for rows that is under way. */
static void rows_come(struct solo *s, const struct buf *position)
{
	struct buf answer = {0}, key = {0};
	struct blob *body;

	rows_begin(s->member->install.request, &answer);
	if (position) {
		meta_key(&key, SLICE_LITERAL("position"));
		rows_put(buf_slice(&key), buf_slice(position), &answer);
	}
	rows_end(&answer, ROWS_LAST, position != NULL);
	body = blob_copy(buf_slice(&answer));
	member_receive(s->member, STRANGER, FRAME_ROWS, body);
	blob_release(body);
	buf_free(&answer);
	buf_free(&key);
	solo_work(s);
}

static void an_older_version_does_not_take_over_a_state_of_a_newer_level(void **state)
{
	struct snapshot snapshot = {.index = 100};
	struct vault_memory vault;
	struct position p;
	struct buf bytes = {0};
	struct solo s;

	(void)state;
	vault_memory_init(&vault);
	position_init(&p);
	p.index = snapshot.index;
	p.level = LEVEL_NEWEST;
	position_encode(&p, (struct slice){0}, &bytes);
	position_free(&p);
	solo_init(&s);
	s.options.level = LEVEL_NEWEST - 1;
	s.options.vault = &vault.vault;
	assert_int_equal(solo_start(&s), OK);
	assert_null(member_install_fetch(s.member, STRANGER, &snapshot));
	solo_work(&s);
	rows_come(&s, NULL);
	assert_false(member_stopped(s.member));
	rows_come(&s, &bytes);
	assert_true(member_stopped(s.member));
	assert_int_equal(control_position(&s)->level, LEVEL_NEWEST - 1);
	buf_free(&bytes);
	solo_stop(&s, false);
	vault_memory_free(&vault);
	solo_close(&s);
}

static void a_level_that_a_registered_run_lacks_is_skipped_by_all(void **state)
{
	struct solo s;

	(void)state;
	begin(&s, LEVEL_FIRST);
	control_level(&s, LEVEL_FIRST + 1);
	assert_false(member_stopped(s.member));
	assert_int_equal(control_position(&s)->level, LEVEL_FIRST);
	assert_string_equal(solo_say(&s, "SET a 1"), "+OK|");
	solo_close(&s);
}

static void the_level_never_falls(void **state)
{
	struct solo s;

	(void)state;
	begin(&s, LEVEL_NEWEST);
	control_level(&s, LEVEL_FIRST);
	assert_int_equal(control_position(&s)->level, LEVEL_NEWEST);
	solo_close(&s);
}

static void a_run_that_lacks_the_level_is_not_registered(void **state)
{
	const struct origin_row *row;
	struct solo s;

	(void)state;
	begin(&s, LEVEL_NEWEST);
	control_register(&s, STRANGER, 0, LEVEL_NEWEST - 1);
	row = position_origin(control_position(&s), STRANGER);
	assert_int_equal(row->incarnation, 0);
	control_register(&s, STRANGER, 0, LEVEL_NEWEST + 1);
	row = position_origin(control_position(&s), STRANGER);
	assert_int_equal(row->incarnation, control_position(&s)->index);
	assert_int_equal(row->level, LEVEL_NEWEST + 1);
	control_register(&s, STRANGER, row->incarnation, LEVEL_NEWEST - 1);
	row = position_origin(control_position(&s), STRANGER);
	assert_int_equal(row->level, LEVEL_NEWEST + 1);
	solo_close(&s);
}

/* It would mean something else than what is done without it. */
static void a_command_with_an_unknown_flag_changes_nothing(void **state)
{
	struct solo s;

	(void)state;
	begin(&s, LEVEL_NEWEST);
	control_register(&s, STRANGER, 0, LEVEL_NEWEST);
	control_set(&s, STRANGER, 1, "a", BATCH_ONCE, LEVEL_NEWEST);
	control_set(&s, STRANGER, 2, "b", UINT64_C(1) << 63, LEVEL_NEWEST);
	control_set(&s, STRANGER, 3, "c", 0, LEVEL_NEWEST);
	assert_false(member_stopped(s.member));
	assert_string_equal(solo_say(&s, "EXISTS a b c"), ":1|");
	assert_string_equal(solo_say(&s, "GET c"), "$1|v|");
	assert_int_equal(position_origin(control_position(&s), STRANGER)->seq, 3);
	solo_close(&s);
}

static void a_command_of_a_higher_level_changes_nothing(void **state)
{
	struct solo s;

	(void)state;
	begin(&s, LEVEL_FIRST);
	control_register(&s, STRANGER, 0, LEVEL_NEWEST);
	control_set(&s, STRANGER, 1, "a", 0, LEVEL_FIRST + 1);
	control_set(&s, STRANGER, 2, "b", 0, LEVEL_FIRST);
	assert_false(member_stopped(s.member));
	assert_string_equal(solo_say(&s, "EXISTS a b"), ":1|");
	assert_int_equal(position_origin(control_position(&s), STRANGER)->seq, 2);
	solo_close(&s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_cluster_rises_to_what_its_members_support),
		cmocka_unit_test(the_level_rises_when_a_newer_version_registers),
		cmocka_unit_test(an_older_version_does_not_start_on_a_state_of_a_newer_level),
		cmocka_unit_test(an_older_version_stops_where_its_log_raises_the_level),
		cmocka_unit_test(an_older_version_does_not_take_over_a_state_of_a_newer_level),
		cmocka_unit_test(a_level_that_a_registered_run_lacks_is_skipped_by_all),
		cmocka_unit_test(the_level_never_falls),
		cmocka_unit_test(a_run_that_lacks_the_level_is_not_registered),
		cmocka_unit_test(a_command_with_an_unknown_flag_changes_nothing),
		cmocka_unit_test(a_command_of_a_higher_level_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
