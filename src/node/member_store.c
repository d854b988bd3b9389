/* The state machine's store as the driver wants it: stored, told of, taken over from others. */

#include "base/check.h"
#include "base/error.h"
#include "base/logging.h"
#include "node/member_state.h"

/* What a flush waits for each time that the engine is over its limits, and the most it does. */
#define PRESSURE_WAIT_MS     500
#define PRESSURE_WAIT_MAX_MS 10000

/*
 * Changes of at least this part of a full overlay are stored when nothing follows them for so long.
 * Small files are merged as dearly as large ones: those of just this part come at this pace, larger
 * ones sooner.
 */
#define REST_PART    32
#define REST_MS	     500
#define REST_PACE_MS 10000

/* While a member is short of space, what is dead goes as soon as that. */
#define SPACE_PACE_MS 1000u

static bool machine_apply(void *ctx, uint64_t index, const struct entry *e)
{
	return member_apply(ctx, index, e);
}

static bool machine_is_within(void *ctx)
{
	const struct member *m = ctx;

	return m->applying.index != 0;
}

/* Each time costs some syncs, and files that have to be merged; without space that is cheap. */
static uint64_t compact_pace_ms(const struct member *m)
{
	return member_has_alarm(m) ? MIN(SPACE_PACE_MS, m->options.compact_pace_ms)
				   : m->options.compact_pace_ms;
}

/*
 * When the state is stored although there is room for more: the horizon has moved, and what is
 * below it cannot leave the engine before the engine knows.
 */
static uint64_t horizon_store_due_ms(const struct member *m)
{
	const struct position *p = store_position(m->store);

	if (p->horizon == store_durable_horizon(m->store) || store_is_writing(m->store) ||
	    m->applying.index || m->install.phase == INSTALL_ADOPTING ||
	    !driver_can_store(m->driver))
		return UINT64_MAX;
	return m->stored_ms + compact_pace_ms(m);
}

/*
 * While the engine is behind with merging, each flush waits a while after the one before. So
 * overlays fill up, and applying lags, as everybody can see, but it goes on.
 */
static uint64_t calm_due_ms(const struct member *m)
{
	return m->stored_ms +
	       MIN(store_pressure(m->store) * PRESSURE_WAIT_MS, PRESSURE_WAIT_MAX_MS);
}

static uint64_t flush_due_ms(const struct member *m)
{
	if (!store_wants_flush(m->store) || store_is_writing(m->store))
		return UINT64_MAX;
	return calm_due_ms(m);
}

/* When changes are stored that nothing follows: after a start they would be applied once more. */
static uint64_t rest_due_ms(const struct member *m)
{
	size_t bytes = store_live_bytes(m->store);
	size_t least = MAX(m->options.overlay_bytes / REST_PART, (size_t)1);

	if (bytes < least || m->rest.changes != m->changes || store_is_writing(m->store) ||
	    m->applying.index || m->install.phase == INSTALL_ADOPTING ||
	    !driver_can_store(m->driver))
		return UINT64_MAX;
	return MAX(m->rest.since_ms + REST_MS,
		   MAX(m->stored_ms + REST_PACE_MS * least / bytes, calm_due_ms(m)));
}

static void rest_turn(struct member *m)
{
	if (m->rest.changes == m->changes)
		return;
	m->rest.changes = m->changes;
	m->rest.since_ms = member_now_ms(m);
}

static bool machine_wants_store(void *ctx)
{
	struct member *m = ctx;

	return m->save_index > store_durable_index(m->store) ||
	       member_now_ms(m) >=
		       MIN(MIN(flush_due_ms(m), rest_due_ms(m)), horizon_store_due_ms(m));
}

static struct job *machine_store(void *ctx, const struct snapshot *s)
{
	struct member *m = ctx;
	struct buf descriptor = {0};
	struct job *job;

	/* What is stored is the state that the descriptor speaks of. */
	CHECK(store_flush_failed(m->store) || store_position(m->store)->index == s->index);
	m->stored_ms = member_now_ms(m);
	snapshot_encode(s, &descriptor);
	job = store_flush(m->store, buf_slice(&descriptor));
	buf_free(&descriptor);
	return job;
}

static int machine_store_done(void *ctx, struct buf *where)
{
	struct member *m = ctx;
	int rc = store_flushed(m->store);

	(void)where; /* others ask for the state by its index */
	if (rc == OK)
		m->tally.saved_ms = clock_wall_ms(&m->io->clock);
	else if (rc != ERR_NO_SPACE)
		member_fail(m, rc);
	return rc;
}

static struct job *machine_install_fetch(void *ctx, uint64_t from, const struct snapshot *s)
{
	return member_install_fetch(ctx, from, s);
}

static int machine_install_fetched(void *ctx)
{
	return member_install_fetched(ctx);
}

static struct job *machine_install_swap(void *ctx)
{
	return member_install_swap(ctx);
}

static int machine_install_done(void *ctx)
{
	return member_install_done(ctx);
}

static void machine_install_drop(void *ctx)
{
	member_install_drop(ctx);
}

void member_machine_init(struct member *m)
{
	m->machine = (struct machine){
		.ctx = m,
		.apply = machine_apply,
		.is_within = machine_is_within,
		.wants_store = machine_wants_store,
		.store = machine_store,
		.store_done = machine_store_done,
		.install_fetch = machine_install_fetch,
		.install_fetched = machine_install_fetched,
		.install_swap = machine_install_swap,
		.install_done = machine_install_done,
		.install_drop = machine_install_drop,
	};
}

static void cleaning_done(struct job *job)
{
	struct member *m = job->owner;

	m->cleaning = NULL;
	store_cleaned(job);
}

/* What nobody reads any more is closed by another thread. */
static void clean_turn(struct member *m)
{
	if (m->cleaning)
		return;
	m->cleaning = store_clean(m->store);
	if (!m->cleaning)
		return;
	m->cleaning->done = cleaning_done;
	m->cleaning->owner = m;
	m->io->run(m->io->ctx, LANE_READ, m->cleaning);
}

/* ---- what is dead ---------------------------------------------------------------------------- */

static uint64_t compact_due_ms(const struct member *m)
{
	if (store_is_compacting(m->store) || !store_wants_compact(m->store) ||
	    m->install.phase == INSTALL_ADOPTING)
		return UINT64_MAX;
	return m->compact_due_ms;
}

static void compact_done(struct job *job)
{
	struct member *m = job->owner;
	int rc = store_compacted(m->store);

	if (rc == ERR_NO_SPACE)
		LOG(m->io->logger, LOG_WARNING, "what is dead stays: %s", error_text(rc));
	else if (rc != OK)
		member_fail(m, rc);
	else if (store_compact_goes_on(m->store))
		m->compact_due_ms = 0;
}

/* In the writer's lane: so never while another file goes in. */
static void compact_turn(struct member *m)
{
	struct job *job;

	if (member_now_ms(m) < compact_due_ms(m))
		return;
	m->compact_due_ms = member_now_ms(m) + compact_pace_ms(m);
	job = store_compact(m->store, member_has_alarm(m));
	job->done = compact_done;
	job->owner = m;
	m->io->run(m->io->ctx, LANE_SNAPSHOT, job);
}

void member_store_turn(struct member *m)
{
	rest_turn(m);
	clean_turn(m);
	compact_turn(m);
}

uint64_t member_store_due_ms(const struct member *m)
{
	uint64_t due_ms = MIN(compact_due_ms(m), horizon_store_due_ms(m));

	/* Only one that has to wait: what could begin at once has begun, or waits for others. */
	if (store_pressure(m->store) && flush_due_ms(m) > member_now_ms(m))
		due_ms = MIN(due_ms, flush_due_ms(m));
	if (rest_due_ms(m) > member_now_ms(m))
		due_ms = MIN(due_ms, rest_due_ms(m));
	return due_ms;
}
