/* Who breaks things: what happens next, and to whom. */

#include "sim/nemesis.h"

#include "base/check.h"
#include "base/error.h"
#include "base/mem.h"
#include "storage/log.h"

#include <inttypes.h>

/* ---- whom ------------------------------------------------------------------------------------ */

uint64_t draw(struct world *w, uint64_t low, uint64_t high)
{
	return random_between(&w->random, low, high);
}

/* A running host, the leader half of the time; NULL if the one drawn is not to be hurt. */
struct host *victim(struct world *w)
{
	struct host *leader = world_leader(w);
	struct host *h = &w->hosts[random_below(&w->random, w->host_count)];

	if (leader && random_chance(&w->random, 400000))
		h = leader;
	/* A flipped bit may be found only where the log can tell it from a torn end. */
	return h->state == HOST_UP && !h->dying && !h->flip_jobs ? h : NULL;
}

unsigned voters(const struct membership *m)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < m->count; i++)
		n += (m->members[i].roles & MEMBER_VOTER) != 0;
	return n;
}

/*
 * A mark that was being cleared when its member died stands again after the next start: that log
 * counts for nothing once more, though nothing else happened to it.
 */
bool anybody_suspect(struct world *w)
{
	for (unsigned i = 0; i < w->host_count; i++) {
		const struct host *h = &w->hosts[i];

		if (h->suspect || (h->id && h->seen_damaged))
			return true;
	}
	return false;
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
	{GROUP_ENGINE, 3, COUNT_FAULT_RESTART, act_restart},
	{GROUP_ENGINE, 3, COUNT_FAULT_FULL_ENGINE, act_full_engine},
	{GROUP_ENGINE, 2, COUNT_FAULT_SLOW_ENGINE, act_slow_engine},
	{GROUP_ENGINE, 2, COUNT_FAULT_FAILED_ENGINE, act_failed_engine},
	{GROUP_ENGINE, 2, COUNT_FAULT_ROT, act_rot},
	{GROUP_DAMAGE, 4, COUNT_FAULT_FLIP_LOG, act_flip_log},
	{GROUP_DAMAGE, 2, COUNT_FAULT_FLIP_STATE, act_flip_state},
	{GROUP_DAMAGE, 4, COUNT_FAULT_FLIP_FETCHED, act_flip_fetched},
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
	{GROUP_UPGRADE, 2, COUNT_FAULT_UPGRADE, act_upgrade},
	{GROUP_DRIFT, 4, COUNT_FAULT_DRIFT, act_drift},
	{GROUP_SPACE, 3, COUNT_FAULT_SPACE, act_space},
	{GROUP_STREAMS, 4, COUNT_FAULT_STRANGER, act_stranger},
	{GROUP_STREAMS, 1, COUNT_FAULT_REFUSE, act_refuse},
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
	clock_begin(w);
	world_at(w, &w->nemesis->next, w->now_us + draw(w, 0, 3000000), nemesis_acts);
	world_at(w, &w->nemesis->janitor, w->now_us, janitor);
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
		h->refuses_till_us = 0;
		if (!sim_disk_is_cut(h->disk))
			sim_disk_cut_at(h->disk, UINT64_MAX);
		sim_disk_fail(h->disk, SIM_DISK_WRITE, 0, 0);
		sim_disk_fail(h->disk, SIM_DISK_SYNC, 0, 0);
		engine_settle(h);
	}
}

void nemesis_close(struct world *w)
{
	mem_free(w->nemesis);
}
