/*
 * Entries that are not in memory any more are read from disk, for followers and for applying; what
 * is committed goes to the machine, in order, and reads are told when it has come far enough.
 */

#include "base/check.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/mutant.h"
#include "node/driver_state.h"

#include <inttypes.h>

/* ---- entries from disk ----------------------------------------------------------------------- */

static void loading_free(struct loading *l)
{
	if (!l)
		return;
	list_remove(&l->link);
	log_read_free(&l->read);
	mem_free(l);
}

void driver_loads_close(struct driver *d)
{
	list_for_each_safe (it, &d->loads)
		loading_free(LIST_ITEM(it, struct loading, link));
}

/*
 * What cannot be read is needed by nobody here if the stored state holds it: others, if they ask
 * for it, get the state. True: this member goes on.
 */
static bool driver_let_go(struct driver *d, uint64_t index)
{
	uint64_t upto = driver_releasable(d);

	if (d->install != INSTALL_NONE || log_marked(d->log) || !log_let_go(d->log, index, upto))
		return false;
	LOG(d->io->logger, LOG_WARNING,
	    "entry %" PRIu64 " is damaged on disk; it is applied and stored: the log begins behind "
	    "%" PRIu64 " now",
	    index, log_base_index(d->log));
	driver_follow_log_base(d, upto);
	return true;
}

/*
 * What was durable cannot be read. The mark must be on disk before this member stops: the next
 * start finds the damaged place, and must not take it for the torn end of an append. False: it
 * stops; true: the entry is missed by nobody.
 */
static bool driver_bears_damage(struct driver *d, uint64_t index)
{
	struct log_damage damage = {.from_index = index, .to_index = index};
	struct log_batch batch = {.mark = &damage};

	if (driver_let_go(d, index))
		return true;
	LOG(d->io->logger, LOG_ERROR, "entry %" PRIu64 " is damaged on disk", index);
	if (!d->damage_ticket)
		d->damage_ticket = log_add(d->log, &batch);
	return false;
}

/*
 * Read for applying: kept until it is applied, however often the machine has to wait. Only what is
 * committed by now, for the rest may be cut off and become something else meanwhile.
 */
static void driver_load_kept(struct driver *d, struct loading *l, int rc)
{
	struct raft_status s;

	raft_status(d->raft, &s);
	d->apply_loading = false;
	if (rc != OK) {
		loading_free(l);
		return;
	}
	l->end = l->first + l->read.count;
	if (!MUTANT(replays_uncommitted))
		l->end = MIN(l->end, s.commit + 1);
	d->replay = l;
}

static void driver_load_done(struct job *job)
{
	struct loading *l = job->owner;
	struct driver *d = l->driver;
	int rc = log_read_complete(d->log, &l->read);

	if (rc == ERR_CORRUPT && !driver_bears_damage(d, l->first)) {
		loading_free(l);
		return;
	}
	if (rc == ERR_IO) {
		driver_fail(d, rc);
	} else if (!l->peer) {
		driver_load_kept(d, l, rc);
		return;
	} else {
		raft_loaded(d->raft, driver_now_ms(d), l->peer, l->first, l->read.entries,
			    l->read.count, rc);
	}
	loading_free(l);
}

/* Begins to read entries from `first` on. OK, or as log_read_start. */
static int loading_start(struct driver *d, uint64_t peer, uint64_t first, uint64_t max_bytes,
			 void (*done)(struct job *job))
{
	struct loading *l = MEM_NEW(struct loading);
	int rc;

	l->driver = d;
	l->peer = peer;
	l->first = first;
	rc = log_read_start(d->log, &l->read, first, max_bytes);
	if (rc != OK) {
		mem_free(l);
		return rc;
	}
	list_push_back(&d->loads, &l->link);
	l->read.job.owner = l;
	l->read.job.done = done;
	d->io->run(d->io->ctx, LANE_READ, &l->read.job);
	return OK;
}

void driver_load(struct driver *d, uint64_t peer, uint64_t first, uint64_t max_bytes)
{
	int rc = loading_start(d, peer, first, max_bytes, driver_load_done);

	if (rc == OK && !peer)
		d->apply_loading = true;
	else if (rc != OK && peer)
		raft_loaded(d->raft, driver_now_ms(d), peer, first, NULL, 0, rc);
}

/*
 * What was left unread at the start is read once for the sake of damage: it should be known before
 * somebody needs what it hit.
 */
static void driver_unread_done(struct job *job)
{
	struct loading *l = job->owner;
	struct driver *d = l->driver;
	int rc = log_read_complete(d->log, &l->read);

	if (rc == ERR_IO)
		driver_fail(d, rc);
	else if (l->read.error != ERR_CORRUPT || driver_bears_damage(d, l->first + l->read.count))
		d->unread_due_ms = driver_now_ms(d) + UNREAD_PAUSE_MS;
	loading_free(l);
}

void driver_unread_turn(struct driver *d)
{
	uint64_t first;

	if (driver_now_ms(d) < d->unread_due_ms)
		return;
	d->unread_due_ms = UINT64_MAX;
	first = log_unread(d->log);
	/* A log that has stopped is not read, and says so itself. */
	if (first)
		(void)!loading_start(d, 0, first, UNREAD_PIECE_SIZE, driver_unread_done);
}

/* ---- apply ----------------------------------------------------------------------------------- */

/*
 * What was read from disk, from the next entry to be applied on; NULL: nothing of use. A snapshot
 * may have overtaken it.
 */
static const struct entry *driver_replayed(struct driver *d, size_t *count)
{
	const struct loading *l = d->replay;
	uint64_t next = d->applied + 1;

	if (!l)
		return NULL;
	if (next < l->first || next >= l->end) {
		loading_free(d->replay);
		d->replay = NULL;
		return NULL;
	}
	*count = (size_t)(l->end - next);
	return &l->read.entries[next - l->first];
}

/* The next entries to be applied, as far as they are in memory; NULL: none is. */
static const struct entry *driver_next_entries(struct driver *d, size_t *count)
{
	const struct entry *e = driver_replayed(d, count);

	return e ? e : raft_committed(d->raft, d->applied + 1, count);
}

/* False when the machine has to wait for something first. */
static bool driver_apply_some(struct driver *d, uint64_t first, const struct entry *entries,
			      size_t count)
{
	bool goes_on = true;

	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			driver_crash_point(d, CRASH_BETWEEN_APPLIES);
		CHECK(first + i == d->applied + 1);
		goes_on = d->machine->apply(d->machine->ctx, first + i, &entries[i]);
		if (!goes_on)
			break;
		d->applied = first + i;
	}
	d->apply_waits = !goes_on;
	raft_applied(d->raft, d->applied);
	return goes_on;
}

/* A machine that waits says so by a job's end, which brings the next turn. */
bool driver_apply(struct driver *d)
{
	uint64_t left = d->options.apply_slice;
	struct raft_status s;

	raft_status(d->raft, &s);
	if (d->install == INSTALL_SWAPPING || d->apply_loading)
		return false;
	while (d->applied < s.commit) {
		const struct entry *e;
		size_t n;

		if (left == 0)
			return true;
		e = driver_next_entries(d, &n);
		if (!e) {
			driver_load(d, 0, d->applied + 1, d->options.raft.append_bytes);
			return false;
		}
		n = (size_t)MIN((uint64_t)n, MIN(left, s.commit - d->applied));
		if (!driver_apply_some(d, d->applied + 1, e, n))
			return false;
		left -= n;
	}
	return false;
}

void driver_answer_reads(struct driver *d)
{
	size_t kept = 0;

	for (size_t i = 0; i < d->read_count; i++) {
		struct waiting_read read = d->reads[i];

		if (read.index <= d->applied || MUTANT(read_before_applied))
			d->events->read_ready(d->events->ctx, read.request);
		else
			d->reads[kept++] = read;
	}
	d->read_count = kept;
}
