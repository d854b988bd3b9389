/* A host: starting a member on it, feeding it, and taking it away at any moment. */

#include "sim/host.h"
#include "sim/mode.h"
#include "sim/streams.h"

#include "base/check.h"
#include "base/error.h"
#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Turns that a member may want at once, one after the other, until it must have come further. */
#define HURRIES_MAX 500

uint64_t host_clock_us(const struct host *h)
{
	int64_t passed = (int64_t)(h->world->now_us - h->clock_at_us);

	return h->clock_us + (uint64_t)(passed + passed * h->drift_ppm / 1000000);
}

static uint64_t host_monotonic_us(void *ctx)
{
	return host_clock_us(ctx);
}

static uint64_t host_wall_ms(void *ctx)
{
	const struct host *h = ctx;

	return (uint64_t)(1700000000000 + (int64_t)(h->world->now_us / 1000) + h->wall_skew_ms);
}

static uint64_t host_random(void *ctx)
{
	struct host *h = ctx;

	return random_next(&h->world->random);
}

struct host *host_by_id(struct world *w, uint64_t id)
{
	for (unsigned i = 0; i < w->host_count; i++)
		if (w->hosts[i].id == id && id)
			return &w->hosts[i];
	return NULL;
}

struct host *host_by_name(struct world *w, struct slice name)
{
	for (unsigned i = 0; i < w->host_count; i++)
		if (slice_equal(slice_of_text(w->hosts[i].name), name))
			return &w->hosts[i];
	return NULL;
}

/* False: from here on nobody hears of it. */
static bool host_sends(struct host *h, const struct frame *frame)
{
	if (h->dying)
		return false;
	if (frame->kind == FRAME_RAFT && frame->head.data[0] <= RAFT_MESSAGE_TYPE_MAX)
		h->world->counts.message[frame->head.data[0]]++;
	return true;
}

static void host_send(void *ctx, uint64_t to, const struct frame *frame)
{
	struct host *h = ctx, *asked = host_by_id(h->world, to);

	if (!host_sends(h, frame))
		return;
	if (frame->kind == FRAME_ROWS && asked)
		watch_answer(h, asked, frame->head);
	if (h->world->profile.streams)
		host_company_send(h, to, frame);
	else
		network_send(h, to, frame);
}

static void host_send_to_name(void *ctx, struct slice name, const struct frame *frame)
{
	struct host *h = ctx;

	if (!host_sends(h, frame))
		return;
	if (h->world->profile.streams)
		host_company_send_to_name(h, name, frame);
	else
		network_send_to_name(h, name, frame);
}

static void host_run(void *ctx, enum job_lane lane, struct job *job)
{
	struct host *h = ctx;

	if (!h->dying)
		host_run_job(h, lane, job);
}

static bool host_dies_at(struct host *h, enum crash_point point)
{
	struct world *w = h->world;

	/* Too rare to wait for: one in ten ends here wherever crashes are in use. */
	if (point >= CRASH_INSTALL_FETCHED && point <= CRASH_INSTALL_LOG_RESET)
		return !w->calm && w->profile.crashes && random_chance(&w->random, 100000);
	return h->crash_countdown && h->crash_at == point && --h->crash_countdown == 0;
}

/* From here on nothing that the member still does reaches its disk or anybody else. */
static void host_crash_point(void *ctx, enum crash_point point)
{
	struct host *h = ctx;

	if (h->dying || !host_dies_at(h, point))
		return;
	TRACE(h->world, h, "dies at %s", crash_point_name(point));
	h->world->counts.crash_point[point]++;
	COUNT(h->world, FAULT_CRASH_POINT);
	watch_dying(h);
	h->dying = true;
	sim_disk_cut_at(h->disk, 0);
}

static void host_log(void *ctx, enum log_level level, const char *text, size_t len)
{
	struct host *h = ctx;

	(void)level;
	if (!h->dying)
		TRACE(h->world, h, "| %.*s", (int)len, text);
}

static void host_read_ready(void *ctx, uint64_t request)
{
	struct host *h = ctx;

	if (!h->dying)
		client_read_ready(h, request);
}

static void host_note(void *ctx, const struct raft_note *note)
{
	(void)ctx;
	(void)note;
}

static void host_changed(void *ctx, const struct raft_status *s)
{
	struct host *h = ctx;

	if (h->dying)
		return;
	TRACE(h->world, h, "%s in term %" PRIu64 ", leader %016" PRIx64 "%s",
	      raft_role_name(s->role), s->term, s->leader, s->damaged ? ", damaged" : "");
}

static void host_failed(void *ctx, int error)
{
	struct host *h = ctx;

	TRACE(h->world, h, "gives up: %s", error_text(error));
	h->world->mode->failed(h, error);
	if (!h->dying) {
		h->dying = true;
		sim_disk_cut_at(h->disk, 0);
	}
}

static void host_turn_fire(struct world *w, struct event *e);

static void host_set_turn(struct host *h, uint64_t at_us)
{
	if (h->turn.node.place && h->turn.at_us <= at_us)
		return;
	world_cancel(h->world, &h->turn);
	world_at(h->world, &h->turn, at_us, host_turn_fire);
}

/* When the member's own deadline comes, on its own clock. */
static void host_set_timer(struct host *h)
{
	uint64_t due_ms = h->world->mode->deadline_ms(h), local_us = host_clock_us(h), wait_us;

	if (due_ms == UINT64_MAX)
		return;
	wait_us = due_ms * 1000 > local_us ? due_ms * 1000 - local_us : 0;
	h->hurries = wait_us ? 0 : h->hurries + 1;
	if (h->hurries > HURRIES_MAX)
		world_fail(h->world, "%s wants turn after turn and gets nowhere", h->name);
	/* A clock that runs slow needs longer; at most one more turn is wasted on the rest. */
	host_set_turn(h, h->world->now_us + wait_us + 50);
}

void host_wake(struct host *h)
{
	if (h->state == HOST_UP && !h->dying)
		host_set_turn(h, h->world->now_us + random_below(&h->world->random, 30));
}

static void host_turn_fire(struct world *w, struct event *e)
{
	struct host *h = CONTAINER_OF(e, struct host, turn);

	if (h->state != HOST_UP)
		return;
	w->mode->turn(h);
	if (!h->dying) {
		watch_held(h);
		watch_turn(h);
		w->mode->watch_turn(h);
	}
	if (h->dying)
		host_after(h);
	else
		host_set_timer(h);
}

/* Whatever a member was just told, it may have died of it. */
void host_after(struct host *h)
{
	if (h->state == HOST_DOWN)
		return;
	if (h->dying)
		host_kill(h, random_chance(&h->world->random, 500000));
	else
		host_wake(h);
}

void host_deliver(struct host *h, const struct host *from, enum frame_kind kind, struct blob *body)
{
	if (h->state != HOST_UP || h->dying)
		return;
	if (kind == FRAME_FETCH)
		watch_question(h, from, body);
	h->world->mode->receive(h, from, kind, body);
	host_after(h);
}

void host_hears_connected(struct host *h, const struct host *other)
{
	if (h->state != HOST_UP || h->dying)
		return;
	h->world->mode->connected(h, other);
	host_after(h);
}

void host_init(struct world *w, struct host *h, unsigned index)
{
	h->world = w;
	h->index = index;
	snprintf(h->name, sizeof(h->name), "n%u", index + 1);
	h->disk = sim_disk_new(random_next(&w->random));
	h->clock_us = 1000000 + random_below(&w->random, 1000000000);
	for (size_t i = 0; i < ARRAY_LEN(h->lanes); i++)
		list_init(&h->lanes[i]);
	list_init(&h->held_frames);
	list_init(&h->pending);
	h->io = (struct node_io){
		.ctx = h,
		.clock = {.monotonic_us = host_monotonic_us, .wall_ms = host_wall_ms, .ctx = h},
		.crash_points = &h->crash_points,
		.random = host_random,
		.send = host_send,
		.send_to_name = host_send_to_name,
		.run = host_run,
	};
	host_company_init(h);
	h->crash_points = (struct crash_points){.hit = host_crash_point, .ctx = h};
	h->logger = (struct logger){.level = LOG_DEBUG, .write = host_log, .ctx = h};
	h->events = (struct driver_events){
		.ctx = h,
		.read_ready = host_read_ready,
		.note = host_note,
		.changed = host_changed,
		.failed = host_failed,
	};
	w->mode->host_open(h);
}

static void host_drop_process(struct host *h)
{
	world_cancel(h->world, &h->turn);
	world_cancel(h->world, &h->resume);
	host_jobs_forget(h);
	h->world->mode->stop(h);
	h->driver = NULL;
}

void host_close(struct host *h)
{
	if (h->state != HOST_DOWN)
		host_drop_process(h);
	h->state = HOST_DOWN;
	network_hold_release(h);
	h->world->mode->host_close(h);
	sim_disk_free(h->disk);
	mem_free(h->chain);
}

/* The connection closed, and who tries to open it again at once is refused: nobody listens. */
void host_hears_gone(struct host *h, const struct host *other)
{
	struct world *w = h->world;

	if (h->state != HOST_UP || h->dying || other->state != HOST_DOWN ||
	    w->links[h->index][other->index].cut || random_chance(&w->random, 200000))
		return;
	COUNT(w, HINT_GONE);
	w->mode->gone(h, other);
	host_wake(h);
}

static void host_close_connections(struct host *h)
{
	struct world *w = h->world;

	for (unsigned i = 0; i < w->host_count; i++)
		if (&w->hosts[i] != h)
			network_close(w, h, &w->hosts[i]);
}

static void host_open_connections(struct host *h)
{
	struct world *w = h->world;

	for (unsigned i = 0; i < w->host_count; i++)
		if (&w->hosts[i] != h)
			network_connect(w, h, &w->hosts[i]);
}

void host_kill(struct host *h, bool power)
{
	struct world *w = h->world;

	if (h->state == HOST_DOWN)
		return;
	TRACE(w, h, "%s", power ? "loses power" : "is killed");
	watch_died(h);
	h->dark = power;
	streams_drop(h, power);
	host_drop_process(h);
	h->state = HOST_DOWN;
	h->dying = false;
	h->crash_countdown = 0;
	w->mode->clients_cut(h);
	network_hold_release(h);
	if (power)
		sim_disk_crash(h->disk);
	else
		sim_disk_kill(h->disk);
	if (!power)
		host_close_connections(h);
}

static void host_options(struct host *h, struct driver_options *o, struct slice *names)
{
	struct world *w = h->world;
	const struct profile *p = &w->profile;

	*o = (struct driver_options){
		.raft = raft_options_default(),
		.dir = HOST_LOG_DIR,
		.segment_bytes = 64 << 10,
		.log_max_bytes = p->log_max_bytes,
		.log_read_bytes = p->log_read_bytes,
		.direct = true,
		.snapshot_entries = p->snapshot_entries,
		.apply_slice = 64,
		.id = h->id,
		.name = slice_of_text(h->name),
	};
	o->raft.prevote = p->prevote;
	o->raft.check_quorum = p->check_quorum;
	o->raft.append_bytes = p->append_bytes;
	o->raft.inflight_messages = 8;
	o->raft.inflight_bytes = 4 * (uint64_t)p->append_bytes;
	o->raft.tail_bytes = p->tail_bytes;
	if (h->joins)
		return;
	for (unsigned i = 0; i < p->members; i++)
		names[i] = slice_of_text(w->hosts[i].name);
	o->names = names;
	o->name_count = p->members;
}

static void host_does_not_start(struct host *h, int rc)
{
	struct world *w = h->world;

	TRACE(w, h, "does not start: %s", error_text(rc));
	COUNT(w, START_FAILED);
	host_jobs_forget(h);
	w->mode->stop(h);
	h->driver = NULL;
	sim_disk_crash(h->disk);
	if (rc != OK && rc != ERR_IO && rc != ERR_NO_SPACE)
		world_fail(w, "%s cannot start: %s", h->name, error_text(rc));
}

void host_start(struct host *h)
{
	struct world *w = h->world;
	struct driver_options o;
	int rc;

	if (h->state != HOST_DOWN)
		return;
	COUNT(w, RESTART);
	h->dark = false;
	host_options(h, &o, h->names);
	h->io.disk = sim_disk_interface(h->disk);
	h->io.logger = w->trace ? &h->logger : NULL;
	rc = w->mode->start(h, &o);
	if (rc != OK || sim_disk_is_cut(h->disk)) {
		host_does_not_start(h, rc);
		return;
	}
	h->state = HOST_UP;
	h->dying = false;
	h->seen_held = UINT64_MAX;
	h->seen_trim = 0;
	h->seen_change = h->seen_memberships = 0;
	memset(h->helped, 0, sizeof(h->helped));
	h->id = driver_id(h->driver);
	TRACE(w, h, "starts as %016" PRIx64, h->id);
	watch_started(h);
	host_open_connections(h);
	host_wake(h);
}

static void host_resume(struct world *w, struct event *e)
{
	struct host *h = CONTAINER_OF(e, struct host, resume);

	TRACE(w, h, "goes on");
	h->state = HOST_UP;
	network_hold_release(h);
	streams_resume(h);
	host_after(h);
}

void host_pause(struct host *h, uint64_t for_us)
{
	if (h->state != HOST_UP)
		return;
	TRACE(h->world, h, "is stopped for %" PRIu64 " ms", for_us / 1000);
	h->state = HOST_PAUSED;
	world_at(h->world, &h->resume, h->world->now_us + for_us, host_resume);
}

void host_wipe(struct host *h)
{
	CHECK(h->state == HOST_DOWN);
	TRACE(h->world, h, "loses its directory");
	sim_disk_free(h->disk);
	h->disk = sim_disk_new(random_next(&h->world->random));
	h->world->mode->host_wipe(h);
	h->lost_id = h->id;
	h->lost_term = h->disk_term;
	h->lost_vote = h->disk_vote;
	h->id = 0;
	h->wiped = true;
}

struct host *world_leader(struct world *w)
{
	struct host *best = NULL;
	uint64_t best_term = 0;

	for (unsigned i = 0; i < w->host_count; i++) {
		struct host *h = &w->hosts[i];
		struct raft_status s;

		if (h->state != HOST_UP || h->dying)
			continue;
		driver_status(h->driver, &s);
		if (s.role == RAFT_LEADER && s.term >= best_term) {
			best = h;
			best_term = s.term;
		}
	}
	return best;
}

bool host_takes_part(struct host *h)
{
	struct host *leader = world_leader(h->world);

	return leader && h->id && membership_find(driver_membership(leader->driver), h->id);
}
