/*
 * What the consensus core costs by itself: three cores in one process, 256-byte entries, disks that
 * are done at once. Messages are handed over as structs, or as the bytes they would be on the wire.
 *
 *	consensus_bench                        figures for batches of 1 and 64
 *	consensus_bench count N BATCH [bytes]  N entries and nothing else, for counting
 *instructions: bench/consensus_instructions does the division
 *
 * Payloads and frames are made before and used again, so what is allocated meanwhile is the core's
 * own doing. The build wraps the allocator to count it.
 */

#include "base/check.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "consensus/raft.h"
#include "support/allocations.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CORES	      3
#define ENTRY_BYTES   256u
#define BATCH_MAX     64u
#define PAYLOADS      4096u /* more than all tails hold together */
#define FRAMES	      1024u
#define FRAME_BYTES   512u /* and as much for each entry of a batch */
#define TAIL_BYTES    (64u << 10)
#define RELEASE_EVERY 1024u
#define WARM_UP	      100000u
#define ROUND_ENTRIES 1000000u
#define ROUNDS	      5

struct bench {
	struct raft *cores[CORES];
	struct raft_message answers[CORES * 4]; /* to the leader; none of them borrows anything */
	size_t answer_count;
	struct blob *payloads[PAYLOADS];
	size_t next_payload;
	struct blob *frames[FRAMES];
	size_t next_frame;
	size_t frame_bytes;
	struct buf head;
	struct entry *decoded;
	size_t decoded_cap;
	bool bytes; /* messages travel as bytes */
	uint64_t released;
};

/* The next of a ring that nobody else holds any more. */
static struct blob *ring_next(struct blob **ring, size_t count, size_t *at)
{
	struct blob *blob = ring[*at];

	CHECK(blob->refs == 1);
	*at = (*at + 1) % count;
	return blob;
}

static void pass_as_bytes(struct bench *b, const struct raft_message *m)
{
	struct blob *frame = ring_next(b->frames, FRAMES, &b->next_frame);
	struct raft_message back;
	size_t at;

	buf_clear(&b->head);
	at = raft_message_encode(m, &b->head);
	CHECK(b->head.len + at <= b->frame_bytes);
	memcpy(frame->data, b->head.data, b->head.len);
	at = b->head.len;
	for (uint32_t i = 0; i < m->count; i++) {
		memcpy(frame->data + at, m->entries[i].data, m->entries[i].len);
		at += m->entries[i].len;
	}
	frame->len = at;
	CHECK(raft_message_decode(frame, 0, &back, &b->decoded, &b->decoded_cap) == OK);
	CHECK(raft_step(b->cores[m->to - 1], 0, &back) == OK);
}

static void pass(struct bench *b, const struct raft_message *m)
{
	if (b->bytes)
		pass_as_bytes(b, m);
	else
		CHECK(raft_step(b->cores[m->to - 1], 0, m) == OK);
}

static void keep_answers(struct bench *b, const struct raft_message *messages, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		CHECK(messages[i].count == 0 && b->answer_count < ARRAY_LEN(b->answers));
		b->answers[b->answer_count++] = messages[i];
	}
}

/*
 * One ready, its writes done at once. Messages to others arrive while the sender still lends them;
 * those to a core that is in a ready itself wait in `answers`.
 */
static void drive(struct bench *b, size_t core, bool keep)
{
	struct raft *r = b->cores[core];
	struct raft_ready rd;
	uint64_t seq, commit;

	raft_ready(r, &rd);
	seq = rd.persist.seq;
	commit = rd.commit;
	if (keep) {
		keep_answers(b, rd.now, rd.now_count);
		keep_answers(b, rd.after, rd.after_count);
	} else {
		for (size_t i = 0; i < rd.now_count; i++)
			pass(b, &rd.now[i]);
		for (size_t i = 0; i < rd.after_count; i++)
			pass(b, &rd.after[i]);
	}
	raft_advance(r);
	raft_applied(r, commit);
	if (seq)
		raft_persisted(r, 0, seq);
}

static void deliver_answers(struct bench *b)
{
	for (size_t i = 0; i < b->answer_count; i++)
		pass(b, &b->answers[i]);
	b->answer_count = 0;
}

/* Leader, followers, and their answers back: after this the leader's proposals are committed. */
static void turn(struct bench *b)
{
	drive(b, 0, false);
	for (size_t i = 1; i < CORES; i++)
		drive(b, i, true);
	deliver_answers(b);
}

static void propose(struct bench *b, size_t batch)
{
	struct entry entries[BATCH_MAX];
	uint64_t first;

	for (size_t i = 0; i < batch; i++) {
		struct blob *blob = ring_next(b->payloads, PAYLOADS, &b->next_payload);

		entries[i] = (struct entry){
			.kind = ENTRY_COMMAND,
			.blob = blob,
			.data = blob->data,
			.len = ENTRY_BYTES,
		};
	}
	CHECK(raft_propose(b->cores[0], 0, entries, batch, &first) == OK);
}

static void release(struct bench *b)
{
	for (size_t i = 0; i < CORES; i++) {
		struct raft_status s;

		raft_status(b->cores[i], &s);
		raft_applied(b->cores[i], s.commit);
		raft_release(b->cores[i], s.commit);
		CHECK(s.tail_bytes <= 2 * TAIL_BYTES);
	}
}

static void run(struct bench *b, uint64_t entries, size_t batch)
{
	for (uint64_t done = 0; done < entries; done += batch) {
		propose(b, batch);
		turn(b);
		b->released += batch;
		if (b->released >= RELEASE_EVERY) {
			b->released = 0;
			release(b);
		}
	}
}

static void elect(struct bench *b)
{
	struct raft_status s;

	raft_tick(b->cores[0], raft_deadline(b->cores[0]));
	for (int i = 0; i < 6; i++)
		turn(b);
	raft_status(b->cores[0], &s);
	CHECK(s.role == RAFT_LEADER && s.commit == 1);
}

static void bench_open(struct bench *b, size_t batch, bool bytes)
{
	struct raft_options o = raft_options_default();
	struct membership m = {0};
	struct raft_restore restore = {.hard = {.born = true}, .base_membership = &m};

	*b = (struct bench){.bytes = bytes, .frame_bytes = FRAME_BYTES * (1 + batch)};
	o.tail_bytes = TAIL_BYTES;
	for (uint64_t id = 1; id <= CORES; id++)
		CHECK(membership_add_first(&m, id, SLICE_LITERAL("")) == OK);
	for (size_t i = 0; i < CORES; i++) {
		o.id = i + 1;
		o.seed = i + 1;
		CHECK(raft_new(&b->cores[i], &o, &restore, 0) == OK);
	}
	membership_free(&m);
	for (size_t i = 0; i < PAYLOADS; i++) {
		b->payloads[i] = blob_new(ENTRY_BYTES);
		memset(b->payloads[i]->data, 'x', ENTRY_BYTES);
	}
	for (size_t i = 0; i < FRAMES; i++)
		b->frames[i] = blob_new(b->frame_bytes);
	elect(b);
}

static void bench_close(struct bench *b)
{
	for (size_t i = 0; i < CORES; i++)
		raft_free(b->cores[i]);
	for (size_t i = 0; i < PAYLOADS; i++)
		blob_release(b->payloads[i]);
	for (size_t i = 0; i < FRAMES; i++)
		blob_release(b->frames[i]);
	buf_free(&b->head);
	mem_free(b->decoded);
}

static void measure(bool bytes, size_t batch)
{
	struct clock clock = clock_system();
	struct bench b;
	uint64_t best_us = UINT64_MAX, allocated;

	bench_open(&b, batch, bytes);
	run(&b, WARM_UP, batch);
	allocated = allocations_here();
	for (int round = 0; round < ROUNDS; round++) {
		uint64_t begin = clock_monotonic_us(&clock);

		run(&b, ROUND_ENTRIES, batch);
		best_us = MIN(best_us, clock_monotonic_us(&clock) - begin);
	}
	allocated = allocations_here() - allocated;
	printf("%-8s batches of %2zu: %9.0f entries/s, %6.1f ns an entry, %.6f allocations an "
	       "entry\n",
	       bytes ? "bytes" : "structs", batch, ROUND_ENTRIES * 1e6 / (double)best_us,
	       (double)best_us * 1e3 / ROUND_ENTRIES,
	       (double)allocated / ((double)ROUNDS * ROUND_ENTRIES));
	bench_close(&b);
}

int main(int argc, char **argv)
{
	if (argc >= 4 && strcmp(argv[1], "count") == 0) {
		size_t batch = strtoull(argv[3], NULL, 10);
		struct bench b;

		CHECK(batch >= 1 && batch <= BATCH_MAX);
		bench_open(&b, batch, argc > 4 && strcmp(argv[4], "bytes") == 0);
		run(&b, strtoull(argv[2], NULL, 10), batch);
		bench_close(&b);
		return 0;
	}
	if (argc > 1) {
		fprintf(stderr, "usage: consensus_bench [count N BATCH [bytes]]\n");
		return 2;
	}
	for (int bytes = 0; bytes < 2; bytes++) {
		measure(bytes, 1);
		measure(bytes, BATCH_MAX);
	}
	return 0;
}
