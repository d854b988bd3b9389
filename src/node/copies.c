/*
 * On how many disks what a session wrote is for sure, and requests that wait for that: WAIT and
 * WAITAOF.
 *
 *	writes before it are under way ---> the last one is over ---> on disks enough, or in time
 *	  (in the session)                   (in the member)            no more: answered
 */

#include "base/error.h"
#include "base/mem.h"
#include "node/member_state.h"

static bool writes_before(const struct request *r)
{
	list_for_each (it, &r->session->requests) {
		const struct request *before = LIST_ITEM(it, const struct request, link);

		if (before == r)
			break;
		if (before->state == REQUEST_WRITES)
			return true;
	}
	return false;
}

struct copies {
	int64_t here;	/* 1: this member's disk has it */
	int64_t others; /* whose disks have it, for sure */
	bool all;	/* more is not going to be known here */
};

static bool is_voter(const struct membership *m, uint64_t id)
{
	const struct participant *p = membership_find(m, id);

	return p && p->roles & MEMBER_VOTER;
}

/*
 * Who has the log up to there. What is acknowledged is on the disks of a majority, of which this
 * member may be one; only a leader knows whether there are more.
 */
static struct copies copies_of(struct member *m, uint64_t index)
{
	const struct membership *members = driver_membership(m->driver);
	struct raft_peer_status peer;
	struct raft_status status;
	struct copies copies;
	int64_t voters = 0, self;

	driver_status(m->driver, &status);
	self = is_voter(members, status.id);
	for (uint32_t i = 0; i < members->count; i++)
		voters += (members->members[i].roles & MEMBER_VOTER) != 0;
	copies = (struct copies){.here = status.durable >= index, .all = true};
	if (status.role != RAFT_LEADER) {
		copies.others = voters ? voters / 2 + 1 - self : 0; /* 0: not born yet */
		copies.all = copies.here;
		return copies;
	}
	for (size_t i = 0; raft_peer_status(driver_raft(m->driver), i, &peer); i++)
		copies.others += peer.match >= index && is_voter(members, peer.id);
	copies.all = copies.others == voters - self && copies.here;
	return copies;
}

/* Of writes that are under way nothing is known. */
void session_copies(struct session *s, int64_t *here, int64_t *others)
{
	struct copies copies = {0};
	bool under_way = false;

	list_for_each (it, &s->requests)
		under_way = under_way ||
			    LIST_ITEM(it, const struct request, link)->state == REQUEST_WRITES;
	if (!under_way)
		copies = copies_of(s->member, s->written);
	*here = copies.here;
	*others = copies.others;
}

/* ---- waiting --------------------------------------------------------------------------------- */

void copies_await(struct request *r)
{
	const struct later *later = r->later;
	struct session *s = r->session;

	r->copies = MEM_NEW(struct copy_wait);
	r->copies->request = r;
	r->copies->due_ms = r->due_ms;
	r->copies->here = later->here > 0;
	r->copies->others = (unsigned)MAX(0, MIN(later->others, COPY_OTHERS_MAX));
	list_push_back(&s->copying, &r->waiting);
	session_count_copies(s);
}

void session_count_copies(struct session *s)
{
	while (!list_empty(&s->copying)) {
		struct request *r = LIST_ITEM(s->copying.next, struct request, waiting);

		if (writes_before(r))
			return;
		list_remove(&r->waiting);
		r->copies->index = s->written;
		copy_waits_add(&s->member->copy_waits, r->copies);
	}
}

void copies_forget(struct member *m, struct request *r)
{
	if (r->copies)
		copy_waits_remove(&m->copy_waits, r->copies);
}

void session_end_copies(struct session *s)
{
	list_for_each (it, &s->requests) {
		struct request *r = LIST_ITEM(it, struct request, link);

		if (!r->copies || r->state != REQUEST_LATER)
			continue;
		copies_forget(s->member, r);
		list_remove(&r->waiting);
		list_push_back(&s->member->later, &r->waiting);
	}
}

static bool copies_are_enough(void *ctx, const struct copy_wait *w)
{
	struct copies copies = copies_of(ctx, w->index);

	return copies.all || (copies.others >= w->others && copies.here >= w->here);
}

static void copies_answer(struct member *m, struct request *r)
{
	struct copies copies = copies_of(m, r->copies->index);
	struct resp_writer w = session_writer(r);

	if (r->later->kind == LATER_COPIED_HERE) {
		resp_write_array(&w, 2);
		resp_write_integer(&w, copies.here);
	}
	resp_write_integer(&w, copies.others);
	session_answer_done(r);
}

void member_copies_turn(struct member *m)
{
	uint64_t now = member_now_ms(m);
	struct copy_wait *w;

	copy_waits_begin(&m->copy_waits);
	while ((w = copy_waits_next(&m->copy_waits, now, copies_are_enough, m)) != NULL)
		copies_answer(m, w->request);
}
