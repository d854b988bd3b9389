/*
 * What must hold of whole members:
 *
 *  - equal index, equal position, byte for byte; and equal rows, as a reader would see them
 *  - what a member holds in caches, overlays and its engine is one state: the sum over its records
 *    is the digest that it keeps
 *  - what it keeps in memory is bounded as it was told
 *  - in the end, every client is answered, and the store's history is what clients were told
 */

#include "base/check.h"
#include "base/error.h"
#include "base/hash.h"
#include "sim/callers.h"
#include "sim/control.h"
#include "sim/mode_members.h"

#include <inttypes.h>

/* Every so many entries, all members look at all their rows. */
#define ROWS_EVERY 97

/* An arena grows by doubling, from some kilobytes on. */
#define ARENA_SLACK ((size_t)1 << 22)

struct rows_seen {
	uint64_t hash;
	uint64_t living;  /* sum over the records */
	uint64_t changes; /* rows of history */
};

/* The position says for itself what it is; it stands in the engine only. */
static bool is_position(struct slice key)
{
	struct buf position = {0};
	bool is;

	meta_key(&position, SLICE_LITERAL("position"));
	is = slice_equal(buf_slice(&position), key);
	buf_free(&position);
	return is;
}

static void see_row(struct host *h, enum engine_family family, struct slice key, struct slice row,
		    struct rows_seen *seen)
{
	struct record record;

	seen->hash = hash64_pair(hash64_salted(key, seen->hash), hash64_salted(row, family));
	if (family == FAMILY_HISTORY)
		seen->changes++;
	if (family != FAMILY_STATE || key.data[0] != STATE_RECORD)
		return;
	if (record_decode(row, &record) != OK)
		world_fail(h->world, "%s holds a record that cannot be read", h->name);
	else if (record.type != RECORD_NONE)
		seen->living += hash64_salted(row, hash64(key));
}

static int see_rows(struct host *h, struct reader *r, enum engine_family family, struct slice to,
		    struct rows_seen *seen)
{
	struct slice key, row;
	struct scan s;
	int rc = scan_open(&s, r, family, (struct slice){0}, to, false);

	while (rc == OK && scan_next(&s, &key, &row))
		if (family != FAMILY_STATE || !is_position(key))
			see_row(h, family, key, row, seen);
	return rc == OK ? scan_close(&s) : rc;
}

void members_watch_rows(struct host *h)
{
	struct store *store = h->member->store;
	const struct position *p = store_position(store);
	struct view *v = view_open(store);
	struct reader r = {0};
	struct rows_seen seen = {0};
	uint8_t end[HISTORY_KEY_BYTES];
	int rc;

	/* What was written beyond the position is written again by replaying. */
	history_key_put(end, (struct revision){p->revision + 1, 0});
	view_reader(v, &r);
	rc = see_rows(h, &r, FAMILY_STATE, (struct slice){0}, &seen);
	if (rc == OK)
		rc = see_rows(h, &r, FAMILY_HISTORY, slice_of(end, sizeof(end)), &seen);
	reader_close(&r);
	view_close(v);
	if (rc != OK) {
		if (!h->excuse)
			world_fail(h->world, "%s cannot read its rows: %s", h->name,
				   error_text(rc));
		return;
	}
	COUNT(h->world, CHECK_DIGEST);
	if (control_drifted(h))
		seen.living += DRIFT;
	if (seen.living != position_digest_living(p))
		world_fail(h->world, "%s holds records at %" PRIu64 " that its digest denies",
			   h->name, p->index);
	watch_rows(h, p->index, seen.hash);
}

void members_watch_applied(struct host *h, uint64_t index, const struct entry *e)
{
	const struct position *p = store_position(h->member->store);
	const char *broken = position_broken(p);

	if (broken)
		world_fail(h->world, "%s breaks a rule: %s", h->name, broken);
	watch_apply(h, index, e, h->world->mode->state(h).digest);
	if (index % ROWS_EVERY == 0)
		members_watch_rows(h);
}

static void watch_bound(struct host *h, const char *what, size_t bytes, size_t most)
{
	if (bytes > most)
		world_fail(h->world, "%s holds %zu %s, and %zu at most were allowed", h->name,
			   bytes, what, most);
}

void members_watch_turn(struct host *h)
{
	const struct profile *p = &h->world->profile;
	struct member *m = h->member;
	struct store_stats s;

	control_watch_turn(h);
	COUNT(h->world, CHECK_BOUNDS);
	store_stats(m->store, &s);
	watch_bound(h, "bytes of writes under way", m->origin.bytes + m->origin.collected.len,
		    p->unresolved_bytes + REQUEST_BYTES_MAX);
	watch_bound(h, "bytes of batches held back", m->lag.held_bytes,
		    (uint64_t)h->world->host_count * (p->unresolved_bytes + REQUEST_BYTES_MAX));
	if (m->lag.held_bytes)
		COUNT(h->world, BATCH_HELD);
	watch_bound(h, "bytes of changes", s.live_bytes, 4 * p->overlay_bytes + ARENA_SLACK);
	watch_bound(h, "bytes of headers", s.header_bytes, p->header_cache_bytes);
	watch_bound(h, "bytes of values", s.value_bytes, p->value_cache_bytes);
	list_for_each_safe (it, &m->sessions)
		watch_bound(h, "requests of a session", LIST_ITEM(it, struct session, link)->count,
			    p->session_requests);
	if (m->origin.incarnation != h->seen_incarnation)
		COUNT(h->world, REGISTERED);
	h->seen_incarnation = m->origin.incarnation;
}

void members_watch_end(struct world *w)
{
	callers_watch_answered(w);
	control_watch_end(w);
	for (unsigned i = 0; i < w->host_count && !w->failure[0]; i++) {
		struct host *h = &w->hosts[i];

		if (!host_takes_part(h))
			continue;
		members_watch_rows(h);
		if (origin_unresolved(&h->member->origin))
			world_fail(w, "%s has writes under way in the end", h->name);
	}
}
