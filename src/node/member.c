#include "node/member.h"

#include "base/check.h"
#include "base/error.h"
#include "base/logging.h"
#include "base/mem.h"
#include "base/mutant.h"
#include "node/member_state.h"

struct member_options member_options_default(void)
{
	struct member_options o = {
		.driver =
			{
				.raft = raft_options_default(),
				.segment_bytes = (size_t)64 << 20,
				.log_max_bytes = (uint64_t)256 << 20,
				.log_read_bytes = (uint64_t)8 << 20,
				.direct = true,
				.snapshot_entries = UINT64_MAX / 2, /* by bytes: overlay_bytes */
				.apply_slice = 256,
			},
		.request_timeout_ms = 2500,
		.overlay_bytes = (size_t)32 << 20,
		.header_cache_bytes = (size_t)256 << 20,
		.value_cache_bytes = (size_t)512 << 20,
		.batch_bytes = (size_t)1 << 20,
		.unresolved_bytes = (size_t)64 << 20,
		.lag_bytes = (size_t)64 << 20,
		.share_bytes = (size_t)256 << 10,
		.session_requests = 4096,
		.session_bytes = (size_t)4 << 20,
		.history_retention_ms = (uint64_t)3600 * 1000,
		.history_max_bytes = (uint64_t)1 << 30,
		/* Each time costs some syncs, and files that have to be merged. */
		.compact_pace_ms = 30000,
		.check_interval_ms = 60000,
		.level = LEVEL_NEWEST,
	};

	return o;
}

uint64_t member_now_us(const struct member *m)
{
	return clock_monotonic_us(&m->io->clock);
}

uint64_t member_now_ms(const struct member *m)
{
	return member_now_us(m) / 1000;
}

void member_fail(struct member *m, int error)
{
	if (m->failed)
		return;
	LOG(m->io->logger, LOG_ERROR, "stops: %s", error_text(error));
	m->failed = true;
	list_for_each (it, &m->sessions)
		session_end_copies(LIST_ITEM(it, struct session, link));
	m->events->failed(m->events->ctx, error);
}

static void on_read_ready(void *ctx, uint64_t request)
{
	member_barrier_met(ctx, request);
}

static void on_appended(void *ctx, uint64_t first, const struct entry *entries, size_t count)
{
	member_time_appended(ctx, &entries[count - 1]);
	member_lag_appended(ctx, first, entries, count);
	member_prefetch_appended(ctx, first, entries, count);
}

static void on_note(void *ctx, const struct raft_note *note)
{
	member_time_note(ctx, note);
}

static void on_changed(void *ctx, const struct raft_status *status)
{
	struct member *m = ctx;
	bool another = m->status.leader != status->leader || m->status.term != status->term;

	m->status = *status;
	if (status->leader)
		m->leaderless_ms = 0;
	else if (!m->leaderless_ms)
		m->leaderless_ms = member_now_ms(m);
	member_time_changed(m, status);
	if (another) {
		member_barrier_void(m);
		member_expiry_reset(m);
		member_horizon_reset(m);
		member_check_reset(m);
		m->register_due_ms = 0;
		m->alarm_due_ms = 0;
		m->level_proposed = 0;
		m->changing.rising = 0; /* how long somebody is within reach counts anew */
	}
	m->changing.announce_due_ms = 0;
	if (!status->membership_pending || MUTANT(removed_before_commit))
		member_note_removed(m, driver_membership(m->driver));
	m->events->changed(m->events->ctx, status);
}

static void on_failed(void *ctx, int error)
{
	member_fail(ctx, error);
}

static int member_open(struct member *m)
{
	struct store_options o = {
		.overlay_bytes = m->options.overlay_bytes,
		.header_cache_bytes = m->options.header_cache_bytes,
		.value_cache_bytes = m->options.value_cache_bytes,
		.logger = m->io->logger,
	};
	struct driver_stored stored;
	struct raft_status status;
	struct buf snapshot = {0};
	int rc = store_open(&m->store, m->engine, &o, &snapshot);

	stored.snapshot = buf_slice(&snapshot);
	if (rc == OK)
		rc = member_level_fits(m, store_position(m->store)->level);
	if (rc == OK) {
		txn_init(&m->txn, m->store);
		txn_init(&m->read_txn, m->store);
		rc = driver_new(&m->driver, &m->options.driver, m->io, &m->machine,
				&m->driver_events, &stored);
	}
	buf_free(&snapshot);
	if (rc != OK)
		return rc;
	if (driver_applied(m->driver) != store_position(m->store)->index)
		return ERR_CORRUPT;
	origin_init(&m->origin, driver_id(m->driver));
	/* An answer to an earlier run must not pass for one to this. */
	m->changing.number = m->io->random(m->io->ctx);
	m->install.request = m->io->random(m->io->ctx);
	driver_status(m->driver, &status);
	m->changing.earlier_term = status.term;
	if (!status.membership_pending)
		member_note_removed(m, driver_membership(m->driver));
	m->leaderless_ms = member_now_ms(m);
	member_time_init(m);
	member_say_quarantined(m);
	return OK;
}

int member_new(struct member **out, const struct member_options *options, const struct node_io *io,
	       struct engine *engine, const struct member_events *events)
{
	struct member *m = MEM_NEW(struct member);
	int rc;

	m->options = *options;
	m->io = io;
	m->engine = engine;
	m->events = events;
	m->tally.saved_ms = clock_wall_ms(&io->clock);
	m->driver_events = (struct driver_events){
		.ctx = m,
		.read_ready = on_read_ready,
		.appended = on_appended,
		.note = on_note,
		.changed = on_changed,
		.failed = on_failed,
	};
	member_prefetch_init(m);
	member_lag_init(m);
	list_init(&m->reads_waiting);
	list_init(&m->reads_at_once);
	list_init(&m->reads_flying);
	list_init(&m->shares);
	list_init(&m->share_jobs);
	list_init(&m->batches);
	list_init(&m->sessions);
	list_init(&m->touched);
	list_init(&m->full);
	list_init(&m->released);
	list_init(&m->monitors);
	list_init(&m->later);
	copy_waits_init(&m->copy_waits);
	slowlog_init(&m->slowlog);
	list_init(&m->ageing);
	request_pool_init(&m->requests);
	scan_names_init(&m->scan_names);
	list_init(&m->changing.asked);
	member_machine_init(m);
	rc = member_open(m);
	if (rc != OK) {
		member_free(m);
		return rc;
	}
	*out = m;
	return OK;
}

void member_free(struct member *m)
{
	struct list *it;

	if (!m)
		return;
	while (!list_empty(&m->sessions)) {
		it = m->sessions.next;
		session_close(LIST_ITEM(it, struct session, link));
	}
	while (!list_empty(&m->batches)) {
		it = m->batches.next;
		read_batch_free(LIST_ITEM(it, struct read_batch, link));
	}
	dry_run_free(m->dry_run);
	member_install_close(m);
	member_share_close(m);
	member_expiry_close(m);
	member_horizon_close(m);
	member_prefetch_close(m);
	member_lag_close(m);
	copy_waits_close(&m->copy_waits);
	store_cleaned(m->cleaning);
	origin_close(&m->origin);
	driver_free(m->driver);
	txn_close(&m->txn);
	txn_close(&m->read_txn);
	fetched_free(m->pinned);
	store_close(m->store);
	scan_names_close(&m->scan_names);
	command_stats_free(&m->tally.stats);
	slowlog_close(&m->slowlog);
	buf_free(&m->password);
	buf_free(&m->read_row);
	request_pool_close(&m->requests);
	mem_free(m->argv);
	mem_free(m);
}

void member_receive(struct member *m, uint64_t from, enum frame_kind kind, struct blob *body)
{
	if (m->failed)
		return;
	switch (kind) {
	case FRAME_FORWARD:
		member_forwarded(m, from, body);
		return;
	case FRAME_REGISTER:
		member_hear_registration(m, from, slice_of(body->data, body->len));
		return;
	case FRAME_FETCH:
		member_hear_fetch(m, body);
		return;
	case FRAME_ROWS:
		member_hear_rows(m, body);
		return;
	case FRAME_DIGESTS:
		member_hear_digests(m, from, slice_of(body->data, body->len));
		return;
	case FRAME_ALARM:
		member_hear_alarm(m, from, slice_of(body->data, body->len));
		return;
	case FRAME_CHANGE:
		member_hear_change(m, from, slice_of(body->data, body->len));
		return;
	case FRAME_CHANGED:
		member_hear_changed(m, slice_of(body->data, body->len));
		return;
	case FRAME_RAFT:
	case FRAME_BIRTH:
	case FRAME_WHO_LEADS:
	case FRAME_LEADS:
		break;
	}
	driver_receive(m->driver, kind, body);
}

void member_peer_connected(struct member *m, uint64_t peer)
{
	if (peer != m->status.leader)
		return;
	origin_send_again(&m->origin);
	member_check_tell_again(m);
}

void member_peer_gone(struct member *m, uint64_t peer)
{
	driver_peer_gone(m->driver, peer);
}

void member_turn(struct member *m)
{
	m->heard_ms = member_now_ms(m);
	if (!m->failed) {
		member_time_turn(m);
		member_expire_requests(m);
		member_pause_turn(m);
		member_release_sessions(m);
		member_lag_turn(m);
		member_write_turn(m);
		member_read_turn(m);
		member_expiry_turn(m);
		member_horizon_turn(m);
		member_level_turn(m);
		member_check_turn(m);
		member_alarm_turn(m);
		member_change_turn(m);
		driver_turn(m->driver);
		member_change_done(m);
		member_prefetch_turn(m);
		member_read_launch(m);
		member_install_turn(m);
		member_share_turn(m);
		member_store_turn(m);
	}
	member_later_turn(m);
	member_tell_sessions(m);
}

uint64_t member_deadline_ms(const struct member *m)
{
	uint64_t due = driver_deadline_ms(m->driver);

	if (m->failed)
		return UINT64_MAX;
	due = MIN(due, MIN(member_request_due_ms(m), member_install_due_ms(m)));
	due = MIN(due, MIN(member_expiry_due_ms(m), member_horizon_due_ms(m)));
	due = MIN(due, MIN(member_store_due_ms(m), member_alarm_due_ms(m)));
	due = MIN(due, MIN(member_change_due_ms(m), member_pause_due_ms(m)));
	due = MIN(due, MIN(member_later_due_ms(m), member_share_due_ms(m)));
	/* Without room for writes they wait for what is under way, which makes a turn of its own.
	 */
	if (!list_empty(&m->released) && !member_writes_full(m))
		due = 0;
	if (m->barrier_due_ms)
		due = MIN(due, m->barrier_due_ms);
	else if (!list_empty(&m->reads_waiting) && m->status.leader)
		due = 0;
	if (!m->origin.incarnation && m->status.leader)
		due = MIN(due, m->register_due_ms);
	if (m->status.leader && origin_unresolved(&m->origin))
		due = MIN(due, m->progress_ms + m->options.driver.raft.election_ms);
	return due;
}

void member_set_limits(struct member *m, const struct member_limits *limits)
{
	m->options.request_timeout_ms = limits->request_timeout_ms;
	m->options.history_retention_ms = limits->history_retention_ms;
	m->options.history_max_bytes = limits->history_max_bytes;
	if (m->options.share_bytes_per_s != limits->share_bytes_per_s)
		m->share_free_us = 0; /* what was given at another rate is forgotten */
	m->options.share_bytes_per_s = limits->share_bytes_per_s;
	m->options.check_interval_ms = limits->check_interval_ms;
	/* Both are looked for once more: what they wait for may be due now, or never. */
	m->horizon.due_ms = 0;
	m->check.due_ms = MIN(m->check.due_ms, member_now_ms(m) + limits->check_interval_ms);
}

void member_hand_over(struct member *m)
{
	int rc;

	if (m->failed || m->status.role != RAFT_LEADER || driver_membership(m->driver)->count == 1)
		return;
	rc = driver_transfer(m->driver, 0);
	if (rc != OK)
		LOG(m->io->logger, LOG_NOTICE, "leadership is not handed over: %s", error_text(rc));
}

bool member_is_idle(const struct member *m)
{
	return list_empty(&m->ageing);
}

void member_stats(const struct member *m, struct member_stats *out)
{
	*out = m->stats;
	out->quarantined = member_is_quarantined(m);
	out->no_space = position_alarm_stands(store_position(m->store), ALARM_NO_SPACE);
}

bool member_stopped(const struct member *m)
{
	return m->failed;
}

struct driver *member_driver(struct member *m)
{
	return m->driver;
}
