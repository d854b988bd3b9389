/* Rows of an engine that rot: whoever meets one stops, and its machine begins anew. */

#include "base/error.h"
#include "node/member_state.h"
#include "sim/model.h"
#include "sim/nemesis.h"
#include "storage/row.h"

/* The record of some key, or the change of some revision. */
static enum engine_family draw_row(struct world *w, struct buf *row)
{
	const struct model *m = w->model;
	uint8_t change[HISTORY_KEY_BYTES];
	const struct model_cell *c;

	if (random_chance(&w->random, 500000)) {
		history_key_put(change, (struct revision){draw(w, 1, m->revision), 0});
		buf_append(row, change, sizeof(change));
		return FAMILY_HISTORY;
	}
	c = m->all[random_below(&w->random, m->cell_count)];
	record_key(row, m->keyspaces[c->database], buf_slice(&c->key));
	return FAMILY_STATE;
}

bool act_rot(struct world *w)
{
	struct host *h = victim(w);
	struct buf row = {0};
	enum engine_family family;
	bool done;

	if (!may_lose(w, h) || !w->model->revision)
		return false;
	family = draw_row(w, &row);
	done = engine_memory_damage(h->vault.living, family, buf_slice(&row));
	buf_free(&row);
	if (!done)
		return false;
	TRACE(w, h, "a row of its engine is damaged");
	h->excuse = "a row of its engine is damaged";
	h->suspect = true;
	h->rotten = true;
	return true;
}

/* Counted when it happens. */
bool act_flip_fetched(struct world *w)
{
	struct host *h = victim(w);

	if (h && w->model)
		h->flip_fetched = true;
	return false;
}

/*
 * Whether whoever looks at the whole state can tell that this row is not what it was: tombstones
 * count for nothing, and what was dropped of history leaves the rest without a digest.
 */
static bool row_counts(struct world *w, struct engine *e, enum engine_family family,
		       struct slice key)
{
	struct engine_view *v = engine_view_open(e);
	struct buf row = {0};
	struct record r;
	bool counts = engine_view_get(v, family, key, &row) == OK;

	if (family == FAMILY_HISTORY)
		counts = counts && model_horizon(w->model) == 0;
	else
		counts =
			counts && record_decode(buf_slice(&row), &r) == OK && r.type != RECORD_NONE;
	buf_free(&row);
	engine_view_close(v);
	return counts;
}

/* All that is fetched lies in the fresh engine, and nobody has looked at it yet. */
void nemesis_before_step(struct host *h)
{
	struct world *w = h->world;
	struct buf row = {0};

	if (!h->flip_fetched || !h->member || h->member->install.phase != INSTALL_READING ||
	    h->member->install.intake.view || !h->vault.fresh_engine || !w->model->revision)
		return;
	for (unsigned tries = 0; tries < 20 && h->flip_fetched; tries++) {
		enum engine_family family;

		buf_clear(&row);
		family = draw_row(w, &row);
		if (!row_counts(w, h->vault.fresh_engine, family, buf_slice(&row)) ||
		    !engine_memory_flip(h->vault.fresh, family, buf_slice(&row),
					random_next(&w->random)))
			continue;
		h->flip_fetched = false;
		COUNT(w, FAULT_FLIP_FETCHED);
		TRACE(w, h, "a bit flips in the state that it has fetched");
	}
	buf_free(&row);
}

/* The operator: sometimes it is tried again as it is, in the end never. */
void rot_mend(struct world *w, struct host *h)
{
	uint32_t likely = h->state == HOST_DOWN ? 300000 : 10000;

	if (!h->rotten || (!w->calm && !random_chance(&w->random, likely)))
		return;
	host_kill(h, true);
	host_wipe(h);
	/* With the command line of a cluster of one it would be another cluster of one. */
	h->joins = h->joins || w->profile.members < 2;
	h->rotten = false;
}
