/* Labels: a name and where it is reached. */

#include "consensus/label.h"

#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static bool is(struct slice s, const char *text)
{
	return slice_equal(s, slice_of_text(text));
}

static void a_label_has_a_name_and_maybe_an_address(void **state)
{
	struct label l = label_of(slice_of_text("n1=127.0.0.1:16379"));
	struct buf out = {0};

	(void)state;
	assert_true(is(l.name, "n1"));
	assert_true(is(l.address, "127.0.0.1:16379"));
	label_put(l.name, l.address, &out);
	assert_true(is(buf_slice(&out), "n1=127.0.0.1:16379"));
	buf_clear(&out);
	label_put(l.name, (struct slice){0}, &out);
	assert_true(is(buf_slice(&out), "n1"));
	buf_free(&out);
	l = label_of(slice_of_text("n1=[::1]:16379/host:6379"));
	assert_true(is(l.address, "[::1]:16379"));
	assert_true(is(l.client, "host:6379"));
	l = label_of(slice_of_text("a/b"));
	assert_true(is(l.name, "a/b"));
	assert_int_equal(l.client.len, 0);
	l = label_of(slice_of_text("n1"));
	assert_true(is(l.name, "n1"));
	assert_int_equal(l.address.len, 0);
	assert_int_equal(label_of((struct slice){0}).name.len, 0);
}

static void addresses_are_taken_apart(void **state)
{
	static const char *const wrong[] = {"",	   ":1",   "a",	     "a:",    "a:0",	 "a:65536",
					    "a:x", "a:1x", "::1:80", "[::1]", "[::1]80", "[]:80"};
	struct slice host;
	uint16_t port;

	(void)state;
	assert_int_equal(label_address(slice_of_text("[::1]:80"), &host, &port), OK);
	assert_true(is(host, "::1"));
	assert_int_equal(port, 80);
	assert_int_equal(label_address(slice_of_text("host.example:65535"), &host, &port), OK);
	assert_true(is(host, "host.example"));
	assert_int_equal(port, 65535);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(label_address(slice_of_text(wrong[i]), &host, &port), ERR_INVALID);
}

static void what_is_put_as_an_address_is_one(void **state)
{
	static const char *const hosts[] = {"::1", "127.0.0.1", "host.example"};
	struct buf out = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++) {
		struct slice host;
		uint16_t port;

		buf_clear(&out);
		label_put_address(slice_of_text(hosts[i]), 80, &out);
		assert_int_equal(label_address(buf_slice(&out), &host, &port), OK);
		assert_true(is(host, hosts[i]));
		assert_int_equal(port, 80);
	}
	buf_free(&out);
}

static void the_place_of_clients_is_none_of_members(void **state)
{
	(void)state;
	assert_true(is(label_place(slice_of_text("[::1]:1/host:2")), "[::1]:1"));
	assert_true(is(label_place(slice_of_text("host:1")), "host:1"));
	assert_int_equal(label_place((struct slice){0}).len, 0);
}

static void labels_that_cannot_be_are_told(void **state)
{
	char text[MEMBER_LABEL_MAX + 2];

	(void)state;
	assert_int_equal(label_check(slice_of_text("n1")), OK);
	assert_int_equal(label_check(slice_of_text("n1=a:1")), OK);
	assert_int_equal(label_check(slice_of_text("=a:1")), ERR_INVALID);
	assert_int_equal(label_check(slice_of_text("n\n1")), ERR_INVALID);
	assert_int_equal(label_check(slice_of_text("n1=a")), ERR_INVALID);
	assert_int_equal(label_check(slice_of_text("n1=a:1/b:2")), OK);
	assert_int_equal(label_check(slice_of_text("n1=a:1/b")), ERR_INVALID);
	assert_int_equal(label_check(slice_of_text("n1=a:1/b:2/c:3")), ERR_INVALID);
	memset(text, 'n', sizeof(text));
	assert_int_equal(label_check(slice_of(text, MEMBER_LABEL_MAX)), OK);
	assert_int_equal(label_check(slice_of(text, MEMBER_LABEL_MAX + 1)), ERR_INVALID);
}

/* A name counts before an id: who is called like another one's id is meant by it. */
static void members_are_found_by_name_and_by_id(void **state)
{
	struct membership m = {0};

	(void)state;
	assert_int_equal(membership_add_first(&m, 0xaa, slice_of_text("n1=a:1")), OK);
	assert_int_equal(membership_add_first(&m, 0xbb, slice_of_text("00000000000000aa")), OK);
	assert_int_equal(label_find(&m, slice_of_text("n1"))->id, 0xaa);
	assert_int_equal(label_find(&m, slice_of_text("00000000000000bb"))->id, 0xbb);
	assert_int_equal(label_find(&m, slice_of_text("00000000000000aa"))->id, 0xbb);
	assert_null(label_find(&m, slice_of_text("n1=a:1")));
	assert_null(label_find(&m, slice_of_text("bb")));
}

static void who_is_to_rise_does_so_once(void **state)
{
	struct membership m = {0}, two = {0}, three = {0}, four = {0};
	struct member_change add = {
		.kind = MEMBER_ADD_LEARNER, .id = 2, .label = SLICE_LITERAL("n2"), .rises = true};
	struct member_change promote = {.kind = MEMBER_PROMOTE, .id = 2};
	struct member_change demote = {.kind = MEMBER_DEMOTE, .id = 2};

	(void)state;
	assert_int_equal(membership_add_first(&m, 1, slice_of_text("n1")), OK);
	assert_int_equal(membership_change(&m, &add, 1, &two), OK);
	assert_int_equal(membership_find(&two, 2)->roles, MEMBER_LEARNER | MEMBER_RISES);
	assert_int_equal(membership_change(&two, &promote, 1, &three), OK);
	assert_int_equal(membership_find(&three, 2)->roles, MEMBER_VOTER);
	assert_int_equal(membership_change(&three, &demote, 1, &four), OK);
	assert_int_equal(membership_find(&four, 2)->roles, MEMBER_LEARNER);
	two.members[0].roles |= MEMBER_RISES;
	assert_non_null(membership_broken(&two));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_label_has_a_name_and_maybe_an_address),
		cmocka_unit_test(addresses_are_taken_apart),
		cmocka_unit_test(what_is_put_as_an_address_is_one),
		cmocka_unit_test(the_place_of_clients_is_none_of_members),
		cmocka_unit_test(labels_that_cannot_be_are_told),
		cmocka_unit_test(members_are_found_by_name_and_by_id),
		cmocka_unit_test(who_is_to_rise_does_so_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
