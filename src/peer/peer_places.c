/* Where others are: what memberships say of it, what they say themselves, and who is right. */

#include "base/check.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/mutant.h"
#include "consensus/label.h"
#include "peer/peers_internal.h"

#include <string.h>

/* So many places are tried for somebody besides the one where it should be. */
#define GUESSES_MAX 4

/* Who says within this time that it is where it was before its last place may be there twice. */
#define TURNS_MS 10000

/* ---- places ---------------------------------------------------------------------------------- */

static bool place_is(const struct peer_place *at, struct slice host, uint16_t port)
{
	return at->host && at->port == port && slice_equal(slice_of_text(at->host), host);
}

void peer_place_forget(struct peer_place *at)
{
	mem_free(at->host);
	at->host = NULL;
}

static void place_set(struct peer_place *at, struct slice host, uint16_t port)
{
	char *text = slice_to_text(host);

	mem_free(at->host);
	*at = (struct peer_place){text, port};
}

static bool is_at(const struct peer *peer, struct slice host, uint16_t port)
{
	return peer->port == port && slice_equal(slice_of_text(peer->host), host);
}

static bool is_reached(const struct peer *peer)
{
	return peer->links[PEER_PROMPT].state == LINK_UP;
}

static void peer_moves(struct peer *peer, struct slice host, uint16_t port)
{
	char *text = slice_to_text(host);

	mem_free(peer->host);
	peer->host = text;
	peer->port = port;
	for (unsigned channel = 0; channel < PEER_CHANNELS; channel++)
		peer_link_aim(&peer->links[channel]);
}

static void peer_leave(struct peer *peer, uint64_t at_ms)
{
	if (!peer->leaves_ms || at_ms < peer->leaves_ms)
		peer->leaves_ms = MAX(at_ms, 1);
}

/*
 * Who is meant: known by its id, also if it was about to leave; or so far by its name alone. It is
 * one: two that connect under one id would take each other's place for ever.
 */
static struct peer *who_is(const struct peers *p, uint64_t id, struct slice name)
{
	struct peer *found = NULL;

	for (size_t i = 0; i < p->count; i++) {
		struct peer *peer = p->list[i];

		if (peer->guess)
			continue;
		if (peer->id ? peer->id != id
			     : !peer_stays(peer) || !slice_equal(slice_of_text(peer->name), name))
			continue;
		if (!found || !found->id || (peer->id && peer_stays(peer)))
			found = peer;
	}
	return found;
}

/* ---- guesses --------------------------------------------------------------------------------- */

static bool is_guess_of(const struct peer *guess, const struct peer *peer)
{
	if (!guess->guess || guess->leaves_ms)
		return false;
	if (guess->id && peer->id)
		return guess->id == peer->id;
	return strcmp(guess->name, peer->name) == 0;
}

static void peer_guess(struct peer *peer, const struct peers_place *place)
{
	struct peers *p = peer->owner;
	struct peer *oldest = NULL;
	size_t guesses = 0;

	if (!peer_stays(peer) || is_reached(peer) || is_at(peer, place->host, place->port) ||
	    MUTANT(moved_not_believed))
		return;
	for (size_t i = 0; i < p->count; i++) {
		if (!is_guess_of(p->list[i], peer))
			continue;
		if (is_at(p->list[i], place->host, place->port))
			return;
		if (guesses++ == 0)
			oldest = p->list[i];
	}
	if (guesses >= GUESSES_MAX)
		peer_leave(oldest, peer_timers_now_ms(&p->timers));
	peer_add(p, place)->guess = true;
}

static void peer_guess_place(struct peer *peer, uint64_t id, const struct peer_place *at)
{
	struct peers_place place = {.id = id,
				    .name = slice_of_text(peer->name),
				    .host = slice_of_text(at->host ? at->host : ""),
				    .port = at->port};

	if (place.host.len)
		peer_guess(peer, &place);
}

void peer_is_missed(struct peer *peer)
{
	if (MUTANT(missed_not_looked_for))
		return;
	peer_guess_place(peer, peer->id, &peer->said);
	peer_guess_place(peer, peer->id, &peer->told);
}

void peer_is_reached(struct peer *peer)
{
	struct peers *p = peer->owner;
	struct peer *stays = who_is(p, peer->id, slice_of_text(peer->name));

	if (!stays)
		return;
	if (is_guess_of(peer, stays) && peer_stays(stays) && !is_reached(stays)) {
		if (!stays->told.host && *stays->host)
			place_set(&stays->told, slice_of_text(stays->host), stays->port);
		peer_moves(stays, slice_of_text(peer->host), peer->port);
	}
	for (size_t i = 0; i < p->count; i++)
		if (is_guess_of(p->list[i], stays))
			peer_leave(p->list[i], peer_timers_now_ms(&p->timers));
}

void peers_guess(struct peers *p, const struct peers_place *place)
{
	struct peer *peer = who_is(p, place->id, place->name);

	if (peer)
		peer_guess(peer, place);
}

bool peers_put_place(const struct peers *p, uint64_t id, struct buf *out)
{
	const struct peer *peer = peers_find_id(p, id);

	if (!peer || !peer_stays(peer))
		return false;
	if (is_reached(peer))
		label_put_address(slice_of_text(peer->host), peer->port, out);
	else if (peer->said.host)
		label_put_address(slice_of_text(peer->said.host), peer->said.port, out);
	return out->len > 0;
}

/* A process of its own would have to end and start again for each time. */
static void peer_is_twice(struct peer *peer, uint64_t now_ms)
{
	if (peer->twice_ms && now_ms < peer->twice_ms + PEER_COMPLAINTS_MS)
		return;
	peer->twice_ms = now_ms;
	LOG(peer->owner->options.logger, LOG_WARNING,
	    "%s is at %s:%u and at %s:%u in turns: if two processes run, the directory of one is a "
	    "copy of the other's; end one of them at once",
	    peer->name, peer->said.host, peer->said.port, peer->said_before.host,
	    peer->said_before.port);
}

static void peer_says_another(struct peer *peer, struct slice host, uint16_t port)
{
	uint64_t now_ms = peer_timers_now_ms(&peer->owner->timers);
	bool again = place_is(&peer->said_before, host, port) && now_ms < peer->said_ms + TURNS_MS;

	peer_place_forget(&peer->said_before);
	peer->said_before = peer->said;
	peer->said = (struct peer_place){0};
	place_set(&peer->said, host, port);
	peer->said_ms = now_ms;
	if (again)
		peer_is_twice(peer, now_ms);
}

void peer_is_found(struct peer *peer, uint64_t id, struct slice address)
{
	struct slice host;
	uint16_t port;

	if (label_address(label_place(address), &host, &port) != OK)
		return;
	if (!place_is(&peer->said, host, port))
		peer_says_another(peer, host, port);
	if (*peer->host)
		peer_guess_place(peer, id, &peer->said);
	else
		peer_moves(peer, host, port);
}

void peers_met_stranger(struct peers *p, struct slice address)
{
	struct slice host;
	uint16_t port;

	if (label_address(label_place(address), &host, &port) != OK)
		return;
	buf_clear(&p->stranger);
	label_put_address(host, port, &p->stranger);
}

/* ---- following a membership ------------------------------------------------------------------ */

/*
 * A membership may be an old one: who comes back reads all that there were, one after the other.
 * Who was reached where it says itself that it is, or where the configuration says so, stays there.
 */
static bool knows_better(const struct peer *peer, bool fixed)
{
	return is_reached(peer) &&
	       (!fixed || place_is(&peer->said, slice_of_text(peer->host), peer->port));
}

static void peer_is_told(struct peer *peer, const struct peers_place *place, bool fixed)
{
	struct peer_place before = {NULL, peer->port};

	if (place->host.len == 0 || place_is(&peer->told, place->host, place->port))
		return;
	peer_place_forget(&peer->told);
	if (is_at(peer, place->host, place->port))
		return;
	if (knows_better(peer, fixed)) {
		place_set(&peer->told, place->host, place->port);
		return;
	}
	before.host = slice_to_text(slice_of_text(peer->host));
	peer_moves(peer, place->host, place->port);
	/* What is told at the start of a process is newer than its log. */
	if (!fixed)
		peer_guess_place(peer, peer->id, &before);
	peer_place_forget(&before);
}

static void follow_one(struct peers *p, const struct peers_place *place)
{
	struct peer *peer = who_is(p, place->id, place->name);
	bool fixed;

	if (!peer) {
		(void)peer_add(p, place);
		return;
	}
	if (!slice_equal(slice_of_text(peer->name), place->name)) {
		mem_free(peer->name);
		peer->name = slice_to_text(place->name);
	}
	fixed = peer->fixed;
	peer->id = place->id;
	peer->fixed = true;
	peer->leaves_ms = 0;
	peer_is_told(peer, place, fixed);
}

static bool is_meant(const struct peer *peer, const struct peers_place *place)
{
	if (peer->id)
		return peer->id == place->id;
	return slice_equal(slice_of_text(peer->name), place->name);
}

void peers_follow(struct peers *p, const struct peers_place *places, size_t count)
{
	uint64_t leaves_ms = peer_timers_now_ms(&p->timers) + p->options.leave_ms;

	for (size_t i = 0; i < p->count; i++) {
		bool meant = false;

		for (size_t k = 0; k < count && !meant; k++)
			meant = is_meant(p->list[i], &places[k]);
		if (!meant)
			peer_leave(p->list[i], leaves_ms);
	}
	peers_follow_also(p, places, count);
}

void peers_follow_also(struct peers *p, const struct peers_place *places, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (places[i].id != p->options.id)
			follow_one(p, &places[i]);
}

void peers_send_away(struct peers *p, uint64_t id)
{
	uint64_t leaves_ms = peer_timers_now_ms(&p->timers) + p->options.leave_ms;

	for (size_t i = 0; i < p->count; i++)
		if (p->list[i]->id == id)
			peer_leave(p->list[i], leaves_ms);
}
