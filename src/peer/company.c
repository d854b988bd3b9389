#include "peer/company.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/mutant.h"
#include "consensus/label.h"
#include "node/member.h"
#include "peer/join.h"
#include "peer/peer_frame.h"

#include <inttypes.h>
#include <string.h>

/* Without a leader for so long somebody is asked who takes part, and then somebody else. */
#define LEADERLESS_MS 2000

/* Where a member of the initial cluster was said to be. */
struct known_place {
	struct buf name;
	struct buf host;
	uint16_t port;
};

struct company {
	struct company_options options;
	struct member *member;
	struct peers_events peers_events;
	struct peers *peers;
	struct join_events join_events;
	struct join *join; /* asks to take part; NULL: not (any more) */
	struct join *look; /* asks who takes part, while nobody leads; may be NULL */
	struct buf asked;  /* where: host:port */
	bool asks_as_told; /* there as `join` says, and not of those whom it knows */
	struct known_place *known;
	size_t known_count;
	uint64_t memberships;	/* that the peers follow, by raft_status.memberships */
	size_t removed;		/* for good, as far as peers were sent away */
	uint64_t leaderless_ms; /* since when nobody leads or was asked; 0: somebody leads */
	bool born;
	bool out; /* others say that this member was removed */
};

static uint64_t company_now_ms(const struct company *c)
{
	return clock_monotonic_us(c->options.clock) / 1000;
}

bool company_takes_part(const struct company *c)
{
	const struct driver *d = member_driver(c->member);

	return membership_find(driver_membership(d), driver_id(d));
}

/* ---- where others are ------------------------------------------------------------------------ */

/* As a member says itself, or else as this one was told at its start. */
static struct peers_place place_of(const struct company *c, const struct participant *member)
{
	struct label label = label_of_member(member);
	struct peers_place place = {.id = member->id, .name = label.name};

	if (label_address(label.address, &place.host, &place.port) == OK)
		return place;
	place.host = (struct slice){0};
	place.port = 0;
	for (size_t i = 0; i < c->known_count; i++) {
		if (!slice_equal(buf_slice(&c->known[i].name), label.name))
			continue;
		place.host = buf_slice(&c->known[i].host);
		place.port = c->known[i].port;
	}
	return place;
}

static void company_follow(struct company *c, const struct membership *m)
{
	struct peers_place places[MEMBERSHIP_MAX];

	for (uint32_t i = 0; i < m->count; i++)
		places[i] = place_of(c, &m->members[i]);
	if (m->count)
		peers_follow(c->peers, places, m->count);
}

/* Who is in this membership and not known to be there, or to have been removed for good. */
static void company_follow_also(struct company *c, const struct membership *m)
{
	const struct membership *own = driver_settled_membership(member_driver(c->member));
	struct peers_place places[MEMBERSHIP_MAX];
	size_t count = 0;

	for (uint32_t i = 0; i < m->count; i++)
		if (!peers_name_of(c->peers, m->members[i].id) &&
		    !membership_was_removed(own, m->members[i].id))
			places[count++] = place_of(c, &m->members[i]);
	peers_follow_also(c->peers, places, count);
}

/* Before it is born a cluster has no membership that counts. */
void company_changed(struct company *c, const struct raft_status *status)
{
	if (status->leader)
		c->leaderless_ms = 0;
	else if (!c->leaderless_ms)
		c->leaderless_ms = company_now_ms(c);
	peers_set_leaderless(c->peers, !status->leader);
	if (!status->born || (c->born && c->memberships == status->memberships))
		return;
	c->born = true;
	c->memberships = status->memberships;
	if (!c->join || company_takes_part(c))
		company_follow(c, driver_membership(member_driver(c->member)));
}

/* ---- what peers tell ------------------------------------------------------------------------- */

static void company_receive(void *ctx, uint64_t from, unsigned kind, struct blob *body)
{
	struct company *c = ctx;

	member_receive(c->member, from, (enum frame_kind)kind, body);
}

static void company_connected(void *ctx, uint64_t id)
{
	struct company *c = ctx;

	member_peer_connected(c->member, id);
}

static void company_gone(void *ctx, uint64_t id)
{
	struct company *c = ctx;

	member_peer_gone(c->member, id);
}

/* ---- joining --------------------------------------------------------------------------------- */

/* Its label says where it is known to be. */
static void company_correct(const struct company *c, struct participant *p)
{
	struct label old = label_of_member(p);
	struct buf address = {0}, label = {0};

	if (MUTANT(moved_not_told))
		return;
	if (p->id == driver_id(member_driver(c->member)))
		buf_append_slice(&address, slice_of_text(c->options.address));
	else if (peers_put_place(c->peers, p->id, &address) && old.client.len)
		buf_printf(&address, "/%.*s", (int)old.client.len, (const char *)old.client.data);
	label_put(old.name, buf_slice(&address), &label);
	if (address.len && label.len <= sizeof(p->label)) {
		memcpy(p->label, label.data, label.len);
		p->label_len = (uint8_t)label.len;
	}
	buf_free(&address);
	buf_free(&label);
}

/*
 * Who takes part, and where they are as far as this member knows better than the membership. Who
 * finds itself among the removed ones believes it, so they are those of a committed membership.
 */
static void company_put_membership(const struct company *c, struct buf *out)
{
	const struct driver *d = member_driver(c->member);
	struct membership m = {0};
	uint32_t removed = 0;

	membership_copy(&m, driver_membership(d));
	for (uint32_t i = 0; i < m.count; i++)
		company_correct(c, &m.members[i]);
	for (uint32_t i = 0; i < m.removed_count; i++)
		if (membership_was_removed(driver_settled_membership(d), m.removed[i]) ||
		    MUTANT(removal_told_early))
			m.removed[removed++] = m.removed[i];
	m.removed_count = removed;
	membership_encode(&m, out);
	membership_free(&m);
}

static bool company_is_joined(void *ctx, const struct peer_join *join, struct buf *answer,
			      struct buf *why)
{
	struct company *c = ctx;
	const struct driver *d = member_driver(c->member);
	struct peers_place place = {.id = join->id, .name = join->name};
	struct buf membership = {0};
	struct peer_joined joined;
	struct raft_status status;

	driver_status(d, &status);
	if (!status.born || driver_membership(d)->count == 0) {
		buf_printf(why, "%s is not in a cluster yet itself; ask again", c->options.name);
		return false;
	}
	if (label_address(label_place(join->address), &place.host, &place.port) == OK)
		peers_guess(c->peers, &place);
	if (!member_admit(c->member, join->id, join->name, join->address, join->rises, why))
		return false;
	company_put_membership(c, &membership);
	joined =
		(struct peer_joined){.leader = status.leader, .membership = buf_slice(&membership)};
	peer_joined_encode(&joined, answer);
	buf_free(&membership);
	return true;
}

/* Where those are whom it cannot find: they, too, may have moved while it was away. */
static void company_guess(struct company *c, const struct membership *m)
{
	for (uint32_t i = 0; i < m->count; i++) {
		struct peers_place place = place_of(c, &m->members[i]);

		if (place.host.len)
			peers_guess(c->peers, &place);
	}
}

/*
 * Who takes part already only learns of those it has not heard of: a membership that another one
 * has may come to nothing, and who is missing in it still be needed. The same holds for the word of
 * one that knows no leader: it may have been away for long.
 */
static void join_answered(void *ctx, uint64_t leader, struct slice bytes, struct buf *next)
{
	struct company *c = ctx;
	struct membership m = {0};
	const struct participant *leads;

	if (membership_decode(bytes, &m) != OK)
		return;
	c->out = membership_was_removed(&m, driver_id(member_driver(c->member)));
	member_note_removed(c->member, &m);
	if (company_takes_part(c) || !leader)
		company_follow_also(c, &m);
	else
		company_follow(c, &m);
	company_guess(c, &m);
	leads = membership_find(&m, leader);
	if (leads && !company_takes_part(c))
		buf_append_slice(next, label_of_member(leads).address);
	membership_free(&m);
}

/*
 * Also one that ended before its log had come to the membership that takes it in: who is only in
 * that one would be refused here, and may need its vote.
 */
static bool company_has_to_ask(const struct company *c)
{
	const struct driver *d = member_driver(c->member);

	return c->options.join && !company_takes_part(c) &&
	       !membership_was_removed(driver_settled_membership(d), driver_id(d));
}

static struct join *company_ask(struct company *c, struct slice at, const struct logger *logger)
{
	const struct company_options *o = &c->options;
	struct join_options options = {
		.wires = o->wires,
		.clock = o->clock,
		.logger = logger,
		.at = at,
		.name = o->name,
		.address = o->address,
		.token = o->token,
		.id = driver_id(member_driver(c->member)),
		.rises = o->rises,
	};

	c->join_events = (struct join_events){.ctx = c, .answered = join_answered};
	return join_new(&options, &c->join_events);
}

static void company_start_join(struct company *c)
{
	const struct company_options *o = &c->options;

	if (!company_has_to_ask(c))
		return;
	LOG(o->logger, LOG_NOTICE, "%s (%016" PRIx64 ") asks at %s to join", o->name,
	    driver_id(member_driver(c->member)), o->join);
	c->join = company_ask(c, slice_of_text(o->join), o->logger);
	peers_set_newcomer(c->peers, true);
}

/*
 * Who was away while members came and went knows none of those who have come, and refuses them:
 * also the leader, if it is one of them, and then nobody tells it. One that it knows is asked, or
 * one that it has refused. So does a newcomer: where it is to ask nobody may know better.
 */
static bool company_has_lost_sight(const struct company *c)
{
	const struct driver *d = member_driver(c->member);

	return c->leaderless_ms && !c->out &&
	       (c->join || company_takes_part(c) ||
		membership_find(driver_settled_membership(d), driver_id(d))) &&
	       !MUTANT(lost_sight_stays_lost);
}

/*
 * Where it was told to ask when it was started, every other time: all whom it knows may have moved.
 */
static bool company_draws(struct company *c)
{
	c->asks_as_told = c->options.join && !c->asks_as_told;
	if (!c->asks_as_told)
		return peers_draw(c->peers, &c->asked);
	buf_clear(&c->asked);
	buf_append_slice(&c->asked, slice_of_text(c->options.join));
	return true;
}

static void company_look_for_leader(struct company *c)
{
	c->leaderless_ms = company_now_ms(c);
	join_free(c->look);
	c->look = NULL;
	if (company_draws(c))
		c->look = company_ask(c, buf_slice(&c->asked), NULL);
}

/* Others may have named them until it was certain that they are removed. */
static void company_send_away(struct company *c)
{
	const struct membership *m = driver_settled_membership(member_driver(c->member));

	if (m->removed_count == c->removed)
		return;
	c->removed = m->removed_count;
	for (size_t i = 0; i < m->removed_count; i++)
		peers_send_away(c->peers, m->removed[i]);
}

/* ---- turns ----------------------------------------------------------------------------------- */

void company_turn(struct company *c)
{
	if (c->join && (company_takes_part(c) || c->out)) {
		join_free(c->join);
		c->join = NULL;
		peers_set_newcomer(c->peers, false);
	}
	if (c->look && (!c->leaderless_ms || c->out)) {
		join_free(c->look);
		c->look = NULL;
	}
	company_send_away(c);
	if (company_has_lost_sight(c) && company_now_ms(c) >= c->leaderless_ms + LEADERLESS_MS)
		company_look_for_leader(c);
	if (c->join)
		join_turn(c->join);
	if (c->look)
		join_turn(c->look);
	peers_turn(c->peers);
}

uint64_t company_deadline_ms(const struct company *c)
{
	uint64_t due = peers_deadline_ms(c->peers);

	if (company_has_lost_sight(c))
		due = MIN(due, c->leaderless_ms + LEADERLESS_MS);
	if (c->join)
		due = MIN(due, join_deadline_ms(c->join));
	return c->look ? MIN(due, join_deadline_ms(c->look)) : due;
}

/* ---- life ------------------------------------------------------------------------------------ */

static void company_know(struct company *c, const struct peers_place *places, size_t count)
{
	c->known = mem_zalloc(count + 1, sizeof(*c->known));
	c->known_count = count;
	for (size_t i = 0; i < count; i++) {
		buf_append_slice(&c->known[i].name, places[i].name);
		buf_append_slice(&c->known[i].host, places[i].host);
		c->known[i].port = places[i].port;
	}
}

struct company *company_new(const struct company_options *options, struct member *member)
{
	struct company *c = MEM_NEW(struct company);
	struct peers_options peers = {
		.wires = options->wires,
		.logger = options->logger,
		.clock = options->clock,
		.random = options->random,
		.places = options->places,
		.place_count = options->place_count,
		.name = options->name,
		.token = options->token,
		.address = options->address,
		.id = driver_id(member_driver(member)),
		.queued_bytes = options->queued_bytes,
		.leave_ms = options->leave_ms,
	};

	c->options = *options;
	c->member = member;
	c->leaderless_ms = company_now_ms(c);
	company_know(c, options->places, options->place_count);
	c->peers_events = (struct peers_events){
		.ctx = c,
		.receive = company_receive,
		.connected = company_connected,
		.gone = company_gone,
		.join = company_is_joined,
	};
	c->peers = peers_new(&peers, &c->peers_events);
	peers_set_leaderless(c->peers, true);
	company_start_join(c);
	return c;
}

void company_free(struct company *c)
{
	if (!c)
		return;
	join_free(c->join);
	join_free(c->look);
	peers_free(c->peers);
	for (size_t i = 0; i < c->known_count; i++) {
		buf_free(&c->known[i].name);
		buf_free(&c->known[i].host);
	}
	mem_free(c->known);
	buf_free(&c->asked);
	mem_free(c);
}

struct peers *company_peers(struct company *c)
{
	return c->peers;
}
