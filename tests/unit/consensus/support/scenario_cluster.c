/* Commands that make, start, stop and damage nodes, and those that move their clocks. */

#include "base/check.h"
#include "base/error.h"
#include "scenario_parts.h"

#include <inttypes.h>

static const struct {
	const char *name;
	size_t offset;
} settings_32[] = {
	{"heartbeat=", offsetof(struct raft_options, heartbeat_ms)},
	{"election=", offsetof(struct raft_options, election_ms)},
	{"failover=", offsetof(struct raft_options, failover_ms)},
	{"append-bytes=", offsetof(struct raft_options, append_bytes)},
	{"inflight=", offsetof(struct raft_options, inflight_messages)},
};

static void take_settings(struct scenario *s, struct words *words)
{
	struct raft_options *o = &s->options;

	while (words->left.len) {
		bool known = words_take_flag(words, "prevote=off", &o->prevote, false) ||
			     words_take_flag(words, "check-quorum=off", &o->check_quorum, false) ||
			     words_take_setting(words, "inflight-bytes=", &o->inflight_bytes) ||
			     words_take_setting(words, "uncommitted=", &o->uncommitted_bytes) ||
			     words_take_setting(words, "tail=", &o->tail_bytes);

		for (size_t i = 0; i < ARRAY_LEN(settings_32) && !known; i++) {
			uint64_t value;

			known = words_take_setting(words, settings_32[i].name, &value);
			if (known)
				*(uint32_t *)((char *)o + settings_32[i].offset) = (uint32_t)value;
		}
		if (!known) {
			words_fail(words, "setting");
			return;
		}
	}
}

static void make_nodes(struct scenario *s, struct words *words, bool born)
{
	uint64_t count = words_number(words);
	struct membership first = {0};

	CHECK(count >= 1 && count <= WORLD_NODES);
	take_settings(s, words);
	for (uint64_t id = 1; id <= count; id++)
		CHECK(membership_add_first(&first, id, SLICE_LITERAL("")) == OK);
	for (uint64_t id = 1; id <= count; id++) {
		struct world_node *n = world_add(s->world, id, &s->options);

		membership_copy(&n->disk.base_membership, &first);
		n->disk.hard.born = born;
	}
	membership_free(&first);
}

void scenario_nodes(struct scenario *s, struct words *words)
{
	make_nodes(s, words, true);
}

static void start_all(struct scenario *s)
{
	for (size_t i = 0; i < WORLD_NODES; i++)
		if (s->world->nodes[i].id && !s->world->nodes[i].raft)
			world_start(s->world, &s->world->nodes[i]);
}

void scenario_cluster(struct scenario *s, struct words *words)
{
	make_nodes(s, words, true);
	start_all(s);
}

void scenario_unborn(struct scenario *s, struct words *words)
{
	make_nodes(s, words, false);
	start_all(s);
}

void scenario_join(struct scenario *s, struct words *words)
{
	struct world_node *n = world_add(s->world, words_number(words), &s->options);

	n->disk.hard.born = true;
	world_start(s->world, n);
}

void scenario_given(struct scenario *s, struct words *words)
{
	struct world_node *n = world_node(s->world, words_number(words));
	struct image *disk = &n->disk;

	words_expect(words, "term");
	disk->hard.term = words_number(words);
	if (words_take(words, "vote"))
		disk->hard.vote = words_number(words);
	if (words_take(words, "base")) {
		disk->base = words_number(words);
		words_expect(words, "of");
		disk->base_term = words_number(words);
		n->stored.index = disk->base;
		n->stored.term = disk->base_term;
		membership_copy(&n->stored.membership, &disk->base_membership);
	}
	if (words_take(words, "log"))
		while (words->left.len)
			words_entry(words, disk, words_number(words));
}

void scenario_start(struct scenario *s, struct words *words)
{
	if (words_take(words, "all")) {
		start_all(s);
		return;
	}
	while (words->left.len)
		world_start(s->world, world_node(s->world, words_number(words)));
}

void scenario_crash(struct scenario *s, struct words *words)
{
	while (words->left.len) {
		struct world_node *n = scenario_node(s, words);

		if (n)
			world_crash(s->world, n);
	}
}

void scenario_restart(struct scenario *s, struct words *words)
{
	while (words->left.len) {
		struct world_node *n = world_node(s->world, words_number(words));

		if (n->raft)
			world_crash(s->world, n);
		world_start(s->world, n);
	}
}

void scenario_damage(struct scenario *s, struct words *words)
{
	struct world_node *n = world_node(s->world, words_number(words));

	CHECK(!n->raft);
	image_cut(&n->disk, words_number(words));
	image_cut(&n->log, image_last(&n->disk));
	n->disk.damaged = true;
	s->world->damaged = true;
}

void scenario_time(struct scenario *s, struct words *words)
{
	uint64_t ms = words_number(words);

	for (size_t i = 0; i < WORLD_NODES; i++)
		s->world->nodes[i].clock_ms += ms;
}

void scenario_pause(struct scenario *s, struct words *words)
{
	uint64_t id = words_number(words);

	world_node(s->world, id)->clock_ms += words_number(words);
}

void scenario_tick(struct scenario *s, struct words *words)
{
	struct world_node *n;

	if (words_take(words, "all")) {
		uint64_t ms = words_number(words);

		for (size_t i = 0; i < WORLD_NODES; i++)
			if (s->world->nodes[i].raft)
				world_tick(s->world, &s->world->nodes[i], ms);
		return;
	}
	n = scenario_node(s, words);
	if (n)
		world_tick(s->world, n, words_number(words));
}

void scenario_run(struct scenario *s, struct words *words)
{
	world_run(s->world, words_number(words));
}

void scenario_campaign(struct scenario *s, struct words *words)
{
	struct world_node *n = scenario_node(s, words);
	uint64_t due = n ? raft_deadline(n->raft) : 0;

	if (!n)
		return;
	if (due == UINT64_MAX)
		world_say(s->world, TRACE_NOTHING, "has nothing to wait for");
	else
		world_tick(s->world, n, due > n->clock_ms ? due - n->clock_ms : 0);
}

/* Silently: the node is elected, and everybody knows what is committed by that. */
void scenario_elect(struct scenario *s, struct words *words)
{
	enum world_trace trace = s->world->trace;
	struct words again = *words;

	s->world->trace = TRACE_NOTHING;
	scenario_campaign(s, words);
	world_settle(s->world);
	scenario_beat(s, &again);
	world_settle(s->world);
	s->world->trace = trace;
}

void scenario_beat(struct scenario *s, struct words *words)
{
	struct world_node *n = scenario_node(s, words);

	if (n)
		world_tick(s->world, n, n->options.heartbeat_ms);
}
