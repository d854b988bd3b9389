/* One seed: a cluster is born, lives through its faults, and must be whole after they stop. */

#include "base/check.h"
#include "base/mem.h"
#include "sim/mode.h"
#include "sim/streams.h"
#include "sim/trace.h"
#include "sim/world.h"

#include <string.h>

#define TRACE_KEEP 120

static bool event_before(const struct heap_node *a, const struct heap_node *b)
{
	const struct event *x = CONTAINER_OF(a, struct event, node);
	const struct event *y = CONTAINER_OF(b, struct event, node);

	return x->at_us != y->at_us ? x->at_us < y->at_us : x->order < y->order;
}

static void draw_size(struct world *w, struct profile *p)
{
	static const unsigned sizes[] = {1, 2, 3, 3, 3, 3, 3, 4, 5, 5, 5, 7};

	p->members = sizes[random_below(&w->random, ARRAY_LEN(sizes))];
	p->clients = (unsigned)random_between(&w->random, 3, 10);
	p->keys = (unsigned)random_between(&w->random, 2, 8);
	p->snapshot_entries = random_between(&w->random, 20, 300);
	p->log_max_bytes = random_chance(&w->random, 700000) ? 0 : 256 << 10;
	p->tail_bytes = random_chance(&w->random, 500000) ? 1000 : 1 << 20;
	p->log_read_bytes = p->tail_bytes == 1000 ? 0 : 64 << 10;
}

/* How often something happens to a frame: never, now and then, or all the time. */
static uint32_t draw_rate(struct world *w, bool never)
{
	uint64_t most = random_chance(&w->random, 150000) ? 150000 : 20000;

	return never ? 0 : (uint32_t)random_below(&w->random, most);
}

static void draw_profile(struct world *w)
{
	struct profile *p = &w->profile;
	bool mild = random_chance(&w->random, 300000);

	draw_size(w, p);
	p->ordered = random_chance(&w->random, 600000);
	p->prevote = random_chance(&w->random, 900000);
	p->check_quorum =
		p->prevote ? random_chance(&w->random, 930000) : random_chance(&w->random, 500000);
	p->loss_ppm = draw_rate(w, mild);
	p->duplicate_ppm = draw_rate(w, mild);
	p->reorder_ppm = draw_rate(w, mild);
	p->delay_us = random_between(&w->random, 100, 5000);
	p->disk_us = random_between(&w->random, 50, 2000);
	p->fault_gap_us = random_chance(&w->random, 400000)
				  ? random_between(&w->random, 60000, 400000)
				  : random_between(&w->random, 300000, 4000000);
	p->faults = (uint32_t)random_below(&w->random, 128);
	if (random_chance(&w->random, 300000))
		p->faults = 127;
	p->append_bytes = (uint32_t)random_between(&w->random, 200, 4096);
	p->think_us = random_between(&w->random, 50000, 500000);
	p->calm_at_us = random_between(&w->random, 45000000, 70000000);
	/* Without pre-votes, candidates that cannot win may hold up others for a while. */
	p->end_at_us = p->calm_at_us + (p->prevote ? 25000000 : 90000000);
	w->mode->draw(w);
}

void world_open(struct world *w, const struct run_options *o, const struct profile *given)
{
	*w = (struct world){
		.mode = o->mode ? o->mode : &mode_core, .seed = o->seed, .trace = o->trace};
	random_seed(&w->random, o->seed);
	list_init(&w->flying);
	list_init(&w->streams);
	list_init(&w->strangers);
	heap_init(&w->events, event_before);
	w->ring = trace_new(TRACE_KEEP, o->live);
	if (given)
		w->profile = *given;
	else
		draw_profile(w);
	w->host_count = MIN(w->profile.members + 2, (unsigned)SIM_HOSTS_MAX);
	w->hosts = mem_zalloc(w->host_count, sizeof(*w->hosts));
	for (unsigned i = 0; i < w->host_count; i++) {
		host_init(w, &w->hosts[i], i);
		w->hosts[i].joins = i >= w->profile.members;
	}
}

bool world_step(struct world *w, uint64_t end_us)
{
	struct heap_node *top = heap_top(&w->events);
	struct event *e;

	if (w->done || !top)
		return false;
	e = CONTAINER_OF(top, struct event, node);
	if (e->at_us > end_us)
		return false;
	heap_pop(&w->events);
	w->now_us = e->at_us;
	e->fire(w, e);
	return true;
}

static void world_run_until(struct world *w, uint64_t end_us)
{
	while (world_step(w, end_us))
		;
	if (!w->done)
		w->now_us = end_us;
}

/* Everybody who takes part runs and has applied the same, and nothing is being mended. */
static bool world_is_whole(struct world *w)
{
	struct host *leader = world_leader(w);
	struct raft_status s;
	uint64_t index;

	if (!leader)
		return false;
	index = w->mode->state(leader).index;
	driver_status(leader->driver, &s);
	if (s.joint || s.membership_pending || index < s.commit)
		return false;
	for (unsigned i = 0; i < w->host_count; i++) {
		struct host *h = &w->hosts[i];

		if (!host_takes_part(h)) {
			if (h->wiped)
				return false;
			continue;
		}
		if (h->state != HOST_UP || w->mode->state(h).index != index)
			return false;
		driver_status(h->driver, &s);
		if (s.damaged || s.installing)
			return false;
	}
	return true;
}

/* Connections that failed last stand again, and clients use them for a while. */
static uint64_t calm_us(const struct world *w)
{
	if (!w->profile.streams)
		return 4000000;
	return w->profile.bytes_per_s ? 14000000 : 9000000;
}

/*
 * The liveness phase: in bounded time the cluster is whole, and serves. Slow disks need longer for
 * what clients have brought, so the pauses grow. Over lines that were narrow until here, or take
 * little at a time, a state may take longer to fetch than it is news.
 */
static void world_recover(struct world *w)
{
	uint64_t pause_us = 1500000;

	nemesis_calm(w);
	world_run_until(w, w->now_us + calm_us(w));
	w->profile.bytes_per_s = 0;
	w->profile.window_bytes = MAX(w->profile.window_bytes, STREAM_WINDOW_WIDE);
	w->mode->hasten(w);
	while (!w->done && w->now_us < w->profile.end_at_us) {
		w->quiet = true;
		world_run_until(w, w->now_us + pause_us);
		pause_us += 500000;
		if (world_is_whole(w) && w->ops_in_calm && !w->mode->clients_wait(w))
			break;
		w->quiet = false;
		world_run_until(w, w->now_us + 500000);
	}
}

void world_close(struct world *w)
{
	for (unsigned i = 0; i < w->host_count; i++)
		host_close(&w->hosts[i]);
	network_drop_all(w);
	strangers_close(w);
	streams_close(w);
	watch_company_close(w);
	w->mode->clients_close(w);
	nemesis_close(w);
	watch_close(w);
	history_free(&w->history);
	heap_close(&w->events);
	mem_free(w->hosts);
	trace_free(w->ring);
}

bool run_seed(const struct run_options *o, struct sim_counts *counts, char *failure)
{
	struct world *w = mem_zalloc(1, sizeof(*w));
	bool ok;

	world_open(w, o, NULL);
	for (unsigned i = 0; i < w->profile.members; i++)
		host_start(&w->hosts[i]);
	w->mode->clients_start(w);
	nemesis_start(w);
	world_run_until(w, w->profile.calm_at_us);
	if (!w->done)
		world_recover(w);
	watch_end(w);
	if (!w->failure[0])
		w->mode->watch_end(w);
	w->counts.virtual_us = w->now_us;
	w->counts.seeds = 1;
	sim_counts_add(counts, &w->counts);
	ok = w->failure[0] == 0;
	memcpy(failure, w->failure, sizeof(w->failure));
	if (o->trace && !o->live && !ok)
		trace_print(w->ring);
	world_close(w);
	mem_free(w);
	return ok;
}
