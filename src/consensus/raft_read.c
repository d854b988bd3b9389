/*
 * Read indexes. The leader answers with its commit index once a majority has confirmed, after the
 * question, that it still leads. A round of heartbeats carries a number that the leader makes and
 * never uses twice in its term: an acknowledgement of an earlier round confirms nothing later.
 * One round is under way at a time, for all questions that had come when it began; the next
 * one collects meanwhile. Without an entry of its own term committed, a leader does not know what
 * is committed, so questions wait for that.
 */

#include "base/check.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/mutant.h"
#include "consensus/raft_state.h"

static void read_list_add(struct read_list *list, struct pending_read read)
{
	MEM_GROW(list->items, list->cap, list->count + 1);
	list->items[list->count++] = read;
}

static void raft_read_done(struct raft *r, uint64_t request, uint64_t index)
{
	MEM_GROW(r->reads, r->read_cap, r->read_count + 1);
	r->reads[r->read_count++] = (struct raft_read){request, index};
}

static void raft_answer_reads(struct raft *r, struct read_list *list, uint64_t index)
{
	for (size_t i = 0; i < list->count; i++) {
		struct pending_read *read = &list->items[i];
		struct raft_message *m;

		if (read->from == r->id) {
			raft_read_done(r, read->request, index);
			continue;
		}
		m = raft_message_now(r, RAFT_READ_RESP, read->from);
		m->index = index;
		m->context = read->request;
		m->hint = read->run;
	}
	list->count = 0;
}

static bool peer_confirmed(const struct peer *p, uint64_t round)
{
	return !p->damaged && p->round >= round;
}

/* A round for all questions that wait, unless one is under way. */
static void raft_begin_round(struct raft *r)
{
	struct read_list list = r->flying;

	if (r->role != RAFT_LEADER || r->flying.count || !r->waiting.count)
		return;
	if (r->commit < r->term_start && !MUTANT(read_before_own_commit))
		return;
	r->flying = r->waiting;
	r->waiting = list;
	if (!MUTANT(read_round_reused) || r->round == 0)
		r->round++;
	r->flying_round = r->round;
	r->beat_now = true;
}

void raft_reads_start(struct raft *r)
{
	raft_begin_round(r);
	raft_reads_confirm(r); /* a member that is alone is its own majority */
}

void raft_reads_confirm(struct raft *r)
{
	while (r->flying.count && (raft_majority(r, true, peer_confirmed, r->flying_round) ||
				   MUTANT(read_without_round))) {
		/* The commit index only grows, so today's is as good as that of the question. */
		raft_answer_reads(r, &r->flying, r->commit);
		raft_begin_round(r);
	}
}

void raft_reads_forget(struct raft *r)
{
	r->waiting.count = 0;
	r->flying.count = 0;
}

void raft_ask_read(struct raft *r, uint64_t request)
{
	struct raft_message *m = raft_message_now(r, RAFT_READ, r->leader);

	m->context = request;
	m->hint = r->run;
}

int raft_read_index(struct raft *r, uint64_t now_ms, uint64_t request)
{
	CHECK(request != DAMAGE_REQUEST);
	raft_tick(r, now_ms);
	if (r->role == RAFT_LEADER) {
		read_list_add(&r->waiting, (struct pending_read){r->id, request, r->run});
		raft_reads_start(r);
		return OK;
	}
	if (!r->leader)
		return ERR_UNAVAILABLE;
	raft_ask_read(r, request);
	return OK;
}

void raft_step_read(struct raft *r, const struct raft_message *m)
{
	struct peer *p = raft_peer(r, m->from);

	/* No second hop: who does not lead lets the question fall, and it is asked again. */
	if (!p || r->role != RAFT_LEADER)
		return;
	if (m->context == DAMAGE_REQUEST && !p->damaged)
		return; /* its damage must be known before the round that ends it begins */
	read_list_add(&r->waiting, (struct pending_read){m->from, m->context, m->hint});
	raft_reads_start(r);
}

void raft_step_read_resp(struct raft *r, const struct raft_message *m)
{
	/*
	 * The answer to a question from before this member's last start must not pass for one to
	 * its namesake of today: it may be older than what was acknowledged since.
	 */
	if (m->from != r->leader || m->hint != r->run)
		return;
	if (m->context != DAMAGE_REQUEST) {
		raft_read_done(r, m->context, m->index);
		return;
	}
	if (!r->damaged || r->damage_target)
		return;
	r->damage_target = MAX(m->index, (uint64_t)1);
	raft_damage_progress(r);
}
