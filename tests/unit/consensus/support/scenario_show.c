/* Commands that show a state. */

#include "scenario_parts.h"
#include "world_print.h"

#include "consensus/peer.h"

#include <inttypes.h>

void scenario_trace(struct scenario *s, struct words *words)
{
	if (words_take(words, "roles")) {
		s->world->trace = TRACE_ROLES;
	} else if (words_take(words, "nothing")) {
		s->world->trace = TRACE_NOTHING;
	} else {
		words_expect(words, "all");
		s->world->trace = TRACE_ALL;
	}
}

static void show(struct scenario *s, struct words *words,
		 void (*print)(struct buf *, struct world_node *))
{
	uint64_t only = words->left.len ? words_number(words) : 0;

	for (size_t i = 0; i < WORLD_NODES; i++) {
		struct world_node *n = &s->world->nodes[i];
		struct buf line = {0};

		if (!n->id || (only && n->id != only))
			continue;
		print(&line, n);
		world_say(s->world, TRACE_NOTHING, "%" PRIu64 ":%.*s", n->id, (int)line.len,
			  (const char *)line.data);
		buf_free(&line);
	}
}

static void print_node_status(struct buf *out, struct world_node *n)
{
	struct raft_status status;

	if (!n->raft) {
		buf_printf(out, " down");
		return;
	}
	raft_status(n->raft, &status);
	text_status(out, &status);
}

static void print_node_log(struct buf *out, struct world_node *n)
{
	if (n->log.base)
		buf_printf(out, " after %" PRIu64 "/%" PRIu64 ":", n->log.base, n->log.base_term);
	buf_printf(out, " ");
	text_entries(out, n->log.base + 1, n->log.entries, n->log.count);
}

static void print_node_members(struct buf *out, struct world_node *n)
{
	if (!n->raft)
		return;
	buf_printf(out, " ");
	text_membership(out, raft_membership(n->raft));
}

void scenario_status(struct scenario *s, struct words *words)
{
	show(s, words, print_node_status);
}

void scenario_log(struct scenario *s, struct words *words)
{
	show(s, words, print_node_log);
}

void scenario_members(struct scenario *s, struct words *words)
{
	show(s, words, print_node_members);
}

void scenario_peers(struct scenario *s, struct words *words)
{
	const struct world_node *n = world_node(s->world, words_number(words));
	struct raft_peer_status peer;

	for (size_t i = 0; n && n->raft && raft_peer_status(n->raft, i, &peer); i++)
		world_say(s->world, TRACE_NOTHING,
			  "%" PRIu64 ": %s, match %" PRIu64 ", next %" PRIu64 "%s", peer.id,
			  peer_state_name(peer.state), peer.match, peer.next,
			  peer.gone ? ", gone" : "");
	if (n && n->raft && raft_held_index(n->raft) < UINT64_MAX)
		world_say(s->world, TRACE_NOTHING, "the log behind %" PRIu64 " is held",
			  raft_held_index(n->raft));
}
