/* The other members: what comes from them, and how this one comes to them. */

#include "consensus/label.h"
#include "server/peer_frame.h"
#include "server/server_internal.h"

#include <inttypes.h>

/* Shorter than that, a busy machine would look like a broken connection. */
#define PEER_SILENCE_MIN_MS 1000u

/* Who takes part no more is still told so for this many election timeouts. */
#define LEAVE_TIMEOUTS 10u

static void peer_receive(void *ctx, uint64_t from, unsigned kind, struct blob *body)
{
	struct server *s = ctx;

	member_receive(s->member, from, (enum frame_kind)kind, body);
}

static void peer_connected(void *ctx, uint64_t id)
{
	struct server *s = ctx;

	member_peer_connected(s->member, id);
}

static void peer_gone(void *ctx, uint64_t id)
{
	struct server *s = ctx;

	member_peer_gone(s->member, id);
}

static bool peer_join(void *ctx, const struct peer_join *join, struct buf *answer, struct buf *why)
{
	struct server *s = ctx;
	const struct driver *d = member_driver(s->member);
	struct buf membership = {0};
	struct peer_joined joined;
	struct raft_status status;

	driver_status(d, &status);
	if (!status.born || driver_membership(d)->count == 0) {
		buf_printf(why, "%s is not in a cluster yet itself; ask again", s->options->name);
		return false;
	}
	if (!member_admit(s->member, join->id, join->name, join->address, join->rises, why))
		return false;
	membership_encode(driver_membership(d), &membership);
	joined =
		(struct peer_joined){.leader = status.leader, .membership = buf_slice(&membership)};
	peer_joined_encode(&joined, answer);
	buf_free(&membership);
	return true;
}

static void join_answered(void *ctx, uint64_t leader, struct slice bytes, struct buf *next)
{
	struct server *s = ctx;
	struct membership m = {0};
	const struct participant *leads;

	if (server_takes_part(s) || membership_decode(bytes, &m) != OK)
		return;
	server_follow(s, &m);
	leads = membership_find(&m, leader);
	if (leads)
		buf_append_slice(next, label_of_member(leads).address);
	membership_free(&m);
}

static void peer_resolve(void *ctx, struct job *job)
{
	struct server *s = ctx;

	threads_run(s->threads, LANE_RESOLVE, job);
}

void server_start_peers(struct server *s)
{
	const struct options *o = s->options;
	struct peers_options options = {
		.ev = loop_ev(s->loop),
		.logger = s->logger,
		.clock = &s->clock,
		.random = &s->random,
		.members = &o->initial_cluster,
		.name = o->name,
		.token = o->cluster_token,
		.id = driver_id(member_driver(s->member)),
		.silence_ms = MAX(2 * (uint32_t)o->election_timeout_ms, PEER_SILENCE_MIN_MS),
		.queued_bytes = server_queued_bytes(s),
		.leave_ms = LEAVE_TIMEOUTS * (uint32_t)o->election_timeout_ms,
	};

	s->peers_events = (struct peers_events){
		.ctx = s,
		.receive = peer_receive,
		.connected = peer_connected,
		.gone = peer_gone,
		.resolve = peer_resolve,
		.join = peer_join,
	};
	s->peers = peers_new(&options, &s->peers_events);
}

void server_start_join(struct server *s)
{
	const struct options *o = s->options;
	struct join_options options;

	if (!o->join || driver_membership(member_driver(s->member))->count)
		return; /* it was there before */
	options = (struct join_options){
		.ev = loop_ev(s->loop),
		.logger = s->logger,
		.at = slice_of_text(o->join),
		.name = o->name,
		.address = (const char *)s->address.data,
		.token = o->cluster_token,
		.id = driver_id(member_driver(s->member)),
		.rises = o->auto_promote,
	};
	s->join_events =
		(struct join_events){.ctx = s, .answered = join_answered, .resolve = peer_resolve};
	LOG(s->logger, LOG_NOTICE, "%s (%016" PRIx64 ") asks at %s to join", o->name, options.id,
	    o->join);
	s->join = join_new(&options, &s->join_events);
}
