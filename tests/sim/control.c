/*
 * Members that are replaced by newer versions, drift, and get short of space.
 *
 *  - the level rises when every member can, not before, and in the end it has risen
 *  - whoever drifted is named by a verdict, and nobody else; serves nobody from then on; and is
 *    released when it was refilled
 */

#include "sim/control.h"

#include "base/check.h"
#include "base/error.h"
#include "node/driver_state.h"
#include "node/member_state.h"
#include "sim/mode.h"
#include "storage/log.h"

#include <inttypes.h>

/* How the digest of a database that no client uses is wrong in a state that has drifted. */
#define DRIFT_DATABASE 15
#define DRIFT	       UINT64_C(0xd41f7d41f7)

/* Who was released has stored that by then, if its disk is well. */
#define STORED_AFTER_US 1000000u

static struct position *position_of(const struct host *h)
{
	return store_position(h->member->store);
}

static bool runs(const struct host *h)
{
	return h->state == HOST_UP && !h->dying;
}

/* ---- versions -------------------------------------------------------------------------------- */

/* New machines get the newest version. */
uint32_t control_level(struct host *h)
{
	struct world *w = h->world;

	if (h->joins)
		h->level = LEVEL_NEWEST;
	else if (!h->level)
		h->level = w->profile.faults & GROUP_UPGRADE && random_chance(&w->random, 700000)
				   ? LEVEL_NEWEST - 1
				   : LEVEL_NEWEST;
	return h->level;
}

static bool upgrade(struct world *w, struct host *h)
{
	if (h->level >= LEVEL_NEWEST || !h->level || h->flip_jobs || h->state == HOST_PAUSED)
		return false;
	TRACE(w, h, "gets a newer version");
	host_kill(h, false);
	h->level = LEVEL_NEWEST;
	host_start(h);
	return true;
}

bool act_upgrade(struct world *w)
{
	return upgrade(w, &w->hosts[random_below(&w->random, w->host_count)]);
}

static void watch_level(struct host *h, uint64_t index)
{
	struct world *w = h->world;
	const struct membership *all = raft_membership_at(driver_raft(h->driver), index);
	uint32_t level = position_of(h)->level;

	if (level <= w->level)
		return; /* somebody was here before */
	w->level = level;
	COUNT(w, LEVEL_RAISED);
	for (uint32_t i = 0; i < all->count; i++) {
		const struct host *member = host_by_id(w, all->members[i].id);

		if (member && member->level < level)
			world_fail(w, "the level rises to %" PRIu32 " and %s does not support it",
				   level, member->name);
	}
}

/* ---- drift ----------------------------------------------------------------------------------- */

bool control_drifted(const struct host *h)
{
	return h->member && h->drifts && h->drift_id == h->id;
}

void control_checks(struct host *h, bool begins)
{
	struct position *p = position_of(h);

	if (control_drifted(h))
		position_keyspace(p, p->databases[DRIFT_DATABASE])->digest +=
			begins ? DRIFT : -DRIFT;
}

static bool in_quarantine(const struct host *h)
{
	return h->member && position_quarantine(position_of(h), h->id);
}

void control_took_over(struct host *h)
{
	h->drifts = false;
	h->disk_quarantined = in_quarantine(h);
}

/* What failed is tried again as it was. */
void control_stores(struct host *h)
{
	if (!store_flush_failed(h->member->store))
		h->storing_quarantined = in_quarantine(h);
}

void control_stored(struct host *h)
{
	h->disk_quarantined = h->storing_quarantined;
}

void control_wiped(struct host *h)
{
	h->disk_quarantined = false;
}

bool control_distrusted(const struct host *h)
{
	const struct host *leader = world_leader(h->world);

	return (h->drifts && h->drift_id == h->id) || h->disk_quarantined ||
	       (leader && leader->member && position_quarantine(position_of(leader), h->id));
}

bool anybody_drifted(const struct world *w)
{
	for (unsigned i = 0; i < w->host_count; i++) {
		const struct host *h = &w->hosts[i];

		if (h->disk_quarantined ||
		    (h->member && runs(h) &&
		     (control_drifted(h) || position_of(h)->quarantine_count)))
			return true;
	}
	return false;
}

/* The end of the longest log that anybody has. */
static uint64_t newest_entry(const struct world *w)
{
	uint64_t last = w->committed_last;

	for (unsigned i = 0; i < w->host_count; i++) {
		struct raft_status s = {0};

		if (w->hosts[i].driver && runs(&w->hosts[i]))
			driver_status(w->hosts[i].driver, &s);
		last = MAX(last, s.last);
	}
	return last;
}

/* One at a time, and never one that others could not outvote. */
bool act_drift(struct world *w)
{
	struct host *h = victim(w);

	if (!h || anybody_drifted(w) || !may_lose(w, h))
		return false;
	TRACE(w, h, "drifts");
	h->drift_id = h->id;
	h->drift_index = newest_entry(w);
	for (unsigned i = 0; i < w->host_count; i++)
		w->hosts[i].drifts = &w->hosts[i] == h;
	return true;
}

/* Its state is removed, its log is not. */
static void refill(struct world *w, struct host *h)
{
	TRACE(w, h, "is refilled");
	COUNT(w, REFILLED);
	host_kill(h, false);
	w->mode->host_wipe(h);
	h->drifts = false;
	h->suspect = true; /* what its log had released is lost with the state */
	host_start(h);
}

static void operator_refills(struct world *w, struct host *h)
{
	const struct host *leader = world_leader(w);

	if (!runs(h) || !control_drifted(h) || !leader)
		return;
	if (w->calm && voters(driver_membership(leader->driver)) < 3)
		h->drifts = false; /* nobody can tell who is right: by hand */
	if (!control_drifted(h) || !may_lose(w, h))
		return;
	/* Of three that have to be of one mind, too: one may be on its way in or out. */
	if (!in_quarantine(h) && !(w->calm && voters(driver_membership(leader->driver)) < 4))
		return;
	if (w->calm ? in_quarantine(h) || random_chance(&w->random, 10000)
		    : random_chance(&w->random, 100000))
		refill(w, h);
}

/*
 * A flipped bit that nobody has met yet stands in the way of a refill; a start finds it, or what is
 * read some time after it.
 */
static void operator_looks_for_damage(struct world *w, struct host *h)
{
	struct raft_status s;

	if (!w->calm || !runs(h) || !h->suspect || h->wiped || h->flip_jobs || !anybody_drifted(w))
		return;
	driver_status(h->driver, &s);
	if (s.damaged || log_unread(driver_log(h->driver)) || !random_chance(&w->random, 100000))
		return;
	host_kill(h, false);
	host_start(h);
}

static void watch_verdict(struct host *h, uint64_t index, const struct entry *e)
{
	struct world *w = h->world;
	struct verdict v;

	if (index <= w->verdict_index)
		return; /* somebody was here before: it speaks of what was then */
	w->verdict_index = index;
	if (verdict_decode(entry_payload(e), &v) != OK) {
		world_fail(w, "%s proposed what is no verdict", h->name);
		return;
	}
	for (uint32_t i = 0; i < v.count; i++) {
		const struct host *member = host_by_id(w, v.items[i].member);
		bool found = v.items[i].outcome == VERDICT_QUARANTINE;

		if (found)
			COUNT(w, CONVICTED);
		else
			COUNT(w, RELEASED);
		if (found && member && member->drift_id != member->id)
			world_fail(w, "%s is named by a verdict, and has not drifted",
				   member->name);
		if (!found && member && runs(member) && control_drifted(member) &&
		    index > member->drift_index)
			world_fail(w, "%s is released, and has drifted", member->name);
	}
}

/* ---- space ----------------------------------------------------------------------------------- */

static void set_space(struct world *w, struct host *h, bool low)
{
	if (h->space_low == low)
		return;
	TRACE(w, h, low ? "is short of space" : "has room again");
	h->space_low = low;
	h->seen_held = UINT64_MAX;
	if (!h->member || h->dying)
		return; /* its next process is told */
	member_note_space(h->member, low);
	if (h->state == HOST_UP)
		host_after(h);
}

bool act_space(struct world *w)
{
	struct host *h = victim(w);
	bool low = false;

	for (unsigned i = 0; i < w->host_count; i++)
		low = low || w->hosts[i].space_low;
	if (!h)
		return false;
	if (low && random_chance(&w->random, 800000))
		for (unsigned i = 0; i < w->host_count; i++)
			set_space(w, &w->hosts[i], false);
	else
		set_space(w, h, true);
	return true;
}

void control_started(struct host *h)
{
	h->quarantined_us = 0;
	h->unstored_us = 0;
	h->disk_quarantined = in_quarantine(h);
	h->seen_disagreements = 0;
	if (h->world->profile.faults & GROUP_SPACE)
		member_note_space(h->member, h->space_low);
}

/* ---- the operator ---------------------------------------------------------------------------- */

void control_janitor(struct world *w)
{
	for (unsigned i = 0; i < w->host_count; i++) {
		struct host *h = &w->hosts[i];

		if (w->calm && random_chance(&w->random, 200000))
			upgrade(w, h);
		if (w->calm)
			set_space(w, h, false);
		operator_looks_for_damage(w, h);
		operator_refills(w, h);
	}
}

/* ---- checks ---------------------------------------------------------------------------------- */

void control_watch_applied(struct host *h, uint64_t index, const struct entry *e)
{
	struct world *w = h->world;

	switch (e->kind) {
	case ENTRY_LEVEL:
		watch_level(h, index);
		break;
	case ENTRY_CHECK:
		COUNT(w, ENTRY_CHECK_COUNT);
		break;
	case ENTRY_VERDICT:
		watch_verdict(h, index, e);
		break;
	case ENTRY_ALARM:
		COUNT(w, ENTRY_ALARM_COUNT);
		break;
	}
}

/* Started again it would be in quarantine once more, and perhaps for good. */
static void watch_release(struct host *h)
{
	struct world *w = h->world;
	struct raft_status s;

	driver_status(h->driver, &s);
	/* A disk that refused it is tried again later; a state that comes is stored anyway. */
	if (!w->calm || !h->disk_quarantined || in_quarantine(h) || s.installing ||
	    h->driver->store_again_ms)
		h->unstored_us = 0;
	else if (!h->unstored_us)
		h->unstored_us = w->now_us;
	else if (w->now_us > h->unstored_us + STORED_AFTER_US)
		world_fail(w, "%s was released, and does not store it", h->name);
}

void control_watch_turn(struct host *h)
{
	struct member_stats stats;

	member_stats(h->member, &stats);
	if (stats.disagreements > h->seen_disagreements)
		COUNT(h->world, DISAGREED);
	h->seen_disagreements = stats.disagreements;
	watch_release(h);
	if (!in_quarantine(h))
		h->quarantined_us = 0;
	else if (!h->quarantined_us)
		h->quarantined_us = h->world->now_us;
}

void control_watch_served(struct host *h, uint64_t asked_us)
{
	if (h && runs(h) && in_quarantine(h) && h->quarantined_us && asked_us > h->quarantined_us)
		world_fail(h->world, "%s is in quarantine and serves", h->name);
}

bool control_waits(struct world *w)
{
	for (unsigned i = 0; i < w->host_count; i++) {
		struct host *h = &w->hosts[i];

		if (!host_takes_part(h) || !runs(h))
			continue;
		if (control_drifted(h) || h->disk_quarantined || position_of(h)->quarantine_count ||
		    position_of(h)->alarm_count || position_of(h)->level < LEVEL_NEWEST)
			return true;
	}
	return false;
}

void control_watch_end(struct world *w)
{
	for (unsigned i = 0; i < w->host_count && !w->failure[0]; i++) {
		struct host *h = &w->hosts[i];

		if (!host_takes_part(h))
			continue;
		if (control_drifted(h))
			world_fail(w, "%s drifted, and nobody found out", h->name);
		if (position_of(h)->quarantine_count)
			world_fail(w, "somebody is in quarantine in the end");
		if (h->disk_quarantined)
			world_fail(w, "%s was released, and has not stored it", h->name);
		if (position_of(h)->alarm_count)
			world_fail(w, "an alarm stands in the end");
		if (position_of(h)->level != LEVEL_NEWEST)
			world_fail(w, "the level has not risen in the end");
	}
}
