#include "control.h"

#include "base/check.h"
#include "base/error.h"
#include "node/member_state.h"

const struct position *control_position(const struct solo *s)
{
	return store_position(s->member->store);
}

void control_propose(struct solo *s, uint8_t kind, struct buf *bytes)
{
	uint64_t index;
	int rc = member_propose_bytes(s->member, kind, bytes, 0, &index);

	CHECK(rc == OK);
	buf_free(bytes);
	solo_work(s);
}

void control_level(struct solo *s, uint32_t level)
{
	struct buf bytes = {0};

	level_entry_encode(level, &bytes);
	control_propose(s, ENTRY_LEVEL, &bytes);
}

void control_verdict(struct solo *s, uint64_t member, enum verdict_outcome outcome)
{
	struct verdict v = {
		.index = control_position(s)->index, .count = 1, .items = {{member, outcome}}};
	struct buf bytes = {0};

	verdict_encode(&v, &bytes);
	control_propose(s, ENTRY_VERDICT, &bytes);
}

void control_alarm(struct solo *s, uint64_t member, bool raised)
{
	struct alarm_change a = {member, ALARM_NO_SPACE, raised};
	struct buf bytes = {0};

	alarm_encode(&a, &bytes);
	control_propose(s, ENTRY_ALARM, &bytes);
}

void control_register(struct solo *s, uint64_t member, uint64_t replaces, uint32_t level)
{
	struct registration r = {member, replaces, 12345, level};
	struct buf bytes = {0};

	registration_encode(&r, &bytes);
	control_propose(s, ENTRY_REGISTER, &bytes);
}

void control_set(struct solo *s, uint64_t member, uint64_t seq, const char *key, uint64_t flags,
		 uint32_t level)
{
	struct slice argv[] = {SLICE_LITERAL("SET"), slice_of_text(key), SLICE_LITERAL("v")};
	struct batch_command command = {.flags = flags, .argc = ARRAY_LEN(argv), .argv = argv};
	const struct origin_row *row = position_origin(control_position(s), member);
	struct batch_header h = {.member = member, .seq = seq, .level = level, .count = 1};
	struct buf bytes = {0};

	CHECK(row);
	h.incarnation = row->incarnation;
	batch_header_put(buf_reserve(&bytes, BATCH_HEADER_BYTES), &h);
	buf_commit(&bytes, BATCH_HEADER_BYTES);
	batch_command_encode(&command, &bytes);
	control_propose(s, ENTRY_BATCH, &bytes);
}
