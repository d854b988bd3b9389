/* What a member tells commands that are about it, and what it counts of those that run. */

#include "base/error.h"
#include "consensus/label.h"
#include "node/member_state.h"

static size_t sessions_count(const struct member *m)
{
	size_t n = 0;

	list_for_each (it, &m->sessions)
		n++;
	return n;
}

/* What ran in the second before this one. */
static void tally_roll(struct tally *t, uint64_t second)
{
	if (t->second == second)
		return;
	/* CONFIG RESETSTAT may have come between. */
	t->rate = second == t->second + 1 && t->stats.calls >= t->calls ? t->stats.calls - t->calls
									: 0;
	t->second = second;
	t->calls = t->stats.calls;
}

static bool has_client_address(const struct member *m, uint64_t id)
{
	const struct participant *p = membership_find(driver_membership(m->driver), id);
	struct slice host;
	uint16_t port;

	return p && label_address(label_of_member(p).client, &host, &port) == OK;
}

/*
 * Who was not heard for two election timeouts is none that anything is replicated to. Who has not
 * said yet where clients reach it is none that they could be sent to.
 */
static void find_followers(const struct member *m, struct info_member *out)
{
	const struct raft *raft = driver_raft(m->driver);
	uint64_t now = member_now_ms(m),
		 silence_ms = 2 * (uint64_t)m->options.driver.raft.election_ms;
	struct raft_peer_status peer;

	for (size_t i = 0; out->leads && raft_peer_status(raft, i, &peer); i++) {
		uint64_t lag_ms = now - MIN(now, peer.heard_ms);

		if (peer.heard_ms == 0 || lag_ms > silence_ms || !has_client_address(m, peer.id))
			continue;
		out->followers[out->follower_count++] = (struct info_follower){
			.id = peer.id,
			.index = peer.match,
			.lag_ms = lag_ms,
			.is_fetching = peer.state == PEER_SNAPSHOT,
		};
	}
}

static void desk_info(void *self, struct info_member *out)
{
	const struct session *s = self;
	struct member *m = s->member;
	const struct position *p = store_position(m->store);
	struct member_stats stats;
	struct raft_status status;

	driver_status(m->driver, &status);
	member_stats(m, &stats);
	tally_roll(&m->tally, member_now_ms(m) / 1000);
	*out = (struct info_member){
		.id = status.id,
		.name = m->options.driver.name,
		.raft_role = raft_role_name(status.role),
		.term = status.term,
		.leader = status.leader,
		.commit = status.commit,
		.membership = driver_membership(m->driver),
		.position = p,
		.sessions = sessions_count(m),
		.ops_per_second = m->tally.rate,
		.unsaved = p->index - MIN(p->index, store_durable_index(m->store)),
		.saved_s = m->tally.saved_ms / 1000,
		.saving = store_is_writing(m->store),
		.save_failed = store_flush_failed(m->store),
		.quarantined = stats.quarantined,
		.no_space = stats.no_space,
		.removed = m->removed,
		.announces_leader = m->options.announces_leader,
		.leads = status.role == RAFT_LEADER,
		.checks = stats.checks,
		.verdicts = stats.verdicts,
	};
	store_stats(m->store, &out->store);
	find_followers(m, out);
}

static bool desk_is_master(void *self)
{
	const struct session *s = self;

	return !s->member->options.announces_leader || s->member->status.role == RAFT_LEADER;
}

void member_set_slowlog(struct member *m, int64_t slower_than_us, uint64_t max_len)
{
	slowlog_limit(&m->slowlog, slower_than_us, max_len);
}

/* ---- passwords ------------------------------------------------------------------------------- */

void member_set_password(struct member *m, struct slice password)
{
	buf_clear(&m->password);
	buf_append_slice(&m->password, password);
}

bool session_is_authenticated(const struct session *s)
{
	return s->client.authenticated;
}

static bool desk_password_needed(void *self)
{
	const struct session *s = self;

	return s->member->password.len > 0;
}

/* Takes as long whatever is wrong with it, so that time tells nothing of the right one. */
static bool desk_password_fits(void *self, struct slice password)
{
	const struct session *s = self;
	struct slice right = buf_slice(&s->member->password);
	unsigned difference = password.len != right.len;

	for (size_t i = 0; i < password.len; i++)
		difference |= (unsigned)(password.data[i] ^ right.data[i % right.len]);
	return difference == 0;
}

/* ---- clients --------------------------------------------------------------------------------- */

static struct client_row row_of(struct session *s, bool is_self)
{
	uint64_t now = member_now_ms(s->member);
	struct client_row row = {
		.session = s,
		.client = &s->client,
		.command = s->newest,
		.address = buf_slice(&s->address),
		.socket = {.fd = -1},
		.age_s = (now - s->opened_ms) / 1000,
		.idle_s = (now - s->heard_ms) / 1000,
		.queued = -1,
		.monitors = !list_empty(&s->monitor),
		.queued_bytes = s->multi.memory,
		.argument_bytes = s->bytes,
		.output_bytes = s->out.len,
		.is_self = is_self,
	};

	if (s->multi.open) {
		row.queued = 0;
		list_for_each (it, &s->multi.queued)
			row.queued++;
	}
	if (s->events->describe)
		s->events->describe(s->ctx, &row.socket);
	row.output_bytes -= MIN(row.output_bytes, row.socket.written);
	return row;
}

static void desk_clients_each(void *self, void (*tell)(void *ctx, const struct client_row *row),
			      void *ctx)
{
	const struct session *asking = self;

	list_for_each (it, &asking->member->sessions) {
		struct session *s = LIST_ITEM(it, struct session, link);
		struct client_row row = row_of(s, s == asking);

		tell(ctx, &row);
	}
}

static void desk_clients_kill(void *self, const struct client_row *row)
{
	(void)self;
	session_kill(row->session);
}

static void desk_clients_pause(void *self, uint64_t ms, bool all)
{
	const struct session *s = self;

	member_pause(s->member, ms, all);
}

static void desk_clients_unpause(void *self)
{
	const struct session *s = self;

	member_unpause(s->member);
}

static void desk_monitor(void *self)
{
	session_monitor(self);
}

static void desk_copies(void *self, int64_t *here, int64_t *others)
{
	session_copies(self, here, others);
}

static void desk_later(void *self, const struct later *later)
{
	session_later(self, later);
}

static void desk_save(void *self)
{
	const struct session *s = self;

	member_save(s->member);
}

/* Whoever comes by a file of this machine is called by it, and has port 0, as nobody else. */
static bool is_local(struct slice address)
{
	struct slice v4 = SLICE_LITERAL("127."), v6 = SLICE_LITERAL("[::1]"),
		     file = SLICE_LITERAL(":0");

	if (address.len > file.len &&
	    slice_equal(slice_of(address.data + address.len - file.len, file.len), file))
		return true;
	return (address.len > v4.len && slice_equal(slice_of(address.data, v4.len), v4)) ||
	       (address.len > v6.len && slice_equal(slice_of(address.data, v6.len), v6));
}

static bool desk_debug_allowed(void *self)
{
	const struct session *s = self;
	enum debug_access access = s->member->options.debug;

	return access == DEBUG_BY_ALL ||
	       (access == DEBUG_BY_LOCAL && is_local(buf_slice(&s->address)));
}

static int desk_hand_over(void *self)
{
	const struct session *s = self;
	struct member *m = s->member;

	if (m->failed || m->status.role != RAFT_LEADER)
		return ERR_NOT_LEADER;
	return driver_transfer(m->driver, 0);
}

/* ---- what runs ------------------------------------------------------------------------------- */

void member_count_error(struct member *m, const struct buf *out)
{
	size_t end = out->len - MIN(out->len, (size_t)2), begin = end;

	while (begin > 0 && out->data[begin - 1] != '\n')
		begin--;
	if (begin < end && out->data[begin] == '-')
		command_stats_error(&m->tally.stats,
				    slice_of(out->data + begin + 1, end - begin - 1));
}

/* Of a transaction the second argument is its whole, as the log has it: nothing for a reader. */
static void note_slow(struct session *s, const struct call *c, uint64_t usec)
{
	struct slowlog_origin origin = {.at_s = clock_wall_ms(&s->member->io->clock) / 1000,
					.address = buf_slice(&s->address),
					.name = buf_slice(&s->client.name)};
	struct call shown = *c;

	if (c->command == &transaction_command)
		shown.argc = 1;
	slowlog_note(&s->member->slowlog, &shown, usec, &origin);
}

uint64_t member_begins(const struct member *m)
{
	return m->lap_us ? m->lap_us : member_now_us(m);
}

void member_ran(struct session *s, const struct call *c, uint64_t began_us)
{
	struct member *m = s->member;
	uint64_t now_us = member_now_us(m);

	if (m->lap_us)
		m->lap_us = now_us;
	member_tally(s, c, now_us - began_us, now_us);
}

void member_tally(struct session *s, const struct call *c, uint64_t usec, uint64_t now_us)
{
	struct tally *t = &s->member->tally;

	tally_roll(t, now_us / 1000000);
	command_stats_ran(&t->stats, c->command, usec, c->refused);
	if (c->refused)
		member_count_error(s->member, c->reply->out);
	if (slowlog_wants(&s->member->slowlog, usec))
		note_slow(s, c, usec);
}

struct desk session_desk(struct session *s)
{
	return (struct desk){
		.self = s,
		.stats = &s->member->tally.stats,
		.slowlog = &s->member->slowlog,
		.monitor = desk_monitor,
		.copies = desk_copies,
		.later = desk_later,
		.save = desk_save,
		.debug_allowed = desk_debug_allowed,
		.hand_over = desk_hand_over,
		.info = desk_info,
		.is_master = desk_is_master,
		.password_needed = desk_password_needed,
		.password_fits = desk_password_fits,
		.clients_each = desk_clients_each,
		.clients_kill = desk_clients_kill,
		.clients_pause = desk_clients_pause,
		.clients_unpause = desk_clients_unpause,
	};
}
