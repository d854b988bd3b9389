/* Writes on their way to the log: collected, numbered, handed to whoever leads, sent again. */

#include "base/check.h"
#include "base/error.h"
#include "base/logging.h"
#include "base/mem.h"
#include "base/mutant.h"
#include "node/member_state.h"

#include <inttypes.h>

/* ---- authors --------------------------------------------------------------------------------- */

static void collect_author(struct member *m, uint64_t number, const struct slice *argv, size_t argc)
{
	struct batch_command c = {
		.flags = BATCH_AUTHOR, .author = number, .argc = argc, .argv = argv};

	batch_command_encode(&c,
			     origin_collect(&m->origin, request_new(&m->requests, NULL, NULL, 0)));
	origin_collected(&m->origin);
}

void member_end_author(struct session *s)
{
	struct slice none = {0};

	if (s->author && !s->member->failed)
		collect_author(s->member, s->author, &none, 1);
	s->author = 0;
}

/*
 * The number under which this session writes. The first write of a client brings a row along that
 * says who it is, and so does the first one under another name. It stands before what names it, and
 * what ends it stands behind: they have numbers like the writes, and come in that order.
 */
static uint64_t author_of(struct member *m, struct session *s)
{
	struct slice text[3] = {SLICE_LITERAL("default"), buf_slice(&s->address),
				buf_slice(&s->client.name)};

	if (s->author && slice_equal(buf_slice(&s->author_name), text[2]))
		return s->author;
	member_end_author(s);
	if (!text[1].len && !text[2].len)
		return 0;
	s->author = MUTANT(author_number_again) ? 1 : ++m->last_author;
	buf_clear(&s->author_name);
	buf_append_slice(&s->author_name, text[2]);
	collect_author(m, s->author, text, ARRAY_LEN(text));
	return s->author;
}

void member_collect(struct member *m, struct request *r, const struct slice *argv, size_t argc)
{
	struct batch_command c = {.database = MUTANT(write_in_first_database) ? 0 : r->database,
				  .argc = argc,
				  .argv = argv};

	if (member_is_quarantined(m)) {
		session_answer_quarantined(r);
		return;
	}
	c.author = author_of(m, r->session);

	if (r->command == &transaction_command)
		c.flags = BATCH_TRANSACTION;
	batch_command_encode(&c, origin_collect(&m->origin, r));
	origin_collected(&m->origin);
	r->state = REQUEST_WRITES;
	if (m->origin.collected.len >= m->options.batch_bytes)
		member_write_turn(m);
}

bool member_writes_full(const struct member *m)
{
	return m->origin.bytes + m->origin.collected.len > m->options.unresolved_bytes;
}

/* ---- to the leader --------------------------------------------------------------------------- */

static bool leads(const struct member *m)
{
	return m->status.role == RAFT_LEADER;
}

int member_propose(struct member *m, uint8_t kind, struct blob *payload, uint64_t waiter,
		   uint64_t *index)
{
	struct entry e = {
		.kind = kind,
		.stamp = member_time_stamp(m),
		.waiter = waiter,
		.data = payload->data,
		.blob = payload,
		.len = (uint32_t)payload->len,
	};

	return driver_propose(m->driver, &e, 1, index);
}

int member_propose_bytes(struct member *m, uint8_t kind, const struct buf *bytes, uint64_t waiter,
			 uint64_t *index)
{
	struct blob *payload = blob_copy(buf_slice(bytes));
	int rc = member_propose(m, kind, payload, waiter, index);

	blob_release(payload);
	return rc;
}

static int propose(struct member *m, uint8_t kind, struct blob *payload, uint64_t waiter)
{
	uint64_t index;

	return member_propose(m, kind, payload, waiter, &index);
}

/* Hands a batch to whoever leads; false if nobody takes it now. */
static bool hand_out(struct member *m, struct blob *batch)
{
	struct frame frame = {.kind = FRAME_FORWARD, .head = slice_of(batch->data, batch->len)};

	if (leads(m))
		return !member_lags(m) && propose(m, ENTRY_BATCH, batch, 0) == OK;
	m->io->send(m->io->ctx, m->status.leader, &frame);
	return true;
}

static bool resend(struct member *m)
{
	struct blob *batch;
	uint64_t next;

	while ((batch = origin_resend(&m->origin, m->status.term, store_position(m->store)->level,
				      m->options.batch_bytes, &next)) != NULL) {
		bool taken = hand_out(m, batch);

		blob_release(batch);
		if (!taken)
			return false;
		origin_sent(&m->origin, next);
	}
	return true;
}

static void hand_out_collected(struct member *m)
{
	struct blob *batch;
	uint64_t from = m->origin.next;
	bool parted = origin_needs_parts(&m->origin, m->options.batch_bytes) &&
		      !MUTANT(collected_in_one_batch);

	if (!origin_has_collected(&m->origin))
		return;
	batch = origin_seal(&m->origin, m->status.term, store_position(m->store)->level);
	/* Numbered is numbered: what nobody takes now goes out with what is sent again. */
	if (parted || !hand_out(m, batch))
		origin_unsend(&m->origin, from);
	blob_release(batch);
	if (parted)
		(void)resend(m);
}

/* Registrations of others are not proposed: behind an entry that removes a member stands none. */
bool member_takes_part(const struct member *m, uint64_t member)
{
	return membership_find(driver_membership(m->driver), member);
}

static void register_origin(struct member *m)
{
	const struct origin_row *row =
		position_origin(store_position(m->store), driver_id(m->driver));
	struct registration r = {.member = driver_id(m->driver),
				 .replaces = row ? row->incarnation : 0,
				 .level = m->options.level};
	struct buf bytes = {0};
	struct blob *payload;

	m->register_due_ms = member_now_ms(m) + m->options.driver.raft.election_ms;
	if (!m->origin.nonce)
		m->origin.nonce = m->io->random(m->io->ctx) | 1;
	r.nonce = m->origin.nonce;
	registration_encode(&r, &bytes);
	if (leads(m)) {
		payload = blob_copy(buf_slice(&bytes));
		if (!member_takes_part(m, r.member) || propose(m, ENTRY_REGISTER, payload, 0) != OK)
			m->register_due_ms = member_now_ms(m) + m->options.driver.raft.heartbeat_ms;
		blob_release(payload);
	} else {
		struct frame frame = {.kind = FRAME_REGISTER, .head = buf_slice(&bytes)};

		m->io->send(m->io->ctx, m->status.leader, &frame);
	}
	buf_free(&bytes);
}

void member_write_turn(struct member *m)
{
	uint64_t now = member_now_ms(m);
	struct origin *o = &m->origin;

	if (!m->status.leader || m->failed)
		return;
	if (!o->incarnation) {
		if (now >= m->register_due_ms)
			register_origin(m);
		return;
	}
	if (m->handed_term != m->status.term ||
	    (origin_unresolved(o) && now >= m->progress_ms + m->options.driver.raft.election_ms)) {
		if (!MUTANT(never_sent_again))
			origin_send_again(o);
		m->handed_term = m->status.term;
		m->progress_ms = now;
	}
	if (!origin_unresolved(o))
		m->progress_ms = now;
	if (resend(m))
		hand_out_collected(m);
}

/* ---- from others ----------------------------------------------------------------------------- */

/* Members speak for themselves: with numbers of another's, what that one handed out would not fit.
 */
void member_forwarded(struct member *m, uint64_t from, struct blob *body)
{
	struct cursor c = cursor_of(slice_of(body->data, body->len));
	struct batch_header h;

	if (batch_header_decode(&c, &h) != OK || h.member != from) {
		LOG(m->io->logger, LOG_WARNING, "a malformed batch was ignored");
		return;
	}
	/* No second hop: who does not lead that term drops it, and its origin sends it again. */
	if (leads(m) && h.term == m->status.term)
		member_lag_admit(m, &h, body);
}

void member_hear_registration(struct member *m, uint64_t from, struct slice body)
{
	struct registration r;
	struct blob *payload;

	if (registration_decode(body, &r) != OK || r.member != from) {
		LOG(m->io->logger, LOG_WARNING, "a malformed registration was ignored");
		return;
	}
	if (!leads(m) || !member_takes_part(m, r.member))
		return;
	payload = blob_copy(body);
	if (propose(m, ENTRY_REGISTER, payload, r.member) != OK)
		LOG(m->io->logger, LOG_DEBUG, "a registration of %016" PRIx64 " finds no room",
		    r.member);
	blob_release(payload);
}

/* ---- applied --------------------------------------------------------------------------------- */

void member_registered(struct member *m, uint64_t index, const struct registration *r, bool ok)
{
	if ((r->nonce != m->origin.nonce && !MUTANT(any_registration_is_own)) ||
	    m->origin.incarnation)
		return;
	if (ok) {
		origin_registered(&m->origin, index);
		m->progress_ms = member_now_ms(m);
		LOG(m->io->logger, LOG_NOTICE, "takes writes, as run %" PRIu64, index);
		return;
	}
	/* It named a run that was no longer the newest: this member had not caught up. Once more.
	 */
	m->register_due_ms = 0;
}

void member_write_resolved(struct member *m, struct request *r)
{
	m->progress_ms = member_now_ms(m);
	if (!r)
		return;
	session_done(r);
	session_advance(r->session);
}
