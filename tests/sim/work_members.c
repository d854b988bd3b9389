/*
 * MEMBER, asked by clients on whatever member they are connected to: who takes part, and how that
 * is changed. Votes move only in worlds where the operator moves them as well, and under the same
 * rule: while no disk has lost anything. What comes of it is held against the memberships that
 * there were (sim/roster.c).
 */

#include "sim/callers.h"
#include "sim/nemesis.h"
#include "sim/roster.h"

#include <inttypes.h>

/* So long a change that was asked for may be on its way to a leader. */
#define VOTES_MOVE_US 8000000

/* More take part in no world. */
#define MEMBERS_MOST 7

static unsigned below(struct caller *c, unsigned n)
{
	return (unsigned)random_below(&c->world->random, n);
}

static void ask_change(struct caller *c, const char *what, uint64_t id)
{
	struct asked *a = ask(c, "MEMBER %s %016" PRIx64, what, id);

	a->unmodelled = true;
	a->then = roster_hears_change;
}

static void ask_list(struct caller *c)
{
	struct asked *a = ask(c, "MEMBER LIST");

	a->unmodelled = true;
	a->then = roster_hears_list;
}

/* Nobody else asks for the same address, and nobody has before. */
static void ask_update(struct caller *c, uint64_t id)
{
	struct asked *a = ask(c, "MEMBER UPDATE %016" PRIx64 " " ROSTER_ADDRESS "%" PRIu64 ":16379",
			      id, ++c->world->callers->address);

	a->unmodelled = true;
	a->then = roster_hears_change;
}

static void ask_add(struct caller *c, const struct membership *m)
{
	struct host *h = m->count < MEMBERS_MOST ? spare(c->world) : NULL;
	struct asked *a;

	if (!h || !c->session)
		return;
	a = ask(c, "MEMBER ADD %016" PRIx64 " %s %s%s", h->id, h->name,
		c->world->profile.streams ? h->address : "10.0.0.1:16379",
		below(c, 2) ? " LEARNER" : "");
	a->unmodelled = true;
	a->then = roster_hears_change;
}

/* The votes of the world are on their way: no disk may lose anything meanwhile. */
static void ask_vote(struct caller *c, const struct membership *m, const struct participant *p)
{
	struct world *w = c->world;

	if (anybody_suspect(w) || host_by_id(w, p->id) == NULL)
		return;
	if (p->roles & MEMBER_VOTER && voters(m) <= 2)
		return;
	w->votes_move_us = w->now_us + VOTES_MOVE_US;
	if (p->roles & MEMBER_LEARNER)
		ask_change(c, below(c, 4) ? "PROMOTE" : "REMOVE", p->id);
	else
		ask_change(c, below(c, 2) ? "DEMOTE" : "REMOVE", p->id);
}

void work_members(struct caller *c)
{
	struct world *w = c->world;
	struct host *leader = world_leader(w);
	const struct membership *m = leader ? driver_membership(leader->driver) : NULL;
	const struct participant *p;
	unsigned what = below(c, 10);

	if (c->multi)
		return;
	/* Where connections are made, addresses are theirs who stand there. */
	if (what < (w->profile.streams ? 7 : 4) || !m || !m->count || w->calm) {
		ask_list(c);
		return;
	}
	p = &m->members[below(c, m->count)];
	if (what < 7)
		ask_update(c, p->id);
	else if (!(w->profile.faults & GROUP_MEMBERS))
		ask_change(c, "PROMOTE", p->id + 1); /* there is none of this id */
	else if (what == 7)
		ask_change(c, "TRANSFER", p->id);
	else if (below(c, 3) == 0)
		ask_add(c, m);
	else
		ask_vote(c, m, p);
	if (below(c, 2))
		ask_list(c);
}
