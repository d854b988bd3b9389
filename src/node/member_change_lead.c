/* Changes of the membership, as the leader decides on them and makes them. */

#include "base/error.h"
#include "base/logging.h"
#include "base/mutant.h"
#include "consensus/label.h"
#include "node/member_state.h"

#include <inttypes.h>

/* A learner that lacks no more entries than that has caught up. */
#define REACH_ENTRIES 256

/* ---- how the others are ---------------------------------------------------------------------- */

static bool peer_of(const struct member *m, uint64_t id, struct raft_peer_status *out)
{
	for (size_t i = 0; raft_peer_status(driver_raft(m->driver), i, out); i++)
		if (out->id == id)
			return true;
	return false;
}

/*
 * Whether it was heard by this leader, and not long ago. Who was never heard counts for consensus
 * as heard when leadership began, but has acknowledged nothing.
 */
static bool answers(const struct member *m, uint64_t id)
{
	struct raft_peer_status p;

	if (id == driver_id(m->driver))
		return true;
	return peer_of(m, id, &p) && p.match > 0 && !p.gone &&
	       member_now_ms(m) <= p.heard_ms + m->options.driver.raft.election_ms;
}

static uint64_t entries_behind(const struct member *m, uint64_t id)
{
	struct raft_peer_status p;
	struct raft_status s;

	driver_status(m->driver, &s);
	if (!peer_of(m, id, &p))
		return UINT64_MAX;
	return s.last - MIN(s.last, p.match);
}

/* What it has was true when it was heard last, so that must not be long ago. */
static bool within_reach(const struct member *m, uint64_t id)
{
	return (answers(m, id) && entries_behind(m, id) <= REACH_ENTRIES) ||
	       MUTANT(promote_far_behind);
}

/* ---- what was asked for ---------------------------------------------------------------------- */

static int refuse(struct buf *why, int rc)
{
	buf_printf(why, "%s",
		   rc == ERR_BUSY || rc == ERR_UNAVAILABLE
			   ? "TRYAGAIN a change of the membership or of the leader is under "
			     "way; try again when it is done"
			   : "ERR the change makes no sense for the members there are");
	return rc;
}

static const struct participant *named(struct member *m, struct slice who, struct buf *why)
{
	const struct participant *p = label_find(driver_membership(m->driver), who);

	if (!p)
		buf_printf(why, "ERR no member is called %.*s; see MEMBER LIST",
			   (int)MIN(who.len, (size_t)MEMBER_LABEL_MAX), (const char *)who.data);
	return p;
}

static bool name_is_taken(const struct member *m, struct slice name, uint64_t id)
{
	const struct participant *p = label_find(driver_membership(m->driver), name);

	return p && p->id != id;
}

/*
 * Voters that answer are a majority of those there would be. One in quarantine is none of them: its
 * log counts, but nobody could be given its state.
 */
static bool keeps_quorum(const struct member *m, const struct membership *next, struct buf *why)
{
	unsigned voters = 0, alive = 0;
	const struct participant *silent = NULL;

	for (uint32_t i = 0; i < next->count; i++) {
		const struct participant *p = &next->members[i];

		if (!(p->roles & MEMBER_VOTER))
			continue;
		voters++;
		if (answers(m, p->id) && !position_quarantine(store_position(m->store), p->id))
			alive++;
		else
			silent = p;
	}
	if (alive > voters / 2 || !silent)
		return true;
	buf_printf(
		why,
		"ERR refused: of the %u voters that would be left %u answer and are in order, "
		"which is no majority, and nothing could be written any more. Bring %.*s back, or "
		"remove it first, or add a member and wait until it votes",
		voters, alive, (int)label_of_member(silent).name.len,
		(const char *)label_of_member(silent).name.data);
	return false;
}

/*
 * Learners and labels decide nothing: who wants to join is not to be sent away because a new leader
 * has not heard the others yet.
 */
static bool moves_votes(const struct member_change *c)
{
	return (c->kind != MEMBER_ADD_LEARNER && c->kind != MEMBER_RELABEL) ||
	       MUTANT(admit_with_quorum_only);
}

/* Looks at what would be, and does it. */
static int make(struct member *m, const struct member_change *changes, size_t count,
		struct buf *why)
{
	struct membership next = {0};
	struct raft_status s;
	int rc;

	driver_status(m->driver, &s);
	rc = s.membership_pending
		     ? ERR_BUSY
		     : membership_change(driver_membership(m->driver), changes, count, &next);
	if (rc == OK && moves_votes(&changes[0]) && !keeps_quorum(m, &next, why))
		rc = ERR_INVALID;
	membership_free(&next);
	if (rc == OK)
		rc = driver_change(m->driver, changes, count);
	if (rc != OK)
		return why->len ? rc : refuse(why, rc);
	driver_status(m->driver, &s);
	m->changing.index = s.last;
	m->changing.term = s.term;
	m->changing.transfer_to = 0;
	return OK;
}

static int make_add(struct member *m, const struct cluster_request *c, struct buf *why)
{
	const struct membership *now = driver_membership(m->driver);
	struct buf label = {0};
	struct member_change change = {.kind = MEMBER_ADD_LEARNER, .rises = c->rises};
	int rc = ERR_INVALID;

	change.id = label_id(c->who);
	label_put(c->name, c->address, &label);
	change.label = buf_slice(&label);
	if (membership_was_removed(now, change.id))
		buf_printf(why, "ERR this member was removed, and ids never come back; give it an "
				"empty directory");
	else if (membership_find(now, change.id))
		buf_printf(why, "ERR this member takes part already; see MEMBER LIST");
	else if (name_is_taken(m, c->name, change.id))
		buf_printf(why,
			   "ERR a member called %.*s takes part already; give the new one another "
			   "name, or remove the old one first",
			   (int)c->name.len, (const char *)c->name.data);
	else if (now->count == MEMBERSHIP_MAX)
		buf_printf(why, "ERR there are %d members, which is all there can be",
			   MEMBERSHIP_MAX);
	else if (label_check(change.label) != OK)
		buf_printf(why, "ERR the name or the address of the newcomer cannot be used");
	else
		rc = make(m, &change, 1, why);
	buf_free(&label);
	return rc;
}

static bool may_vote(struct member *m, const struct participant *p, struct buf *why)
{
	struct slice name = label_of_member(p).name;

	if (!(p->roles & MEMBER_LEARNER))
		buf_printf(why, "ERR %.*s votes already", (int)name.len, (const char *)name.data);
	else if (!answers(m, p->id))
		buf_printf(why, "ERR %.*s does not answer: a vote that is never given helps nobody",
			   (int)name.len, (const char *)name.data);
	else if (!within_reach(m, p->id))
		buf_printf(why,
			   "ERR %.*s is %" PRIu64
			   " entries behind; try again when it has caught up",
			   (int)name.len, (const char *)name.data, entries_behind(m, p->id));
	return why->len == 0;
}

static int make_promote(struct member *m, const struct participant *p, struct buf *why)
{
	struct member_change change = {.kind = MEMBER_PROMOTE, .id = p->id};

	return may_vote(m, p, why) ? make(m, &change, 1, why) : ERR_INVALID;
}

static bool is_last_voter(const struct member *m, const struct participant *p)
{
	const struct membership *now = driver_membership(m->driver);

	for (uint32_t i = 0; i < now->count; i++)
		if (now->members[i].id != p->id && now->members[i].roles & MEMBER_VOTER)
			return false;
	return p->roles & MEMBER_VOTER;
}

static int make_demote(struct member *m, const struct participant *p, bool out, struct buf *why)
{
	struct member_change change = {.kind = out ? MEMBER_REMOVE : MEMBER_DEMOTE, .id = p->id};

	if (is_last_voter(m, p))
		buf_printf(why, "ERR refused: it is the only voter; promote another one first");
	else if (!out && !(p->roles & MEMBER_VOTER))
		buf_printf(why, "ERR it is a learner already");
	return why->len ? ERR_INVALID : make(m, &change, 1, why);
}

static int make_replace(struct member *m, const struct participant *old,
			const struct cluster_request *c, struct buf *why)
{
	const struct participant *new = named(m, c->name, why);
	struct member_change changes[2] = {{.kind = MEMBER_REMOVE, .id = old->id},
					   {.kind = MEMBER_PROMOTE}};

	if (!new)
		buf_printf(why, "; start it with --join, and --auto-promote no, first");
	if (!new || !may_vote(m, new, why))
		return ERR_INVALID;
	changes[1].id = new->id;
	return make(m, changes, 2, why);
}

static int make_transfer(struct member *m, const struct participant *p, struct buf *why)
{
	int rc;

	if (!(p->roles & MEMBER_VOTER))
		buf_printf(why, "ERR it does not vote, so it cannot lead; promote it first");
	else if (!answers(m, p->id))
		buf_printf(why, "ERR it does not answer, so it cannot lead");
	if (why->len)
		return ERR_INVALID;
	rc = driver_transfer(m->driver, p->id);
	if (rc != OK)
		return refuse(why, rc);
	m->changing.transfer_to = p->id;
	return OK;
}

/* A member says all of itself. Others say where members reach it, and not where clients do. */
static int make_update(struct member *m, const struct participant *p,
		       const struct cluster_request *c, struct buf *why)
{
	struct member_change change = {.kind = MEMBER_RELABEL, .id = p->id};
	struct label was = label_of_member(p);
	struct slice name = c->name.len ? c->name : was.name;
	struct buf label = {0};
	int rc = ERR_INVALID;

	label_put(name, c->address, &label);
	if (!c->name.len && was.client.len)
		buf_printf(&label, "/%.*s", (int)was.client.len, (const char *)was.client.data);
	change.label = buf_slice(&label);
	if (name_is_taken(m, name, p->id))
		buf_printf(why, "ERR another member is called so");
	else if (label_check(change.label) != OK)
		buf_printf(why, "ERR the name or the address cannot be used");
	else
		rc = make(m, &change, 1, why);
	buf_free(&label);
	return rc;
}

int member_make_change(struct member *m, const struct cluster_request *c, struct buf *why)
{
	const struct participant *p;

	if (c->change == CLUSTER_ADD)
		return make_add(m, c, why);
	p = named(m, c->who, why);
	if (!p)
		return ERR_NOT_FOUND;
	switch (c->change) {
	case CLUSTER_ADD:
		break;
	case CLUSTER_PROMOTE:
		return make_promote(m, p, why);
	case CLUSTER_DEMOTE:
		return make_demote(m, p, false, why);
	case CLUSTER_REMOVE:
		return make_demote(m, p, true, why);
	case CLUSTER_REPLACE:
		return make_replace(m, p, c, why);
	case CLUSTER_TRANSFER:
		return make_transfer(m, p, why);
	case CLUSTER_UPDATE:
		return make_update(m, p, c, why);
	}
	return refuse(why, ERR_INVALID);
}

/* ---- by itself ------------------------------------------------------------------------------- */

static const struct participant *riser(const struct member *m)
{
	const struct membership *now = driver_membership(m->driver);

	for (uint32_t i = 0; i < now->count; i++)
		if (now->members[i].roles & MEMBER_RISES && within_reach(m, now->members[i].id))
			return &now->members[i];
	return NULL;
}

/* Who has been within reach for an election timeout is no guest. */
void member_promote_turn(struct member *m)
{
	struct changing *c = &m->changing;
	const struct participant *p = riser(m);
	struct member_change change = {.kind = MEMBER_PROMOTE};
	struct buf why = {0};
	struct raft_status s;

	if (!p || p->id != c->rising) {
		c->rising = p ? p->id : 0;
		c->rising_since_ms = member_now_ms(m);
	}
	if (!p || member_now_ms(m) < c->rising_since_ms + m->options.driver.raft.election_ms)
		return;
	driver_status(m->driver, &s);
	c->rising_since_ms = member_now_ms(m); /* if it comes to nothing now: once more */
	if (c->under_way || s.joint || s.membership_pending || s.transferring)
		return;
	change.id = p->id;
	if (make(m, &change, 1, &why) == OK)
		LOG(m->io->logger, LOG_NOTICE, "%.*s has caught up and gets a vote",
		    (int)label_of_member(p).name.len, (const char *)label_of_member(p).name.data);
	buf_free(&why);
}
