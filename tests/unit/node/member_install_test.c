/* Asking another member for its state: what becomes of questions that take long to be answered. */

#include "base/error.h"
#include "node/member_state.h"
#include "node/transfer.h"
#include "storage/vault_memory.h"

#include "support/solo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define OTHER 77

/* A member that asks for a state, and what it asked last. */
struct asker {
	struct solo solo; /* first: the functions of its io are given this one */
	struct vault_memory vault;
	struct buf question;
	unsigned questions;
};

static void note_question(void *ctx, uint64_t to, const struct frame *frame)
{
	struct asker *a = CONTAINER_OF(ctx, struct asker, solo);

	if (frame->kind != FRAME_FETCH)
		return;
	assert_int_equal(to, OTHER);
	buf_clear(&a->question);
	buf_append_slice(&a->question, frame->head);
	a->questions++;
}

static void asker_start(struct asker *a)
{
	struct snapshot wanted = {.index = 100, .term = 1};

	*a = (struct asker){0};
	solo_init(&a->solo);
	vault_memory_init(&a->vault);
	a->solo.options.vault = &a->vault.vault;
	a->solo.io.send = note_question;
	assert_int_equal(solo_start(&a->solo), OK);
	assert_null(member_install_fetch(a->solo.member, OTHER, &wanted));
	solo_work(&a->solo);
	assert_int_equal(a->questions, 1);
}

static void asker_close(struct asker *a)
{
	solo_close(&a->solo);
	vault_memory_free(&a->vault);
	buf_free(&a->question);
}

static void asker_wait(struct asker *a, uint64_t ms)
{
	for (uint64_t i = 0; i < ms; i += 10) {
		a->solo.now_ms += 10;
		solo_work(&a->solo);
	}
}

static struct fetch asked(const struct asker *a)
{
	struct fetch f;

	assert_int_equal(fetch_decode(buf_slice(&a->question), &f), OK);
	return f;
}

/* One row, and there are more. */
static void answer(struct asker *a, uint64_t request, struct slice key)
{
	struct buf bytes = {0};
	struct blob *body;

	rows_begin(request, &bytes);
	rows_put(key, SLICE_LITERAL("value"), &bytes);
	rows_end(&bytes, ROWS_MORE, 1);
	body = blob_copy(buf_slice(&bytes));
	member_receive(a->solo.member, OTHER, FRAME_ROWS, body);
	blob_release(body);
	buf_free(&bytes);
	solo_work(&a->solo);
}

/* On a narrow line each answer comes when the question has been repeated already. */
static void an_answer_that_comes_late_is_taken(void **state)
{
	struct asker a;
	uint64_t first;

	(void)state;
	asker_start(&a);
	first = asked(&a).request;
	asker_wait(&a, 1000);
	assert_true(a.questions > 1);
	answer(&a, first, SLICE_LITERAL("key"));
	assert_true(slice_equal(asked(&a).after, SLICE_LITERAL("key")));
	asker_close(&a);
}

/* Those of the repetitions: the rows behind the question that stands now are others. */
static void an_answer_that_comes_twice_is_taken_once(void **state)
{
	struct asker a;
	uint64_t first;

	(void)state;
	asker_start(&a);
	first = asked(&a).request;
	answer(&a, first, SLICE_LITERAL("key 1"));
	answer(&a, first, SLICE_LITERAL("key 2"));
	assert_true(slice_equal(asked(&a).after, SLICE_LITERAL("key 1")));
	asker_close(&a);
}

/* Each repetition is answered with all the rows, on the line that is too narrow as it is. */
static void a_question_is_repeated_less_and_less_often(void **state)
{
	struct asker a;

	(void)state;
	asker_start(&a);
	asker_wait(&a, 8000);
	assert_int_equal(a.solo.member->install.phase, INSTALL_ASKING);
	assert_in_range(a.questions, 3, 8);
	asker_close(&a);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_that_comes_late_is_taken),
		cmocka_unit_test(an_answer_that_comes_twice_is_taken_once),
		cmocka_unit_test(a_question_is_repeated_less_and_less_often),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
