#include "consensus/message.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ENTRIES_MAX 5

/* A message and what it borrows. */
struct sample {
	struct raft_message m;
	struct entry entries[ENTRIES_MAX];
	uint8_t bytes[64];
};

static uint64_t random_number(struct random *r)
{
	return random_next(r) >> random_below(r, 64);
}

static void sample_fill(struct sample *s, struct random *r, uint8_t type)
{
	*s = (struct sample){
		.m =
			{
				.type = type,
				.flags = (uint8_t)random_next(r),
				.note_len = (uint8_t)random_below(r, RAFT_NOTE_MAX + 1),
				.from = random_number(r),
				.to = random_number(r),
				.term = random_number(r),
				.index = random_number(r),
				.log_term = random_number(r),
				.commit = random_number(r),
				.context = random_number(r),
				.hint = random_number(r),
				.count = (uint32_t)random_below(r, ENTRIES_MAX + 1),
			},
	};
	for (size_t i = 0; i < sizeof(s->bytes); i++)
		s->bytes[i] = (uint8_t)random_next(r);
	memcpy(s->m.note, s->bytes, s->m.note_len);
	if (random_below(r, 2))
		s->m.descriptor = slice_of(s->bytes, random_below(r, sizeof(s->bytes)));
	for (uint32_t i = 0; i < s->m.count; i++)
		s->entries[i] = (struct entry){
			.term = random_number(r),
			.stamp = random_next(r),
			.kind = (uint8_t)random_next(r),
			.data = s->bytes,
			.len = (uint32_t)random_below(r, sizeof(s->bytes)),
		};
	s->m.entries = s->entries;
}

static struct blob *frame_of(const struct raft_message *m, size_t offset)
{
	struct buf bytes = {0};
	struct blob *frame;
	size_t payload, head;

	for (size_t i = 0; i < offset; i++)
		buf_append_byte(&bytes, 0xee);
	payload = raft_message_encode(m, &bytes);
	head = bytes.len;
	for (uint32_t i = 0; i < m->count; i++)
		buf_append_slice(&bytes, entry_payload(&m->entries[i]));
	assert_int_equal(bytes.len - head, payload);
	frame = blob_copy(buf_slice(&bytes));
	buf_free(&bytes);
	return frame;
}

static void assert_same(const struct raft_message *a, const struct raft_message *b)
{
	assert_true(a->type == b->type && a->flags == b->flags && a->from == b->from &&
		    a->to == b->to && a->term == b->term && a->index == b->index &&
		    a->log_term == b->log_term && a->commit == b->commit &&
		    a->context == b->context && a->hint == b->hint && a->count == b->count);
	assert_true(slice_equal(slice_of(a->note, a->note_len), slice_of(b->note, b->note_len)));
	assert_true(slice_equal(a->descriptor, b->descriptor));
	for (uint32_t i = 0; i < a->count; i++) {
		const struct entry *x = &a->entries[i], *y = &b->entries[i];

		assert_true(x->term == y->term && x->stamp == y->stamp && x->kind == y->kind);
		assert_true(slice_equal(entry_payload(x), entry_payload(y)));
	}
}

static void every_type_comes_back_from_its_bytes(void **state)
{
	struct entry *entries = NULL;
	size_t cap = 0;
	struct random r;

	(void)state;
	random_seed(&r, 1);
	for (int round = 0; round < 500; round++) {
		for (unsigned type = 1; type <= RAFT_MESSAGE_TYPE_MAX; type++) {
			size_t offset = random_below(&r, 9);
			struct raft_message back;
			struct sample s;
			struct blob *frame;

			sample_fill(&s, &r, (uint8_t)type);
			frame = frame_of(&s.m, offset);
			assert_int_equal(raft_message_decode(frame, offset, &back, &entries, &cap),
					 OK);
			assert_same(&s.m, &back);
			blob_release(frame);
		}
	}
	mem_free(entries);
}

static void payloads_lie_in_the_frame_that_keeps_them_alive(void **state)
{
	struct entry *entries = NULL, sent[2] = {{.term = 1}, {.term = 1}};
	struct raft_message m = {.type = RAFT_APPEND, .entries = sent, .count = 2}, back;
	struct blob *frame;
	size_t cap = 0;

	(void)state;
	sent[0].data = (const uint8_t *)"text";
	sent[0].len = 4;
	frame = frame_of(&m, 0);
	assert_int_equal(raft_message_decode(frame, 0, &back, &entries, &cap), OK);
	assert_ptr_equal(back.entries[0].blob, frame);
	assert_true(back.entries[0].data >= frame->data &&
		    back.entries[0].data + 4 <= frame->data + frame->len);
	assert_null(back.entries[1].blob);
	assert_null(back.entries[1].data);
	assert_int_equal(frame->refs, 1);
	blob_release(frame);
	mem_free(entries);
}

static void a_message_cut_anywhere_or_followed_by_more_is_malformed(void **state)
{
	struct entry *entries = NULL;
	size_t cap = 0;
	struct random r;

	(void)state;
	random_seed(&r, 2);
	for (unsigned type = 1; type <= RAFT_MESSAGE_TYPE_MAX; type++) {
		struct raft_message back;
		struct sample s;
		struct blob *frame, *longer;

		sample_fill(&s, &r, (uint8_t)type);
		frame = frame_of(&s.m, 0);
		for (size_t cut = 0; cut < frame->len; cut++) {
			struct blob *shorter = blob_copy(slice_of(frame->data, cut));

			assert_int_equal(raft_message_decode(shorter, 0, &back, &entries, &cap),
					 ERR_MALFORMED);
			blob_release(shorter);
		}
		longer = blob_new(frame->len + 1);
		memcpy(longer->data, frame->data, frame->len);
		longer->data[frame->len] = 0;
		assert_int_equal(raft_message_decode(longer, 0, &back, &entries, &cap),
				 ERR_MALFORMED);
		blob_release(longer);
		blob_release(frame);
	}
	mem_free(entries);
}

static void types_and_notes_beyond_the_limits_are_malformed(void **state)
{
	static const uint8_t types[] = {0, RAFT_MESSAGE_TYPE_MAX + 1, 255};
	struct entry *entries = NULL;
	struct raft_message m = {.type = 1}, back;
	struct blob *frame;
	size_t cap = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		m.type = types[i];
		frame = frame_of(&m, 0);
		assert_int_equal(raft_message_decode(frame, 0, &back, &entries, &cap),
				 ERR_MALFORMED);
		assert_string_equal(raft_message_name(types[i]), "unknown");
		blob_release(frame);
	}
	/* type, flags, eight numbers of one byte; then the note, one byte too long */
	frame = blob_new(10 + 1 + RAFT_NOTE_MAX + 1 + 2);
	memset(frame->data, 0, frame->len);
	frame->data[0] = RAFT_HEARTBEAT;
	frame->data[10] = RAFT_NOTE_MAX + 1;
	assert_int_equal(raft_message_decode(frame, 0, &back, &entries, &cap), ERR_MALFORMED);
	blob_release(frame);
	mem_free(entries);
}

/* A count that promises more entries than there are bytes must not be believed. */
static void a_count_beyond_the_bytes_allocates_nothing(void **state)
{
	struct entry *entries = NULL;
	struct raft_message back;
	struct buf bytes = {0};
	struct blob *frame;
	size_t cap = 0;

	(void)state;
	buf_append_byte(&bytes, RAFT_APPEND);
	for (int i = 0; i < 11; i++)
		buf_append_byte(&bytes, 0); /* flags, numbers, empty note and descriptor */
	buf_append_varint(&bytes, UINT64_MAX);
	frame = blob_copy(buf_slice(&bytes));
	assert_int_equal(raft_message_decode(frame, 0, &back, &entries, &cap), ERR_MALFORMED);
	assert_null(entries);
	blob_release(frame);
	buf_free(&bytes);
}

static void types_have_names(void **state)
{
	(void)state;
	assert_string_equal(raft_message_name(RAFT_PREVOTE), "prevote");
	assert_string_equal(raft_message_name(RAFT_TRANSFER), "transfer");
	for (unsigned type = 1; type <= RAFT_MESSAGE_TYPE_MAX; type++)
		assert_string_not_equal(raft_message_name(type), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_comes_back_from_its_bytes),
		cmocka_unit_test(payloads_lie_in_the_frame_that_keeps_them_alive),
		cmocka_unit_test(a_message_cut_anywhere_or_followed_by_more_is_malformed),
		cmocka_unit_test(types_and_notes_beyond_the_limits_are_malformed),
		cmocka_unit_test(a_count_beyond_the_bytes_allocates_nothing),
		cmocka_unit_test(types_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
