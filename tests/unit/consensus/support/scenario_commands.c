#include "scenario_commands.h"

#include "base/check.h"
#include "base/error.h"
#include "scenario_parts.h"
#include "world_print.h"

#include <inttypes.h>
#include <string.h>

void scenario_init(struct scenario *s)
{
	*s = (struct scenario){.world = world_new(), .options = raft_options_default()};
}

void scenario_close(struct scenario *s)
{
	frame_list_free(&s->shelf);
	world_free(s->world);
}

static void say_error(struct scenario *s, int rc)
{
	if (rc != OK)
		world_say(s->world, TRACE_NOTHING, "%s", error_text(rc));
}

struct world_node *scenario_node(struct scenario *s, struct words *words)
{
	uint64_t id = words_number(words);
	struct world_node *n = world_node(s->world, id);

	if (n && n->raft)
		return n;
	world_say(s->world, TRACE_NOTHING, "node %" PRIu64 " is not running", id);
	return NULL;
}

/* ---- requests -------------------------------------------------------------------------------- */

static void do_propose(struct scenario *s, struct words *words)
{
	struct world_node *n = scenario_node(s, words);
	uint64_t waiter = 0;

	if (words_take(words, "for"))
		waiter = words_number(words);
	while (n && words->left.len)
		say_error(s, world_propose(s->world, n, words_next(words), waiter));
}

static void do_read(struct scenario *s, struct words *words)
{
	struct world_node *n = scenario_node(s, words);
	uint64_t request = words_number(words), count = 1;
	int rc = OK;

	if (!n)
		return;
	if (words_take(words, "times"))
		count = words_number(words);
	for (uint64_t i = 0; i < count && rc == OK; i++)
		rc = raft_read_index(n->raft, n->clock_ms, request + i);
	say_error(s, rc);
	world_drive(s->world, n);
}

static const struct {
	const char *name;
	enum member_change_kind kind;
} changes_known[] = {
	{"add-learner", MEMBER_ADD_LEARNER}, {"add-voter", MEMBER_ADD_VOTER},
	{"promote", MEMBER_PROMOTE},	     {"demote", MEMBER_DEMOTE},
	{"remove", MEMBER_REMOVE},	     {"relabel", MEMBER_RELABEL},
};

static void do_change(struct scenario *s, struct words *words)
{
	struct world_node *n = scenario_node(s, words);
	struct member_change changes[MEMBERSHIP_MAX];
	size_t count = 0;

	while (n && words->left.len && count < ARRAY_LEN(changes)) {
		size_t i = 0;

		while (i < ARRAY_LEN(changes_known) && !words_take(words, changes_known[i].name))
			i++;
		if (i == ARRAY_LEN(changes_known)) {
			words_fail(words, "change");
			return;
		}
		changes[count++] = (struct member_change){.kind = changes_known[i].kind,
							  .id = words_number(words)};
	}
	if (!n)
		return;
	say_error(s, raft_change(n->raft, n->clock_ms, changes, count));
	world_drive(s->world, n);
}

static void do_transfer(struct scenario *s, struct words *words)
{
	struct world_node *n = scenario_node(s, words);

	if (!n)
		return;
	say_error(s,
		  raft_transfer(n->raft, n->clock_ms, words->left.len ? words_number(words) : 0));
	world_drive(s->world, n);
}

static void do_gone(struct scenario *s, struct words *words)
{
	struct world_node *n = scenario_node(s, words);

	if (!n)
		return;
	raft_peer_gone(n->raft, n->clock_ms, words_number(words));
	world_drive(s->world, n);
}

static void do_resting(struct scenario *s, struct words *words)
{
	struct world_node *n = scenario_node(s, words);

	if (!n)
		return;
	raft_peer_resting(n->raft, n->clock_ms, words_number(words));
	world_drive(s->world, n);
}

static void do_born(struct scenario *s, struct words *words)
{
	while (words->left.len) {
		struct world_node *n = scenario_node(s, words);

		if (!n)
			return;
		raft_born(n->raft, n->clock_ms);
		world_drive(s->world, n);
	}
}

/* ---- disk and snapshots ---------------------------------------------------------------------- */

static void do_disk(struct scenario *s, struct words *words)
{
	struct world_node *n = scenario_node(s, words);

	if (!n)
		return;
	n->disk_held = words_take(words, "hold");
	if (!n->disk_held)
		words_expect(words, "go");
	while (!n->disk_held && n->write_count)
		world_persist(s->world, n);
	world_drive(s->world, n);
}

static void do_persist(struct scenario *s, struct words *words)
{
	struct world_node *n = scenario_node(s, words);

	if (!n)
		return;
	if (n->write_count)
		world_persist(s->world, n);
	else
		world_say(s->world, TRACE_NOTHING, "nothing is being written");
	world_drive(s->world, n);
}

static void do_loads(struct scenario *s, struct words *words)
{
	struct world_node *n = scenario_node(s, words);

	if (!n)
		return;
	n->loads_held = words_take(words, "hold");
	if (!n->loads_held)
		words_expect(words, "go");
	world_drive(s->world, n);
}

static void do_load(struct scenario *s, struct words *words)
{
	struct world_node *n = scenario_node(s, words);
	bool failed = words_take(words, "fail");

	if (!n)
		return;
	if (n->load_count)
		world_load(s->world, n, failed ? ERR_IO : OK);
	else
		world_say(s->world, TRACE_NOTHING, "nothing is being loaded");
	world_drive(s->world, n);
}

static void do_snapshot(struct scenario *s, struct words *words)
{
	struct world_node *n = scenario_node(s, words);

	if (n)
		world_snapshot(s->world, n);
}

static void do_compact(struct scenario *s, struct words *words)
{
	struct world_node *n = scenario_node(s, words);

	if (n)
		world_compact(s->world, n, words_number(words));
}

static void do_install(struct scenario *s, struct words *words)
{
	struct world_node *n = scenario_node(s, words);

	if (!n)
		return;
	if (!n->offered.index) {
		world_say(s->world, TRACE_NOTHING, "no snapshot is offered");
	} else if (words_take(words, "fail")) {
		world_install_end(s->world, n, false);
	} else if (words_take(words, "begin")) {
		world_install_begin(s->world, n);
	} else {
		if (!n->swapping)
			world_install_begin(s->world, n);
		if (n->swapping)
			world_install_end(s->world, n, true);
	}
}

/* ---- the table ------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	void (*run)(struct scenario *s, struct words *words);
} commands[] = {
	{"nodes", scenario_nodes},
	{"cluster", scenario_cluster},
	{"unborn", scenario_unborn},
	{"join", scenario_join},
	{"given", scenario_given},
	{"start", scenario_start},
	{"crash", scenario_crash},
	{"restart", scenario_restart},
	{"damage", scenario_damage},
	{"time", scenario_time},
	{"pause", scenario_pause},
	{"tick", scenario_tick},
	{"run", scenario_run},
	{"campaign", scenario_campaign},
	{"elect", scenario_elect},
	{"beat", scenario_beat},
	{"propose", do_propose},
	{"read", do_read},
	{"change", do_change},
	{"transfer", do_transfer},
	{"gone", do_gone},
	{"resting", do_resting},
	{"born", do_born},
	{"disk", do_disk},
	{"persist", do_persist},
	{"loads", do_loads},
	{"load", do_load},
	{"snapshot", do_snapshot},
	{"compact", do_compact},
	{"install", do_install},
	{"deliver", scenario_deliver},
	{"drop", scenario_drop},
	{"duplicate", scenario_duplicate},
	{"hold", scenario_hold},
	{"release", scenario_release},
	{"send", scenario_send},
	{"cut", scenario_cut},
	{"isolate", scenario_isolate},
	{"heal", scenario_heal},
	{"settle", scenario_settle},
	{"trace", scenario_trace},
	{"status", scenario_status},
	{"peers", scenario_peers},
	{"log", scenario_log},
	{"members", scenario_members},
	{"network", scenario_network},
};

void scenario_line(struct scenario *s, struct slice line)
{
	struct words words = words_of(line);
	struct slice name = words_next(&words);

	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (!slice_equal(name, slice_of_text(commands[i].name)))
			continue;
		commands[i].run(s, &words);
		if (words.wrong)
			world_break(s->world, "%.*s: not understood: %s", (int)name.len,
				    (const char *)name.data, words.wrong);
		return;
	}
	world_break(s->world, "no such command: %.*s", (int)name.len, (const char *)name.data);
}
