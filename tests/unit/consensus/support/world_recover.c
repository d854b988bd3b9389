/* The end of all faults: from then on a cluster has to come to rest, led and level. */

#include "base/error.h"
#include "world.h"

#include <string.h>

#define STEP_MS 100

static void end_faults(struct world *w)
{
	memset(w->cut, 0, sizeof(w->cut));
	for (size_t i = 0; i < WORLD_NODES; i++) {
		struct world_node *n = &w->nodes[i];

		if (!n->id)
			continue;
		n->disk_held = false;
		n->loads_held = false;
		if (!n->raft)
			world_start(w, n);
		if (!n->raft)
			return; /* said so already */
		raft_born(n->raft, n->clock_ms);
		while (n->write_count)
			world_persist(w, n);
		world_drive(w, n);
	}
}

/* Snapshots that are offered are installed, and taken anew so that others can have them. */
static void help_snapshots(struct world *w, struct world_node *n)
{
	if (n->offered.index && !n->swapping)
		world_install_begin(w, n);
	if (n->swapping)
		world_install_end(w, n, true);
	if (n->applied > n->stored.index)
		world_snapshot(w, n);
}

static const struct world_node *newest_leader(const struct world *w)
{
	const struct world_node *leader = NULL;

	for (size_t i = 0; i < WORLD_NODES; i++) {
		const struct world_node *n = &w->nodes[i];

		if (n->raft && n->told.role == RAFT_LEADER &&
		    (!leader || n->told.term > leader->told.term))
			leader = n;
	}
	return leader;
}

/* Somebody leads, all it has is committed, and whoever takes part has applied it. */
static bool is_level(struct world *w)
{
	const struct world_node *leader = newest_leader(w);
	const struct membership *m;
	struct raft_status s;

	if (!leader)
		return false;
	raft_status(leader->raft, &s);
	m = raft_membership(leader->raft);
	if (s.commit != s.last || m->joint)
		return false;
	for (uint32_t i = 0; i < m->count; i++) {
		const struct world_node *n = world_node(w, m->members[i].id);

		if (!n || !n->raft || n->applied != s.commit)
			return false;
	}
	return true;
}

bool world_recover(struct world *w, uint64_t ms)
{
	end_faults(w);
	for (uint64_t done = 0; done < ms && !w->broken.len; done += STEP_MS) {
		world_run(w, STEP_MS);
		for (size_t i = 0; i < WORLD_NODES; i++)
			if (w->nodes[i].raft)
				help_snapshots(w, &w->nodes[i]);
		if (is_level(w))
			return true;
	}
	return false;
}
