/* Crashes, pauses, partitions, sick disks, lost data, wrong clocks. */

#include "sim/nemesis.h"

#include "base/check.h"
#include "base/error.h"
#include "base/mem.h"
#include "sim/control.h"
#include "storage/log.h"

#include <inttypes.h>

static bool same_members(const struct membership *a, const struct membership *b)
{
	for (uint32_t i = 0; i < a->count; i++) {
		const struct participant *p = membership_find(b, a->members[i].id);

		if (!p || p->roles != a->members[i].roles)
			return false;
	}
	return a->count == b->count;
}

/*
 * Whether no log holds a change of membership that was never committed: it would count as soon as
 * its holder is elected, perhaps with the disk that is to be lost for its majority.
 */
static bool all_agree_on_members(struct world *w, const struct membership *m)
{
	for (unsigned i = 0; i < w->host_count; i++) {
		struct host *h = &w->hosts[i];

		if (!h->id || !membership_find(m, h->id))
			continue;
		if (h->state == HOST_DOWN || !same_members(driver_membership(h->driver), m))
			return false;
	}
	return true;
}

/* Whose state is wrong, or not known to be right again, has it as good as lost. */
static unsigned drifted_beside(const struct world *w, const struct host *h)
{
	unsigned count = 0;

	for (unsigned i = 0; i < w->host_count; i++)
		count += &w->hosts[i] != h && control_distrusted(&w->hosts[i]);
	return count;
}

/* Whether one disk may lose what it promised: of all others a majority is whole. */
bool may_lose(struct world *w, struct host *h)
{
	struct host *leader = world_leader(w);
	const struct membership *m;
	struct raft_status s;

	if (!h || !leader || anybody_suspect(w) || !h->id || w->now_us < w->votes_move_us)
		return false;
	m = driver_membership(leader->driver);
	driver_status(leader->driver, &s);
	if (m->joint || s.membership_pending || voters(m) < 3 + 2 * drifted_beside(w, h) ||
	    !membership_find(m, h->id) || !all_agree_on_members(w, m))
		return false;
	driver_status(h->driver, &s);
	return s.born && !s.damaged;
}

/* ---- crashes --------------------------------------------------------------------------------- */

bool act_power(struct world *w)
{
	struct host *h = victim(w);

	if (h)
		host_kill(h, true);
	return h;
}

bool act_kill(struct world *w)
{
	struct host *h = victim(w);

	if (h)
		host_kill(h, false);
	return h;
}

/* So soon that what the earlier run had sent is still under way. */
bool act_restart(struct world *w)
{
	struct host *h = victim(w);

	if (!h)
		return false;
	host_kill(h, false);
	host_start(h);
	return true;
}

bool act_kill_all(struct world *w)
{
	bool power = random_chance(&w->random, 500000);

	for (unsigned i = 0; i < w->host_count; i++)
		if (w->hosts[i].flip_jobs)
			return false;
	for (unsigned i = 0; i < w->host_count; i++)
		host_kill(&w->hosts[i], power);
	return true;
}

bool act_crash_point(struct world *w)
{
	struct host *h = victim(w);

	if (!h || h->crash_countdown)
		return false;
	h->crash_at = (enum crash_point)random_below(&w->random, CRASH_POINT_COUNT);
	h->crash_countdown = random_chance(&w->random, 500000) ? 1 : (unsigned)draw(w, 1, 20);
	return false; /* counted when it strikes */
}

bool act_crash_call(struct world *w)
{
	struct host *h = victim(w);

	if (h)
		sim_disk_cut_at(h->disk, draw(w, 0, 40));
	return h;
}

bool act_pause(struct world *w)
{
	struct host *h = victim(w);

	if (h)
		host_pause(h, draw(w, 20000, 4000000));
	return h;
}

/* ---- network --------------------------------------------------------------------------------- */

static void heal_pair(struct world *w, unsigned i, unsigned j)
{
	bool cut = w->links[i][j].cut || w->links[j][i].cut;

	w->links[i][j] = (struct link){.last_us = w->links[i][j].last_us};
	w->links[j][i] = (struct link){.last_us = w->links[j][i].last_us};
	if (cut)
		network_connect(w, &w->hosts[i], &w->hosts[j]);
}

void heal_links(struct world *w, struct event *e)
{
	(void)e;
	TRACE(w, NULL, "links are whole");
	for (unsigned i = 0; i < w->host_count; i++)
		for (unsigned j = i; j < w->host_count; j++)
			heal_pair(w, i, j);
}

static void heal_later(struct world *w)
{
	world_cancel(w, &w->nemesis->heal);
	world_at(w, &w->nemesis->heal, w->now_us + draw(w, 200000, 8000000), heal_links);
}

bool act_halves(struct world *w)
{
	uint64_t side = random_next(&w->random);

	TRACE(w, NULL, "two halves");
	for (unsigned i = 0; i < w->host_count; i++)
		for (unsigned j = 0; j < w->host_count; j++)
			w->links[i][j].cut = (side >> i & 1) != (side >> j & 1);
	heal_later(w);
	return true;
}

bool act_ring(struct world *w)
{
	unsigned n = w->host_count;

	TRACE(w, NULL, "a ring");
	for (unsigned i = 0; i < n; i++)
		for (unsigned j = 0; j < n; j++)
			w->links[i][j].cut = i != j && (i + 1) % n != j && (j + 1) % n != i;
	heal_later(w);
	return true;
}

bool act_one_way(struct world *w)
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

bool act_isolate_leader(struct world *w)
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

bool act_link(struct world *w)
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

bool act_slow_link(struct world *w)
{
	unsigned i = (unsigned)random_below(&w->random, w->host_count);

	for (unsigned j = 0; j < w->host_count; j++)
		w->links[i][j].slow_us = draw(w, 10000, 600000);
	heal_later(w);
	return true;
}

bool act_false_gone(struct world *w)
{
	struct host *leader = world_leader(w), *h = victim(w);

	if (!leader || !h || h == leader)
		return false;
	driver_peer_gone(h->driver, leader->id);
	host_wake(h);
	return true;
}

/* ---- disks ----------------------------------------------------------------------------------- */

bool act_slow_disk(struct world *w)
{
	struct host *h = victim(w);

	if (h)
		h->slow_until_us = w->now_us + draw(w, 200000, 5000000);
	return h;
}

bool act_hung_disk(struct world *w)
{
	struct host *h = victim(w);

	if (h)
		h->hang_until_us = w->now_us + draw(w, 500000, 4000000);
	return h;
}

bool act_full_disk(struct world *w)
{
	struct host *h = victim(w);

	if (!h || h->full_until_us > w->now_us)
		return false;
	TRACE(w, h, "has a full disk");
	sim_disk_set_capacity(h->disk, 0);
	h->excuse = "its disk was full";
	h->full_until_us = w->now_us + draw(w, 200000, 4000000);
	return true;
}

bool act_failed_write(struct world *w)
{
	struct host *h = victim(w);

	if (!h)
		return false;
	sim_disk_fail(h->disk, SIM_DISK_WRITE, draw(w, 1, 10), ERR_IO);
	h->excuse = "a write failed";
	return true;
}

bool act_failed_sync(struct world *w)
{
	struct host *h = victim(w);

	if (!h)
		return false;
	sim_disk_fail(h->disk, SIM_DISK_SYNC, draw(w, 1, 10), ERR_IO);
	h->excuse = "a sync failed";
	return true;
}

/* ---- engines --------------------------------------------------------------------------------- */

/* No room for a file: that is tried again. */
bool act_full_engine(struct world *w)
{
	static const enum engine_memory_call calls[] = {ENGINE_MEMORY_BEGIN, ENGINE_MEMORY_ROW,
							ENGINE_MEMORY_FINISH};
	struct host *h = victim(w);

	if (!h)
		return false;
	engine_memory_fail(h->vault.living, calls[random_below(&w->random, ARRAY_LEN(calls))],
			   draw(w, 1, 20), ERR_NO_SPACE);
	return true;
}

/* It has much to merge, or has come along. */
bool act_slow_engine(struct world *w)
{
	struct host *h = victim(w);

	if (!h)
		return false;
	engine_memory_press(h->vault.living, draw(w, 0, 200), 0);
	return true;
}

bool act_failed_engine(struct world *w)
{
	struct host *h = victim(w);

	if (!h)
		return false;
	engine_memory_fail(
		h->vault.living,
		(enum engine_memory_call)random_below(&w->random, ENGINE_MEMORY_CALL_COUNT),
		draw(w, 1, 20), ERR_IO);
	h->excuse = "its engine failed";
	return true;
}

void engine_settle(struct host *h)
{
	for (unsigned call = 0; h->vault.living && call < ENGINE_MEMORY_CALL_COUNT; call++)
		engine_memory_fail(h->vault.living, (enum engine_memory_call)call, 0, OK);
	if (h->vault.living)
		engine_memory_press(h->vault.living, 0, 0);
}

bool act_flip_log(struct world *w)
{
	struct host *h = victim(w);
	uint64_t offset;

	if (!may_lose(w, h) || !sim_disk_flip(h->disk, ".log", &offset))
		return false;
	TRACE(w, h, "a bit of the log flips at %" PRIu64, offset);
	h->suspect = true;
	h->left_unread = false; /* what was read since the start says nothing of this */
	h->flip_jobs = log_stats(driver_log(h->driver)).jobs + 3;
	return true;
}

bool act_flip_state(struct world *w)
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

bool act_wipe(struct world *w)
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

void clock_settle(struct host *h)
{
	h->clock_us = host_clock_us(h);
	h->clock_at_us = h->world->now_us;
}

void clock_begin(struct world *w)
{
	struct host *h = &w->hosts[random_below(&w->random, w->profile.members)];
	int64_t off_ms = (int64_t)draw(w, 100000, 400000);

	if (!(w->profile.faults & GROUP_CLOCK) || w->profile.members < 2 ||
	    !random_chance(&w->random, 200000))
		return;
	COUNT(w, FAULT_CLOCK_WRONG);
	h->wall_skew_ms = random_chance(&w->random, 500000) ? off_ms : -off_ms;
	h->clock_wrong = true;
}

void clock_mend(struct world *w, struct host *h)
{
	if (!h->clock_wrong || !(w->calm || random_chance(&w->random, 100000)))
		return;
	TRACE(w, h, "has its clock set");
	h->wall_skew_ms = 0;
	h->clock_wrong = false;
}

bool act_clock_jump(struct world *w)
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

bool act_clock_drift(struct world *w)
{
	struct host *h = victim(w);

	if (!h)
		return false;
	clock_settle(h);
	h->drift_ppm = (int32_t)draw(w, 0, 60000) - 30000;
	return true;
}
