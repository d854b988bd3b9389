/* Whole members: store, sessions and origins above consensus, an engine beside the log. */

#include "sim/mode_members.h"

#include "base/check.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/mem.h"
#include "peer/company.h"
#include "sim/callers.h"
#include "sim/control.h"
#include "sim/host.h"
#include "sim/nemesis.h"
#include "sim/streams.h"

#include <inttypes.h>

/* ---- the profile ----------------------------------------------------------------------------- */

static size_t draw_bytes(struct world *w, size_t most)
{
	return random_chance(&w->random, 300000) ? 0 : (size_t)random_below(&w->random, most);
}

/* Strings of a megabyte, and more room for values sometimes: some of them are kept then. */
static void draw_large(struct world *w)
{
	struct profile *p = &w->profile;

	p->large_bytes = random_chance(&w->random, 500000) ? (size_t)1 << 20 : (size_t)1 << 17;
	if (random_chance(&w->random, 500000))
		p->value_cache_bytes = (size_t)random_between(&w->random, 100000, 600000);
	p->share_bytes = (size_t)1 << 18;
	p->share_bytes_per_s = 0; /* nobody is patient enough */
}

/* Connections as they are, in most worlds; frames that are lost and overtaken in the others. */
static void draw_streams(struct world *w)
{
	struct profile *p = &w->profile;
	bool mild = random_chance(&w->random, 300000);

	p->streams = random_chance(&w->random, 600000);
	p->window_bytes = STREAM_WINDOW_MIN + draw_bytes(w, 100000);
	p->corrupt_ppm = mild ? 0 : (uint32_t)random_below(&w->random, 300);
	p->reset_ppm = mild ? 0 : (uint32_t)random_below(&w->random, 1000);
	p->queued_bytes = draw(w, 1000, 200000);
	/* So little that one big value takes longer than a heartbeat may. */
	if (!p->large_bytes && random_chance(&w->random, 250000))
		p->bytes_per_s = p->big_bytes ? draw(w, 250000, 500000) : draw(w, 40000, 200000);
	if (p->bytes_per_s)
		p->end_at_us += 10000000;
	p->leave_ms = (uint32_t)draw(w, 500, 10000);
	if (p->streams && random_chance(&w->random, 600000))
		p->faults |= GROUP_STREAMS;
	if (p->streams && random_chance(&w->random, 300000))
		p->move_ppm = (uint32_t)draw(w, 100000, 1000000);
	if (p->move_ppm)
		p->end_at_us += 20000000;
}

static void members_draw(struct world *w)
{
	struct profile *p = &w->profile;

	if (random_chance(&w->random, 400000))
		p->faults |= GROUP_ENGINE;
	if (random_chance(&w->random, 500000))
		p->snapshot_entries = UINT64_MAX / 2;
	p->request_timeout_ms = (uint32_t)random_between(&w->random, 300, 2500);
	p->overlay_bytes = 1 + draw_bytes(w, 150000);
	p->header_cache_bytes = draw_bytes(w, 8192);
	p->value_cache_bytes = draw_bytes(w, 4096);
	p->batch_bytes = (size_t)random_between(&w->random, 100, 4096);
	p->unresolved_bytes = (size_t)random_between(&w->random, 500, 20000);
	p->lag_bytes = (size_t)random_between(&w->random, 0, 20000);
	p->history_retention_ms = UINT64_MAX;
	p->history_max_bytes = UINT64_MAX;
	if (random_chance(&w->random, 400000))
		p->history_retention_ms = random_below(&w->random, 4000);
	if (random_chance(&w->random, 300000))
		p->history_max_bytes = random_below(&w->random, 20000);
	p->compact_pace_ms = random_between(&w->random, 1, 3000);
	p->share_bytes =
		random_chance(&w->random, 500000) ? (size_t)1 << 18 : 8000 + draw_bytes(w, 40000);
	/* Without a log that waits for it, whoever is slowly given a state is always too late. */
	if (p->log_max_bytes && random_chance(&w->random, 400000)) {
		p->share_bytes = (size_t)random_between(&w->random, 3000, 8000);
		p->share_bytes_per_s = random_between(&w->random, 40000, 100000);
	}
	p->session_requests = (size_t)random_between(&w->random, 2, 40);
	p->burst = random_chance(&w->random, 400000) ? 1 : (unsigned)draw(w, 2, 8);
	p->leave_ppm = random_chance(&w->random, 500000) ? 3000 : 40000;
	p->padding_bytes = (size_t)random_between(&w->random, 0, 400);
	p->big_bytes = random_chance(&w->random, 200000) ? (size_t)draw(w, 5000, 40000) : 0;
	/* Nobody asks for so much but who wants to hear that it is too much. */
	p->work_limit = !p->big_bytes && random_chance(&w->random, 400000)
				? draw(w, WORK_LIMIT_LEAST, WORK_LIMIT_MOST)
				: 0;
	if (!p->work_limit && random_chance(&w->random, 60000))
		draw_large(w);
	p->think_us = random_between(&w->random, 100000, 400000) * (1 + p->burst / 2);
	p->check_interval_ms = random_between(&w->random, 300, 4000);
	if (random_chance(&w->random, 400000))
		p->faults |= GROUP_UPGRADE;
	/* An older version writes a string as a whole, whatever changes of it. */
	if (p->faults & GROUP_UPGRADE)
		p->large_bytes = MIN(p->large_bytes, (size_t)1 << 17);
	if (random_chance(&w->random, 300000))
		p->faults |= GROUP_DRIFT;
	if (random_chance(&w->random, 300000))
		p->faults |= GROUP_SPACE;
	draw_streams(w);
}

/* ---- a host's engine ------------------------------------------------------------------------- */

static void members_host_open(struct host *h)
{
	vault_memory_init(&h->vault);
}

static void members_host_close(struct host *h)
{
	vault_memory_free(&h->vault);
}

static void members_host_wipe(struct host *h)
{
	vault_memory_free(&h->vault);
	vault_memory_init(&h->vault);
	control_wiped(h);
}

/* ---- the state machine, with somebody who looks on ------------------------------------------- */

static struct host *host_of(void *member)
{
	struct member *m = member;

	return m->io->ctx;
}

/* What the numbers of its commands make of a batch. */
static void count_batch(struct host *h, const struct batch_header *b)
{
	const struct origin_row *row = position_origin(store_position(h->member->store), b->member);

	if (!row || row->incarnation != b->incarnation)
		COUNT(h->world, APPLIED_OLD_RUN);
	else if (b->seq <= row->seq)
		COUNT(h->world, APPLIED_BEFORE);
	else if (b->seq > row->seq + 1)
		COUNT(h->world, APPLIED_GAP);
}

/* Before a batch is applied: what of it was asked for here. */
static void look_at_batch(struct host *h, const struct entry *e)
{
	struct member *m = h->member;
	struct cursor c = cursor_of(entry_payload(e));
	struct batch_header b;
	struct batch_command command;
	size_t last = 0;

	if (batch_header_decode(&c, &b) != OK)
		return;
	count_batch(h, &b);
	for (uint32_t i = 0; i < b.count; i++) {
		last = (size_t)(c.at - e->data);
		if (batch_command_decode(&c, &command, &m->argv, &m->argv_cap) != OK)
			return;
		if (command.flags & BATCH_CANCELLED)
			COUNT(h->world, APPLIED_CANCELLED);
		else if (!(command.flags & BATCH_AUTHOR) && b.member == h->id)
			witness_applied(h, b.incarnation, b.seq + i, &command);
	}
	members_watch_batch(h, last);
}

static bool machine_apply(void *ctx, uint64_t index, const struct entry *e)
{
	struct member *m = ctx;
	struct host *h = host_of(m);
	bool whole;

	model_apply(h->world->model, index, e);
	if (e->kind == ENTRY_BATCH && m->applying.index != index)
		look_at_batch(h, e);
	if (e->kind == ENTRY_CHECK)
		control_checks(h, true);
	whole = member_apply(m, index, e);
	if (e->kind == ENTRY_CHECK)
		control_checks(h, false);

	if (h->dying)
		return whole;
	if (whole && e->kind == ENTRY_HORIZON)
		COUNT(h->world, HORIZON_MOVED);
	if (whole) {
		members_watch_applied(h, index, e);
		control_watch_applied(h, index, e);
	} else if (m->dry_run)
		COUNT(h->world, WAITED_IN_ENTRY);
	else if (store_is_full(m->store))
		COUNT(h->world, STORE_FULL);
	return whole;
}

static struct job *machine_store(void *ctx, const struct snapshot *s)
{
	struct host *h = host_of(ctx);

	control_stores(h);
	return h->store(ctx, s);
}

static int machine_store_done(void *ctx, struct buf *where)
{
	struct host *h = host_of(ctx);
	int rc = h->store_done(ctx, where);

	if (rc == OK) {
		COUNT(h->world, STATE_STORED);
		control_stored(h);
	} else {
		COUNT(h->world, STATE_NOT_STORED);
	}
	return rc;
}

static int machine_install_fetched(void *ctx)
{
	struct host *h = host_of(ctx);
	int rc = h->install_fetched(ctx);

	if (rc != OK)
		COUNT(h->world, INSTALL_FAILED);
	return rc;
}

static int machine_install_done(void *ctx)
{
	struct host *h = host_of(ctx);
	int rc = h->install_done(ctx);

	if (rc == OK)
		control_took_over(h);
	if (rc != OK || h->dying)
		return rc;
	COUNT(h->world, STATE_INSTALLED);
	watch_installed(h, store_position(h->member->store)->index,
			h->world->mode->state(h).digest);
	members_watch_rows(h);
	return rc;
}

static void look_on(struct host *h)
{
	struct machine *machine = &h->member->machine;

	machine->apply = machine_apply;
	h->store = machine->store;
	machine->store = machine_store;
	h->store_done = machine->store_done;
	machine->store_done = machine_store_done;
	h->install_fetched = machine->install_fetched;
	machine->install_fetched = machine_install_fetched;
	h->install_done = machine->install_done;
	machine->install_done = machine_install_done;
}

/* ---- the process ----------------------------------------------------------------------------- */

static void members_changed(void *ctx, const struct raft_status *status)
{
	struct host *h = ctx;

	if (h->company)
		company_changed(h->company, status);
	if (h->company && !h->dying)
		watch_company_changed(h, status);
	h->events.changed(ctx, status);
}

static int members_start(struct host *h, const struct driver_options *o)
{
	const struct profile *p = &h->world->profile;
	struct member_options options = member_options_default();
	int rc;

	options.driver = *o;
	options.request_timeout_ms = p->request_timeout_ms;
	options.overlay_bytes = p->overlay_bytes;
	options.header_cache_bytes = p->header_cache_bytes;
	options.value_cache_bytes = p->value_cache_bytes;
	options.batch_bytes = p->batch_bytes;
	options.unresolved_bytes = p->unresolved_bytes;
	options.lag_bytes = p->lag_bytes;
	options.session_requests = p->session_requests;
	options.check_interval_ms = p->check_interval_ms;
	options.level = control_level(h);
	options.history_retention_ms = p->history_retention_ms;
	options.history_max_bytes = p->history_max_bytes;
	options.compact_pace_ms = p->compact_pace_ms;
	options.share_bytes = p->share_bytes;
	options.share_bytes_per_s = p->share_bytes_per_s;
	if (p->streams) {
		host_company_move(h);
		options.address = slice_of_text(h->address);
	}
	h->member_events = (struct member_events){
		.ctx = h,
		.changed = members_changed,
		.failed = h->events.failed,
	};
	engine_settle(h);
	if (h->world->calm)
		h->excuse = NULL;
	h->seen_incarnation = 0;
	h->engine = vault_memory_open(&h->vault);
	options.vault = &h->vault.vault;
	rc = member_new(&h->member, &options, &h->io, h->engine, &h->member_events);
	if (rc != OK)
		return rc;
	h->driver = member_driver(h->member);
	/* A state that nothing was applied to yet. */
	if (p->work_limit && !store_position(h->member->store)->index)
		store_position(h->member->store)->work_limit = p->work_limit;
	look_on(h);
	if (p->streams)
		host_company_start(h);
	control_started(h);
	if (store_position(h->member->store)->index) {
		COUNT(h->world, STATE_FOUND);
		members_watch_rows(h);
	}
	return OK;
}

/* A state may be given so slowly that it takes longer than it is news. */
static void members_hasten(struct world *w)
{
	struct profile *p = &w->profile;
	struct member_limits limits = {
		.request_timeout_ms = p->request_timeout_ms,
		.history_retention_ms = p->history_retention_ms,
		.history_max_bytes = p->history_max_bytes,
		.check_interval_ms = p->check_interval_ms,
	};

	p->share_bytes_per_s = 0;
	for (unsigned i = 0; i < w->host_count; i++)
		if (w->hosts[i].member)
			member_set_limits(w->hosts[i].member, &limits);
}

static void members_stop(struct host *h)
{
	host_company_stop(h);
	member_free(h->member);
	h->member = NULL;
	vault_memory_kill(&h->vault);
	h->engine = NULL;
}

static void members_turn(struct host *h)
{
	if (h->company)
		company_turn(h->company);
	member_turn(h->member);
	if (h->company && !h->dying)
		peers_flush(company_peers(h->company));
	if (h->company && !h->dying)
		watch_company_turn(h);
}

static uint64_t members_deadline_ms(const struct host *h)
{
	uint64_t due = member_deadline_ms(h->member);

	return h->company ? MIN(due, company_deadline_ms(h->company)) : due;
}

static void members_receive(struct host *h, const struct host *from, enum frame_kind kind,
			    struct blob *body)
{
	member_receive(h->member, from->id, kind, body);
}

static void members_gone(struct host *h, const struct host *other)
{
	member_peer_gone(h->member, other->id);
}

static void members_connected(struct host *h, const struct host *other)
{
	COUNT(h->world, HINT_CONNECTED);
	member_peer_connected(h->member, other->id);
}

/* A disk that is cut has failed too: the process is about to die. */
static void members_failed(struct host *h, int error)
{
	COUNT(h->world, MEMBER_STOPPED);
	/* An older version that takes part no more and hears what it cannot do. */
	if (error == ERR_VERSION && h->level < LEVEL_NEWEST && !host_takes_part(h))
		return;
	if (!h->excuse && !h->suspect && !h->dying && !sim_disk_is_cut(h->disk))
		world_fail(h->world, "%s stops, and nothing is wrong with it: %s", h->name,
			   error_text(error));
}

static struct state_seen members_state(const struct host *h)
{
	const struct position *p = store_position(h->member->store);
	struct buf bytes = {0};
	struct state_seen s = {p->index, p->term, 0};

	position_encode(p, (struct slice){0}, &bytes);
	s.digest = hash64(buf_slice(&bytes));
	buf_free(&bytes);
	return s;
}

static void members_watch_all(struct world *w)
{
	if (w->profile.streams)
		watch_company_end(w);
	members_watch_end(w);
}

/* Whether somebody has writes under way: over a slow line they may outlive their requests. */
static bool members_write(struct world *w)
{
	for (unsigned i = 0; i < w->host_count; i++) {
		struct host *h = &w->hosts[i];

		if (h->member && host_takes_part(h) && origin_unresolved(&h->member->origin))
			return true;
	}
	return false;
}

static bool members_wait(struct world *w)
{
	return callers_wait(w) || control_waits(w) || members_write(w) || watch_company_waits(w);
}

const struct sim_mode mode_members = {
	.name = "members",
	.again = "sim-members",
	.in = COUNT_IN_MEMBERS,
	.reads = COUNT_POOL_JOB,
	.draw = members_draw,
	.host_open = members_host_open,
	.host_close = members_host_close,
	.host_wipe = members_host_wipe,
	.start = members_start,
	.stop = members_stop,
	.clients_cut = callers_cut,
	.turn = members_turn,
	.deadline_ms = members_deadline_ms,
	.receive = members_receive,
	.gone = members_gone,
	.connected = members_connected,
	.failed = members_failed,
	.state = members_state,
	.clients_start = callers_start,
	.clients_close = callers_close,
	.clients_wait = members_wait,
	.clients_look = works_look,
	.janitor = control_janitor,
	.watch_turn = members_watch_turn,
	.hasten = members_hasten,
	.watch_end = members_watch_all,
};
