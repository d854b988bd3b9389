/*
 * What a member does for others that are behind:
 *
 *  - a leader's log keeps what a follower needs behind the state that it takes over, up to a bound
 *  - a state is given no faster than it may be, and each question is answered once
 */

#include "base/error.h"
#include "consensus/raft_state.h"
#include "node/transfer.h"
#include "sim/world.h"
#include "storage/log.h"

#include <inttypes.h>

/* ---- the log --------------------------------------------------------------------------------- */

static uint64_t now_ms(const struct host *h)
{
	return host_clock_us(h) / 1000;
}

/* Until when the followers that need the log now count, if nothing more is heard of them. */
static uint64_t held_until_ms(const struct raft *r)
{
	uint64_t until = UINT64_MAX;

	for (size_t i = 0; i < r->peer_count; i++)
		if (r->peers[i].refilled && raft_held_index(r) < UINT64_MAX)
			until = MIN(until, r->peers[i].heard_ms + r->options.election_ms);
	return until;
}

/*
 * Whoever counted at the turn before, and could not be forgotten meanwhile, finds in the log what
 * it needs, unless all that must be kept for such a case was used up. A member that is short of
 * space keeps nothing for others.
 */
void watch_held(struct host *h)
{
	const struct raft *r = driver_raft(h->driver);
	struct log_stats stats = log_stats(driver_log(h->driver));
	uint64_t held = raft_held_index(r), room = LOG_HELD * h->world->profile.log_max_bytes;

	if (held < UINT64_MAX)
		COUNT(h->world, CHECK_HELD);
	if (held < UINT64_MAX && h->seen_held < UINT64_MAX && now_ms(h) < h->seen_held_ms &&
	    r->log.base > MAX(held, h->seen_held) && r->log.base > h->seen_base &&
	    stats.bytes < room && !h->space_low)
		world_fail(h->world,
			   "%s forgets its log up to %" PRIu64
			   ", and somebody needs what is behind %" PRIu64,
			   h->name, r->log.base, held);
	h->seen_held = held;
	h->seen_held_ms = held_until_ms(r);
}

/* ---- states ---------------------------------------------------------------------------------- */

/* So many answers may come at once, when one was late and others were asked for twice. */
#define ANSWERS_AT_ONCE 4

void watch_question(struct host *h, const struct host *from, const struct blob *body)
{
	struct helped *to = &h->helped[from->index];
	struct fetch f;

	if (fetch_decode(slice_of(body->data, body->len), &f) != OK)
		return;
	for (unsigned i = 0; i < HELPED_QUESTIONS; i++)
		if (to->open[i] == f.request)
			return;
	to->open[to->next++ % HELPED_QUESTIONS] = f.request;
}

static void watch_asked(struct host *h, const struct host *to, uint64_t request)
{
	struct helped *helped = &h->helped[to->index];

	COUNT(h->world, CHECK_ANSWERED);
	for (unsigned i = 0; i < HELPED_QUESTIONS; i++) {
		if (helped->open[i] != request)
			continue;
		helped->open[i] = 0;
		return;
	}
	if (helped->next <= HELPED_QUESTIONS)
		world_fail(h->world, "%s answers a question of %s for rows more than once", h->name,
			   to->name);
}

/* What was sent runs off at the rate that is allowed. */
static void watch_pace(struct host *h, const struct host *to, size_t bytes)
{
	struct helped *helped = &h->helped[to->index];
	uint64_t rate = h->world->profile.share_bytes_per_s, now_us = host_clock_us(h);
	uint64_t off = (now_us - helped->sent_us) * rate / 1000000;

	if (!rate)
		return;
	COUNT(h->world, CHECK_PACE);
	helped->largest = MAX(helped->largest, bytes);
	helped->behind -= MIN(helped->behind, off);
	helped->behind += bytes;
	helped->sent_us = now_us;
	if (helped->behind > ANSWERS_AT_ONCE * helped->largest)
		world_fail(h->world,
			   "%s gives its state to %s faster than %" PRIu64 " bytes a second",
			   h->name, to->name, rate);
}

void watch_answer(struct host *h, const struct host *to, struct slice bytes)
{
	struct rows rows;

	if (rows_decode(bytes, &rows) != OK) {
		world_fail(h->world, "%s sends rows that nobody can read", h->name);
		return;
	}
	watch_asked(h, to, rows.request);
	/* That it gives nothing is said at once. */
	if (rows.kind != ROWS_GONE)
		watch_pace(h, to, bytes.len);
}
