/* The rules between members: what no single one of them can see. */

#include "base/error.h"
#include "base/hash.h"
#include "base/mem.h"
#include "world.h"

#include <inttypes.h>

static uint64_t entry_digest(const struct entry *e)
{
	return hash64_salted(entry_payload(e), e->kind);
}

static bool entries_equal(const struct entry *a, const struct entry *b)
{
	return a->term == b->term && a->kind == b->kind &&
	       slice_equal(entry_payload(a), entry_payload(b));
}

/* Leader completeness: who leads a term has everything that was committed in the terms before. */
static void check_complete(struct world *w, const struct world_node *n, uint64_t term)
{
	for (size_t i = 0; i < w->committed_count; i++) {
		const struct entry *e = image_entry(&n->log, i + 1);

		if (i + 1 <= n->log.base || w->committed[i].office >= term)
			continue;
		if (!e || e->term != w->committed[i].term ||
		    entry_digest(e) != w->committed[i].digest)
			world_break(w, "%" PRIu64 " leads without committed entry %zu", n->id,
				    i + 1);
	}
}

/* Election safety: at most one leader in a term. */
static void check_office(struct world *w, const struct world_node *n, uint64_t term)
{
	for (size_t i = 0; i < w->office_count; i++) {
		if (w->offices[i].term != term)
			continue;
		if (w->offices[i].leader != n->id)
			world_break(w, "%" PRIu64 " and %" PRIu64 " both lead term %" PRIu64,
				    w->offices[i].leader, n->id, term);
		return;
	}
	MEM_GROW(w->offices, w->office_cap, w->office_count + 1);
	w->offices[w->office_count++] = (struct office){term, n->id};
}

void world_check_node(struct world *w, const struct world_node *n)
{
	const char *broken = raft_broken(n->raft);
	struct raft_status s;

	if (broken)
		world_break(w, "node %" PRIu64 ": %s", n->id, broken);
	raft_status(n->raft, &s);
	if (w->forged || s.role != RAFT_LEADER)
		return;
	check_office(w, n, s.term);
	if (n->told.role != RAFT_LEADER || n->told.term != s.term)
		check_complete(w, n, s.term);
}

/* What a leader has just committed is on the disks of a majority. */
static void check_backed(struct world *w, const struct world_node *n, uint64_t commit)
{
	const struct membership *m = raft_membership(n->raft);
	uint64_t term = image_term(&n->log, commit);
	uint32_t holds = 0;

	for (uint32_t i = 0; i < m->count; i++) {
		const struct world_node *other = world_node(w, m->members[i].id);

		if (other && (image_term(&other->disk, commit) == term ||
			      other->disk.base >= commit || other->stored.index >= commit))
			holds |= (uint32_t)1 << i;
	}
	if (!membership_majority(m, holds))
		world_break(w, "%" PRIu64 " commits %" PRIu64 " without a majority of disks", n->id,
			    commit);
}

void world_check_commit(struct world *w, const struct world_node *n, uint64_t commit)
{
	struct raft_status s;

	if (w->forged)
		return;
	raft_status(n->raft, &s);
	if (s.role == RAFT_LEADER && commit > n->applied && !w->damaged)
		check_backed(w, n, commit);
	for (uint64_t index = n->applied + 1; index <= commit; index++) {
		const struct entry *e = image_entry(&n->log, index);
		struct committed c;

		if (!e) {
			if (index > n->log.base)
				world_break(w, "%" PRIu64 " commits %" PRIu64 ", which it lacks",
					    n->id, index);
			continue;
		}
		c = (struct committed){e->term, entry_digest(e), s.term};
		if (index == w->committed_count + 1) {
			MEM_GROW(w->committed, w->committed_cap, w->committed_count + 1);
			w->committed[w->committed_count++] = c;
		} else if (index > w->committed_count) {
			world_break(w, "%" PRIu64 " commits %" PRIu64 " before %zu", n->id, index,
				    w->committed_count + 1);
		} else if (w->committed[index - 1].term != c.term ||
			   w->committed[index - 1].digest != c.digest) {
			world_break(w, "%" PRIu64 " commits another entry %" PRIu64, n->id, index);
		}
	}
}

/* Log matching: where two logs have an entry of the same term, they are equal up to there. */
static void check_pair(struct world *w, const struct world_node *a, const struct world_node *b)
{
	uint64_t low = a->log.base > b->log.base ? a->log.base : b->log.base;
	uint64_t last_a = image_last(&a->log), last_b = image_last(&b->log);
	bool match = false;

	for (uint64_t i = last_a < last_b ? last_a : last_b; i > low; i--) {
		const struct entry *x = image_entry(&a->log, i);
		const struct entry *y = image_entry(&b->log, i);

		if (x->term == y->term)
			match = true;
		if (match && !entries_equal(x, y)) {
			world_break(w, "logs of %" PRIu64 " and %" PRIu64 " differ at %" PRIu64,
				    a->id, b->id, i);
			return;
		}
	}
}

void world_check_logs(struct world *w, const struct world_node *n)
{
	if (w->forged)
		return;
	for (size_t i = 0; i < WORLD_NODES; i++)
		if (w->nodes[i].id && w->nodes[i].id != n->id)
			check_pair(w, n, &w->nodes[i]);
}
