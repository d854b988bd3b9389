#include "consensus/birth.h"

#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define MEMBERS 3

static const struct slice names[MEMBERS] = {
	{(const uint8_t *)"n1", 2}, {(const uint8_t *)"n2", 2}, {(const uint8_t *)"n3", 2}};
static const uint64_t ids[MEMBERS] = {70, 50, 60};

static struct birth newborn(size_t i)
{
	struct birth b;

	assert_int_equal(birth_init(&b, names[i], ids[i], names, MEMBERS), OK);
	return b;
}

/* Everything that can happen to three members: a stores, or a says hello to b. */
struct event {
	unsigned a;
	unsigned b; /* a itself: it stores */
};

static const struct event events[] = {{0, 0}, {1, 1}, {2, 2}, {0, 1}, {0, 2},
				      {1, 0}, {1, 2}, {2, 0}, {2, 1}};

static void happen(struct birth *births, struct event e)
{
	struct birth_hello hello;

	if (e.a == e.b) {
		if (births[e.a].state == BIRTH_HOLDING)
			birth_stored(&births[e.a]);
		return;
	}
	hello = birth_hello(&births[e.a]);
	assert_int_equal(birth_hear(&births[e.b], &hello), OK);
}

/* The promise: nobody is born before the same set is on every disk. */
static void check_births(const struct birth *births)
{
	for (unsigned i = 0; i < MEMBERS; i++)
		for (unsigned j = 0; j < MEMBERS && births[i].state == BIRTH_BORN; j++)
			assert_true(births[j].state >= BIRTH_CONFIRMING &&
				    births[j].digest == births[i].digest);
}

static void run_order(const struct event *order)
{
	struct birth births[MEMBERS];

	for (unsigned i = 0; i < MEMBERS; i++)
		births[i] = newborn(i);
	for (int pass = 0; pass < 5; pass++) {
		for (size_t i = 0; i < ARRAY_LEN(events); i++) {
			happen(births, order[i]);
			check_births(births);
		}
	}
	for (unsigned i = 0; i < MEMBERS; i++)
		assert_int_equal(births[i].state, BIRTH_BORN);
}

static void permute(struct event *order, size_t fixed)
{
	if (fixed == ARRAY_LEN(events)) {
		run_order(order);
		return;
	}
	for (size_t i = fixed; i < ARRAY_LEN(events); i++) {
		struct event e = order[i];

		order[i] = order[fixed];
		order[fixed] = e;
		permute(order, fixed + 1);
		order[fixed] = order[i];
		order[i] = e;
	}
}

static void in_whatever_order_they_speak_all_are_born_and_none_too_early(void **state)
{
	struct event order[ARRAY_LEN(events)];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(events); i++)
		order[i] = events[i];
	permute(order, 0);
}

static void give_birth(struct birth *births)
{
	for (unsigned i = 0; i < MEMBERS; i++)
		births[i] = newborn(i);
	for (int pass = 0; pass < 5; pass++)
		for (size_t i = 0; i < ARRAY_LEN(events); i++)
			happen(births, events[i]);
}

static void a_wiped_member_is_not_let_in_again(void **state)
{
	struct birth births[MEMBERS], wiped;
	struct birth_hello hello;

	(void)state;
	give_birth(births);
	assert_int_equal(birth_init(&wiped, names[1], 51, names, MEMBERS), OK);
	hello = birth_hello(&wiped);
	assert_int_equal(birth_hear(&births[0], &hello), ERR_EXISTS);
	assert_int_equal(births[0].state, BIRTH_BORN);
	/* Even if it hears the others, its set is another one, and nobody confirms it. */
	hello = birth_hello(&births[0]);
	assert_int_equal(birth_hear(&wiped, &hello), OK);
	hello = birth_hello(&births[2]);
	assert_int_equal(birth_hear(&wiped, &hello), OK);
	assert_int_equal(wiped.state, BIRTH_HOLDING);
	birth_stored(&wiped);
	hello = birth_hello(&births[0]);
	assert_int_equal(birth_hear(&wiped, &hello), OK);
	hello = birth_hello(&births[2]);
	assert_int_equal(birth_hear(&wiped, &hello), OK);
	assert_int_equal(wiped.state, BIRTH_CONFIRMING);
}

static void a_restarted_member_goes_on_where_it_was(void **state)
{
	struct birth births[MEMBERS], again;
	struct membership held = {0};
	struct birth_hello hello;

	(void)state;
	give_birth(births);
	birth_membership(&births[0], &held);
	again = newborn(0);
	assert_int_equal(birth_resume(&again, &held), OK);
	assert_int_equal(again.state, BIRTH_CONFIRMING);
	assert_true(again.digest == births[0].digest);
	/* The others were born meanwhile; the word of one of them is enough. */
	hello = birth_hello(&births[1]);
	assert_true(hello.born);
	assert_int_equal(birth_hear(&again, &hello), OK);
	assert_int_equal(again.state, BIRTH_BORN);
	membership_free(&held);
}

static void being_born_with_another_set_proves_nothing(void **state)
{
	struct birth births[MEMBERS], again;
	struct membership held = {0};
	struct birth_hello hello;

	(void)state;
	give_birth(births);
	birth_membership(&births[0], &held);
	again = newborn(0);
	assert_int_equal(birth_resume(&again, &held), OK);
	hello = birth_hello(&births[1]);
	hello.digest++;
	assert_int_equal(birth_hear(&again, &hello), OK);
	assert_int_equal(again.state, BIRTH_CONFIRMING);
	membership_free(&held);
}

static void a_set_that_does_not_fit_the_command_line_is_refused(void **state)
{
	struct birth b = newborn(0);
	struct membership held = {0};

	(void)state;
	assert_int_equal(birth_resume(&b, &held), ERR_INVALID);
	assert_int_equal(membership_add_first(&held, ids[0], names[0]), OK);
	assert_int_equal(membership_add_first(&held, ids[1], names[1]), OK);
	assert_int_equal(membership_add_first(&held, 99, SLICE_LITERAL("stranger")), OK);
	assert_int_equal(birth_resume(&b, &held), ERR_INVALID);
	membership_free(&held);
	b = newborn(0);
	assert_int_equal(membership_add_first(&held, 99, names[0]), OK);
	assert_int_equal(membership_add_first(&held, ids[1], names[1]), OK);
	assert_int_equal(membership_add_first(&held, ids[2], names[2]), OK);
	assert_int_equal(birth_resume(&b, &held), ERR_INVALID); /* another id of our own */
	membership_free(&held);
}

static void strangers_and_doubles_are_told_apart(void **state)
{
	struct birth b = newborn(0);
	struct birth_hello stranger = {.name = SLICE_LITERAL("n9"), .id = 9};
	struct birth_hello second = {.name = names[1], .id = ids[1]};
	struct birth_hello namesake = {.name = names[1], .id = 51};
	struct birth_hello double_id = {.name = names[2], .id = ids[1]};
	struct birth_hello own_id = {.name = names[2], .id = ids[0]};

	(void)state;
	assert_int_equal(birth_hear(&b, &stranger), ERR_NOT_FOUND);
	assert_int_equal(birth_hear(&b, &second), OK);
	assert_int_equal(birth_hear(&b, &second), OK);
	assert_int_equal(birth_hear(&b, &namesake), ERR_EXISTS);
	assert_int_equal(birth_hear(&b, &double_id), ERR_EXISTS);
	assert_int_equal(birth_hear(&b, &own_id), ERR_EXISTS);
	assert_int_equal(b.state, BIRTH_COLLECTING);
}

static void names_must_be_good_and_contain_the_own_one(void **state)
{
	static uint8_t text[MEMBER_LABEL_MAX + 1];
	struct slice twice[] = {names[0], names[0]};
	struct slice empty[] = {names[0], {NULL, 0}};
	struct slice wordy[] = {names[0], {text, sizeof(text)}};
	struct slice many[MEMBERSHIP_MAX + 1] = {{NULL, 0}};
	struct birth b;

	(void)state;
	assert_int_equal(birth_init(&b, names[0], 1, names, 0), ERR_INVALID);
	assert_int_equal(birth_init(&b, names[0], 0, names, MEMBERS), ERR_INVALID);
	assert_int_equal(birth_init(&b, names[0], 1, twice, 2), ERR_INVALID);
	assert_int_equal(birth_init(&b, names[0], 1, empty, 2), ERR_INVALID);
	assert_int_equal(birth_init(&b, names[0], 1, wordy, 2), ERR_INVALID);
	assert_int_equal(birth_init(&b, names[2], 1, names, 2), ERR_INVALID);
	assert_int_equal(birth_init(&b, names[0], 1, many, ARRAY_LEN(many)), ERR_TOO_LARGE);
}

static void a_cluster_of_one_is_born_when_its_set_is_on_disk(void **state)
{
	struct birth b;
	struct birth_hello hello;

	(void)state;
	assert_int_equal(birth_init(&b, names[0], 7, names, 1), OK);
	hello = (struct birth_hello){.name = names[0], .id = 7};
	assert_int_equal(birth_hear(&b, &hello), OK); /* it may meet itself */
	assert_int_equal(b.state, BIRTH_HOLDING);
	birth_stored(&b);
	assert_int_equal(b.state, BIRTH_BORN);
}

static void assert_awaited(const struct birth *b, const char *expected)
{
	struct buf text = {0};

	birth_awaited(b, &text);
	assert_true(slice_equal(buf_slice(&text), slice_of_text(expected)));
	buf_free(&text);
}

static void whoever_is_awaited_is_named(void **state)
{
	struct birth b = newborn(0);
	struct birth_hello hello = {.name = names[2], .id = ids[2]};

	(void)state;
	assert_awaited(&b, "n2 n3");
	assert_int_equal(birth_hear(&b, &hello), OK);
	assert_awaited(&b, "n2");
	hello = (struct birth_hello){.name = names[1], .id = ids[1]};
	assert_int_equal(birth_hear(&b, &hello), OK);
	birth_stored(&b);
	assert_awaited(&b, "n2 n3"); /* to say that they hold it, too */
	hello.digest = b.digest;
	assert_int_equal(birth_hear(&b, &hello), OK);
	assert_awaited(&b, "n3");
}

static void a_hello_comes_back_from_its_bytes_and_not_from_fewer(void **state)
{
	struct birth_hello hello = {.name = names[0], .id = 7, .digest = 9, .born = true}, back;
	struct birth_hello echo = birth_echo(names[1], 8, &hello);
	struct buf bytes = {0};

	(void)state;
	assert_true(echo.digest == 9 && echo.born && echo.id == 8);
	birth_hello_encode(&hello, &bytes);
	assert_int_equal(birth_hello_decode(buf_slice(&bytes), &back), OK);
	assert_true(slice_equal(back.name, names[0]) && back.id == 7 && back.digest == 9 &&
		    back.born);
	for (size_t cut = 0; cut < bytes.len; cut++)
		assert_int_equal(birth_hello_decode(slice_of(bytes.data, cut), &back),
				 ERR_MALFORMED);
	buf_append_byte(&bytes, 0);
	assert_int_equal(birth_hello_decode(buf_slice(&bytes), &back), ERR_MALFORMED);
	buf_clear(&bytes);
	hello.id = 0;
	birth_hello_encode(&hello, &bytes);
	assert_int_equal(birth_hello_decode(buf_slice(&bytes), &back), ERR_MALFORMED);
	buf_free(&bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_whatever_order_they_speak_all_are_born_and_none_too_early),
		cmocka_unit_test(a_wiped_member_is_not_let_in_again),
		cmocka_unit_test(a_restarted_member_goes_on_where_it_was),
		cmocka_unit_test(being_born_with_another_set_proves_nothing),
		cmocka_unit_test(a_set_that_does_not_fit_the_command_line_is_refused),
		cmocka_unit_test(strangers_and_doubles_are_told_apart),
		cmocka_unit_test(names_must_be_good_and_contain_the_own_one),
		cmocka_unit_test(a_cluster_of_one_is_born_when_its_set_is_on_disk),
		cmocka_unit_test(whoever_is_awaited_is_named),
		cmocka_unit_test(a_hello_comes_back_from_its_bytes_and_not_from_fewer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
