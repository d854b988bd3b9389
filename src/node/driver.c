#include "node/driver.h"

#include "base/check.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/mutant.h"
#include "node/driver_state.h"

#include <inttypes.h>
#include <string.h>

uint64_t driver_now_ms(const struct driver *d)
{
	return clock_monotonic_us(&d->io->clock) / 1000;
}

void driver_crash_point(const struct driver *d, enum crash_point point)
{
	crash_point(d->io->crash_points, point);
}

void driver_fail(struct driver *d, int error)
{
	if (d->failed)
		return;
	LOG(d->io->logger, LOG_ERROR, "stops: the log failed: %s", error_text(error));
	d->failed = true;
	d->events->failed(d->events->ctx, error);
}

/* ---- persist --------------------------------------------------------------------------------- */

static void writing_push(struct driver *d, const struct raft_persist *p, uint64_t ticket)
{
	/* What this one drops of earlier batches will never be on disk and is not waited for. */
	for (size_t i = 0; i < d->writing_count; i++)
		d->writing[i].last = MIN(d->writing[i].last, p->first - 1);
	MEM_GROW(d->writing, d->writing_cap, d->writing_count + 1);
	d->writing[d->writing_count++] = (struct writing_batch){
		.seq = p->seq,
		.ticket = ticket,
		.last = p->first - 1 + p->count,
	};
}

static void driver_persist(struct driver *d, const struct raft_persist *p)
{
	struct log_batch batch = {.clear_mark = p->clear_damage};
	struct log_state state = {
		.term = p->hard.term,
		.vote = p->hard.vote,
		.flags = p->hard.born ? LOG_FLAG_BORN : 0,
	};
	struct log_reset reset = {.base_index = p->base, .base_term = p->base_term};
	struct buf membership = {0};

	if (p->seq == 0)
		return;
	if (p->hard_changed && !MUTANT(hard_state_not_written))
		batch.state = &state;
	if (p->reset) {
		membership_encode(p->membership, &membership);
		reset.membership = buf_slice(&membership);
		batch.reset = &reset;
	}
	if (p->count) {
		batch.first_index = p->first;
		batch.entries = p->entries;
		batch.count = p->count;
		if (d->events->appended)
			d->events->appended(d->events->ctx, p->first, p->entries, p->count);
	}
	writing_push(d, p, log_add(d->log, &batch));
	buf_free(&membership);
}

void driver_run(struct driver *d, enum job_lane lane, struct job *job, void (*done)(struct job *))
{
	job->done = done;
	job->owner = d;
	d->io->run(d->io->ctx, lane, job);
}

static void driver_send_message(struct driver *d, const struct raft_message *m)
{
	struct frame frame = {.kind = FRAME_RAFT, .entries = m->entries, .count = m->count};

	buf_clear(&d->frame);
	raft_message_encode(m, &d->frame);
	frame.head = buf_slice(&d->frame);
	d->io->send(d->io->ctx, m->to, &frame);
}

/* Votes and acknowledgements whose promise is on disk now. */
static void driver_send_held(struct driver *d, uint64_t seq)
{
	size_t n = 0;

	while (n < d->held_count && d->held[n].seq <= seq) {
		driver_send_message(d, &d->held[n].message);
		n++;
	}
	if (n == 0)
		return;
	d->held_count -= n;
	memmove(d->held, d->held + n, d->held_count * sizeof(*d->held));
}

/* What the log has on disk, in the terms of consensus. */
static void driver_persisted(struct driver *d)
{
	uint64_t ticket = log_durable_ticket(d->log), index = log_durable_index(d->log), seq = 0;
	size_t n = 0;

	while (n < d->writing_count && d->writing[n].ticket <= ticket &&
	       d->writing[n].last <= index)
		seq = d->writing[n++].seq;
	if (n == 0)
		return;
	d->writing_count -= n;
	memmove(d->writing, d->writing + n, d->writing_count * sizeof(*d->writing));
	driver_crash_point(d, CRASH_PERSISTED);
	raft_persisted(d->raft, driver_now_ms(d), seq);
	driver_crash_point(d, CRASH_BEFORE_HELD_SEND);
	driver_send_held(d, seq);
	driver_crash_point(d, CRASH_AFTER_HELD_SEND);
}

static void driver_append_done(struct job *job)
{
	struct driver *d = job->owner;
	int rc = log_complete(d->log);

	if (rc == OK && d->damage_ticket && log_durable_ticket(d->log) >= d->damage_ticket)
		rc = ERR_CORRUPT;
	if (rc != OK) {
		driver_fail(d, rc);
		return;
	}
	d->idle_due_ms = driver_now_ms(d) + d->options.raft.heartbeat_ms;
	driver_persisted(d);
}

static void driver_append_start(struct driver *d)
{
	struct job *job;

	if (driver_now_ms(d) >= d->idle_due_ms) {
		d->idle_due_ms = UINT64_MAX;
		log_idle_cover(d->log);
	}
	job = log_start(d->log);
	if (job)
		driver_run(d, LANE_LOG, job, driver_append_done);
}

static void driver_maintain_done(struct job *job)
{
	struct driver *d = job->owner;
	int rc = log_maintain_complete(d->log);

	/* Without room for the next segment the log goes on as long as this one lasts. */
	if (rc != OK && rc != ERR_NO_SPACE)
		driver_fail(d, rc);
}

static void driver_maintain_start(struct driver *d)
{
	struct job *job = log_maintain(d->log);

	if (job)
		driver_run(d, LANE_MAINTENANCE, job, driver_maintain_done);
}

/* ---- send ------------------------------------------------------------------------------------ */

static void driver_send_now(struct driver *d, const struct raft_ready *rd)
{
	for (size_t i = 0; i < rd->now_count; i++) {
		if (i > 0)
			driver_crash_point(d, CRASH_BETWEEN_SENDS);
		driver_send_message(d, &rd->now[i]);
	}
	for (size_t i = 0; i < rd->after_count; i++) {
		if (rd->after_seq == 0) {
			driver_send_message(d, &rd->after[i]);
			continue;
		}
		MEM_GROW(d->held, d->held_cap, d->held_count + 1);
		d->held[d->held_count++] =
			(struct held_message){.seq = rd->after_seq, .message = rd->after[i]};
	}
}

/* ---- the turn -------------------------------------------------------------------------------- */

static void driver_take_ready(struct driver *d, const struct raft_ready *rd)
{
	for (size_t i = 0; i < rd->read_count; i++) {
		MEM_GROW(d->reads, d->read_cap, d->read_count + 1);
		d->reads[d->read_count++] =
			(struct waiting_read){rd->reads[i].request, rd->reads[i].index};
	}
	for (size_t i = 0; i < rd->note_count; i++)
		d->events->note(d->events->ctx, &rd->notes[i]);
	if (rd->install.wanted)
		driver_install_begin(d, &rd->install);
}

/* One round of persist, send, advance. What the loads bring comes as events after it. */
static void driver_round(struct driver *d)
{
	struct raft_ready rd;
	size_t load_count;

	raft_ready(d->raft, &rd);
	if (CONCLAVE_CHECK_INVARIANTS)
		CHECK_VALID(raft_broken(d->raft));
	driver_crash_point(d, CRASH_BEFORE_PERSIST);
	driver_persist(d, &rd.persist);
	if (rd.persist.seq)
		driver_append_start(d);
	driver_crash_point(d, CRASH_AFTER_PERSIST_START);
	driver_crash_point(d, CRASH_BEFORE_SEND);
	driver_send_now(d, &rd);
	driver_take_ready(d, &rd);
	load_count = rd.load_count;
	MEM_GROW(d->wanted, d->wanted_cap, load_count);
	for (size_t i = 0; i < load_count; i++)
		d->wanted[i] = rd.loads[i];
	raft_advance(d->raft);
	for (size_t i = 0; i < load_count; i++)
		driver_load(d, d->wanted[i].peer, d->wanted[i].first, d->wanted[i].max_bytes);
}

static void driver_tell_changes(struct driver *d)
{
	struct raft_status s;

	raft_status(d->raft, &s);
	if (s.role == d->told.role && s.term == d->told.term && s.leader == d->told.leader &&
	    s.born == d->told.born && s.damaged == d->told.damaged &&
	    s.memberships == d->told.memberships)
		return;
	d->told = s;
	d->events->changed(d->events->ctx, &s);
}

void driver_turn(struct driver *d)
{
	if (d->failed)
		return;
	driver_crash_point(d, CRASH_TURN_BEGIN);
	driver_birth_turn(d);
	raft_tick(d->raft, driver_now_ms(d));
	driver_round(d);
	driver_crash_point(d, CRASH_BEFORE_APPLY);
	d->apply_behind = driver_apply(d);
	driver_crash_point(d, CRASH_AFTER_APPLY);
	driver_answer_reads(d);
	driver_store_turn(d);
	driver_append_start(d);
	driver_maintain_start(d);
	driver_unread_turn(d);
	driver_tell_changes(d);
	driver_crash_point(d, CRASH_TURN_END);
}

/* While another state takes the place of this one, nothing is stored. */
static uint64_t store_due_ms(const struct driver *d)
{
	return d->store_again_ms && d->install != INSTALL_SWAPPING ? d->store_again_ms : UINT64_MAX;
}

uint64_t driver_deadline_ms(const struct driver *d)
{
	if (d->failed)
		return UINT64_MAX;
	if (d->apply_behind)
		return 0;
	return MIN(MIN(raft_deadline(d->raft), d->idle_due_ms),
		   MIN(MIN(d->ask_due_ms, d->unread_due_ms), store_due_ms(d)));
}

/* ---- events ---------------------------------------------------------------------------------- */

void driver_send_frame(struct driver *d, uint64_t to, enum frame_kind kind)
{
	struct frame frame = {.kind = kind, .head = buf_slice(&d->frame)};

	d->io->send(d->io->ctx, to, &frame);
}

static void driver_receive_raft(struct driver *d, struct blob *body)
{
	struct raft_message m;
	int rc = raft_message_decode(body, 0, &m, &d->entries, &d->entries_cap);

	if (rc == OK)
		rc = raft_step(d->raft, driver_now_ms(d), &m);
	if (rc != OK)
		LOG(d->io->logger, LOG_WARNING, "a message from %016" PRIx64 " was ignored: %s",
		    m.from, error_text(rc));
}

void driver_receive(struct driver *d, enum frame_kind kind, struct blob *body)
{
	struct slice bytes = slice_of(body->data, body->len);

	if (d->failed)
		return;
	switch (kind) {
	case FRAME_RAFT:
		driver_receive_raft(d, body);
		return;
	case FRAME_BIRTH:
		driver_birth_hear(d, bytes);
		return;
	case FRAME_WHO_LEADS:
		driver_hear_who_leads(d, bytes);
		return;
	case FRAME_LEADS:
		driver_hear_leads(d, bytes);
		return;
	case FRAME_FORWARD:
	case FRAME_REGISTER:
	case FRAME_FETCH:
	case FRAME_ROWS:
	case FRAME_DIGESTS:
	case FRAME_ALARM:
	case FRAME_CHANGE:
	case FRAME_CHANGED:
		break; /* the member's own */
	}
	LOG(d->io->logger, LOG_WARNING, "a frame of unknown kind %u was ignored", (unsigned)kind);
}

int driver_propose(struct driver *d, struct entry *entries, size_t count, uint64_t *first)
{
	if (d->failed)
		return ERR_STOPPED;
	return raft_propose(d->raft, driver_now_ms(d), entries, count, first);
}

int driver_change(struct driver *d, const struct member_change *changes, size_t count)
{
	if (d->failed)
		return ERR_STOPPED;
	return raft_change(d->raft, driver_now_ms(d), changes, count);
}

int driver_transfer(struct driver *d, uint64_t to)
{
	if (d->failed)
		return ERR_STOPPED;
	return raft_transfer(d->raft, driver_now_ms(d), to);
}

void driver_peer_gone(struct driver *d, uint64_t peer)
{
	if (!d->failed)
		raft_peer_gone(d->raft, driver_now_ms(d), peer);
}

int driver_read(struct driver *d, uint64_t request)
{
	if (d->failed)
		return ERR_STOPPED;
	return raft_read_index(d->raft, driver_now_ms(d), request);
}

void driver_set_note(struct driver *d, struct slice note)
{
	raft_set_note(d->raft, note);
}

void driver_set_stamp(struct driver *d, uint64_t stamp)
{
	raft_set_stamp(d->raft, stamp);
}

uint64_t driver_start_term(const struct driver *d)
{
	return d->start_term;
}

uint64_t driver_start_stamp(const struct driver *d)
{
	return d->start_stamp;
}

bool driver_stopped(const struct driver *d)
{
	return d->failed;
}

const struct log_damage *driver_damage(const struct driver *d)
{
	return &d->damage;
}

uint64_t driver_id(const struct driver *d)
{
	return d->id;
}

uint64_t driver_applied(const struct driver *d)
{
	return d->applied;
}

void driver_status(const struct driver *d, struct raft_status *out)
{
	raft_status(d->raft, out);
}

const struct membership *driver_membership(const struct driver *d)
{
	return raft_membership(d->raft);
}

const struct membership *driver_settled_membership(const struct driver *d)
{
	return raft_settled_membership(d->raft);
}

const struct raft *driver_raft(const struct driver *d)
{
	return d->raft;
}

const struct log *driver_log(const struct driver *d)
{
	return d->log;
}
