/* Who breaks things, and the operator who mends them. */

#include "base/check.h"
#include "base/error.h"
#include "base/mem.h"
#include "sim/world.h"
#include "storage/log.h"

#include <inttypes.h>

#define JANITOR_US 150000

enum fault_group {
	GROUP_CRASH = 1,
	GROUP_PARTITION = 2,
	GROUP_DISK = 4,
	GROUP_CLOCK = 8,
	GROUP_MEMBERS = 16,
	GROUP_DAMAGE = 32,
	GROUP_PAUSE = 64,
};

struct nemesis {
	struct event next;
	struct event janitor;
	struct event heal;
};

/* ---- whom ------------------------------------------------------------------------------------ */

static uint64_t draw(struct world *w, uint64_t low, uint64_t high)
{
	return random_between(&w->random, low, high);
}

/* A running host, the leader half of the time; NULL if the one drawn is not to be hurt. */
static struct host *victim(struct world *w)
{
	struct host *leader = world_leader(w);
	struct host *h = &w->hosts[random_below(&w->random, w->host_count)];

	if (leader && random_chance(&w->random, 400000))
		h = leader;
	/* A flipped bit may be found only where the log can tell it from a torn end. */
	return h->state == HOST_UP && !h->dying && !h->flip_jobs ? h : NULL;
}

static unsigned voters(const struct membership *m)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < m->count; i++)
		n += (m->members[i].roles & MEMBER_VOTER) != 0;
	return n;
}

static bool anybody_suspect(struct world *w)
{
	for (unsigned i = 0; i < w->host_count; i++)
		if (w->hosts[i].suspect)
			return true;
	return false;
}

/* Whether one disk may lose what it promised: all others are whole, and they are a majority. */
static bool may_lose(struct world *w, struct host *h)
{
	struct host *leader = world_leader(w);
	const struct membership *m;
	struct raft_status s;

	if (!h || !leader || anybody_suspect(w) || !h->id)
		return false;
	m = driver_membership(leader->driver);
	driver_status(leader->driver, &s);
	if (m->joint || s.membership_pending || voters(m) < 3 || !membership_find(m, h->id))
		return false;
	driver_status(h->driver, &s);
	return s.born && !s.damaged;
}

/* ---- crashes --------------------------------------------------------------------------------- */

static bool act_power(struct world *w)
{
	struct host *h = victim(w);

	if (h)
		host_kill(h, true);
	return h;
}

static bool act_kill(struct world *w)
{
	struct host *h = victim(w);

	if (h)
		host_kill(h, false);
	return h;
}

static bool act_kill_all(struct world *w)
{
	bool power = random_chance(&w->random, 500000);

	for (unsigned i = 0; i < w->host_count; i++)
		if (w->hosts[i].flip_jobs)
			return false;
	for (unsigned i = 0; i < w->host_count; i++)
		host_kill(&w->hosts[i], power);
	return true;
}

static bool act_crash_point(struct world *w)
{
	struct host *h = victim(w);

	if (!h || h->crash_countdown)
		return false;
	h->crash_at = (enum crash_point)random_below(&w->random, CRASH_POINT_COUNT);
	h->crash_countdown = random_chance(&w->random, 500000) ? 1 : (unsigned)draw(w, 1, 20);
	return false; /* counted when it strikes */
}

static bool act_crash_call(struct world *w)
{
	struct host *h = victim(w);

	if (h)
		sim_disk_cut_at(h->disk, draw(w, 0, 40));
	return h;
}

static bool act_pause(struct world *w)
{
	struct host *h = victim(w);

	if (h)
		host_pause(h, draw(w, 20000, 4000000));
	return h;
}

/* ---- network --------------------------------------------------------------------------------- */

static void heal_links(struct world *w, struct event *e)
{
	(void)e;
	for (unsigned i = 0; i < w->host_count; i++)
		for (unsigned j = 0; j < w->host_count; j++)
			w->links[i][j] = (struct link){.last_us = w->links[i][j].last_us};
	TRACE(w, NULL, "links are whole");
}

static void heal_later(struct world *w)
{
	world_cancel(w, &w->nemesis->heal);
	world_at(w, &w->nemesis->heal, w->now_us + draw(w, 200000, 8000000), heal_links);
}

static bool act_halves(struct world *w)
{
	uint64_t side = random_next(&w->random);

	TRACE(w, NULL, "two halves");
	for (unsigned i = 0; i < w->host_count; i++)
		for (unsigned j = 0; j < w->host_count; j++)
			w->links[i][j].cut = (side >> i & 1) != (side >> j & 1);
	heal_later(w);
	return true;
}

static bool act_ring(struct world *w)
{
	unsigned n = w->host_count;

	TRACE(w, NULL, "a ring");
	for (unsigned i = 0; i < n; i++)
		for (unsigned j = 0; j < n; j++)
			w->links[i][j].cut = i != j && (i + 1) % n != j && (j + 1) % n != i;
	heal_later(w);
	return true;
}

static bool act_one_way(struct world *w)
{
	struct host *h = victim(w);
	bool inward = random_chance(&w->random, 500000);

	if (!h)
		return false;
	TRACE(w, h, "%s nobody", inward ? "hears" : "reaches");
	for (unsigned i = 0; i < w->host_count; i++) {
		if (i == h->index)
			continue;
		if (inward)
			w->links[i][h->index].cut = true;
		else
			w->links[h->index][i].cut = true;
	}
	heal_later(w);
	return true;
}

static bool act_isolate_leader(struct world *w)
{
	struct host *h = world_leader(w);

	if (!h)
		return false;
	TRACE(w, h, "is alone");
	for (unsigned i = 0; i < w->host_count; i++)
		if (i != h->index)
			w->links[i][h->index].cut = w->links[h->index][i].cut = true;
	heal_later(w);
	return true;
}

static bool act_link(struct world *w)
{
	unsigned i = (unsigned)random_below(&w->random, w->host_count);
	unsigned j = (unsigned)random_below(&w->random, w->host_count);

	if (i == j)
		return false;
	w->links[i][j].cut = true;
	if (random_chance(&w->random, 700000))
		w->links[j][i].cut = true;
	heal_later(w);
	return true;
}

static bool act_slow_link(struct world *w)
{
	unsigned i = (unsigned)random_below(&w->random, w->host_count);

	for (unsigned j = 0; j < w->host_count; j++)
		w->links[i][j].slow_us = draw(w, 10000, 600000);
	heal_later(w);
	return true;
}

static bool act_false_gone(struct world *w)
{
	struct host *leader = world_leader(w), *h = victim(w);

	if (!leader || !h || h == leader)
		return false;
	driver_peer_gone(h->driver, leader->id);
	host_wake(h);
	return true;
}

/* ---- disks ----------------------------------------------------------------------------------- */

static bool act_slow_disk(struct world *w)
{
	struct host *h = victim(w);

	if (h)
		h->slow_until_us = w->now_us + draw(w, 200000, 5000000);
	return h;
}

static bool act_hung_disk(struct world *w)
{
	struct host *h = victim(w);

	if (h)
		h->hang_until_us = w->now_us + draw(w, 500000, 4000000);
	return h;
}

static bool act_full_disk(struct world *w)
{
	struct host *h = victim(w);

	if (!h || h->full_until_us > w->now_us)
		return false;
	TRACE(w, h, "has a full disk");
	sim_disk_set_capacity(h->disk, 0);
	h->full_until_us = w->now_us + draw(w, 200000, 4000000);
	return true;
}

static bool act_failed_write(struct world *w)
{
	struct host *h = victim(w);

	if (h)
		sim_disk_fail(h->disk, SIM_DISK_WRITE, draw(w, 1, 10), ERR_IO);
	return h;
}

static bool act_failed_sync(struct world *w)
{
	struct host *h = victim(w);

	if (h)
		sim_disk_fail(h->disk, SIM_DISK_SYNC, draw(w, 1, 10), ERR_IO);
	return h;
}

static bool act_flip_log(struct world *w)
{
	struct host *h = victim(w);
	uint64_t offset;

	if (!may_lose(w, h) || !sim_disk_flip(h->disk, ".log", &offset))
		return false;
	TRACE(w, h, "a bit of the log flips at %" PRIu64, offset);
	h->suspect = true;
	h->flip_jobs = log_stats(driver_log(h->driver)).jobs + 3;
	return true;
}

static bool act_flip_state(struct world *w)
{
	struct host *h = victim(w);
	uint64_t offset;

	if (!may_lose(w, h) || !sim_disk_flip(h->disk, "data/state", &offset))
		return false;
	TRACE(w, h, "a bit of the state flips");
	h->suspect = true;
	host_kill(h, true);
	return true;
}

static bool act_wipe(struct world *w)
{
	struct host *h = victim(w);

	/* A cluster of one that lost its directory is simply another cluster of one. */
	if (!may_lose(w, h) || w->profile.members < 2)
		return false;
	host_kill(h, true);
	host_wipe(h);
	h->suspect = true;
	return true;
}

/* ---- clocks ---------------------------------------------------------------------------------- */

static void clock_settle(struct host *h)
{
	h->clock_us = host_clock_us(h);
	h->clock_at_us = h->world->now_us;
}

static bool act_clock_jump(struct world *w)
{
	struct host *h = victim(w);

	if (!h)
		return false;
	clock_settle(h);
	h->clock_us += draw(w, 10000, 3000000);
	h->wall_skew_ms += (int64_t)draw(w, 0, 20000) - 10000;
	host_wake(h);
	return true;
}

static bool act_clock_drift(struct world *w)
{
	struct host *h = victim(w);

	if (!h)
		return false;
	clock_settle(h);
	h->drift_ppm = (int32_t)draw(w, 0, 60000) - 30000;
	return true;
}

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

static struct host *spare(struct world *w)
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

static bool add_member(struct world *w, enum member_change_kind kind)
{
	struct host *leader = changing_leader(w), *h;
	struct member_change c = {.kind = kind};

	if (!leader || driver_membership(leader->driver)->count >= 7)
		return false;
	h = spare(w);
	if (!h || leader->state != HOST_UP)
		return false;
	c.id = h->id;
	c.label = slice_of_text(h->name);
	return change(w, leader, &c, 1);
}

static bool act_add(struct world *w)
{
	return add_member(w, MEMBER_ADD_LEARNER);
}

static bool act_add_voter(struct world *w)
{
	return !anybody_suspect(w) && add_member(w, MEMBER_ADD_VOTER);
}

static bool change_one(struct world *w, enum member_change_kind kind, uint8_t role, bool leader_too)
{
	struct host *leader = changing_leader(w), *h;
	const struct membership *m;
	struct member_change c = {.kind = kind};

	if (!leader || anybody_suspect(w))
		return false;
	m = driver_membership(leader->driver);
	h = leader_too ? leader : member_with(w, m, role);
	if (!h || (h == leader && !leader_too))
		return false;
	if (kind != MEMBER_PROMOTE && voters(m) <= 2)
		return false;
	c.id = h->id;
	return change(w, leader, &c, 1);
}

static bool act_promote(struct world *w)
{
	return change_one(w, MEMBER_PROMOTE, MEMBER_LEARNER, false);
}

static bool act_demote(struct world *w)
{
	return change_one(w, MEMBER_DEMOTE, MEMBER_VOTER, false);
}

static bool act_remove(struct world *w)
{
	return change_one(w, MEMBER_REMOVE, MEMBER_VOTER | MEMBER_LEARNER, false);
}

static bool act_remove_leader(struct world *w)
{
	return change_one(w, MEMBER_REMOVE, MEMBER_VOTER, true);
}

static bool act_replace(struct world *w)
{
	struct host *leader = changing_leader(w), *old, *new;
	struct member_change c[2] = {{.kind = MEMBER_REMOVE}, {.kind = MEMBER_ADD_VOTER}};

	if (!leader || anybody_suspect(w))
		return false;
	old = member_with(w, driver_membership(leader->driver), MEMBER_VOTER);
	new = old ? spare(w) : NULL;
	if (!new || leader->state != HOST_UP)
		return false;
	c[0].id = old->id;
	c[1].id = new->id;
	c[1].label = slice_of_text(new->name);
	return change(w, leader, c, 2);
}

static bool act_transfer(struct world *w)
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
		const struct member *old = membership_find(m, h->lost_id);

		if (!h->wiped || h == leader)
			continue;
		if (!old) {
			h->wiped = false;
			h->suspect = false;
			continue;
		}
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
		c[1].label = slice_of_text(h->name);
		if (change(w, leader, c, 2))
			COUNT(w, CHANGE_REPLACE);
	}
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

static void janitor(struct world *w, struct event *e)
{
	struct host *leader;

	world_at(w, e, w->now_us + JANITOR_US, janitor);
	for (unsigned i = 0; i < w->host_count; i++) {
		struct host *h = &w->hosts[i];

		if (h->full_until_us && (w->calm || w->now_us >= h->full_until_us)) {
			sim_disk_set_capacity(h->disk, UINT64_MAX);
			h->full_until_us = 0;
		}
		operator_starts(w, h);
	}
	leader = settled_leader(w);
	if (!leader)
		return;
	retire_removed(w, leader);
	replace_wiped(w, leader);
}

/* ---- what happens next ----------------------------------------------------------------------- */

static const struct action {
	enum fault_group group;
	unsigned weight;
	enum sim_count count;
	bool (*act)(struct world *w);
} actions[] = {
	{GROUP_CRASH, 4, COUNT_FAULT_POWER_LOSS, act_power},
	{GROUP_CRASH, 4, COUNT_FAULT_KILL, act_kill},
	{GROUP_CRASH, 1, COUNT_FAULT_KILL_ALL, act_kill_all},
	{GROUP_CRASH, 6, COUNT_FAULT_CRASH_POINT, act_crash_point},
	{GROUP_CRASH, 4, COUNT_FAULT_CRASH_CALL, act_crash_call},
	{GROUP_PAUSE, 4, COUNT_FAULT_PAUSE, act_pause},
	{GROUP_PARTITION, 2, COUNT_FAULT_HALVES, act_halves},
	{GROUP_PARTITION, 2, COUNT_FAULT_RING, act_ring},
	{GROUP_PARTITION, 2, COUNT_FAULT_ONE_WAY, act_one_way},
	{GROUP_PARTITION, 3, COUNT_FAULT_ISOLATE_LEADER, act_isolate_leader},
	{GROUP_PARTITION, 3, COUNT_FAULT_LINK, act_link},
	{GROUP_PARTITION, 2, COUNT_FAULT_SLOW_LINK, act_slow_link},
	{GROUP_PARTITION, 1, COUNT_FAULT_FALSE_GONE, act_false_gone},
	{GROUP_DISK, 3, COUNT_FAULT_SLOW_DISK, act_slow_disk},
	{GROUP_DISK, 3, COUNT_FAULT_HUNG_DISK, act_hung_disk},
	{GROUP_DISK, 1, COUNT_FAULT_FULL_DISK, act_full_disk},
	{GROUP_DISK, 1, COUNT_FAULT_FAILED_WRITE, act_failed_write},
	{GROUP_DISK, 1, COUNT_FAULT_FAILED_SYNC, act_failed_sync},
	{GROUP_DAMAGE, 4, COUNT_FAULT_FLIP_LOG, act_flip_log},
	{GROUP_DAMAGE, 2, COUNT_FAULT_FLIP_STATE, act_flip_state},
	{GROUP_DAMAGE, 2, COUNT_FAULT_WIPE, act_wipe},
	{GROUP_CLOCK, 2, COUNT_FAULT_CLOCK_JUMP, act_clock_jump},
	{GROUP_CLOCK, 2, COUNT_FAULT_CLOCK_DRIFT, act_clock_drift},
	{GROUP_MEMBERS, 3, COUNT_CHANGE_ADD, act_add},
	{GROUP_MEMBERS, 2, COUNT_CHANGE_ADD_VOTER, act_add_voter},
	{GROUP_MEMBERS, 3, COUNT_CHANGE_PROMOTE, act_promote},
	{GROUP_MEMBERS, 1, COUNT_CHANGE_DEMOTE, act_demote},
	{GROUP_MEMBERS, 2, COUNT_CHANGE_REMOVE, act_remove},
	{GROUP_MEMBERS, 2, COUNT_CHANGE_REMOVE_LEADER, act_remove_leader},
	{GROUP_MEMBERS, 2, COUNT_CHANGE_REPLACE, act_replace},
	{GROUP_MEMBERS | GROUP_CRASH | GROUP_PARTITION, 2, COUNT_TRANSFER, act_transfer},
};

static const struct action *draw_action(struct world *w)
{
	uint64_t total = 0, at;

	for (size_t i = 0; i < ARRAY_LEN(actions); i++)
		if (actions[i].group & w->profile.faults)
			total += actions[i].weight;
	if (total == 0)
		return NULL;
	at = random_below(&w->random, total);
	for (size_t i = 0;; i++) {
		if (!(actions[i].group & w->profile.faults))
			continue;
		if (at < actions[i].weight)
			return &actions[i];
		at -= actions[i].weight;
	}
}

static void nemesis_acts(struct world *w, struct event *e)
{
	const struct action *a;

	if (w->calm)
		return;
	a = draw_action(w);
	if (a && a->act(w) && a->count != COUNT_FAULT_CRASH_POINT) {
		w->counts.n[a->count]++;
		TRACE(w, NULL, "fault: %s", sim_count_name(a->count));
	}
	world_at(w, e,
		 w->now_us + draw(w, w->profile.fault_gap_us / 4, w->profile.fault_gap_us * 2),
		 nemesis_acts);
}

void nemesis_start(struct world *w)
{
	w->nemesis = MEM_NEW(struct nemesis);
	w->profile.crashes = w->profile.faults & GROUP_CRASH;
	world_at(w, &w->nemesis->next, w->now_us + draw(w, 0, 3000000), nemesis_acts);
	world_at(w, &w->nemesis->janitor, w->now_us + JANITOR_US, janitor);
}

void nemesis_calm(struct world *w)
{
	TRACE(w, NULL, "the faults are over");
	w->calm = true;
	world_cancel(w, &w->nemesis->heal);
	heal_links(w, NULL);
	for (unsigned i = 0; i < w->host_count; i++) {
		struct host *h = &w->hosts[i];

		clock_settle(h);
		h->drift_ppm = 0;
		h->slow_until_us = 0;
		h->hang_until_us = 0;
		h->crash_countdown = 0;
		if (!sim_disk_is_cut(h->disk))
			sim_disk_cut_at(h->disk, UINT64_MAX);
		sim_disk_fail(h->disk, SIM_DISK_WRITE, 0, 0);
		sim_disk_fail(h->disk, SIM_DISK_SYNC, 0, 0);
	}
}

void nemesis_close(struct world *w)
{
	mem_free(w->nemesis);
}
