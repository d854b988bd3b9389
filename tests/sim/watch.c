/*
 * What must hold after every step, looked at from outside with knowledge that no member has:
 *
 *  - each member's own rules (raft_valid.c)
 *  - election safety, and what else holds for leaders (watch_office.c)
 *  - log matching: an (index, term) names one entry and one past
 *  - commits agree, and stand on a majority of disks when they are first seen
 *  - state machine safety: every member applies the same entry at an index, and its state
 *    has the same digest after it
 */

#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"
#include "checker/linearize.h"
#include "consensus/raft_state.h"
#include "sim/mode.h"
#include "sim/watch_parts.h"
#include "storage/log.h"

#include <inttypes.h>
#include <string.h>

static uint64_t entry_hash(const struct entry *e)
{
	return hash64_pair(hash64_salted(entry_payload(e), e->kind),
			   hash64_pair(e->term, e->stamp));
}

/* ---- log matching ---------------------------------------------------------------------------- */

static struct entry_seen *seen_find(struct world *w, uint64_t index, uint64_t term)
{
	struct hash_node *n = hash_table_first(&w->entries_seen, hash64_pair(index, term));

	for (; n; n = hash_table_next(n)) {
		struct entry_seen *s = CONTAINER_OF(n, struct entry_seen, node);

		if (s->index == index && s->term == term)
			return s;
	}
	return NULL;
}

static void count_entry(struct world *w, const struct entry *e)
{
	if (e->kind == ENTRY_NOOP)
		COUNT(w, ENTRY_NOOP_COUNT);
	else if (e->kind == ENTRY_MEMBERSHIP)
		COUNT(w, ENTRY_MEMBERSHIP_COUNT);
	else
		COUNT(w, ENTRY_COMMAND_COUNT);
}

static struct entry_seen *seen_add(struct world *w, uint64_t index, uint64_t term, uint64_t chain)
{
	struct entry_seen *s = MEM_NEW(struct entry_seen);

	s->index = index;
	s->term = term;
	s->chain = chain;
	hash_table_insert(&w->entries_seen, &s->node, hash64_pair(index, term));
	return s;
}

/* The hash over the log up to `index`, as it was when that entry was first seen anywhere. */
static uint64_t chain_before(struct world *w, const struct raft *r, uint64_t index)
{
	struct entry_seen *s;

	if (index == 0)
		return 0;
	s = seen_find(w, index, raft_term_at(r, index));
	return s ? s->chain : 0;
}

static void watch_entry(struct host *h, const struct raft *r, uint64_t index)
{
	struct world *w = h->world;
	uint64_t term = raft_term_at(r, index), chain;
	struct entry_seen *s = seen_find(w, index, term);
	size_t n;
	const struct entry *e = raft_log_span(&r->log, index, index, &n);

	COUNT(w, CHECK_MATCHING);
	if (!e) {
		/* Read back at a start: it must be something that was written once. */
		if (!s)
			world_fail(w,
				   "%s has entry %" PRIu64 " of term %" PRIu64
				   " on disk, which nobody ever appended",
				   h->name, index, term);
		return;
	}
	chain = hash64_pair(chain_before(w, r, index - 1), entry_hash(e));
	if (!s) {
		count_entry(w, e);
		seen_add(w, index, term, chain);
		if (e->kind == ENTRY_MEMBERSHIP && r->role == RAFT_LEADER && term == r->hard.term)
			watch_membership(h, r, index);
		return;
	}
	if (s->chain != chain)
		world_fail(w,
			   "log matching: %s has another entry %" PRIu64 " of term %" PRIu64
			   ", or another past before it",
			   h->name, index, term);
}

/* Looks at what was appended since; a log changes only at its end. */
static void watch_log(struct host *h, const struct raft *r)
{
	uint64_t base = r->log.base, last = r->log.last, from;

	if (h->log_first != base + 1 || !h->log_cap) {
		uint64_t gone = base + 1 > h->log_first ? base + 1 - h->log_first : 0;

		if (gone >= h->log_len || base + 1 < h->log_first)
			h->log_len = 0;
		else
			for (size_t i = 0; i + gone < h->log_len; i++)
				h->chain[i] = h->chain[i + gone];
		h->log_len = h->log_len > gone ? h->log_len - (size_t)gone : 0;
		h->log_first = base + 1;
	}
	from = MIN(last + 1, base + 1 + h->log_len);
	if (last < base + h->log_len)
		COUNT(h->world, TRUNCATION);
	while (from > base + 1 && h->chain[from - base - 2].term != raft_term_at(r, from - 1)) {
		COUNT(h->world, TRUNCATION);
		from--;
	}
	MEM_GROW(h->chain, h->log_cap, (size_t)(last - base));
	for (; from <= last; from++) {
		watch_entry(h, r, from);
		h->chain[from - base - 1].term = raft_term_at(r, from);
	}
	h->log_len = (size_t)(last - base);
}

/* ---- commit ---------------------------------------------------------------------------------- */

struct committed *watch_committed_at(struct world *w, uint64_t index)
{
	if (index >= w->committed_cap) {
		size_t cap = mem_grown_capacity(w->committed_cap, (size_t)index + 1);

		w->committed = mem_resize(w->committed, cap, sizeof(*w->committed));
		for (size_t i = w->committed_cap; i < cap; i++)
			w->committed[i] = (struct committed){0};
		w->committed_cap = cap;
	}
	return &w->committed[index];
}

static bool host_holds(const struct host *h, uint64_t index, uint64_t term)
{
	const struct raft *r;

	r = driver_raft(h->driver);
	return index <= r->log.base || (index <= r->log.durable && raft_term_at(r, index) == term);
}

/*
 * Whether the leader has known all through this turn that the member's log is damaged. A late word
 * of an earlier damage may have come in the same turn, behind acknowledgements that count.
 */
static bool known_damaged(const struct host *h, const struct raft *r, uint64_t id)
{
	for (size_t i = 0; i < r->peer_count; i++) {
		const struct peer *p = &r->peers[i];

		if (p->id != id || !p->damaged)
			continue;
		for (size_t j = 0; j < h->damaged_count; j++)
			if (h->damaged_peers[j].id == id && h->damaged_peers[j].nonce == p->nonce)
				return true;
	}
	return false;
}

static void watch_damaged_peers(struct host *h, const struct raft *r)
{
	h->damaged_count = 0;
	for (size_t i = 0; i < r->peer_count && h->damaged_count < SIM_HOSTS_MAX; i++) {
		const struct peer *p = &r->peers[i];

		if (r->role != RAFT_LEADER || !p->damaged)
			continue;
		h->damaged_peers[h->damaged_count].id = p->id;
		h->damaged_peers[h->damaged_count++].nonce = p->nonce;
	}
}

static bool stands_on_majority(struct host *h, const struct raft *r, const struct membership *m,
			       uint64_t index)
{
	uint32_t mask = 0;

	for (uint32_t i = 0; i < m->count; i++) {
		struct host *other = host_by_id(h->world, m->members[i].id);

		if (known_damaged(h, r, m->members[i].id))
			continue;
		/* Of a disk that is lost or not running nobody can tell what it held. */
		if (!other || other->suspect || other->state == HOST_DOWN ||
		    host_holds(other, index, raft_term_at(r, index)))
			mask |= (uint32_t)1 << i;
	}
	return watch_decides(m, mask);
}

/* The leader that commits an index first must have a majority of disks behind it. */
static void watch_durable(struct host *h, const struct raft *r, uint64_t index)
{
	size_t n = r->membership_count;

	if (r->role != RAFT_LEADER)
		return;
	COUNT(h->world, CHECK_DURABLE);
	/* The newest may have been appended in this very turn, after the commit. */
	if (!stands_on_majority(h, r, &r->memberships[n - 1]->membership, index) &&
	    (n < 2 || !stands_on_majority(h, r, &r->memberships[n - 2]->membership, index)))
		world_fail(h->world, "%s commits entry %" PRIu64 " which no majority has on disk",
			   h->name, index);
}

/* Who was removed once stays so: the list of a later membership has all of an earlier one's. */
static void note_removed(struct world *w, const struct membership *m)
{
	if (m->removed_count <= w->removed_count)
		return;
	MEM_GROW(w->removed, w->removed_cap, m->removed_count);
	memcpy(w->removed, m->removed, m->removed_count * sizeof(*m->removed));
	w->removed_count = m->removed_count;
}

bool watch_was_removed(const struct world *w, uint64_t id)
{
	for (size_t i = 0; i < w->removed_count; i++)
		if (w->removed[i] == id)
			return true;
	return false;
}

static void watch_commit(struct host *h, const struct raft *r)
{
	struct world *w = h->world;

	for (uint64_t i = MAX(h->seen_commit, r->log.base) + 1; i <= r->commit; i++) {
		struct committed *c = watch_committed_at(w, i);
		uint64_t term = raft_term_at(r, i);

		COUNT(w, CHECK_COMMIT);
		if (c->term && c->term != term)
			world_fail(w,
				   "%s commits entry %" PRIu64 " of term %" PRIu64
				   ", but one of term %" PRIu64 " was committed there",
				   h->name, i, term, c->term);
		if (!c->term) {
			watch_durable(h, r, i);
			note_removed(w, raft_membership_at(r, i));
		}
		c->in_term = c->term ? MIN(c->in_term, r->hard.term) : r->hard.term;
		c->term = term;
		w->committed_last = MAX(w->committed_last, i);
	}
	h->seen_commit = r->commit;
}

/* What a member's process has shown of its disk, to be held against what it finds at its start. */
static void watch_disk(struct host *h, const struct raft *r)
{
	h->disk_last = r->log.durable;
	h->disk_last_term = raft_term_at(r, r->log.durable);
	if (r->writing_count == 0) {
		h->disk_term = r->hard.term;
		h->disk_vote = r->hard.vote;
	}
}

/*
 * Whether the log was begun anew behind a state from another member with which it disagreed: the
 * process ended between putting the state in place and saying so to the log.
 */
static bool overruled_by_state(const struct host *h, const struct raft *r)
{
	struct state_seen state = h->world->mode->state(h);
	uint64_t index = state.index;

	return r->log.base == index && r->log.last == index && index >= h->log_first &&
	       index - h->log_first < h->log_len &&
	       h->chain[index - h->log_first].term != state.term;
}

/* Nothing that was on disk is gone, unless the member says so. */
static void watch_kept(struct host *h, const struct raft *r)
{
	COUNT(h->world, CHECK_KEPT);
	if (r->damaged || h->disk_id != h->id)
		return;
	if (r->hard.term < h->disk_term ||
	    (r->hard.term == h->disk_term && h->disk_vote && r->hard.vote != h->disk_vote))
		world_fail(h->world, "%s has forgotten its term or its vote", h->name);
	if (overruled_by_state(h, r))
		return;
	if (r->log.last < h->disk_last ||
	    (r->log.base <= h->disk_last && raft_term_at(r, h->disk_last) < h->disk_last_term))
		world_fail(h->world,
			   "%s has lost entries that were on its disk and does not say so",
			   h->name);
}

/* A minute, and what clocks may jump between a hello and the birth: no fault of the members. */
#define BIRTH_APART_MS INT64_C(80000)

static void watch_birth(struct host *h)
{
	struct world *w = h->world;
	int64_t least = h->wall_skew_ms, most = h->wall_skew_ms;

	COUNT(w, BIRTH);
	if (w->born)
		return;
	w->born = true;
	COUNT(w, CHECK_CLOCKS);
	for (unsigned i = 0; i < w->profile.members; i++) {
		least = MIN(least, w->hosts[i].wall_skew_ms);
		most = MAX(most, w->hosts[i].wall_skew_ms);
	}
	if (most - least > BIRTH_APART_MS)
		world_fail(w, "the cluster is born with clocks that are %" PRId64 " ms apart",
			   most - least);
}

/* Where nothing was found although all was read, what was flipped did not matter. */
static void watch_suspicion(struct host *h)
{
	if (h->suspect && !h->seen_damaged && !h->wiped && !h->rotten && !h->flip_jobs &&
	    !log_unread(driver_log(h->driver)))
		h->suspect = false;
}

void watch_turn(struct host *h)
{
	struct world *w = h->world;
	const struct raft *r = driver_raft(h->driver);
	const char *broken = raft_broken(r);

	COUNT(w, CHECK_RULES);
	if (broken)
		world_fail(w, "%s breaks a rule: %s", h->name, broken);
	watch_log(h, r);
	if (r->commit < h->seen_commit)
		world_fail(w, "%s takes back what it had committed", h->name);
	watch_commit(h, r);
	watch_damaged_peers(h, r);
	watch_disk(h, r);
	if (r->role == RAFT_LEADER)
		watch_office(h, r);
	if (watch_leads_anew(h, r))
		watch_new_leader(h, r);
	h->seen_role = r->role;
	h->seen_term = r->hard.term;
	if (r->log.base > h->seen_base)
		COUNT(w, LOG_RELEASED);
	h->seen_base = r->log.base;
	if (h->seen_damaged && !r->damaged) {
		COUNT(w, DAMAGE_CLEARED);
		h->suspect = false;
	}
	h->seen_damaged = r->damaged;
	if (h->seen_born < r->hard.born)
		watch_birth(h);
	h->seen_born = r->hard.born;
	if (raft_membership(r)->joint && !h->seen_joint)
		COUNT(w, CHANGE_JOINT);
	h->seen_joint = raft_membership(r)->joint;
	if (h->left_unread && !log_unread(driver_log(h->driver))) {
		h->left_unread = false;
		watch_suspicion(h);
	}
	if (h->flip_jobs && log_stats(driver_log(h->driver)).jobs >= h->flip_jobs)
		h->flip_jobs = 0;
}

void watch_started(struct host *h)
{
	struct state_seen state = h->world->mode->state(h);
	const struct raft *r = driver_raft(h->driver);

	watch_kept(h, r);
	if (h->disk_id != h->id)
		h->disk_term = h->disk_vote = 0;
	h->disk_id = h->id;
	h->disk_term = r->hard.term;
	h->disk_vote = r->hard.vote;
	h->disk_last = 0;
	h->disk_last_term = 0;
	h->damaged_count = 0;
	h->seen_role = RAFT_FOLLOWER;
	h->seen_term = r->hard.term;
	h->seen_commit = r->commit;
	h->seen_base = r->log.base;
	h->seen_born = r->hard.born;
	h->log_len = 0;
	h->log_first = r->log.base + 1;
	if (r->damaged && !h->seen_damaged) {
		COUNT(h->world, DAMAGE_MARKED);
		/* A mark that was about to be cleared may still stand after a crash. */
		if (!h->suspect && h->marked_id != h->id)
			world_fail(h->world, "%s finds damage where there was none", h->name);
	}
	h->seen_damaged = r->damaged;
	h->left_unread = log_unread(driver_log(h->driver));
	if (h->left_unread)
		COUNT(h->world, LOG_LEFT_UNREAD);
	watch_suspicion(h);
	if (r->damaged)
		h->marked_id = h->id;
	if (state.index)
		watch_installed(h, state.index, state.digest);
}

void watch_died(struct host *h)
{
	h->flip_jobs = 0;
}

/* ---- applying -------------------------------------------------------------------------------- */

void watch_apply(struct host *h, uint64_t index, const struct entry *e, uint64_t digest)
{
	struct world *w = h->world;
	struct committed *c = watch_committed_at(w, index);
	uint64_t hash = entry_hash(e);

	COUNT(w, CHECK_APPLY);
	if (c->hash && (c->hash != hash || c->digest != digest))
		world_fail(w, "%s applies another entry %" PRIu64 " than the others", h->name,
			   index);
	if (c->term && c->term != e->term)
		world_fail(w,
			   "%s applies entry %" PRIu64 " of term %" PRIu64
			   ", committed was one of term %" PRIu64,
			   h->name, index, e->term, c->term);
	c->hash = hash;
	c->digest = digest;
}

void watch_installed(struct host *h, uint64_t index, uint64_t digest)
{
	const struct committed *c = watch_committed_at(h->world, index);

	COUNT(h->world, CHECK_APPLY);
	if (c->digest && c->digest != digest)
		world_fail(h->world, "%s holds another state at %" PRIu64 " than the others",
			   h->name, index);
	h->seen_commit = MAX(h->seen_commit, index);
}

void watch_rows(struct host *h, uint64_t index, uint64_t hash)
{
	struct committed *c = watch_committed_at(h->world, index);

	COUNT(h->world, CHECK_ROWS);
	if (c->rows && c->rows != hash)
		world_fail(h->world, "%s holds other rows at %" PRIu64 " than the others", h->name,
			   index);
	c->rows = hash;
}

/* ---- the end --------------------------------------------------------------------------------- */

static void watch_history(struct world *w)
{
	struct buf report = {0};
	struct linearize_result result;

	COUNT(w, CHECK_HISTORY);
	result = linearize_check(&w->history, LINEARIZE_STEPS, &report);
	if (result.verdict != LINEARIZE_PASS) {
		buf_append_byte(&report, 0);
		world_fail(w, "history: %s on key %" PRIu64 " (%" PRIu64 " steps)\n%s",
			   linearize_verdict_name(result.verdict), result.key, result.steps,
			   (const char *)report.data);
	}
	buf_free(&report);
}

/* How it stands with everybody, for whoever reads the trace. */
static void describe_host(struct host *h)
{
	struct buf members = {0};
	const struct membership *m;
	struct raft_status s;

	if (h->state == HOST_DOWN) {
		TRACE(h->world, h, "down%s%s%s", h->joins ? ", joins" : "",
		      h->wiped ? ", wiped" : "", h->suspect ? ", suspect" : "");
		return;
	}
	driver_status(h->driver, &s);
	m = driver_membership(h->driver);
	for (uint32_t i = 0; i < m->count; i++) {
		const struct host *member = host_by_id(h->world, m->members[i].id);

		buf_printf(&members, " %s:%x", member ? member->name : "lost",
			   (unsigned)m->members[i].roles);
	}
	TRACE(h->world, h,
	      "%s term %" PRIu64 " log %" PRIu64 "..%" PRIu64 " of term %" PRIu64 " commit %" PRIu64
	      " applied %" PRIu64 "%s%s%s%s, members%.*s",
	      raft_role_name(s.role), s.term, s.base, s.last,
	      raft_term_at(driver_raft(h->driver), s.last), s.commit,
	      h->world->mode->state(h).index, s.born ? "" : ", unborn",
	      s.damaged ? ", damaged" : "", s.installing ? ", installing" : "",
	      h->wiped ? ", wiped" : "", (int)members.len, (const char *)members.data);
	buf_free(&members);
	watch_company_describe(h);
}

static void watch_equal(struct world *w)
{
	struct host *leader = world_leader(w);
	struct state_seen state;

	COUNT(w, CHECK_LIVENESS);
	if (!leader) {
		world_fail(w, "nobody leads although the faults are over");
		return;
	}
	if (w->ops_in_calm == 0)
		world_fail(w, "no client was served although the faults are over");
	COUNT(w, CHECK_EQUAL);
	state = w->mode->state(leader);
	for (unsigned i = 0; i < w->host_count; i++) {
		struct host *h = &w->hosts[i];
		struct state_seen own;

		if (!host_takes_part(h))
			continue;
		if (h->state != HOST_UP) {
			world_fail(w, "%s takes part and does not run in the end", h->name);
			return;
		}
		own = w->mode->state(h);
		if (own.index != state.index || own.digest != state.digest)
			world_fail(w,
				   "%s is at %" PRIu64 " and the leader at %" PRIu64
				   " although the faults are over",
				   h->name, own.index, state.index);
	}
}

void watch_end(struct world *w)
{
	for (unsigned i = 0; i < w->host_count && w->trace; i++)
		describe_host(&w->hosts[i]);
	if (!w->failure[0])
		watch_equal(w);
	if (!w->failure[0] && world_leader(w))
		w->mode->clients_look(w);
	if (!w->failure[0] && w->history.len)
		watch_history(w);
}

void watch_close(struct world *w)
{
	struct hash_node *n;

	while ((n = hash_table_any(&w->entries_seen)) != NULL) {
		hash_table_remove(&w->entries_seen, n);
		mem_free(CONTAINER_OF(n, struct entry_seen, node));
	}
	hash_table_close(&w->entries_seen);
	mem_free(w->committed);
	mem_free(w->removed);
	mem_free(w->leaders);
}
