/*
 * Lets the input decide what happens to one to five cores: which message arrives, is lost or comes
 * twice, whose clock moves, whose disk is done, who crashes, loses a part of its log or starts
 * again, what is proposed, read and changed.
 *
 * In an honest world members say only what their cores gave them, and all rules of the world are
 * checked after each event. In a forged one messages are changed on their way or made up: then a
 * core owes nobody anything but to obey its own rules and to stay alive. If the input says so, an
 * honest world in which nothing was lost from disks has to recover at the end.
 *
 * Input: one byte of settings, one for the number of members, then events of one byte and what they
 * need. FUZZ_TRACE in the environment shows what happens.
 */

#include "base/check.h"
#include "base/codec.h"
#include "base/error.h"
#include "support/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMBERS 5

/* Without faults a cluster is led and level within this time, whatever went before. */
#define RECOVERY_MS 30000

/* More messages on their way than any schedule needs; the oldest are lost. */
#define NET_MAX 300

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct play {
	struct world *world;
	struct cursor input;
	bool forged;
	uint64_t request;
};

static void check_world(const struct play *p)
{
	if (p->world->trace == TRACE_ALL && p->world->out.len) {
		fwrite(p->world->out.data, 1, p->world->out.len, stderr);
		buf_clear(&p->world->out);
	}
	if (p->world->broken.len) {
		fprintf(stderr, "%s\n", (const char *)p->world->broken.data);
		abort();
	}
}

/* A node that runs, or NULL. */
static struct world_node *some_node(struct play *p)
{
	struct world_node *n = world_node(p->world, 1 + cursor_fixed8(&p->input) % WORLD_NODES);

	return n && n->raft ? n : NULL;
}

static size_t some_frame(struct play *p)
{
	return cursor_fixed8(&p->input) % p->world->net.count;
}

/* ---- messages -------------------------------------------------------------------------------- */

static void do_deliver(struct play *p)
{
	if (p->world->net.count)
		world_deliver(p->world, some_frame(p));
}

static void do_deliver_many(struct play *p)
{
	size_t count = cursor_fixed8(&p->input) % 16;

	while (count-- > 0 && p->world->net.count)
		world_deliver(p->world, 0);
}

static void do_drop(struct play *p)
{
	if (p->world->net.count)
		blob_release(frame_list_take(&p->world->net, some_frame(p)).bytes);
}

static void do_duplicate(struct play *p)
{
	struct frame frame;

	if (!p->world->net.count)
		return;
	frame = p->world->net.items[some_frame(p)];
	blob_hold(frame.bytes);
	frame_list_add(&p->world->net, frame);
}

static void do_cut(struct play *p)
{
	uint8_t link = cursor_fixed8(&p->input);
	bool *cut = &p->world->cut[link % (WORLD_NODES + 1)][link / 16 % (WORLD_NODES + 1)];

	*cut = !*cut;
}

/* A byte of a message is changed on its way. */
static void do_mutate(struct play *p)
{
	struct frame *frame;
	struct blob *changed;
	size_t at = cursor_fixed8(&p->input);
	uint8_t value = cursor_fixed8(&p->input);

	if (!p->forged || !p->world->net.count)
		return;
	frame = &p->world->net.items[some_frame(p)];
	changed = blob_copy(slice_of(frame->bytes->data, frame->bytes->len));
	changed->data[at % changed->len] = value;
	blob_release(frame->bytes);
	frame->bytes = changed;
	p->world->forged = true;
}

/* A small number mostly, now and then one of the largest there are. */
static uint64_t some_number(struct play *p)
{
	uint8_t byte = cursor_fixed8(&p->input);

	if (byte < 240)
		return byte % 24;
	return UINT64_MAX >> (byte % 8);
}

static void forge_entries(struct play *p, struct image *image, uint64_t term)
{
	size_t count = cursor_fixed8(&p->input) % 4;

	for (size_t i = 0; i < count; i++) {
		uint8_t kind = cursor_fixed8(&p->input);
		struct entry e = {.term = term + kind / 64, .kind = ENTRY_COMMAND};
		struct buf bytes = {0};

		if (kind % 4 == 0) {
			struct membership m = {0};

			for (uint64_t id = 1; id <= 1 + kind / 4 % 7; id++)
				CHECK(membership_add_first(&m, id, SLICE_LITERAL("")) == OK);
			membership_encode(&m, &bytes);
			membership_free(&m);
			e.kind = ENTRY_MEMBERSHIP;
		}
		e.blob = bytes.len ? blob_copy(buf_slice(&bytes)) : NULL;
		e.data = e.blob ? e.blob->data : NULL;
		e.len = (uint32_t)bytes.len;
		image_append(image, &e);
		blob_release(e.blob);
		buf_free(&bytes);
	}
}

static void forge_descriptor(struct raft_message *m, struct buf *bytes)
{
	struct snapshot s = {.index = m->index, .term = m->log_term};

	CHECK(membership_add_first(&s.membership, 1 + m->context % 5, SLICE_LITERAL("")) == OK);
	snapshot_encode(&s, bytes);
	m->descriptor = buf_slice(bytes);
	snapshot_free(&s);
}

/* A message of the input's own making. */
static void do_forge(struct play *p)
{
	struct image entries = {0};
	struct buf descriptor = {0};
	struct raft_message m = {0};

	m.type = (uint8_t)(1 + cursor_fixed8(&p->input) % RAFT_MESSAGE_TYPE_MAX);
	m.flags = cursor_fixed8(&p->input);
	m.from = 1 + cursor_fixed8(&p->input) % 7;
	m.to = 1 + cursor_fixed8(&p->input) % 5;
	m.term = some_number(p);
	m.index = some_number(p);
	m.log_term = some_number(p);
	m.commit = some_number(p);
	m.context = some_number(p);
	m.hint = some_number(p);
	if (m.type == RAFT_APPEND)
		forge_entries(p, &entries, m.log_term);
	if (m.type == RAFT_SNAPSHOT)
		forge_descriptor(&m, &descriptor);
	m.entries = entries.entries;
	m.count = (uint32_t)entries.count;
	if (p->forged)
		world_send(p->world, &m);
	image_free(&entries);
	buf_free(&descriptor);
}

/* ---- time, disks, lives ---------------------------------------------------------------------- */

static void do_tick(struct play *p)
{
	struct world_node *n = some_node(p);
	uint64_t ms = cursor_fixed8(&p->input) * 10u;

	if (n)
		world_tick(p->world, n, ms);
}

static void do_due(struct play *p)
{
	struct world_node *n = some_node(p);
	uint64_t due = n ? raft_deadline(n->raft) : UINT64_MAX;

	if (due != UINT64_MAX)
		world_tick(p->world, n, due > n->clock_ms ? due - n->clock_ms : 0);
}

static void do_disk(struct play *p)
{
	struct world_node *n = some_node(p);

	if (!n)
		return;
	n->disk_held = !n->disk_held;
	while (!n->disk_held && n->write_count)
		world_persist(p->world, n);
	world_drive(p->world, n);
}

static void do_persist(struct play *p)
{
	struct world_node *n = some_node(p);

	if (!n || !n->write_count)
		return;
	world_persist(p->world, n);
	world_drive(p->world, n);
}

static void do_load(struct play *p)
{
	struct world_node *n = some_node(p);
	uint8_t how = cursor_fixed8(&p->input);

	if (!n)
		return;
	n->loads_held = how & 1;
	if (n->load_count)
		world_load(p->world, n, how & 2 ? ERR_IO : OK);
	world_drive(p->world, n);
}

static void do_crash(struct play *p)
{
	struct world_node *n = some_node(p);

	if (n)
		world_crash(p->world, n);
}

static void do_start(struct play *p)
{
	struct world_node *n = world_node(p->world, 1 + cursor_fixed8(&p->input) % WORLD_NODES);

	if (n && !n->raft)
		world_start(p->world, n);
}

static void do_damage(struct play *p)
{
	struct world_node *n = world_node(p->world, 1 + cursor_fixed8(&p->input) % WORLD_NODES);
	uint64_t index = n ? MAX(n->disk.base, n->stored.index) + cursor_fixed8(&p->input) % 8 : 0;

	if (!n || n->raft || index >= image_last(&n->disk))
		return;
	image_cut(&n->disk, index);
	image_free(&n->log);
	image_copy(&n->log, &n->disk);
	n->disk.damaged = true;
	p->world->damaged = true;
}

static void do_snapshot(struct play *p)
{
	struct world_node *n = some_node(p);

	if (n && n->applied > 0 && !n->swapping)
		world_snapshot(p->world, n);
}

static void do_compact(struct play *p)
{
	struct world_node *n = some_node(p);
	uint64_t back = cursor_fixed8(&p->input) % 4;
	uint64_t index = n ? MIN(n->stored.index, image_last(&n->disk)) : 0;
	struct raft_status s;

	if (!n)
		return;
	raft_status(n->raft, &s);
	index = MIN(index, s.durable);
	index = index > back ? index - back : 0;
	if (index > s.base && index > n->disk.base && index <= n->applied && !n->write_count)
		world_compact(p->world, n, index);
}

static void do_install(struct play *p)
{
	struct world_node *n = some_node(p);
	uint8_t how = cursor_fixed8(&p->input);

	if (!n || !n->offered.index)
		return;
	if (n->swapping)
		world_install_end(p->world, n, true);
	else if (how % 4 == 0)
		world_install_end(p->world, n, false);
	else
		world_install_begin(p->world, n);
	if (n->swapping && how % 2)
		world_install_end(p->world, n, true);
}

/* ---- requests -------------------------------------------------------------------------------- */

static void do_propose(struct play *p)
{
	struct world_node *n = some_node(p);
	uint8_t text = cursor_fixed8(&p->input);

	if (n)
		(void)!world_propose(p->world, n, slice_of(&text, 1), text % 4);
}

static void do_read(struct play *p)
{
	struct world_node *n = some_node(p);

	if (!n)
		return;
	(void)!raft_read_index(n->raft, n->clock_ms, ++p->request);
	world_drive(p->world, n);
}

static void do_change(struct play *p)
{
	struct world_node *n = some_node(p);
	size_t count = 1 + cursor_fixed8(&p->input) % 3;
	struct member_change changes[3] = {{0}};

	for (size_t i = 0; i < count; i++) {
		uint8_t what = cursor_fixed8(&p->input);

		changes[i].kind = (enum member_change_kind)(what % (MEMBER_RELABEL + 1));
		changes[i].id = 1 + what / 8 % MEMBERS;
	}
	if (!n)
		return;
	(void)!raft_change(n->raft, n->clock_ms, changes, count);
	world_drive(p->world, n);
}

static void do_transfer(struct play *p)
{
	struct world_node *n = some_node(p);
	uint64_t to = cursor_fixed8(&p->input) % 7;

	if (!n)
		return;
	(void)!raft_transfer(n->raft, n->clock_ms, to);
	world_drive(p->world, n);
}

static void do_hint(struct play *p)
{
	struct world_node *n = some_node(p);
	uint8_t what = cursor_fixed8(&p->input);

	if (!n)
		return;
	if (what & 64)
		raft_born(n->raft, n->clock_ms);
	else if (what & 32)
		raft_peer_resting(n->raft, n->clock_ms, what % 7);
	else
		raft_peer_gone(n->raft, n->clock_ms, what % 7);
	world_drive(p->world, n);
}

static void (*const events[])(struct play *) = {
	do_deliver, do_deliver,	 do_deliver_many, do_deliver_many, do_drop,    do_duplicate,
	do_cut,	    do_mutate,	 do_forge,	  do_tick,	   do_due,     do_due,
	do_disk,    do_persist,	 do_load,	  do_crash,	   do_start,   do_damage,
	do_propose, do_propose,	 do_snapshot,	  do_compact,	   do_install, do_read,
	do_change,  do_transfer, do_hint,
};

static void add_members(struct play *p, uint8_t settings, uint8_t size)
{
	struct raft_options o = raft_options_default();
	struct membership first = {0};
	uint64_t voters = 1 + size % MEMBERS;

	o.prevote = settings & 1;
	o.check_quorum = settings & 2;
	o.inflight_messages = settings & 4 ? 2 : 256;
	o.append_bytes = settings & 8 ? 2 : 1 << 20;
	o.tail_bytes = settings & 16 ? 0 : 64 << 20;
	for (uint64_t id = 1; id <= voters; id++)
		CHECK(membership_add_first(&first, id, SLICE_LITERAL("")) == OK);
	for (uint64_t id = 1; id <= MEMBERS; id++) {
		struct world_node *n = world_add(p->world, id, &o);

		if (id <= voters)
			membership_copy(&n->disk.base_membership, &first);
		n->disk.hard.born = !(settings & 32);
		world_start(p->world, n);
	}
	membership_free(&first);
	p->forged = settings & 64;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct play p = {.world = world_new(), .input = cursor_of(slice_of(data, size))};
	uint8_t settings = cursor_fixed8(&p.input);

	p.world->trace = getenv("FUZZ_TRACE") ? TRACE_ALL : TRACE_NOTHING;
	add_members(&p, settings, cursor_fixed8(&p.input));
	while (cursor_left(&p.input)) {
		events[cursor_fixed8(&p.input) % ARRAY_LEN(events)](&p);
		while (p.world->net.count > NET_MAX)
			blob_release(frame_list_take(&p.world->net, 0).bytes);
		check_world(&p);
	}
	if (settings & 128 && !p.forged && !p.world->damaged &&
	    !world_recover(p.world, RECOVERY_MS))
		world_break(p.world, "does not recover");
	check_world(&p);
	world_free(p.world);
	return 0;
}
