#include "node/control_entry.h"

#include "base/error.h"
#include "node/batch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Decodes into nowhere, as each of the kinds. */
static int decode_level(struct slice bytes)
{
	uint32_t level;

	return level_entry_decode(bytes, &level);
}

static int decode_digests(struct slice bytes)
{
	struct digests d;

	return digests_decode(bytes, &d);
}

static int decode_verdict(struct slice bytes)
{
	struct verdict v;

	return verdict_decode(bytes, &v);
}

static int decode_alarm(struct slice bytes)
{
	struct alarm_change a;

	return alarm_decode(bytes, &a);
}

static const struct verdict some_verdict = {
	.index = 77,
	.count = 2,
	.items = {{3, VERDICT_QUARANTINE}, {9, VERDICT_RELEASE}},
};

static void level_bytes(struct buf *out)
{
	level_entry_encode(2, out);
}

static void digests_bytes(struct buf *out)
{
	digests_encode(&(struct digests){1, 2, 3, 4}, out);
}

static void verdict_bytes(struct buf *out)
{
	verdict_encode(&some_verdict, out);
}

static void alarm_bytes(struct buf *out)
{
	alarm_encode(&(struct alarm_change){5, ALARM_NO_SPACE, true}, out);
}

static const struct form {
	void (*encode)(struct buf *out);
	int (*decode)(struct slice bytes);
} forms[] = {
	{level_bytes, decode_level},	 {check_entry_encode, check_entry_decode},
	{digests_bytes, decode_digests}, {verdict_bytes, decode_verdict},
	{alarm_bytes, decode_alarm},
};

static void what_is_cut_or_longer_or_of_another_version_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		struct buf bytes = {0};

		forms[i].encode(&bytes);
		assert_int_equal(forms[i].decode(buf_slice(&bytes)), OK);
		for (size_t len = 0; len < bytes.len; len++)
			assert_int_equal(forms[i].decode(slice_of(bytes.data, len)), ERR_MALFORMED);
		buf_append_byte(&bytes, 0);
		assert_int_equal(forms[i].decode(buf_slice(&bytes)), ERR_MALFORMED);
		bytes.len--;
		bytes.data[0] = 2;
		assert_int_equal(forms[i].decode(buf_slice(&bytes)), ERR_VERSION);
		bytes.data[0] = 0;
		assert_int_equal(forms[i].decode(buf_slice(&bytes)), ERR_MALFORMED);
		buf_free(&bytes);
	}
}

static void everything_comes_back(void **state)
{
	struct digests d;
	struct verdict v;
	struct alarm_change a;
	struct buf bytes = {0};
	uint32_t level;

	(void)state;
	level_bytes(&bytes);
	assert_int_equal(level_entry_decode(buf_slice(&bytes), &level), OK);
	assert_int_equal(level, 2);
	buf_clear(&bytes);
	digests_bytes(&bytes);
	assert_int_equal(digests_decode(buf_slice(&bytes), &d), OK);
	assert_true(d.index == 1 && d.revision == 2 && d.living == 3 && d.history == 4);
	buf_clear(&bytes);
	verdict_bytes(&bytes);
	assert_int_equal(verdict_decode(buf_slice(&bytes), &v), OK);
	assert_true(v.index == 77 && v.count == 2);
	assert_true(v.items[0].member == 3 && v.items[0].outcome == VERDICT_QUARANTINE);
	assert_true(v.items[1].member == 9 && v.items[1].outcome == VERDICT_RELEASE);
	buf_clear(&bytes);
	alarm_bytes(&bytes);
	assert_int_equal(alarm_decode(buf_slice(&bytes), &a), OK);
	assert_true(a.member == 5 && a.kind == ALARM_NO_SPACE && a.raised);
	buf_free(&bytes);
}

static void a_verdict_names_each_member_once_and_says_what_becomes_of_it(void **state)
{
	struct verdict v = some_verdict, got;
	struct buf bytes = {0};

	(void)state;
	v.items[1].member = 3;
	verdict_encode(&v, &bytes);
	assert_int_equal(verdict_decode(buf_slice(&bytes), &got), ERR_MALFORMED);
	buf_clear(&bytes);
	v = some_verdict;
	v.items[1].outcome = (enum verdict_outcome)3;
	verdict_encode(&v, &bytes);
	assert_int_equal(verdict_decode(buf_slice(&bytes), &got), ERR_MALFORMED);
	buf_clear(&bytes);
	v = (struct verdict){.index = 77};
	verdict_encode(&v, &bytes);
	assert_int_equal(verdict_decode(buf_slice(&bytes), &got), ERR_MALFORMED);
	bytes.data[bytes.len - 1] = MEMBERSHIP_MAX + 1;
	assert_int_equal(verdict_decode(buf_slice(&bytes), &got), ERR_MALFORMED);
	buf_free(&bytes);
}

static void an_alarm_of_an_unknown_kind_is_refused(void **state)
{
	struct alarm_change a;
	struct buf bytes = {0};

	(void)state;
	alarm_bytes(&bytes);
	bytes.data[bytes.len - 1] = 2;
	assert_int_equal(alarm_decode(buf_slice(&bytes), &a), ERR_MALFORMED);
	bytes.data[bytes.len - 1] = 1;
	bytes.data[bytes.len - 2] = ALARM_KIND_MAX + 1;
	assert_int_equal(alarm_decode(buf_slice(&bytes), &a), ERR_MALFORMED);
	bytes.data[bytes.len - 2] = 0;
	assert_int_equal(alarm_decode(buf_slice(&bytes), &a), ERR_MALFORMED);
	buf_free(&bytes);
}

static void digests_are_those_as_of_an_entry(void **state)
{
	struct buf bytes = {0};

	(void)state;
	digests_encode(&(struct digests){0, 2, 3, 4}, &bytes);
	assert_int_equal(decode_digests(buf_slice(&bytes)), ERR_MALFORMED);
	buf_free(&bytes);
}

static void a_registration_says_what_it_supports(void **state)
{
	struct registration r = {1, 2, 3, 4}, got;
	struct buf bytes = {0};

	(void)state;
	registration_encode(&r, &bytes);
	assert_int_equal(registration_decode(buf_slice(&bytes), &got), OK);
	assert_true(got.member == 1 && got.replaces == 2 && got.nonce == 3 && got.level == 4);
	assert_int_equal(registration_decode(slice_of(bytes.data, bytes.len - 1), &got),
			 ERR_MALFORMED);
	buf_append_byte(&bytes, 0);
	assert_int_equal(registration_decode(buf_slice(&bytes), &got), ERR_MALFORMED);
	buf_clear(&bytes);
	r.level = 0;
	registration_encode(&r, &bytes);
	assert_int_equal(registration_decode(buf_slice(&bytes), &got), ERR_MALFORMED);
	buf_free(&bytes);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_cut_or_longer_or_of_another_version_is_refused),
		cmocka_unit_test(everything_comes_back),
		cmocka_unit_test(a_verdict_names_each_member_once_and_says_what_becomes_of_it),
		cmocka_unit_test(an_alarm_of_an_unknown_kind_is_refused),
		cmocka_unit_test(digests_are_those_as_of_an_entry),
		cmocka_unit_test(a_registration_says_what_it_supports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
