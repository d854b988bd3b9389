#include "sim/roster.h"

#include "base/hash.h"
#include "base/mem.h"
#include "consensus/label.h"
#include "consensus/raft_state.h"
#include "node/member_state.h"

#include <inttypes.h>
#include <string.h>

/* A membership at its place in some log. */
struct seating {
	uint64_t index;
	uint64_t hash;
	bool committed;
	struct membership members;
};

struct roster {
	struct seating *all; /* as they came */
	size_t count;
	size_t cap;
	uint64_t newest;     /* index of the newest that is committed */
	struct buf *refused; /* addresses */
	size_t refused_count;
	size_t refused_cap;
};

struct roster *roster_new(void)
{
	return MEM_NEW(struct roster);
}

void roster_free(struct roster *r)
{
	for (size_t i = 0; i < r->count; i++)
		membership_free(&r->all[i].members);
	for (size_t i = 0; i < r->refused_count; i++)
		buf_free(&r->refused[i]);
	mem_free(r->all);
	mem_free(r->refused);
	mem_free(r);
}

uint64_t roster_newest(const struct world *w)
{
	return w->callers->roster->newest;
}

static bool has_address(const struct membership *m, struct slice address)
{
	for (uint32_t i = 0; i < m->count; i++)
		if (slice_equal(label_of_member(&m->members[i]).address, address))
			return true;
	return false;
}

/* ---- what there was -------------------------------------------------------------------------- */

/* The newest one before it that is committed, as far as is known. */
static const struct seating *seating_before(const struct roster *r, const struct seating *s)
{
	const struct seating *found = NULL;

	for (size_t i = 0; i < r->count; i++)
		if (r->all[i].committed && r->all[i].index < s->index &&
		    (!found || r->all[i].index > found->index))
			found = &r->all[i];
	return found;
}

/* An address that somebody lost, and has again: what was asked for once was done twice. */
static void watch_twice(struct world *w, const struct seating *s, struct slice address)
{
	const struct roster *r = w->callers->roster;
	const struct seating *before = seating_before(r, s);

	if (!before || has_address(&before->members, address))
		return;
	for (size_t i = 0; i < r->count; i++)
		if (r->all[i].committed && r->all[i].index < before->index &&
		    has_address(&r->all[i].members, address))
			world_fail(w, "the address %.*s was given twice", (int)address.len,
				   (const char *)address.data);
}

static void watch_addresses(struct world *w, const struct seating *s)
{
	const struct roster *r = w->callers->roster;

	for (uint32_t i = 0; i < s->members.count; i++) {
		struct slice address = label_of_member(&s->members.members[i]).address;

		if (address.len < strlen(ROSTER_ADDRESS) ||
		    memcmp(address.data, ROSTER_ADDRESS, strlen(ROSTER_ADDRESS)) != 0)
			continue;
		watch_twice(w, s, address);
		for (size_t k = 0; k < r->refused_count; k++)
			if (slice_equal(buf_slice(&r->refused[k]), address))
				world_fail(w, "the address %.*s was refused, and given",
					   (int)address.len, (const char *)address.data);
	}
}

static void commits(struct world *w, struct seating *s)
{
	s->committed = true;
	w->callers->roster->newest = MAX(w->callers->roster->newest, s->index);
	watch_addresses(w, s);
}

static void sees_one(struct host *h, const struct membership_entry *e, uint64_t commit)
{
	struct roster *r = h->world->callers->roster;
	struct buf bytes = {0};
	struct seating *s = NULL;
	uint64_t hash;

	membership_encode(&e->membership, &bytes);
	hash = hash64(buf_slice(&bytes));
	buf_free(&bytes);
	for (size_t i = r->count; i > 0 && !s; i--)
		if (r->all[i - 1].index == e->index && r->all[i - 1].hash == hash)
			s = &r->all[i - 1];
	if (!s) {
		MEM_GROW(r->all, r->cap, r->count + 1);
		s = &r->all[r->count++];
		*s = (struct seating){.index = e->index, .hash = hash};
		membership_copy(&s->members, &e->membership);
	}
	if (!s->committed && e->index <= commit)
		commits(h->world, s);
}

/* ---- what a leader accepts ------------------------------------------------------------------- */

static bool answers(const struct host *h, const struct raft *r, uint64_t id)
{
	uint64_t now_ms = host_clock_us(h) / 1000;

	for (size_t i = 0; i < r->peer_count; i++)
		if (r->peers[i].id == id)
			return r->peers[i].match > 0 && now_ms <= r->peers[i].heard_ms +
									  r->options.election_ms +
									  r->options.heartbeat_ms;
	return id == r->id;
}

static bool moves_votes(const struct membership *before, const struct membership *now)
{
	for (uint32_t i = 0; i < before->count; i++) {
		const struct participant *p = membership_find(now, before->members[i].id);

		if (!p || (p->roles & MEMBER_VOTER) != (before->members[i].roles & MEMBER_VOTER))
			return true;
	}
	return false;
}

/* A change that a command asked for has just been appended. */
static void watch_accepted(struct host *h, const struct raft *r)
{
	const struct changing *c = &h->member->changing;
	const struct membership *now;
	unsigned voters = 0, alive = 0;

	if (!c->under_way || c->transfer_to || c->index == h->seen_change ||
	    r->role != RAFT_LEADER || c->index > r->log.last || c->index <= r->log.base)
		return;
	h->seen_change = c->index;
	now = raft_membership_at(r, c->index);
	COUNT(h->world, CHECK_REACH);
	for (uint32_t i = 0; i < now->count; i++) {
		if (!(now->members[i].roles & MEMBER_VOTER))
			continue;
		voters++;
		alive += answers(h, r, now->members[i].id) &&
			 !position_quarantine(store_position(h->member->store), now->members[i].id);
	}
	if (alive <= voters / 2 && moves_votes(raft_membership_at(r, c->index - 1), now))
		world_fail(h->world,
			   "%s makes a change after which %u of %u voters answer and are not in "
			   "quarantine, because somebody asked for it",
			   h->name, alive, voters);
}

void roster_watch(struct host *h)
{
	const struct raft *r = driver_raft(h->driver);

	if (!h->world->callers)
		return;
	watch_accepted(h, r);
	/* Before birth there is nobody, in a core that begins anew with the first members. */
	if (!raft_membership(r)->count ||
	    (h->seen_memberships == r->memberships_seen + 1 && r->commit == h->seen_roster))
		return;
	h->seen_memberships = r->memberships_seen + 1;
	h->seen_roster = r->commit;
	for (size_t i = 0; i < r->membership_count; i++)
		sees_one(h, r->memberships[i], r->commit);
}

/* ---- what clients hear ----------------------------------------------------------------------- */

static bool begins(struct slice s, const char *with)
{
	size_t n = strlen(with);

	return s.len >= n && memcmp(s.data, with, n) == 0;
}

static bool word_is(struct slice word, const char *text)
{
	return slice_equal(word, slice_of_text(text));
}

/* Whether the change that these words ask for is made in this membership. */
static bool is_made(const struct membership *m, const struct slice *argv)
{
	const struct participant *p = label_find(m, argv[2]);

	if (word_is(argv[1], "REMOVE"))
		return !p || !(p->roles & (MEMBER_VOTER | MEMBER_LEARNER));
	if (!p)
		return false;
	if (word_is(argv[1], "PROMOTE"))
		return p->roles & MEMBER_VOTER;
	if (word_is(argv[1], "DEMOTE"))
		return p->roles & MEMBER_LEARNER;
	if (word_is(argv[1], "UPDATE"))
		return slice_equal(label_of_member(p).address, argv[3]);
	return true; /* ADD */
}

static uint64_t term_led(const struct host *h)
{
	const struct raft *r = h->state == HOST_UP && h->driver ? driver_raft(h->driver) : NULL;

	return r && r->role == RAFT_LEADER ? r->hard.term : 0;
}

/* The last one, or one before it that does not know yet. */
size_t roster_first_leader(const struct world *w)
{
	size_t first = w->leader_count ? w->leader_count - 1 : 0;

	for (unsigned i = 0; i < w->host_count; i++) {
		uint64_t term = term_led(&w->hosts[i]);

		for (size_t k = 0; k < first && term; k++)
			if (w->leaders[k].term == term && w->leaders[k].id == w->hosts[i].id)
				first = k;
	}
	return first;
}

static bool has_led(const struct world *w, const struct asked *a, uint64_t id)
{
	for (size_t i = a->leaders; i < w->leader_count; i++)
		if (w->leaders[i].id == id)
			return true;
	return false;
}

/* The place of the membership that made it, behind all that were committed when it was asked. */
static uint64_t place_of(const struct world *w, const struct asked *a, const struct slice *argv)
{
	const struct roster *r = w->callers->roster;
	uint64_t place = 0;

	for (size_t i = 0; i < r->count; i++)
		if (r->all[i].committed && r->all[i].index > a->seating &&
		    (!place || r->all[i].index < place) && is_made(&r->all[i].members, argv))
			place = r->all[i].index;
	return place;
}

static void hears_made(struct caller *c, const struct asked *a, const struct slice *argv)
{
	uint64_t place;

	COUNT(c->world, MEMBER_MADE);
	if (word_is(argv[1], "TRANSFER")) {
		if (!has_led(c->world, a, label_id(argv[2])))
			world_fail(c->world, "client %u hears that %.*s leads, and it never did",
				   c->number, (int)argv[2].len, (const char *)argv[2].data);
		return;
	}
	place = place_of(c->world, a, argv);
	if (!place) {
		world_fail(c->world,
			   "client %u hears that %.*s of %.*s is done, and it is not committed",
			   c->number, (int)argv[1].len, (const char *)argv[1].data,
			   (int)argv[2].len, (const char *)argv[2].data);
		return;
	}
	c->seating = place;
	c->seating_term = term_led(c->host);
}

static void hears_refused(struct caller *c, const struct slice *argv)
{
	struct roster *r = c->world->callers->roster;

	COUNT(c->world, MEMBER_REFUSED);
	if (!word_is(argv[1], "UPDATE"))
		return;
	for (size_t i = 0; i < r->count; i++)
		if (has_address(&r->all[i].members, argv[3]))
			world_fail(c->world, "the address %.*s is refused, and somebody has it",
				   (int)argv[3].len, (const char *)argv[3].data);
	MEM_GROW(r->refused, r->refused_cap, r->refused_count + 1);
	r->refused[r->refused_count] = (struct buf){0};
	buf_append_slice(&r->refused[r->refused_count++], argv[3]);
}

void roster_hears_change(struct caller *c, const struct asked *a, enum heard heard,
			 struct slice plain)
{
	struct slice argv[WORDS_MAX];

	(void)heard;
	words_borrow(&a->words, argv);
	COUNT(c->world, CHECK_SEATED);
	if (begins(plain, "+OK"))
		hears_made(c, a, argv);
	else if (begins(plain, "-UNCERTAIN "))
		COUNT(c->world, MEMBER_UNCERTAIN);
	else if (begins(plain, "-ERR ") || begins(plain, "-TRYAGAIN ") ||
		 begins(plain, "-CLUSTERDOWN "))
		hears_refused(c, argv);
	else
		world_fail(c->world, "client %u hears something else of a change: %.*s", c->number,
			   (int)MIN(plain.len, 100u), (const char *)plain.data);
}

/* ---- lists ----------------------------------------------------------------------------------- */

static const char *role_of(uint8_t roles)
{
	if (roles & MEMBER_VOTER)
		return "voter";
	return roles & MEMBER_LEARNER ? "learner" : "leaving";
}

/* What the list says of these members, each in a line. */
static void list_expected(const struct membership *m, struct buf *out)
{
	for (uint32_t i = 0; i < m->count; i++) {
		const struct participant *p = &m->members[i];
		struct slice address = label_of_member(p).address;

		buf_printf(out, "%016" PRIx64 " %.*s %s\n", p->id, (int)address.len,
			   (const char *)address.data, role_of(p->roles));
	}
}

static void list_heard(struct slice plain, struct buf *out)
{
	static const char *const names[] = {"id", "address", "role"};
	struct slice found[ARRAY_LEN(names)] = {{0}};

	(void)plain_take_line(&plain);
	while (plain.len) {
		struct slice name;

		if (plain.data[0] == '*') {
			(void)plain_take_line(&plain);
			continue;
		}
		name = plain_text(plain_take_line(&plain));
		if (!plain.len)
			return;
		for (size_t i = 0; i < ARRAY_LEN(names); i++) {
			struct slice rest = plain;

			if (word_is(name, names[i]))
				found[i] = plain_text(plain_take_line(&rest));
		}
		(void)plain_take_line(&plain);
		if (!word_is(name, "auto-promote"))
			continue;
		for (size_t i = 0; i < ARRAY_LEN(names); i++) {
			buf_append_slice(out, found[i]);
			buf_append_byte(out, i + 1 < ARRAY_LEN(names) ? ' ' : '\n');
		}
	}
}

static bool list_is(const struct seating *s, struct slice heard)
{
	struct buf expected = {0};
	bool is;

	list_expected(&s->members, &expected);
	is = slice_equal(buf_slice(&expected), heard);
	buf_free(&expected);
	return is;
}

void roster_hears_list(struct caller *c, const struct asked *a, enum heard heard,
		       struct slice plain)
{
	const struct roster *r = c->world->callers->roster;
	uint64_t term = term_led(c->host), from = 0;
	struct buf list = {0};
	bool is = false;

	if (heard != HEARD_DONE || begins(plain, "-") || begins(plain, "*0\n"))
		return;
	COUNT(c->world, CHECK_LISTED);
	if (term && term == a->own_term)
		from = a->own_seating;
	list_heard(plain, &list);
	for (size_t i = r->count; i > 0 && !is; i--)
		is = r->all[i - 1].index >= from && list_is(&r->all[i - 1], buf_slice(&list));
	if (!is)
		world_fail(c->world,
			   "client %u is told of members that there never were from place %" PRIu64
			   " on: %.*s",
			   c->number, from, (int)MIN(list.len, 400u), (const char *)list.data);
	buf_free(&list);
}
