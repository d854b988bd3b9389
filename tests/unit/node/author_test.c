/* Who changed what: rows of authors, from a client's first write to the next run. */

#include "node/member.h"

#include "base/error.h"
#include "storage/row.h"

#include "support/solo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void start(struct solo *s)
{
	assert_int_equal(solo_start(s), OK);
	session_set_address(s->session, slice_of_text("10.0.0.1:5"));
}

/* What HISTORY says of the newest change of this key, from the author on. */
static void assert_author(struct solo *s, const char *key, const char *expected)
{
	char line[64];
	const char *said, *at;

	snprintf(line, sizeof(line), "HISTORY GET %s COUNT 1 REV", key);
	said = solo_say(s, line);
	at = strstr(said, "$6|author|");
	if (!at || strncmp(at, expected, strlen(expected)) != 0)
		fail_msg("%s: %s", key, said);
}

static void a_change_says_who_made_it(void **state)
{
	struct solo s;

	(void)state;
	solo_init(&s);
	start(&s);
	assert_string_equal(solo_say(&s, "SET a 1"), "+OK|");
	assert_author(&s, "a",
		      "$6|author|:1|$3|run|:2|$4|user|$7|default|$7|address|$10|10.0.0.1:5|"
		      "$6|client|$0||");
	assert_string_equal(solo_say(&s, "CLIENT SETNAME ann"), "+OK|");
	assert_string_equal(solo_say(&s, "SET b 1"), "+OK|");
	assert_string_equal(solo_say(&s, "SET c 1"), "+OK|");
	assert_author(&s, "b", "$6|author|:2|");
	assert_author(&s, "c",
		      "$6|author|:2|$3|run|:2|$4|user|$7|default|$7|address|$10|10.0.0.1:5|"
		      "$6|client|$3|ann|");
	assert_author(&s, "a", "$6|author|:1|$3|run|:2|$4|user|");
	assert_string_equal(solo_say(&s, "MULTI"), "+OK|");
	assert_string_equal(solo_say(&s, "SET d 1"), "+QUEUED|");
	assert_string_equal(solo_say(&s, "EXEC"), "*1|+OK|");
	assert_author(&s, "d", "$6|author|:2|");
	solo_close(&s);
}

static void each_client_has_its_own_number_and_each_run_begins_anew(void **state)
{
	struct solo s;
	struct session *other;

	(void)state;
	solo_init(&s);
	start(&s);
	assert_string_equal(solo_say(&s, "SET a 1"), "+OK|");
	other = session_open(s.member, &solo_session_events, &s);
	session_set_address(other, slice_of_text("10.0.0.2:6"));
	solo_send(&s, other, "SET b 1");
	solo_work(&s);
	assert_string_equal(solo_take(&s, other), "+OK|");
	assert_author(&s, "b",
		      "$6|author|:2|$3|run|:2|$4|user|$7|default|$7|address|$10|10.0.0.2:6|");
	session_close(other);
	solo_work(&s);
	/* As long as the horizon is not there, it is known who that was. */
	assert_author(&s, "b",
		      "$6|author|:2|$3|run|:2|$4|user|$7|default|$7|address|$10|10.0.0.2:6|");
	solo_stop(&s, true);
	start(&s);
	assert_string_equal(solo_say(&s, "SET c 1"), "+OK|");
	assert_null(strstr(solo_say(&s, "HISTORY GET c"), "|run|:2|"));
	assert_author(&s, "c", "$6|author|:1|$3|run|:");
	assert_author(&s, "a",
		      "$6|author|:1|$3|run|:2|$4|user|$7|default|$7|address|$10|10.0.0.1:5|");
	solo_close(&s);
}

/* Writes that are not taken bring no author, and those of a leaver end in order. */
static void a_client_that_leaves_at_once_is_known(void **state)
{
	struct solo s;

	(void)state;
	solo_init(&s);
	start(&s);
	for (int i = 0; i < 20; i++) {
		struct session *other = session_open(s.member, &solo_session_events, &s);

		session_set_address(other, slice_of_text("10.0.0.9:1"));
		solo_send(&s, other, "SET a 1");
		session_close(other);
		solo_work(&s);
	}
	solo_send(&s, s.session, "SET b 1");
	solo_work(&s);
	assert_string_equal(solo_take(&s, s.session), "+OK|");
	assert_author(&s, "b", "$6|author|:21|");
	solo_close(&s);
}

static void rows_come_back_and_cut_ones_do_not(void **state)
{
	struct author_text text = {SLICE_LITERAL("u"), SLICE_LITERAL("1.2.3.4:5"),
				   SLICE_LITERAL("me")},
			   back;
	struct buf bytes = {0};
	enum garbage_kind kind;
	uint64_t ended, id;

	(void)state;
	author_text_encode(&text, &bytes);
	assert_int_equal(author_text_decode(buf_slice(&bytes), &back), OK);
	assert_true(slice_equal(back.client, text.client));
	for (size_t len = 0; len < bytes.len; len++)
		assert_int_not_equal(author_text_decode(slice_of(bytes.data, len), &back), OK);
	bytes.data[0] = 0x20;
	assert_int_equal(author_text_decode(buf_slice(&bytes), &back), ERR_VERSION);
	buf_clear(&bytes);
	author_garbage_key(&bytes, 7, (struct author){8, 9});
	assert_int_equal(garbage_key_decode(buf_slice(&bytes), &ended, &kind, &id), OK);
	assert_int_equal(kind, GARBAGE_AUTHOR);
	assert_int_equal(ended, 7);
	assert_int_equal(id, 8);
	assert_int_equal(author_garbage_number(buf_slice(&bytes)), 9);
	assert_int_equal(
		garbage_key_decode(slice_of(bytes.data, bytes.len - 8), &ended, &kind, &id),
		ERR_MALFORMED);
	buf_free(&bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_change_says_who_made_it),
		cmocka_unit_test(each_client_has_its_own_number_and_each_run_begins_anew),
		cmocka_unit_test(a_client_that_leaves_at_once_is_known),
		cmocka_unit_test(rows_come_back_and_cut_ones_do_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
