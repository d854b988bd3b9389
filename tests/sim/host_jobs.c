/* Threads that are none: each step of a job happens at a moment of its own, on a slow disk. */

#include "base/check.h"
#include "base/mem.h"
#include "sim/host.h"
#include "sim/mode.h"

struct running {
	struct event event;
	struct list link;
	struct host *host;
	enum job_lane lane;
	struct job *job;
	bool finished;
};

static uint64_t job_latency(struct host *h, enum job_lane lane)
{
	struct world *w = h->world;
	uint64_t us = w->profile.disk_us / 2 + random_below(&w->random, w->profile.disk_us + 1);

	if (w->now_us < h->slow_until_us)
		us += random_below(&w->random, 40000);
	/* What the pool reads may come back long after the state has gone on. */
	if (h->member && lane == LANE_READ && !w->calm && random_chance(&w->random, 50000))
		us += random_below(&w->random, 300000);
	if (lane == LANE_SNAPSHOT)
		us += random_below(&w->random, 20000);
	if (w->now_us < h->hang_until_us)
		us += h->hang_until_us - w->now_us;
	return us;
}

static void running_step(struct world *w, struct event *e);

static void running_set(struct running *r)
{
	struct host *h = r->host;

	world_at(h->world, &r->event, h->world->now_us + job_latency(h, r->lane), running_step);
}

static void lane_next(struct host *h, enum job_lane lane)
{
	struct list *first = h->lanes[lane].next;

	if (first != &h->lanes[lane])
		running_set(LIST_ITEM(first, struct running, link));
}

static void running_done(struct running *r)
{
	struct host *h = r->host;
	enum job_lane lane = r->lane;
	struct job *job = r->job;

	list_remove(&r->link);
	mem_free(r);
	if (lane != LANE_READ)
		lane_next(h, lane);
	job->done(job);
	host_after(h);
}

/* A step on a disk that is cut has no effect; the process dies with it. */
static void running_step(struct world *w, struct event *e)
{
	struct running *r = CONTAINER_OF(e, struct running, event);
	struct host *h = r->host;

	(void)w;
	nemesis_before_step(h);
	if (!r->finished)
		r->finished = r->job->step(r->job) == JOB_DONE;
	if (sim_disk_is_cut(h->disk)) {
		h->dying = true;
		host_after(h);
		return;
	}
	/* The thread goes on while the loop is stopped; its result waits. */
	if (r->finished && h->state == HOST_UP) {
		running_done(r);
		return;
	}
	running_set(r);
}

void host_run_job(void *ctx, enum job_lane lane, struct job *job)
{
	struct host *h = ctx;
	struct running *r = MEM_NEW(struct running);
	bool idle = list_empty(&h->lanes[lane]);

	r->host = h;
	r->lane = lane;
	r->job = job;
	if (lane == LANE_READ)
		h->world->counts.n[h->world->mode->reads]++;
	list_push_back(&h->lanes[lane], &r->link);
	if (idle || lane == LANE_READ)
		running_set(r);
}

void host_jobs_forget(struct host *h)
{
	for (size_t lane = 0; lane < ARRAY_LEN(h->lanes); lane++) {
		struct list *it;

		while ((it = list_pop_front(&h->lanes[lane])) != NULL) {
			struct running *r = LIST_ITEM(it, struct running, link);

			world_cancel(h->world, &r->event);
			mem_free(r);
		}
	}
}
