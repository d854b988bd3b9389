/* Changes of membership, and the operator who starts, retires and replaces members. */

#include "sim/control.h"
#include "sim/host.h"
#include "sim/mode.h"
#include "sim/nemesis.h"

#include "base/check.h"
#include "base/error.h"
#include "base/mem.h"
#include "node/member_state.h"
#include "peer/company.h"
#include "storage/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define JANITOR_US 150000

#define LABEL_MAX (sizeof(((struct host *)0)->name) + HOST_ADDRESS_MAX + 1)

/* ---- members --------------------------------------------------------------------------------- */

static bool change(struct world *w, struct host *leader, const struct member_change *c, size_t n)
{
	int rc = driver_change(leader->driver, c, n);

	TRACE(w, leader, "change of membership: %s", error_text(rc));
	host_after(leader);
	return rc == OK;
}

/* A member of the wanted role, other than the leader unless it is drawn. */
static struct host *member_with(struct world *w, const struct membership *m, uint8_t roles)
{
	uint32_t i = (uint32_t)random_below(&w->random, m->count);

	return m->members[i].roles & roles ? host_by_id(w, m->members[i].id) : NULL;
}

/* The leader, if its membership is committed and plain. */
static struct host *settled_leader(struct world *w)
{
	struct host *leader = world_leader(w);
	struct raft_status s;

	if (!leader || leader->dying)
		return NULL;
	driver_status(leader->driver, &s);
	return s.joint || s.membership_pending ? NULL : leader;
}

/* Mostly a leader that would take a change now, sometimes one that has to refuse. */
static struct host *changing_leader(struct world *w)
{
	struct host *leader = settled_leader(w);

	return leader || !random_chance(&w->random, 200000) ? leader : world_leader(w);
}

struct host *spare(struct world *w)
{
	for (unsigned i = 0; i < w->host_count; i++) {
		struct host *h = &w->hosts[i];

		if (!h->joins || host_takes_part(h) || h->wiped)
			continue;
		host_start(h);
		if (h->state == HOST_UP && h->id)
			return h;
	}
	return NULL;
}

/* Where connections are made, others have to know where to. */
static struct slice label_for(const struct host *h, char out[LABEL_MAX])
{
	if (!h->world->profile.streams)
		return slice_of_text(h->name);
	snprintf(out, LABEL_MAX, "%s=%s", h->name, h->address);
	return slice_of_text(out);
}

/* As the process does it that is started with --join: it asks until it is in. */
static bool joins(struct world *w, struct host *leader, struct host *h, bool rises)
{
	struct buf why = {0};
	bool may = member_admit(leader->member, h->id, slice_of_text(h->name),
				SLICE_LITERAL("10.0.0.1:16379"), rises, &why);

	TRACE(w, h, "asks to join: %.*s", (int)why.len, (const char *)why.data);
	if (!may && !leader->member->failed &&
	    !membership_was_removed(driver_membership(leader->driver), h->id))
		world_fail(w, "%s is told by %s that it can never join: %.*s", h->name,
			   leader->name, (int)why.len, (const char *)why.data);
	buf_free(&why);
	host_after(leader);
	return may;
}

static bool add_member(struct world *w, enum member_change_kind kind)
{
	struct host *leader = changing_leader(w), *h;
	struct member_change c = {.kind = kind, .rises = random_chance(&w->random, 500000)};
	char label[LABEL_MAX];

	if (!leader || driver_membership(leader->driver)->count >= 7)
		return false;
	h = spare(w);
	if (!h || leader->state != HOST_UP)
		return false;
	if (kind == MEMBER_ADD_LEARNER && leader->member && random_chance(&w->random, 500000))
		return w->profile.streams || joins(w, leader, h, c.rises);
	c.id = h->id;
	c.label = label_for(h, label);
	return change(w, leader, &c, 1);
}

/* Not while the log or the state of one that votes is worth nothing: others have to have it. */
static bool votes_may_move(struct world *w)
{
	return !anybody_suspect(w) && !anybody_drifted(w);
}

bool act_add(struct world *w)
{
	return add_member(w, MEMBER_ADD_LEARNER);
}

bool act_add_voter(struct world *w)
{
	return votes_may_move(w) && add_member(w, MEMBER_ADD_VOTER);
}

static bool change_one(struct world *w, enum member_change_kind kind, uint8_t role, bool leader_too)
{
	struct host *leader = changing_leader(w), *h;
	const struct membership *m;
	struct member_change c = {.kind = kind};

	if (!leader || !votes_may_move(w))
		return false;
	m = driver_membership(leader->driver);
	h = leader_too ? leader : member_with(w, m, role);
	if (!h || (h == leader && !leader_too))
		return false;
	if (kind != MEMBER_PROMOTE && voters(m) <= 2)
		return false;
	c.id = h->id;
	if (kind == MEMBER_PROMOTE)
		w->promoted = h->id;
	return change(w, leader, &c, 1);
}

bool act_promote(struct world *w)
{
	return change_one(w, MEMBER_PROMOTE, MEMBER_LEARNER, false);
}

bool act_demote(struct world *w)
{
	return change_one(w, MEMBER_DEMOTE, MEMBER_VOTER, false);
}

bool act_remove(struct world *w)
{
	return change_one(w, MEMBER_REMOVE, MEMBER_VOTER | MEMBER_LEARNER, false);
}

bool act_remove_leader(struct world *w)
{
	return change_one(w, MEMBER_REMOVE, MEMBER_VOTER, true);
}

bool act_replace(struct world *w)
{
	struct host *leader = changing_leader(w), *old, *new;
	struct member_change c[2] = {{.kind = MEMBER_REMOVE}, {.kind = MEMBER_ADD_VOTER}};
	char label[LABEL_MAX];

	if (!leader || !votes_may_move(w))
		return false;
	old = member_with(w, driver_membership(leader->driver), MEMBER_VOTER);
	new = old ? spare(w) : NULL;
	if (!new || leader->state != HOST_UP)
		return false;
	c[0].id = old->id;
	c[1].id = new->id;
	c[1].label = label_for(new, label);
	return change(w, leader, c, 2);
}

bool act_transfer(struct world *w)
{
	struct host *h = victim(w);
	struct host *to = &w->hosts[random_below(&w->random, w->host_count)];
	bool done;

	if (!h)
		return false;
	done = driver_transfer(h->driver, random_chance(&w->random, 500000) ? 0 : to->id) == OK;
	host_after(h);
	return done;
}

/* ---- the operator ---------------------------------------------------------------------------- */

/* Out of the committed membership: its process ends, and its machine becomes a spare one. */
static void retire_removed(struct world *w, const struct host *leader)
{
	const struct membership *m = driver_membership(leader->driver);

	for (unsigned i = 0; i < w->host_count; i++) {
		struct host *h = &w->hosts[i];

		if (!h->id || !membership_was_removed(m, h->id) || h == leader)
			continue;
		if (!w->calm && !random_chance(&w->random, 50000))
			continue;
		host_kill(h, false);
		host_wipe(h);
		h->lost_id = 0;
		h->wiped = false;
		h->joins = true;
		h->suspect = false;
	}
}

/* A member without its directory is replaced by itself under a new id. */
static void replace_wiped(struct world *w, struct host *leader)
{
	for (unsigned i = 0; i < w->host_count; i++) {
		struct host *h = &w->hosts[i];
		const struct membership *m = driver_membership(leader->driver);
		struct member_change c[2] = {{.kind = MEMBER_REMOVE}, {.kind = MEMBER_ADD_VOTER}};
		const struct participant *old = membership_find(m, h->lost_id);
		char label[LABEL_MAX];

		if (!h->wiped)
			continue;
		if (!old) {
			h->wiped = false;
			h->suspect = false;
			continue;
		}
		if (h == leader)
			continue;
		if (!w->calm && !random_chance(&w->random, 30000))
			continue;
		if (!h->joins) {
			uint64_t lost = h->lost_id;

			host_kill(h, true);
			host_wipe(h);
			h->lost_id = lost;
			h->joins = true;
			host_start(h);
			continue;
		}
		if (h->state != HOST_UP || leader->state != HOST_UP)
			continue;
		c[0].id = h->lost_id;
		c[1].id = h->id;
		c[1].kind = old->roles & MEMBER_LEARNER ? MEMBER_ADD_LEARNER : MEMBER_ADD_VOTER;
		c[1].label = label_for(h, label);
		if (change(w, leader, c, 2))
			COUNT(w, CHANGE_REPLACE);
	}
}

/* Maybe nobody whom it knows is where it was, and whom it was told to ask knows no better. */
static bool is_lost(struct world *w, struct host *h)
{
	struct raft_status status;

	driver_status(h->driver, &status);
	return w->profile.move_ppm && h->company && company_takes_part(h->company) &&
	       !status.leader;
}

/* Whom it asks to let it join takes part no more, or is elsewhere. */
static bool asks_in_vain(struct world *w, const struct host *h)
{
	struct host *asked = h->asks ? &w->hosts[h->asks->index] : NULL;

	return asked && !company_takes_part(h->company) &&
	       (!host_may_be_asked(asked) || strcmp(asked->address, h->ask_at) != 0);
}

/* It is told anew where others are. */
static void redirect(struct world *w, struct host *h)
{
	if (h->state != HOST_UP || h->dying)
		return;
	if (!(asks_in_vain(w, h) && random_chance(&w->random, 200000)) &&
	    !(is_lost(w, h) && random_chance(&w->random, 20000)))
		return;
	TRACE(w, h, "is told anew where others are");
	host_kill(h, false);
	host_start(h);
}

static void operator_starts(struct world *w, struct host *h)
{
	uint32_t eager = w->calm ? 1000000 : 150000;

	if (h->state != HOST_DOWN || !random_chance(&w->random, eager))
		return;
	if (h->joins && !h->wiped && !h->id)
		return; /* a spare one is started when it is needed */
	if (!w->calm && w->profile.faults & GROUP_CRASH && random_chance(&w->random, 100000)) {
		COUNT(w, FAULT_CRASH_START);
		sim_disk_cut_at(h->disk, draw(w, 0, 30));
	}
	host_start(h);
}

void janitor(struct world *w, struct event *e)
{
	struct host *leader;

	world_at(w, e, w->now_us + JANITOR_US, janitor);
	for (unsigned i = 0; i < w->host_count; i++) {
		struct host *h = &w->hosts[i];

		if (h->full_until_us && (w->calm || w->now_us >= h->full_until_us)) {
			sim_disk_set_capacity(h->disk, UINT64_MAX);
			h->full_until_us = 0;
		}
		rot_mend(w, h);
		clock_mend(w, h);
		operator_starts(w, h);
		redirect(w, h);
	}
	if (w->mode->janitor)
		w->mode->janitor(w);
	leader = settled_leader(w);
	if (!leader)
		return;
	retire_removed(w, leader);
	replace_wiped(w, leader);
}
