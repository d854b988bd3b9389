/*
 * Members that drift apart are found out. A CHECK makes each member note the digests of its state
 * as of one index and send them to whoever leads. Where a majority of the voters agrees, those who
 * differ are named by a VERDICT, and its rows in the position say who is in quarantine. A later
 * CHECK in which such a member agrees ends that: whatever refilled it, its state is right again.
 *
 * A member in quarantine goes on with what its log is needed for, since nothing speaks against its
 * log: it acknowledges, votes, and leads where nobody else can be elected, until it can hand over.
 * It serves no clients, and gives its state to nobody.
 */

#include "base/check.h"
#include "base/error.h"
#include "base/logging.h"
#include "base/mutant.h"
#include "node/member_state.h"

#include <inttypes.h>

static bool leads(const struct member *m)
{
	return m->status.role == RAFT_LEADER;
}

bool member_is_quarantined(const struct member *m)
{
	return position_quarantine(store_position(m->store), driver_id(m->driver)) &&
	       !MUTANT(quarantined_serves);
}

/* ---- what was found -------------------------------------------------------------------------- */

static struct digests digests_now(const struct position *p, uint64_t index)
{
	return (struct digests){index, p->revision, position_digest_living(p), p->digest_history};
}

static bool digests_equal(const struct digests *a, const struct digests *b)
{
	return a->revision == b->revision && a->living == b->living && a->history == b->history;
}

/* The answer of a member as of this index, or NULL. */
static const struct digests *answer_of(const struct member *m, uint64_t member, uint64_t index)
{
	const struct check *c = &m->check;

	for (uint32_t i = 0; i < c->answer_count; i++) {
		if (c->answers[i].member == member)
			return c->answers[i].digests.index == index ? &c->answers[i].digests : NULL;
	}
	return NULL;
}

/* The newest of each member is kept; of members that are gone nothing. */
static void answer_keep(struct member *m, uint64_t from, const struct digests *d)
{
	struct check *c = &m->check;
	uint32_t kept = 0, at = 0;

	for (uint32_t i = 0; i < c->answer_count; i++) {
		if (member_takes_part(m, c->answers[i].member))
			c->answers[kept++] = c->answers[i];
	}
	c->answer_count = kept;
	while (at < kept && c->answers[at].member != from)
		at++;
	if (at == kept)
		c->answer_count++;
	else if (c->answers[at].digests.index >= d->index)
		return;
	c->answers[at] = (struct check_answer){from, *d};
}

/* Which members answered just so: bit i for member i of the membership. */
static uint32_t who_agrees(const struct member *m, const struct digests *with)
{
	const struct membership *all = driver_membership(m->driver);
	uint32_t holds = 0;

	for (uint32_t i = 0; i < all->count; i++) {
		const struct digests *d = answer_of(m, all->members[i].id, with->index);

		if (d && digests_equal(d, with))
			holds |= UINT32_C(1) << i;
	}
	return holds;
}

/* ---- the verdict ----------------------------------------------------------------------------- */

static bool decides(const struct member *m, const struct digests *d)
{
	const struct membership *all = driver_membership(m->driver);
	uint32_t holds = who_agrees(m, d);

	if (MUTANT(verdict_by_leader))
		return digests_equal(d, &m->check.own);
	if (MUTANT(verdict_with_too_few))
		return holds != 0;
	return membership_majority(all, holds);
}

/* What a majority of the voters answered, or NULL. */
static const struct digests *agreed(const struct member *m)
{
	const struct membership *all = driver_membership(m->driver);

	for (uint32_t i = 0; i < all->count; i++) {
		const struct digests *d = answer_of(m, all->members[i].id, m->check.own.index);

		if (d && decides(m, d))
			return d;
	}
	return NULL;
}

/* What is to be said of those who answered, and is not in the rows yet. */
static void verdict_fill(const struct member *m, const struct digests *right, struct verdict *v)
{
	const struct membership *all = driver_membership(m->driver);
	const struct position *p = store_position(m->store);

	v->index = right->index;
	for (uint32_t i = 0; i < all->count; i++) {
		uint64_t id = all->members[i].id;
		const struct digests *d = answer_of(m, id, right->index);
		const struct quarantine_row *row = position_quarantine(p, id);

		if (!d)
			continue;
		if (!row && !digests_equal(d, right))
			v->items[v->count++] = (struct verdict_item){id, VERDICT_QUARANTINE};
		else if (row && row->index < right->index && digests_equal(d, right))
			v->items[v->count++] = (struct verdict_item){id, VERDICT_RELEASE};
	}
}

static void judge(struct member *m)
{
	struct check *c = &m->check;
	const struct digests *right;
	struct verdict v = {0};
	struct buf bytes = {0};

	if (!leads(m) || !c->own.index || driver_applied(m->driver) < c->verdict_proposed)
		return;
	right = agreed(m);
	if (!right)
		return;
	c->decided = right->index;
	verdict_fill(m, right, &v);
	if (v.count == 0)
		return;
	verdict_encode(&v, &bytes);
	if (member_propose_bytes(m, ENTRY_VERDICT, &bytes, 0, &c->verdict_proposed) != OK)
		c->verdict_proposed = 0;
	buf_free(&bytes);
}

/* The time of a CHECK is over, and no majority agreed: then there is nothing but to say so. */
static void look_at_undecided(struct member *m)
{
	struct check *c = &m->check;
	bool differ = false;

	if (!c->own.index || c->decided == c->own.index || c->alarmed == c->own.index)
		return;
	for (uint32_t i = 0; i < c->answer_count; i++)
		differ = differ || (c->answers[i].digests.index == c->own.index &&
				    !digests_equal(&c->answers[i].digests, &c->own));
	if (!differ)
		return;
	c->alarmed = c->own.index;
	m->stats.disagreements++;
	LOG(m->io->logger, LOG_ERROR,
	    "the data of the members differs as of entry %" PRIu64
	    ", and no majority agrees: nobody can tell who is right. Compare them with "
	    "`conclave-ctl state dump`, and take the state of the one you trust",
	    c->own.index);
}

/* ---- the leader ------------------------------------------------------------------------------ */

static bool anything_to_check(const struct member *m)
{
	const struct position *p = store_position(m->store);
	struct digests now = digests_now(p, 0);

	return p->quarantine_count || !m->check.own.index || !digests_equal(&now, &m->check.own);
}

static void check_propose(struct member *m)
{
	struct check *c = &m->check;
	uint64_t now = member_now_ms(m);
	struct buf bytes = {0};

	if (now < c->due_ms || driver_applied(m->driver) < c->proposed ||
	    driver_membership(m->driver)->count < 2)
		return;
	c->due_ms = now + m->options.check_interval_ms;
	look_at_undecided(m);
	if (!anything_to_check(m))
		return;
	check_entry_encode(&bytes);
	if (member_propose_bytes(m, ENTRY_CHECK, &bytes, 0, &c->proposed) != OK)
		c->proposed = 0;
	buf_free(&bytes);
}

/*
 * The voter that is furthest, and holds at least so much of the log, of those whose state is in
 * order and who are there; 0: there is none. While leadership is being handed over nothing is
 * proposed, so nobody is tried in vain.
 */
static uint64_t heir_of(const struct member *m, uint64_t at_least)
{
	uint64_t silent_ms = m->options.driver.raft.election_ms, now = member_now_ms(m);
	const struct raft *raft = driver_raft(m->driver);
	const struct membership *all = driver_membership(m->driver);
	const struct position *p = store_position(m->store);
	struct raft_peer_status s;
	uint64_t heir = 0, match = 0;

	for (size_t i = 0; raft_peer_status(raft, i, &s); i++) {
		const struct participant *member = membership_find(all, s.id);

		if (!member || !(member->roles & MEMBER_VOTER) || position_quarantine(p, s.id) ||
		    s.heard_ms + silent_ms < now || s.match < at_least ||
		    (heir && s.match <= match))
			continue;
		heir = s.id;
		match = s.match;
	}
	return heir;
}

static void leave_office(struct member *m, uint64_t at_least)
{
	uint64_t now = member_now_ms(m), heir = heir_of(m, at_least);
	int rc;

	if (now < m->check.leave_due_ms || !heir)
		return;
	m->check.leave_due_ms = now + 2 * (uint64_t)m->options.driver.raft.election_ms;
	rc = driver_transfer(m->driver, heir);
	if (rc != OK)
		LOG(m->io->logger, LOG_NOTICE, "leadership is not handed over: %s", error_text(rc));
}

/* ---- every member ---------------------------------------------------------------------------- */

static void tell(struct member *m)
{
	struct check *c = &m->check;
	struct buf bytes = {0};
	struct frame frame = {.kind = FRAME_DIGESTS};

	if (!c->to_tell || !m->status.leader || MUTANT(digests_not_told))
		return;
	c->to_tell = false;
	if (leads(m)) {
		answer_keep(m, driver_id(m->driver), &c->own);
		return;
	}
	digests_encode(&c->own, &bytes);
	frame.head = buf_slice(&bytes);
	m->io->send(m->io->ctx, m->status.leader, &frame);
	buf_free(&bytes);
}

void member_check_turn(struct member *m)
{
	tell(m);
	if (!leads(m))
		return;
	/* With a state that others cannot be given a leader serves all the same: to wait for
	 * somebody who has far to come would cost writes. */
	if (member_is_quarantined(m))
		leave_office(m, 0);
	else if (m->check.unreadable)
		leave_office(m, m->status.commit);
	judge(m);
	if (m->options.check_interval_ms)
		check_propose(m);
}

void member_hear_digests(struct member *m, uint64_t from, struct slice body)
{
	struct digests d;

	if (digests_decode(body, &d) != OK) {
		LOG(m->io->logger, LOG_WARNING, "malformed digests were ignored");
		return;
	}
	if (leads(m) && member_takes_part(m, from))
		answer_keep(m, from, &d);
}

/* Another leader, or another term: what was sent to the old one is told once more. */
void member_check_reset(struct member *m)
{
	struct check *c = &m->check;

	c->answer_count = 0;
	c->proposed = 0;
	c->verdict_proposed = 0;
	c->decided = 0;
	c->leave_due_ms = 0;
	c->due_ms = member_now_ms(m) + m->options.check_interval_ms;
	member_check_tell_again(m);
}

void member_check_tell_again(struct member *m)
{
	m->check.to_tell = m->check.own.index != 0;
}

/* Another state took the place of the one that was looked at. */
void member_check_forget(struct member *m)
{
	m->check.own = (struct digests){0};
	m->check.to_tell = false;
	m->check.unreadable = false;
	m->check.damage_told = false;
}

/* ---- applied --------------------------------------------------------------------------------- */

void member_check_apply(struct member *m, uint64_t index, const struct entry *e)
{
	if (check_entry_decode(entry_payload(e)) != OK) {
		LOG(m->io->logger, LOG_ERROR, "entry %" PRIu64 " is no check: skipped", index);
		return;
	}
	m->check.own = digests_now(store_position(m->store), index);
	m->check.to_tell = true;
	m->stats.checks++;
}

static void log_outcome(struct member *m, uint64_t index, const struct verdict_item *item)
{
	if (item->outcome == VERDICT_RELEASE)
		LOG(m->io->logger, LOG_NOTICE,
		    "the data of member %016" PRIx64 " is that of the others again", item->member);
	else if (item->member != driver_id(m->driver))
		LOG(m->io->logger, LOG_ERROR,
		    "the data of member %016" PRIx64
		    " differs from that of a majority as of entry %" PRIu64
		    ": it serves nobody until it is refilled",
		    item->member, index);
	else
		member_say_quarantined(m);
}

void member_say_quarantined(struct member *m)
{
	const struct quarantine_row *row =
		position_quarantine(store_position(m->store), driver_id(m->driver));

	if (!row)
		return;
	LOG(m->io->logger, LOG_ERROR,
	    "the data of this member differs from that of a majority as of entry %" PRIu64
	    ": it serves nobody. Stop it, remove its state (in its directory the file ENGINE and "
	    "engine-*, but not the log), and start it again: it gets its state back, and serves "
	    "when a check has found it right",
	    row->index);
}

void member_verdict_apply(struct member *m, const struct entry *e)
{
	struct position *p = store_position(m->store);
	struct verdict v;

	if (verdict_decode(entry_payload(e), &v) != OK) {
		LOG(m->io->logger, LOG_ERROR, "entry %" PRIu64 " is no verdict: skipped",
		    m->applying.index);
		return;
	}
	for (uint32_t i = 0; i < v.count; i++) {
		bool was = position_quarantine(p, v.items[i].member);

		if (v.items[i].outcome == VERDICT_QUARANTINE)
			position_quarantine_put(p, v.items[i].member, v.index);
		else
			position_quarantine_end(p, v.items[i].member);
		if (was == (v.items[i].outcome == VERDICT_QUARANTINE))
			continue;
		log_outcome(m, v.index, &v.items[i]);
		/*
		 * Started again it would not know, until it is sure once more of what is committed:
		 * it might give a wrong state away, or keep the only right one to itself for good.
		 */
		if (v.items[i].member == driver_id(m->driver) && !MUTANT(verdict_in_memory))
			member_save(m);
	}
	m->stats.verdicts++;
}
