/*
 * Changes of the membership that somebody asks for: of this member's clients on their way to the
 * leader, of others at the leader, and the answers.
 */

#include "base/check.h"
#include "base/error.h"
#include "base/logging.h"
#include "base/mutant.h"
#include "consensus/label.h"
#include "node/change_frame.h"
#include "node/member_state.h"

#include <inttypes.h>

static bool leads(const struct member *m)
{
	return m->status.role == RAFT_LEADER;
}

void member_note_removed(struct member *m, const struct membership *now)
{
	if (m->removed || !membership_was_removed(now, driver_id(m->driver)))
		return;
	LOG(m->io->logger, LOG_NOTICE,
	    "was removed from the cluster and serves nobody any more; to come back it needs an "
	    "empty directory and --join");
	m->removed = true;
}

/* ---- of clients ------------------------------------------------------------------------------ */

void member_ask_change(struct session *s, const struct command *command, const struct slice *argv,
		       size_t argc)
{
	struct request *r = session_add(s, command, NULL, 0);
	struct resp_writer w = session_writer(r);
	struct cluster_request request = {0};
	struct call c = {
		.command = command, .argv = argv, .argc = argc, .reply = &w, .cluster = &request};
	int rc = command_run(&c);

	CHECK(rc == OK);
	if (c.refused) {
		session_answer_done(r);
		return;
	}
	change_request_encode(&request, &r->change);
	r->state = REQUEST_ASKS;
	list_push_back(&s->member->changing.asked, &r->waiting);
}

static void answer(struct request *r, enum change_outcome outcome, struct slice error)
{
	struct session *s = r->session;
	struct resp_writer w = session_writer(r);

	if (outcome == CHANGE_MADE)
		resp_write_simple(&w, SLICE_LITERAL("OK"));
	else if (outcome == CHANGE_REFUSED)
		resp_write_error(&w, error);
	else
		resp_write_errorf(&w, "UNCERTAIN The leader changed meanwhile: the change may be "
				      "made, now or later, or never; see MEMBER LIST");
	session_done(r);
	session_advance(s);
}

static struct request *asked_under(struct member *m, uint64_t number)
{
	list_for_each (it, &m->changing.asked) {
		struct request *r = LIST_ITEM(it, struct request, waiting);

		if (r->seq == number)
			return r;
	}
	return NULL;
}

static void hear_outcome(struct member *m, const struct changed_frame *f)
{
	struct request *r = f->number ? asked_under(m, f->number) : NULL;

	if (!r)
		return;
	if (f->outcome != CHANGE_NOT_LED) {
		answer(r, f->outcome, f->error);
		return;
	}
	r->seq = 0; /* whoever leads is asked again */
	m->changing.again_due_ms = member_now_ms(m) + m->options.driver.raft.heartbeat_ms;
}

void member_hear_changed(struct member *m, struct slice body)
{
	struct changed_frame f;

	if (changed_frame_decode(body, &f) != OK)
		LOG(m->io->logger, LOG_WARNING, "a malformed answer to a change was ignored");
	else
		hear_outcome(m, &f);
}

/* ---- at the leader --------------------------------------------------------------------------- */

static void tell(struct member *m, uint64_t to, const struct changed_frame *f)
{
	struct frame frame = {.kind = FRAME_CHANGED};
	struct buf bytes = {0};

	if (to == driver_id(m->driver)) {
		hear_outcome(m, f);
		return;
	}
	changed_frame_encode(f, &bytes);
	frame.head = buf_slice(&bytes);
	m->io->send(m->io->ctx, to, &frame);
	buf_free(&bytes);
}

/* Whether the frame is the first of its kind; from then on none is. */
static bool is_new(struct changing *c, const struct change_frame *f)
{
	for (size_t i = 0; i < CHANGES_REMEMBERED; i++)
		if (c->taken[i].number == f->number && c->taken[i].from == f->from)
			return false;
	c->taken[c->taken_next++ % CHANGES_REMEMBERED] =
		(struct change_taken){.from = f->from, .number = f->number};
	return true;
}

/*
 * Of a change for a term that this member does not lead: whether it will never be made. Not if the
 * frame may have come before, to an earlier run that led that term and remembered it in vain.
 */
static enum change_outcome outcome_not_led(const struct changing *c, const struct change_frame *f)
{
	return f->term > c->earlier_term ? CHANGE_NOT_LED : CHANGE_UNKNOWN;
}

static void take_change(struct member *m, const struct change_frame *f)
{
	bool led = leads(m) && (f->number == 0 || f->term == m->status.term);
	struct changing *c = &m->changing;
	struct changed_frame refusal = {.number = f->number, .outcome = outcome_not_led(c, f)};
	struct buf why = {0};
	int rc = ERR_NOT_LEADER;

	if (f->number && !is_new(c, f))
		return;
	if (led && c->under_way) {
		buf_append_slice(&why, SLICE_LITERAL("TRYAGAIN another change of the membership "
						     "is under way; try again when it is done"));
		rc = ERR_BUSY;
	} else if (led) {
		rc = member_make_change(m, &f->request, &why);
	}
	if (rc == OK && f->number) {
		c->under_way = true;
		c->from = f->from;
		c->from_number = f->number;
	} else if (rc != OK && f->number) {
		if (rc != ERR_NOT_LEADER)
			refusal.outcome = CHANGE_REFUSED;
		refusal.error = buf_slice(&why);
		tell(m, f->from, &refusal);
	}
	buf_free(&why);
}

void member_hear_change(struct member *m, uint64_t from, struct slice body)
{
	struct change_frame f;

	if (change_frame_decode(body, &f) != OK || f.from != from)
		LOG(m->io->logger, LOG_WARNING, "a malformed change of membership was ignored");
	else
		take_change(m, &f);
}

static enum change_outcome transfer_outcome(const struct member *m, const struct raft_status *s)
{
	if (s->leader == m->changing.transfer_to)
		return CHANGE_MADE;
	return s->transferring || s->leader == 0 ? 0 : CHANGE_REFUSED;
}

/* 0: not known yet. */
static enum change_outcome change_outcome(const struct member *m, const struct raft_status *s)
{
	const struct changing *c = &m->changing;

	if (c->transfer_to)
		return transfer_outcome(m, s);
	if (MUTANT(change_told_before_commit))
		return CHANGE_MADE;
	if (c->index > s->commit)
		return s->role == RAFT_LEADER && s->term == c->term ? 0 : CHANGE_UNKNOWN;
	/* What is compacted was committed by this member while it led: it is what it was. */
	if (c->index > s->base && raft_term_at(driver_raft(m->driver), c->index) != c->term)
		return CHANGE_UNKNOWN;
	/* Behind a joint membership that is committed the plain one follows, whoever leads. */
	return s->role == RAFT_LEADER && (s->joint || s->membership_pending) ? 0 : CHANGE_MADE;
}

void member_change_done(struct member *m)
{
	struct changing *c = &m->changing;
	struct changed_frame f = {.number = c->from_number};
	struct raft_status s;

	if (!c->under_way)
		return;
	driver_status(m->driver, &s);
	f.outcome = change_outcome(m, &s);
	if (!f.outcome)
		return;
	if (f.outcome == CHANGE_REFUSED)
		f.error = SLICE_LITERAL("ERR it did not take over in time; see MEMBER LIST for who "
					"leads");
	c->under_way = false;
	tell(m, c->from, &f);
}

bool member_admit(struct member *m, uint64_t id, struct slice name, struct slice address,
		  bool rises, struct buf *why)
{
	struct buf who = {0};
	struct cluster_request request = {
		.change = CLUSTER_ADD, .name = name, .address = address, .rises = rises};
	int rc;

	if (m->failed || m->removed) {
		buf_printf(why, "the member that was asked does not take part any more");
		return false;
	}
	if (!leads(m) || m->changing.under_way ||
	    membership_find(driver_membership(m->driver), id) ||
	    membership_was_removed(driver_settled_membership(m->driver), id))
		return true;
	buf_printf(&who, "%016" PRIx64, id);
	request.who = buf_slice(&who);
	rc = member_make_change(m, &request, why);
	buf_free(&who);
	if (rc == OK)
		LOG(m->io->logger, LOG_NOTICE, "%.*s (%016" PRIx64 ") joins as a learner",
		    (int)name.len, (const char *)name.data, id);
	/* It may have found out right now that it does not lead any more. */
	if (rc != ERR_BUSY && rc != ERR_UNAVAILABLE && rc != ERR_NOT_LEADER)
		return rc == OK;
	buf_clear(why);
	return true;
}

/* ---- turns ----------------------------------------------------------------------------------- */

static void hand_out(struct member *m, struct request *r)
{
	struct frame frame = {.kind = FRAME_CHANGE};
	struct change_frame f = {.from = driver_id(m->driver),
				 .number = ++m->changing.number,
				 .term = m->status.term};
	struct cursor c = cursor_of(buf_slice(&r->change));
	struct buf bytes = {0};

	r->seq = f.number;
	if (leads(m)) {
		CHECK(change_request_decode(&c, &f.request) == OK);
		take_change(m, &f);
		return;
	}
	change_frame_put_head(&f, &bytes);
	buf_append_slice(&bytes, buf_slice(&r->change));
	frame.head = buf_slice(&bytes);
	m->io->send(m->io->ctx, m->status.leader, &frame);
	buf_free(&bytes);
}

/* Who has moved hears no leader before that one knows where it is: so all are told. */
static void tell_leader(struct member *m, const struct frame *frame)
{
	const struct membership *now = driver_membership(m->driver);

	if (m->status.leader) {
		m->io->send(m->io->ctx, m->status.leader, frame);
		return;
	}
	for (uint32_t i = 0; i < now->count; i++)
		if (now->members[i].id != driver_id(m->driver))
			m->io->send(m->io->ctx, now->members[i].id, frame);
}

/* A member without a leader for so many election timeouts is none that others reach. */
#define UNREACHED_TIMEOUTS 10

static bool stands_as(const struct member *m, const struct membership *now, struct slice label)
{
	const struct participant *self = membership_find(now, driver_id(m->driver));

	return self && slice_equal(slice_of(self->label, self->label_len), label);
}

/*
 * When this member has to say where it is; UINT64_MAX: not before the membership is another one, or
 * the leader. What somebody else said of it afterwards holds, unless nobody reaches it there.
 */
static uint64_t announce_from(struct member *m, struct slice label)
{
	const struct membership *now = driver_membership(m->driver);

	if (stands_as(m, driver_settled_membership(m->driver), label))
		m->changing.announced = true;
	if (!membership_find(now, driver_id(m->driver)) || stands_as(m, now, label))
		return UINT64_MAX;
	if (!m->changing.announced)
		return 0;
	if (m->status.leader)
		return UINT64_MAX;
	return m->leaderless_ms + UNREACHED_TIMEOUTS * (uint64_t)m->options.driver.raft.election_ms;
}

/* Where others reach this member is its own to know: it says so until it stands in the membership.
 */
static void announce(struct member *m)
{
	struct change_frame f = {.from = driver_id(m->driver),
				 .request = {.change = CLUSTER_UPDATE,
					     .name = m->options.driver.name,
					     .address = m->options.address}};
	struct frame frame = {.kind = FRAME_CHANGE};
	struct buf bytes = {0}, id = {0};

	label_put(f.request.name, f.request.address, &bytes);
	m->changing.announce_due_ms = announce_from(m, buf_slice(&bytes));
	if (m->changing.announce_due_ms > member_now_ms(m)) {
		buf_free(&bytes);
		return;
	}
	m->changing.announce_due_ms = member_now_ms(m) + m->options.driver.raft.election_ms;
	buf_printf(&id, "%016" PRIx64, f.from);
	f.request.who = buf_slice(&id);
	buf_clear(&bytes);
	change_frame_put_head(&f, &bytes);
	change_request_encode(&f.request, &bytes);
	frame.head = buf_slice(&bytes);
	if (leads(m))
		take_change(m, &f);
	else
		tell_leader(m, &frame);
	buf_free(&bytes);
	buf_free(&id);
}

void member_change_turn(struct member *m)
{
	if (m->options.address.len && member_now_ms(m) >= m->changing.announce_due_ms)
		announce(m);
	if (!m->status.leader)
		return;
	list_for_each_safe (it, &m->changing.asked) {
		struct request *r = LIST_ITEM(it, struct request, waiting);

		if (!r->seq && member_now_ms(m) >= m->changing.again_due_ms)
			hand_out(m, r);
	}
	if (leads(m))
		member_promote_turn(m);
}

uint64_t member_change_due_ms(const struct member *m)
{
	const struct changing *c = &m->changing;
	uint64_t due = UINT64_MAX;

	if (m->options.address.len)
		due = c->announce_due_ms;
	if (!m->status.leader)
		return due;
	list_for_each (it, &c->asked)
		if (!LIST_ITEM(it, const struct request, waiting)->seq)
			due = MIN(due, c->again_due_ms);
	if (leads(m) && c->rising)
		due = MIN(due, c->rising_since_ms + m->options.driver.raft.election_ms);
	return due;
}
